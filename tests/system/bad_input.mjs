// Bad input at the real broker with all its partners: each gets a clear problem with a stable code, an audit leaf where a party is
// known, and nothing is lost. What cannot be brought about from outside (a torn write, an hour of waiting) has unit tests.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { jw323, ubl } from '../partners/lib/declaration.mjs';
import { pdf } from '../partners/lib/pdf.mjs';
import { Party } from './demo/client.mjs';
import { freePorts, run, start } from './demo/processes.mjs';
import { binary, root, setStage } from './demo/stage.mjs';
import { Story, until } from './demo/story.mjs';
import { BSN, OIN, ORGANISATIONS, PEOPLE } from './demo/world.mjs';

const CE = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';
const PARTY = { school: 'school-papieren-schip', gemeente: 'gemeente-zandoever', zorgaanbieder: 'zorgaanbieder-verzonnen-hoeve', onderwijstransparant: 'onderwijstransparant', duo: 'duo' };
let passed = 0;
let failed = 0;
async function item(name, body) {
  try { if (await body() === 'skipped') return; passed += 1; console.log(`ok ${name}`); } catch (error) { failed += 1; console.log(`NOT OK ${name}: ${error.message}`); }
}

const stage = await setStage({ home: process.env.DEMO_DIR ?? join(root, 'build', 'bad-input'), base: Number(process.env.DEMO_PORT ?? 9543), tell: () => {} });
const cli = (...words) => { const r = run(binary, ['--config', stage.config, '--json', ...words]); if (r.status !== 0) throw new Error(`${words.join(' ')}: ${r.err}`); return JSON.parse(r.out); };
const owed = new Map();  // party and code -> how many leaves there must be
/** A problem with its code, and a leaf of it for a known party. Returns the codes of its findings. */
function refused(answer, status, code, party) {
  assert.equal(answer.status, status, `${answer.status} ${answer.bytes?.toString().slice(0, 300)}`);
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/);
  assert.equal(answer.body.code, code);
  assert.equal(answer.body.status, status);
  if (party) owed.set(`${PARTY[party]} ${code}`, (owed.get(`${PARTY[party]} ${code}`) ?? 0) + 1);
  return (answer.body.fouten ?? []).map((f) => [f.plaats, f.code, f.regel].filter(Boolean).join(' '));
}

try {
  const story = new Story(stage.players, stage.places, () => {});
  await story.open();
  await story.upload();
  const { zaak } = story;
  const { school, gemeente, zorgaanbieder } = stage.players;
  const person = (name, oin) => new Party(stage.pki, name, oin, stage.api);
  const transparant = person('onderwijstransparant', OIN.onderwijstransparant);
  const duo = person('duo', OIN.duo);
  const id = (what) => `${story.run}-${what}-${randomUUID().slice(0, 8)}`;
  const event = (data = {}, more = {}) => ({ ...school.event(id('b'), 'intern_overleg', zaak, { region: 'KNH', sender: { role: 'school_ib' }, date: '2026-10-15', ...data }), ...more });
  const raw = (party, body, type, headers = {}) => party.call('POST', '/v1/berichten', Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), { 'Content-Type': type, ...headers });
  const binaryHeaders = ({ data: _, datacontenttype: __, ...attributes }) => Object.fromEntries(Object.entries(attributes).map(([k, v]) => [`ce-${k}`, v]));
  const sendBinary = (party, e, headers = {}) => raw(party, e.data, 'application/json', { ...binaryHeaders(e), ...headers });
  const MODES = {
    structured: (party, e) => party.send(e),
    binary: (party, e) => sendBinary(party, e),
    batched: (party, e) => raw(party, [e], BATCH),
  };
  const messages = () => cli('status').berichten;

  // -- consent: first, while no other mail with a link is about ----------------------------------------------------------------
  const sentDocuments = async () => (await school.call('GET', `/v1/afleveringen?zaak=${zaak}`)).body.afleveringen.filter((d) => d.soort === 'documents').length;
  await item('consent missing, partial, then whole', async () => {
    for (const [who, code] of [[null, 'CONSENT_MISSING'], ['ouder_1', 'CONSENT_PARTIAL']]) {
      if (who) await story.say('school', 'toestemming', who, { purpose: 'documents' });
      const blocked = await story.deliver();
      assert.deepEqual([blocked.uitkomst, blocked.codes], ['blocked', [code]]);
    }
    assert.equal(await sentDocuments(), 0, 'nothing left');
    await story.say('school', 'toestemming', 'ouder_2', { purpose: 'documents' });
    await story.documents_out();
    assert.equal(await sentDocuments(), 2);
  });
  await item('consent withdrawn: links dead at once, nothing more goes out', async () => {
    const withdrawn = await story.say('school', 'toestemming_intrekking', 'ouder_2', { consent: 'ouder_2:documents' });
    assert.equal(withdrawn.uitkomst, 'recorded');
    const { page } = await story.enter('orthopedagoog', PEOPLE['ortho-1'].tweedeFactor.slice(4));
    assert.equal(page.status, 404);
    const blocked = await story.deliver();
    assert.deepEqual([blocked.uitkomst, blocked.codes.filter((c) => c.startsWith('CONSENT_')).length], ['blocked', 1], JSON.stringify(blocked.codes));
    assert.equal(await sentDocuments(), 2);
  });

  // -- who --------------------------------------------------------------------------------------------------------------------
  const connect = (tls) => new Promise((resolve) => {
    const r = https.request(`${stage.api}/v1/berichten`, { method: 'POST', agent: false, servername: 'localhost', ca: readFileSync(join(stage.pki, 'root.crt')), timeout: 10_000, ...tls }, (a) => { a.resume(); resolve(a.statusCode); });
    r.on('error', () => resolve('refused')).on('timeout', () => r.destroy()).end('{}');
  });
  const own = (name) => ({ cert: readFileSync(join(stage.pki, `${name}.crt`)), key: readFileSync(join(stage.pki, `${name}.key`)) });
  await item('no certificate: no connection', async () => assert.equal(await connect({}), 'refused'));
  await item('an expired certificate: no connection', async () => assert.equal(await connect(own('expired')), 'refused'));
  await item("a stranger's certificate with the OIN of a school: no connection", async () => assert.equal(await connect(own('stranger')), 'refused'));
  /** Sends a head with Expect: 100-continue and waits for the answer: an answer without the invitation came before any body byte. */
  const knock = (party, headers) => new Promise((resolve, reject) => {
    const r = https.request(`${party.base}/v1/berichten`, { method: 'POST', agent: false, servername: 'localhost', timeout: 10_000, ...party.tls, headers: { 'Content-Length': 1000, Expect: '100-continue', ...headers } }, (a) => {
      const chunks = [];
      a.on('data', (c) => chunks.push(c)).on('end', () => { const bytes = Buffer.concat(chunks); r.destroy(); resolve({ status: a.statusCode, headers: a.headers, bytes, body: JSON.parse(bytes), invited }); });
    });
    let invited = false;
    r.on('continue', () => { invited = true; r.destroy(); resolve({ status: 100, headers: {}, bytes: Buffer.alloc(0), invited }); });
    r.on('error', reject).on('timeout', () => r.destroy(new Error('no answer')));
    r.flushHeaders();
  });
  for (const name of ['unlisted', 'no-oin']) {
    await item(`a good certificate of nobody we know (${name}): refused before the body`, async () => refused(await knock(person(name, ''), { 'Content-Type': CE }), 403, 'PARTY_UNKNOWN'));
  }
  await item('a party that may send nothing: refused before the body', async () => refused(await knock(duo, { 'Content-Type': CE }), 403, 'PARTY_NOT_ALLOWED', 'duo'));
  await item('a binary event of a type this party may not send: refused before the body', async () => {
    refused(await knock(transparant, { 'Content-Type': 'application/json', ...binaryHeaders(transparant.event(id('x'), 'factuur', zaak, {})) }), 403, 'PARTY_NOT_ALLOWED', 'onderwijstransparant');
  });
  await item('a party may not pose as another: source', async () => {
    for (const [mode, send] of Object.entries(MODES)) refused(await send(gemeente, event()), 403, 'SOURCE_NOT_YOURS', 'gemeente', mode);
  });
  for (const [mode, send] of Object.entries(MODES)) {
    await item(`a type this party may not send (${mode})`, async () => refused(await send(transparant, transparant.event(id('x'), 'intern_overleg', zaak, { region: 'KNH', sender: { role: 'school_ib' }, date: '2026-10-15' })), 403, 'PARTY_NOT_ALLOWED', 'onderwijstransparant'));
    await item(`a role this party does not have (${mode})`, async () => refused(await send(school, event({ sender: { role: 'procesregisseur' } })), 403, 'PARTY_NOT_ALLOWED', 'school'));
    await item(`a region this party has nothing to do with (${mode})`, async () => refused(await send(school, event({ region: 'GEM' })), 403, 'PARTY_NOT_ALLOWED', 'school'));
    await item(`an unknown type (${mode})`, async () => refused(await send(school, event({}, { type: 'nl.schakel.bestaat_niet.v1' })), 400, 'MESSAGE_TYPE_UNKNOWN', 'school'));
    await item(`a case that is not there and one of somebody else: the same answer (${mode})`, async () => refused(await send(school, event({}, { subject: 'Z-AAAAAAAAAAAAAAAA' })), 404, 'CASE_UNKNOWN', 'school'));
    await item(`a payload with three faults: all findings at once (${mode})`, async () => {
      const findings = refused(await send(school, event({ date: 5, nieuw: 1, oud: 2 })), 400, 'SCHEMA_VIOLATION', 'school');
      assert.equal(findings.filter((f) => f.includes('SCHEMA_UNKNOWN_PROPERTY')).length, 2, findings.join(' | '));
      assert.ok(findings.some((f) => f.includes('/data/date SCHEMA_TYPE')), findings.join(' | '));
    });
    await item(`an envelope with faults: all findings at once (${mode})`, async () => {
      const findings = refused(await send(school, event({ addressed_to: 'smw', attachments: 7 })), 400, 'CE_DATA', 'school');
      assert.ok(findings.length >= 2, findings.join(' | '));
    });
    await item(`a duplicate is acknowledged and has no second effect (${mode})`, async () => {
      const e = event();
      const first = await send(school, e);
      const count = messages();
      const again = await send(school, e);
      assert.deepEqual([first.status, again.status], [202, 202]);
      assert.deepEqual([first.body.berichten[0].dubbel, again.body.berichten[0].dubbel], [false, true]);
      assert.equal(again.body.berichten[0].volgnummer, first.body.berichten[0].volgnummer);
      assert.equal(messages(), count);
      refused(await send(school, { ...e, data: { ...e.data, date: '2026-10-16' } }), 409, 'MESSAGE_CONFLICT', 'school');
    });
  }

  // -- form -------------------------------------------------------------------------------------------------------------------
  const FORMS = [
    ['no media type of CloudEvents', 415, 'CE_MEDIA_TYPE', JSON.stringify(event()), 'application/json'], ['XML', 415, 'CE_MEDIA_TYPE', '<x/>', 'application/cloudevents+xml'],
    ['cut-off JSON', 400, 'JSON_SYNTAX', '{"specversion": "1.0",', CE], ['cut-off JSON in a batch', 400, 'JSON_SYNTAX', '[{"specversion"', BATCH], ['an empty body', 400, 'JSON_SYNTAX', '', CE],
    ['a key that is there twice', 400, 'JSON_DUPLICATE_KEY', JSON.stringify(event()).replace('{', '{"id":"a",'), CE], ['broken UTF-8', 400, 'JSON_UTF8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), CE],
    ['too deep', 400, 'JSON_DEPTH', `{"data":${'['.repeat(200)}${']'.repeat(200)}}`, CE], ['a list instead of an event', 400, 'CE_INVALID', '[]', CE], ['an object instead of a batch', 400, 'CE_INVALID', '{}', BATCH],
    ['an event without any attribute', 400, 'CE_INVALID', '{"data":{}}', CE], ['base64 data', 400, 'CE_INVALID', JSON.stringify({ ...event(), data: undefined, data_base64: 'AA==' }), CE],
    ['another specversion', 400, 'CE_INVALID', JSON.stringify(event({}, { specversion: '0.3' })), CE], ['a time that is none', 400, 'CE_INVALID', JSON.stringify(event({}, { time: 'gisteren' })), CE],
    ['more than 64 KiB', 413, 'CE_TOO_LARGE', JSON.stringify(event({ opmerking: 'x'.repeat(70_000) })), CE], ['an event of more than 64 KiB in a batch', 413, 'CE_TOO_LARGE', JSON.stringify([event({ a: 'x'.repeat(40_000), b: 'y'.repeat(40_000) })]), BATCH],
    ['more than 1000 events', 413, 'CE_BATCH_TOO_LONG', `[${'{},'.repeat(1000)}{}]`, BATCH], ['more than 10 MiB', 413, 'BODY_TOO_LARGE', Buffer.alloc(10 * 1024 * 1024 + 1, 32), BATCH],
  ];
  for (const [what, status, code, body, type] of FORMS) await item(`a malformed event: ${what}`, async () => { refused(await raw(school, body, type), status, code, 'school'); });
  await item('a malformed binary event: all findings of its headers at once', async () => {
    const e = event();
    const findings = refused(await sendBinary(school, { ...e, specversion: '2.0', id: '%zz' }, { 'ce-time': 'gisteren' }), 400, 'CE_INVALID', 'school');
    for (const wanted of ['/specversion CE_SPECVERSION', '/id CE_HEADER', '/time CE_TIME']) assert.ok(findings.some((f) => f.startsWith(wanted)), `${wanted} is not in ${findings}`);
  });
  await item('a batch with one bad event: all findings with their place, and nothing of it accepted', async () => {
    const count = messages();
    const findings = refused(await raw(school, [event(), event({ date: 5 }), event({ nieuw: 1 })], BATCH), 400, 'SCHEMA_VIOLATION', 'school');
    assert.deepEqual([...new Set(findings.map((f) => f.slice(0, 3)))], ['/1/', '/2/']);
    assert.equal(messages(), count);
  });
  await item('the same event twice in one batch: one effect', async () => {
    const e = event();
    const { status, body } = await raw(school, [e, e], BATCH);
    assert.equal(status, 202);
    assert.deepEqual(body.berichten.map((b) => b.dubbel), [false, true]);
  });
  await item('a path and a method that do not exist', async () => {
    refused(await school.call('GET', '/v1/bestaat-niet'), 404, 'NOT_FOUND', 'school');
    refused(await school.call('DELETE', `/v1/zaken/${zaak}`), 405, 'METHOD_NOT_ALLOWED', 'school');
  });

  // -- claim check ------------------------------------------------------------------------------------------------------------
  const [document] = story.documents;
  const delivery = (attachment) => school.event(id('d'), 'documentlevering', zaak, { region: 'KNH', sender: { role: 'school_ib' }, addressed_to: ['orthopedagoog'], documents: ['groeidocument'], meeting: 'OT', attachments: [attachment] });
  await item('a claim check to a document that is not there', async () => refused(await school.send(delivery({ ...document, document: randomUUID() })), 400, 'DOCUMENT_UNKNOWN', 'school'));
  await item('a claim check to a document of another party: the same answer', async () => {
    const { body } = await gemeente.call('POST', `/v1/documenten?zaak=${zaak}&docType=groeidocument`, pdf('Ander', ['x']), { 'Content-Type': 'application/pdf' });
    refused(await school.send(delivery({ ...document, document: body.id, sha256: body.sha256 })), 400, 'DOCUMENT_UNKNOWN', 'school');
  });
  await item('a claim check to a document with other bytes', async () => refused(await school.send(delivery({ ...document, sha256: '0'.repeat(64) })), 400, 'DOCUMENT_HASH', 'school'));
  await item('an upload without content, and one of a case that is not there', async () => {
    refused(await school.call('POST', `/v1/documenten?zaak=${zaak}&docType=opp`, Buffer.alloc(0), { 'Content-Type': 'application/pdf' }), 400, 'DOCUMENT_EMPTY', 'school');
    refused(await school.call('POST', '/v1/documenten?zaak=Z-AAAAAAAAAAAAAAAA&docType=opp', Buffer.from('%PDF-'), { 'Content-Type': 'application/pdf' }), 404, 'CASE_UNKNOWN', 'school');
  });

  // -- XML of the care provider -----------------------------------------------------------------------------------------------
  const xml = (party, kind, body) => party.call('POST', `/in/zorgaanbieder/${kind}`, Buffer.from(body), { 'Content-Type': 'application/xml' });
  // The month before, or the one n months before it: the same product of the same month twice is a double declaration.
  const monthsAgo = (n) => { const now = new Date(); return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - n, 1)).toISOString().slice(0, 7); };
  const month = monthsAgo(1);
  const today = new Date().toISOString().slice(0, 10);
  const declaration = (number, lines, of = month) => ({ identification: `${number}I`.slice(0, 12), number, month: of, date: today, sender: '12345678', receiver: '0400', lines: lines.map((l) => ({ bsn: BSN, assignment: 1001, category: '50', product: 'ZBGRS', volume: 100, unit: '83', ...l })) });
  const good = jw323(declaration(`B${story.run.slice(0, 6)}`, [{ reference: `${story.run}-b1`, cents: 100 }]));
  const invoice = { number: `U-${story.run}`, date: today, due: today, month, reference: `LAS-${story.run}`, seller: ORGANISATIONS.zorgaanbieder, buyer: ORGANISATIONS.gemeente, lines: [{ kind: 'grijs', cents: 1001, item: 'ZBGRS' }] };
  await item('a JW323 that breaks its schema: all findings', async () => {
    const findings = refused(await xml(zorgaanbieder, 'jw323', good.replace('<BerichtVersie>3<', '<BerichtVersie>drie<').replace(/<DeclaratieNummer>[^<]*<\/DeclaratieNummer>/, '')), 400, 'JW323_STRUCTURE', 'zorgaanbieder');
    assert.ok(findings.length >= 2, findings.join(' | '));
  });
  await item('a JW323 that breaks a rule: answered with a JW325 that says which line and why, and nothing of it is paid', async () => {
    const answer = await story.control('zorgaanbieder', 'jw323', declaration(`R${story.run.slice(0, 6)}`, [{ reference: `${story.run}-r1`, volume: 100, tariff: 7, cents: 100 }]));
    assert.equal(answer.status, 202, answer.body);
    const reply = await until('the JW325', async () => (await story.json('zorgaanbieder', '/__control/state')).antwoorden.at(-1));
    assert.equal(reply.toegekend, 0, JSON.stringify(reply));
    assert.ok(!reply.codes.includes('8001'), JSON.stringify(reply));
    assert.equal((await story.mails('oza@swvkopvannoordholland.nl')).length, 0);
  });
  await item('a JW323 for another gemeente, or in the name of another provider', async () => {
    refused(await xml(zorgaanbieder, 'jw323', good.replace('<Ontvanger>0400<', '<Ontvanger>0363<')), 403, 'RECEIVER_IS_ANOTHER', 'zorgaanbieder');
    refused(await xml(zorgaanbieder, 'jw323', good.replace('<Afzender>12345678<', '<Afzender>87654321<')), 403, 'SENDER_NOT_ALLOWED', 'zorgaanbieder');
  });
  await item('a UBL invoice that breaks its schema or its rules: all findings', async () => {
    refused(await xml(zorgaanbieder, 'ubl', ubl(invoice).replace(/<cbc:IssueDate>[^<]*<\/cbc:IssueDate>/, '<cbc:IssueDate>gisteren</cbc:IssueDate><cbc:Onbekend>1</cbc:Onbekend>')), 422, 'UBL_INVALID', 'zorgaanbieder');
    const findings = refused(await xml(zorgaanbieder, 'ubl', ubl(invoice).replace(/(<cbc:PayableAmount[^>]*>)[^<]*</, '$199.99<').replace('380<', '999<')), 422, 'UBL_INVALID', 'zorgaanbieder');
    assert.ok(findings.some((f) => f.includes('BR-')), findings.join(' | '));
  });
  await item('an e-invoice for another organisation, on another account, or dated in the future', async () => {
    const named = async (body, rule) => {
      const answer = await xml(zorgaanbieder, 'ubl', body);
      refused(answer, 422, 'UBL_INVALID', 'zorgaanbieder');
      assert.ok(answer.body.fouten.some((f) => f.regel === rule), `${rule}: ${JSON.stringify(answer.body)}`);
    };
    await named(ubl({ ...invoice, buyer: ORGANISATIONS.swv }), 'SCH-BUYER');
    await named(ubl({ ...invoice, seller: { ...ORGANISATIONS.zorgaanbieder, iban: ORGANISATIONS.swv.iban } }), 'SCH-IBAN-OTHER');
    await named(ubl({ ...invoice, date: '2099-01-01', due: '2099-02-01' }), 'SCH-DATE');
  });
  await item('a DTD in XML is refused, in both kinds', async () => {
    const dtd = '<!DOCTYPE x [<!ENTITY a "b">]>';
    for (const [kind, body] of [['jw323', good], ['ubl', ubl(invoice)]]) {
      const answer = await xml(zorgaanbieder, kind, body.replace('?>', `?>${dtd}`));
      refused(answer, answer.status, answer.body.code, 'zorgaanbieder');
      assert.ok([400, 415, 422].includes(answer.status) && JSON.stringify(answer.body).includes('DTD'), answer.bytes.toString());
    }
  });
  await item('what is no declaration at all, or has the wrong media type', async () => {
    refused(await xml(zorgaanbieder, 'jw323', '<x/>'), 415, 'FORMAT_UNKNOWN', 'zorgaanbieder');
    refused(await zorgaanbieder.call('POST', '/in/zorgaanbieder/jw323', Buffer.from('{}'), { 'Content-Type': 'application/json' }), 415, 'MEDIA_TYPE', 'zorgaanbieder');
    refused(await xml(school, 'jw323', good), 404, 'NOT_FOUND', 'school');
  });

  // -- targets ----------------------------------------------------------------------------------------------------------------
  const fault = (place, value) => fetch(`${stage.places[place]}/__control/fault`, { method: 'POST', body: JSON.stringify(value) });
  const report = (from, until_) => story.say('school', 'verzuimmelding', 'school_ib', { kind: 'ongeoorloofd', from_date: from, until: until_, hours: 18 });
  const ago = (days) => new Date(Date.now() - days * 86400_000).toISOString().slice(0, 10);
  const settled = (target, count) => until(`${count} deliveries to ${target}`, () => { const rows = cli('dlq', 'list', '--status', 'afgeleverd').afleveringen.filter((d) => d.doel === target); return rows.length >= count && rows; }, 90);
  await item('no endpoint for a role: parked and visible, and delivered once it is named', async () => {
    const decision = await story.say('school', 'ot_verslag', 'school_ib', { onderwerp: 'verslag' });
    const [parked] = await until('the parked delivery', () => { const rows = cli('dlq', 'list', '--status', 'geparkeerd').afleveringen.filter((d) => d.bericht === decision.volgnummer); return rows.length && rows; });
    assert.equal(parked.code, 'RECIPIENT_UNKNOWN');
    cli('dlq', 'resend', parked.id, '--target', 'swv-systeem', '--reason', 'het swv neemt het aan', '--yes');
    await until('its arrival', () => cli('dlq', 'show', parked.id).status === 'afgeleverd', 60);
  });
  await item('a target that is down: kept, tried again, delivered once', async () => {
    await fault('duo', { mode: 'drop', count: 2, path: '^/verzuim' });
    await report(ago(40), ago(12));
    const [row] = await settled('duo', 1);
    assert.ok(row.pogingen >= 3, `${row.pogingen} attempts`);
    assert.equal((await story.json('duo', '/__control/state')).meldingen.length, 1);
  });
  await item('a target that answers rubbish: not taken for a yes, delivered once', async () => {
    await fault('duo', { mode: 'rubbish', count: 1, path: '^/verzuim' });
    await fault('zaaksysteem', { mode: 'rubbish', count: 2 });
    await report(ago(80), ago(50));
    const row = (await settled('duo', 2)).find((r) => r.pogingen === 2);
    const { verloop } = cli('dlq', 'show', row.id);
    assert.notEqual(verloop[0].oordeel, verloop[1].oordeel, JSON.stringify(verloop));
    assert.equal((await story.json('duo', '/__control/state')).meldingen.length, 2);
  });
  await item('a target that took it and never said so: delivered once', async () => {
    await fault('duo', { mode: 'drop-after', count: 1, path: '^/verzuim' });
    await report(ago(120), ago(90));
    await settled('duo', 3);
    assert.equal((await story.json('duo', '/__control/state')).meldingen.length, 3);
  });
  await item('SMTP that refuses for now: mailed later; for good: a dead letter that can be resent', async () => {
    const rule = (value) => fetch(`${stage.places.postbus}/__control/rule`, { method: 'POST', body: JSON.stringify({ stage: 'rcpt', to: 'oza@swvkopvannoordholland.nl', ...value }) });
    await rule({ code: 451 });
    await story.invoice();
    await rule({ code: 550 });
    const before = (await story.mails('oza@swvkopvannoordholland.nl')).length;
    const answer = await story.control('zorgaanbieder', 'jw323', declaration(`S${story.run.slice(0, 6)}`, [{ reference: `${story.run}-s1`, volume: 5000, cents: 5000 }], monthsAgo(2)));
    assert.ok(answer.status < 300, `${answer.status} ${answer.body}`);
    const [dead] = await until('the dead letter', () => { const rows = cli('dlq', 'list').afleveringen.filter((d) => d.code === 'MAIL_REFUSED' || d.code.startsWith('SMTP') || d.code.startsWith('MAIL')); return rows.length && rows; }, 60);
    assert.equal((await story.mails('oza@swvkopvannoordholland.nl')).length, before);
    cli('dlq', 'resend', dead.id, '--reason', 'het adres werkt weer', '--yes');
    await story.invoiceMail('oza@swvkopvannoordholland.nl', before);
  });
  await item('kill -9 with work under way: everything acknowledged is there afterwards, once', async () => {
    await fault('webhook', { mode: 'drop', count: 2, path: '^/$' });
    const sent = [];
    for (let i = 0; i < 20; i += 1) {
      const e = event({ date: `2026-09-${String(i + 1).padStart(2, '0')}`, addressed_to: ['swv'] });
      const { status, body } = await school.send(e);
      assert.equal(status, 202);
      sent.push([e, body.berichten[0].volgnummer]);
    }
    await stage.kill();
    await stage.up();
    for (const [e, number] of sent) {
      const again = await school.send(e);
      assert.deepEqual([again.status, again.body.berichten[0].dubbel, again.body.berichten[0].volgnummer], [202, true, number]);
      await until(`the decision on ${number}`, async () => (await school.call('GET', `/v1/berichten/${number}`)).body.uitkomst);
    }
    assert.equal(cli('status').onbeslist, 0);
  });

  await item('disk full: refused with 503 and Retry-After, nothing acknowledged is lost, and it goes on when there is room', async () => {
    // A broker of its own on a small file system: mounted in a namespace, so that it needs no root.
    const folder = join(stage.home, 'vol');
    const data = join(folder, 'data');
    const port = await freePorts(stage.port.api + 40, 3);
    const made = run(binary, ['init', folder, '--port', String(port)]);
    assert.equal(made.status, 0, made.err);
    mkdirSync(data, { recursive: true });
    const small = ['-Urm', 'sh', '-c', 'mount -t tmpfs -o size=64m,mode=0700 tmpfs "$0" && exec "$@"', data];
    if (run('unshare', [...small, 'true']).status !== 0) { console.log('SKIPPED: disk full: user namespaces are off on this machine'); return 'skipped'; }
    const broker = start({ name: 'schakel-vol', command: 'unshare', args: [...small, binary, 'serve', '--config', join(folder, 'schakel.json')], log: join(stage.home, 'log', 'schakel-vol.out'), pids: join(stage.home, 'pids-vol.json') });
    await until('the broker on the small disk', async () => (await fetch(`http://127.0.0.1:${port + 2}/readyz`)).ok, 30);
    const tls = { cert: readFileSync(join(folder, 'certs', 'school.pem')), key: readFileSync(join(folder, 'certs', 'school.key')), ca: readFileSync(join(folder, 'certs', 'ca.pem')) };
    const party = Object.assign(Object.create(Party.prototype), { oin: '00000099000010001000', base: `https://localhost:${port}`, tls });
    const opening = JSON.parse(readFileSync(join(folder, 'voorbeeld', 'zaak-opening.json')));
    const first = await party.send(opening);
    assert.equal(first.status, 202, first.bytes.toString());
    const { zaak: own } = first.body.berichten[0];
    const say = (n) => party.send(party.event(`vol-${n}`, 'intern_overleg', own, { region: 'KNH', sender: { role: 'school_ib' }, date: '2026-10-15' }));
    for (let n = 0; n < 5; n += 1) assert.equal((await say(n)).status, 202);
    // The parts of the mount are reached through the process that has it.
    const filler = `/proc/${broker.child.pid}/root${data}/filler`;
    assert.equal(run('fallocate', ['-l', '58M', filler]).status, 0);
    const full = await until('the refusal', async () => { const a = await say(`x${Math.random()}`); return a.status === 503 && a; }, 20);
    refused(full, 503, 'STORE_FULL');
    assert.ok(Number(full.headers['retry-after']) > 0);
    const ready = await fetch(`http://127.0.0.1:${port + 2}/readyz`);
    assert.deepEqual([ready.status, (await ready.json()).parts.disk], [503, false]);
    const upload = await party.call('POST', `/v1/documenten?zaak=${own}&docType=opp`, Buffer.alloc(12 * 1024 * 1024, 65), { 'Content-Type': 'application/pdf' });
    refused(upload, 503, 'STORE_FULL');
    assert.equal((await fetch(`http://127.0.0.1:${port + 2}/healthz`)).status, 200);
    rmSync(filler);
    await until('readiness', async () => (await fetch(`http://127.0.0.1:${port + 2}/readyz`)).ok, 10);
    const again = await until('room again', async () => { const a = await say('after'); return a.status === 202 && a; }, 20);
    assert.equal(again.body.berichten[0].dubbel, false);
    for (let n = 0; n < 5; n += 1) assert.equal((await say(n)).body.berichten[0].dubbel, true);
    assert.equal(run(binary, ['--config', join(folder, 'schakel.json'), 'audit', 'verify']).status, 0);
    broker.child.kill('SIGTERM');
    await broker.exited;
  });

  // -- what must hold of all of it --------------------------------------------------------------------------------------------
  await item('every refusal of a known party stands in the log with its code', async () => {
    const wrong = [];
    for (const [key, count] of owed) {
      const [party, code] = key.split(' ');
      const found = await until(`the leaves of ${key}`, () => { const n = cli('audit', 'list', '--party', party, '--code', code).bladen.length; return n >= count ? n : null; }, 5).catch(() => 0);
      if (!found) wrong.push(`${key} (${cli('audit', 'list', '--party', party, '--code', code).bladen.length} of ${count})`);
    }
    assert.deepEqual(wrong, []);
  });
  await item('the log verifies and nothing is undecided', async () => {
    assert.equal(cli('audit', 'verify').ok, true);
    assert.equal(cli('status').onbeslist, 0);
  });
} catch (error) {
  failed += 1;
  console.log(`bad-input: ${error.stack}`);
}
await stage.end();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
