// The include rules of the tree (core/README.md), as a function over a root folder. Includes only go down.
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join, relative } from 'node:path';

// Folders on one line may include each other as long as no cycle comes of it.
export const LAYERS = [
  ['base'], ['model'], ['sdk'], ['formats', 'runtime', 'store', 'vault', 'net'], ['journal', 'audit', 'outbox', 'plugin'],
  ['pipeline', 'delivery', 'ingress'], ['portal', 'api', 'console'], ['app'],
];
const level = new Map(LAYERS.flatMap((names, i) => names.map((name) => [name, i])));
const MAY_SEE = new Set(['sdk', 'base', 'model', 'formats']);

function* files(dir) {
  if (!existsSync(dir)) return;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else yield path;
  }
}

/** Every violation in the tree under root, as {file, line, rule, text}; and how many source files were read. */
export function check(root) {
  const found = [];
  const edges = new Map();
  let read = 0;
  for (const top of ['core', 'plugins', 'adapters', 'config', 'deploy']) {
    for (const path of files(join(root, top))) {
      const file = relative(root, path);
      const text = readFileSync(path, 'utf8');
      const code = /\.(cpp|hpp|cc|h|inc)$/.test(file);
      if (code) read += 1;
      const [, folder] = file.split('/');
      text.split('\n').forEach((line, index) => {
        const report = (rule, what) => found.push({ file, line: index + 1, rule, text: what });
        if (line.includes('../shared')) report('no-shared', 'the product never reads outside its own tree');
        if (!code) return;
        const target = /^\s*#\s*include\s*["<]([^">]+)[">]/.exec(line)?.[1];
        if (!target) return;
        if (target.startsWith('boost/beast') && !(file.startsWith('core/net/') && file.endsWith('.cpp'))) report('beast', `${target} outside a .cpp of core/net`);
        const parts = target.split('/');
        if (parts.includes('..')) report('from-root', `${target} is not written from the root`);
        const to = parts[0] === 'schakel' ? 'sdk' : parts[0] === 'core' ? parts[1] : null;
        if (['plugins', 'adapters', 'tests'].includes(parts[0])) {
          if (top === 'core' || parts[0] !== top || parts[1] !== folder) report('edges-apart', `${target}: nothing includes a plugin, an adapter or a test but itself`);
        }
        if (to === null) return;
        if (top === 'core') {
          if (!level.has(folder)) report('unknown-folder', `core/${folder} has no place in the layers`);
          else if (!level.has(to)) report('unknown-folder', `core/${to} has no place in the layers`);
          else if (level.get(to) > level.get(folder)) report('downward', `core/${folder} includes core/${to}, which stands above it`);
          else if (to !== folder) {
            if (!edges.has(folder)) edges.set(folder, new Map());
            if (!edges.get(folder).has(to)) edges.get(folder).set(to, `${file}:${index + 1}`);
          }
        } else if (!MAY_SEE.has(to)) report('sdk-only', `${target}: ${top} see the sdk, core/base, core/model and core/formats only`);
      });
    }
  }
  for (const cycle of cycles(edges)) found.push({ file: edges.get(cycle[0]).get(cycle[1]), line: 0, rule: 'cycle', text: cycle.join(' -> ') });
  return { found, read };
}

function cycles(edges) {
  const done = new Set();
  const result = [];
  const visit = (node, path) => {
    if (path.includes(node)) { result.push([...path.slice(path.indexOf(node)), node]); return; }
    if (done.has(node)) return;
    for (const next of edges.get(node)?.keys() ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of edges.keys()) visit(node, []);
  return result;
}
