// make demo: the broker on its embedded store, simulated partners as separate processes, and one case played through them.
// --once ends after the case with status 0 or 1. DEMO_PORT (default 8443) is the first of sixteen ports on loopback.
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { lookBack } from './look_back.mjs';
import { ended, run, stopAll } from './processes.mjs';
import { binary, must, root, setStage } from './stage.mjs';
import { Story } from './story.mjs';

const home = process.env.DEMO_DIR ?? join(root, 'build', 'demo');
const once = process.argv.includes('--once');
const started = Date.now();
const tell = (text) => console.log(`[${((Date.now() - started) / 1000).toFixed(1).padStart(5)}s] ${text}`);

function summary({ places, config }, result) {
  const rows = [
    ['Postbus (alle mail, links zijn te volgen)', places.postbus], ['Sms-berichten met codes', places.sms], ['Dossier bij de gemeente', result.dossier], ['Verzuimregister', places.duo],
    ['Kantoor van de zorgaanbieder', places.zorgaanbieder], ['OnderwijsTransparant', places.onderwijstransparant], ['Gebeurtenissen bij het swv', `${places.webhook}/__control/state`],
    ['Factuur (mail)', result.factuur.mail], ['Factuur (UBL, PDF)', result.factuur.files.join('\n')], ['Creditnota (mail)', result.creditnota.mail], ['Creditnota (UBL, PDF)', result.creditnota.files.join('\n')],
    ['Zaak in het knooppunt', result.zaak], ['Waarom', `${relative(process.cwd(), binary)} --config ${config} explain ${result.zaak}`], ['Logs', join(home, 'log')],
  ];
  console.log('\nWat er is aangekomen en waar het te zien is:');
  for (const [what, where] of rows) where.split('\n').forEach((line, i) => console.log(`  ${(i ? '' : what).padEnd(44)}${line}`));
}

let status = 0;
let stage;
try {
  stage = await setStage({ home, base: Number(process.env.DEMO_PORT ?? 8443), tell });
  const result = await new Story(stage.players, stage.places, tell).play();
  tell(`Controle van het logboek: ${must('schakel audit verify', run(binary, ['--config', stage.config, 'audit', 'verify'])).trim().split('\n').at(-1)}`);
  lookBack(stage, result.zaak, tell);
  summary(stage, result);
  if (!once) {
    console.log('\nAlles blijft draaien. Stoppen: Ctrl-C.');
    await new Promise((resolve) => { for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, resolve); });
    console.log('');
  }
} catch (error) {
  status = 1;
  console.error(`make demo: ${error.message}`);
  // What a partner refused is where to look first.
  for (const place of Object.keys(stage?.places ?? {}).filter((p) => !['portaal', 'gezondheid'].includes(p))) {
    const calls = await fetch(`${stage.places[place]}/__control/calls`).then((r) => r.json()).catch(() => []);
    for (const c of calls.filter((x) => x.status >= 400 || x.fault).slice(-5)) console.error(`  ${place} answered ${c.status ?? c.fault} ${c.code ?? ''} to ${c.method} ${c.path} ${c.params ?? ''}`);
  }
  for (const { name, ended: how } of ended()) console.error(`  ${name} ended with ${how}`);
  if (existsSync(join(home, 'log'))) console.error(`  logs: ${join(home, 'log')}`);
}
await stopAll();
process.exit(status);
