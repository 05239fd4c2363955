// What an outsider is handed of the log, checked without broker, store or configuration: an export with the heads that somebody kept,
// and the proof of one entry.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts } from './demo/processes.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const schakel = process.env.SCHAKEL ?? join(root, 'build', 'release', 'bin', 'schakel');
const skip = existsSync(schakel) ? false : `${schakel} is not built`;
const home = mkdtempSync(join(tmpdir(), 'schakel-audit-'));
const folder = join(home, 'knooppunt');
const config = join(folder, 'schakel.json');
let broker;
after(() => { broker?.kill('SIGKILL'); rmSync(home, { recursive: true, force: true }); });
const run = (...args) => spawnSync(schakel, args, { encoding: 'utf8', timeout: 60_000, cwd: home });

test('TheLogVerifiesWithoutTheBroker', { skip }, async () => {
  assert.equal(run('init', folder, '--port', String(await freePorts(26443, 3))).status, 0);
  const made = JSON.parse(readFileSync(config, 'utf8'));
  made.adapters.map.attempt_seconds = 77;
  writeFileSync(config, JSON.stringify(made));
  broker = spawn(schakel, ['serve', '--config', config], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    let said = '';
    broker.stdout.on('data', (d) => { said += d; if (said.includes('Ctrl-C')) resolve(); });
    broker.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  });
  const ask = (...args) => run('--config', config, ...args);
  const status = JSON.parse(ask('--json', 'status').stdout);
  assert.equal(status.doelen.find((d) => d.naam === 'map').pogingSeconden, 77, 'the limit of an instance is the configured one');
  assert.equal(ask('target', 'pause', 'map', '--yes').status, 0);
  assert.equal(ask('target', 'resume', 'map', '--yes').status, 0);
  const sound = JSON.parse(ask('--json', 'audit', 'verify').stdout);
  assert.ok(sound.ok && sound.leaves >= 2);

  const out = join(home, 'uitvoer.jsonl');
  assert.equal(ask('audit', 'export', out).status, 0);
  assert.equal(statSync(out).mode & 0o777, 0o600);
  assert.equal(ask('audit', 'export', out).status, 5, 'an export never overwrites');
  const proof = join(home, 'bewijs.json');
  const proven = ask('audit', 'prove', '1');
  assert.equal(proven.status, 0, proven.stderr);
  writeFileSync(proof, proven.stdout);
  assert.equal(ask('audit', 'prove', '100000').status, 1, 'no such entry');
  const heads = join(home, 'hoofden.jsonl');
  writeFileSync(heads, readFileSync(join(folder, 'data', 'audit-heads.jsonl')));
  const gone = new Promise((resolve) => { broker.once('exit', resolve); });
  broker.kill('SIGTERM');
  await gone;
  rmSync(folder, { recursive: true });

  const offline = (...args) => run('--json', 'audit', 'verify', '--key', sound.key, ...args);
  const whole = offline('--export', out, '--heads', heads);
  assert.equal(whole.status, 0, whole.stdout + whole.stderr);
  const report = JSON.parse(whole.stdout);
  assert.ok(report.anchored >= sound.leaves, 'what the heads cover is proven unchanged');
  assert.equal(JSON.parse(offline('--export', out).stdout).anchored, 0, 'without heads from outside nothing is');
  const lines = readFileSync(out, 'utf8');
  const changed = join(home, 'anders.jsonl');
  writeFileSync(changed, lines.replace('target.paused', 'target.pauzed'));
  assert.equal(offline('--export', changed, '--heads', heads).status, 1);
  writeFileSync(changed, lines.split('\n').slice(0, -2).join('\n') + '\n');
  const cut = offline('--export', changed, '--heads', heads);
  assert.equal(cut.status, 1);
  assert.ok(JSON.parse(cut.stdout).problems.some((p) => p.code === 'AUDIT_TRUNCATED'), cut.stdout);

  assert.equal(offline('--proof', proof).status, 0);
  const text = JSON.parse(readFileSync(proof, 'utf8'));
  writeFileSync(proof, JSON.stringify({ ...text, blad: text.blad.replace('"kind"', '"kinD"') }));
  const false_ = offline('--proof', proof);
  assert.equal(false_.status, 1);
  assert.match(false_.stdout + false_.stderr, /AUDIT_PROOF/);
  writeFileSync(proof, '{}');
  assert.match(offline('--proof', proof).stderr, /AUDIT_PROOF_FORMAT/);
  assert.match(run('audit', 'verify', '--key', 'geen-sleutel', '--export', out).stderr, /AUDIT_KEY_FORMAT/);
  assert.match(offline('--export', join(home, 'weg')).stderr, /FILE_MISSING/);
  assert.equal(run('audit', 'verify', '--export', out).status, 2, 'not without a key');
});

test('TheInterfaceOfTheOperatorIsDescribed', { skip }, () => {
  const partners = JSON.parse(run('openapi').stdout), operators = JSON.parse(run('openapi', '--beheer').stdout);
  assert.ok(partners.paths['/berichten'] && !partners.paths['/status']);
  assert.ok(operators.paths['/status'] && !operators.paths['/berichten']);
  assert.equal(operators.servers[0].url, 'http://localhost/v1/beheer');
});
