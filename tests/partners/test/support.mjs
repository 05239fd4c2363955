// Starts a partner as the demo does, as a process on a free port, and stops it after the test.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, '..', '..', '..');

export async function start(t, name, ...args) {
  const dir = mkdtempSync(join(tmpdir(), `schakel-${name}-`));
  const child = spawn(process.execPath, [join(here, '..', `${name}.mjs`), '--port', '0', '--state', join(dir, 'state.json'), ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => { text += chunk; if (text.includes('\n')) resolve(text.split('\n')[0]); });
    child.on('exit', (code) => reject(new Error(`${name} ended with ${code} before it was ready`)));
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => { child.kill('SIGTERM'); await ended; rmSync(dir, { recursive: true, force: true }); });
  const ready = JSON.parse(line);
  return {
    ...ready, dir, child, ended,
    async control(what, value) {
      const answer = await fetch(`${ready.url}/__control/${what}`, value === undefined ? {} : { method: 'POST', body: JSON.stringify(value) });
      const text = await answer.text();
      return text ? JSON.parse(text) : null;
    },
  };
}
