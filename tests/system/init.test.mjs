// A newcomer's first minutes: init, check, serve, the printed curl command twice, and what the command line then says.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const schakel = process.env.SCHAKEL ?? join(root, 'build', 'release', 'bin', 'schakel');
const run = (args) => spawnSync(schakel, args, { encoding: 'utf8' });
const home = mkdtempSync(join(tmpdir(), 'schakel-init-'));
const folder = join(home, 'knooppunt');
let broker;
after(() => { broker?.kill('SIGKILL'); rmSync(home, { recursive: true, force: true }); });

/** Three free ports in a row: init gives the portal and health the next two. */
async function freePort() {
  for (let port = 20443 + Math.floor(Math.random() * 20000); ; port += 7) {
    const free = await Promise.all([0, 1, 2].map((i) => new Promise((resolve) => {
      const s = createServer().once('error', () => resolve(false)).listen(port + i, '127.0.0.1', () => s.close(() => resolve(true)));
    })));
    if (free.every(Boolean)) return port;
  }
}

test('InitServeAndThePrintedCurlCommandWork', { skip: existsSync(schakel) ? false : `${schakel} is not built` }, async () => {
  const port = await freePort();
  const made = run(['init', folder, '--port', String(port), '--json']);
  assert.equal(made.status, 0, made.stderr);
  const { config, curl } = JSON.parse(made.stdout);
  assert.equal(run(['init', folder]).status, 5, 'init never overwrites');
  const checked = run(['check', config]);
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);

  broker = spawn(schakel, ['serve', '--config', config], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await new Promise((resolve, reject) => {
    let text = '';
    broker.stdout.on('data', (d) => { text += d; if (text.includes('Ctrl-C')) resolve(text); });
    broker.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  });
  assert.match(said, new RegExp(`https://127.0.0.1:${port}`));

  const post = () => spawnSync('sh', ['-c', `${curl} -s -w '\\n%{http_code}'`], { encoding: 'utf8' }).stdout.trim().split('\n');
  const [first, status] = post();
  assert.equal(status, '202', first);
  const [again, statusAgain] = post();
  assert.equal(statusAgain, '202');
  const [a, b] = [first, again].map((t) => JSON.parse(t).berichten[0]);
  assert.deepEqual([a.dubbel, b.dubbel, a.zaak, a.volgnummer], [false, true, b.zaak, b.volgnummer]);
  const without = spawnSync('sh', ['-c', `${curl.replace(/ --cert \S+ --key \S+/, '')} -s`], { encoding: 'utf8' });
  assert.notEqual(without.status, 0, 'no certificate, no connection');

  const ask = (...args) => { const r = run(['--config', config, '--json', ...args]); assert.equal(r.status, 0, r.stderr); return JSON.parse(r.stdout); };
  assert.equal(ask('case').zaken.length, 1, 'the repeat opened no second case');
  assert.equal(ask('explain', a.zaak).besluiten[0].uitkomst, 'recorded');
  assert.equal(ask('audit', 'verify').ok, true);
  ask('backup', join(home, 'copy.db'));
  assert.ok(readFileSync(join(home, 'copy.db')).length > 4096);

  const ended = new Promise((resolve) => { broker.once('exit', resolve); });
  const began = Date.now();
  broker.kill('SIGTERM');
  assert.equal(await ended, 0);
  assert.ok(Date.now() - began < 30_000);
  assert.equal(run(['--config', config, 'status']).status, 4, 'a broker that is down has its own exit code');
});
