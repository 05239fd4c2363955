// The drill of docs/operating.md: a copy, more messages, the copy put back. The start refuses, a person accepts, the log goes on and says so.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const schakel = process.env.SCHAKEL ?? join(root, 'build', 'release', 'bin', 'schakel');
const home = mkdtempSync(join(tmpdir(), 'schakel-restore-'));
const folder = join(home, 'knooppunt');
const config = join(folder, 'schakel.json');
const data = join(folder, 'data');
const run = (...words) => spawnSync(schakel, ['--config', config, ...words], { encoding: 'utf8' });
let broker;
after(() => { broker?.kill('SIGKILL'); rmSync(home, { recursive: true, force: true }); });

async function freePort() {
  for (let port = 20443 + Math.floor(Math.random() * 20000); ; port += 7) {
    const free = await Promise.all([0, 1, 2].map((i) => new Promise((resolve) => {
      const s = createServer().once('error', () => resolve(false)).listen(port + i, '127.0.0.1', () => s.close(() => resolve(true)));
    })));
    if (free.every(Boolean)) return port;
  }
}
let port;
/** Resolves when it is ready, or with what it said when it ended. */
async function serve() {
  broker = spawn(schakel, ['serve', '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  const own = broker;
  let said = '';
  own.stdout.on('data', (b) => { said += b; });
  own.stderr.on('data', (b) => { said += b; });
  own.gone = new Promise((resolve) => { own.on('close', (code) => resolve({ code, said })); });
  for (const until = Date.now() + 60_000; Date.now() < until;) {
    if (own.exitCode !== null) return own.gone;
    const ready = await fetch(`http://127.0.0.1:${port + 2}/readyz`).then((r) => r.ok, () => false);
    if (ready) return { ready };
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  throw new Error(said);
}
async function stop() { broker.kill('SIGTERM'); assert.equal((await broker.gone).code, 0); }
function post(id) {
  const event = JSON.parse(readFileSync(join(folder, 'voorbeeld', 'zaak-opening.json')));
  Object.assign(event, { id });
  event.data.reference = `R-${id}`;
  writeFileSync(join(home, 'event.json'), JSON.stringify(event));
  const at = (name) => join(folder, 'certs', name);
  return spawnSync('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', at('ca.pem'), '--cert', at('school.pem'), '--key', at('school.key'),
    '-H', 'Content-Type: application/cloudevents+json', '--data', `@${join(home, 'event.json')}`, `https://localhost:${port}/v1/berichten`], { encoding: 'utf8' }).stdout;
}

test('ABackupThatWasPutBackIsAcceptedByAPersonAndTheLogSaysSo', { skip: existsSync(schakel) ? false : `${schakel} is not built` }, async () => {
  port = await freePort();
  assert.equal(run('init', folder, '--port', String(port)).status, 0);
  assert.ok((await serve()).ready);
  assert.equal(post('first'), '202');
  assert.equal(run('audit', 'verify').status, 0);
  const copy = join(home, 'copy.db');
  assert.equal(run('backup', copy).status, 0);
  for (const id of ['second', 'third']) assert.equal(post(id), '202');
  assert.equal(run('audit', 'verify').status, 0);
  const running = run('audit', 'accept-restore', '--reason', 'drill', '--yes');
  assert.notEqual(running.status, 0, 'not while the broker runs');
  assert.match(running.stderr, /STORE_IN_USE/);
  await stop();
  const nothing = run('audit', 'accept-restore', '--reason', 'drill', '--yes');
  assert.match(nothing.stderr, /AUDIT_NO_FORK/);

  for (const suffix of ['', '-wal', '-shm']) rmSync(join(data, `schakel.db${suffix}`), { force: true });
  copyFileSync(copy, join(data, 'schakel.db'));
  const refused = await serve();
  assert.notEqual(refused.code, 0);
  assert.match(refused.said, /AUDIT_FORK/);
  assert.equal(run('audit', 'accept-restore', '--reason', 'drill').status, 2, 'only with --yes');
  const accepted = run('--json', 'audit', 'accept-restore', '--reason', 'Jansje van de drill', '--yes');
  assert.equal(accepted.status, 0, accepted.stderr);
  assert.ok(JSON.parse(accepted.stdout).bladenBuiten > JSON.parse(accepted.stdout).bladen);
  assert.ok(readdirSync(data).some((name) => name.startsWith('audit-heads.before-restore-')), 'the old heads are kept');

  assert.ok((await serve()).ready);
  assert.equal(post('second'), '202', 'what was lost is taken as new');
  assert.equal(run('audit', 'verify').status, 0);
  const leaves = run('--json', 'audit', 'list').stdout;
  assert.match(leaves, /store\.restored/);
  assert.match(leaves, /invoice\.new_epoch/, 'invoice numbers go on in a new epoch');
  assert.doesNotMatch(leaves, /Jansje/, 'the reason may name somebody');
  await stop();
});
