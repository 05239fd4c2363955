import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { start } from './support.mjs';

const post = (url, body, headers = {}) => fetch(url, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers } });

test('AnSmsIsTakenOnlyWithKeyNumberAndText', async (t) => {
  const sms = await start(t, 'sms', '--authorization', 'Bearer sleutel');
  const key = { Authorization: 'Bearer sleutel' };
  const good = { from: 'Schakel', to: '+31600000001', text: 'Uw code is 123456' };
  assert.equal((await post(`${sms.url}/messages`, good, key)).status, 202);
  assert.equal((await post(`${sms.url}/messages`, good)).status, 401);
  for (const bad of [{ ...good, to: '0600000001' }, { ...good, text: '' }, { ...good, extra: 1 }, { ...good, text: 'BSN 999990020' }]) assert.equal((await post(`${sms.url}/messages`, bad, key)).status, 400);
  const list = await (await fetch(`${sms.url}/messages?to=%2B31600000001`)).json();
  assert.deepEqual(list.map((m) => m.text), ['Uw code is 123456']);
  assert.match(await (await fetch(sms.url)).text(), /123456/);
});

const event = { specversion: '1.0', id: 'e1', source: 'urn:nld:oin:00000099000100090000:systeem:schakel', type: 'nl.schakel.termijnsignaal.v1', time: '2026-11-22T10:00:00Z', data: { a: 1 } };
const structured = { 'Content-Type': 'application/cloudevents+json; charset=utf-8', Authorization: 'Bearer geheim' };

test('AStructuredAndABinaryEventAreTakenOnceEach', async (t) => {
  const hook = await start(t, 'webhook', '--token', 'geheim');
  for (let i = 0; i < 2; i += 1) assert.equal((await post(hook.url, event, structured)).status, 202);
  assert.equal((await post(hook.url, { a: 1 }, { Authorization: 'Bearer geheim', 'ce-specversion': '1.0', 'ce-id': 'Euro%20%E2%82%AC', 'ce-source': event.source, 'ce-type': event.type })).status, 202);
  assert.deepEqual((await hook.control('state')).events.map((e) => [e.id, e.mode, e.copies]), [['e1', 'structured', 2], ['Euro €', 'binary', 1]]);
  assert.deepEqual(await hook.control('violations'), []);
});

test('RefusesWhatIsNoCloudEvent', async (t) => {
  const hook = await start(t, 'webhook', '--token', 'geheim');
  const status = async (body, headers = structured, path = '') => (await post(hook.url + path, body, headers)).status;
  assert.equal(await status(event, { ...structured, Authorization: '' }), 401);
  assert.equal(await status({ ...event, id: '' }), 400);
  assert.equal(await status({ ...event, specversion: '0.3' }), 400);
  assert.equal(await status({ ...event, data_base64: 'eA==' }), 400);
  assert.equal(await status({ ...event, BadName: 'x' }), 400);
  assert.equal(await status({ ...event, subject: '999990020' }), 400);
  assert.equal(await status([event], { ...structured, 'Content-Type': 'application/cloudevents-batch+json' }), 415);
  assert.equal(await status({ ...event, data: 'x'.repeat(65536) }), 413);
  assert.equal(await status(event, structured, '/?access_token=x'), 400);
  assert.deepEqual((await hook.control('state')).events, []);
});

test('AnInvoiceIsABinaryEventWithTheUblAsBodyAndOneKey', async (t) => {
  const hook = await start(t, 'webhook');
  const ubl = (payable) => `<?xml version="1.0"?><Invoice xmlns:cbc="x"><cbc:ID>DB-1</cbc:ID><cbc:PayableAmount currencyID="EUR">${payable}</cbc:PayableAmount></Invoice>`;
  const head = { 'Content-Type': 'application/xml; charset=UTF-8', 'ce-specversion': '1.0', 'ce-id': 'A-1', 'ce-source': event.source, 'ce-type': 'nl.schakel.doorbelasting.v1', 'Idempotency-Key': 'A-1' };
  const status = async (body, headers = head) => (await post(hook.url, body, headers)).status;
  for (let i = 0; i < 2; i += 1) assert.equal(await status(ubl('183.33')), 202);
  assert.equal(await status(ubl('183.34')), 409);
  assert.equal(await status('<geen/>', { ...head, 'ce-id': 'A-2', 'Idempotency-Key': 'A-2' }), 400);
  assert.equal(await status(`<!DOCTYPE x>${ubl('1.00')}`, { ...head, 'ce-id': 'A-3', 'Idempotency-Key': 'A-3' }), 400);
  const { events } = await hook.control('state');
  assert.deepEqual(events.map((e) => [e.id, e.copies, e.data.number, e.data.payable]), [['A-1', 2, 'DB-1', '183.33']]);
  assert.deepEqual((await hook.control('violations')).map((v) => v.rule), ['same-id-other-content']);
});

test('ASignedWebhookIsCheckedOverTimestampAndRawBody', async (t) => {
  const hook = await start(t, 'webhook', '--hmac', 'sleutel');
  const at = String(Math.floor(Date.now() / 1000));
  const text = JSON.stringify(event);
  const sign = (time) => createHmac('sha256', 'sleutel').update(`${time}.${text}`).digest('hex');
  assert.equal((await post(hook.url, text, { ...structured, 'X-Timestamp': at, 'X-Signature': sign(at) })).status, 202);
  assert.equal((await post(hook.url, text, { ...structured, 'X-Timestamp': at, 'X-Signature': sign('1') })).status, 401);
  const old = String(Number(at) - 400);
  assert.equal((await post(hook.url, text, { ...structured, 'X-Timestamp': old, 'X-Signature': sign(old) })).status, 401);
});

test('AnswersTheValidationHandshake', async (t) => {
  const hook = await start(t, 'webhook');
  const answer = await fetch(hook.url, { method: 'OPTIONS', headers: { 'WebHook-Request-Origin': 'broker.example' } });
  assert.equal(answer.headers.get('webhook-allowed-origin'), 'broker.example');
});
