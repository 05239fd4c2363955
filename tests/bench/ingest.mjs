// Durable ingest over mutual TLS and end-to-end latency of the real broker, with ratios against a baseline of the same run.
//   node tests/bench/ingest.mjs [--seconds 5]
// Baseline: GET /healthz over the same connections, which costs all of TLS, HTTP and this client but no disk. End-to-end: from
// the POST to the CloudEvent at the target's webhook. Needs build/release/bin/schakel (or $SCHAKEL).
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Party } from '../system/demo/client.mjs';
import { run, start, stopAll } from '../system/demo/processes.mjs';
import { binary, must, root } from '../system/demo/stage.mjs';
import { until } from '../system/demo/story.mjs';
import { OIN } from '../system/demo/world.mjs';

const seconds = Number(process.argv[process.argv.indexOf('--seconds') + 1] || 5);
const base = Number(process.env.BENCH_PORT ?? 12443);
const port = { api: base, portal: base + 1, health: base + 2, target: base + 3 };
const home = join(process.env.BENCH_DIR ?? tmpdir(), `schakel-bench-${process.pid}`);
const folder = join(home, 'broker');
const pki = join(home, 'pki');
mkdirSync(home, { recursive: true });
must('pki', run(join(root, 'certs', 'make-test-pki'), [pki]));
must('init', run(binary, ['init', folder, '--port', String(port.api)]));
const config = JSON.parse(readFileSync(join(folder, 'schakel.json'), 'utf8'));
Object.assign(config, {
  listen: { api: { address: '127.0.0.1', port: port.api, certificate: join(pki, 'server.crt'), key: join(pki, 'server.key'), client_ca: join(pki, 'root.crt') }, health: { address: '127.0.0.1', port: port.health } },
  portal: { address: '127.0.0.1', port: port.portal, base_url: `http://localhost:${port.portal}` }, log: { file: join(home, 'log.jsonl'), level: 'warn' },
  adapters: { target: { plugin: 'webhook', config: { url: `http://127.0.0.1:${port.target}/`, source: 'urn:nld:oin:00000099000100090000:systeem:schakel' } } },
});
writeFileSync(join(folder, 'schakel.json'), JSON.stringify(config));
writeFileSync(join(folder, 'parties.json'), JSON.stringify({ parties: [{ id: 'school', name: 'School', oin: OIN.school, domain: 'education', certificates: [{ oin: OIN.school }], rate_per_minute: 100_000_000,
  may_send: [{ roles: ['school_ib'], types: ['*'], regions: ['KNH'] }], endpoints: [{ roles: ['cto_voorzitter'], regions: ['KNH'], kinds: [], adapter: 'target', address: {} }] }] }));

const arrived = new Map();
const target = http.createServer((q, a) => {
  let text = '';
  q.on('data', (c) => { text += c; }).on('end', () => {
    if (q.method === 'POST') { const e = JSON.parse(text); arrived.set(e.causationid, performance.now()); }
    a.writeHead(q.method === 'OPTIONS' ? 405 : 202).end();
  });
}).listen(port.target, '127.0.0.1');

const broker = start({ name: 'schakel', command: binary, args: ['serve', '--config', join(folder, 'schakel.json')], log: join(home, 'out.log'), pids: join(home, 'pids.json') });
await until('the broker', async () => (await fetch(`http://127.0.0.1:${port.health}/readyz`)).ok, 30);
const rss = () => Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${broker.child.pid}/status`, 'utf8'))[1]) / 1024);
const idle = rss();
const school = new Party(pki, 'school', OIN.school, `https://localhost:${port.api}`);

function call(agent, method, path, body, type) {
  return new Promise((resolve, reject) => {
    const r = https.request(`${school.base}${path}`, { method, agent, headers: body ? { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) } : {} }, (answer) => answer.resume().on('end', () => resolve(answer.statusCode)).on('error', reject));
    r.on('error', reject);
    r.end(body);
  });
}
const zaak = (await school.call('POST', '/v1/zaken', { region: 'KNH', sender: { role: 'school_ib' }, pupil: { birth_date: '2016-06-21', school: 'S', school_type: 'PO', enrolled: true }, case: { question_kind: 'onderwijs', custody: ['ouder_1'] } }, { 'Idempotency-Key': randomUUID() })).body.id;
const zaken = [zaak];
for (let i = 1; i < 64; i += 1) zaken.push((await school.call('POST', '/v1/zaken', { region: 'KNH', sender: { role: 'school_ib' }, pupil: { birth_date: '2016-06-21', school: 'S', school_type: 'PO', enrolled: true }, case: { question_kind: 'onderwijs', custody: ['ouder_1'] } }, { 'Idempotency-Key': randomUUID() })).body.id);
const message = (id, lane) => JSON.stringify({ specversion: '1.0', id, source: `urn:nld:oin:${OIN.school}:systeem:bench`, type: 'nl.schakel.swv_leerkracht_verzoek.v1', subject: zaken[lane % zaken.length], data: { region: 'KNH', sender: { role: 'school_ib' }, location: 'locatie' } });

async function measure(connections, one) {
  const agent = new https.Agent({ ...school.tls, servername: 'localhost', keepAlive: true, maxSockets: connections });
  const times = [];
  const end = performance.now() + seconds * 1000;
  await Promise.all(Array.from({ length: connections }, async (_, lane) => {
    while (performance.now() < end) { const t = performance.now(); await one(agent, lane); times.push(performance.now() - t); }
  }));
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (q) => times[Math.min(times.length - 1, Math.floor(times.length * q))];
  return { rate: times.length / seconds, p50: at(0.5), p99: at(0.99) };
}

console.log('connections  baseline/s  durable/s  ratio   p50 ms  p99 ms');
for (const connections of [1, 8, 64]) {
  const plain = await measure(connections, async (agent) => { if (await call(agent, 'GET', '/healthz') !== 200) throw new Error('healthz'); });
  const durable = await measure(connections, async (agent, lane) => { const s = await call(agent, 'POST', '/v1/berichten', message(randomUUID(), lane), 'application/cloudevents+json'); if (s !== 202) throw new Error(`answer ${s}`); });
  console.log(`${String(connections).padStart(11)}  ${plain.rate.toFixed(0).padStart(10)}  ${durable.rate.toFixed(0).padStart(9)}  ${(durable.rate / plain.rate).toFixed(2).padStart(5)}  ${durable.p50.toFixed(1).padStart(7)}  ${durable.p99.toFixed(1).padStart(6)}`);
}
const loaded = rss();
await until('an idle broker', async () => { const m = await (await fetch(`http://127.0.0.1:${port.health}/metrics`)).text(); return /schakel_messages_undecided 0\b/.test(m) && /schakel_deliveries_pending 0\b/.test(m); }, 600);
const agent = new https.Agent({ ...school.tls, servername: 'localhost', keepAlive: true });
const latencies = [];
for (let i = 0; i < 200; i += 1) {
  const id = randomUUID(); const t = performance.now();
  await call(agent, 'POST', '/v1/berichten', message(id, i), 'application/cloudevents+json');
  while (!arrived.has(id)) await new Promise((resolve) => { setImmediate(resolve); });
  latencies.push(arrived.get(id) - t);
}
latencies.sort((a, b) => a - b);
console.log(`end to end (POST to webhook), one at a time: p50 ${latencies[100].toFixed(1)} ms, p99 ${latencies[197].toFixed(1)} ms`);
console.log(`RSS: ${idle} MiB idle, ${loaded} MiB after the load`);
agent.destroy();
target.close();
await stopAll();
rmSync(home, { recursive: true, force: true });
process.exit(0);
