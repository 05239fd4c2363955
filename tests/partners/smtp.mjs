// A real mail server (SMTP with STARTTLS and AUTH) with a web mailbox in which mails are read, links clicked and attachments saved.
// node tests/partners/smtp.mjs --port WEB --smtp-port N --state FILE --cert C --key K [--user schakel] [--password P]
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { escapeHtml, findBsn, options, Refusal, serve, sha256, State } from './lib/partner.mjs';

const args = options();
const user = args.user ?? 'schakel';
const password = args.password ?? 'demo-wachtwoord-voor-mail';
const state = new State(args.state, { mails: [] });
const db = state.value;
const folder = args.state ? `${args.state}.d` : null;
if (folder) mkdirSync(folder, { recursive: true });
const raw = new Map();
const rules = [];  // {mode: refuse|drop, stage: rcpt|data, code, count, to?}
let violations;

const refusal = (code, text) => Object.assign(new Error(text), { responseCode: code });
function rule(stage, to) {
  const found = rules.find((r) => (r.stage ?? 'data') === stage && (!r.to || to.includes(r.to)));
  if (found && --found.count <= 0) rules.splice(rules.indexOf(found), 1);
  return found;
}

async function keep(bytes, session) {
  const mail = await PostalMime.parse(bytes, { attachmentEncoding: 'arraybuffer' });
  const id = randomUUID();
  const note = (name, where) => violations.push({ rule: name, where, at: new Date().toISOString() });
  if (!session.secure) note('not-encrypted', 'session');
  if (!session.user) note('not-authenticated', 'session');
  if (!mail.messageId) note('no-message-id', 'headers');
  if (!mail.date) note('no-date', 'headers');
  if (findBsn(mail.subject ?? '')) note('bsn-in-subject', 'subject');
  if (findBsn(mail.text ?? '') || findBsn(mail.html ?? '')) note('bsn-in-body', 'body');
  const attachments = mail.attachments.map((a, i) => {
    const content = Buffer.from(a.content);
    if (findBsn(a.filename ?? '')) note('bsn-in-file-name', 'attachment');
    // Under the name it has in the mail, as a person would save it; nothing of that name can lead elsewhere.
    const path = folder && join(folder, `${id.slice(0, 8)}-${i}-${(a.filename ?? 'bijlage').replace(/[^A-Za-z0-9._-]/g, '_').slice(-80)}`);
    if (path) writeFileSync(path, content);
    raw.set(`${id}-${i}`, content);
    return { name: a.filename, type: a.mimeType, size: content.length, sha256: sha256(content), path };
  });
  // A second delivery of one Message-ID is the same mail: a real mailbox would show it once, and a booking program would not.
  const same = db.mails.find((m) => m.messageId === mail.messageId && JSON.stringify(m.to) === JSON.stringify(session.envelope.rcptTo.map((r) => r.address)));
  if (same) {
    const files = (m) => JSON.stringify(m.map(({ name, sha256: sum }) => [name, sum]));
    if (files(same.attachments) !== files(attachments)) note('other-content-under-one-message-id', 'attachments');
    same.copies += 1;
    state.save();
    return;
  }
  if (folder) writeFileSync(join(folder, `${id}.eml`), bytes);
  db.mails.push({
    id, at: new Date().toISOString(), from: session.envelope.mailFrom?.address, to: session.envelope.rcptTo.map((r) => r.address), subject: mail.subject ?? '', messageId: mail.messageId ?? '',
    text: mail.text ?? '', html: Boolean(mail.html), links: [...(mail.text ?? '').matchAll(/https?:\/\/[^\s<>")]+/g)].map((m) => m[0]), attachments, copies: 1, path: folder && join(folder, `${id}.eml`),
  });
  state.save();
}

const smtp = new SMTPServer({
  secure: false, authOptional: args.authOptional === 'true', authMethods: ['PLAIN', 'LOGIN'], size: 26 * 1024 * 1024, closeTimeout: 200, disableReverseLookup: true, logger: false,
  ...(args.cert ? { cert: readFileSync(args.cert), key: readFileSync(args.key), minVersion: 'TLSv1.2' } : { disabledCommands: ['STARTTLS'] }),
  onAuth(auth, session, done) {
    if (args.cert && !session.secure) return done(refusal(538, 'Versleuteling is vereist'));
    return auth.username === user && auth.password === password ? done(null, { user }) : done(refusal(535, 'Naam of wachtwoord klopt niet'));
  },
  onRcptTo(address, session, done) {
    const found = rule('rcpt', address.address);
    done(found ? refusal(found.code ?? 550, 'geweigerd op verzoek') : undefined);
  },
  onData(stream, session, done) {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', async () => {
      const found = rule('data', session.envelope.rcptTo.map((r) => r.address).join());
      if (found && found.mode !== 'drop-after') {
        if (found.mode === 'drop') return smtp.connections.forEach((c) => c.session.id === session.id && c._socket.destroy());
        return done(refusal(found.code ?? 451, 'geweigerd op verzoek'));
      }
      try { await keep(Buffer.concat(chunks), session); } catch (error) { console.error(JSON.stringify({ partner: 'smtp', error: error.message })); return done(refusal(451, 'niet te verwerken')); }
      // Taken, but the sender never hears it: the outcome is unknown to it.
      if (found) return smtp.connections.forEach((c) => c.session.id === session.id && c._socket.destroy());
      return done(null, 'OK aangenomen');
    });
  },
});
smtp.on('error', (error) => {
  if (error.code === 'EADDRINUSE') { console.error(`smtp: port ${args.smtpPort} is taken; choose another with --smtp-port`); process.exit(1); }
  // A client that breaks TLS or goes away is its own trouble, not ours.
});

const find = (id) => db.mails.find((m) => m.id === id) ?? (() => { throw new Refusal(404, 'not-found', 'Geen bericht'); })();
function handle(call) {
  const [, first, id, , index] = call.path.split('/');
  if (call.path === '/api/mails') return call.send(200, db.mails.filter((m) => !call.query.has('to') || m.to.includes(call.query.get('to'))));
  if (call.path === '/') {
    return call.html('Postbus', `<p>Alle mail die de demonstratie verstuurde, de nieuwste eerst.</p><table><caption>${db.mails.length} berichten</caption><thead><tr><th scope="col">Ontvangen</th><th scope="col">Aan</th><th scope="col">Onderwerp</th><th scope="col">Bijlagen</th></tr></thead><tbody>${
      [...db.mails].reverse().map((m) => `<tr><td>${escapeHtml(m.at.slice(11, 19))}</td><td>${escapeHtml(m.to.join(', '))}</td><td><a href="/mail/${m.id}">${escapeHtml(m.subject || '(geen onderwerp)')}</a></td><td>${m.attachments.length || ''}</td></tr>`).join('')}</tbody></table>`);
  }
  if (first !== 'mail') throw new Refusal(404, 'not-found', 'Niet gevonden');
  const mail = find(id);
  if (index !== undefined) {
    const part = mail.attachments[Number(index)];
    if (!part) throw new Refusal(404, 'not-found', 'Geen bijlage');
    const content = raw.get(`${id}-${index}`) ?? readFileSync(part.path);
    return call.send(200, content, { 'Content-Type': part.type, 'X-Content-Type-Options': 'nosniff', 'Content-Disposition': `${part.type === 'application/pdf' ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeURIComponent(part.name ?? 'bijlage')}` });
  }
  const text = escapeHtml(mail.text).replaceAll(/https?:\/\/[^\s<>&]+(?:&#38;[^\s<>&]+)*/g, (link) => `<a href="${link}">${link}</a>`);
  return call.html(mail.subject || '(geen onderwerp)', `<p><a href="/">Postbus</a></p><dl><dt>Van</dt><dd>${escapeHtml(mail.from)}</dd><dt>Aan</dt><dd>${escapeHtml(mail.to.join(', '))}</dd><dt>Message-ID</dt><dd><code>${escapeHtml(mail.messageId)}</code></dd></dl><pre>${text}</pre>${
    mail.attachments.length ? `<h2>Bijlagen</h2><ul>${mail.attachments.map((a, i) => `<li><a href="/mail/${id}/bijlage/${i}">${escapeHtml(a.name)}</a> (${escapeHtml(a.type)}, ${a.size} bytes)</li>`).join('')}</ul>` : ''}`);
}

await new Promise((resolve) => smtp.listen(Number(args.smtpPort ?? 0), '127.0.0.1', resolve));
({ violations } = serve({
  name: 'smtp', args, state, handle, more: { smtpPort: smtp.server.address().port },
  control: {
    async rule(call) { rules.push({ count: 1, ...(await call.json()) }); call.send(204); },
  },
}));
