// The processes of the demo: started so that they end with it, even when it is killed; ports checked before anything is touched.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';

const children = [];

function isFree(port) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
/** The first of `count` ports in a row that are free, tried from `from` on: for tests, which need no fixed number. */
export async function freePorts(from, count = 16) {
  for (let base = from; base < from + 1000; base += count) {
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(base + i)));
    if (free.every(Boolean)) return base;
  }
  throw new Error(`no ${count} free ports in a row on 127.0.0.1 from ${from} to ${from + 1000}`);
}

export async function requireFree(ports) {
  const taken = [];
  for (const [name, port] of Object.entries(ports)) if (!(await isFree(port))) taken.push(`${port} (${name})`);
  if (taken.length) throw new Error(`taken on 127.0.0.1: port ${taken.join(', ')}. Stop what listens there, or choose others: DEMO_PORT=9443 make demo`);
}

/** Ends what an earlier run left behind: only processes that we wrote down and that still run our own files. */
export function endLeftovers(file) {
  if (!existsSync(file)) return;
  for (const { pid, mark } of JSON.parse(readFileSync(file, 'utf8'))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(mark)) process.kill(pid, 'SIGKILL');
    } catch { /* it is gone */ }
  }
  rmSync(file, { force: true });
}

/** Starts `command`; its output goes to `log`. With ready, resolves with the first line of output as JSON. */
export function start({ name, command, args, log, pids, ready }) {
  mkdirSync(join(log, '..'), { recursive: true });
  const out = openSync(log, 'w');
  // When the demo is killed the kernel ends its children too.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', command, ...args], { stdio: ['ignore', ready ? 'pipe' : out, out] });
  const record = { name, pid: child.pid, mark: args.find((a) => a.endsWith('.mjs') || a.endsWith('.json')) ?? command, child };
  children.push(record);
  writeFileSync(pids, JSON.stringify(children.map(({ pid, mark }) => ({ pid, mark }))));
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => { record.ended = signal ?? code; resolve(); }));
  record.exited = exited;
  if (!ready) { closeSync(out); return record; }
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n') && !record.ready) { record.ready = JSON.parse(text.split('\n')[0]); resolve(record); }
    });
    exited.then(() => reject(new Error(`${name} ended with ${record.ended} before it was ready; see ${log}`)));
  });
}

export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (done.error) throw done.error;
  return { status: done.status, out: done.stdout, err: done.stderr };
}

export async function stopAll() {
  for (const { child } of children) child.kill('SIGTERM');
  const patience = setTimeout(() => children.forEach(({ child }) => child.kill('SIGKILL')), 10_000);
  await Promise.all(children.map((c) => c.exited));
  clearTimeout(patience);
}
export const ended = () => children.filter((c) => c.ended !== undefined);
