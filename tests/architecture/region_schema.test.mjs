// What an editor completes in a region file is what facts.json, message types, codes and settings say today.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../support/region_schema.mjs', import.meta.url));

test('config/schemas/region.schema.json is what its sources give', () => {
  const run = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
});
