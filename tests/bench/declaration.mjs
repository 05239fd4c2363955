// A large declaration through a whole broker: a JW323 of about 25 MB of many known pupils, posted over mutual TLS.
//   node tests/bench/declaration.mjs [--mb 25] [--lines 100] [--pupils N] [--json] [--accepted]
// --lines: of one pupil; --pupils: as many, with the lines that make the size. Prints the time until the 202, until every part is decided, until the
// JW325 can be fetched and until every invoice is delivered; CPU and peak memory of the broker up to each; and the longest wait of another party and of
// GET /readyz meanwhile, asked from a thread of their own. Baseline: the same bytes refused as soon as they are read (a media type nobody takes), which
// costs all of TLS and HTTP. --accepted: only until the 202. Needs build/release/bin/schakel (or $SCHAKEL); ports from $BENCH_PORT.
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { jw323 } from '../partners/lib/declaration.mjs';
import { Party } from '../system/demo/client.mjs';
import { run, start, stopAll } from '../system/demo/processes.mjs';
import { binary, must, root } from '../system/demo/stage.mjs';
import { until } from '../system/demo/story.mjs';
import { OIN, ORGANISATIONS } from '../system/demo/world.mjs';

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Asks every 20 ms, both at a time, and tells the longest wait of each since it was last asked for. */
async function probe({ pki, api, health, path }) {
  const party = new Party(pki, 'school', OIN.school, api);
  const agent = new https.Agent({ ...party.tls, servername: 'localhost', keepAlive: true, maxSockets: 1 });
  const plain = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const get = (lib, url, options) => new Promise((resolve, reject) => {
    const r = lib.request(url, options, (answer) => answer.resume().on('end', () => resolve(answer.statusCode)).on('error', reject));
    r.on('error', reject);
    r.end();
  });
  let longest = { party: 0, readyz: 0, failed: 0 };
  parentPort.on('message', () => { parentPort.postMessage(longest); longest = { party: 0, readyz: 0, failed: 0 }; });
  const timed = async (name, one) => {
    const t = performance.now();
    const status = await one().catch(() => 0);
    longest[name] = Math.max(longest[name], performance.now() - t);
    if (status !== 200) longest.failed += 1;
  };
  for (;;) {
    await Promise.all([timed('party', () => get(https, `${api}${path}`, { agent })), timed('readyz', () => get(http, `${health}/readyz`, { agent: plain }))]);
    await pause(20);
  }
}

/** `count` numbers that pass the eleven test, of the range that is given to nobody. */
function numbers(count) {
  const out = [];
  for (let n = 999_900_000; out.length < count; n += 1) {
    const d = [...String(n)].map(Number);
    if (d.reduce((sum, digit, i) => sum + digit * (i === 8 ? -1 : 9 - i), 0) % 11 === 0) out.push(String(n));
  }
  return out;
}

async function main() {
  const option = (name, otherwise) => { const at = process.argv.indexOf(`--${name}`); return at < 0 ? otherwise : Number(process.argv[at + 1]); };
  const bytes = option('mb', 25) * 1_000_000;
  const perLine = 475; // of a line as it is written below
  const pupils = option('pupils', Math.floor(bytes / perLine / option('lines', 100)));
  const lines = Math.floor(bytes / perLine / pupils);
  const base = Number(process.env.BENCH_PORT ?? 12643);
  const port = { api: base, portal: base + 1, health: base + 2, target: base + 3 };
  const home = join(process.env.BENCH_DIR ?? tmpdir(), `schakel-declaration-${process.pid}`);
  const folder = join(home, 'broker');
  const pki = join(home, 'pki');
  mkdirSync(home, { recursive: true });
  must('pki', run(join(root, 'certs', 'make-test-pki'), [pki]));
  must('init', run(binary, ['init', folder, '--port', String(port.api)]));
  const target = `http://127.0.0.1:${port.target}/`;
  const config = JSON.parse(readFileSync(join(folder, 'schakel.json'), 'utf8'));
  Object.assign(config, {
    listen: { api: { address: '127.0.0.1', port: port.api, certificate: join(pki, 'server.crt'), key: join(pki, 'server.key'), client_ca: join(pki, 'root.crt') }, health: { address: '127.0.0.1', port: port.health } },
    portal: { address: '127.0.0.1', port: port.portal, base_url: `http://localhost:${port.portal}` }, log: { file: join(home, 'log.jsonl'), level: 'warn' },
    adapters: {
      target: { plugin: 'webhook', config: { url: target, source: 'urn:nld:oin:00000099000100090000:systeem:schakel' } },
      zorgaanbieder: { plugin: 'zorgaanbieder', party: 'zorgaanbieder', config: {
        region: 'KNH', gemeente_code: '0400', source: `urn:nld:oin:${OIN.zorgaanbieder}:systeem:declaraties`, afzenders: { 12345678: 'zorgaanbieder' },
        producten: [{ code: 'ZBZRG', kind: 'zorg' }, { code: 'ZBGRS', kind: 'grijs' }, { code: 'ZBOND', kind: 'onderwijs' }] } },
    },
  });
  writeFileSync(join(folder, 'schakel.json'), JSON.stringify(config));
  const grant = (...roles) => [{ roles, types: ['*'], regions: ['KNH'] }];
  const at = (roles, kinds, adapter) => ({ roles, regions: ['KNH'], kinds, adapter, address: {} });
  writeFileSync(join(folder, 'parties.json'), JSON.stringify({ parties: [
    { id: 'school', name: 'School', oin: OIN.school, domain: 'education', may_supply_bsn: true, certificates: [{ oin: OIN.school }], rate_per_minute: 100_000_000, may_send: grant('school_ib') },
    { id: 'gemeente', name: 'Gemeente Zandoever', oin: OIN.gemeente, domain: 'care', scope: 'region', certificates: [{ oin: OIN.gemeente }], may_send: grant('gemeente_financien'), endpoints: [at(['gemeente_financien'], ['invoice'], 'target')], invoice: ORGANISATIONS.gemeente },
    { id: 'swv', name: 'SWV', oin: OIN.swv, domain: 'education', scope: 'region', certificates: [{ oin: OIN.swv }], may_send: grant('swv'), endpoints: [at(['swv_financien'], ['invoice'], 'target')], invoice: ORGANISATIONS.swv },
    { id: 'zorgaanbieder', name: 'De Verzonnen Hoeve', oin: OIN.zorgaanbieder, domain: 'care', scope: 'region', certificates: [{ oin: OIN.zorgaanbieder }], rate_per_minute: 100_000_000, may_send: grant('zorgaanbieder_billing'), endpoints: [at(['zorgaanbieder_billing'], ['signal'], 'zorgaanbieder')], invoice: ORGANISATIONS.zorgaanbieder },
  ] }));
  let arrived = 0;
  const sink = http.createServer((q, a) => {
    q.resume().on('end', () => { if (q.method === 'POST') arrived += 1; a.writeHead(q.method === 'OPTIONS' ? 405 : 202).end(); });
  }).listen(port.target, '127.0.0.1');
  const broker = start({ name: 'schakel', command: binary, args: ['serve', '--config', join(folder, 'schakel.json')], log: join(home, 'out.log'), pids: join(home, 'pids.json') });
  await until('the broker', async () => (await fetch(`http://127.0.0.1:${port.health}/readyz`)).ok, 30);
  const status = () => readFileSync(`/proc/${broker.child.pid}/status`, 'utf8');
  const mib = (name) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status())[1]) / 1024);
  const cpu = () => { const f = readFileSync(`/proc/${broker.child.pid}/stat`, 'utf8').split(' '); return (Number(f[13]) + Number(f[14])) / 100; };

  const api = `https://localhost:${port.api}`;
  const school = new Party(pki, 'school', OIN.school, api);
  const provider = new Party(pki, 'zorgaanbieder', OIN.zorgaanbieder, api);
  const agents = new Map();
  const call = (party, method, path, body, type) => new Promise((resolve, reject) => {
    if (!agents.has(party)) agents.set(party, new https.Agent({ ...party.tls, servername: 'localhost', keepAlive: true, maxSockets: 16 }));
    const headers = body === undefined ? {} : { 'Content-Type': type ?? 'application/json', 'Content-Length': Buffer.byteLength(body), 'Idempotency-Key': randomUUID() };
    const r = https.request(`${api}${path}`, { method, agent: agents.get(party), headers }, (answer) => {
      const chunks = [];
      answer.on('data', (c) => chunks.push(c)).on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(chunks).toString() })).on('error', reject);
    });
    r.on('error', reject);
    r.end(body);
  });
  const expect = (what, answer, wanted) => { if (answer.status !== wanted) throw new Error(`${what}: ${answer.status} ${answer.text.slice(0, 400)}`); return answer.text ? JSON.parse(answer.text) : null; };
  const bsns = numbers(pupils);
  const year = new Date().getUTCFullYear();
  const opening = JSON.stringify({
    region: 'KNH', sender: { role: 'school_ib' }, pupil: { birth_date: '2016-06-21', school: 'S', school_type: 'PO', enrolled: true },
    case: { question_kind: 'onderwijs_zorg', custody: ['ouder_1'], contract_holder: 'gemeente', dispute: false, funding_agreed: true, funding_period: [`${year - 1}-08-01`, `${year + 1}-07-31`],
      funding: [{ activity: 'zorgboerderij', kind: 'zorg', payer: 'gemeente' }, { activity: 'dagstructuur', kind: 'grijs', payer: '50/50' }, { activity: 'onderwijs', kind: 'onderwijs', payer: 'swv' }] } });
  let next = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (next < bsns.length) {
      const bsn = bsns[next++];
      const { id } = expect('case', await call(school, 'POST', '/v1/zaken', opening), 201);
      expect('bsn', await call(school, 'PUT', `/v1/zaken/${id}/bsn`, JSON.stringify({ bsn })), 204);
    }
  }));
  const metrics = async () => (await fetch(`http://127.0.0.1:${port.health}/metrics`)).text();
  const gauge = (text, name) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1] ?? NaN);
  await until('an idle broker', async () => { const m = await metrics(); return gauge(m, 'schakel_messages_undecided') === 0 && gauge(m, 'schakel_deliveries_pending') === 0; }, 120);

  const now = new Date();
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1)).toISOString().slice(0, 7);
  const declared = (number, from) => {
    const all = [];
    for (const [c, bsn] of bsns.entries()) {
      for (let l = 0; l < lines; l += 1) {
        const n = c * lines + l;
        const cents = 1000 + (n % 7919);
        all.push({ bsn, reference: `${number}-${String(n).padStart(7, '0')}`, assignment: from + n, category: '50', product: ['ZBZRG', 'ZBGRS', 'ZBOND'][n % 3], volume: cents, unit: '83', cents });
      }
    }
    return Buffer.from(jw323({ identification: `${number}I`, number, month, date: now.toISOString().slice(0, 10), sender: '12345678', receiver: '0400', lines: all }));
  };
  const body = declared('D1', 1_000_000);
  const { body: own } = await school.send(school.event(randomUUID(), 'zaak_opening', undefined, JSON.parse(opening)));
  const worker = new Worker(new URL(import.meta.url), { workerData: { pki, api, health: `http://127.0.0.1:${port.health}`, path: `/v1/berichten/${own.berichten[0].volgnummer}` } });
  const longest = () => new Promise((resolve) => { worker.once('message', resolve); worker.postMessage(0); });
  const result = { bytes: body.length, pupils, lines: pupils * lines, idle_mib: mib('VmRSS') };
  let before = cpu();
  const spent = () => { const now = cpu(); const used = now - before; before = now; return used.toFixed(2); };
  const line = (what, ms, waits) => console.log(`${what.padEnd(34)} ${(ms / 1000).toFixed(2).padStart(7)} s   CPU ${spent().padStart(6)} s   peak ${String(mib('VmHWM')).padStart(4)} MiB   longest wait: another party ${waits.party.toFixed(0).padStart(5)} ms, /readyz ${waits.readyz.toFixed(0).padStart(5)} ms${waits.failed ? `, failed ${waits.failed}` : ''}`);
  console.log(`JW323 of ${(body.length / 1e6).toFixed(1)} MB: ${pupils} pupils, ${pupils * lines} lines; broker ${result.idle_mib} MiB before`);
  await pause(500);
  const idle = await longest();
  line('nothing asked', 500, idle);

  let t = performance.now();
  let answer = await call(provider, 'POST', '/in/zorgaanbieder/jw323', body, 'application/pdf');
  if (answer.status !== 415) throw new Error(`baseline: ${answer.status} ${answer.text}`);
  result.baseline_ms = performance.now() - t;
  line('baseline: read and refused (415)', result.baseline_ms, await longest());

  t = performance.now();
  const began = cpu();
  answer = await call(provider, 'POST', '/in/zorgaanbieder/jw323', body, 'application/xml');
  const { antwoord } = expect('declaration', answer, 202);
  result.accepted_ms = performance.now() - t;
  result.accepted_mib = mib('VmHWM');
  line('accepted, durable (202)', result.accepted_ms, await longest());
  let decided;
  for (;!process.argv.includes('--accepted');) {
    const reply = await call(provider, 'GET', `/in/zorgaanbieder/antwoorden/${antwoord}`);
    if (reply.status === 200) { result.answered = reply.text; break; }
    if (reply.status !== 202) throw new Error(`answer: ${reply.status} ${reply.text}`);
    if (!decided) {
      const text = await metrics();
      const count = [...text.matchAll(/^schakel_decisions_total\{[^}]*\} (\d+)/gm)].reduce((sum, m) => sum + Number(m[1]), 0);
      if (count >= pupils * 2 + 1) { decided = performance.now() - t; line('every part decided', decided, await longest()); }
    }
    if (performance.now() - t > 600_000) throw new Error('no JW325 within ten minutes');
    await pause(50);
  }
  if (process.argv.includes('--accepted')) { await stopAll(); rmSync(home, { recursive: true, force: true }); process.exit(0); }
  result.answer_ms = performance.now() - t;
  line('JW325 to be fetched', result.answer_ms, await longest());
  if (!/RetourCode>0200</.test(result.answered) || /Prestatie>/.test(result.answered)) throw new Error(`not everything was granted: ${result.answered.slice(0, 1500)}`);
  await until('every invoice', async () => { const m = await metrics(); return gauge(m, 'schakel_deliveries_pending') === 0 && gauge(m, 'schakel_messages_undecided') === 0; }, 600);
  result.rest_ms = performance.now() - t;
  line(`${arrived} invoices delivered`, result.rest_ms, await longest());

  // The same again: known, without a second effect. And the same lines under another number: every one of them is refused.
  t = performance.now();
  expect('repeat', await call(provider, 'POST', '/in/zorgaanbieder/jw323', body, 'application/xml'), 202);
  line('the same again (202)', performance.now() - t, await longest());
  const other = Buffer.from(body.toString().replace('<b:Identificatie>D1I', '<b:Identificatie>D2I').replace('<DeclaratieNummer>D1<', '<DeclaratieNummer>D2<'));
  t = performance.now();
  expect('other number', await call(provider, 'POST', '/in/zorgaanbieder/jw323', other, 'application/xml'), 202);
  line('every line declared before (202)', performance.now() - t, await longest());
  console.log(`CPU of the broker ${(cpu() - began).toFixed(1)} s; memory now ${mib('VmRSS')} MiB`);
  delete result.answered;
  if (process.argv.includes('--json')) console.log(JSON.stringify(result));
  worker.terminate();
  for (const agent of agents.values()) agent.destroy();
  sink.close();
  await stopAll();
  if (!process.env.BENCH_KEEP) rmSync(home, { recursive: true, force: true });
  process.exit(0);
}

if (isMainThread) await main();
else await probe(workerData);
