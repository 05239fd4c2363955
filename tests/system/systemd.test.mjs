// The service unit stays hardened: at most 1.5 by systemd's own measure.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const unit = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'deploy', 'systemd', 'schakel.service');
test('TheServiceUnitExposesAtMostOnePointFive', (t) => {
  const done = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', unit], { encoding: 'utf8' });
  if (done.error?.code === 'ENOENT') return t.skip('systemd-analyze is not on this machine');
  const level = Number(/Overall exposure level for [^:]*: ([0-9.]+)/.exec(done.stdout)?.[1]);
  assert.ok(level > 0 && level <= 1.5, `exposure ${level}: ${done.stderr}`);
});
