// What the command line says of the case that was played, over the broker's own socket: as it was, in a register, under the same
// rules again, and as a scenario that passes.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './processes.mjs';
import { binary, must, root } from './stage.mjs';

export function lookBack({ home, config }, zaak, tell) {
  const schakel = (...args) => must(`schakel ${args[0]}`, run(binary, ['--config', config, ...args]));
  const json = (...args) => JSON.parse(schakel(...args, '--json'));

  const regions = [join(dirname(binary), '..', 'share', 'schakel', 'config'), join(root, 'config')].find(existsSync);
  const look = () => json('as-of', new Date().toISOString(), 'case', zaak);
  // What the partners report still comes in: both are about the same decisions once none came between two looks.
  let then = look(), plan;
  for (let seen = -1, tries = 0; seen !== then.besluiten.length && tries < 20; ++tries) {
    seen = then.besluiten.length;
    plan = json('plan', '--replay', '1d', '--config', regions);
    then = look();
  }
  assert.equal(then.volledig, true);
  assert.ok(then.besluiten.length >= 10, `${then.besluiten.length} decisions`);
  assert.deepEqual([...new Set(then.besluiten.map((b) => b.herleid))], ['gelijk'], 'each decision made again is the same');
  assert.deepEqual(then.toestemmingen.map((t) => t.stand).sort(), ['geldig', 'ingetrokken']);
  assert.equal(run(binary, ['--config', config, 'as-of', '2001-01-01T00:00:00Z', 'case', zaak]).status, 1, 'nothing was decided then');

  const { regels } = json('report', 'overleggen');
  assert.deepEqual(regels.map((r) => [r.regio, r.school, r.soort, r.aantal, r.tekort]), [['KNH', 'Basisschool Het Papieren Schip', 'ot', 1, 4]]);
  assert.ok(!JSON.stringify(regels).includes(zaak), 'a register names no case');

  assert.deepEqual([plan.besluiten, plan.gelijk, plan.anders], [then.besluiten.length, then.besluiten.length, 0]);

  const scenario = join(home, 'scenario', 'zaak.json');
  mkdirSync(dirname(scenario), { recursive: true });
  rmSync(scenario, { force: true });
  schakel('capture', zaak, '--as-scenario', scenario);
  schakel('test', scenario);
  for (const real of ['Papieren Schip', zaak, '2016-06-21']) assert.ok(!readFileSync(scenario, 'utf8').includes(real), `the scenario names ${real}`);
  tell(`Teruggekeken: ${then.besluiten.length} besluiten opnieuw gemaakt en gelijk, geen verandert onder dezelfde regels; de zaak staat als scenario zonder namen in ${scenario} en slaagt.`);
}
