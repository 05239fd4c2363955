// OnderwijsTransparant as the proposed interface has it: OAuth client credentials, cursor polling, dossier, documents, status with
// Idempotency-Key and If-Match, and no BSN or onderwijsnummer anywhere.
// node tests/partners/onderwijstransparant.mjs --port N --state FILE [--tls-port N --cert C --key K --ca CA] [--client-id schakel] [--client-secret S]
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { findings } from './lib/fields.mjs';
import { HULPVRAAG, MELDING, STATUS_MELDING } from './lib/ot-tables.mjs';
import { escapeHtml, findBsn, mediaType, options, Refusal, serve, sha256, State } from './lib/partner.mjs';
import { pdf } from './lib/pdf.mjs';

const args = options();
const clientId = args.clientId ?? 'schakel';
const clientSecret = args.clientSecret ?? 'demo-geheim-van-onderwijstransparant';
const state = new State(args.state, { hulpvragen: [], wijzigingen: [], meldingen: [], gezien: {}, abonnementen: [] });
const db = state.value;
const tokens = new Map();
const refuse = (status, code, title, more) => new Refusal(status, code, title, more);
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const thumbprint = (call) => (args.ca && call.request.socket.encrypted ? call.request.socket.getPeerCertificate().fingerprint256 : 'plain');
function authorize(call, scope) {
  const value = /^Bearer (\S+)$/.exec(call.request.headers.authorization ?? '')?.[1];
  const token = value && tokens.get(value);
  if (!token || token.until < Date.now()) throw refuse(401, 'token', 'Toegangsbewijs ontbreekt of is verlopen');
  if (token.bound !== thumbprint(call)) { call.violate('token-of-another-certificate', 'authorization'); throw refuse(401, 'token-binding', 'Toegangsbewijs hoort bij een ander certificaat'); }
  if (!token.scopes.includes(scope)) throw refuse(403, 'scope', `Vereist: ${scope}`);
}
async function token(call) {
  if (mediaType(call.request) !== 'application/x-www-form-urlencoded') throw refuse(415, 'invalid_request', 'Alleen formuliergegevens');
  const form = new URLSearchParams((await call.bytes()).toString());
  const basic = /^Basic (.+)$/.exec(call.request.headers.authorization ?? '')?.[1];
  const [id, secret] = basic ? Buffer.from(basic, 'base64').toString().split(':').map(decodeURIComponent) : [form.get('client_id'), form.get('client_secret')];
  // With a client certificate that is the proof (RFC 8705); without one the secret is.
  if (id !== clientId || (!args.ca && secret !== clientSecret) || (secret && secret !== clientSecret)) return call.send(401, { error: 'invalid_client' });
  if (form.get('grant_type') !== 'client_credentials') return call.send(400, { error: 'unsupported_grant_type' });
  const known = ['hulpvraag.read', 'hulpvraag.status', 'hulpvraag.dossier'];
  const scopes = (form.get('scope') ?? known.join(' ')).split(' ').filter(Boolean);
  if (scopes.some((s) => !known.includes(s))) return call.send(400, { error: 'invalid_scope' });
  const value = randomBytes(24).toString('base64url');
  tokens.set(value, { scopes, bound: thumbprint(call), until: Date.now() + 300_000 });
  return call.send(200, { access_token: value, token_type: 'Bearer', expires_in: 300, scope: scopes.join(' ') });
}

const find = (id) => db.hulpvragen.find((h) => h.hulpvraag.id === id) ?? (() => { throw refuse(404, 'not-found', 'Onbekende hulpvraag'); })();
const etag = (h) => `"${h.hulpvraag.versie}"`;
function noPgn(call, value, where) {
  if (findBsn(JSON.stringify(value))) { call.violate('bsn', where); throw refuse(422, 'pgn', 'Een BSN of onderwijsnummer mag hier niet voorkomen'); }
}
async function strict(call, fields) {
  if (mediaType(call.request) !== 'application/json') throw refuse(415, 'media-type', 'Alleen application/json');
  const value = await call.json();
  noPgn(call, value, 'body');
  const found = findings(fields, value);
  if (found.length) throw refuse(422, 'invalid', 'Ongeldige melding', { invalidParams: found });
  return value;
}
/** One effect per Idempotency-Key: the same content gets the first answer again, other content is refused. */
async function once(call, run) {
  const key = call.request.headers['idempotency-key'];
  if (!UUID.test(key ?? '')) throw refuse(422, 'idempotency-key', 'Idempotency-Key is een vereiste UUID');
  const digest = sha256(Buffer.concat([Buffer.from(`${call.method} ${call.path} `), await call.bytes()]));
  const before = db.gezien[key];
  if (before && before.digest !== digest) throw refuse(422, 'idempotency-key-reuse', 'Deze sleutel hoort bij een ander verzoek');
  if (before) return call.send(before.status, before.body, before.headers);
  const result = await run();
  db.gezien[key] = { digest, ...result };
  state.save();
  return call.send(result.status, result.body, result.headers);
}
function changed(h, soort) {
  h.hulpvraag.versie += 1;
  db.wijzigingen.push({ id: h.hulpvraag.id, soort, tijdstip: new Date().toISOString(), versie: h.hulpvraag.versie });
}
async function notify(onderwerp, id) {
  for (const { callbackUrl, onderwerpen, geheim } of db.abonnementen.filter((a) => a.onderwerpen.includes(onderwerp))) {
    const body = JSON.stringify({ notificatieId: randomUUID(), onderwerp, hulpvraagId: id });
    const at = String(Math.floor(Date.now() / 1000));
    await fetch(callbackUrl, { method: 'POST', body, redirect: 'error', signal: AbortSignal.timeout(5000), headers: { 'Content-Type': 'application/json', 'X-Timestamp': at, 'X-Signature': createHmac('sha256', geheim ?? clientSecret).update(`${at}.${body}`).digest('hex') } }).catch(() => {});
  }
}

function create(value) {
  const { documenten = [{ soort: 'opp', titel: 'Ontwikkelingsperspectief' }], ...rest } = value;
  const id = randomUUID();
  const inhoud = {};
  const hulpvraag = {
    id, versie: 0, swvCode: 'PO2701', school: { brin: '00YY', vestiging: '00', naam: 'Basisschool Het Papieren Schip' }, melder: { naam: 'Fictieve Begeleider', rol: 'intern_begeleider', email: 'ib@school.example' },
    leerling: { leerlingkenmerk: `LAS-${id.slice(0, 8)}`, voornamen: ['Fictief', 'Saar'], achternaam: 'Voorbeeldsma', geboortedatum: '2016-06-21', geslacht: '2', adresGeheim: false },
    soortAanvraag: 'onderwijs_zorgarrangement', hulpvraag: { omschrijving: 'Verzonnen hulpvraag', urgentie: 'normaal', zorgBetrokken: true }, ouders: { geinformeerd: true, toestemming: 'ja', toestemmingDatum: new Date().toISOString().slice(0, 10) }, ...rest,
    documenten: documenten.map(({ soort, titel }) => {
      const bytes = pdf(titel, ['Verzonnen document van een verzonnen leerling.']);
      const documentId = randomUUID();
      inhoud[documentId] = bytes.toString('base64');
      return { id: documentId, soort, bestandsnaam: `${soort}.pdf`, mediaType: 'application/pdf', omvang: bytes.length, sha256: sha256(bytes) };
    }),
    ingediendOp: new Date().toISOString(), status: 'ingediend',
  };
  const h = { hulpvraag, inhoud, statussen: [] };
  db.hulpvragen.push(h);
  changed(h, 'aangemaakt');
  state.save();
  return hulpvraag;
}
function dossier(h) {
  const { leerling, school } = h.hulpvraag;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<dossier xmlns="http://www.edustandaard.nl/oso_gegevensset/2019/dossier"><metadata><overstap>POSWV</overstap></metadata><overdrachtsoort>swv-dossier</overdrachtsoort><huidigeschool><brincode>${school.brin}</brincode></huidigeschool><leerling><voornaam>${escapeHtml(leerling.voornamen[0])}</voornaam><achternaam>${escapeHtml(leerling.achternaam)}</achternaam><geboortedatum>${leerling.geboortedatum}</geboortedatum><leerlingid>${escapeHtml(leerling.leerlingkenmerk)}</leerlingid></leerling></dossier>\n`;
}

const json = (value) => JSON.stringify(value);
serve({
  name: 'onderwijstransparant', args, state, service: /^\w+ \/(oauth|ot)\//,
  control: {
    async hulpvraag(call) {
      const made = create(await call.json());
      const { id, versie, documenten, ingediendOp, status, ...published } = made;
      const found = findings(HULPVRAAG, published);
      if (found.length) { db.hulpvragen.pop(); db.wijzigingen.pop(); throw refuse(422, 'invalid', 'Geen hulpvraag volgens het koppelvlak', { invalidParams: found }); }
      notify('hulpvraag.aangemaakt', made.id);
      call.send(201, made);
    },
    async intrekken(call) { const h = find((await call.json()).id); h.hulpvraag.status = 'ingetrokken'; changed(h, 'ingetrokken'); state.save(); notify('hulpvraag.ingetrokken', h.hulpvraag.id); call.send(204); },
    cursorweg(call) { db.vroegste = db.wijzigingen.length; state.save(); call.send(204); },
  },
  async handle(call) {
    if (call.method === 'GET' && call.path === '/') {
      return call.html('OnderwijsTransparant', `<table><caption>Hulpvragen van scholen</caption><thead><tr><th scope="col">Soort</th><th scope="col">School</th><th scope="col">Status</th><th scope="col">Terugmeldingen</th></tr></thead><tbody>${
        db.hulpvragen.map((h) => `<tr><td>${h.hulpvraag.soortAanvraag}</td><td>${escapeHtml(h.hulpvraag.school.naam)}</td><td>${h.hulpvraag.status}</td><td>${h.statussen.map((s) => escapeHtml(s.status)).join(', ')}</td></tr>`).join('')}</tbody></table><table><caption>Ontvangen meldingen</caption><thead><tr><th scope="col">Soort</th><th scope="col">Kenmerk</th><th scope="col">Tijdstip</th></tr></thead><tbody>${
        db.meldingen.map((m) => `<tr><td>${m.soort}</td><td>${escapeHtml(m.dossierkenmerk)}</td><td>${m.tijdstip}</td></tr>`).join('')}</tbody></table>`);
    }
    if (findBsn(`${call.path} ${call.query}`)) { call.violate('bsn-in-url', 'url'); throw refuse(400, 'pgn', 'Een BSN staat nooit in een URL'); }
    if (call.path === '/oauth/token' && call.method === 'POST') return token(call);
    const match = /^\/ot\/v1\/(hulpvragen|abonnementen)(?:\/([^/]+)(?:\/(status|dossier|documenten)(?:\/([^/]+))?)?)?$/.exec(call.path);
    if (!match) throw refuse(404, 'not-found', 'Niet gevonden');
    const [, kind, id, part, documentId] = match;
    const is = (method, ...shape) => call.method === method && [kind, Boolean(id), part ?? null, Boolean(documentId)].every((v, i) => v === shape[i]);
    if (is('GET', 'hulpvragen', false, null, false)) {
      authorize(call, 'hulpvraag.read');
      const limit = Number(call.query.get('limit') ?? 50);
      const since = call.query.get('sinds');
      if (!Number.isInteger(limit) || limit < 1 || limit > 200) throw refuse(400, 'limit', 'limit is 1 tot 200');
      const from = since === null || since === '' ? (db.vroegste ?? 0) : Number(/^c([0-9]+)$/.exec(since)?.[1] ?? NaN);
      if (Number.isNaN(from) || from > db.wijzigingen.length) throw refuse(400, 'cursor', 'Onbekende cursor');
      if (from < (db.vroegste ?? 0)) throw refuse(410, 'cursor-gone', 'Cursor bestaat niet meer');
      const items = db.wijzigingen.slice(from, from + limit);
      return call.send(200, { items, volgende: `c${from + items.length}`, meer: from + items.length < db.wijzigingen.length });
    }
    if (is('POST', 'hulpvragen', false, null, false)) {
      authorize(call, 'hulpvraag.status');
      const value = await strict(call, MELDING);
      return once(call, () => {
        const made = { id: randomUUID(), ...value, ontvangenOp: new Date().toISOString() };
        db.meldingen.push(made);
        return { status: 201, body: json({ id: made.id, dossierkenmerk: made.dossierkenmerk, versie: 1 }), headers: { Location: `/ot/v1/hulpvragen/${made.id}`, ETag: '"1"' } };
      });
    }
    if (is('GET', 'hulpvragen', true, null, false)) { authorize(call, 'hulpvraag.read'); const h = find(id); return call.send(200, h.hulpvraag, { ETag: etag(h) }); }
    if (is('PUT', 'hulpvragen', true, 'status', false)) {
      authorize(call, 'hulpvraag.status');
      const h = find(id);
      const value = await strict(call, STATUS_MELDING);
      const key = call.request.headers['idempotency-key'];
      if (!db.gezien[key]) {
        if (call.request.headers['if-match'] === undefined) throw refuse(422, 'if-match', 'If-Match is vereist');
        if (call.request.headers['if-match'] !== etag(h)) throw refuse(412, 'version', 'De hulpvraag is intussen gewijzigd');
        if (h.hulpvraag.status === 'ingetrokken' || h.hulpvraag.status === 'afgesloten') throw refuse(409, 'closed', 'De hulpvraag is al afgesloten');
      }
      return once(call, () => { h.hulpvraag.status = value.status; h.statussen.push(value); changed(h, 'gewijzigd'); return { status: 204 }; });
    }
    if (is('GET', 'hulpvragen', true, 'dossier', false)) { authorize(call, 'hulpvraag.dossier'); return call.send(200, dossier(find(id)), { 'Content-Type': 'application/xml' }); }
    if (is('GET', 'hulpvragen', true, 'documenten', true)) {
      authorize(call, 'hulpvraag.dossier');
      const content = find(id).inhoud[documentId];
      if (!content) throw refuse(404, 'not-found', 'Onbekend document');
      const bytes = Buffer.from(content, 'base64');
      return call.send(200, bytes, { 'Content-Type': 'application/octet-stream', Digest: `SHA-256=${Buffer.from(sha256(bytes), 'hex').toString('base64')}` });
    }
    if (is('POST', 'abonnementen', false, null, false)) {
      authorize(call, 'hulpvraag.read');
      const value = await strict(call, { callbackUrl: { type: 'url', required: true }, onderwerpen: { type: 'array', required: true, min: 1, of: { type: 'string', values: ['hulpvraag.aangemaakt', 'hulpvraag.gewijzigd', 'hulpvraag.ingetrokken'] } } });
      if (!db.abonnementen.some((a) => a.callbackUrl === value.callbackUrl)) db.abonnementen.push(value);
      state.save();
      return call.send(201);
    }
    throw refuse(405, 'method', 'Methode niet toegestaan');
  },
});
