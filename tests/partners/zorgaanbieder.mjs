// A care provider's office: it declares (JW323, UBL) at the broker over mutual TLS and takes the JW325 answers.
// node tests/partners/zorgaanbieder.mjs --port N --state FILE --inbox-jw323 URL --inbox-ubl URL --client-cert C --client-key K --client-ca CA [--keep-answers FOLDER]
//   POST /__control/jw323 {identification, number, month, lines...}   POST /__control/ubl {number, lines...}   POST /jw325 (from the broker)
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import https from 'node:https';
import http from 'node:http';
import { jw323, ubl } from './lib/declaration.mjs';
import { escapeHtml, options, Refusal, serve, State } from './lib/partner.mjs';
import { child, elements, parse, text, XmlError } from './lib/xml.mjs';

const args = options();
const state = new State(args.state, { verstuurd: [], antwoorden: [] });
const NS325 = 'http://www.istandaarden.nl/ijw/3_2/jw325/schema';
const BASE = 'http://www.istandaarden.nl/ijw/3_2/basisschema/schema';

function post(url, body, type) {
  return new Promise((resolve, reject) => {
    const secure = url.startsWith('https:');
    const request = (secure ? https : http).request(url, {
      method: 'POST', timeout: 15000, headers: { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) },
      ...(secure ? { cert: readFileSync(args.clientCert), key: readFileSync(args.clientKey), ca: readFileSync(args.clientCa), servername: 'localhost', agent: false } : {}),
    }, (answer) => {
      const chunks = [];
      answer.on('data', (c) => chunks.push(c)).on('end', () => resolve({ status: answer.statusCode, body: Buffer.concat(chunks).toString() }));
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
    request.end(body);
  });
}
async function send(call, soort, number, url, body) {
  // Written down first: the answer to a declaration may be here before the broker's 202 is read.
  const sent = { soort, number, at: new Date().toISOString(), body, status: null };
  state.value.verstuurd.push(sent);
  state.save();
  let answer;
  try { answer = await post(url, body, 'application/xml'); } catch (error) { answer = { status: 0, body: error.message }; }
  Object.assign(sent, { status: answer.status, antwoord: answer.body.slice(0, 4000) });
  state.save();
  call.send(200, answer);
}

/** The one-message rules of a JW325: header, link to what was sent, and that the rejected lines explain the difference. */
function judge(bytes) {
  const root = parse(bytes).documentElement;
  if (root.localName !== 'Bericht' || root.namespaceURI !== NS325) throw new Refusal(422, 'root', 'Geen JW325 3.2');
  const header = child(root, NS325, 'Header');
  const inHeader = (name) => text(child(header, NS325, name));
  if (inHeader('BerichtCode') !== '491' || inHeader('BerichtVersie') !== '3' || inHeader('BerichtSubversie') !== '2') throw new Refusal(422, 'header', 'Geen 491 versie 3.2');
  const link = child(header, NS325, 'DeclaratieIdentificatie') ?? child(root, NS325, 'DeclaratieIdentificatie');
  const identification = text(child(link ?? header, BASE, 'Identificatie'));
  const sent = state.value.verstuurd.find((v) => v.soort === 'jw323' && v.body.includes(`<b:Identificatie>${identification}</b:Identificatie>`));
  if (!sent) throw new Refusal(422, 'TR337', 'Verwijst niet naar een declaratie die is verstuurd');
  const reply = child(root, NS325, 'DeclaratieAntwoord');
  if (!reply) return { identification, toegekend: 0, codes: codesOf(header) };
  const amount = (node, name) => Number(text(elements(node).find((n) => n.localName === name))) * (text(child(node, BASE, 'DebetCredit')) === 'C' ? -1 : 1);
  const submitted = amount(child(reply, NS325, 'TotaalIngediendBedrag'), 'TotaalBedrag');
  const granted = amount(child(reply, NS325, 'TotaalToegekendBedrag'), 'TotaalBedrag');
  const rejected = Array.from(reply.getElementsByTagNameNS(NS325, 'Prestatie')).reduce((sum, p) => sum + amount(child(p, NS325, 'IngediendBedrag'), 'Bedrag'), 0);
  const codes = codesOf(reply);
  if (codes.every((c) => ['0200', '8001'].includes(c)) ? submitted - granted !== rejected : granted !== 0) throw new Refusal(422, 'TR342', 'De afgekeurde regels verklaren het verschil niet');
  return { identification, number: text(child(reply, NS325, 'DeclaratieNummer')), ingediend: submitted, toegekend: granted, afgekeurd: rejected, codes };
}
const codesOf = (node) => elements(child(node, NS325, 'RetourCodes') ?? node).filter((n) => n.localName === 'RetourCode').map(text);

serve({
  name: 'zorgaanbieder', args, state, service: /^\w+ \/jw325/,
  control: {
    async jw323(call) { const value = await call.json(); await send(call, 'jw323', value.number, args.inboxJw323, jw323(value)); },
    async ubl(call) { const value = await call.json(); await send(call, value.credits ? 'creditnota' : 'factuur', value.number, args.inboxUbl, ubl(value)); },
    async ruw(call) { const { soort, body } = await call.json(); await send(call, 'ruw', '', soort === 'ubl' ? args.inboxUbl : args.inboxJw323, body); },
  },
  async handle(call) {
    if (call.method === 'GET' && call.path === '/') {
      return call.html('Kantoor van de zorgaanbieder', `<table><caption>Verstuurd</caption><thead><tr><th scope="col">Soort</th><th scope="col">Nummer</th><th scope="col">Antwoord van het knooppunt</th></tr></thead><tbody>${
        state.value.verstuurd.map((v) => `<tr><td>${v.soort}</td><td>${escapeHtml(v.number)}</td><td>${v.status}</td></tr>`).join('')}</tbody></table><table><caption>Declaratie-antwoorden (JW325)</caption><thead><tr><th scope="col">Declaratie</th><th scope="col">Toegekend in centen</th><th scope="col">Codes</th></tr></thead><tbody>${
        state.value.antwoorden.map((a) => `<tr><td>${escapeHtml(a.number ?? a.identification)}</td><td>${a.toegekend}</td><td>${a.codes.join(', ')}</td></tr>`).join('')}</tbody></table>`);
    }
    if (call.path !== '/jw325') throw new Refusal(404, 'not-found', 'Niet gevonden');
    if (call.method !== 'POST') throw new Refusal(405, 'method', 'Alleen POST');
    try {
      const bytes = await call.bytes();
      const answer = judge(bytes);
      if (args.keepAnswers) {
        mkdirSync(args.keepAnswers, { recursive: true });
        writeFileSync(join(args.keepAnswers, `${answer.identification.replace(/\W/g, '_')}.xml`), bytes);
      }
      const before = state.value.antwoorden.find((a) => a.identification === answer.identification);
      if (before) before.copies += 1;
      else state.value.antwoorden.push({ ...answer, copies: 1, at: new Date().toISOString() });
      state.save();
      return call.send(200);
    } catch (error) {
      if (error instanceof XmlError) throw new Refusal(400, 'xml', error.message);
      throw error;
    }
  },
});
