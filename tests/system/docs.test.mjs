// The examples of docs/connecting-a-partner.md are run as they stand, against what `schakel init` makes.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts } from './demo/processes.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const schakel = process.env.SCHAKEL ?? join(root, 'build', 'release', 'bin', 'schakel');
const home = mkdtempSync(join(tmpdir(), 'schakel-docs-'));
const folder = join(home, 'knooppunt');
let broker;
after(() => { broker?.kill('SIGKILL'); rmSync(home, { recursive: true, force: true }); });

test('ExamplesForPartnersWorkAsTheyStand', { skip: existsSync(schakel) ? false : `${schakel} is not built` }, async () => {
  const port = await freePorts(24443, 3);
  const text = readFileSync(join(root, 'docs', 'connecting-a-partner.md'), 'utf8').replaceAll(':8443', `:${port}`).replaceAll("'localhost', 8443", `'localhost', ${port}`);
  const block = (language, holds) => [...text.matchAll(/```(\w*)\n([\s\S]*?)```/g)].find(([, l, body]) => l === language && body.includes(holds))[2];
  assert.equal(spawnSync(schakel, ['init', folder, '--port', String(port)]).status, 0);
  broker = spawn(schakel, ['serve', '--config', join(folder, 'schakel.json')], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    let said = '';
    broker.stdout.on('data', (d) => { said += d; if (said.includes('Ctrl-C')) resolve(); });
    broker.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  });
  const run = (command, args) => spawnSync(command, args, { cwd: folder, encoding: 'utf8', timeout: 30_000 });
  const curl = run('bash', ['-c', block('', 'as_school=').replace('cd /tmp/knooppunt', 'set -e')]);
  assert.match(curl.stdout, /"dubbel":false/, curl.stderr);
  writeFileSync(join(folder, 'stuur.mjs'), block('js', 'https.request'));
  const node = run(process.execPath, ['stuur.mjs']);
  assert.match(node.stdout, /^202 .*"dubbel":true/, node.stderr);
  if (spawnSync('python3', ['-c', '']).status === 0) {
    const python = run('python3', ['-c', block('python', 'http.client')]);
    assert.match(python.stdout, /^202 .*"dubbel":true/, python.stderr);
  }
  // The configuration that the page shows is one: with these adapters and that endpoint `check` has nothing to say.
  const config = JSON.parse(readFileSync(join(folder, 'schakel.json'), 'utf8'));
  const shown = JSON.parse(`{${block('json', '"webhook"').replace('<your OIN>', '00000099000010002000')}}`);
  writeFileSync(join(folder, 'secrets', 'partner'), 'geheim', { mode: 0o600 });
  Object.assign(config.adapters, shown.adapters);
  config.secrets = { ...config.secrets, ...shown.secrets };
  const drop = JSON.parse(/`(\{"plugin": "file_drop".*?\}\})`/.exec(text)[1]);
  config.adapters.bestanden = drop;
  writeFileSync(join(folder, 'meer.json'), JSON.stringify(config));
  const parties = JSON.parse(readFileSync(join(folder, 'parties.json'), 'utf8'));
  parties.parties.find((p) => p.id === 'swv-zandoever').endpoints = JSON.parse(`{${/`("endpoints": .*?\])`/.exec(text)[1]}}`).endpoints;
  writeFileSync(join(folder, 'parties.json'), JSON.stringify(parties));
  const checked = run(schakel, ['check', join(folder, 'meer.json')]);
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
});
