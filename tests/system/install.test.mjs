// What deploy/README.md says, with another root folder and as another user: installed files, a configuration that root made, keys that
// only root may read and that are handed over as a service manager does.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const NOBODY = 65534;
const home = mkdtempSync(join(tmpdir(), 'schakel-install-'));
let broker;
after(() => { broker?.kill('SIGKILL'); rmSync(home, { recursive: true, force: true }); });

const skip = process.getuid() !== 0 ? 'only root can start it as another user' : !existsSync(join(root, 'build', 'release', 'bin', 'schakel')) ? 'there is no release build' : false;
async function freePort() {
  for (let port = 20443 + Math.floor(Math.random() * 20000); ; port += 7) {
    const free = await Promise.all([0, 1, 2].map((i) => new Promise((resolve) => {
      const s = createServer().once('error', () => resolve(false)).listen(port + i, '127.0.0.1', () => s.close(() => resolve(true)));
    })));
    if (free.every(Boolean)) return port;
  }
}

test('TheInstalledProgramRunsAsAUserWhoMayNotReadTheKeys', { skip }, async () => {
  chmodSync(home, 0o755);
  const installed = spawnSync(join(root, 'deploy', 'install'), [], { encoding: 'utf8', env: { ...process.env, DESTDIR: home } });
  assert.equal(installed.status, 0, installed.stderr);
  const schakel = join(home, 'usr', 'bin', 'schakel');
  const [etc, state, run, credentials] = ['etc/schakel', 'state', 'run', 'credentials'].map((f) => join(home, f));
  for (const folder of [state, join(state, 'out'), run, credentials]) { mkdirSync(folder, { mode: 0o700 }); chownSync(folder, NOBODY, NOBODY); }
  const port = await freePort();
  const made = spawnSync(schakel, ['init', etc, '--port', String(port), '--data-dir', state, '--socket', join(run, 'schakel.sock')], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const config = join(etc, 'schakel.json');
  assert.equal(spawnSync(schakel, ['check', config], { encoding: 'utf8' }).status, 0, 'by hand, as root');

  // The unit's own list of credentials, so that a key it forgets is missed here.
  const unit = readFileSync(join(home, 'etc', 'systemd', 'system', 'schakel.service'), 'utf8');
  const handed = [...unit.matchAll(/^LoadCredential=([^:]+):\/etc\/schakel\/(.*)$/gm)];
  assert.ok(handed.length >= 2, 'the unit hands over keys');
  const env = { PATH: process.env.PATH };
  const as = (words) => ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--', schakel, ...words];
  const without = spawnSync(as([])[0], as(['check', config]).slice(1), { encoding: 'utf8', env });
  assert.equal(without.status, 78, 'without the keys it says so before it starts');
  assert.match(without.stdout + without.stderr, /master_key_file.*FILE_MISSING/);
  for (const [, name, from] of handed) {
    copyFileSync(join(etc, from), join(credentials, name));
    // systemd gives the file to root and the user access by an ACL, which shows as group rights.
    chmodSync(join(credentials, name), 0o440);
    chownSync(join(credentials, name), 0, NOBODY);
  }
  env.CREDENTIALS_DIRECTORY = credentials;
  const checked = spawnSync(as([])[0], as(['check', config]).slice(1), { encoding: 'utf8', env });
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);

  const before = readdirSync(etc).sort();
  broker = spawn(as([])[0], as(['serve', '--config', config]).slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env });
  let said = '';
  broker.stdout.on('data', (bytes) => { said += bytes; });
  broker.stderr.on('data', (bytes) => { said += bytes; });
  const ended = new Promise((resolve) => { broker.on('exit', resolve); });
  const until = Date.now() + 60_000;
  for (;;) {
    const ready = await fetch(`http://127.0.0.1:${port + 2}/readyz`).then((r) => r.json(), () => undefined);
    if (ready?.ready) { assert.deepEqual(ready.parts.adapters, { map: true, secure_link: true }); break; }
    assert.ok(broker.exitCode === null && Date.now() < until, said);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  const key = (name) => join(etc, 'certs', name);
  const posted = spawnSync('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', key('ca.pem'), '--cert', key('school.pem'), '--key', key('school.key'),
    '-H', 'Content-Type: application/cloudevents+json', '--data', `@${join(etc, 'voorbeeld', 'zaak-opening.json')}`, `https://localhost:${port}/v1/berichten`], { encoding: 'utf8' });
  assert.equal(posted.stdout, '202', posted.stderr);
  broker.kill('SIGTERM');
  assert.equal(await ended, 0, said);
  assert.deepEqual(readdirSync(etc).sort(), before, 'nothing was written beside the configuration');
});
