// A system that takes CloudEvents by webhook: it checks the rules of the HTTP binding and of the NL GOV profile, and records ids.
// node tests/partners/webhook.mjs --port N --state FILE [--token T] [--origin broker.example] [--gone true]
import { createHmac, timingSafeEqual } from 'node:crypto';
import { options, parseJson, Refusal, serve, sha256, State, findBsn } from './lib/partner.mjs';

const args = options();
const state = new State(args.state, { events: [] });
const CORE = ['id', 'source', 'type', 'specversion'];

function attributes(call, bytes) {
  const type = (call.request.headers['content-type'] ?? '').toLowerCase();
  if (type.startsWith('application/cloudevents-batch')) throw new Refusal(415, 'batch', 'Een bundel is niet afgesproken');
  if (type.startsWith('application/cloudevents')) {
    if (!type.startsWith('application/cloudevents+json')) throw new Refusal(415, 'format', 'Alleen JSON');
    const { data, data_base64: base64, ...event } = parseJson(bytes);
    if (data !== undefined && base64 !== undefined) throw new Refusal(400, 'data-twice', 'data en data_base64 sluiten elkaar uit');
    return { event, data, mode: 'structured' };
  }
  const event = {};
  for (const [name, value] of Object.entries(call.request.headers)) if (name.startsWith('ce-')) event[name.slice(3)] = decode(value);
  if (event.datacontenttype !== undefined) throw new Refusal(400, 'datacontenttype', 'In binaire vorm is Content-Type het enige');
  if (type.startsWith('application/xml')) return { event, data: invoice(call, bytes, event), mode: 'binary' };
  return { event, data: type.includes('json') && bytes.length ? parseJson(bytes) : undefined, mode: 'binary' };
}
/** An e-invoice as the body of a binary event: what of it a booking system goes by. */
function invoice(call, bytes, event) {
  const text = bytes.toString('utf8');
  const root = /<(?:\w+:)?(Invoice|CreditNote)[\s>]/.exec(text)?.[1];
  if (!root || /<!DOCTYPE/i.test(text)) throw new Refusal(400, 'no-ubl', 'Geen UBL Invoice of CreditNote');
  if (call.request.headers['idempotency-key'] !== event.id) call.violate('key-is-not-the-id', 'Idempotency-Key');
  const one = (name) => new RegExp(`<cbc:${name}[^>]*>([^<]*)<`).exec(text)?.[1];
  if (findBsn(text.replace(/<cbc:EmbeddedDocumentBinaryObject[^>]*>[^<]*</g, '<').replace(/schemeID="01(?:06|90)">[0-9]+/g, ''))) call.violate('bsn-in-invoice', 'body');
  return { root, number: one('ID'), payable: one('PayableAmount'), profile: one('CustomizationID'), pdf: /EmbeddedDocumentBinaryObject/.test(text), sha256: sha256(bytes) };
}
function decode(value) {
  try { return decodeURIComponent(value.replace(/^"(.*)"$/s, '$1')); } catch { throw new Refusal(400, 'percent-encoding', 'Kopregel is geen geldige UTF-8'); }
}

serve({
  name: 'webhook', args, state, service: /^(POST|OPTIONS) /,
  async handle(call) {
    if (args.gone === 'true') throw new Refusal(410, 'gone', 'Deze ontvanger bestaat niet meer');
    if (call.method === 'OPTIONS') {
      const origin = call.request.headers['webhook-request-origin'];
      if (!origin) throw new Refusal(400, 'origin', 'WebHook-Request-Origin ontbreekt');
      return call.send(200, undefined, { 'WebHook-Allowed-Origin': args.origin ?? origin, 'WebHook-Allowed-Rate': '120', Allow: 'POST' });
    }
    if (call.method !== 'POST') throw new Refusal(405, 'method', 'Alleen POST');
    if (args.token && call.request.headers.authorization !== `Bearer ${args.token}`) throw new Refusal(401, 'token', 'Sleutel ontbreekt of klopt niet');
    if (call.query.has('access_token')) { call.violate('token-in-url', 'url'); throw new Refusal(400, 'token-in-url', 'Een sleutel hoort niet in de URL'); }
    const bytes = await call.bytes();
    if (args.hmac) {
      const at = call.request.headers['x-timestamp'] ?? '';
      const given = Buffer.from((call.request.headers['x-signature'] ?? '').replace(/^sha256=/, ''), 'hex');
      const expected = createHmac('sha256', args.hmac).update(`${at}.`).update(bytes).digest();
      if (Math.abs(Date.now() / 1000 - Number(at)) > 300 || given.length !== 32 || !timingSafeEqual(given, expected)) throw new Refusal(401, 'signature', 'Handtekening klopt niet');
    }
    const xml = (call.request.headers['content-type'] ?? '').startsWith('application/xml');
    if (bytes.length > (xml ? 10 * 1024 * 1024 : 64 * 1024)) { call.violate('over-64-kib', 'body'); throw new Refusal(413, 'too-large', 'Ten hoogste 64 KiB, een factuur 10 MiB'); }
    const { event, data, mode } = attributes(call, bytes);
    const missing = CORE.filter((name) => typeof event[name] !== 'string' || event[name] === '');
    if (missing.length) throw new Refusal(400, 'missing', `Ontbreekt: ${missing.join(', ')}`);
    if (event.specversion !== '1.0') throw new Refusal(400, 'specversion', 'Alleen 1.0');
    if (!/^nl\.[a-z0-9.-]+$/.test(event.type.replaceAll('_', '-'))) call.violate('type-not-reverse-dns', 'type');
    if (!/^urn:nld:(oin|kvk):/.test(event.source)) call.violate('source-not-urn-nld', 'source');
    for (const [name, value] of Object.entries(event)) {
      if (!/^[a-z0-9]{1,20}$/.test(name)) throw new Refusal(400, 'attribute-name', name);
      if (findBsn(value)) { call.violate('bsn-in-attribute', name); throw new Refusal(400, 'bsn', 'Een BSN staat nooit in een kenmerk'); }
    }
    if (event.time && Number.isNaN(Date.parse(event.time))) throw new Refusal(400, 'time', 'Geen tijdstip volgens RFC 3339');
    const seen = state.value.events.find((e) => e.id === event.id && e.source === event.source);
    if (seen && seen.data?.sha256 !== data?.sha256) { call.violate('same-id-other-content', 'body'); throw new Refusal(409, 'other-content', 'Zelfde kenmerk met andere inhoud'); }
    if (seen) seen.copies += 1;
    else state.value.events.push({ ...event, mode, data, at: new Date().toISOString(), copies: 1 });
    state.save();
    return call.send(202);
  },
});
