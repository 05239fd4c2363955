import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, start } from './support.mjs';

const b64 = (v) => Buffer.from(JSON.stringify(v)).toString('base64url');
function token({ secret = 'demo-geheim-van-de-gemeente', alg = 'HS256', ...more } = {}) {
  const unsigned = `${b64({ typ: 'JWT', alg })}.${b64({ iss: 'schakel', iat: Math.floor(Date.now() / 1000), client_id: 'schakel', user_id: 'broker', user_representation: 'Schakel', ...more })}`;
  return `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`;
}
function client(partner) {
  const call = async (method, path, body, headers = {}) => {
    const answer = await fetch(path.startsWith('http') ? path : `${partner.url}${path}`, {
      method, headers: { Authorization: `Bearer ${token()}`, 'Accept-Crs': 'EPSG:4326', 'Content-Crs': 'EPSG:4326', ...(body && !(body instanceof FormData) ? { 'Content-Type': 'application/json' } : {}), ...headers },
      body: body instanceof FormData ? body : body && JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text && answer.headers.get('content-type').includes('json') ? JSON.parse(text) : text };
  };
  call.types = async (kind, query = '') => (await call('GET', `/catalogi/api/v1/${kind}${query}`)).body.results;
  return call;
}
async function withZaak(t, ...args) {
  const partner = await start(t, 'zgw', ...args);
  const call = client(partner);
  const [zaaktype] = await call.types('zaaktypen', '?identificatie=OZA&status=definitief&datumGeldigheid=2026-11-21');
  const zaak = { identificatie: 'OZA-1', bronorganisatie: '517439943', verantwoordelijkeOrganisatie: '517439943', zaaktype: zaaktype.url, startdatum: '2026-11-21', omschrijving: 'Onderwijszorgarrangement' };
  const of = async (kind, name, field = 'omschrijving') => (await call.types(kind, kind.startsWith('informatie') ? '' : `?zaaktype=${encodeURIComponent(zaaktype.url)}`)).find((row) => row[field] === name).url;
  return { partner, call, zaak, of };
}
const codes = (answer) => answer.body.invalidParams?.map((p) => `${p.name}:${p.code}`);

test('AWholeDossierIsTakenAndCanBeReadBack', async (t) => {
  const { partner, call, zaak, of } = await withZaak(t);
  const created = await call('POST', '/zaken/api/v1/zaken', zaak);
  assert.equal(created.status, 201);
  assert.equal(created.headers.get('location'), created.body.url);
  assert.equal((await call('GET', '/zaken/api/v1/zaken?identificatie=OZA-1&bronorganisatie=517439943')).body.count, 1);
  const rol = { zaak: created.body.url, roltype: await of('roltypen', 'Jeugdige'), betrokkeneType: 'natuurlijk_persoon', roltoelichting: 'jeugdige', betrokkeneIdentificatie: { inpBsn: '999990020', geslachtsnaam: 'Voorbeeldsma' } };
  assert.equal((await call('POST', '/zaken/api/v1/rollen', rol)).status, 201);
  const content = Buffer.from('%PDF-1.4 inhoud');
  const document = { bronorganisatie: '517439943', creatiedatum: '2026-11-21', titel: 'Groeidocument', auteur: 'School', taal: 'dut', bestandsnaam: 'groeidocument.pdf', formaat: 'application/pdf', bestandsomvang: content.length,
    inhoud: content.toString('base64'), integriteit: { algoritme: 'sha_256', waarde: createHash('sha256').update(content).digest('hex'), datum: '2026-11-21' }, indicatieGebruiksrecht: false, status: 'definitief', informatieobjecttype: await of('informatieobjecttypen', 'Groeidocument') };
  const stored = await call('POST', '/documenten/api/v1/enkelvoudiginformatieobjecten', document);
  assert.equal(stored.status, 201);
  assert.equal((await call('GET', stored.body.inhoud)).body, '%PDF-1.4 inhoud');
  assert.equal((await call('POST', '/zaken/api/v1/zaakinformatieobjecten', { zaak: created.body.url, informatieobject: stored.body.url })).status, 201);
  assert.deepEqual(codes(await call('POST', '/zaken/api/v1/zaakinformatieobjecten', { zaak: created.body.url, informatieobject: stored.body.url })), ['nonFieldErrors:unique']);
  const status = { zaak: created.body.url, statustype: await of('statustypen', 'Aangemeld'), datumStatusGezet: '2026-11-21T10:00:00Z' };
  assert.equal((await call('POST', '/zaken/api/v1/statussen', status)).status, 201);
  assert.deepEqual(codes(await call('POST', '/zaken/api/v1/statussen', status)), ['nonFieldErrors:unique']);
  assert.deepEqual(codes(await call('POST', '/zaken/api/v1/statussen', { ...status, statustype: await of('statustypen', 'Afgesloten'), datumStatusGezet: '2026-11-21T11:00:00Z' })), ['nonFieldErrors:resultaat-does-not-exist']);
  assert.deepEqual(await partner.control('violations'), []);
  const html = await (await fetch(`${partner.url}/dossier/${created.body.uuid}`)).text();
  assert.match(html, /Groeidocument/);
  assert.ok(!html.includes('999990020'), 'the page masks the BSN');
});

test('RefusesWhatAStrictCaseSystemRefuses', async (t) => {
  const { call, zaak, of } = await withZaak(t);
  const post = (value, headers) => call('POST', '/zaken/api/v1/zaken', value, headers);
  assert.deepEqual(codes(await post({ ...zaak, bronorganisatie: '517439944' })), ['bronorganisatie:invalid']);
  assert.deepEqual(codes(await post({ ...zaak, startdatum: '2026-02-30' })), ['startdatum:invalid']);
  assert.deepEqual(codes(await post({ ...zaak, kleur: 'rood' })), ['kleur:unknown-field']);
  assert.deepEqual(codes(await post({ ...zaak, zaaktype: 'https://elders.example/zt/1' })), ['zaaktype:bad-url']);
  assert.deepEqual(codes(await post({ ...zaak, vertrouwelijkheidaanduiding: 'geheimpje', omschrijving: 'x'.repeat(81) })).sort(), ['omschrijving:max_length', 'vertrouwelijkheidaanduiding:invalid_choice']);
  assert.equal((await post(zaak, { 'Content-Crs': '' })).status, 400);
  const made = (await post(zaak)).body;
  assert.deepEqual(codes(await post(zaak)), ['identificatie:identificatie-niet-uniek']);
  const [other] = await call.types('zaaktypen', '?identificatie=LEERPLICHT');
  const [wrongStatus] = await call.types('statustypen', `?zaaktype=${encodeURIComponent(other.url)}`);
  assert.deepEqual(codes(await call('POST', '/zaken/api/v1/statussen', { zaak: made.url, statustype: wrongStatus.url, datumStatusGezet: '2026-11-21T10:00:00Z' })), ['statustype:zaaktype-mismatch']);
  assert.deepEqual(codes(await call('POST', '/zaken/api/v1/statussen', { zaak: made.url, statustype: await of('statustypen', 'Aangemeld'), datumStatusGezet: '2099-01-01T10:00:00Z' })), ['datumStatusGezet:date-in-future']);
  assert.deepEqual(codes(await call('POST', '/zaken/api/v1/rollen', { zaak: made.url, roltype: await of('roltypen', 'Jeugdige'), betrokkeneType: 'natuurlijk_persoon', roltoelichting: 'x', betrokkeneIdentificatie: { inpBsn: '999990021' } })), ['betrokkeneIdentificatie.inpBsn:invalid']);
  const eio = { bronorganisatie: '517439943', creatiedatum: '2026-11-21', titel: 'T', auteur: 'A', taal: 'dut', bestandsnaam: 'a.txt', bestandsomvang: 3, inhoud: 'YWJj', informatieobjecttype: await of('informatieobjecttypen', 'OPP') };
  const store = (more) => call('POST', '/documenten/api/v1/enkelvoudiginformatieobjecten', { ...eio, ...more });
  assert.deepEqual(codes(await store({ bestandsomvang: 4 })), ['bestandsomvang:file-size']);
  assert.deepEqual(codes(await store({ inhoud: 'geen base64!' })), ['inhoud:invalid-base64']);
  assert.deepEqual(codes(await store({ integriteit: { algoritme: 'sha_256', waarde: '00', datum: '2026-11-21' } })), ['integriteit.waarde:hash-mismatch']);
  assert.deepEqual(codes(await store({ taal: 'nl' })), ['taal:invalid']);
  assert.deepEqual(codes(await store({ formaat: 'application/pdf' })), ['formaat:not-a-pdf']);
  assert.deepEqual(codes(await store({ informatieobjecttype: (await call.types('informatieobjecttypen')).find((r) => r.omschrijving === 'Concepttype').url })), ['informatieobjecttype:not-published']);
});

test('RefusesEveryTokenThatIsNotOurs', async (t) => {
  const { call } = await withZaak(t);
  const get = async (authorization) => (await call('GET', '/zaken/api/v1/zaken', undefined, { Authorization: authorization })).status;
  const now = Math.floor(Date.now() / 1000);
  assert.equal(await get(`Bearer ${token()}`), 200);
  for (const bad of ['a.b.c', token({ secret: 'anders' }), token({ iat: now - 3700 }), token({ iat: now + 300 }), token({ iat: undefined }), token({ iss: 'iemand' }), token({ alg: 'none' }), token({ user_id: undefined })]) assert.equal(await get(`Bearer ${bad}`), 403);
  assert.equal(await get(''), 401);
});

test('ABsnInAUrlOrFileNameIsRefusedAndRecorded', async (t) => {
  const { partner, call, of } = await withZaak(t);
  assert.equal((await call('GET', '/zaken/api/v1/zaken?rol__betrokkeneIdentificatie__natuurlijkPersoon__inpBsn=999990020')).status, 400);
  assert.equal((await call('GET', '/zaken/api/v1/zaken?identificatie=OZA-999990020')).status, 400);
  const answer = await call('POST', '/documenten/api/v1/enkelvoudiginformatieobjecten', { bronorganisatie: '517439943', creatiedatum: '2026-11-21', titel: 'T', auteur: 'A', taal: 'dut', bestandsnaam: 'dossier-999990020.pdf', informatieobjecttype: await of('informatieobjecttypen', 'OPP') });
  assert.deepEqual(codes(answer), ['bestandsnaam:bsn']);
  assert.deepEqual((await partner.control('violations')).map((v) => v.rule), ['bsn-in-url', 'bsn-in-url', 'bsn-in-text']);
});

test('ALargeDocumentGoesInPartsUnderALock', async (t) => {
  const { call, of } = await withZaak(t, '--part-size', 10);
  const content = Buffer.from('%PDF-abcdefghijklmnop');
  const { body: document } = await call('POST', '/documenten/api/v1/enkelvoudiginformatieobjecten', { bronorganisatie: '517439943', creatiedatum: '2026-11-21', titel: 'T', auteur: 'A', taal: 'dut', bestandsnaam: 'a.pdf', formaat: 'application/pdf', bestandsomvang: content.length, inhoud: null, informatieobjecttype: await of('informatieobjecttypen', 'OPP') });
  assert.deepEqual(document.bestandsdelen.map((p) => p.omvang), [10, 10, 1]);
  const put = (part, bytes, lock) => { const form = new FormData(); form.set('inhoud', new Blob([bytes])); if (lock) form.set('lock', lock); return call('PUT', part.url, form); };
  assert.deepEqual(codes(await put(document.bestandsdelen[0], content.subarray(0, 9), document.lock)), ['nonFieldErrors:file-size']);
  assert.deepEqual(codes(await put(document.bestandsdelen[0], content.subarray(0, 10), 'anders')), ['nonFieldErrors:incorrect-lock-id']);
  assert.equal((await put(document.bestandsdelen[0], content.subarray(0, 10), document.lock)).status, 200);
  assert.deepEqual(codes(await call('POST', `${document.url}/unlock`, { lock: document.lock })), ['nonFieldErrors:incomplete-upload']);
  await put(document.bestandsdelen[1], content.subarray(10, 20), document.lock);
  await put(document.bestandsdelen[2], content.subarray(20), document.lock);
  assert.equal((await call('POST', `${document.url}/unlock`, { lock: document.lock })).status, 204);
  const after = (await call('GET', document.url)).body;
  assert.deepEqual([after.locked, after.bestandsdelen], [false, []]);
  assert.equal((await call('GET', after.inhoud)).body, content.toString());
});

test('FaultsComeOnCommandAndEnd', async (t) => {
  const { partner, call } = await withZaak(t);
  await partner.control('fault', { mode: 'status', status: 503, retryAfter: 7, count: 2 });
  for (const status of [503, 503, 200]) assert.equal((await call('GET', '/zaken/api/v1/zaken')).status, status);
  await partner.control('fault', { mode: 'drop-after', path: '/zaken$' });
  await assert.rejects(call('GET', '/zaken/api/v1/zaken'));
  await partner.control('fault', { mode: 'rubbish' });
  await assert.rejects(call('GET', '/zaken/api/v1/zaken'));
});

// The calls that judge an implementation of the published interface. They name fixed ids of a stateless mock, so a small proxy puts
// real ones in their place; the verdicts are the simulator's own.
test('AnswersTheThirtyContractCallsAsThePublishedInterfaceDoes', async (t) => {
  const script = join(root, '..', 'shared', 'tools', 'zgw-calls.sh');
  if (!existsSync(script)) return t.skip('the contract calls are not beside this checkout');
  const { partner, call, zaak, of } = await withZaak(t, '--part-size', 15);
  const made = (await call('POST', '/zaken/api/v1/zaken', zaak)).body;
  const eio = async (size) => (await call('POST', '/documenten/api/v1/enkelvoudiginformatieobjecten', { bronorganisatie: '517439943', creatiedatum: '2026-11-21', titel: 'Plan', auteur: 'SWV', taal: 'dut', bestandsnaam: 'p', ...(size ? { bestandsomvang: size, inhoud: null } : {}), informatieobjecttype: await of('informatieobjecttypen', 'OPP') })).body;
  const large = await eio(15);
  const [plain, locked, patched] = [await eio(), await eio(), await eio()];
  const lock = async (row) => (await call('POST', `${row.url}/lock`)).body.lock;
  const locks = { bestandsdelen: large.lock, unlock: await lock(locked), patch: await lock(patched) };
  const U = '095be615-a8ad-4c33-8e9c-c7612fbf6c9f';
  const catalog = { zaaktypen: zaak.zaaktype, statustypen: await of('statustypen', 'Aangemeld'), eigenschappen: await of('eigenschappen', 'Overlegsoort', 'naam'), roltypen: await of('roltypen', 'Jeugdige'), informatieobjecttypen: await of('informatieobjecttypen', 'OPP') };
  const proxy = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (c) => chunks.push(c)).on('end', async () => {
      let text = Buffer.concat(chunks).toString('latin1').replaceAll(/https:\/\/catalogi\.example\.nl\/catalogi\/api\/v1\/(\w+)\/[0-9a-f-]{36}/g, (_, kind) => catalog[kind]).replaceAll(`https://zaken.example.nl/zaken/api/v1/zaken/${U}`, made.url).replaceAll(`https://documenten.example.nl/documenten/api/v1/enkelvoudiginformatieobjecten/${U}`, plain.url);
      let path = request.url.replace(`/zaken/${U}`, `/zaken/${made.uuid}`);
      if (path.includes('/bestandsdelen/')) { path = path.replace(U, large.bestandsdelen[0].uuid); text = text.replace('abcd', locks.bestandsdelen); }
      if (path.endsWith('/unlock')) { path = path.replace(U, locked.uuid); text = text.replace('abcd', locks.unlock); }
      if (request.method === 'PATCH') { path = path.replace(U, patched.uuid); text = text.replace('abcd', locks.patch); }
      path = path.replace(U, plain.uuid);
      const headers = { ...request.headers, host: undefined, 'content-length': undefined };
      for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name];
      if (headers.authorization) headers.authorization = `Bearer ${token()}`;
      const answer = await fetch(`${partner.url}${path}`, { method: request.method, headers, body: ['GET', 'DELETE'].includes(request.method) ? undefined : Buffer.from(text, 'latin1') });
      response.writeHead(answer.status);
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => proxy.close());
  const origin = `http://127.0.0.1:${proxy.address().port}`;
  const output = await new Promise((resolve, reject) => execFile('bash', [script, `${origin}/zaken/api/v1`, `${origin}/documenten/api/v1`], { env: { ...process.env, TMPDIR: partner.dir } }, (error, stdout) => (stdout ? resolve(stdout) : reject(error))));
  const lines = output.trim().split('\n');
  assert.deepEqual(lines.filter((line) => !line.startsWith('ok ')), []);
  assert.equal(lines.length, 30);
});
