// Every rule of the documents is there, says what its document says, and is covered; docs/rules.md tells it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { document, inventory, problems, root } from '../support/rules_doc.mjs';

const regions = inventory();

test('every rule that decides is covered by a scenario or test of our own', () => {
  assert.deepEqual(problems(regions), []);
});

test('a rule without cover, without function or without reason is noticed', () => {
  const broken = [{ region: 'X', name: 'X', sources: {}, rules: [{ id: 'X-1', kind: 'decides', cover: [], stages: new Set(['gate']), quote: 'q', source: 's' }, { id: 'X-2', kind: 'describes', cover: [], problem: 'lacks quote or reason' }] }];
  assert.deepEqual(problems(broken), ['X-1: no scenario and no test covers it', 'X-2: lacks quote or reason']);
});

test('docs/rules.md is what the rules give', () => {
  assert.equal(readFileSync(join(root, 'docs/rules.md'), 'utf8'), document(regions), 'stale: run node tests/support/rules_doc.mjs');
});

test('no rule has two quotes or stands in two lists', () => {
  for (const r of regions) {
    const ids = r.rules.map((x) => x.id);
    assert.equal(new Set(ids).size, ids.length, r.region);
    for (const row of JSON.parse(readFileSync(join(root, 'config/regions', r.file), 'utf8')).rules) assert.equal(row.quote, r.rules.find((x) => x.id === row.id).quote, row.id);
  }
});

const domain = join(root, '../shared/domain/domain.md');
test('the rules are those of domain.md, with its quotes', { skip: existsSync(domain) ? false : 'no ../shared/domain/domain.md beside this checkout' }, () => {
  // Quotation marks differ between the two texts in two places; everything else is literal.
  const plain = (s) => s.replaceAll('`', '').replaceAll(/[“”"'’‘]/g, "'");
  const quotes = new Map();
  for (const line of readFileSync(domain, 'utf8').split('\n')) {
    const id = /^\| ((?:KNH|MH|FRL|MVS|HR|CORE)-[A-Z]+-\d+|CONF-\d+) \|/.exec(line)?.[1];
    if (!id) continue;
    const cells = line.replace(/^\| | \|$/g, '').split(' | ');
    quotes.set(id, id.startsWith('CORE') ? cells[1] : id.startsWith('CONF') ? cells[3] : cells.at(-1).split(' // ').map((q) => q.replace(/^"|"$/g, '')).join(' … '));
  }
  assert.equal([...quotes.keys()].filter((id) => !/^(CORE|CONF)/.test(id)).length, 277);
  assert.equal([...quotes.keys()].filter((id) => id.startsWith('CORE')).length, 32);
  assert.equal([...quotes.keys()].filter((id) => id.startsWith('CONF')).length, 26);
  const ours = new Map();
  for (const r of regions) for (const x of r.rules) ours.set(x.id, x.quote);
  assert.deepEqual([...quotes.keys()].filter((id) => !ours.has(id)), [], 'rules of domain.md that we do not have');
  // What the table of messages and the text beside the rules say has no number there: ours is that of the message, or CORE-MANDATE.
  const text = readFileSync(domain, 'utf8').replaceAll('`', '');
  const questions = readFileSync(join(domain, '../open-questions.md'), 'utf8').split('\n');
  const numbered = (id, quote) => {
    const [, number, type] = /^Message ([0-9]+), ([a-z_]+):/.exec(quote) ?? [];
    if (id.startsWith('CORE-TYPE-')) return id === `CORE-TYPE-${number.padStart(2, '0')}` && new RegExp(`^\\| ${number} \\| ${type} \\|`, 'm').test(text);
    // An open question, as the file beside domain.md answers it.
    if (id.startsWith('Q-')) return questions.some((line) => line.startsWith(`| ${id} |`) && line.replaceAll('`', '').includes(quote));
    return id.startsWith('CORE-MANDATE-') && text.includes(quote);
  };
  assert.deepEqual([...ours].filter(([id, quote]) => !quotes.has(id) && !numbered(id, quote)).map(([id]) => id), [], 'rules that domain.md does not have');
  for (const [id, quote] of quotes) assert.equal(plain(ours.get(id)), plain(quote), id);
});
