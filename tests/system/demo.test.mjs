// The demo starts again at once after a kill -9, and says which port is taken.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts } from './demo/processes.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const schakel = process.env.SCHAKEL ?? join(root, 'build', 'release', 'bin', 'schakel');
const skip = existsSync(schakel) ? false : `${schakel} is not built`;
const home = mkdtempSync(join(tmpdir(), 'schakel-demo-'));
const started = [];
after(() => { for (const child of started) child.kill('SIGKILL'); rmSync(home, { recursive: true, force: true }); });

/** The demo as `make demo ONCE=1` runs it; `seen(text)` is called with all that it said so far. */
function demo(port, seen = () => {}) {
  const child = spawn(process.execPath, [join(root, 'tests', 'system', 'demo', 'run.mjs'), '--once'], {
    env: { ...process.env, SCHAKEL: schakel, DEMO_DIR: join(home, 'demo'), DEMO_PORT: String(port) }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const said = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (d) => { said.text += d; seen(said.text, child); });
  return new Promise((resolve) => { child.once('exit', (code, signal) => resolve({ code, signal, text: said.text })); });
}

test('APortThatIsTakenIsNamedAndNothingStarts', { skip }, async () => {
  const port = await freePorts(27443);
  const other = createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => { other.once('listening', resolve); });
  const { code, text } = await demo(port);
  other.close();
  assert.equal(code, 1, text);
  assert.match(text, new RegExp(`make demo: taken on 127\\.0\\.0\\.1: port ${port} \\(.+\\)\\..*DEMO_PORT=`));
});

test('AfterAKillItRunsAgainOnTheSamePortsAndInTheSameFolder', { skip }, async () => {
  const port = await freePorts(27643);
  // The driver is gone at once; its partners and the broker stay behind.
  const first = await demo(port, (text, child) => { if (/opent zaak/.test(text)) child.kill('SIGKILL'); });
  assert.equal(first.signal, 'SIGKILL', first.text);
  const second = await demo(port);
  assert.equal(second.code, 0, second.text);
  assert.match(second.text, /Wat er is aangekomen/);
});
