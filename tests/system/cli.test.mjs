// The command line as IT uses it: findings of a configuration with their place, and an exit status for each kind of outcome.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { jw323, ubl } from '../partners/lib/declaration.mjs';
import { freePorts } from './demo/processes.mjs';
import { BSN, ORGANISATIONS } from './demo/world.mjs';

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

const schemas = join(root, '..', 'shared', 'standards');
const noSchemas = skip || (existsSync(join(schemas, 'ubl-2.1')) ? false : 'the published schemas are not on this machine');
test('MessageCheckHoldsAFileToThePublishedSchemasWhereItIsAsked', { skip: noSchemas }, () => {
  const seller = { ...ORGANISATIONS.zorgaanbieder, oin: undefined };
  const invoice = ubl({ number: 'F1', date: '2026-10-05', due: '2026-11-04', month: '2026-09', reference: 'OZA', seller, buyer: ORGANISATIONS.gemeente, lines: [{ kind: 'ZBZRG', cents: 100 }] });
  const declaration = jw323({ identification: 'A1', number: 'D1', month: '2026-09', date: '2026-10-05', sender: '12345678', receiver: '0400',
    lines: [{ bsn: BSN, reference: 'R1', assignment: 1, category: '50', product: 'ZBZRG', volume: 100, unit: '83', cents: 100 }] });
  const at = join(home, 'bericht.xml');
  const codes = (text, ...more) => {
    writeFileSync(at, text);
    const r = run('message', 'check', at, '--json', ...more);
    const [{ ok, findings }] = JSON.parse(r.stdout);
    assert.equal(r.status, ok ? 0 : 1, r.stderr);
    return [...new Set(findings.map((f) => f.code))];
  };
  for (const good of [invoice, declaration]) assert.deepEqual(codes(good, '--xsd', schemas), []);
  // Two elements that UBL has, in the wrong order, where nothing of it is read: only the schema knows.
  const wrong = invoice.replace('<cac:PaymentMeans>', '<cac:Delivery><cac:DeliveryLocation><cbc:ID>1</cbc:ID></cac:DeliveryLocation><cbc:ActualDeliveryDate>2026-09-30</cbc:ActualDeliveryDate></cac:Delivery><cac:PaymentMeans>');
  assert.deepEqual(codes(wrong), []);
  assert.deepEqual(codes(wrong, '--xsd', schemas), ['XML_SCHEMA']);
  assert.ok(codes(declaration.replace('<b:Einddatum>2026-09-30', '<b:Einddatum>2026-09-31'), '--xsd', schemas).includes('XML_SCHEMA'));
  const empty = run('message', 'check', at, '--xsd', mkdtempSync(join(home, 'leeg-')));
  assert.equal(empty.status, 1);
  assert.match(empty.stderr, /XSD_UNAVAILABLE/);
  assert.notEqual(run('message', 'check', at, '--xsd', join(home, 'weg')).status, 0);
});
