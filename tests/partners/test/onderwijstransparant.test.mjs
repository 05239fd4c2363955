import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { start } from './support.mjs';

async function connected(t, scope) {
  const ot = await start(t, 'onderwijstransparant');
  const form = (value) => fetch(`${ot.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(value) });
  const answer = await (await form({ grant_type: 'client_credentials', client_id: 'schakel', client_secret: 'demo-geheim-van-onderwijstransparant', ...(scope ? { scope } : {}) })).json();
  const call = async (method, path, body, headers = {}) => {
    const r = await fetch(`${ot.url}/ot/v1${path}`, { method, body: body && JSON.stringify(body), headers: { Authorization: `Bearer ${answer.access_token}`, 'Content-Type': 'application/json', ...headers } });
    return { status: r.status, headers: r.headers, bytes: Buffer.from(await r.arrayBuffer()), get body() { return JSON.parse(this.bytes); } };
  };
  return { ot, call, form };
}
const status = { status: 'in_behandeling', tijdstip: '2026-11-22T10:00:00Z' };

test('ChangesComeInOrderBehindACursor', async (t) => {
  const { ot, call } = await connected(t);
  const made = [await ot.control('hulpvraag', {}), await ot.control('hulpvraag', { soortAanvraag: 'arrangement' })];
  const first = (await call('GET', '/hulpvragen?limit=1')).body;
  assert.deepEqual([first.items[0].id, first.meer], [made[0].id, true]);
  const second = (await call('GET', `/hulpvragen?sinds=${first.volgende}`)).body;
  assert.deepEqual([second.items.map((i) => i.id), second.meer], [[made[1].id], false]);
  assert.equal((await call('GET', '/hulpvragen?sinds=onzin')).status, 400);
  await ot.control('cursorweg', {});
  assert.equal((await call('GET', `/hulpvragen?sinds=${first.volgende}`)).status, 410);
  const [document] = made[0].documenten;
  const { bytes } = await call('GET', `/hulpvragen/${made[0].id}/documenten/${document.id}`);
  assert.equal(createHash('sha256').update(bytes).digest('hex'), document.sha256);
  assert.match((await call('GET', `/hulpvragen/${made[0].id}/dossier`)).bytes.toString(), /swv-dossier/);
});

test('AStatusNeedsVersionAndKeyAndCountsOnce', async (t) => {
  const { ot, call } = await connected(t);
  const { id } = await ot.control('hulpvraag', {});
  const put = (headers, body = status) => call('PUT', `/hulpvragen/${id}/status`, body, headers);
  const key = randomUUID();
  assert.equal((await put({ 'If-Match': '"1"' })).status, 422);
  assert.equal((await put({ 'Idempotency-Key': key })).status, 422);
  assert.equal((await put({ 'Idempotency-Key': key, 'If-Match': '"9"' })).status, 412);
  for (let i = 0; i < 2; i += 1) assert.equal((await put({ 'Idempotency-Key': key, 'If-Match': '"1"' })).status, 204);
  assert.equal((await put({ 'Idempotency-Key': key, 'If-Match': '"2"' }, { ...status, status: 'besproken' })).status, 422);
  assert.equal((await put({ 'Idempotency-Key': randomUUID(), 'If-Match': '"2"' }, { ...status, status: 'onbekend' })).status, 422);
  assert.deepEqual((await ot.control('state')).hulpvragen[0].statussen.length, 1);
  await ot.control('intrekken', { id });
  assert.equal((await put({ 'Idempotency-Key': randomUUID(), 'If-Match': '"3"' })).status, 409);
});

test('AMeldingIsTakenOnceAndNeverWithABsn', async (t) => {
  const { ot, call } = await connected(t);
  const melding = { dossierkenmerk: 'k-1', soort: 'hulpvraagmelding', swvCode: 'PO2701', berichtId: 'm-1', tijdstip: '2026-11-22T10:00:00Z', gegevens: { voorliggend_gecheckt: true } };
  const key = { 'Idempotency-Key': randomUUID() };
  const ids = [];
  for (let i = 0; i < 2; i += 1) { const r = await call('POST', '/hulpvragen', melding, key); assert.equal(r.status, 201); ids.push(r.body.id); }
  assert.equal(ids[0], ids[1]);
  assert.equal((await call('POST', '/hulpvragen', { ...melding, bsn: 'x' }, { 'Idempotency-Key': randomUUID() })).status, 422);
  assert.equal((await call('POST', '/hulpvragen', { ...melding, gegevens: { question: 'leerling 999990020' } }, { 'Idempotency-Key': randomUUID() })).status, 422);
  assert.equal((await ot.control('state')).meldingen.length, 1);
  assert.deepEqual((await ot.control('violations')).map((v) => v.rule), ['bsn']);
});

test('NoTokenNoScopeNoAnswer', async (t) => {
  const { ot, call, form } = await connected(t, 'hulpvraag.read');
  assert.equal((await form({ grant_type: 'client_credentials', client_id: 'schakel', client_secret: 'fout' })).status, 401);
  assert.equal((await form({ grant_type: 'password', client_id: 'schakel', client_secret: 'demo-geheim-van-onderwijstransparant' })).status, 400);
  assert.equal((await call('GET', '/hulpvragen', undefined, { Authorization: 'Bearer x' })).status, 401);
  const { id } = await ot.control('hulpvraag', {});
  assert.equal((await call('GET', `/hulpvragen/${id}/dossier`)).status, 403);
  assert.equal((await call('POST', '/hulpvragen', {}, { 'Idempotency-Key': randomUUID() })).status, 403);
});
