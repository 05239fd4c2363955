// The command line as IT uses it: findings of a configuration with their place, and an exit status for each kind of outcome.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts } from './demo/processes.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const schakel = process.env.SCHAKEL ?? join(root, 'build', 'release', 'bin', 'schakel');
const skip = existsSync(schakel) ? false : `${schakel} is not built`;
const home = mkdtempSync(join(tmpdir(), 'schakel-cli-'));
const folder = join(home, 'knooppunt');
const file = join(folder, 'schakel.json');
let broker;
after(() => { broker?.kill('SIGKILL'); rmSync(home, { recursive: true, force: true }); });
const run = (...args) => spawnSync(schakel, args, { encoding: 'utf8', timeout: 60_000 });
const port = skip ? 0 : await freePorts(25443, 3);
if (!skip) assert.equal(run('init', folder, '--port', String(port)).status, 0);
const original = skip ? '' : readFileSync(file, 'utf8');

/** Findings of `check --json` after a change: "pointer CODE". */
function check(change) {
  const config = JSON.parse(original);
  change(config);
  const path = join(folder, 'anders.json');
  writeFileSync(path, JSON.stringify(config));
  const r = run('check', path, '--json');
  return { status: r.status, findings: JSON.parse(r.stdout).findings.map((f) => `${f.pointer.replace('anders.json#', '')} ${f.code}`) };
}

test('EveryMistakeInTheConfigurationIsNamedWithItsPlace', { skip }, () => {
  const set = [
    ['/onzin UNKNOWN_FIELD', (c) => { c.onzin = 1; }], ['/store/kind VALUE', (c) => { c.store = { kind: 'oracle' }; }], ['/store/ballast_bytes RANGE', (c) => { c.store = { ballast_bytes: -1 }; }],
    ['/vault/master_key_file FILE_MISSING', (c) => { c.vault.master_key_file = 'weg'; }], ['/vault/master_key_file KEY_PLACE', (c) => { c.data_dir = 'secrets'; }],
    ['/listen/api TLS_REQUIRED', (c) => { delete c.listen.api.client_ca; }], ['/listen/api/port RANGE', (c) => { c.listen.api.port = 70000; }], ['/listen/health/certificate TLS_REQUIRED', (c) => { c.listen.health.address = '0.0.0.0'; }],
    ['/portal/base_url REQUIRED', (c) => { delete c.portal.base_url; }], ['/portal/sms/url REQUIRED', (c) => { c.portal.sms = {}; }], ['/mail/security VALUE', (c) => { c.mail.security = 'soms'; }],
    ['/mail/security TLS_REQUIRED', (c) => { c.mail.host = 'mail.example'; }], ['/mail/returns VALUE', (c) => { c.mail.returns = { every_seconds: 5 }; }], ['/mail/returns/maildir FILE_MISSING', (c) => { c.mail.returns = { maildir: 'weg' }; }],
    ['/mail/returns/imap REQUIRED', (c) => { c.mail.returns = { imap: { host: 'imap.example' } }; }], ['/mail/returns/imap/done VALUE', (c) => { c.mail.returns = { imap: { done: 'soms' } }; }],
    ['/mail/returns/imap/password_secret SECRET_UNKNOWN', (c) => { c.mail.returns = { imap: { host: 'imap.example', user: 'u', password_secret: 'weg' } }; }],
    ['/shards RANGE', (c) => { c.shards = 'veel'; }], ['/formats/xsd_dir FILE_MISSING', (c) => { c.formats = { xsd_dir: 'weg' }; }],
    ['/adapters/map/party PARTY_UNKNOWN', (c) => { c.adapters.map.party = 'niemand'; }], ['/adapters/map/plugin PLUGIN_NOT_FOUND', (c) => { c.adapters.map.plugin = 'bestaat_niet'; }],
    ['/adapters/map/config/out_folder SCHEMA_TYPE', (c) => { c.adapters.map.config.out_folder = 5; }], ['/adapters/map/config/x SCHEMA_UNKNOWN_PROPERTY', (c) => { c.adapters.map.config.x = 5; }],
    ['/adapters/map/attempt_seconds RANGE', (c) => { c.adapters.map.attempt_seconds = 4; }], ['/portal/contact TYPE', (c) => { c.portal.contact = 5; }],
    ['/adapters/haak/config/url SCHEMA_REQUIRED', (c) => { c.adapters.haak = { plugin: 'webhook', config: {} }; }],
  ];
  for (const [wanted, change] of set) {
    const { status, findings } = check(change);
    assert.equal(status, 78, wanted);
    assert.ok(findings.includes(wanted), `${wanted} is not in ${findings}`);
  }
  const many = check((c) => { c.onzin = 1; c.shards = -1; delete c.portal.base_url; });
  assert.ok(many.findings.length >= 3, 'all at once');
  writeFileSync(join(folder, 'kapot.json'), '{"a":');
  assert.equal(run('check', join(folder, 'kapot.json')).status, 78);
  assert.equal(run('check', join(folder, 'weg.json')).status, 78);
  chmodSync(join(folder, 'certs', 'server.key'), 0o644);
  assert.ok(check(() => {}).findings.includes('/listen/api/key KEY_MODE'));
  chmodSync(join(folder, 'certs', 'server.key'), 0o600);
});

test('EachKindOfOutcomeHasItsExitStatus', { skip }, async () => {
  const status = (...args) => run(...args).status;
  assert.equal(status('--help'), 0);
  assert.equal(status('--version'), 0);
  assert.equal(status(), 2);
  assert.equal(status('bestaat-niet'), 2);
  assert.equal(status('check'), 2);
  assert.equal(status('init', folder), 5, 'conflict: init never overwrites');
  assert.equal(status('--config', file, 'status'), 4, 'nobody listens');
  assert.equal(status('serve', '--config', join(folder, 'weg.json')), 78);
  const bad = join(home, 'bericht.json');
  writeFileSync(bad, '{"specversion":"1.0"}');
  assert.equal(status('message', 'check', bad), 1);
  assert.equal(status('message', 'check', join(folder, 'voorbeeld', 'zaak-opening.json')), 0);
  broker = spawn(schakel, ['serve', '--config', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    let said = '';
    broker.stdout.on('data', (d) => { said += d; if (said.includes('Ctrl-C')) resolve(); });
    broker.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  });
  const ask = (...args) => status('--config', file, ...args);
  assert.equal(ask('status'), 0);
  assert.equal(ask('audit', 'verify'), 0);
  assert.equal(ask('case', 'Z-AAAAAAAAAAAAAAAA'), 1);
  assert.equal(ask('dlq', 'show', 'A-bestaatniet'), 1);
  assert.equal(status('serve', '--config', file), 5, 'a second broker on the same store');
  if (process.getuid() === 0) {
    chmodSync(home, 0o755); chmodSync(folder, 0o755); chmodSync(join(folder, 'run'), 0o755);
    const other = spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', schakel, '--socket', join(folder, 'run', 'schakel.sock'), 'status'], { encoding: 'utf8' });
    assert.equal(other.status, 3, `another user is not the operator: ${other.stderr}`);
  }
});
