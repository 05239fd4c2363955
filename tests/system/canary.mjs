// Fictional BSN, names, mail addresses and telephone numbers through every path, errors included: none may be seen in a log, metric,
// URL, mail subject or text, SMS, problem body, file name, command line output or in the raw bytes of the store.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './demo/processes.mjs';
import { binary, root, setStage } from './demo/stage.mjs';
import { Story } from './demo/story.mjs';
import { BSN, PEOPLE } from './demo/world.mjs';

const CANARIES = [BSN, 'Kanariepiet', ...Object.values(PEOPLE).flatMap((p) => [p.naam, p.mail, p.tweedeFactor.slice(4)])];
/** A canary as it is, in hex and in base64 at each of the three places it can begin; only what its own bytes decide. */
function disguises(canary) {
  const bytes = Buffer.from(canary);
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').replace(/=+$/, '');
    return text.slice([0, 2, 3][shift], Math.floor(((shift + bytes.length) * 8) / 6));
  });
  const escaped = JSON.stringify(canary).slice(1, -1);
  return [canary, escaped, encodeURIComponent(canary), bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...base64, ...base64.map((t) => t.replaceAll('+', '-').replaceAll('/', '_'))];
}
const DISGUISES = new Map(CANARIES.map((c) => [c, [...new Set(disguises(c))]]));
for (const c of CANARIES) for (let at = 0; at < 3; at += 1) if (!disguises(c).some((d) => Buffer.from(`${'x'.repeat(at)}${c}yz`).toString('base64').includes(d))) throw new Error('a disguise is not recognised');
const results = [];
function look(place, text, but = []) {
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(typeof text === 'string' ? text : JSON.stringify(text) ?? '');
  const found = CANARIES.filter((c) => !but.includes(c) && DISGUISES.get(c).some((d) => bytes.includes(d)));
  results.push({ place, found });
}
const demand = (place, good) => results.push({ place, found: good ? [] : ['!'] });
function* files(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* files(path); else if (entry.isFile()) yield path;
  }
}

const stage = await setStage({ home: process.env.DEMO_DIR ?? join(root, 'build', 'canary'), base: Number(process.env.DEMO_PORT ?? 9443), tell: () => {} });
let status = 1;
try {
  const story = new Story(stage.players, stage.places, (text) => look('progress', text));
  await story.play();
  const { school, zorgaanbieder } = stage.players;
  const zaak = story.zaak;
  const event = (data, more = {}) => ({ ...school.event(`c-${results.length}`, 'documentlevering', zaak, { region: 'KNH', sender: { role: 'school_ib' }, ...data }), ...more });
  // Each puts a canary where it does not belong; whatever the answer is, it does not repeat it.
  const bad = [
    ['POST', '/v1/berichten', event({ [`naam ${BSN}`]: 'Kanariepiet' })], ['POST', '/v1/berichten', event({ documents: BSN })], ['POST', '/v1/berichten', event({ documents: [`Kanariepiet ${BSN}`], meeting: 'OT' })],
    ['POST', '/v1/berichten', event({}, { subject: BSN })], ['POST', '/v1/berichten', event({}, { type: `nl.schakel.${BSN}.v1` })], ['POST', '/v1/berichten', event({}, { source: `urn:nld:oin:${BSN}:systeem:x` })],
    ['POST', '/v1/berichten', event({ region: BSN })], ['POST', '/v1/berichten', event({ sender: { role: 'Kanariepiet', person: BSN } })], ['POST', '/v1/berichten', event({ addressed_to: [`Kanariepiet ${BSN}`] })],
    ['POST', '/v1/berichten', event({ attachments: [{ document: BSN, doc_type: 'Kanariepiet', version: 1, status: 'x', sha256: BSN }] })], ['POST', '/v1/berichten', Buffer.from(`{"specversion":"1.0","id":"${BSN}","data":{"naam":"Kanariepiet"`)],
    ['POST', '/v1/berichten', event({}, { [`k${BSN}`]: 'Kanariepiet' })], ['POST', '/v1/berichten', event({}, { time: `${BSN} Kanariepiet` })],
    ['POST', '/v1/zaken', { region: 'KNH', sender: { role: 'school_ib' }, pupil: { name: 'Kanariepiet', bsn: BSN, birth_date: BSN }, case: {} }], ['GET', `/v1/zaken/${BSN}`], ['GET', `/v1/Kanariepiet/${BSN}`], ['GET', `/v1/afleveringen?zaak=${BSN}&naam=Kanariepiet`],
    ['PUT', `/v1/zaken/${zaak}/bsn`, { bsn: BSN, naam: 'Kanariepiet' }], ['PUT', `/v1/zaken/${zaak}/bsn`, { bsn: '999990021' }], ['PUT', `/v1/zaken/${zaak}/deelnemers/x`, { naam: 'Kanariepiet', [`f${BSN}`]: 'x' }],
    ['POST', `/v1/documenten?zaak=${zaak}&docType=Kanariepiet-${BSN}`, Buffer.from('%PDF-')], ['POST', `/v1/documenten?zaak=${BSN}&docType=opp`, Buffer.from('%PDF-')],
  ];
  for (const [method, path, value] of bad) {
    const answer = await school.call(method, path, value, path === '/v1/berichten' ? { 'Content-Type': 'application/cloudevents+json' } : path.startsWith('/v1/documenten') ? { 'Content-Type': 'application/pdf' } : { 'Idempotency-Key': `c-${results.length}` });
    look(`answer ${answer.status} to ${method} ${path.split('?')[0].replaceAll(BSN, '<bsn>')} (${answer.body?.code ?? ''})`, JSON.stringify(answer.headers) + answer.bytes);
    if (answer.status < 400 && !(method === 'POST' && [202].includes(answer.status))) demand(`${method} ${path.split('?')[0].replaceAll(BSN, '<bsn>')} was answered with ${answer.status}`, false);
  }
  for (const body of [`<Bericht><Bsn>${BSN}</Bsn><Naam>Kanariepiet</Naam>`, `<!DOCTYPE x [<!ENTITY n "${BSN}">]><x>&n;</x>`, `<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><ID>${BSN}</ID><Note>Kanariepiet</Note></Invoice>`]) {
    const answer = await zorgaanbieder.call('POST', '/in/zorgaanbieder/jw323', Buffer.from(body), { 'Content-Type': 'application/xml' });
    look(`answer ${answer.status} to broken XML`, JSON.stringify(answer.headers) + answer.bytes);
  }

  for (const [place, url] of Object.entries(stage.places)) {
    if (['portaal', 'gezondheid'].includes(place)) continue;
    look(`URLs called at ${place}`, await (await fetch(`${url}/__control/calls`)).text());
    demand(`what ${place} holds against us`, (await (await fetch(`${url}/__control/violations`)).json()).length === 0);
  }
  for (const mail of await (await fetch(`${stage.places.postbus}/api/mails`)).json()) look('mail: subject, text, file names', [mail.subject, mail.text, mail.messageId, mail.attachments.map((a) => a.name)]);
  for (const sms of await (await fetch(`${stage.places.sms}/messages`)).json()) look('text of an SMS', sms.text);
  for (const path of ['/metrics', '/healthz', '/readyz']) look(path, await (await fetch(stage.places.gezondheid + path)).text());
  for (const words of [['status'], ['case'], ['case', zaak], ['explain', zaak], ['dlq', 'list'], ['link', 'list', '--case', zaak], ['invoice', 'list'], ['report', 'overleggen'], ['audit', 'list'], ['audit', 'verify'], ['check', stage.config]]) {
    const done = run(binary, ['--config', stage.config, ...words]);
    look(`schakel ${words.join(' ').replace(zaak, '<zaak>')}`, done.out + done.err);
    demand(`schakel ${words.join(' ').replace(zaak, '<zaak>')} ended with ${done.status}: ${done.err.slice(0, 200)}`, done.status === 0);
  }
  await stage.end();
  for (const path of files(stage.folder)) {
    look('a file name', path);
    if (!path.endsWith('parties.json') && !path.endsWith('schakel.json')) look(`bytes of ${path.slice(stage.folder.length)}`, readFileSync(path));
  }
  for (const name of ['schakel.jsonl', 'schakel.out']) { const path = join(stage.home, 'log', name); try { look(name, readFileSync(path)); } catch (error) { if (error.code !== 'ENOENT') throw error; } }
  const wrong = results.filter((r) => r.found.length);
  for (const { place, found } of wrong) console.log(`${place}: ${found.map((f) => (f === '!' ? 'not as it should be' : f === BSN ? 'BSN' : f.includes('@') ? 'mail address' : f.startsWith('+') ? 'number' : 'name')).join(', ')}`);
  console.log(`${results.length - wrong.length} passed, ${wrong.length} failed`);
  status = wrong.length ? 1 : 0;
} catch (error) {
  console.log(`canary: ${error.message}`);
  console.log('0 passed, 1 failed');
  await stage.end();
}
process.exit(status);
