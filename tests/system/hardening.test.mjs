// What the release is built with (trust.md SUP-1): every program and library that is shipped, by what is in the file.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const build = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'build', 'release');
const main = join(build, 'bin', 'schakel');
const libraries = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? libraries(join(folder, e.name)) : e.name.endsWith('.so') ? [join(folder, e.name)] : []));
const read = (...words) => { const done = spawnSync('readelf', words, { encoding: 'utf8', maxBuffer: 1 << 28 }); if (done.error) throw done.error; return done.stdout; };

test('EveryShippedFileIsHardened', { skip: existsSync(main) ? spawnSync('readelf', ['--version']).error ? 'readelf (binutils) is not on this machine' : false : 'there is no release build' }, () => {
  const files = [main, join(build, 'lib', 'libschakel-common.so'), ...libraries(join(build, 'lib', 'schakel'))];
  assert.ok(files.length >= 14, `${files.length} files`);
  let guarded = 0;
  for (const file of files) {
    const [head, segments, dynamic, symbols] = [read('-hW', file), read('-lW', file), read('-dW', file), read('--dyn-syms', '-W', file)];
    assert.match(head, /Type:\s+DYN/, `${file}: position independent`);
    assert.match(segments, /GNU_STACK\s+\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+RW\s/, `${file}: no executable stack`);
    assert.match(segments, /GNU_RELRO/, `${file}: RELRO`);
    assert.match(dynamic, /BIND_NOW|FLAGS_1.*NOW/, `${file}: all symbols bound at the start`);
    assert.doesNotMatch(dynamic, /TEXTREL/, `${file}: no text relocations`);
    assert.doesNotMatch(dynamic, /R(UN)?PATH.*\[(?!\$ORIGIN)/, `${file}: looks for libraries beside itself only`);
    assert.match(symbols, /__stack_chk_fail/, `${file}: stack protector`);
    if (/__(mem|str|v?sn?printf|read)[a-z]*_chk/.test(symbols)) guarded += 1;
  }
  assert.ok(guarded > 0, '_FORTIFY_SOURCE reaches the calls that it can check');
});
