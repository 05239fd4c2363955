// What every simulated partner shares: arguments, a state file, a loopback server, faults on command, and one page style. A partner is
// one process: node tests/partners/<name>.mjs --port N --state FILE [--tls-port N --cert C --key K [--ca CA]]. With --tls-port its
// interface is on that port only, with --ca for client certificates only; pages and control stay on the plain one. --record FILE keeps
// every call of the interface with its answer, one JSON value a line, for a check against the published description.
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync, existsSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { dirname } from 'node:path';

export function options(argv = process.argv.slice(2)) {
  const result = { port: 0 };
  for (let i = 0; i < argv.length; i += 2) {
    if (!argv[i].startsWith('--') || argv[i + 1] === undefined) {
      console.error(`not understood: ${argv[i]}`);
      process.exit(2);
    }
    result[argv[i].slice(2).replace(/-(.)/g, (_, c) => c.toUpperCase())] = argv[i + 1];
  }
  result.port = Number(result.port);
  return result;
}

/** A plain value kept in a file, replaced whole, so that a killed partner starts again with what it had acknowledged. */
export class State {
  constructor(file, fresh) {
    this.file = file;
    this.value = file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : fresh;
    if (file) mkdirSync(dirname(file), { recursive: true });
  }
  save() {
    if (!this.file) return;
    writeFileSync(`${this.file}.new`, JSON.stringify(this.value, null, 1));
    renameSync(`${this.file}.new`, this.file);
  }
}

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
export const uuidOf = (name) => {
  const h = createHash('sha1').update(`schakel:${name}`).digest('hex');
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-5${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20, 32)}`;
};

/** Eleven-proof of a BSN (last weight -1); of an RSIN it is the same. */
export const elevenProof = (n) => /^[0-9]{9}$/.test(n) && Number(n) > 0
  && [...n].reduce((sum, c, i) => sum + Number(c) * [9, 8, 7, 6, 5, 4, 3, 2, -1][i], 0) % 11 === 0;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;
/** The first number in the text that could be a BSN; hashes and UUIDs are left out of the search. */
export const findBsn = (text) => (String(text).replace(UUID, ' ').replace(/\b[0-9a-f]{40,}\b/gi, ' ').match(/(?<![0-9])[0-9]{9}(?![0-9])/g) ?? []).find(elevenProof);

export class Refusal extends Error {
  constructor(status, code, title, more = {}) {
    super(`${status} ${code}`);
    Object.assign(this, { status, code, title, more });
  }
}

export async function readBody(request, limit = 64 * 1024 * 1024) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > limit) throw new Refusal(413, 'too-large', 'Bericht is te groot');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function parseJson(bytes) {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Refusal(400, 'parse-error', 'Geen geldige JSON in UTF-8');
  }
}

export function mediaType(request) {
  return (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
}

export const escapeHtml = (s) => String(s ?? '').replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
export function page(title, body) {
  return `<!doctype html><html lang="nl"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>
body{font:1.05rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#1a1a1a;background:#fff}
a{color:#004489}a:focus,button:focus{outline:3px solid #b35900;outline-offset:2px}
table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:bold;padding:.5rem 0}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #767676}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f3f3f3;padding:.8rem}code{overflow-wrap:anywhere}.note{border-left:.3rem solid #004489;padding:.2rem .8rem;background:#eef4fb}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem}</style></head><body><a class="skip" href="#inhoud">Naar de inhoud</a>
<header><p class="note">Dit is een nagespeelde partner voor demonstratie en test. Alle personen en gegevens zijn verzonnen.</p></header>
<main id="inhoud"><h1>${escapeHtml(title)}</h1>${body}</main></body></html>`;
}

/**
 * Serves `handle(call)` until SIGTERM or SIGINT. `call` has request, response, method, path, query, body(), json(), send(), html().
 * Every partner has, under /__control: POST fault {mode, count, status?, retryAfter?, path?}, GET calls, GET state, GET violations,
 * POST reset. Modes: status (answer that), hang (never answer), rubbish (200 with nonsense), drop (cut before handling),
 * drop-after (handle, then cut without an answer: the sender cannot know).
 */
export function serve({ name, args, state, handle, service = /^$/, control = {}, refuse = defaultRefuse, more = {} }) {
  const faults = [];
  const calls = [];
  const violations = [];
  const listener = async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    let cached;
    const call = {
      request, response, method: request.method, path: url.pathname, query: url.searchParams, violations,
      async bytes() { cached ??= await readBody(request); return cached; },
      async json() { return parseJson(await this.bytes()); },
      send(status, value, headers = {}) {
        this.status = status;
        const text = value === undefined ? '' : typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value);
        if (this.cut) { request.socket.destroy(); return; }
        this.answer = { headers, text };
        response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), 'Cache-Control': 'no-store', ...headers });
        response.end(request.method === 'HEAD' ? undefined : text);
      },
      html(title, body, status = 200) {
        this.send(status, page(title, body), { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'" });
      },
      violate(rule, where) { violations.push({ rule, where, method: request.method, path: url.pathname, at: new Date().toISOString() }); },
    };
    try {
      if (url.pathname.startsWith('/__control/')) return await commands(call, url.pathname.slice(11));
      if (secure && !request.socket.encrypted && service.test(`${request.method} ${url.pathname}`)) {
        call.violate('not-encrypted', 'connection');
        throw new Refusal(403, 'tls-required', 'Alleen over TLS');
      }
      const fault = faults.find((f) => !f.path || new RegExp(f.path).test(url.pathname));
      if (fault && !(request.method === 'GET' && (request.headers.accept ?? '').includes('text/html'))) {
        if (--fault.count <= 0) faults.splice(faults.indexOf(fault), 1);
        calls.push({ method: request.method, path: url.pathname, fault: fault.mode });
        if (fault.mode === 'hang') return undefined;
        if (fault.mode === 'drop') return request.socket.destroy();
        if (fault.mode === 'rubbish') return call.send(200, '<html>\u0000{"half": ');
        if (fault.mode === 'status') return call.send(fault.status ?? 503, { title: 'storing op verzoek' }, fault.retryAfter === undefined ? {} : { 'Retry-After': String(fault.retryAfter) });
        call.cut = true;
      }
      await handle(call);
      calls.push({ method: request.method, path: url.pathname, status: call.status });
      await record(call, url);
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(JSON.stringify({ partner: name, error: error.stack }));
      const refusal = error instanceof Refusal ? error : new Refusal(500, 'error', 'Interne fout van de nagespeelde partner');
      calls.push({ method: request.method, path: url.pathname, status: refusal.status, code: refusal.code, ...(refusal.more.invalidParams ? { params: refusal.more.invalidParams.map((p) => `${p.name}:${p.code}`).join(' ') } : {}) });
      if (!response.headersSent) refuse(call, refusal);
      if (error instanceof Refusal) await record(call, url);
    }
    return undefined;
  };
  async function record(call, url) {
    if (!args.record || !service.test(`${call.method} ${call.path}`) || !call.answer) return;
    const base64 = (value) => Buffer.from(value).toString('base64');
    appendFileSync(args.record, `${JSON.stringify({ method: call.method, url: url.pathname + url.search, headers: call.request.headers, body: base64(await call.bytes()), status: call.status, answer: { headers: call.answer.headers, body: base64(call.answer.text) } })}\n`);
  }
  async function commands(call, what) {
    if (what === 'fault' && call.method === 'POST') {
      const fault = { count: 1, ...(await call.json()) };
      if (!['status', 'hang', 'rubbish', 'drop', 'drop-after'].includes(fault.mode)) throw new Refusal(400, 'unknown-mode', 'mode is status, hang, rubbish, drop or drop-after');
      faults.push(fault);
      return call.send(204);
    }
    if (what === 'reset' && call.method === 'POST') { faults.length = calls.length = violations.length = 0; return call.send(204); }
    if (what === 'calls') return call.send(200, calls);
    if (what === 'violations') return call.send(200, violations);
    if (what === 'state') return call.send(200, state?.value ?? null);
    if (control[what]) return control[what](call);
    throw new Refusal(404, 'not-found', 'Onbekende besturing');
  }
  const secure = args.tlsPort !== undefined && https.createServer({ cert: readFileSync(args.cert), key: readFileSync(args.key), minVersion: 'TLSv1.2',
    ...(args.ca ? { ca: readFileSync(args.ca), requestCert: true, rejectUnauthorized: true } : {}) }, listener);
  const server = http.createServer(listener);
  const place = { server, secure, violations, get base() { return secure ? `https://localhost:${secure.address().port}` : `http://127.0.0.1:${server.address().port}`; } };
  if (!secure) listen(server, name, args, more);
  else {
    secure.on('error', (error) => complain(name, args.tlsPort, '--tls-port', error));
    secure.listen(Number(args.tlsPort), '127.0.0.1', () => listen(server, name, args, { tlsPort: secure.address().port, ...more }));
  }
  return place;
}

function defaultRefuse(call, refusal) {
  call.send(refusal.status, { type: 'about:blank', title: refusal.title, status: refusal.status, code: refusal.code, ...refusal.more }, { 'Content-Type': 'application/problem+json' });
}

function complain(name, port, option, error) {
  console.error(error.code === 'EADDRINUSE' ? `${name}: port ${port} is taken; choose another with ${option}` : `${name}: ${error.message}`);
  process.exit(1);
}
/** Listens on loopback, says so in one JSON line, and ends on a signal. */
function listen(server, name, args, more) {
  server.on('error', (error) => complain(name, args.port, '--port', error));
  server.listen(args.port, '127.0.0.1', () => {
    const { port } = server.address();
    console.log(JSON.stringify({ partner: name, port, url: `http://127.0.0.1:${port}`, pid: process.pid, ...more }));
  });
  const stop = () => {
    server.close(() => process.exit(0));
    server.closeAllConnections?.();
    setTimeout(() => process.exit(0), 500).unref();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
