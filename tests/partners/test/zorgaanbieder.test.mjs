import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { euros, jw323, ubl } from '../lib/declaration.mjs';
import { root, start } from './support.mjs';

const shared = join(root, '..', 'shared');
const declaration = { identification: 'ID0001', number: 'D202610', month: '2026-10', date: '2026-11-02', sender: '12345678', receiver: '0400', lines: [
  { bsn: '999990020', reference: 'R1', assignment: 1, category: '45', product: '45A01', volume: 3, unit: '04', tariff: 7001, cents: 21003 },
  { bsn: '999990020', reference: 'R2', previous: 'R0', assignment: 1, category: '45', product: '45A02', volume: 1, unit: '04', tariff: 7001, cents: 7001, credit: true }] };
const org = (name, more) => ({ name, street: 'Fictiestraat 4', city: 'Zandoever', postcode: '1004 XX', iban: 'NL35TEST0001000004', ...more });
const invoice = { number: 'ZB-1', date: '2026-11-02', due: '2026-12-02', month: '2026-10', reference: 'OZA-1', seller: org('Zorgaanbieder', { kvk: '90000004' }), buyer: org('Gemeente Zandoever', { oin: '00000099000100001000' }),
  lines: [{ kind: 'zorg', cents: 125000 }, { kind: 'grijs', cents: 33333 }] };

test('EurosAreWrittenFromCentsWithoutFloatingPoint', () => {
  assert.deepEqual([0, 5, 100, 33333, -3333, 9007199254740991].map(euros), ['0.00', '0.05', '1.00', '333.33', '-33.33', '90071992547409.91']);
});

test('WhatTheProviderSendsPassesTheJudges', (t) => {
  if (!existsSync(join(shared, 'tools', 'check-ijw'))) return t.skip('the judges are not beside this checkout');
  const dir = execFileSync('mktemp', ['-d']).toString().trim();
  t.after(() => execFileSync('rm', ['-rf', dir]));
  const file = join(dir, 'jw323.xml');
  writeFileSync(file, jw323(declaration));
  assert.match(execFileSync(join(shared, 'tools', 'check-ijw'), [file]).toString(), /OK/);
  for (const [kind, value] of [['Invoice', invoice], ['CreditNote', { ...invoice, number: 'ZBC-1', credits: 'ZB-1' }]]) {
    writeFileSync(join(dir, 'ubl.xml'), ubl(value));
    execFileSync('xmllint', ['--noout', '--nonet', '--schema', join(shared, 'standards', 'ubl-2.1', 'xsd', 'maindoc', `UBL-${kind}-2.1.xsd`), join(dir, 'ubl.xml')], { stdio: 'pipe' });
  }
});

test('DeclaresOverMutualTlsAndTakesTheAnswerOnce', async (t) => {
  const pki = join(execFileSync('mktemp', ['-d']).toString().trim(), 'pki');
  execFileSync(join(root, 'certs', 'make-test-pki'), [pki]);
  t.after(() => execFileSync('rm', ['-rf', pki]));
  const got = [];
  const broker = https.createServer({ cert: readFileSync(join(pki, 'server.crt')), key: readFileSync(join(pki, 'server.key')), ca: readFileSync(join(pki, 'root.crt')), requestCert: true, rejectUnauthorized: true }, (request, response) => {
    let body = '';
    request.on('data', (c) => { body += c; }).on('end', () => { got.push([request.url, request.socket.getPeerCertificate().subject.serialNumber, body]); response.writeHead(202).end('{}'); });
  });
  await new Promise((resolve) => broker.listen(0, '127.0.0.1', resolve));
  t.after(() => broker.close());
  const inbox = `https://localhost:${broker.address().port}/in`;
  const provider = await start(t, 'zorgaanbieder', '--inbox-jw323', `${inbox}/jw323`, '--inbox-ubl', `${inbox}/ubl`, '--client-cert', join(pki, 'zorgaanbieder.crt'), '--client-key', join(pki, 'zorgaanbieder.key'), '--client-ca', join(pki, 'root.crt'));
  assert.equal((await provider.control('jw323', declaration)).status, 202);
  assert.equal((await provider.control('ubl', invoice)).status, 202);
  assert.deepEqual(got.map(([path, oin]) => [path, oin]), [['/in/jw323', '00000099000100004000'], ['/in/ubl', '00000099000100004000']]);
  const jw325 = ({ id = 'ID0001', granted = 14002, codes = '8001', root: name = 'Bericht' } = {}) => `<?xml version="1.0" encoding="UTF-8"?><${name} xmlns="http://www.istandaarden.nl/ijw/3_2/jw325/schema" xmlns:b="http://www.istandaarden.nl/ijw/3_2/basisschema/schema"><Header><BerichtCode>491</BerichtCode><BerichtVersie>3</BerichtVersie><BerichtSubversie>2</BerichtSubversie><Afzender>0400</Afzender><Ontvanger>12345678</Ontvanger><BerichtIdentificatie><b:Identificatie>A1</b:Identificatie><b:Dagtekening>2026-11-03</b:Dagtekening></BerichtIdentificatie><DeclaratieIdentificatie><b:Identificatie>${id}</b:Identificatie><b:Dagtekening>2026-11-02</b:Dagtekening></DeclaratieIdentificatie></Header><DeclaratieAntwoord><DeclaratieNummer>D202610</DeclaratieNummer><TotaalIngediendBedrag><b:TotaalBedrag>14002</b:TotaalBedrag><b:DebetCredit>D</b:DebetCredit></TotaalIngediendBedrag><TotaalToegekendBedrag><b:TotaalBedrag>${granted}</b:TotaalBedrag><b:DebetCredit>D</b:DebetCredit></TotaalToegekendBedrag><RetourCodes><RetourCode>${codes}</RetourCode></RetourCodes></DeclaratieAntwoord></${name}>`;
  const answer = async (body) => (await fetch(`${provider.url}/jw325`, { method: 'POST', body })).status;
  assert.equal(await answer(jw325()), 200);
  assert.equal(await answer(jw325()), 200);
  assert.equal(await answer(jw325({ id: 'ANDERS' })), 422);
  assert.equal(await answer(jw325({ granted: 14001 })), 422);
  assert.equal(await answer(jw325({ root: 'Brief' })), 422);
  assert.equal(await answer('<half'), 400);
  assert.deepEqual((await provider.control('state')).antwoorden.map((a) => [a.identification, a.toegekend, a.copies]), [['ID0001', 14002, 2]]);
});
