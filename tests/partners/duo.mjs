// DUO's absence register: SOAP 1.1 over HTTPS with WS-Addressing, in the house style of DUO's public contracts, stateful and strict.
// node tests/partners/duo.mjs --port N --state FILE [--tls-port N --cert C --key K --ca CA] [--xsd verzuim.xsd]
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONTRACT, NS, OPERATIONS } from './lib/duo-tables.mjs';
import { elevenProof, escapeHtml, options, Refusal, serve, State } from './lib/partner.mjs';
import { child, elements, escape, parse, sequence, text, XmlError } from './lib/xml.mjs';
import { XMLSerializer } from '@xmldom/xmldom';

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const WSA = 'http://www.w3.org/2005/08/addressing';
const DUO_OIN = '00000001800866472000';
const args = options();
const state = new State(args.state, { meldingen: [], ids: {}, next: 100000001, bevestigd: null });
const db = state.value;
const faults = [];  // {code, count}: SOAP faults on command

class Fault extends Error {
  constructor(code, message) { super(message); this.code = code; }
}
const address = (oin) => `http://www.w3.org/2005/08/addressing/anonymous?oin=${oin}`;
const now = () => new Date().toISOString();

function header(envelope, operation, action, request) {
  const node = child(envelope, SOAP, 'Header');
  const value = (name) => { const all = node ? elements(node).filter((n) => n.namespaceURI === WSA && n.localName === name) : []; if (all.length > 1) throw new Fault('Client.DK0010', `wsa:${name} staat er meer dan eens`); return text(all[0]); };
  if (value('To') === undefined) throw new Fault('Client.DK0005', 'wsa:To ontbreekt');
  if (value('Action') === undefined) throw new Fault('Client.DK0006', 'wsa:Action ontbreekt');
  const id = value('MessageID');
  if (id === undefined) throw new Fault('Client.DK0007', 'wsa:MessageID ontbreekt');
  if (!/^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) throw new Fault('Client.EK0023', 'wsa:MessageID is geen UUID');
  if (value('Action') !== action || request.headers.soapaction?.replaceAll('"', '') !== action) throw new Fault('Client.DK0003', 'SOAPAction en wsa:Action horen bij de operatie');
  if (!/[?&]oin=/.test(value('To'))) throw new Fault('Client.EK0022', 'geen OIN in wsa:To');
  if (new URLSearchParams(value('To').split('?')[1]).get('oin') !== DUO_OIN) throw new Fault('Client.DK0011', 'wsa:To is niet DUO');
  const from = node && child(node, WSA, 'From');
  if (!from) throw new Fault('Client.EK0020', 'wsa:From ontbreekt');
  const oin = /[?&]oin=([0-9]{8}[0-9A-Z]{9}000)$/.exec(text(child(from, WSA, 'Address')) ?? '')?.[1];
  if (!oin) throw new Fault('Client.EK0021', 'geen geldige OIN in wsa:From');
  return { id, oin };
}

/** Where the official schema of the contract is at hand, libxml2 judges as well: both must agree. */
function bySchema(node) {
  if (!args.xsd || !existsSync(args.xsd)) return null;
  const dir = mkdtempSync(join(tmpdir(), 'schakel-duo-'));
  try {
    writeFileSync(join(dir, 'body.xml'), new XMLSerializer().serializeToString(node));
    execFileSync('xmllint', ['--noout', '--nonet', '--schema', args.xsd, join(dir, 'body.xml')], { stdio: 'pipe' });
    return true;
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    return false;
  } finally { rmSync(dir, { recursive: true }); }
}

function business(melding) {
  const get = (name) => text(child(melding, NS, name));
  const pupil = child(melding, NS, 'onderwijsontvanger');
  const bsn = text(child(pupil, NS, 'burgerservicenummer'));
  const number = text(child(pupil, NS, 'onderwijsnummer'));
  const errors = [];
  if (!bsn && !number) errors.push(['PGN_ONTBREEKT', 'Burgerservicenummer of onderwijsnummer is vereist']);
  if (bsn && !elevenProof(bsn)) errors.push(['BSN_ONGELDIG', 'Burgerservicenummer voldoet niet aan de elfproef']);
  const kind = get('verzuimsoort');
  if (['V1', 'V2'].includes(kind)) errors.push(['SOORT_VERVALLEN', 'Deze verzuimsoort wordt niet meer aangenomen']);
  const begin = get('datumBeginVerzuim');
  const end = get('datumEindVerzuim');
  if (end && end < begin) errors.push(['PERIODE', 'Einde ligt voor het begin']);
  if (begin > now().slice(0, 10)) errors.push(['BEGIN_IN_TOEKOMST', 'Begin ligt in de toekomst']);
  if (kind === 'LRV' && Date.parse(end ?? now()) - Date.parse(begin) < 28 * 86400000) errors.push(['LRV_TE_KORT', 'Langdurig relatief verzuim duurt langer dan vier weken']);
  const days = elements(melding).filter((n) => n.localName === 'verzuimdag');
  const whole = days.filter((d) => text(child(d, NS, 'heleDag')) === 'true').map((d) => text(child(d, NS, 'datum')));
  if (new Set(whole).size !== whole.length) errors.push(['DAG_DUBBEL', 'Een hele dag is dubbel opgegeven']);
  if (!/^[^\s@]+@[^\s@]+$/.test(text(child(child(melding, NS, 'contactpersoon'), NS, 'emailadres')))) errors.push(['EMAIL', 'E-mailadres van de contactpersoon klopt niet']);
  return { errors, record: { brin: get('brin'), soort: kind, begin, einde: end ?? null, reden: get('vermoedelijkeReden'), bsnEindigtOp: bsn?.slice(-3) ?? null, onderwijsnummer: Boolean(number), xml: new XMLSerializer().serializeToString(melding) } };
}

function answer(operation, request) {
  const get = (name) => text(child(request, NS, name));
  const id = get('identificatiecodeBedrijfsdocument');
  const before = db.ids[id];
  if (before) return before === 'used' ? outcome(false, [['NIET_UNIEK', 'identificatiecodeBedrijfsdocument is al gebruikt']]) : outcome(false, [['NIET_UNIEK', 'identificatiecodeBedrijfsdocument is al gebruikt', ['meldingsnummer', before]]]);
  const known = () => db.meldingen.find((m) => m.nummer === get('meldingsnummer'));
  let result;
  if (operation === 'aanleverenVerzuimmelding') {
    const { errors, record } = business(child(request, NS, 'melding'));
    if (errors.length) return outcome(false, errors);
    const nummer = String(db.next);
    db.next += 1;
    db.meldingen.push({ nummer, status: 'R', gewijzigd: now(), aangeleverd: now(), ...record });
    db.ids[id] = nummer;
    result = outcome(true, [], `<meldingsnummer>${nummer}</meldingsnummer>`);
  } else if (operation === 'wijzigenVerzuimmelding') {
    const melding = known();
    if (!melding) return outcome(false, [['ONBEKEND', 'Meldingsnummer is onbekend']]);
    if (Date.parse(melding.gewijzigd) !== Date.parse(get('tijdstipLaatsteMutatie'))) return outcome(false, [['TUSSENTIJDS_GEWIJZIGD', 'De melding is intussen gewijzigd']]);
    const { errors, record } = business(child(request, NS, 'melding'));
    if (errors.length) return outcome(false, errors);
    Object.assign(melding, record, { gewijzigd: now() });
  } else if (operation === 'intrekkenVerzuimmelding') {
    const melding = known();
    if (!melding) return outcome(false, [['ONBEKEND', 'Meldingsnummer is onbekend']]);
    if (melding.status !== 'R') return outcome(false, [['STATUS', 'Alleen een geregistreerde melding kan worden ingetrokken']]);
    Object.assign(melding, { status: 'I', gewijzigd: now() });
  } else if (operation === 'ophalenGewijzigdeVerzuimmeldingen') {
    const brins = elements(request).filter((n) => n.localName === 'brin').map(text);
    const max = Number(get('maxAantal') ?? 500);
    const rows = db.meldingen.filter((m) => brins.includes(m.brin) && Date.parse(m.gewijzigd) >= Date.parse(get('gewijzigdVanaf'))).sort((a, b) => (a.gewijzigd < b.gewijzigd ? -1 : 1));
    result = outcome(true, [], rows.slice(0, max).map((m) => `<verzuimgeval><meldingsnummer>${m.nummer}</meldingsnummer><status>${m.status}</status><tijdstipLaatsteMutatie>${m.gewijzigd}</tijdstipLaatsteMutatie>${m.xml}</verzuimgeval>`).join('')
      + `${rows.length > max ? `<volgendeSelectieVanaf>${rows[max].gewijzigd}</volgendeSelectieVanaf>` : ''}<meerBeschikbaar>${rows.length > max}</meerBeschikbaar>`);
  } else db.bevestigd = get('bevestigdTotEnMet');
  db.ids[id] ??= 'used';
  state.save();
  return result ?? outcome(true, []);
}
const outcome = (good, errors, more = '') => `<requestGoedgekeurd>${good}</requestGoedgekeurd>${errors.map(([code, message, key]) => `<foutmelding><foutcode>${code}</foutcode><fouttekst>${escape(message)}</fouttekst>${key ? `<sleutelgegeven><sleutelnaam>${key[0]}</sleutelnaam><sleutelwaarde>${key[1]}</sleutelwaarde></sleutelgegeven>` : ''}</foutmelding>`).join('')}${more}`;

const soap = (headerXml, body) => `<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="${SOAP}"><SOAP:Header xmlns:SOAP="${SOAP}" xmlns:wsa="${WSA}">${headerXml}</SOAP:Header><SOAP-ENV:Body>${body}</SOAP-ENV:Body></SOAP-ENV:Envelope>`;
const XML = { 'Content-Type': 'text/xml;charset=UTF-8' };
const sendFault = (call, code, message) => call.send(500, soap('', `<SOAP-ENV:Fault><faultcode>SOAP-ENV:${code}</faultcode><faultstring>${escape(message)}</faultstring></SOAP-ENV:Fault>`), XML);

serve({
  name: 'duo', args, state, service: /^\w+ \/verzuim/,
  control: {
    async soapfault(call) { faults.push({ count: 1, ...(await call.json()) }); call.send(204); },
    async status(call) { const { nummer, status } = await call.json(); const m = db.meldingen.find((x) => x.nummer === nummer); if (!m) throw new Refusal(404, 'unknown', 'Onbekend'); Object.assign(m, { status, gewijzigd: now() }); state.save(); call.send(204); },
  },
  async handle(call) {
    if (call.method === 'GET' && call.path === '/') {
      return call.html('Verzuimregister', `<table><caption>${db.meldingen.length} meldingen</caption><thead><tr><th scope="col">Nummer</th><th scope="col">School</th><th scope="col">Soort</th><th scope="col">Begin</th><th scope="col">Leerling</th><th scope="col">Status</th></tr></thead><tbody>${
        db.meldingen.map((m) => `<tr><td>${m.nummer}</td><td>${escapeHtml(m.brin)}</td><td>${m.soort}</td><td>${m.begin}</td><td>${m.bsnEindigtOp ? `BSN eindigt op ${m.bsnEindigtOp}` : 'onderwijsnummer'}</td><td>${m.status}</td></tr>`).join('')}</tbody></table>`);
    }
    if (call.path !== '/verzuim') throw new Refusal(404, 'not-found', 'Niet gevonden');
    if (call.method !== 'POST') throw new Refusal(405, 'method', 'Alleen POST');
    try {
      const fault = faults[0];
      if (fault) { if (--fault.count <= 0) faults.shift(); throw new Fault(fault.code, 'op verzoek'); }
      if (!/^text\/xml\s*;\s*charset="?utf-8"?$/i.test(call.request.headers['content-type'] ?? '')) throw new Fault('Client.DK0009', 'Content-Type is text/xml;charset=UTF-8');
      const document = parse(await call.bytes());
      const envelope = document.documentElement;
      if (envelope.localName !== 'Envelope' || envelope.namespaceURI !== SOAP) throw new Fault('VersionMismatch.DK0001', 'alleen SOAP 1.1');
      const body = child(envelope, SOAP, 'Body');
      const [request, ...rest] = body ? elements(body) : [];
      const operation = request?.namespaceURI === NS && !rest.length ? request.localName.replace(/_request$/, '') : null;
      if (!operation || !OPERATIONS[operation] || request.localName === operation) throw new Fault('Client.DK0004', 'onbekende operatie');
      const { id } = header(envelope, operation, `${CONTRACT}/${operation}`, call.request);
      const found = sequence(request, NS, OPERATIONS[operation]);
      const schema = bySchema(request);
      if (schema !== null && schema !== (found.length === 0)) call.violate('tables-and-schema-differ', operation);
      if (found.length || schema === false) throw new Fault('Client.DK0004', found.join('; ').slice(0, 190) || 'voldoet niet aan het schema');
      const get = (name) => escape(text(child(request, NS, name)));
      const response = `${operation}_response`;
      const reply = answer(operation, request);
      call.send(200, soap(`<wsa:To>${address('anonymous')}</wsa:To><wsa:Action>${CONTRACT}/${response}</wsa:Action><wsa:MessageID>urn:uuid:${randomUUID()}</wsa:MessageID><wsa:RelatesTo>${id}</wsa:RelatesTo><wsa:From><wsa:Address>${address(DUO_OIN)}</wsa:Address></wsa:From>`,
        `<${response} xmlns="${NS}"><identificatiecodeBedrijfsdocument>${get('identificatiecodeBedrijfsdocument')}</identificatiecodeBedrijfsdocument><verzendendeInstantie>${get('ontvangendeInstantie')}</verzendendeInstantie><ontvangendeInstantie>${get('verzendendeInstantie')}</ontvangendeInstantie><datumTijdBedrijfsdocument>${now()}</datumTijdBedrijfsdocument>${reply}</${response}>`), XML);
    } catch (error) {
      if (error instanceof XmlError) return sendFault(call, 'Client.DK0004', error.message);
      if (error instanceof Fault) return sendFault(call, error.code, error.message);
      throw error;
    }
    return undefined;
  },
});
