// The gemeente's case system: ZGW Zaken 1.5.1, Documenten 1.4 and Catalogi look-ups, stateful and strict, with a page per dossier.
// node tests/partners/zgw.mjs --port N --state FILE [--client-id schakel] [--client-secret S] [--part-size BYTES] [--tls-port N ...]
import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findings } from './lib/fields.mjs';
import { escapeHtml, findBsn, mediaType, options, Refusal, serve, State } from './lib/partner.mjs';
import * as tables from './lib/zgw-tables.mjs';

const args = options();
const clientId = args.clientId ?? 'schakel';
const clientSecret = args.clientSecret ?? 'demo-geheim-van-de-gemeente';
const partSize = Number(args.partSize ?? 4 * 1024 * 1024);
const state = new State(args.state, { zaken: [], statussen: [], rollen: [], resultaten: [], zaakeigenschappen: [], zaakinformatieobjecten: [], documenten: [], bestandsdelen: [], gebruiksrechten: [] });
const db = state.value;
const blobs = args.state ? `${args.state}.d` : null;
if (blobs) mkdirSync(blobs, { recursive: true });
const memory = new Map();
const putBlob = (id, bytes) => (blobs ? writeFileSync(join(blobs, id), bytes) : memory.set(id, bytes));
const getBlob = (id) => (blobs ? readFileSync(join(blobs, id)) : memory.get(id));
const dropBlob = (id) => (blobs ? rmSync(join(blobs, id), { force: true }) : memory.delete(id));

let base;
let types;
const ZAKEN = '/zaken/api/v1';
const DOCUMENTEN = '/documenten/api/v1';

const invalid = (list) => new Refusal(400, 'invalid', 'Invalid input.', { invalidParams: list });
const wrong = (name, code, reason = 'Ongeldig.') => invalid([{ name, code, reason }]);
const notFound = () => new Refusal(404, 'not_found', 'Niet gevonden.');
const find = (kind, uuid) => db[kind].find((row) => row.uuid === uuid) ?? (() => { throw notFound(); })();
const byUrl = (kind, url, name, code = 'object-does-not-exist') => db[kind].find((row) => row.url === url) ?? (() => { throw wrong(name, code); })();
const type = (kind, url, name) => types[kind].find((row) => row.url === url) ?? (() => { throw wrong(name, 'bad-url', 'Geen bekend type in de catalogus.'); })();

function authenticate(call) {
  const header = call.request.headers.authorization;
  if (!header?.startsWith('Bearer ')) throw new Refusal(401, 'not_authenticated', 'Authenticatiegegevens zijn niet opgegeven.');
  const refuse = (code) => { throw new Refusal(403, code, 'Token is niet geldig.'); };
  const parts = header.slice(7).split('.');
  if (parts.length !== 3) refuse('jwt-malformed');
  let head;
  let claims;
  try { [head, claims] = parts.slice(0, 2).map((p) => JSON.parse(Buffer.from(p, 'base64url'))); } catch { refuse('jwt-malformed'); }
  if (head.alg !== 'HS256') refuse('jwt-algorithm');
  const expected = createHmac('sha256', clientSecret).update(`${parts[0]}.${parts[1]}`).digest();
  const given = Buffer.from(parts[2], 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) refuse('jwt-signature');
  if (claims.iss !== clientId || claims.client_id !== clientId) refuse('jwt-client');
  const now = Date.now() / 1000;
  if (!Number.isInteger(claims.iat) || claims.iat > now + 5 || claims.iat < now - 3600) refuse('jwt-iat');
  if (claims.exp !== undefined && claims.exp < now) refuse('jwt-expired');
  for (const name of ['user_id', 'user_representation']) if (typeof claims[name] !== 'string') refuse(`jwt-${name}`);
}

function guardUrl(call) {
  const query = [...call.query].filter(([k]) => !['bronorganisatie', 'verantwoordelijkeOrganisatie'].includes(k));
  if (query.some(([k]) => /inpBsn/i.test(k)) || findBsn(decodeURIComponent(call.path)) || query.some(([, v]) => findBsn(v)) || findBsn(call.request.headers['x-audit-toelichting'] ?? '')) {
    call.violate('bsn-in-url', 'url');
    throw new Refusal(400, 'bsn-in-url', 'Een BSN staat nooit in een URL of kopregel.');
  }
}

async function body(call, fields) {
  if (mediaType(call.request) !== 'application/json') throw new Refusal(415, 'unsupported_media_type', 'Alleen application/json.');
  const value = await call.json();
  const found = findings(fields, value);
  if (found.length) throw invalid(found);
  return value;
}
function crs(call) {
  for (const name of ['accept-crs', ...(['GET', 'HEAD'].includes(call.method) ? [] : ['content-crs'])]) {
    if (call.request.headers[name] !== 'EPSG:4326') throw wrong(name, 'required', 'Deze kopregel is vereist: EPSG:4326.');
  }
}
function created(call, row, extra = {}) {
  state.save();
  call.send(201, { ...shown(row), ...extra }, { Location: row.url, 'API-version': '1.5.1' });
}
/** A row as a reader sees it: without our own fields, with what the standard derives from other resources. */
function shown(row) {
  const { blob, lockValue, ...rest } = row;
  const kind = row.url.split('/').at(-2);
  const urls = (name, test) => db[name].filter(test).map((r) => r.url);
  const linked = () => urls('zaakinformatieobjecten', (o) => o.zaak === (kind === 'zaken' ? row.url : row.zaak));
  if (kind === 'zaken') {
    const of = (name) => urls(name, (r) => r.zaak === row.url);
    return { ...rest, betalingsindicatieWeergave: '', deelzaken: [], eigenschappen: of('zaakeigenschappen'), rollen: of('rollen'), zaakinformatieobjecten: linked(), zaakobjecten: [] };
  }
  if (kind === 'statussen') return { ...rest, indicatieLaatstGezetteStatus: db.zaken.find((z) => z.url === row.zaak)?.status === row.url, zaakinformatieobjecten: linked() };
  if (kind === 'rollen') return { ...rest, omschrijvingGeneriek: type('roltypen', row.roltype).omschrijvingGeneriek, statussen: [] };
  if (kind === 'zaakinformatieobjecten') return { ...rest, aardRelatieWeergave: 'Hoort bij, omgekeerd: kent' };
  // The lock is told once, when it is made.
  if (kind === 'enkelvoudiginformatieobjecten') return { ...rest, bestandsdelen: rest.bestandsdelen.map((p) => ({ ...p, lock: '' })) };
  return rest;
}
function list(call, rows, paged) {
  if (!paged) return call.send(200, rows.map(shown), { 'API-version': '1.5.1' });
  const number = Number(call.query.get('page') ?? 1);
  const pages = Math.max(1, Math.ceil(rows.length / 100));
  if (!Number.isInteger(number) || number < 1 || number > pages) throw new Refusal(404, 'not_found', 'Ongeldige pagina.');
  const at = (n) => { const u = new URL(call.path, base); call.query.forEach((v, k) => u.searchParams.set(k, v)); u.searchParams.set('page', n); return u.href; };
  return call.send(200, { count: rows.length, next: number < pages ? at(number + 1) : null, previous: number > 1 ? at(number - 1) : null, results: rows.slice((number - 1) * 100, number * 100).map(shown) }, { 'API-version': '1.5.1' });
}
const today = () => new Date().toISOString().slice(0, 10);
function noBsnInText(call, value, names) {
  for (const name of names) if (findBsn(value[name] ?? '')) { call.violate('bsn-in-text', name); throw wrong(name, 'bsn', 'Hier staat een BSN.'); }
}
/** zrc-016..020: a type must be of the zaaktype of the zaak. */
function ofZaak(zaakUrl, kind, typeUrl, name) {
  const zaak = byUrl('zaken', zaakUrl, 'zaak');
  if (type(kind, typeUrl, name).zaaktype !== zaak.zaaktype) throw wrong(name, 'zaaktype-mismatch', 'Hoort niet bij het zaaktype.');
  return zaak;
}

const routes = [
  ['POST', `${ZAKEN}/zaken`, async (call) => {
    crs(call);
    const value = await body(call, tables.ZAAK);
    const zaaktype = type('zaaktypen', value.zaaktype, 'zaaktype');
    if (zaaktype.concept) throw wrong('zaaktype', 'not-published');
    noBsnInText(call, value, ['identificatie', 'omschrijving', 'toelichting']);
    value.identificatie ||= `ZAAK-${new Date().getFullYear()}-${String(db.zaken.length + 1).padStart(10, '0')}`;
    if (db.zaken.some((z) => z.identificatie === value.identificatie && z.bronorganisatie === value.bronorganisatie)) throw wrong('identificatie', 'identificatie-niet-uniek', 'De combinatie van identificatie en bronorganisatie bestaat al.');
    const uuid = randomUUID();
    const row = { url: `${base}${ZAKEN}/zaken/${uuid}`, uuid, registratiedatum: today(), vertrouwelijkheidaanduiding: zaaktype.vertrouwelijkheidaanduiding, toelichting: '', omschrijving: '', ...value, einddatum: null, status: null, resultaat: null };
    db.zaken.push(row);
    created(call, row);
  }],
  ['GET', `${ZAKEN}/zaken`, (call) => {
    crs(call);
    for (const name of call.query.keys()) if (!['identificatie', 'bronorganisatie', 'zaaktype', 'page', 'startdatum', 'ordering'].includes(name)) throw wrong(name, 'unknown-parameters', 'Onbekende queryparameter.');
    list(call, db.zaken.filter((z) => ['identificatie', 'bronorganisatie', 'zaaktype', 'startdatum'].every((n) => !call.query.has(n) || z[n] === call.query.get(n))), true);
  }],
  ['POST', `${ZAKEN}/zaken/_zoek`, async (call) => {
    crs(call);
    const value = await call.json();
    const bsn = value.rol__betrokkeneIdentificatie__natuurlijkPersoon__inpBsn;
    list(call, db.zaken.filter((z) => !bsn || db.rollen.some((r) => r.zaak === z.url && r.betrokkeneIdentificatie?.inpBsn === bsn)), true);
  }],
  ['GET', `${ZAKEN}/zaken/:uuid`, (call, { uuid }) => { crs(call); call.send(200, shown(find('zaken', uuid)), { 'API-version': '1.5.1' }); }],
  ['PATCH', `${ZAKEN}/zaken/:uuid`, async (call, { uuid }) => {
    crs(call);
    const row = find('zaken', uuid);
    const value = await body(call, tables.ZAAK_PATCH);
    if (value.zaaktype && value.zaaktype !== row.zaaktype) throw wrong('zaaktype', 'wijzigen-niet-toegelaten');
    Object.assign(row, value);
    state.save();
    call.send(200, shown(row), { 'API-version': '1.5.1' });
  }],
  ['POST', `${ZAKEN}/zaken/:uuid/zaakeigenschappen`, async (call, { uuid }) => {
    const zaak = find('zaken', uuid);
    const value = await body(call, tables.EIGENSCHAP);
    if (value.zaak !== zaak.url) throw wrong('zaak', 'zaak-mismatch');
    ofZaak(value.zaak, 'eigenschappen', value.eigenschap, 'eigenschap');
    const id = randomUUID();
    const row = { url: `${zaak.url}/zaakeigenschappen/${id}`, uuid: id, ...value, naam: type('eigenschappen', value.eigenschap).naam };
    db.zaakeigenschappen.push(row);
    created(call, row);
  }],
  ['PATCH', `${ZAKEN}/zaken/:uuid/zaakeigenschappen/:id`, async (call, { uuid, id }) => {
    const zaak = find('zaken', uuid);
    const row = find('zaakeigenschappen', id);
    const value = await body(call, tables.EIGENSCHAP_PATCH);
    if (row.zaak !== zaak.url) throw notFound();
    for (const name of ['zaak', 'eigenschap']) if (value[name] !== undefined && value[name] !== row[name]) throw wrong(name, 'wijzigen-niet-toegelaten');
    Object.assign(row, value);
    state.save();
    call.send(200, shown(row), { 'API-version': '1.5.1' });
  }],
  ['GET', `${ZAKEN}/zaken/:uuid/zaakeigenschappen`, (call, { uuid }) => list(call, db.zaakeigenschappen.filter((e) => e.zaak === find('zaken', uuid).url), false)],
  ['POST', `${ZAKEN}/statussen`, async (call) => {
    const value = await body(call, tables.STATUS);
    const zaak = ofZaak(value.zaak, 'statustypen', value.statustype, 'statustype');
    const at = Date.parse(value.datumStatusGezet);
    if (at > Date.now() + 5000) throw wrong('datumStatusGezet', 'date-in-future');
    if (db.statussen.some((s) => s.zaak === value.zaak && Date.parse(s.datumStatusGezet) === at)) throw wrong('nonFieldErrors', 'unique', 'Zaak en datumStatusGezet moeten samen uniek zijn.');
    if (type('statustypen', value.statustype).isEindstatus) {
      if (!db.resultaten.some((r) => r.zaak === value.zaak)) throw wrong('nonFieldErrors', 'resultaat-does-not-exist');
      const open = db.zaakinformatieobjecten.filter((o) => o.zaak === value.zaak).some((o) => db.documenten.find((d) => d.url === o.informatieobject)?.indicatieGebruiksrecht == null);
      if (open) throw wrong('nonFieldErrors', 'indicatiegebruiksrecht-unset');
      zaak.einddatum = today();
    }
    // Consumers treat the first status as "the zaak is complete": roles come before it.
    if (!db.rollen.some((r) => r.zaak === value.zaak)) call.violate('status-before-role', 'statussen');
    const uuid = randomUUID();
    const row = { url: `${base}${ZAKEN}/statussen/${uuid}`, uuid, ...value };
    db.statussen.push(row);
    zaak.status = row.url;
    created(call, row);
  }],
  ['GET', `${ZAKEN}/statussen`, (call) => list(call, byZaak('statussen', call), true)],
  ['POST', `${ZAKEN}/resultaten`, async (call) => {
    const value = await body(call, tables.RESULTAAT);
    const zaak = ofZaak(value.zaak, 'resultaattypen', value.resultaattype, 'resultaattype');
    if (db.resultaten.some((r) => r.zaak === value.zaak)) throw wrong('zaak', 'unique');
    const uuid = randomUUID();
    const row = { url: `${base}${ZAKEN}/resultaten/${uuid}`, uuid, ...value };
    db.resultaten.push(row);
    zaak.resultaat = row.url;
    created(call, row);
  }],
  ['POST', `${ZAKEN}/rollen`, async (call) => {
    const value = await body(call, tables.ROL);
    ofZaak(value.zaak, 'roltypen', value.roltype, 'roltype');
    if (!value.betrokkene === !value.betrokkeneIdentificatie) throw wrong('betrokkeneIdentificatie', 'invalid-betrokkene', 'betrokkene of betrokkeneIdentificatie, precies een.');
    if (value.betrokkeneIdentificatie) {
      const found = findings(tables.BETROKKENE[value.betrokkeneType], value.betrokkeneIdentificatie, 'betrokkeneIdentificatie.');
      if (found.length) throw invalid(found);
    }
    noBsnInText(call, value, ['roltoelichting']);
    const same = db.rollen.find((r) => r.zaak === value.zaak && r.roltype === value.roltype && JSON.stringify(r.betrokkeneIdentificatie) === JSON.stringify(value.betrokkeneIdentificatie));
    if (same) call.violate('role-doubled', 'rollen');
    const uuid = randomUUID();
    const row = { url: `${base}${ZAKEN}/rollen/${uuid}`, uuid, omschrijving: type('roltypen', value.roltype).omschrijving, registratiedatum: new Date().toISOString(), ...value };
    db.rollen.push(row);
    created(call, row);
  }],
  ['GET', `${ZAKEN}/rollen`, (call) => list(call, byZaak('rollen', call), true)],
  ['POST', `${ZAKEN}/zaakinformatieobjecten`, async (call) => {
    const value = await body(call, tables.ZIO);
    const zaak = byUrl('zaken', value.zaak, 'zaak');
    const document = byUrl('documenten', value.informatieobject, 'informatieobject');
    if (!types['zaaktype-informatieobjecttypen'].some((l) => l.zaaktype === zaak.zaaktype && l.informatieobjecttype === document.informatieobjecttype)) throw wrong('nonFieldErrors', 'missing-zaaktype-informatieobjecttype-relation');
    if (document.locked) throw wrong('informatieobject', 'informatieobject-locked');
    if (db.zaakinformatieobjecten.some((o) => o.zaak === value.zaak && o.informatieobject === value.informatieobject)) throw wrong('nonFieldErrors', 'unique', 'Deze koppeling bestaat al.');
    noBsnInText(call, value, ['titel', 'beschrijving']);
    const uuid = randomUUID();
    const row = { url: `${base}${ZAKEN}/zaakinformatieobjecten/${uuid}`, uuid, registratiedatum: new Date().toISOString(), ...value };
    db.zaakinformatieobjecten.push(row);
    created(call, row);
  }],
  ['GET', `${ZAKEN}/zaakinformatieobjecten`, (call) => list(call, byZaak('zaakinformatieobjecten', call).filter((o) => !call.query.has('informatieobject') || o.informatieobject === call.query.get('informatieobject')), false)],

  ['POST', `${DOCUMENTEN}/enkelvoudiginformatieobjecten`, async (call) => {
    const value = await body(call, tables.EIO);
    const soort = type('informatieobjecttypen', value.informatieobjecttype, 'informatieobjecttype');
    if (soort.concept) throw wrong('informatieobjecttype', 'not-published');
    noBsnInText(call, value, ['titel', 'bestandsnaam', 'beschrijving', 'identificatie']);
    if (value.identificatie && db.documenten.some((d) => d.identificatie === value.identificatie && d.bronorganisatie === value.bronorganisatie)) throw wrong('identificatie', 'identificatie-niet-uniek');
    const uuid = randomUUID();
    const row = { url: `${base}${DOCUMENTEN}/enkelvoudiginformatieobjecten/${uuid}`, uuid, versie: 1, status: '', formaat: '', indicatieGebruiksrecht: null, ...value, beginRegistratie: new Date().toISOString(), locked: false, bestandsdelen: [] };
    row.identificatie ||= `DOCUMENT-${uuid}`;
    if (value.inhoud) {
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value.inhoud) || value.inhoud.length % 4) throw wrong('inhoud', 'invalid-base64');
      const bytes = Buffer.from(value.inhoud, 'base64');
      store(row, bytes);
    } else if (value.bestandsomvang > 0) {
      row.locked = true;
      row.lockValue = randomUUID().replaceAll('-', '');
      // Never more than a thousand parts, whatever size is announced.
      const size = Math.max(partSize, Math.ceil(value.bestandsomvang / 1000));
      for (let offset = 0, n = 1; offset < value.bestandsomvang; offset += size, n += 1) {
        const id = randomUUID();
        const part = { url: `${base}${DOCUMENTEN}/bestandsdelen/${id}`, uuid: id, volgnummer: n, omvang: Math.min(size, value.bestandsomvang - offset), voltooid: false, document: uuid };
        db.bestandsdelen.push(part);
        row.bestandsdelen.push(part);
      }
      row.inhoud = null;
    } else row.inhoud = null;
    db.documenten.push(row);
    created(call, row, { lock: row.lockValue ?? '' });
  }],
  ['GET', `${DOCUMENTEN}/enkelvoudiginformatieobjecten`, (call) => list(call, db.documenten.filter((d) => ['identificatie', 'bronorganisatie'].every((n) => !call.query.has(n) || d[n] === call.query.get(n))), true)],
  ['GET', `${DOCUMENTEN}/enkelvoudiginformatieobjecten/:uuid`, (call, { uuid }) => call.send(200, shown(find('documenten', uuid)), { 'API-version': '1.4.2' })],
  ['GET', `${DOCUMENTEN}/enkelvoudiginformatieobjecten/:uuid/download`, (call, { uuid }) => download(call, find('documenten', uuid))],
  ['PATCH', `${DOCUMENTEN}/enkelvoudiginformatieobjecten/:uuid`, async (call, { uuid }) => {
    const row = find('documenten', uuid);
    const { lock, ...value } = await body(call, tables.EIO_PATCH);
    if (!row.locked) throw wrong('nonFieldErrors', 'unlocked');
    if (lock !== row.lockValue) throw wrong('nonFieldErrors', 'incorrect-lock-id');
    const bytes = value.inhoud ? Buffer.from(value.inhoud, 'base64') : null;
    const next = { ...row, ...value, versie: row.versie + 1 };
    if (bytes) store(next, bytes); else next.inhoud = row.inhoud;
    Object.assign(row, next);
    state.save();
    call.send(200, shown(row), { 'API-version': '1.4.2' });
  }],
  ['POST', `${DOCUMENTEN}/enkelvoudiginformatieobjecten/:uuid/lock`, (call, { uuid }) => {
    const row = find('documenten', uuid);
    if (row.locked) throw wrong('nonFieldErrors', 'existing-lock');
    row.locked = true;
    row.lockValue = randomUUID().replaceAll('-', '');
    state.save();
    call.send(200, { lock: row.lockValue });
  }],
  ['POST', `${DOCUMENTEN}/enkelvoudiginformatieobjecten/:uuid/unlock`, async (call, { uuid }) => {
    const row = find('documenten', uuid);
    const { lock } = await body(call, { lock: { type: 'string', max: 100 } });
    if (!lock) throw wrong('nonFieldErrors', 'missing-lock-id');
    if (lock !== row.lockValue) throw wrong('nonFieldErrors', 'incorrect-lock-id');
    if (row.bestandsdelen.length) {
      const parts = row.bestandsdelen.map((p) => db.bestandsdelen.find((d) => d.uuid === p.uuid)).sort((a, b) => a.volgnummer - b.volgnummer);
      if (parts.some((p) => !p.voltooid)) throw wrong('nonFieldErrors', 'incomplete-upload');
      store(row, Buffer.concat(parts.map((p) => getBlob(p.uuid))));
      parts.forEach((p) => dropBlob(p.uuid));
      db.bestandsdelen = db.bestandsdelen.filter((p) => p.document !== uuid);
      row.bestandsdelen = [];
    }
    row.locked = false;
    delete row.lockValue;
    state.save();
    call.send(204);
  }],
  ['PUT', `${DOCUMENTEN}/bestandsdelen/:uuid`, async (call, { uuid }) => {
    const part = find('bestandsdelen', uuid);
    const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(call.request.headers['content-type'] ?? '')?.[1];
    if (!boundary) throw new Refusal(415, 'unsupported_media_type', 'Alleen multipart/form-data.');
    const form = multipart(await call.bytes(), boundary);
    const row = find('documenten', part.document);
    if (!form.lock?.length) throw wrong('nonFieldErrors', 'missing-lock-id');
    if (form.lock.toString() !== row.lockValue) throw wrong('nonFieldErrors', 'incorrect-lock-id');
    if (!form.inhoud) throw wrong('inhoud', 'required');
    if (form.inhoud.length !== part.omvang) throw wrong('nonFieldErrors', 'file-size');
    putBlob(uuid, form.inhoud);
    part.voltooid = true;
    row.bestandsdelen = row.bestandsdelen.map((p) => (p.uuid === uuid ? { ...part } : p));
    state.save();
    call.send(200, { ...part, lock: row.lockValue });
  }],
  ['POST', `${DOCUMENTEN}/gebruiksrechten`, async (call) => {
    const value = await body(call, tables.GEBRUIKSRECHT);
    byUrl('documenten', value.informatieobject, 'informatieobject');
    const uuid = randomUUID();
    const row = { url: `${base}${DOCUMENTEN}/gebruiksrechten/${uuid}`, uuid, ...value };
    db.gebruiksrechten.push(row);
    created(call, row);
  }],
  ...['zaken/:uuid', 'statussen/:uuid', 'rollen/:uuid', 'zaakinformatieobjecten/:uuid'].slice(1).map((path) => ['GET', `${ZAKEN}/${path}`, (call, { uuid }) => call.send(200, shown(find(path.split('/')[0], uuid)))]),
  ['GET', '/catalogi/api/v1/:kind', (call, { kind }) => {
    if (!types[kind]) throw notFound();
    const on = call.query.get('datumGeldigheid');
    list(call, types[kind].filter((row) => [...call.query].every(([k, v]) => ['page', 'datumGeldigheid'].includes(k) || (k === 'status' ? v === 'alles' || !!row.concept === (v === 'concept') : row[k] === v))
      && (!on || row.beginGeldigheid === undefined || (row.beginGeldigheid <= on && (row.eindeGeldigheid === null || on < row.eindeGeldigheid)))), true);
  }],
  ['GET', '/catalogi/api/v1/:kind/:uuid', (call, { kind, uuid }) => call.send(200, types[kind]?.find((row) => row.url.endsWith(uuid)) ?? (() => { throw notFound(); })())],
];
function byZaak(kind, call) {
  return db[kind].filter((row) => !call.query.has('zaak') || row.zaak === call.query.get('zaak'));
}
/** Keeps content after its declared size and digest were found right; `inhoud` becomes the download address. */
function store(row, bytes) {
  if (row.bestandsomvang != null && row.bestandsomvang !== bytes.length) throw wrong('bestandsomvang', 'file-size', 'Komt niet overeen met de inhoud.');
  if (row.integriteit?.algoritme === 'sha_256' && createHash('sha256').update(bytes).digest('hex') !== row.integriteit.waarde.toLowerCase()) throw wrong('integriteit.waarde', 'hash-mismatch', 'Komt niet overeen met de inhoud.');
  if (row.formaat === 'application/pdf' && !bytes.subarray(0, 5).equals(Buffer.from('%PDF-'))) throw wrong('formaat', 'not-a-pdf', 'De inhoud is geen PDF.');
  row.blob = `${row.uuid}-${row.versie}`;
  putBlob(row.blob, bytes);
  row.bestandsomvang = bytes.length;
  row.inhoud = `${row.url}/download?versie=${row.versie}`;
}
function download(call, row) {
  if (!row.blob) throw notFound();
  call.send(200, getBlob(row.blob), { 'Content-Type': row.formaat || 'application/octet-stream', 'Content-Disposition': `inline; filename*=UTF-8''${encodeURIComponent(row.bestandsnaam ?? 'document')}` });
}
function multipart(bytes, boundary) {
  const form = {};
  const mark = Buffer.from(`--${boundary}`);
  for (let at = bytes.indexOf(mark); at >= 0;) {
    const next = bytes.indexOf(mark, at + mark.length);
    if (next < 0) break;
    const part = bytes.subarray(at + mark.length + 2, next - 2);
    const split = part.indexOf('\r\n\r\n');
    const name = /name="([^"]+)"/.exec(part.subarray(0, split).toString())?.[1];
    if (name) form[name] = part.subarray(split + 4);
    at = next;
  }
  return form;
}

function humanPage(call) {
  const row = (cells) => `<tr>${cells.map((c) => `<td>${c}</td>`).join('')}</tr>`;
  const table = (caption, heads, rows) => `<table><caption>${caption}</caption><thead><tr>${heads.map((h) => `<th scope="col">${h}</th>`).join('')}</tr></thead><tbody>${rows.join('') || row(['Nog niets'])}</tbody></table>`;
  if (call.path === '/') {
    return call.html('Zaaksysteem van de gemeente', table('Zaken', ['Identificatie', 'Omschrijving', 'Start', 'Status'], db.zaken.map((z) => row([`<a href="/dossier/${z.uuid}">${escapeHtml(z.identificatie)}</a>`, escapeHtml(z.omschrijving), z.startdatum, escapeHtml(statusName(z))]))));
  }
  const [, , uuid, , blob] = call.path.split('/');
  if (blob) return download(call, find('documenten', blob));
  const z = find('zaken', uuid);
  const roles = db.rollen.filter((r) => r.zaak === z.url).map((r) => row([escapeHtml(r.omschrijving), escapeHtml(r.betrokkeneIdentificatie?.geslachtsnaam ?? r.betrokkeneIdentificatie?.statutaireNaam ?? r.betrokkeneIdentificatie?.naam ?? r.roltoelichting), r.betrokkeneIdentificatie?.inpBsn ? `BSN eindigt op ${r.betrokkeneIdentificatie.inpBsn.slice(-3)}` : '']));
  const documents = db.zaakinformatieobjecten.filter((o) => o.zaak === z.url).map((o) => db.documenten.find((d) => d.url === o.informatieobject)).map((d) => row([`<a href="/dossier/${uuid}/document/${d.uuid}">${escapeHtml(d.titel)}</a>`, escapeHtml(types.informatieobjecttypen.find((t) => t.url === d.informatieobjecttype).omschrijving), `${d.bestandsomvang} bytes`, `<code>${escapeHtml(d.integriteit?.waarde?.slice(0, 16) ?? '')}</code>`]));
  const statuses = db.statussen.filter((s) => s.zaak === z.url).map((s) => row([escapeHtml(s.datumStatusGezet), escapeHtml(types.statustypen.find((t) => t.url === s.statustype).omschrijving), escapeHtml(s.statustoelichting)]));
  return call.html(`Zaak ${z.identificatie}`, `<p><a href="/">Alle zaken</a></p><p>${escapeHtml(z.omschrijving)}, begonnen op ${z.startdatum}.</p>${table('Betrokkenen', ['Rol', 'Wie', 'Kenmerk'], roles)}${table('Documenten', ['Titel', 'Soort', 'Omvang', 'SHA-256 begint met'], documents)}${table('Statussen', ['Gezet', 'Status', 'Toelichting'], statuses)}
${table('Eigenschappen', ['Naam', 'Waarde'], db.zaakeigenschappen.filter((e) => e.zaak === z.url).map((e) => row([escapeHtml(e.naam), escapeHtml(e.waarde)])))}`);
}
function statusName(z) {
  const status = db.statussen.find((s) => s.url === z.status);
  return status ? types.statustypen.find((t) => t.url === status.statustype).omschrijving : 'nog geen';
}

const compiled = routes.map(([method, path, run]) => ({ method, run, pattern: new RegExp(`^${path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`) }));
const ready = () => {
  base ??= place.base;
  types ??= tables.catalogue(base);
};
const place = serve({
  name: 'zgw', args, state, service: /^\w+ \/(zaken|documenten|catalogi)\//,
  control: { catalogus: (call) => { ready(); call.send(200, types); } },
  async handle(call) {
    ready();
    if (call.method === 'GET' && (call.path === '/' || call.path.startsWith('/dossier/'))) return humanPage(call);
    guardUrl(call);
    authenticate(call);
    const matches = compiled.filter((r) => r.pattern.test(call.path));
    if (!matches.length) throw notFound();
    const route = matches.find((r) => r.method === call.method);
    if (!route) throw new Refusal(405, 'method_not_allowed', 'Methode niet toegestaan.');
    return route.run(call, route.pattern.exec(call.path).groups ?? {});
  },
});
