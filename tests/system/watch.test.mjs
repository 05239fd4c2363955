// What docs/operating.md promises to whoever watches a broker: its metrics, its readiness, its log lines, new certificates without a
// restart, and what it tells the service manager.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { freePorts } from './demo/processes.mjs';
import { until } from './demo/story.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const schakel = process.env.SCHAKEL ?? join(root, 'build', 'release', 'bin', 'schakel');
const home = mkdtempSync(join(tmpdir(), 'schakel-watch-'));
const folder = join(home, 'knooppunt');
const started = [];
after(() => { for (const child of started) child.kill('SIGKILL'); rmSync(home, { recursive: true, force: true }); });

const listener = `import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); print("listens", flush=True)
while True: print(s.recv(4096).decode(), flush=True)`;

test('ABrokerIsWatchedAsItsManualSays', { skip: existsSync(schakel) ? false : `${schakel} is not built` }, async () => {
  const port = await freePorts(24743, 3);
  const made = spawnSync(schakel, ['init', folder, '--port', String(port), '--json'], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const { config, curl } = JSON.parse(made.stdout);

  const env = { ...process.env };
  let told = '';
  if (spawnSync('python3', ['-c', '']).status === 0) {
    const manager = spawn('python3', ['-c', listener, join(home, 'notify')], { stdio: ['ignore', 'pipe', 'inherit'] });
    started.push(manager);
    manager.stdout.on('data', (d) => { told += d; });
    await until('the service manager', async () => told.includes('listens'), 10);
    Object.assign(env, { NOTIFY_SOCKET: join(home, 'notify'), WATCHDOG_USEC: '400000' });
  }
  const broker = spawn(schakel, ['serve', '--config', config], { stdio: ['ignore', 'pipe', 'pipe'], env });
  started.push(broker);
  const exited = new Promise((resolve) => { broker.once('exit', resolve); });
  let log = '';
  broker.stderr.on('data', (d) => { log += d; });
  const get = (path) => fetch(`http://127.0.0.1:${port + 2}${path}`);
  await until('the broker', async () => (await get('/readyz')).ok, 30);
  if (env.NOTIFY_SOCKET) await until('READY and a heartbeat', async () => /READY=1/.test(told) && /WATCHDOG=1[\s\S]*WATCHDOG=1/.test(told), 20);

  assert.deepEqual(await (await get('/readyz')).json(), { ready: true, parts: { store: true, disk: true, backlog: true, loops: true, audit: true, adapters: { map: true, secure_link: true } } });
  assert.equal((await get('/healthz')).status, 200);

  const sent = spawnSync('sh', ['-c', `${curl} -s -w '\\n%{http_code}'`], { encoding: 'utf8' }).stdout;
  assert.match(sent, /202$/);
  const metrics = async () => (await get('/metrics')).text();
  await until('the decision in the metrics', async () => /schakel_decisions_total\{outcome="recorded",region="KNH"\} 1\b/.test(await metrics()), 20);
  const text = await until('the next measurement', async () => { const t = await metrics(); return /schakel_messages 1\b/.test(t) && t; }, 20);
  assert.match(text, /schakel_http_responses_total\{route="POST \/v1\/berichten",status="202"\} 1\b/);
  assert.match(text, /schakel_http_connections_total\{server="api"\} [1-9]/);
  assert.match(text, /# TYPE schakel_http_requests_total counter/);
  assert.match(text, /schakel_ready 1\b/);
  for (const loop of ['pipeline', 'outbox', 'timers', 'audit', 'watch', 'adapter/map']) assert.match(text, new RegExp(`schakel_loop_restarts_total\\{loop="${loop}"\\} 0\\b`));
  const end = Number(/schakel_certificate_end_time_seconds\{use="api"\} (\S+)/.exec(text)[1]);
  assert.ok(Math.abs(end - Date.now() / 1000 - 365 * 86400) < 3 * 86400, `ends at ${end}`);
  // Every metric of the manual is there, and every metric that is there stands in the manual. Attempts appear with the first delivery,
  // return mail where it is fetched.
  const manual = readFileSync(join(root, 'docs', 'operating.md'), 'utf8');
  const promised = new Set([...manual.matchAll(/`((?:schakel|process)_[a-z_]+)(?:\{[a-z,]+\})?`/g)].map((m) => m[1]));
  const present = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map((m) => m[1]));
  const later = [...promised].filter((name) => /^schakel_(delivery_attempt|return_mail)/.test(name));
  assert.equal(later.length, 4);
  assert.deepEqual([...promised].filter((name) => !present.has(name) && !later.includes(name)), []);
  assert.deepEqual([...present].filter((name) => !promised.has(name) && !name.startsWith('schakel_adapter_')), []);

  // A new certificate, without a restart; one that cannot be read changes nothing.
  const fingerprint = () => new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, cert: readFileSync(join(folder, 'certs', 'school.pem')), key: readFileSync(join(folder, 'certs', 'school.key')) },
      () => { resolve(socket.getPeerCertificate().fingerprint256); socket.destroy(); }).once('error', reject);
  });
  const before = await fingerprint();
  const [key, pem] = ['key', 'pem'].map((kind) => join(folder, 'certs', `server.${kind}`));
  const fresh = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '5', '-subj', '/CN=localhost', '-keyout', key, '-out', pem], { encoding: 'utf8' });
  assert.equal(fresh.status, 0, fresh.stderr);
  assert.equal(await fingerprint(), before, 'not before it is told');
  broker.kill('SIGHUP');
  await until('the new certificate', async () => await fingerprint() !== before, 10);
  await until('the word that it ends soon', async () => /"event":"certificate.ends"/.test(log), 10);
  assert.match(log, /\{[^\n]*"days":4,"event":"certificate.ends","level":"error","use":"api"\}/);
  const now = await fingerprint();
  writeFileSync(key, 'geen sleutel');
  broker.kill('SIGHUP');
  await until('the word about the key', async () => /"event":"certificates.not_reloaded"/.test(log), 10);
  assert.equal(await fingerprint(), now);

  broker.kill('SIGTERM');
  assert.equal(await exited, 0);
  if (env.NOTIFY_SOCKET) await until('STOPPING', async () => /STOPPING=1/.test(told), 10);
  for (const line of log.trim().split('\n')) {
    const entry = JSON.parse(line);
    assert.match(entry.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    assert.match(entry.level, /^(debug|info|warn|error)$/);
    assert.match(entry.event, /^[a-z]+(\.[a-z_]+)+$/);
  }
});
