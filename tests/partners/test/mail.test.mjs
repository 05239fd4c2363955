import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import nodemailer from 'nodemailer';
import { root, start } from './support.mjs';

const pki = join(mkdtempSync(join(tmpdir(), 'schakel-pki-')), 'pki');
execFileSync(join(root, 'certs', 'make-test-pki'), [pki]);
after(() => execFileSync('rm', ['-rf', pki]));

async function server(t) {
  const partner = await start(t, 'smtp', '--smtp-port', 0, '--cert', join(pki, 'partner.crt'), '--key', join(pki, 'partner.key'));
  const send = (mail, more = {}) => nodemailer.createTransport({
    host: '127.0.0.1', port: partner.smtpPort, requireTLS: true, auth: { user: 'schakel', pass: 'demo-wachtwoord-voor-mail' }, tls: { ca: readFileSync(join(pki, 'root.crt')), servername: 'localhost' }, ...more,
  }).sendMail({ from: 'schakel@broker.example', to: 'oza@swvkopvannoordholland.nl', subject: 'Factuur DB-1', text: 'Open https://127.0.0.1:1/l#geheim', ...mail });
  const mails = async (query = '') => (await fetch(`${partner.url}/api/mails${query}`)).json();
  return { partner, send, mails };
}

test('AMailWithAttachmentsArrivesWholeAndCanBeRead', async (t) => {
  const { partner, send, mails } = await server(t);
  await send({ attachments: [{ filename: 'DB-1.xml', content: '<Invoice/>', contentType: 'application/xml' }, { filename: 'DB-1.pdf', content: '%PDF-1.4', contentType: 'application/pdf' }] });
  const [mail] = await mails('?to=oza@swvkopvannoordholland.nl');
  assert.deepEqual(mail.attachments.map((a) => [a.name, a.type, a.size]), [['DB-1.xml', 'application/xml', 10], ['DB-1.pdf', 'application/pdf', 8]]);
  assert.deepEqual(mail.links, ['https://127.0.0.1:1/l#geheim']);
  const html = await (await fetch(`${partner.url}/mail/${mail.id}`)).text();
  assert.match(html, /href="https:\/\/127\.0\.0\.1:1\/l#geheim"|href="https:\/\/127\.0\.0\.1:1\/l&#35;geheim"/);
  assert.equal(await (await fetch(`${partner.url}/mail/${mail.id}/bijlage/0`)).text(), '<Invoice/>');
  assert.deepEqual(await partner.control('violations'), []);
});

test('TheSameMessageIdTwiceIsOneMailWithTwoCopies', async (t) => {
  const { send, mails } = await server(t);
  for (let i = 0; i < 2; i += 1) await send({ messageId: '<vast@broker.example>' });
  assert.deepEqual((await mails()).map((m) => m.copies), [2]);
});

test('RefusesWithoutPasswordOrEncryption', async (t) => {
  const { send, mails } = await server(t);
  await assert.rejects(send({}, { auth: { user: 'schakel', pass: 'fout' } }), (e) => e.responseCode === 535);
  await assert.rejects(send({}, { requireTLS: false, ignoreTLS: true }), (e) => [530, 538].includes(e.responseCode) || e.code === 'EAUTH');
  assert.deepEqual(await mails(), []);
});

test('RefusesOnCommandAndDropsAfterTheContentWasTaken', async (t) => {
  const { partner, send, mails } = await server(t);
  await partner.control('rule', { stage: 'rcpt', code: 550 });
  await assert.rejects(send({}), (e) => e.responseCode === 550);
  await partner.control('rule', { stage: 'data', code: 451 });
  await assert.rejects(send({}), (e) => e.responseCode === 451);
  await partner.control('rule', { mode: 'drop' });
  await assert.rejects(send({}));
  assert.equal((await mails()).length, 0);
  await partner.control('rule', { mode: 'drop-after' });
  await assert.rejects(send({ messageId: '<onbekend@broker.example>' }));
  assert.equal((await mails()).length, 1);
  await send({});
  assert.equal((await mails()).length, 2);
});

test('ABsnInASubjectOrFileNameIsRecorded', async (t) => {
  const { partner, send } = await server(t);
  await send({ subject: 'Dossier 999990020', attachments: [{ filename: '999990020.pdf', content: 'x' }] });
  assert.deepEqual((await partner.control('violations')).map((v) => v.rule).sort(), ['bsn-in-file-name', 'bsn-in-subject']);
});
