// make demo: the broker on its embedded store, simulated partners as separate processes, and one case played through them.
// --once ends after the case with status 0 or 1. DEMO_PORT (default 8443) is the first of sixteen ports on loopback.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Party } from './client.mjs';
import { endLeftovers, ended, requireFree, run, start, stopAll } from './processes.mjs';
import { Story, until } from './story.mjs';
import { configure, OIN, ports } from './world.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const home = process.env.DEMO_DIR ?? join(root, 'build', 'demo');
const binary = process.env.SCHAKEL ?? join(root, 'build', 'release', 'bin', 'schakel');
const once = process.argv.includes('--once');
const port = ports(Number(process.env.DEMO_PORT ?? 8443));
const folder = join(home, 'knooppunt');
const pki = join(home, 'pki');
const pids = join(home, 'pids.json');
const secrets = {
  zgw: 'demo-geheim-van-de-gemeente', mail: 'demo-wachtwoord-voor-mail', sms: 'demo-sleutel-voor-sms', webhook: 'demo-sleutel-voor-webhook', onderwijstransparant: 'demo-geheim-van-onderwijstransparant',
};
const started = Date.now();
const tell = (text) => console.log(`[${((Date.now() - started) / 1000).toFixed(1).padStart(5)}s] ${text}`);
const fail = (text) => { console.error(`make demo: ${text}`); return 1; };

function partner(name, place, certificate, ...args) {
  const tls = certificate && port[`${place}_tls`] ? ['--tls-port', port[`${place}_tls`], '--ca', join(pki, 'root.crt')] : [];
  const cert = certificate ? ['--cert', join(pki, `${certificate}.crt`), '--key', join(pki, `${certificate}.key`)] : [];
  return start({
    name, command: process.execPath, log: join(home, 'log', `${place}.log`), pids, ready: true,
    args: [join(root, 'tests', 'partners', `${name}.mjs`), '--port', port[place], '--state', join(home, 'partners', `${place}.json`), ...cert, ...tls, ...args].map(String),
  });
}
function must(what, { status, out, err }) {
  if (status !== 0) throw new Error(`${what} ended with ${status}:\n${err}${out}`);
  return out;
}

async function play() {
  if (!existsSync(binary)) throw new Error(`${binary} is not there; run: make build`);
  endLeftovers(pids);
  await requireFree(port);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  must('certs/make-test-pki', run(join(root, 'certs', 'make-test-pki'), [pki]));
  const api = `https://localhost:${port.api}`;
  const client = ['cert', 'key'].flatMap((kind) => [`--client-${kind}`, join(pki, `zorgaanbieder.${kind === 'cert' ? 'crt' : 'key'}`)]);
  await Promise.all([
    partner('zgw', 'zaaksysteem', 'partner'),
    partner('smtp', 'postbus', 'partner', '--smtp-port', port.smtp),
    partner('sms', 'sms', null, '--authorization', `Bearer ${secrets.sms}`),
    partner('onderwijstransparant', 'onderwijstransparant', 'onderwijstransparant'),
    partner('duo', 'duo', 'duo'),
    partner('zorgaanbieder', 'zorgaanbieder', 'partner', '--inbox-jw323', `${api}/in/zorgaanbieder/jw323`, '--inbox-ubl', `${api}/in/zorgaanbieder/ubl`, ...client, '--client-ca', join(pki, 'root.crt')),
    partner('webhook', 'webhook', 'partner', '--token', secrets.webhook),
  ]);
  tell('Zeven nagespeelde partners draaien.');

  must('schakel init', run(binary, ['init', folder, '--port', String(port.api)]));
  const catalogue = await (await fetch(`http://127.0.0.1:${port.zaaksysteem}/__control/catalogus`)).json();
  const config = configure(folder, pki, port, catalogue, secrets);
  must('schakel check', run(binary, ['check', config]));
  const broker = start({ name: 'schakel', command: binary, args: ['serve', '--config', config], log: join(home, 'log', 'schakel.out'), pids });
  await until('the broker', async () => {
    if (broker.ended !== undefined) throw new Error(`schakel serve ended with ${broker.ended}: see ${home}/log`);
    return (await fetch(`http://127.0.0.1:${port.gezondheid}/readyz`)).ok;
  }, 30);
  tell(`Het knooppunt draait op ${api} (alleen met certificaat).`);

  const places = Object.fromEntries(['postbus', 'zaaksysteem', 'sms', 'duo', 'onderwijstransparant', 'zorgaanbieder', 'webhook', 'portaal', 'gezondheid'].map((name) => [name, `http://127.0.0.1:${port[name]}`]));
  const players = Object.fromEntries(['school', 'gemeente', 'swv', 'zorgaanbieder'].map((name) => [name, new Party(pki, name, OIN[name], api)]));
  const result = await new Story(players, places, tell).play();
  tell(`Controle van het logboek: ${must('schakel audit verify', run(binary, ['--config', config, 'audit', 'verify'])).trim().split('\n').at(-1)}`);
  return { places, result, config };
}

function summary({ places, result, config }) {
  const rows = [
    ['Postbus (alle mail, links zijn te volgen)', places.postbus], ['Sms-berichten met codes', places.sms], ['Dossier bij de gemeente', result.dossier], ['Verzuimregister', places.duo],
    ['Kantoor van de zorgaanbieder', places.zorgaanbieder], ['OnderwijsTransparant', places.onderwijstransparant], ['Gebeurtenissen bij het swv', `${places.webhook}/__control/state`],
    ['Factuur (mail)', result.factuur.mail], ['Factuur (UBL, PDF)', result.factuur.files.join('\n')], ['Creditnota (mail)', result.creditnota.mail], ['Creditnota (UBL, PDF)', result.creditnota.files.join('\n')],
    ['Zaak in het knooppunt', result.zaak], ['Waarom', `build/release/bin/schakel --config ${config} explain ${result.zaak}`], ['Logs', join(home, 'log')],
  ];
  console.log('\nWat er is aangekomen en waar het te zien is:');
  for (const [what, where] of rows) where.split('\n').forEach((line, i) => console.log(`  ${(i ? '' : what).padEnd(44)}${line}`));
}

let status = 0;
try {
  summary(await play());
  if (!once) {
    console.log('\nAlles blijft draaien. Stoppen: Ctrl-C.');
    await new Promise((resolve) => { for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, resolve); });
    console.log('');
  }
} catch (error) {
  status = fail(error.message);
  for (const { name, ended: how } of ended()) console.error(`  ${name} ended with ${how}`);
  if (existsSync(join(home, 'log'))) console.error(`  logs: ${join(home, 'log')}`);
}
await stopAll();
rmSync(pids, { force: true });
process.exit(status);
