// The ZGW calls of the broker against the published OpenAPI descriptions. The demo's case is played up to its dossier, then a second
// delivery with a document too large for one call and a zaakeigenschap that somebody at the gemeente changed, so that every kind of
// call is made. What the simulated zaaksysteem recorded is played again to a mock that checks it (../shared/tools/mock-zgw), and its
// answers are checked by the same judge, so that the simulator cannot be laxer than the standard.
//   node tests/system/zgw_contract.mjs     SCHAKEL, DEMO_DIR, DEMO_PORT. Ends with "N passed, M failed".
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { pdf } from '../partners/lib/pdf.mjs';
import { Party } from './demo/client.mjs';
import { freePorts, run, start } from './demo/processes.mjs';
import { must, root, setStage } from './demo/stage.mjs';
import { Story, until } from './demo/story.mjs';
import { OIN, PEOPLE } from './demo/world.mjs';

const shared = join(root, '..', 'shared');
if (!existsSync(join(shared, 'tools', 'mock-zgw'))) {
  console.log('SKIPPED: ../shared/tools/mock-zgw is not beside this checkout\n0 passed, 0 failed');
  process.exit(0);
}
const home = process.env.DEMO_DIR ?? join(root, 'build', 'zgw-contract');
const recorded = join(home, 'zgw-calls.jsonl');
const SECRET = 'demo-geheim-van-de-gemeente';
const APIS = { zaken: 'zaken-1.5.1.yaml', documenten: 'documenten-1.4.3.yaml' };
let passed = 0;
let failed = 0;
const check = (what, good, detail = '') => { if (good) passed += 1; else { failed += 1; console.log(`FAILED ${what} ${detail}`); } };

/** What the adapter does: the first dossier, then one that must be resumed, extended and corrected. */
async function play(stage) {
  const story = new Story(stage.players, stage.places, () => {});
  for (const step of ['open', 'upload', 'consent', 'documents_out', 'opened', 'filed']) await story[step]();
  const state = () => story.json('zaaksysteem', '/__control/state');
  const before = await state();

  // Somebody at the gemeente corrects a field of the dossier by hand.
  const own = before.zaakeigenschappen.find((e) => e.naam === 'Aangeleverd door');
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ typ: 'JWT', alg: 'HS256' })}.${encode({ iss: 'schakel', iat: Math.floor(Date.now() / 1000), client_id: 'schakel', user_id: 'balie', user_representation: 'Balie' })}`;
  const desk = new Party(join(home, 'pki'), 'gemeente', OIN.gemeente, `https://localhost:${stage.port.zaaksysteem_tls}`);
  const changed = await desk.call('PATCH', new URL(own.url).pathname, { zaak: own.zaak, eigenschap: own.eigenschap, waarde: 'balie' },
    { Authorization: `Bearer ${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}` });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));

  const bytes = Buffer.concat([pdf('Groeidocument', ['Tweede versie, met de tekeningen van de leerling.']), Buffer.from(`\n%${'x'.repeat(1_400_000)}`)]);
  const kept = await stage.players.school.call('POST', `/v1/documenten?zaak=${story.zaak}&docType=groeidocument&status=compleet&versie=2`, bytes, { 'Content-Type': 'application/pdf' });
  assert.equal(kept.status, 201, JSON.stringify(kept.body));
  const mail = PEOPLE['jhd-1'].mail;
  const links = async () => (await story.mails(mail)).flatMap((m) => m.links).filter((l) => l.includes('#'));
  const old = await links();
  const decided = await story.say('school', 'documentlevering', 'school_ib', { documents: ['groeidocument'], meeting: 'OT' },
    { addressed_to: ['orthopedagoog', 'jeugdhulpdeskundige'], attachments: [{ document: kept.body.id, doc_type: 'groeidocument', version: 2, status: 'compleet', sha256: kept.body.sha256 }] });
  assert.equal(decided.uitkomst, 'delivered', JSON.stringify(decided.codes));
  story.links.jeugdhulpdeskundige = await until('the second link', async () => (await links()).find((l) => !old.includes(l)));
  assert.equal((await story.enter('jeugdhulpdeskundige', PEOPLE['jhd-1'].tweedeFactor.slice(4))).page.status, 200);
  const after = await until('the second filing', async () => { const s = await state(); return s.zaakinformatieobjecten.length === before.zaakinformatieobjecten.length + 1 && s; });
  const large = after.documenten.find((d) => d.integriteit?.waarde === kept.body.sha256);
  check('a document over the limit went in parts and is whole', large && !large.locked && large.bestandsomvang === bytes.length);
  check('the zaak is still one', after.zaken.length === 1);
  check('the corrected field says again what the broker filed', (await state()).zaakeigenschappen.find((e) => e.uuid === own.uuid).waarde === own.waarde);
  check('the simulator saw nothing forbidden', (await story.json('zaaksysteem', '/__control/violations')).length === 0);
}

async function answering(port, name) {
  return until(`${name} on port ${port}`, () => new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, path: '/' }, (r) => { r.resume(); resolve(true); }).on('error', reject);
  }), 120);
}
/** One call to a judge; `headers` are as they were, but for those of the connection. */
function send(port, call, path, more = {}) {
  const headers = { ...call.headers, ...more };
  for (const name of ['host', 'connection', 'content-length', 'transfer-encoding', 'expect']) delete headers[name];
  const body = Buffer.from(call.body, 'base64');
  return new Promise((resolve, reject) => {
    const r = http.request({ host: '127.0.0.1', port, method: call.method, path, headers: body.length ? { ...headers, 'content-length': body.length } : headers, timeout: 30_000 }, (answer) => {
      const chunks = [];
      answer.on('data', (c) => chunks.push(c)).on('end', () => resolve({ status: answer.statusCode, violations: answer.headers['sl-violations'], body: Buffer.concat(chunks).toString() }));
    });
    r.on('timeout', () => r.destroy(new Error('no answer within 30 s')));
    r.on('error', reject);
    r.end(body.length ? body : undefined);
  });
}
const place = (call) => {
  const [, api, rest] = /^\/(zaken|documenten)\/api\/v1(\/.*)$/.exec(call.url);
  return { api, rest, shape: `${call.method} ${api}${rest.split('?')[0].replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '{uuid}')}` };
};

async function judge(calls, pids) {
  const port = await freePorts(4020, 5);
  const log = (name) => join(home, 'log', `${name}.log`);
  start({ name: 'mock-zgw', command: join(shared, 'tools', 'mock-zgw'), args: [String(port)], log: log('mock-zgw'), pids });
  // Plays back what the simulator answered, for the judge of answers to read.
  const back = http.createServer((request, response) => {
    request.resume().on('end', () => {
      const call = calls[Number(request.headers['x-nummer'])];
      if (!call) { response.writeHead(404).end(); return; }
      const { status, answer } = call;
      const body = Buffer.from(answer.body, 'base64');
      response.writeHead(status, { 'Content-Type': 'application/json', ...answer.headers, ...(status === 204 ? {} : { 'Content-Length': body.length }) });
      response.end(status === 204 ? undefined : body);
    });
  });
  await new Promise((resolve) => { back.listen(port + 2, '127.0.0.1', resolve); });
  const prism = join(must('tools/setup', run(join(shared, 'tools', 'setup'), [])).trim().split('\n').at(-1), 'node_modules', '.bin', 'prism');
  Object.keys(APIS).forEach((api, i) => start({
    name: `answers-${api}`, command: prism, log: log(`answers-${api}`), pids,
    args: ['proxy', '-h', '127.0.0.1', '-p', String(port + 3 + i), join(shared, 'standards', 'zgw', APIS[api]), `http://127.0.0.1:${port + 2}`],
  }));
  await Promise.all([0, 1, 3, 4].map((i) => answering(port + i, 'the judge')));
  for (const [number, call] of calls.entries()) {
    const { api, rest, shape } = place(call);
    const index = Object.keys(APIS).indexOf(api);
    const request = await send(port + index, call, rest);
    // The mock makes its answer up from the description and then finds fault with it; what counts is what it says of the request.
    const wrong = JSON.parse(request.violations ?? '[]').filter((v) => v.location[0] !== 'response');
    check(`request ${number}: ${shape}`, request.status === call.status && !wrong.length, `the mock answered ${request.status}, the simulator ${call.status}: ${wrong.length ? JSON.stringify(wrong) : request.body.slice(0, 600)}`);
    const answer = await send(port + 3 + index, call, rest, { 'x-nummer': String(number) });
    check(`answer ${number}: ${shape}`, answer.status === call.status && !answer.violations, answer.violations ?? `${answer.status} ${answer.body.slice(0, 600)}`);
  }
  // A judge that lets everything pass is none.
  const broken = calls.find((c) => place(c).shape === 'POST zaken/zaken');
  const without = JSON.parse(Buffer.from(broken.body, 'base64'));
  delete without.zaaktype;
  const refused = await send(port, { ...broken, body: Buffer.from(JSON.stringify(without)).toString('base64') }, '/zaken');
  check('the judge refuses a zaak without a zaaktype', refused.status === 400, `${refused.status}`);
  back.close();
  back.closeAllConnections();
}

let stage;
try {
  const base = process.env.DEMO_PORT ? Number(process.env.DEMO_PORT) : await freePorts(11943);
  stage = await setStage({ home, base, tell: () => {}, zgw: ['--record', recorded, '--part-size', '524288'] });
  await play(stage);
  const calls = readFileSync(recorded, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const shapes = calls.map((c) => place(c).shape);
  for (const shape of [
    'GET zaken/zaken', 'POST zaken/zaken', 'GET zaken/rollen', 'POST zaken/rollen', 'GET zaken/zaken/{uuid}/zaakeigenschappen', 'POST zaken/zaken/{uuid}/zaakeigenschappen',
    'PATCH zaken/zaken/{uuid}/zaakeigenschappen/{uuid}', 'GET documenten/enkelvoudiginformatieobjecten', 'POST documenten/enkelvoudiginformatieobjecten',
    'GET documenten/enkelvoudiginformatieobjecten/{uuid}', 'PUT documenten/bestandsdelen/{uuid}', 'POST documenten/enkelvoudiginformatieobjecten/{uuid}/unlock',
    'GET zaken/zaakinformatieobjecten', 'POST zaken/zaakinformatieobjecten', 'GET zaken/statussen', 'POST zaken/statussen',
  ]) check(`the play makes the call ${shape}`, shapes.includes(shape));
  await judge(calls, join(home, 'pids.json'));
  console.log(`${calls.length} calls in ${new Set(shapes).size} shapes`);
} catch (error) {
  check('the play ran to its end', false, error.stack);
} finally {
  await stage?.end();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
