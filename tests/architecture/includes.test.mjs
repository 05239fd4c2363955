// Proves the include rules over the whole tree, and that each rule is seen when it is broken.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { check } from './includes.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

function tree(files) {
  const dir = mkdtempSync(join(tmpdir(), 'schakel-architecture-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  const result = check(dir);
  rmSync(dir, { recursive: true });
  return result;
}

test('TheTreeKeepsItsIncludeRules', () => {
  const { found, read } = check(root);
  assert.ok(read > 20, `only ${read} source files were read: is ${root} the project?`);
  assert.deepEqual(found.map((f) => `${f.file}:${f.line} ${f.rule}: ${f.text}`), []);
});

test('WhatTheRulesAllowIsNotReported', () => {
  const { found, read } = tree({
    'core/base/a.hpp': '#include <string>\n',
    'core/store/s.hpp': '#include "core/base/a.hpp"\n#include "core/runtime/r.hpp"\n',
    'core/net/http.cpp': '#include <boost/beast/http.hpp>\n',
    'plugins/consent/c.cpp': '#include "schakel/plugin.hpp"\n#include "core/formats/xml.hpp"\n#include "plugins/consent/own.hpp"\n#include "schema.inc"\n',
  });
  assert.equal(read, 4);
  assert.deepEqual(found, []);
});

for (const [rule, name, file, line] of [
  ['downward', 'ALowerLayerIncludesAHigherOne', 'core/base/a.hpp', '#include "core/store/store.hpp"'],
  ['downward', 'TheJournalIncludesThePipeline', 'core/journal/j.cpp', '#include "core/pipeline/p.hpp"'],
  ['downward', 'FormatsIncludeTheApi', 'core/formats/f.hpp', '#  include <core/api/a.hpp>'],
  ['downward', 'TheModelIncludesTheSdk', 'core/model/m.hpp', '#include "schakel/host.hpp"'],
  ['sdk-only', 'APluginReachesIntoTheStore', 'plugins/consent/c.cpp', '#include "core/store/store.hpp"'],
  ['sdk-only', 'AnAdapterReachesIntoTheNet', 'adapters/mail/m.cpp', '#include "core/net/http.hpp"'],
  ['edges-apart', 'AnAdapterIncludesAnother', 'adapters/mail/m.cpp', '#include "adapters/webhook/w.hpp"'],
  ['edges-apart', 'APluginIncludesAnAdapter', 'plugins/routing/r.cpp', '#include "adapters/mail/m.hpp"'],
  ['edges-apart', 'TheCoreIncludesAPlugin', 'core/app/a.cpp', '#include "plugins/consent/c.hpp"'],
  ['beast', 'BeastInAHeaderOfNet', 'core/net/http.hpp', '#include <boost/beast/core.hpp>'],
  ['beast', 'BeastOutsideNet', 'core/api/a.cpp', '#include <boost/beast/core.hpp>'],
  ['from-root', 'ARelativeInclude', 'core/net/http.cpp', '#include "../base/a.hpp"'],
  ['unknown-folder', 'ANewFolderWithoutAPlace', 'core/magic/m.cpp', '#include "core/base/a.hpp"'],
  ['no-shared', 'TheProductReadsOutsideItsTree', 'core/app/a.cpp', 'auto path = "../shared/x";'],
]) {
  test(`Reports${name}`, () => {
    const { found } = tree({ [file]: `// first line\n${line}\n` });
    assert.deepEqual(found.map((f) => [f.file, f.line, f.rule]), [[file, 2, rule]]);
  });
}

test('ReportsACycleBetweenFoldersOfOneLayer', () => {
  const { found } = tree({ 'core/store/s.hpp': '#include "core/vault/v.hpp"\n', 'core/vault/v.hpp': '#include "core/store/s.hpp"\n' });
  assert.deepEqual(found.map((f) => f.rule), ['cycle']);
});
