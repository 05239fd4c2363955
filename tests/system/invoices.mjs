// What a finance department does, at the real broker: one declaration whose halves go by webhook and by mail, one that goes by drop
// folder; every word of `schakel invoice`; a bounce out of a maildir; the files, the CSV and the PDF of the month.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './demo/processes.mjs';
import { binary, root, setStage } from './demo/stage.mjs';
import { Story, until } from './demo/story.mjs';
import { BSN, PEOPLE } from './demo/world.mjs';

const home = process.env.DEMO_DIR ?? join(root, 'build', 'invoices');
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
let passed = 0;
let failed = 0;
async function item(name, body) {
  try { await body(); passed += 1; console.log(`ok ${name}`); } catch (error) { failed += 1; console.log(`NOT OK ${name}: ${error.stack}`); }
}
const returns = join(home, 'retourpost');
const folder = join(home, 'uitwisseling');
const endpoint = (parties, party, role) => parties.parties.find((p) => p.id === party).endpoints.find((e) => e.roles.includes(role) && e.kinds.includes('invoice'));
const stage = await setStage({
  home, base: Number(process.env.DEMO_PORT ?? 9743), tell: () => {},
  adapt(config, parties) {
    mkdirSync(join(returns, 'new'), { recursive: true });
    mkdirSync(folder, { recursive: true });
    config.mail.returns = { maildir: returns, every_seconds: 1 };
    config.adapters.boekhouding = { plugin: 'webhook', party: 'gemeente-zandoever', config: { ...config.adapters['swv-systeem'].config, profile: 'peppol' } };
    config.adapters.map = { plugin: 'file_drop', config: { out_folder: folder } };
    endpoint(parties, 'gemeente-zandoever', 'gemeente_financien').adapter = 'boekhouding';
    const gemeente = parties.parties.find((p) => p.id === 'gemeente-zandoever');
    gemeente.endpoints.push({ roles: ['gemeente_financien'], regions: ['KNH'], kinds: ['signal'], adapter: 'facturen', address: { mail: 'crediteuren@gemeente-zandoever.example' } });
  },
});
/** One command: exit status, output, and the output as JSON when it was asked for. */
const schakel = (...words) => run(binary, ['--config', stage.config, ...words]);
function invoice(...words) {
  const r = schakel('invoice', ...words);
  return { ...r, json: () => JSON.parse(r.out) };
}
const asked = (...words) => { const r = invoice(...words, '--json'); assert.equal(r.status, 0, `${words.join(' ')}: ${r.err}`); return r.json(); };
const problem = (r, status, code) => { assert.equal(r.status, status, r.err + r.out); assert.match(r.err, new RegExp(code)); };
const month = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Amsterdam', year: 'numeric', month: '2-digit' }).format(new Date());

try {
  const story = new Story(stage.players, stage.places, () => {});
  await story.open();
  const events = async () => (await story.json('webhook', '/__control/state')).events;
  const declare = async (n, cents) => {
    const now = new Date();
    story.month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - n, 1)).toISOString().slice(0, 7);
    const answer = await story.control('zorgaanbieder', 'jw323', story.declaration('jw323', `D${n}${story.run.slice(0, 6)}`, story.month, now.toISOString().slice(0, 10), [
      { reference: `${story.run}-${n}`, category: '50', product: 'ZBGRS', volume: cents, unit: '83', cents },
    ]));
    assert.ok(answer.status >= 200 && answer.status < 300, `${answer.status} ${answer.body}`);
    return `12345678-D${n}${story.run.slice(0, 6)}-1`;
  };

  let number;
  let half;
  await item('one declaration: the invoice to the gemeente by webhook as UBL, the half of the swv by mail', async () => {
    number = await declare(1, 33333);
    const [event] = await until('the invoice at the webhook', async () => { const all = (await events()).filter((e) => e.data?.root); return all.length && all; });
    assert.deepEqual([event.mode, event.copies, event.data.root, event.data.number, event.data.payable, event.data.pdf], ['binary', 1, 'Invoice', number, '333.33', true]);
    assert.match(event.data.profile, /peppol/);
    const mail = await story.invoiceMail('oza@swvkopvannoordholland.nl', 0);
    half = { messageId: mail.messageId };
    const read = await story.read(mail);
    assert.deepEqual([read.number, read.payable], [`DB-${number}`, '166.66']);
  });

  await item('list: everything, one case, none; as a table and as JSON', async () => {
    const all = await until('both sent', () => { const j = asked('list'); return j.uit.length === 2 && j.uit.every((i) => i.status === 'verzonden') && j; });
    assert.deepEqual(all.uit.map((i) => [i.betaler, i.bedragCent]).sort(), [['gemeente', 33333], ['swv', 16666]]);
    half.id = all.uit.find((i) => i.betaler === 'swv').aflevering;
    assert.equal(asked('list', '--case', story.zaak).uit.length, 2);
    assert.equal(asked('list', '--case', 'Z-AAAAAAAAAAAAAAAA').uit.length, 0);
    const table = invoice('list');
    assert.equal(table.status, 0);
    assert.match(table.out, /NUMMER +SOORT +BETALER/);
    assert.match(table.out, new RegExp(`DB-${number} .*166\\.66 +verzonden`));
  });
  await item('show: by its own number, by that of its source, and one that is not there', async () => {
    assert.equal(asked('show', `DB-${number}`).uit.length, 1);
    const source = asked('show', number);
    assert.equal(source.binnen.length, 1);
    assert.equal(source.uit.length, 2);
    problem(invoice('show', 'BESTAAT-NIET'), 1, 'INVOICE_UNKNOWN');
    assert.equal(JSON.parse(invoice('show', 'BESTAAT-NIET', '--json').err).code, 'INVOICE_UNKNOWN');
  });
  await item('reconcile: the month closes, in figures, as JSON and as the same PDF each time', () => {
    const pdf = [1, 2].map((n) => join(home, `overzicht-${n}.pdf`));
    for (const path of pdf) assert.equal(invoice('reconcile', '--month', month, '--pdf', path, '--made', '2026-11-03').status, 0);
    problem(invoice('reconcile', '--month', month, '--pdf', pdf[0], '--made', 'gisteren'), 1, 'DATE_FORMAT');
    const [first, second] = pdf.map((path) => readFileSync(path));
    assert.ok(first.subarray(0, 5).equals(Buffer.from('%PDF-')) && first.equals(second), 'byte for byte the same');
    assert.ok(first.includes('/Lang'), 'it says its language');
    const books = asked('reconcile', '--month', month);
    assert.deepEqual([books.sluit, books.bronCent, books.verdeeldCent, books.open], [true, 33333, 33333, []]);
    assert.deepEqual(books.betalers, { gemeente: { inCent: 16667, uitCent: 16667 }, swv: { inCent: 16666, uitCent: 16666 } });
    for (const row of books.regels) assert.match(row.betalerPartij, new RegExp(`^${row.betaler}-`), 'the party that the documents name');
    assert.match(invoice('reconcile', '--month', month).out, /De maand sluit: in = uit/);
    problem(invoice('reconcile', '--month', '2026-13'), 1, 'MONTH_FORMAT');
    problem(invoice('reconcile', '--month', month, '--pdf', '/bestaat/niet.pdf'), 1, 'FILE_WRITE');
    assert.equal(asked('reconcile', '--month', '2020-01').bronfacturen, 0);
  });
  await item('export: a CSV and each UBL as it was sent', async () => {
    const to = join(home, 'uitvoer');
    const done = asked('export', '--month', month, '--to', to);
    assert.deepEqual([done.ubl, done.zonderUbl], [2, 0]);
    const names = readdirSync(to);
    assert.equal(names.length, 3);
    const csv = readFileSync(join(to, `facturen-${month}.csv`), 'utf8').trim().split('\n');
    assert.equal(csv[0], 'nummer;soort;betaler;ontvanger;bedrag;btw;netto;status;code;bron;crediteert;zaak;gemaaktOp;aflevering;btwregels;betalerPartij;ontvangerPartij;factuurdatum;vervaldatum;verstuurdAls');
    assert.ok(csv.slice(1).every((l) => /;(gemeente|swv)-[a-z-]+;[a-z-]+;\d{4}-\d{2}-\d{2};\d{4}-\d{2}-\d{2};$/.test(l)), csv.join('\n'));
    assert.ok(csv.slice(1).some((l) => l.startsWith(`DB-${number};`) && l.includes(';166,66;0,00;166,66;verzonden;')), csv.join('\n'));
    const file = names.find((n) => n.startsWith(`${number}.`));
    const sent = (await events()).find((e) => e.data?.number === number);
    assert.equal(sha256(readFileSync(join(to, file))), sent.data.sha256, 'byte for byte what the gemeente got');
    for (const name of names) for (const canary of [BSN, ...Object.values(PEOPLE).map((p) => p.naam)]) assert.ok(!readFileSync(join(to, name)).includes(canary), canary);
    problem(invoice('export', '--month', 'oktober', '--to', to), 1, 'MONTH_FORMAT');
    assert.notEqual(invoice('export', '--month', month, '--to', '/proc/kan-niet').status, 0);
  });

  const dsn = (id, own, action = 'failed', code = '5.1.1') => `Message-ID: <${own}@mta.example>\r\nFrom: MAILER-DAEMON@mta.example\r\nSubject: Undelivered\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n${PEOPLE['ib-1'].naam} is onbekend\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mta.example\r\n\r\nFinal-Recipient: rfc822; oza@swvkopvannoordholland.nl\r\nAction: ${action}\r\nStatus: ${code}\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: ${id}\r\n\r\n--b--\r\n`;
  /** As a mail server delivers: written elsewhere, then renamed. */
  const deliver = (name, text) => { const at = join(home, name); writeFileSync(at, text); renameSync(at, join(returns, 'new', name)); };
  await item('a bounce in the maildir: refused, finance told by mail once, the month open', async () => {
    deliver('1000.a', dsn(half.messageId, 'dsn-1'));
    deliver('1001.b', `Received: by x\r\n${dsn(half.messageId, 'dsn-1')}`);
    deliver('1002.c', 'From: x@example.nl\r\nSubject: vraag\r\n\r\nKlopt dit?\r\n');
    await until('the bounce', () => asked('list').uit.find((i) => i.aflevering === half.id).status === 'geweigerd');
    await until('an empty maildir', () => readdirSync(join(returns, 'new')).length === 0);
    assert.deepEqual(readdirSync(join(returns, 'cur')).sort(), ['1000.a:2,S', '1001.b:2,S', '1002.c:2,']);
    const found = asked('list').uit.find((i) => i.aflevering === half.id);
    assert.deepEqual([found.code, found.open], ['BOUNCE_5.1.1', true]);
    const books = invoice('reconcile', '--month', month, '--json');
    assert.equal(books.status, 1);
    assert.deepEqual(books.json().open.map((o) => [o.wat, o.betaler, o.bedragCent]), [['REFUSED', 'swv', 16666]]);
    assert.match(invoice('reconcile', '--month', month).out, /sluit NIET/);
    const log = readFileSync(join(home, 'log', 'schakel.jsonl'), 'utf8');
    for (const secret of [PEOPLE['ib-1'].naam, 'oza@', 'Klopt dit']) assert.ok(!log.includes(secret), secret);
    const told = () => story.mails('crediteuren@gemeente-zandoever.example');
    const [mail] = await until('the mail to finance', async () => { const all = await told(); return all.length && all; });
    assert.match(mail.subject, new RegExp(`^Factuur DB-${number}: is door de ontvanger geweigerd`));
    assert.match(mail.text, /BOUNCE_5\.1\.1/);
    assert.equal((await told()).length, 1, 'once');
  });
  await item('sent again after its cause was mended: the same mail, and received', async () => {
    const again = run(binary, ['--config', stage.config, 'dlq', 'resend', half.id, '--reason', 'adres hersteld', '--yes']);
    assert.equal(again.status, 0, again.err);
    await until('verzonden', () => asked('list').uit.find((i) => i.aflevering === half.id).status === 'verzonden');
    // The mailbox shows two mails of one Message-ID as one with two copies, and says it when their attachments differ.
    const mails = (await story.mails('oza@swvkopvannoordholland.nl')).filter((m) => m.messageId === half.messageId);
    assert.deepEqual(mails.map((m) => m.copies), [2], 'it really went out once more, under the same Message-ID');
    assert.deepEqual(await story.json('postbus', '/__control/violations'), [], 'with the same attachments');
    deliver('1003.d', dsn(half.messageId, 'dsn-2', 'delivered', '2.0.0'));
    await until('ontvangen', () => asked('list').uit.find((i) => i.aflevering === half.id).status === 'ontvangen');
    assert.equal(invoice('reconcile', '--month', month).status, 0);
  });
  await item('bounce by hand: what is no report, what is about none, what is not there', () => {
    const mail = join(home, 'geen-melding.eml');
    writeFileSync(mail, 'Subject: x\r\n\r\nx\r\n');
    problem(invoice('bounce', mail), 1, 'BOUNCE_NOT_A_REPORT');
    writeFileSync(mail, dsn('<vreemd@example.nl>', 'dsn-3'));
    problem(invoice('bounce', mail), 1, 'BOUNCE_UNKNOWN');
    problem(invoice('bounce', join(home, 'weg.eml')), 1, 'FILE_READ');
    writeFileSync(mail, dsn(half.messageId, 'dsn-2', 'delivered', '2.0.0'));
    assert.equal(invoice('bounce', mail).status, 0, 'known');
  });
  await item('status: by hand and by who pays it; others learn nothing', async () => {
    const asks = invoice('status', half.id, 'geweigerd', '--reason', 'telefoon');
    assert.equal(asks.status, 0);
    assert.match(asks.out, /would record of A-\S+ that it is geweigerd\. Add --yes/);
    problem(invoice('status', half.id, 'geweigerd', '--reason', 'telefoon', '--yes'), 1, 'INVOICE_CODE');
    problem(invoice('status', half.id, 'misschien', '--reason', 'telefoon', '--yes'), 1, 'INVOICE_STATUS');
    problem(invoice('status', 'A-bestaatniet', 'verwerkt', '--reason', 'telefoon', '--yes'), 1, 'INVOICE_UNKNOWN');
    const post = (party, body) => stage.players[party].call('POST', `/v1/facturen/${half.id}/status`, body);
    for (const other of ['school', 'zorgaanbieder', 'gemeente']) assert.equal((await post(other, { status: 'verwerkt' })).status, 404, other);
    assert.equal((await post('swv', { status: 'betaald' })).status, 400);
    assert.equal((await post('swv', { status: 'verwerkt', code: 'BETAALD' })).status, 202);
    await until('verwerkt', () => asked('list').uit.find((i) => i.aflevering === half.id).status === 'verwerkt');
    for (const path of ['/v1/beheer/facturen', `/v1/beheer/facturen/uitvoer?maand=${month}`, `/v1/beheer/facturen/aansluiting?maand=${month}`]) {
      assert.ok([403, 404].includes((await stage.players.gemeente.call('GET', path)).status), `${path} is for the operator alone`);
    }
    const resend = (...more) => schakel('dlq', 'resend', half.id, '--reason', 'wil hem nog eens', ...more, '--yes');
    problem(resend(), 5, 'ALREADY_DELIVERED');
    assert.equal(resend('--again').status, 0);
    await until('a third copy', async () => (await story.mails('oza@swvkopvannoordholland.nl')).some((m) => m.messageId === half.messageId && m.copies === 3));
    assert.equal(asked('list').uit.find((i) => i.aflevering === half.id).status, 'verwerkt', 'it is paid as before');
    const own = await stage.players.swv.call('GET', `/v1/facturen?zaak=${story.zaak}`);
    assert.equal(own.status, 200);
    assert.deepEqual(own.body.uit.map((i) => i.betaler), ['swv'], 'only what it pays');
  });
  await item('help and wrong words', () => {
    const help = invoice('--help');
    assert.equal(help.status, 0);
    for (const word of ['list', 'show', 'export', 'reconcile', 'status', 'dismiss', 'refuse', 'new-series', 'after-restore', 'bounce']) assert.ok(help.out.includes(word), word);
    for (const word of ['export', 'reconcile', 'status', 'dismiss', 'refuse', 'after-restore', 'bounce', 'show']) {
      assert.equal(invoice(word, '--help').status, 0, word);
      assert.equal(invoice(word).status, 2, `${word} without what it needs`);
    }
    assert.equal(invoice().status, 2);
    assert.equal(invoice('list', '--onzin').status, 2);
    assert.match(invoice('new-series').out, /--yes/, 'only says what it would do');
    assert.equal(asked('new-series', '--yes').reeks >= 1, true);
    if (process.getuid() === 0) {
      for (const path of [home, stage.folder, join(stage.folder, 'run')]) chmodSync(path, 0o755);
      const other = run('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', binary, '--socket', join(stage.folder, 'run', 'schakel.sock'), 'invoice', 'list']);
      assert.equal(other.status, 3, 'another user is not the operator');
    }
  });

  // new-series says that a copy was put back: what left before the loss is in no store.
  await item('after a restore no invoice leaves by itself until a person has looked', async () => {
    const before = { events: (await events()).length, mails: (await story.mails('oza@swvkopvannoordholland.nl')).length };
    const source = await declare(3, 1001);
    const waiting = await until('both halves parked', () => {
      const all = asked('list').uit.filter((i) => i.bron === source);
      return all.length === 2 && all.every((i) => i.code === 'RESTORED') && all;
    });
    assert.match(schakel('status').out, /after-restore/);
    problem(invoice('after-restore', '--reason', 'postbussen vergeleken', '--yes'), 5, 'INVOICES_WAIT');
    assert.equal(invoice('reconcile', '--month', month).status, 1, 'they are open items');
    assert.deepEqual([(await events()).length, (await story.mails('oza@swvkopvannoordholland.nl')).filter((m) => m.subject.includes(source)).length], [before.events, 0]);
    // The gemeente has booked its own before the loss, under another number; the half of the swv had not left.
    const [own, other] = [waiting.find((i) => i.betaler === 'gemeente'), waiting.find((i) => i.betaler === 'swv')];
    problem(invoice('status', own.aflevering, 'ontvangen', '--sent-as', 'met spatie', '--reason', 'stond er', '--yes'), 1, 'INVOICE_NUMBER');
    assert.equal(invoice('status', own.aflevering, 'ontvangen', '--sent-as', 'GA2026-000007', '--reason', 'stond in de postbus', '--yes').status, 0);
    problem(invoice('after-restore', '--reason', 'postbussen vergeleken', '--yes'), 5, other.aflevering);
    assert.equal(schakel('dlq', 'resend', other.aflevering, '--reason', 'stond niet in de postbus', '--yes').status, 0);
    await until('the half sent by a person', () => asked('list').uit.find((i) => i.aflevering === other.aflevering).status === 'verzonden');
    assert.equal(asked('show', 'GA2026-000007').uit[0].status, 'ontvangen');
    assert.equal((await events()).length, before.events, 'what has arrived is not sent as well');
    assert.match(invoice('after-restore', '--reason', 'postbussen vergeleken').out, /--yes/, 'only says what it would do');
    assert.equal(invoice('after-restore', '--reason', 'postbussen vergeleken', '--yes').status, 0);
    problem(invoice('after-restore', '--reason', 'postbussen vergeleken', '--yes'), 5, 'NOT_RESTORED');
    assert.doesNotMatch(schakel('status').out, /after-restore/);
  });

  await item('by drop folder: UBL, PDF and the message that names them, whole or not at all; kill -9 in between', async () => {
    await stage.kill();
    const file = join(stage.folder, 'parties.json');
    const parties = JSON.parse(readFileSync(file, 'utf8'));
    endpoint(parties, 'gemeente-zandoever', 'gemeente_financien').adapter = 'map';
    writeFileSync(file, JSON.stringify(parties));
    await stage.up();
    // The target is away: nobody can write into a folder that is not there.
    renameSync(folder, `${folder}-leeg`);
    const second = await declare(2, 20001);
    await until('an attempt', () => asked('list').uit.some((i) => i.bron === second && i.betaler === 'gemeente' && i.code !== ''));
    await stage.kill();
    renameSync(`${folder}-leeg`, folder);
    await stage.up();
    const id = asked('list').uit.find((i) => i.bron === second && i.betaler === 'gemeente').aflevering;
    const deadline = Date.now() + 90_000;
    const names = await until('the files', () => { const all = readdirSync(folder); return all.some((n) => n.endsWith('.json')) && all; }, (deadline - Date.now()) / 1000);
    assert.deepEqual(names.map((n) => n.split('.').at(-1)).sort(), ['json', 'pdf', 'xml'], names.join());
    const message = JSON.parse(readFileSync(join(folder, names.find((n) => n.endsWith('.json')))));
    assert.equal(message.id, id);
    for (const document of message.documents) assert.equal(sha256(readFileSync(join(folder, document.file))), document.sha256);
    assert.ok(names.every((n) => !n.includes(BSN) && !n.includes(story.zaak)));
    await until('verzonden', () => asked('list').uit.filter((i) => i.bron === second).every((i) => i.status === 'verzonden'));
    assert.equal(readdirSync(folder).length, 3, 'once');
    assert.equal((await story.mails('oza@swvkopvannoordholland.nl')).filter((m) => m.subject.includes(`DB-${second}`)).length, 1);
    assert.equal(invoice('reconcile', '--month', month).status, 0);
  });
  await item('no partner saw what may not be', async () => {
    for (const place of ['postbus', 'webhook', 'zorgaanbieder']) assert.deepEqual(await story.json(place, '/__control/violations'), [], place);
    assert.ok(existsSync(join(home, 'log', 'schakel.jsonl')));
  });
} catch (error) {
  failed += 1;
  console.log(`NOT OK ${error.stack}`);
} finally {
  await stage.end();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
