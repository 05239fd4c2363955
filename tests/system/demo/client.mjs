// What the players of the demo use: a partner's client over mutual TLS, and a visitor of the portal who fills in its forms.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';

function request(url, { method = 'GET', headers = {}, body, tls = {} } = {}) {
  return new Promise((resolve, reject) => {
    const secure = url.startsWith('https:');
    const r = (secure ? https : http).request(url, { method, timeout: 20_000, headers: { ...headers, ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }) }, ...(secure ? { agent: false, servername: 'localhost', ...tls } : {}) }, (answer) => {
      const chunks = [];
      answer.on('data', (c) => chunks.push(c)).on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, bytes: Buffer.concat(chunks) }));
    });
    r.on('timeout', () => r.destroy(new Error(`no answer from ${new URL(url).host}`)));
    r.on('error', reject);
    r.end(body);
  });
}

/** A party at the broker's API. */
export class Party {
  constructor(pki, name, oin, base) {
    Object.assign(this, { oin, base, tls: { cert: readFileSync(join(pki, `${name}.crt`)), key: readFileSync(join(pki, `${name}.key`)), ca: readFileSync(join(pki, 'root.crt')) } });
  }
  async call(method, path, body, headers = {}) {
    const raw = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const answer = await request(this.base + path, { method, body: raw, tls: this.tls, headers: { ...(raw === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers } });
    const text = answer.bytes.toString();
    return { ...answer, body: /json/.test(answer.headers['content-type'] ?? '') && text ? JSON.parse(text) : text };
  }
  /** Sends a CloudEvent; the answer is that of POST /v1/berichten. */
  send(event) { return this.call('POST', '/v1/berichten', event, { 'Content-Type': 'application/cloudevents+json' }); }
  event(id, type, subject, data, time = new Date()) {
    return { specversion: '1.0', id, source: `urn:nld:oin:${this.oin}:systeem:demo`, type: `nl.schakel.${type}.v1`, ...(subject ? { subject } : {}), time: time.toISOString(), datacontenttype: 'application/json', data };
  }
}

/** The code that an authenticator app shows now for the otpauth address it read (RFC 6238, SHA-1, six digits). */
export function appCode(otpauth, at = Date.now()) {
  const bits = [...new URL(otpauth).searchParams.get('secret')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/[01]{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  return String((mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** A person with a link. Does what a browser does: keeps cookies, follows redirects, posts the forms that the page has. */
export class Visitor {
  constructor(link) {
    const url = new URL(link);
    Object.assign(this, { origin: url.origin, path: url.pathname, secret: url.hash.slice(1), cookies: new Map() });
  }
  async fetch(method, path, fields) {
    const body = fields && new URLSearchParams(fields).toString();
    const answer = await request(this.origin + path, {
      method, body, headers: {
        Accept: 'text/html', 'Sec-Fetch-Site': 'same-origin', Cookie: [...this.cookies].map(([k, v]) => `${k}=${v}`).join('; '),
        ...(body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded', Origin: this.origin }),
      },
    });
    for (const cookie of answer.headers['set-cookie'] ?? []) { const [pair] = cookie.split(';'); const at = pair.indexOf('='); this.cookies.set(pair.slice(0, at), pair.slice(at + 1)); }
    if ([302, 303].includes(answer.status)) return this.fetch('GET', new URL(answer.headers.location, this.origin + path).pathname);
    return { ...answer, text: answer.bytes.toString(), path };
  }
  /** The forms of a page: {action, fields} with what is filled in already. */
  static forms(html) {
    const attribute = (tag, name) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll('&amp;', '&');
    return [...html.matchAll(/<form\b[^>]*>[\s\S]*?<\/form>/g)].map(([form]) => ({
      action: attribute(/<form\b[^>]*>/.exec(form)[0], 'action'),
      fields: Object.fromEntries([...form.matchAll(/<(?:input|button)\b[^>]*>/g)].map(([tag]) => [attribute(tag, 'name'), attribute(tag, 'value') ?? '']).filter(([name]) => name)),
    }));
  }
  form(page, ending) {
    const found = Visitor.forms(page.text).filter((f) => f.action?.endsWith(ending));
    if (!found.length) throw new Error(`the page ${page.path} (status ${page.status}) has no form towards ${ending}: ${/<h1[^>]*>([^<]*)/.exec(page.text)?.[1] ?? ''}`);
    return found;
  }
  /** Fills the one empty field of a form and posts it. */
  post(form, value) {
    const fields = { ...form.fields };
    if (value !== undefined) {
      const empty = Object.keys(fields).filter((name) => fields[name] === '');
      if (empty.length !== 1) throw new Error(`form ${form.action} has ${empty.length} empty fields`);
      fields[empty[0]] = value;
    }
    return this.fetch('POST', form.action, fields);
  }
  async open() {
    const page = await this.fetch('GET', this.path);
    return page.status === 200 ? this.post(this.form(page, '/openen')[0], this.secret) : page;
  }
}
