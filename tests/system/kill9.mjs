// kill -9 of the whole broker under load. The oracle at ingress knows what was acknowledged; the one at the target what arrived.
// A message without an answer is sent again with the same id after the restart, as a partner does. Proven at the end: every
// acknowledged message was decided and delivered, none under two delivery ids, order kept per case, the audit log verifies.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { Party } from './demo/client.mjs';
import { endLeftovers, requireFree, run, start, stopAll } from './demo/processes.mjs';
import { binary, must, root } from './demo/stage.mjs';
import { until } from './demo/story.mjs';
import { OIN } from './demo/world.mjs';

const cycles = Number(process.argv[process.argv.indexOf('--cycles') + 1] || 50);
const home = process.env.DEMO_DIR ?? join(root, 'build', 'kill9');
const base = Number(process.env.DEMO_PORT ?? 10443);
const port = { api: base, portaal: base + 1, gezondheid: base + 2, webhook: base + 3 };
const LANES = 6;
const folder = join(home, 'knooppunt');
const pki = join(home, 'pki');
const pids = join(home, 'pids.json');

const partner = () => start({ name: 'webhook', command: process.execPath, args: [join(root, 'tests', 'partners', 'webhook.mjs'), '--port', String(port.webhook)], log: join(home, 'log', 'webhook.log'), pids, ready: true });
function configure() {
  const file = join(folder, 'schakel.json');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  Object.assign(config, {
    listen: { api: { address: '127.0.0.1', port: port.api, certificate: join(pki, 'server.crt'), key: join(pki, 'server.key'), client_ca: join(pki, 'root.crt') }, health: { address: '127.0.0.1', port: port.gezondheid } },
    portal: { address: '127.0.0.1', port: port.portaal, base_url: `http://localhost:${port.portaal}` }, log: { file: join(home, 'log', 'schakel.jsonl'), level: 'warn' },
    adapters: { doel: { plugin: 'webhook', config: { url: `http://127.0.0.1:${port.webhook}/`, source: 'urn:nld:oin:00000099000100090000:systeem:schakel' } } },
  });
  const parties = { parties: [
    { id: 'school', name: 'School', oin: OIN.school, domain: 'education', certificates: [{ oin: OIN.school }], rate_per_minute: 1_000_000, may_send: [{ roles: ['school_ib'], types: ['*'], regions: ['KNH'] }],
      endpoints: [{ roles: ['ouders', 'school_ib'], regions: ['KNH'], kinds: [], adapter: 'doel', address: {} }] },
  ] };
  writeFileSync(file, JSON.stringify(config));
  writeFileSync(join(folder, 'parties.json'), JSON.stringify(parties));
  return file;
}

endLeftovers(pids);
await requireFree(port);
rmSync(home, { recursive: true, force: true });
mkdirSync(home, { recursive: true });
must('certs/make-test-pki', run(join(root, 'certs', 'make-test-pki'), [pki]));
const target = await partner();
must('schakel init', run(binary, ['init', folder, '--port', String(port.api)]));
const config = configure();
must('schakel check', run(binary, ['check', config]));

let broker;
const up = async () => {
  broker = start({ name: 'schakel', command: binary, args: ['serve', '--config', config], log: join(home, 'log', 'schakel.out'), pids });
  await until('the broker', async () => { if (broker.ended !== undefined) throw new Error(`ended with ${broker.ended}`); return (await fetch(`http://127.0.0.1:${port.gezondheid}/readyz`)).ok; }, 30);
};
const school = new Party(pki, 'school', OIN.school, `https://localhost:${port.api}`);
const agent = new https.Agent({ ...school.tls, servername: 'localhost', keepAlive: true, maxSockets: LANES });
const post = (event) => new Promise((resolve, reject) => {
  const body = JSON.stringify(event);
  const r = https.request(`${school.base}/v1/berichten`, { method: 'POST', agent, timeout: 10_000, headers: { 'Content-Type': 'application/cloudevents+json', 'Content-Length': Buffer.byteLength(body) } }, (answer) => {
    answer.resume().on('end', () => resolve(answer.statusCode)).on('error', reject);
  });
  r.on('error', reject).on('timeout', () => r.destroy(new Error('timeout')));
  r.end(body);
});

let stopping = false;
let running = false;
const sent = [];
const acknowledged = new Set();
let repeats = 0;
/** One sender per case: the next message only after the last one was acknowledged, so that order can be asked for. */
async function lane(zaak, number) {
  for (let n = 0; !stopping; n += 1) {
    const marker = `${number}.${n}`;
    const event = school.event(`${number}-${n}-${randomUUID().slice(0, 8)}`, 'ot_verslag', zaak, { region: 'KNH', sender: { role: 'school_ib' }, onderwerp: marker });
    sent.push(marker);
    for (let tries = 0; ; tries += 1) {
      while (!running && !stopping) await new Promise((resolve) => { setImmediate(resolve); });
      try {
        const status = await post(event);
        if (status === 202) { acknowledged.add(marker); if (tries) repeats += 1; break; }
        assert.ok([429, 503].includes(status), `unexpected ${status}`);
      } catch (error) { if (error instanceof assert.AssertionError) throw error; }
      if (stopping && !running) return;
      await new Promise((resolve) => { setTimeout(resolve, 5); });
    }
  }
}

let status = 1;
try {
  await up();
  const zaken = [];
  for (let i = 0; i < LANES; i += 1) {
    const opened = await school.call('POST', '/v1/zaken', { region: 'KNH', sender: { role: 'school_ib' }, reference: `k-${i}`, pupil: { birth_date: '2016-06-21', school: 'S', school_type: 'PO', enrolled: true }, case: { question_kind: 'onderwijs', custody: ['ouder_1'] } }, { 'Idempotency-Key': randomUUID() });
    assert.equal(opened.status, 201, JSON.stringify(opened.body));
    zaken.push(opened.body.id);
  }
  running = true;
  const lanes = zaken.map(lane);
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    // Every other time under way for sure, whatever the machine; the other times anywhere, also while it starts. Then another
    // moment in each cycle of what a round of work takes.
    const before = acknowledged.size;
    if (cycle % 2 === 0) await until('an acknowledgement', () => acknowledged.size > before || stopping, 60);
    await new Promise((resolve) => { setTimeout(resolve, (cycle * 7919) % 200); });
    broker.child.kill('SIGKILL');
    running = false;
    await broker.exited;
    // Every tenth time the target takes some and cuts the line, so that outcomes are unknown from that side too.
    if (cycle % 10 === 0) { await fetch(`${target.ready.url}/__control/fault`, { method: 'POST', body: JSON.stringify({ mode: 'drop-after', count: 3, path: '^/$' }) }); }
    await up();
    running = true;
    if (cycle % 25 === 0 || cycle === cycles) console.log(`${cycle} kills, ${acknowledged.size} acknowledged, ${repeats} of them on a repeat`);
  }
  stopping = true;
  await Promise.all(lanes);
  running = false;
  const arrived = async () => (await (await fetch(`${target.ready.url}/__control/state`)).json()).events.filter((e) => e.data?.payload?.onderwerp);
  // However long the backlog of a thousand restarts is: it must go on getting shorter.
  for (let fewest = Infinity, since = Date.now(), told = 0; ;) {
    const have = new Set((await arrived()).map((e) => e.data.payload.onderwerp));
    const missing = [...acknowledged].filter((m) => !have.has(m)).length;
    if (missing < fewest) { fewest = missing; since = Date.now(); }
    if (missing === 0 || Date.now() - since > 60_000) break;
    if (Date.now() - told > 15_000) { told = Date.now(); console.log(`${missing} still to be delivered`); }
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
  }
  const events = await arrived();
  const ids = new Map();
  for (const e of events) { const key = `${e.data.payload.onderwerp}/${e.data.role}`; ids.set(key, (ids.get(key) ?? new Set()).add(e.id)); }
  const doubled = [...ids].filter(([, set]) => set.size > 1).map(([key]) => key);
  // Order of first arrival, per case and role, is the order in which the sender said it.
  const order = new Map();
  const swapped = [];
  for (const e of events) {
    const [lane, n] = e.data.payload.onderwerp.split('.').map(Number);
    const key = `${lane}/${e.data.role}`;
    if (n < (order.get(key) ?? -1)) swapped.push(`${key}: ${n} after ${order.get(key)}`);
    order.set(key, Math.max(n, order.get(key) ?? -1));
  }
  const lost = [...acknowledged].filter((m) => !events.some((e) => e.data.payload.onderwerp === m));
  const checks = [
    ['0 acknowledged messages lost', lost.length === 0, lost.slice(0, 5)], ['0 effects under two delivery ids', doubled.length === 0, doubled.slice(0, 5)],
    ['0 out of order within a case', swapped.length === 0, swapped.slice(0, 5)],
    ['the kills hit a broker under load', acknowledged.size >= cycles / 2, acknowledged.size],
    ['the audit log verifies', run(binary, ['--config', config, 'audit', 'verify']).status === 0, ''],
    ['nothing is left undecided', JSON.parse(must('status', run(binary, ['--config', config, 'status', '--json']))).onbeslist === 0, ''],
  ];
  for (const [what, good, seen] of checks) console.log(`${good ? 'ok' : 'NOT OK'} ${what}${good ? '' : ` (${seen})`}`);
  const failed = checks.filter(([, good]) => !good).length;
  console.log(`${cycles} kills, ${sent.length} sent, ${acknowledged.size} acknowledged, ${repeats} on a repeat, ${events.reduce((n, e) => n + e.copies - 1, 0)} recognised repeats at the target`);
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  status = failed ? 1 : 0;
} catch (error) {
  console.log(`kill9: ${error.message}\nlogs: ${home}/log\n0 passed, 1 failed`);
}
stopping = true;
agent.destroy();
await stopAll();
rmSync(pids, { force: true });
process.exit(status);
