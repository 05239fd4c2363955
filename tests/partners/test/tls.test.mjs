import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, start } from './support.mjs';

test('WithATlsPortTheInterfaceIsThereOnlyAndOnlyForClientCertificates', async (t) => {
  const pki = join(execFileSync('mktemp', ['-d']).toString().trim(), 'pki');
  execFileSync(join(root, 'certs', 'make-test-pki'), [pki]);
  t.after(() => execFileSync('rm', ['-rf', pki]));
  const file = (name) => readFileSync(join(pki, name));
  const duo = await start(t, 'duo', '--tls-port', 0, '--cert', join(pki, 'duo.crt'), '--key', join(pki, 'duo.key'), '--ca', join(pki, 'root.crt'));
  const get = (client) => new Promise((resolve, reject) => {
    https.get({ host: '127.0.0.1', port: duo.tlsPort, path: '/verzuim', servername: 'localhost', agent: false, ca: file('root.crt'), ...(client ? { cert: file(`${client}.crt`), key: file(`${client}.key`) } : {}) }, (r) => { r.resume(); resolve(r.statusCode); }).on('error', reject);
  });
  assert.equal(await get('server'), 405);
  for (const bad of [null, 'expired', 'stranger']) await assert.rejects(get(bad));
  assert.equal((await fetch(`${duo.url}/verzuim`, { method: 'POST', body: 'x' })).status, 403);
  assert.deepEqual((await duo.control('violations')).map((v) => v.rule), ['not-encrypted']);
  assert.equal((await fetch(duo.url)).status, 200);
});
