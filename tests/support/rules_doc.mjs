// rules_doc.mjs [--check]: writes docs/rules.md from config/regions, config/regions/descriptive, tests/scenarios and tests/unit.
// Every rule with its quote, where it is enforced and what covers it. --check: exit 1 where the file is stale or a rule lacks cover.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const read = (path) => readFileSync(join(root, path), 'utf8');
const json = (path) => JSON.parse(read(path));

function files(folder, end) {
  const out = [];
  for (const e of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, e.name);
    if (e.isDirectory()) out.push(...files(path, end));
    else if (e.name.endsWith(end)) out.push(path);
  }
  return out.sort();
}

/** The stage of a rule, and the decider that reads it. */
const deciders = { facts: 'plugins/routing', gate: 'plugins/routing', routing: 'plugins/routing', filing: 'plugins/routing', escalation: 'plugins/routing',
  consent: 'plugins/consent', audience: 'plugins/consent', invoicing: 'plugins/invoicing', signal: 'plugins/deadlines', timer: 'plugins/deadlines' };

/**
 * Everything that is known about rules: [{region, name, sources, rules: [{id, quote, source, kind, stages, file, cover}]}].
 * kind: 'decides' (a row of the region file), 'elsewhere' (rows of other rules), 'function', or 'describes'.
 */
export function inventory() {
  const scenarios = new Map();  // rule id -> scenario files that cite it
  for (const path of files('tests/scenarios', '.json')) for (const id of new Set(json(path).rules.map((r) => r.split('@')[0]))) scenarios.set(id, [...(scenarios.get(id) ?? []), path]);
  const tests = new Map();  // rule id -> unit tests that name it
  for (const path of files('tests/unit', '.cpp')) for (const id of new Set(read(path).match(/\b(?:(?:KNH|MH|FRL|MVS|HR|CORE)-[A-Z]+|CONF)-\d+\b/g) ?? [])) tests.set(id, [...(tests.get(id) ?? []), path]);
  // Of a region only what its own scenarios show counts; of core.json those of every region.
  const own = (path, file) => file === 'core.json' || path.startsWith(`tests/scenarios/${basename(file, '.json')}/`);
  const cover = (id, file) => [...(scenarios.get(id) ?? []).filter((p) => own(p, file)), ...(tests.get(id) ?? [])];

  const regions = [];
  for (const path of readdirSync(join(root, 'config/regions')).filter((f) => f.endsWith('.json')).sort()) {
    const region = json(`config/regions/${path}`);
    const rules = new Map();
    for (const r of region.rules) {
      const seen = rules.get(r.id);
      if (seen) seen.stages.add(r.stage);
      else rules.set(r.id, { id: r.id, quote: r.quote, source: r.source, kind: 'decides', stages: new Set([r.stage]), file: `config/regions/${path}`, cover: cover(r.id, path) });
    }
    regions.push({ region: region.region, name: region.name, sources: region.sources ?? {}, file: path, rules: [...rules.values()] });
  }
  const base = regions.find((r) => r.region === 'CORE');
  for (const r of regions) r.sources = { ...base.sources, ...r.sources };
  const covered = (id, file) => regions.some((r) => r.rules.some((x) => x.id === id)) && cover(id, file).length > 0;
  for (const r of regions) {
    const path = `config/regions/descriptive/${r.file}`;
    if (!existsSync(join(root, path))) continue;
    for (const d of json(path).rules) {
      const row = { id: d.id, quote: d.quote, source: d.source, file: path, stages: new Set(), cover: cover(d.id, r.file), problem: '' };
      if (r.rules.some((x) => x.id === d.id)) row.problem = 'is in the region file too';
      if (d.describes) Object.assign(row, { kind: 'describes', why: d.describes });
      else if (d.decided_by) {
        Object.assign(row, { kind: 'elsewhere', by: d.decided_by, why: d.how });
        for (const id of d.decided_by) {
          if (!covered(id, r.file)) row.problem = `${id}, which decides it, has no cover or is not there`;
          row.cover.push(...cover(id, r.file));
        }
        row.cover = [...new Set(row.cover)];
      } else if (d.function) {
        Object.assign(row, { kind: 'function', where: d.function, why: d.how });
        if (!existsSync(join(root, d.function)) || !read(d.function).includes(d.how.split(' ')[0])) row.problem = `${d.function} has no ${d.how}`;
        if (d.test) {
          if (existsSync(join(root, d.test)) && read(d.test).includes(d.named)) row.cover.push(d.test);
          else row.problem = `${d.test} has no ${d.named}`;
        }
      } else row.problem = 'says neither describes, decided_by nor function';
      if (!row.quote || !row.why) row.problem = 'lacks quote or reason';
      r.rules.push(row);
    }
  }
  return regions;
}

/** What is wrong with the inventory: a list of sentences, empty when every rule is covered. */
export function problems(regions) {
  const out = [];
  for (const r of regions)
    for (const x of r.rules) {
      if (x.problem) out.push(`${x.id}: ${x.problem}`);
      if (x.kind !== 'describes' && x.cover.length === 0) out.push(`${x.id}: no scenario and no test covers it`);
    }
  return out;
}

const text = (s) => s.replaceAll('|', '\\|').replaceAll('\n', ' ');
/** The first three that cover a rule, own scenarios first; the number of the others. */
function shown(cover) {
  const links = cover.slice(0, 3).map((p) => `[${basename(p).replace(/\.(json|cpp)$/, '')}](../${p})`);
  return links.join(', ') + (cover.length > 3 ? ` and ${cover.length - 3} more` : '');
}

export function document(regions) {
  const lines = ['# Rules', '',
    'Generated by `node tests/support/rules_doc.mjs`; do not edit. Each rule of the source documents with its literal quote, where it is',
    'enforced, and what covers it. `make test` fails where a rule has no cover or this file is stale; `make mutate` shows that the cover',
    'notices every change of a rule.', '', '| region | decide | by other rules | by a function | describe only |', '|---|---|---|---|---|'];
  const count = (r, kind) => r.rules.filter((x) => x.kind === kind).length;
  for (const r of regions) lines.push(`| ${r.name} (${r.region}) | ${['decides', 'elsewhere', 'function', 'describes'].map((k) => count(r, k)).join(' | ')} |`);
  for (const r of regions) {
    lines.push('', `## ${r.name} (${r.region})`);
    const part = (title, head, kind, row) => {
      const rules = r.rules.filter((x) => x.kind === kind).sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
      if (rules.length === 0) return;
      lines.push('', `### ${title}`, '', `| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`);
      for (const x of rules) lines.push(`| ${row(x).join(' | ')} |`);
    };
    const said = (x) => `"${text(x.quote)}" (${text(r.sources[x.source] ?? x.source)})`;
    const places = (x) => [...new Set([...x.stages].map((s) => `${s}: ${deciders[s]}`))].join('; ');
    part('Rules that decide', ['rule', 'quote and source', 'stage: decider', 'covered by'], 'decides', (x) => [x.id, said(x), places(x), shown(x.cover)]);
    part('Decided by rows of other rules', ['rule', 'quote and source', 'how', 'covered by'], 'elsewhere', (x) => [x.id, said(x), `${x.by.join(', ')}: ${text(x.why)}`, shown(x.cover)]);
    part('Applied by a named function', ['rule', 'quote and source', 'function', 'covered by'], 'function', (x) => [x.id, said(x), `${x.where}: ${text(x.why)}`, shown(x.cover)]);
    part('Rules that only describe', ['rule', 'quote and source', 'why it decides nothing'], 'describes', (x) => [x.id, said(x), text(x.why)]);
  }
  return `${lines.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const regions = inventory();
  const wrong = problems(regions);
  const path = join(root, 'docs/rules.md');
  if (process.argv.includes('--check')) {
    if (!existsSync(path) || readFileSync(path, 'utf8') !== document(regions)) wrong.push(`${relative(root, path)} is stale: node tests/support/rules_doc.mjs`);
  } else writeFileSync(path, document(regions));
  for (const w of wrong) console.error(w);
  process.exit(wrong.length ? 1 : 0);
}
