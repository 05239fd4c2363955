// The service unit is one that systemd takes, stays hardened (at most 1.5 by systemd's own measure, trust.md SUP-4), and gives the
// broker what deploy/README.md tells to write in schakel.json.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const deploy = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'deploy');
const unit = join(deploy, 'systemd', 'schakel.service');
const text = readFileSync(unit, 'utf8');
const values = (name) => [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map((m) => m[1]);
const analyze = (...args) => spawnSync('systemd-analyze', args, { encoding: 'utf8' });

test('TheServiceUnitExposesAtMostOnePointFive', (t) => {
  const done = analyze('security', '--offline=true', '--no-pager', unit);
  if (done.error?.code === 'ENOENT') return t.skip('systemd-analyze is not on this machine');
  const level = Number(/Overall exposure level for [^:]*: ([0-9.]+)/.exec(done.stdout)?.[1]);
  assert.ok(level > 0 && level <= 1.5, `exposure ${level}: ${done.stderr}`);
});

test('SystemdKnowsEveryLineOfTheUnit', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'schakel-unit-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // The program is not installed where this runs; any other will do for the check.
  const copy = join(folder, 'schakel.service');
  const verify = (content) => { writeFileSync(copy, content.replaceAll('/usr/bin/schakel', '/bin/true')); return analyze('verify', copy); };
  const good = verify(text);
  if (good.error?.code === 'ENOENT') return t.skip('systemd-analyze is not on this machine');
  assert.equal(good.stderr, '');
  assert.equal(good.status, 0);
  assert.match(verify(text.replace('[Service]', '[Service]\nProtectEverything=yes')).stderr, /ProtectEverything/, 'the check sees a wrong line');
});

test('KeysComeInAsCredentialsAndTheReadmeNamesThem', () => {
  const readme = readFileSync(join(deploy, 'README.md'), 'utf8');
  const given = values('LoadCredential').map((line) => line.split(':')[0]);
  const named = [...readme.matchAll(/\/run\/credentials\/schakel\.service\/([a-z.]+)/g)].map((m) => m[1]);
  assert.deepEqual([...new Set(named)].sort(), given.sort());
  assert.ok(given.includes('master.key') && given.includes('api.key'));
});

test('WhatTheUnitStartsMayBeExecutedAndAHangIsNoticed', () => {
  const may = values('ExecPaths')[0].split(' ');
  for (const name of ['ExecStart', 'ExecStartPre', 'ExecReload'])
    for (const line of values(name)) assert.ok(may.includes(line.split(' ')[0]), `${name} ${line}`);
  assert.deepEqual(values('Type'), ['notify']);
  assert.ok(Number(values('WatchdogSec')[0]) > 0);
});
