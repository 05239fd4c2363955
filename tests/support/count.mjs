// count.mjs RESULTS FAILED_STEPS: adds up GoogleTest's JSON and ctest's JUnit. A program of which there is no JSON (a script, or one that
// crashed before it could write) counts as what ctest says of it; node's test runner is counted by its own summary.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [dir, steps] = process.argv.slice(2);
let passed = 0;
let failed = Number(steps ?? 0);
let skipped = 0;
const wrong = [];

for (const [junit, folder, label] of [['ctest.xml', 'release', ''], ['ctest-asan.xml', 'asan', ' (sanitizers)']]) {
  if (!existsSync(join(dir, junit))) {
    if (junit === 'ctest.xml') { failed += 1; wrong.push('ctest did not run'); }
    continue;
  }
  const reports = new Map();
  if (existsSync(join(dir, folder))) for (const file of readdirSync(join(dir, folder))) reports.set(file.replace(/(_[0-9]+)?\.json$/, ''), JSON.parse(readFileSync(join(dir, folder, file), 'utf8')));
  for (const [, attributes, inner] of readFileSync(join(dir, junit), 'utf8').matchAll(/<testcase ([^>]*)>([\s\S]*?)<\/testcase>/g)) {
    const name = /name="([^"]*)"/.exec(attributes)[1];
    const status = /status="([^"]*)"/.exec(attributes)[1];
    const report = reports.get(name);
    const node = /# pass ([0-9]+)\n# fail ([0-9]+)\n# cancelled ([0-9]+)\n# skipped ([0-9]+)/.exec(inner);
    // The closing line of our own script tests.
    const plain = [...inner.matchAll(/^([0-9]+) passed, ([0-9]+) failed$/gm)].at(-1);
    const before = failed;
    if (report) {
      for (const suite of report.testsuites) {
        for (const test of suite.testsuite) {
          if (test.failures?.length) { failed += 1; wrong.push(`${name}: ${suite.name}.${test.name}${label}`); }
          else if (test.result === 'SKIPPED') skipped += 1;
          else if (test.status !== 'NOTRUN') passed += 1;
        }
      }
    } else if (node) {
      passed += Number(node[1]);
      skipped += Number(node[4]);
      failed += Number(node[2]) + Number(node[3]);
    } else if (plain) {
      passed += Number(plain[1]);
      failed += Number(plain[2]);
    } else if (status === 'run') passed += 1;
    // What ctest saw fail is never a pass, whatever the program wrote: a crash or leak after its last test.
    if (status === 'fail' && failed === before) { failed += 1; wrong.push(`${name}${label}`); } else if (failed > before && !report) wrong.push(`${name}${label}`);
    if (status !== 'run' && status !== 'fail') skipped += 1;
  }
}
for (const file of existsSync(join(dir, 'checks')) ? readdirSync(join(dir, 'checks')).filter((f) => f.endsWith('.status')) : []) {
  const good = readFileSync(join(dir, 'checks', file), 'utf8').trim() === '0';
  const text = readFileSync(join(dir, 'checks', file.replace('.status', '.log')), 'utf8');
  const plain = [...text.matchAll(/^([0-9]+) passed, ([0-9]+) failed$/gm)].at(-1);
  passed += plain ? Number(plain[1]) : Number(good);
  skipped += (text.match(/^SKIPPED/gm) ?? []).length;
  const bad = plain ? Number(plain[2]) : Number(!good);
  failed += good ? bad : Math.max(bad, 1);
  if (!good || bad) wrong.push(file.replace('.status', ''));
}
for (const name of wrong) console.log(`failed: ${name}`);
if (skipped) console.log(`(${skipped} skipped: what they need is not beside this checkout; the log says which)`);
if (passed === 0 && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
