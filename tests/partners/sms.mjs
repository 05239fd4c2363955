// An SMS gateway: POST {"from","to","text"} as JSON; a page and a JSON list show what a phone would show.
// node tests/partners/sms.mjs --port N --state FILE [--authorization "Bearer X"]
import { randomUUID } from 'node:crypto';
import { findings } from './lib/fields.mjs';
import { escapeHtml, findBsn, mediaType, options, Refusal, serve, State } from './lib/partner.mjs';

const args = options();
const state = new State(args.state, { messages: [] });
const fields = {
  from: { type: 'string', max: 11, pattern: /^[A-Za-z0-9 ]+$/ },
  to: { type: 'string', required: true, pattern: /^\+[1-9][0-9]{7,14}$/ },
  text: { type: 'string', required: true, max: 480 },
};
serve({
  name: 'sms', args, state,
  async handle(call) {
    if (call.path === '/' && call.method === 'GET') {
      return call.html('Telefoons', `<p>De sms-berichten die zijn verstuurd, de nieuwste eerst.</p><table><caption>${state.value.messages.length} berichten</caption><thead><tr><th scope="col">Tijd</th><th scope="col">Nummer</th><th scope="col">Bericht</th></tr></thead><tbody>${
        [...state.value.messages].reverse().map((m) => `<tr><td>${escapeHtml(m.at.slice(11, 19))}</td><td>${escapeHtml(m.to)}</td><td>${escapeHtml(m.text)}</td></tr>`).join('')}</tbody></table>`);
    }
    if (call.path !== '/messages') throw new Refusal(404, 'not-found', 'Niet gevonden');
    if (call.method === 'GET') return call.send(200, state.value.messages.filter((m) => !call.query.has('to') || m.to === call.query.get('to')));
    if (call.method !== 'POST') throw new Refusal(405, 'method', 'Alleen GET en POST');
    if (args.authorization && call.request.headers.authorization !== args.authorization) throw new Refusal(401, 'not-authenticated', 'Sleutel ontbreekt of klopt niet');
    if (mediaType(call.request) !== 'application/json') throw new Refusal(415, 'media-type', 'Alleen application/json');
    const value = await call.json();
    const found = findings(fields, value);
    if (found.length) throw new Refusal(400, 'invalid', 'Ongeldig bericht', { invalidParams: found });
    if (findBsn(value.text)) { call.violate('bsn-in-sms', 'text'); throw new Refusal(400, 'bsn', 'Een BSN hoort niet in een sms'); }
    if (/https?:\/\//.test(value.text)) call.violate('link-beside-code', 'text');
    const message = { id: randomUUID(), at: new Date().toISOString(), ...value };
    state.value.messages.push(message);
    state.save();
    return call.send(202, { id: message.id });
  },
});
