import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, start } from './support.mjs';

const C = 'urn:oza:proposal:contract:duo-verzuim:v1';
const N = 'urn:oza:proposal:duo-verzuim:v1';
const xsd = join(root, '..', 'shared', 'standards', 'duo', 'verzuim-proposal-v1.xsd');
const melding = ({ bsn = '<burgerservicenummer>999990020</burgerservicenummer>', soort = 'V3', begin = '2026-10-01', eind = '2026-10-20', extra = '' } = {}) => `<melding><brin>00YY</brin><vestiging>00YY00</vestiging><onderwijsontvanger>${bsn}</onderwijsontvanger><soortOpleiding>PO</soortOpleiding><verzuimsoort>${soort}</verzuimsoort><datumBeginVerzuim>${begin}</datumBeginVerzuim><datumEindVerzuim>${eind}</datumEindVerzuim><vermoedelijkeReden>Onbekend</vermoedelijkeReden><actieGewenst>true</actieGewenst>${extra}<contactpersoon><naam>Fictieve Begeleider</naam><emailadres>ib@school.example</emailadres></contactpersoon></melding>`;
function envelope({ operation = 'aanleverenVerzuimmelding', id = randomUUID(), inner = melding(), action = `${C}/${operation}`, to = '00000001800866472000', from = '0000000700000YY00000', message = `urn:uuid:${randomUUID()}`, prefix = '' } = {}) {
  return `${prefix}<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header><a:To>http://www.w3.org/2005/08/addressing/anonymous?oin=${to}</a:To><a:Action>${action}</a:Action><a:MessageID>${message}</a:MessageID><a:From><a:Address>http://www.w3.org/2005/08/addressing/anonymous?oin=${from}</a:Address></a:From></s:Header><s:Body><${operation}_request xmlns="${N}"><identificatiecodeBedrijfsdocument>${id}</identificatiecodeBedrijfsdocument><verzendendeInstantie>00YY</verzendendeInstantie><ontvangendeInstantie>DUO</ontvangendeInstantie><datumTijdBedrijfsdocument>2026-11-22T09:00:00Z</datumTijdBedrijfsdocument>${inner}</${operation}_request></s:Body></s:Envelope>`;
}
async function post(duo, options = {}, headers = {}) {
  const answer = await fetch(`${duo.url}/verzuim`, { method: 'POST', body: typeof options === 'string' ? options : envelope(options), headers: { 'Content-Type': 'text/xml;charset=UTF-8', SOAPAction: `"${C}/${options.operation ?? 'aanleverenVerzuimmelding'}"`, ...headers } });
  const text = await answer.text();
  return { status: answer.status, text, fault: /faultcode>SOAP-ENV:([\w.]+)</.exec(text)?.[1], code: /<foutcode>(\w+)</.exec(text)?.[1], number: /<meldingsnummer>([0-9]+)</.exec(text)?.[1] };
}
const duoOf = (t) => start(t, 'duo', '--xsd', xsd);

test('AMeldingIsRegisteredAndItsReplyNamesTheRequest', async (t) => {
  const duo = await duoOf(t);
  const message = `urn:uuid:${randomUUID()}`;
  const reply = await post(duo, { message });
  assert.equal(reply.status, 200);
  assert.match(reply.text, new RegExp(`RelatesTo>${message}<`));
  assert.match(reply.text, /<requestGoedgekeurd>true</);
  const [stored] = (await duo.control('state')).meldingen;
  assert.deepEqual([stored.nummer, stored.soort, stored.bsnEindigtOp, stored.status], [reply.number, 'V3', '020', 'R']);
  assert.deepEqual(await duo.control('violations'), []);
  assert.ok(!(await (await fetch(duo.url)).text()).includes('999990020'));
});

test('ARepeatedBusinessDocumentIsRefusedWithTheNumberItGot', async (t) => {
  const duo = await duoOf(t);
  const id = randomUUID();
  const first = await post(duo, { id });
  const again = await post(duo, { id });
  assert.deepEqual([again.code, /sleutelwaarde>([0-9]+)</.exec(again.text)[1]], ['NIET_UNIEK', first.number]);
  assert.equal((await duo.control('state')).meldingen.length, 1);
});

test('EachBrokenEnvelopeHasItsOwnFault', async (t) => {
  const duo = await duoOf(t);
  const fault = async (...a) => (await post(duo, ...a)).fault;
  assert.equal(await fault({ action: `${C}/anders` }), 'Client.DK0003');
  assert.equal(await fault({}, { SOAPAction: '""' }), 'Client.DK0003');
  assert.equal(await fault({ to: '00000001000000000000' }), 'Client.DK0011');
  assert.equal(await fault({ from: 'kort' }), 'Client.EK0021');
  assert.equal(await fault({ message: 'urn:uuid:geen' }), 'Client.EK0023');
  assert.equal(await fault(envelope().replace(/<a:To>.*<\/a:To>/, '')), 'Client.DK0005');
  assert.equal(await fault(envelope().replace(/<a:From>.*<\/a:From>/, '')), 'Client.EK0020');
  assert.equal(await fault({}, { 'Content-Type': 'application/soap+xml' }), 'Client.DK0009');
  assert.equal(await fault(envelope().replaceAll('http://schemas.xmlsoap.org/soap/envelope/', 'http://www.w3.org/2003/05/soap-envelope')), 'VersionMismatch.DK0001');
  assert.equal(await fault({ prefix: '<!DOCTYPE x [<!ENTITY e "x">]>' }), 'Client.DK0004');
  assert.equal(await fault({ inner: melding({ extra: '<onbekend>x</onbekend>' }) }), 'Client.DK0004');
  assert.equal(await fault({ inner: melding({ extra: '<toelichtingActieGewenst></toelichtingActieGewenst>' }) }), 'Client.DK0004');
  assert.equal(await fault({ inner: melding({ soort: 'X' }) }), 'Client.DK0004');
  assert.equal(await fault('<geen xml'), 'Client.DK0004');
  assert.deepEqual([(await duo.control('state')).meldingen, await duo.control('violations')], [[], []]);
});

test('WhatTheRulesRefuseIsABusinessAnswer', async (t) => {
  const duo = await duoOf(t);
  const code = async (o) => { const r = await post(duo, { inner: melding(o) }); return [r.status, r.code]; };
  assert.deepEqual(await code({ bsn: '<burgerservicenummer>999990021</burgerservicenummer>' }), [200, 'BSN_ONGELDIG']);
  assert.deepEqual(await code({ bsn: '<leerlingkenmerk>L1</leerlingkenmerk>' }), [200, 'PGN_ONTBREEKT']);
  assert.deepEqual(await code({ soort: 'V1' }), [200, 'SOORT_VERVALLEN']);
  assert.deepEqual(await code({ soort: 'LRV' }), [200, 'LRV_TE_KORT']);
  assert.deepEqual(await code({ eind: '2026-09-01' }), [200, 'PERIODE']);
});

test('ChangesNeedTheLatestVersionAndWithdrawalIsFinal', async (t) => {
  const duo = await duoOf(t);
  const { number } = await post(duo);
  const list = await post(duo, { operation: 'ophalenGewijzigdeVerzuimmeldingen', inner: '<brin>00YY</brin><gewijzigdVanaf>2026-01-01T00:00:00Z</gewijzigdVanaf>' });
  const at = /tijdstipLaatsteMutatie>([^<]+)</.exec(list.text)[1];
  const change = (time) => post(duo, { operation: 'wijzigenVerzuimmelding', inner: `<meldingsnummer>${number}</meldingsnummer><tijdstipLaatsteMutatie>${time}</tijdstipLaatsteMutatie>${melding({ soort: 'O' })}` });
  assert.equal((await change('2026-01-01T00:00:00Z')).code, 'TUSSENTIJDS_GEWIJZIGD');
  assert.equal((await change(at)).code, undefined);
  const withdraw = () => post(duo, { operation: 'intrekkenVerzuimmelding', inner: `<meldingsnummer>${number}</meldingsnummer><reden>Vergissing</reden>` });
  assert.equal((await withdraw()).code, undefined);
  assert.equal((await withdraw()).code, 'STATUS');
});

test('FaultsComeOnCommand', async (t) => {
  const duo = await duoOf(t);
  await duo.control('soapfault', { code: 'Server.DK0051', count: 1 });
  assert.equal((await post(duo)).fault, 'Server.DK0051');
  assert.equal((await post(duo)).status, 200);
});
