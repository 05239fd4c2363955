// Sets the stage: partners, certificates, the broker's configuration, the broker. Used by the demo and by tests that need the whole.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Party } from './client.mjs';
import { endLeftovers, requireFree, run, start, stopAll } from './processes.mjs';
import { until } from './story.mjs';
import { configure, OIN, ports } from './world.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const binary = process.env.SCHAKEL ?? join(root, 'build', 'release', 'bin', 'schakel');
const secrets = {
  zgw: 'demo-geheim-van-de-gemeente', mail: 'demo-wachtwoord-voor-mail', sms: 'demo-sleutel-voor-sms', webhook: 'demo-sleutel-voor-webhook', onderwijstransparant: 'demo-geheim-van-onderwijstransparant',
};

export function must(what, { status, out, err }) {
  if (status !== 0) throw new Error(`${what} ended with ${status}:\n${err}${out}`);
  return out;
}

/** Everything of one run lies in `home`, which is made anew; `base` is the first of sixteen ports on loopback. `zgw`: more arguments
 *  for the simulated zaaksysteem; `adapt(config, parties)` changes what is configured. */
export async function setStage({ home, base, tell, zgw = [], adapt = () => {} }) {
  const port = ports(base);
  const folder = join(home, 'knooppunt');
  const pki = join(home, 'pki');
  const pids = join(home, 'pids.json');
  const partner = (name, place, certificate, ...args) => {
    const tls = certificate && port[`${place}_tls`] ? ['--tls-port', port[`${place}_tls`], '--ca', join(pki, 'root.crt')] : [];
    const cert = certificate ? ['--cert', join(pki, `${certificate}.crt`), '--key', join(pki, `${certificate}.key`)] : [];
    return start({
      name, command: process.execPath, log: join(home, 'log', `${place}.log`), pids, ready: true,
      args: [join(root, 'tests', 'partners', `${name}.mjs`), '--port', port[place], '--state', join(home, 'partners', `${place}.json`), ...cert, ...tls, ...args].map(String),
    });
  };
  if (!existsSync(binary)) throw new Error(`${binary} is not there; run: make build`);
  endLeftovers(pids);
  await requireFree(port);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  must('certs/make-test-pki', run(join(root, 'certs', 'make-test-pki'), [pki]));
  const api = `https://localhost:${port.api}`;
  const client = ['cert', 'key'].flatMap((kind) => [`--client-${kind}`, join(pki, `zorgaanbieder.${kind === 'cert' ? 'crt' : 'key'}`)]);
  await Promise.all([
    partner('zgw', 'zaaksysteem', 'partner', ...zgw),
    partner('smtp', 'postbus', 'partner', '--smtp-port', port.smtp),
    partner('sms', 'sms', null, '--authorization', `Bearer ${secrets.sms}`),
    partner('onderwijstransparant', 'onderwijstransparant', 'onderwijstransparant'),
    partner('duo', 'duo', 'duo'),
    partner('zorgaanbieder', 'zorgaanbieder', 'partner', '--inbox-jw323', `${api}/in/zorgaanbieder/jw323`, '--inbox-ubl', `${api}/in/zorgaanbieder/ubl`, ...client, '--client-ca', join(pki, 'root.crt'), '--keep-answers', join(home, 'partners', 'jw325')),
    partner('webhook', 'webhook', 'partner', '--token', secrets.webhook),
  ]);
  tell('Zeven nagespeelde partners draaien.');

  must('schakel init', run(binary, ['init', folder, '--port', String(port.api)]));
  const catalogue = await (await fetch(`http://127.0.0.1:${port.zaaksysteem}/__control/catalogus`)).json();
  const config = configure(folder, pki, port, catalogue, secrets);
  const read = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const set = read('schakel.json');
  const who = read('parties.json');
  adapt(set, who);
  writeFileSync(config, `${JSON.stringify(set, null, 2)}\n`);
  writeFileSync(join(folder, 'parties.json'), `${JSON.stringify(who, null, 2)}\n`);
  must('schakel check', run(binary, ['check', config]));
  let broker;
  const up = async () => {
    broker = start({ name: 'schakel', command: binary, args: ['serve', '--config', config], log: join(home, 'log', 'schakel.out'), pids });
    await until('the broker', async () => {
      if (broker.ended !== undefined) throw Object.assign(new Error(`schakel serve ended with ${broker.ended}: ${readFileSync(join(home, 'log', 'schakel.out'), 'utf8').trim()}`), { final: true });
      return (await fetch(`http://127.0.0.1:${port.gezondheid}/readyz`)).ok;
    }, 60);
  };
  /** kill -9 of the broker, and nothing else. */
  const kill = async () => { broker.child.kill('SIGKILL'); await broker.exited; };
  await up();
  tell(`Het knooppunt draait op ${api} (alleen met certificaat).`);

  const places = Object.fromEntries(['postbus', 'zaaksysteem', 'sms', 'duo', 'onderwijstransparant', 'zorgaanbieder', 'webhook', 'portaal', 'gezondheid'].map((name) => [name, `http://127.0.0.1:${port[name]}`]));
  const players = Object.fromEntries(['school', 'gemeente', 'swv', 'zorgaanbieder'].map((name) => [name, new Party(pki, name, OIN[name], api)]));
  /** The operator: a command of `schakel`, its answer as JSON. */
  players.beheer = (...args) => JSON.parse(must(`schakel ${args.join(' ')}`, run(binary, ['--config', config, '--json', ...args])));
  const end = async () => { await stopAll(); rmSync(pids, { force: true }); };
  return { home, folder, pki, config, api, port, places, players, end, kill, up };
}
