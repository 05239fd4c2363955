// One case of Kop van Noord-Holland, played from its opening to the credit note. Each step says what it did and proves what arrived.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { pdf } from '../../partners/lib/pdf.mjs';
import { appCode, Visitor } from './client.mjs';
import { BSN, PEOPLE } from './world.mjs';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const day = (date) => date.toISOString().slice(0, 10);
/** The instant of a wall-clock time in Amsterdam on a date YYYY-MM-DD. */
function amsterdam(date, time) {
  for (const offset of ['+01:00', '+02:00']) {
    const at = new Date(`${date}T${time}:00${offset}`);
    if (new Intl.DateTimeFormat('nl-NL', { timeZone: 'Europe/Amsterdam', hour: '2-digit', minute: '2-digit' }).format(at) === time) return at;
  }
  throw new Error('no such time');
}
/** Waits for what another process does; fails with what was last seen. */
export async function until(what, look, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    try { const value = await look(); if (value) return value; last = 'not yet'; } catch (error) { last = error.message; if (error.final) throw error; }
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s (${last})`);
    await new Promise((resolve) => { setTimeout(resolve, 150); });
  }
}

export class Story {
  /** players: Party by name; places: URL of each partner's page; tell(text): a progress line. */
  constructor(players, places, tell) { Object.assign(this, { players, places, tell, run: randomUUID().slice(0, 8), result: {} }); }

  async json(place, path) { return (await fetch(this.places[place] + path)).json(); }
  mails(to) { return this.json('postbus', `/api/mails?to=${encodeURIComponent(to)}`); }

  /** Everything accepted is decided, and everything decided has arrived. */
  rest() { return until('a broker at rest', () => { const s = this.players.beheer('status'); return s.onbeslist === 0 && s.wachtend === 0; }); }

  /** Posts a message and waits for its decision. */
  async say(who, type, role, payload = {}, envelope = {}) {
    const party = this.players[who];
    const event = party.event(`${this.run}-${type}-${randomUUID().slice(0, 6)}`, type, this.zaak, { region: 'KNH', sender: { role }, ...envelope, ...payload });
    const posted = await party.send(event);
    assert.equal(posted.status, 202, `${type}: ${posted.status} ${JSON.stringify(posted.body)}`);
    const { volgnummer } = posted.body.berichten[0];
    const decided = await until(`the decision on ${type}`, async () => { const { body } = await party.call('GET', `/v1/berichten/${volgnummer}?uitleg=true`); return body.uitkomst && body; });
    return { event, ...decided };
  }

  async open() {
    let date = new Date(Date.now() + 21 * 86400_000);
    while (date.getUTCDay() !== 4) date = new Date(date.getTime() + 86400_000);
    this.meeting = amsterdam(day(date), '13:30');
    const year = new Date().getUTCFullYear();
    const opened = await this.players.school.call('POST', '/v1/zaken', {
      region: 'KNH', sender: { role: 'school_ib', person: 'ib-1' }, reference: `LAS-${this.run}`,
      pupil: { birth_date: '2016-06-21', school: 'Basisschool Het Papieren Schip', school_type: 'PO', enrolled: true },
      case: {
        question_kind: 'onderwijs_zorg', wijkteam_involved: false, gi_involved: false, extra_support: true, custody: ['ouder_1', 'ouder_2'], dossier_exists: false,
        situation: 'elders', contract_holder: 'gemeente', dispute: false, funding_agreed: true, funding_period: [`${year - 1}-08-01`, `${year + 1}-07-31`],
        funding: [{ activity: 'zorgboerderij', kind: 'zorg', payer: 'gemeente' }, { activity: 'dagstructuur', kind: 'grijs', payer: '50/50' }, { activity: 'onderwijs op locatie', kind: 'onderwijs', payer: 'swv' }],
      },
      meeting: { kind: 'OT', at: this.meeting.toISOString() },
    }, { 'Idempotency-Key': randomUUID() });
    assert.equal(opened.status, 201, JSON.stringify(opened.body));
    this.zaak = opened.body.id;
    for (const [person, value] of Object.entries(PEOPLE)) {
      const put = await this.players.school.call('PUT', `/v1/zaken/${this.zaak}/deelnemers/${person}`, value);
      assert.equal(put.status, 204, JSON.stringify(put.body));
    }
    assert.equal((await this.players.school.call('PUT', `/v1/zaken/${this.zaak}/bsn`, { bsn: BSN })).status, 204);
    this.result.zaak = this.zaak;
    this.tell(`De school opent zaak ${this.zaak}; het OT is op ${new Intl.DateTimeFormat('nl-NL', { dateStyle: 'full', timeStyle: 'short', timeZone: 'Europe/Amsterdam' }).format(this.meeting)}.`);
  }

  /** Two hulpvragen at OnderwijsTransparant: one that never gets a case, and behind it ours, filed before the case has its number. */
  async hulpvraag() {
    const file = async () => { const made = await this.control('onderwijstransparant', 'hulpvraag', { documenten: [{ soort: 'opp', titel: 'Ontwikkelingsperspectief bij de hulpvraag' }] }); assert.ok(made.id, JSON.stringify(made)); return made; };
    await file();
    const ours = await file();
    const waiting = () => this.players.beheer('status').doelen.find((d) => d.naam === 'onderwijstransparant').wachtOpInname;
    await until('two hulpvragen that wait for their case', () => waiting() === 2);
    const named = await this.players.school.call('PUT', `/v1/zaken/${this.zaak}/kenmerken/onderwijstransparant`, { kenmerk: ours.id });
    assert.equal(named.status, 204, JSON.stringify(named.body));
    const mine = () => this.players.beheer('case', this.zaak).berichten.filter((b) => b.type === 'hulpvraagmelding');
    await until('the hulpvraag in the case', () => mine().length === 1 && mine()[0].uitkomst);
    assert.equal(waiting(), 1, 'the one without a case waits and holds nobody up');
    // The log orders its leaves once a second.
    const kept = await until('the leaf of its document', () => { const found = this.players.beheer('audit', 'list').bladen.filter((b) => b.kind === 'document.stored' && b.ids.party === 'onderwijstransparant'); return found.length && found; });
    assert.deepEqual(kept.map((b) => b.ids.sha256), ours.documenten.map((d) => d.sha256));
    // Kop van Noord-Holland has no rule that sends a hulpvraag on (Maassluis, Vlaardingen and Schiedam have): it stays in the case.
    assert.deepEqual([mine()[0].uitkomst, mine()[0].codes], ['blocked', ['AUDIENCE_NOT_INVOLVED']]);
    this.tell('De hulpvraag van de school kwam met haar OPP uit OnderwijsTransparant in de zaak; een hulpvraag zonder zaak wacht en houdt niemand op.');
    this.hulpvraagId = ours.id;
  }

  /** What the gemeente found becomes the status of the school's hulpvraag, where the school looks. */
  async status() {
    const decision = await this.say('gemeente', 'volledigheidscheck', 'jeugdhulpdeskundige', { complete: true });
    assert.equal(decision.uitkomst, 'delivered', JSON.stringify(decision.codes));
    const own = await until('the status at OnderwijsTransparant', async () => {
      const { hulpvragen } = await this.json('onderwijstransparant', '/__control/state');
      const h = hulpvragen.find((x) => x.hulpvraag.id === this.hulpvraagId);
      return h.statussen.length && h;
    });
    assert.deepEqual(own.statussen.map((s) => s.status), ['in_behandeling']);
    assert.ok(own.statussen[0].zaakkenmerk && own.statussen[0].zaakkenmerk !== this.zaak, 'a partner gets the case under a name of its own');
    this.tell('De gemeente vindt de stukken volledig; de hulpvraag staat bij OnderwijsTransparant nu in behandeling.');
  }

  /** The intern begeleider has no phone for SMS: the operator enrols an app, the school names it, and its code opens the workplace. */
  async app() {
    const name = `ib-${this.run}`;
    const { mail } = PEOPLE['ib-1'];
    const put = (factor) => this.players.school.call('PUT', `/v1/zaken/${this.zaak}/deelnemers/ib-1`, { ...PEOPLE['ib-1'], tweedeFactor: factor });
    const unknown = await put(`totp:${name}`);
    assert.deepEqual([unknown.status, unknown.body.code], [400, 'AUTHENTICATOR_UNKNOWN']);
    const { otpauth } = this.players.beheer('link', 'authenticator', 'add', name, '--yes');
    const known = await put(`totp:${name}`);
    assert.equal(known.status, 204, JSON.stringify(known.body));
    await this.rest();
    const links = async () => (await this.mails(mail)).flatMap((m) => m.links).filter((l) => l.includes('#'));
    const before = await links();
    this.players.beheer('link', 'workplace', '--case', this.zaak, '--person', 'ib-1', '--yes');
    const link = await until('the mail with the workplace', async () => (await links()).find((l) => !before.includes(l)));
    const visitor = new Visitor(link);
    const page = await visitor.post(visitor.form(await visitor.open(), '/code')[0], appCode(otpauth));
    assert.equal(page.status, 200, page.text?.slice(0, 400));
    assert.ok(visitor.form(page, '/document').length, 'the workplace takes documents');
    this.tell('De beheerder schrijft de authenticator-app van de intern begeleider in; met een code daaruit opent de werkplek.');
  }

  async upload() {
    this.documents = [];
    for (const [docType, status, title, lines] of [
      ['groeidocument', 'compleet', 'Groeidocument', ['Verzonnen leerling van Basisschool Het Papieren Schip.', 'Wat gaat goed: tekenen, buiten werken, een vast maatje.', 'Wat is nodig: rust, korte instructie, een plek om op adem te komen.']],
      ['opp', 'concept', 'Ontwikkelingsperspectief (concept)', ['Doelen voor het komende halfjaar, op te stellen in het OT.', 'Uitstroomprofiel: wordt besproken.']],
    ]) {
      const bytes = pdf(title, lines);
      const answer = await this.players.school.call('POST', `/v1/documenten?zaak=${this.zaak}&docType=${docType}&status=${status}&versie=1`, bytes, { 'Content-Type': 'application/pdf' });
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      assert.equal(answer.body.sha256, sha256(bytes));
      this.documents.push({ document: answer.body.id, doc_type: docType, version: 1, status, sha256: answer.body.sha256 });
    }
    this.tell('De school levert twee PDF-documenten aan: groeidocument en OPP (concept).');
  }

  deliver() {
    return this.say('school', 'documentlevering', 'school_ib', { documents: ['groeidocument', 'opp'], meeting: 'OT' }, { addressed_to: ['orthopedagoog', 'jeugdhulpdeskundige', 'smw'], attachments: this.documents });
  }

  async consent() {
    await this.say('school', 'toestemming', 'ouder_1', { purpose: 'documents' });
    const early = await this.deliver();
    assert.deepEqual([early.uitkomst, early.codes], ['blocked', ['CONSENT_PARTIAL']]);
    this.tell('Een ouder geeft toestemming. Versturen mag nog niet: CONSENT_PARTIAL, want beide ouders hebben gezag.');
    await this.say('school', 'toestemming', 'ouder_2', { purpose: 'documents' });
    this.tell('De andere ouder geeft ook toestemming.');
  }

  async documents_out() {
    const decision = await this.deliver();
    assert.equal(decision.uitkomst, 'delivered', JSON.stringify(decision.codes));
    assert.deepEqual(decision.ontvangers.map((o) => o.rol).sort(), ['jeugdhulpdeskundige', 'orthopedagoog']);
    assert.deepEqual(decision.nietNaar.map((n) => [n.rol, n.code]), [['smw', 'AUDIENCE_NOT_INVOLVED']]);
    const rules = [...new Set(decision.uitleg.filter((u) => u.resultaat === 'fired').map((u) => u.regel))];
    this.tell(`De documenten gaan naar orthopedagoog en jeugdhulpdeskundige, niet naar smw (AUDIENCE_NOT_INVOLVED). Regels: ${rules.slice(0, 6).join(', ')}.`);
    this.links = {};
    for (const person of ['ortho-1', 'jhd-1']) {
      const { mail, rol } = PEOPLE[person];
      const [message] = await until(`the mail to ${rol}`, async () => { const list = (await this.mails(mail)).filter((m) => m.links.length); return list.length && list; });
      assert.equal(message.attachments.length, 0, 'a link mail carries no documents');
      this.links[rol] = message.links.find((l) => l.includes('#'));
      assert.ok(this.links[rol], 'the secret of the link stands in its fragment');
    }
    this.tell('Twee mails met een beveiligde link zijn aangekomen, zonder inhoud.');
  }

  async enter(rol, number) {
    const visitor = new Visitor(this.links[rol]);
    let page = await visitor.open();
    if (page.status !== 200) return { page };
    const before = (await this.json('sms', `/messages?to=${encodeURIComponent(number)}`)).length;
    if (Visitor.forms(page.text).some((f) => f.action?.endsWith('/code/nieuw'))) page = await visitor.post(visitor.form(page, '/code/nieuw')[0]);
    const sms = await until('the code by SMS', async () => { const list = await this.json('sms', `/messages?to=${encodeURIComponent(number)}`); return list.length > before && list.at(-1); });
    page = await visitor.post(visitor.form(page, '/code')[0], /[0-9]{6,8}/.exec(sms.text)[0]);
    return { visitor, page };
  }

  async opened() {
    const { visitor, page } = await this.enter('jeugdhulpdeskundige', PEOPLE['jhd-1'].tweedeFactor.slice(4));
    assert.equal(page.status, 200, page.text?.slice(0, 400));
    const downloads = [];
    for (const form of visitor.form(page, '/document')) {
      const file = await visitor.post(form);
      assert.equal(file.status, 200);
      downloads.push(sha256(file.bytes));
    }
    assert.deepEqual(downloads.sort(), this.documents.map((d) => d.sha256).sort());
    this.tell('De jeugdhulpdeskundige opent de link met een code per sms en haalt beide documenten op, byte voor byte gelijk.');
  }

  async filed() {
    const state = await until('the dossier at the gemeente', async () => {
      const s = await this.json('zaaksysteem', '/__control/state');
      return s.zaken.length === 1 && s.zaakinformatieobjecten.length === 2 && s.statussen.length >= 1 && s.rollen.length >= 1 && s;
    });
    const [zaak] = state.zaken;
    assert.deepEqual(state.documenten.map((d) => d.integriteit?.waarde).sort(), this.documents.map((d) => d.sha256).sort());
    assert.ok(state.rollen.some((r) => r.betrokkeneIdentificatie?.inpBsn === BSN), 'the gemeente, which may have it, got the BSN in the role');
    assert.deepEqual(await this.json('zaaksysteem', '/__control/violations'), []);
    this.result.dossier = `${this.places.zaaksysteem}/dossier/${zaak.uuid}`;
    this.tell(`De gemeente heeft haar dossier: zaak ${zaak.identificatie} met rol, twee documenten en status.`);
  }

  async withdrawn() {
    const decision = await this.say('school', 'toestemming_intrekking', 'ouder_2', { consent: 'ouder_2:documents' });
    assert.equal(decision.uitkomst, 'recorded');
    const { page } = await until('the revoked link', async () => { const r = await this.enter('orthopedagoog', PEOPLE['ortho-1'].tweedeFactor.slice(4)); return r.page.status === 404 && r; });
    assert.equal(page.status, 404);
    assert.ok(decision.signalen.some((s) => s.code === 'CONSENT_WITHDRAWN_AFTER_DOWNLOAD'), 'who downloaded is told');
    this.tell('Een ouder trekt de toestemming in: de link van de orthopedagoog werkt niet meer; wie al had opgehaald krijgt bericht.');
  }

  async absence() {
    const from = day(new Date(Date.now() - 40 * 86400_000));
    const decision = await this.say('school', 'verzuimmelding', 'school_ib', { kind: 'ongeoorloofd', from_date: from, until: day(new Date(Date.now() - 12 * 86400_000)), hours: 18 });
    assert.equal(decision.uitkomst, 'delivered', JSON.stringify(decision.codes));
    const [melding] = await until('the melding at DUO', async () => { const s = await this.json('duo', '/__control/state'); return s.meldingen.length && s.meldingen; });
    assert.deepEqual([melding.bsnEindigtOp, melding.begin, melding.status], [BSN.slice(-3), from, 'R']);
    const event = await until('the copy for the swv', async () => (await this.json('webhook', '/__control/state')).events.find((e) => JSON.stringify(e.data).includes('verzuimmelding')));
    assert.ok(!JSON.stringify(event).includes(BSN), 'a BSN never goes to the education domain');
    this.result.verzuim = melding.nummer;
    this.tell(`De verzuimmelding staat bij DUO onder nummer ${melding.nummer}; het swv kreeg zijn kopie zonder BSN.`);
  }

  async control(place, what, value) {
    const answer = await fetch(`${this.places[place]}/__control/${what}`, { method: 'POST', body: JSON.stringify(value) });
    return answer.json();
  }
  async invoiceMail(to, after, number) {
    return until(`the invoice mail ${number ?? ''} to ${to}`, async () => (await this.mails(to)).slice(after).find((m) => m.attachments.length >= 2 && (!number || m.subject.includes(number))));
  }
  /** The e-invoice and PDF of a mail: amount to be paid, number, kind. */
  async read(mail) {
    const xml = mail.attachments.find((a) => a.name.endsWith('.xml'));
    const paper = mail.attachments.find((a) => a.name.endsWith('.pdf'));
    assert.equal(xml.name.replace(/\.xml$/, ''), paper.name.replace(/\.pdf$/, ''));
    const [text, bytes] = await Promise.all([xml, paper].map(async (a) => Buffer.from(await (await fetch(`${this.places.postbus}/mail/${mail.id}/bijlage/${mail.attachments.indexOf(a)}`)).arrayBuffer())));
    assert.ok(bytes.subarray(0, 5).equals(Buffer.from('%PDF-')));
    const one = (name) => new RegExp(`<cbc:${name}[^>]*>([^<]*)<`).exec(text.toString())?.[1];
    assert.ok(!text.includes(BSN));
    return { root: /<(?:\w+:)?(Invoice|CreditNote)[\s>]/.exec(text.toString())[1], number: one('ID'), payable: one('PayableAmount'), customization: one('CustomizationID'), files: [xml.path, paper.path] };
  }

  declaration(name, number, month, date, lines) {
    return { identification: `${number}I`.slice(0, 12), number, month, date, sender: '12345678', receiver: '0400', lines: lines.map((l) => ({ bsn: BSN, assignment: 1001, ...l })) };
  }

  async invoice() {
    const now = new Date();
    const last = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1));
    this.month = day(last).slice(0, 7);
    this.declared = this.declaration('jw323', `D${this.run.slice(0, 6)}`, this.month, day(now), [
      { reference: `${this.run}-1`, category: '50', product: 'ZBZRG', volume: 125000, unit: '83', cents: 125000 },
      { reference: `${this.run}-2`, category: '50', product: 'ZBGRS', volume: 33333, unit: '83', cents: 33333 },
      { reference: `${this.run}-3`, category: '50', product: 'ZBOND', volume: 20000, unit: '83', cents: 20000 },
    ]);
    const answer = await this.control('zorgaanbieder', 'jw323', this.declared);
    assert.ok(answer.status >= 200 && answer.status < 300, `the declaration was refused: ${answer.status} ${answer.body}`);
    const mail = await this.invoiceMail('oza@swvkopvannoordholland.nl', 0);
    const invoice = await this.read(mail);
    // 200.00 of education, and of the grey 333.33 the floor of the half: the SWV never pays the odd cent.
    assert.deepEqual([invoice.root, invoice.payable], ['Invoice', '366.66']);
    assert.match(invoice.customization, /nlcius/);
    const forwarded = await this.read(await this.invoiceMail('crediteuren@gemeente-zandoever.example', 0));
    assert.equal(forwarded.payable, '1783.33');
    this.result.factuur = { ...invoice, mail: `${this.places.postbus}/mail/${mail.id}` };
    this.tell(`De zorgaanbieder declareert 1783,33 (JW323). Factuur ${invoice.number} over 366,66 is gemaild naar oza@swvkopvannoordholland.nl, als UBL en PDF; de oneven cent blijft bij de gemeente.`);
  }

  async again() {
    const effects = async () => ({
      messages: this.players.beheer('case', this.zaak).berichten.filter((b) => ['declaratie', 'factuur', 'creditnota', 'doorbelasting'].includes(b.type)).length,
      invoices: Object.values(this.players.beheer('invoice', 'list', '--case', this.zaak)).map((list) => list.length),
      answers: (await this.json('zorgaanbieder', '/__control/state')).antwoorden.length,
      mails: [(await this.mails('oza@swvkopvannoordholland.nl')).length, (await this.mails('crediteuren@gemeente-zandoever.example')).length],
    });
    // An answer is durable: what the declaration would do a second time stands in the journal then, and is decided and sent at rest.
    await this.rest();
    const before = await effects();
    assert.ok(before.messages > 0 && before.invoices.every((n) => n > 0) && before.mails.every((n) => n > 0), JSON.stringify(before));
    const answer = await this.control('zorgaanbieder', 'jw323', this.declared);
    assert.ok(answer.status >= 200 && answer.status < 300, `a repeat was not acknowledged: ${answer.status} ${answer.body}`);
    await this.rest();
    assert.deepEqual(await effects(), before);
    this.tell('Dezelfde declaratie nog eens heeft geen tweede gevolg.');
  }

  async credit() {
    const before = (await this.mails('oza@swvkopvannoordholland.nl')).length;
    const now = new Date();
    // iJw credits a whole line and declares it anew: 333.33 back, 300.00 again.
    const answer = await this.control('zorgaanbieder', 'jw323', this.declaration('jw323', `C${this.run.slice(0, 6)}`, this.month, day(now), [
      { reference: `${this.run}-4`, previous: `${this.run}-2`, category: '50', product: 'ZBGRS', volume: 33333, unit: '83', cents: 33333, credit: true },
    ]));
    assert.ok(answer.status >= 200 && answer.status < 300, `the credit was refused: ${answer.status} ${answer.body}`);
    const mail = await this.invoiceMail('oza@swvkopvannoordholland.nl', before);
    const note = await this.read(mail);
    assert.deepEqual([note.root, note.payable], ['CreditNote', '166.66']);
    this.result.creditnota = { ...note, mail: `${this.places.postbus}/mail/${mail.id}` };
    this.tell(`De grijze regel wordt gecrediteerd: creditnota ${note.number} over 166,66 is gemaild; factuur en creditnota samen zijn precies de verdeling van wat blijft.`);
    const answers = await until('the JW325 answers', async () => { const s = await this.json('zorgaanbieder', '/__control/state'); return s.antwoorden.length >= 2 && s.antwoorden; });
    assert.deepEqual(answers.map((a) => a.toegekend), [178333, -33333]);
    this.tell('De zorgaanbieder kreeg op beide declaraties zijn JW325, volledig toegekend.');
  }

  async clean() {
    for (const place of ['zaaksysteem', 'postbus', 'sms', 'duo', 'webhook', 'onderwijstransparant', 'zorgaanbieder']) assert.deepEqual(await this.json(place, '/__control/violations'), [], place);
    this.tell('Geen van de partners zag iets dat niet mag: geen BSN in URL, onderwerp of bestandsnaam, geen onversleutelde mail.');
  }

  async play() {
    for (const step of ['open', 'hulpvraag', 'upload', 'app', 'consent', 'documents_out', 'opened', 'filed', 'status', 'withdrawn', 'absence', 'invoice', 'again', 'credit', 'clean']) {
      try { await this[step](); } catch (error) { error.message = `${step}: ${error.message}`; throw error; }
    }
    return this.result;
  }
}
