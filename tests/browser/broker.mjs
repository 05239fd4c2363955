// The pages against the real broker and its partners: workplace, upload, preview, send, link by mail, code by SMS, download,
// withdrawal of consent; axe on each page. run.mjs plays every page and error over a pretended broker; this shows that they hold
// together.   node tests/browser/broker.mjs     SCHAKEL, SHOTS, DEMO_DIR, DEMO_PORT
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { run, stopAll } from '../system/demo/processes.mjs';
import { binary, must, root, setStage } from '../system/demo/stage.mjs';
import { until } from '../system/demo/story.mjs';
import { PEOPLE } from '../system/demo/world.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const shots = process.env.SHOTS ?? join(root, 'build', 'shots');
mkdirSync(shots, { recursive: true });
let passed = 0;
let failed = 0;
const check = (what, good, detail = '') => { if (good) passed += 1; else { failed += 1; console.error(`FAILED ${what} ${detail}`); } };

const stage = await setStage({ home: process.env.DEMO_DIR ?? join(root, 'build', 'browser'), base: Number(process.env.DEMO_PORT ?? 13443), tell: () => {} });
const { places, players: { school }, config } = stage;
const json = async (place, path) => (await fetch(`${places[place]}${path}`)).json();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
const button = (page, name) => page.getByRole('button', { name });
async function visitor() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'nl-NL', timezoneId: 'Europe/Amsterdam', acceptDownloads: true });
  context.setDefaultTimeout(60_000);
  return context.newPage();
}
async function look(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document));
  check(`axe: ${name}`, found.violations.length === 0, found.violations.map((v) => v.id).join(', '));
  await page.screenshot({ path: join(shots, `broker-${name}.png`), fullPage: true });
}
async function linkTo(mail) {
  const list = await until(`a link for ${mail}`, async () => { const own = (await json('postbus', `/api/mails?to=${encodeURIComponent(mail)}`)).filter((m) => m.links.some((l) => l.includes('#'))); return own.length && own; });
  return list.at(-1).links.find((l) => l.includes('#'));
}
async function enter(page, url, number, shot) {
  await page.goto(url);
  await button(page, 'Verder naar de code').click();
  await page.waitForLoadState();
  const before = (await json('sms', `/messages?to=${encodeURIComponent(number)}`)).length;
  await button(page, 'Stuur mij een code per sms').click();
  const sms = await until('the code', async () => { const l = await json('sms', `/messages?to=${encodeURIComponent(number)}`); return l.length > before && l.at(-1); });
  await look(page, `${shot}-code`);
  await page.locator('#code').fill(/[0-9]{6,8}/.exec(sms.text)[0]);
  await button(page, 'Bekijken').click();
  await page.waitForLoadState();
}

try {
  const meeting = new Date(Date.now() + 25 * 86400_000).toISOString();
  const opened = await school.call('POST', '/v1/zaken', {
    region: 'KNH', sender: { role: 'school_ib' }, pupil: { birth_date: '2018-06-21', school: 'Basisschool Het Papieren Schip', school_type: 'PO', enrolled: true },
    case: { question_kind: 'onderwijs_zorg', wijkteam_involved: false, gi_involved: false, extra_support: true, custody: ['ouder_1'], dossier_exists: false },
    consents: [{ id: 'c1', giver: 'ouder_1', purpose: 'documents', doc_types: ['*'], roles: ['*'], valid_from: new Date(Date.now() - 86400_000).toISOString() }],
    meeting: { kind: 'OT', at: meeting },
  }, { 'Idempotency-Key': randomUUID() });
  assert.equal(opened.status, 201, JSON.stringify(opened.body));
  const zaak = opened.body.id;
  for (const [person, p] of Object.entries(PEOPLE)) assert.equal((await school.call('PUT', `/v1/zaken/${zaak}/deelnemers/${person}`, p)).status, 204);
  must('link workplace', run(binary, ['--config', config, 'link', 'workplace', '--case', zaak, '--person', 'ib-1']));

  const work = await visitor();
  await enter(work, await linkTo(PEOPLE['ib-1'].mail), PEOPLE['ib-1'].tweedeFactor.slice(4), 'work');
  await look(work, 'work-empty');
  const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(50_000, 'x'), Buffer.from('\n%%EOF\n')]);
  for (const [type, status] of [['groeidocument', 'compleet'], ['opp', 'concept']]) {
    await work.locator('#soort').selectOption(type);
    await work.locator('#status').selectOption(status);
    await work.locator('#bestand').setInputFiles({ name: 'plan.pdf', mimeType: 'application/pdf', buffer: pdf });
    await button(work, 'Toevoegen').click();
    await work.getByText('Het document is toegevoegd.').waitFor();
  }
  await work.getByRole('link', { name: 'Documenten versturen' }).click();
  for (const box of await work.locator('input[type=checkbox]').all()) await box.check();
  await look(work, 'work-send');
  await button(work, 'Bekijk wie wat krijgt').click();
  await work.waitForLoadState();
  await look(work, 'work-preview');
  await button(work, 'Nu versturen').click();
  await work.getByText('De documenten zijn verzonden').waitFor();
  await look(work, 'work-sent');

  const reader = await visitor();
  const jhd = PEOPLE['jhd-1'];
  await enter(reader, await linkTo(jhd.mail), jhd.tweedeFactor.slice(4), 'recipient');
  await reader.getByRole('heading', { name: 'Documenten voor een overleg' }).waitFor();
  await look(reader, 'recipient-documents');
  const [download] = await Promise.all([reader.waitForEvent('download'), button(reader, /^Ophalen\s+Groeidocument$/).click()]);
  check('the download is the upload', readFileSync(await download.path()).equals(pdf));
  const ortho = await linkTo(PEOPLE['ortho-1'].mail);

  const withdrawn = await school.send(school.event(randomUUID(), 'toestemming_intrekking', zaak, { region: 'KNH', sender: { role: 'ouder_1' }, consent: 'c1' }));
  assert.equal(withdrawn.status, 202, JSON.stringify(withdrawn.body));
  await until('the link to end', async () => { const l = JSON.parse(must('link list', run(binary, ['--config', config, '--json', 'link', 'list', '--case', zaak]))); return l.links.some((x) => x.rol === 'orthopedagoog' && x.ingetrokken); });
  const late = await visitor();
  await late.goto(ortho);
  await button(late, 'Verder naar de code').click();
  await late.getByRole('heading', { name: 'Deze link werkt niet (meer)' }).waitFor();
  await look(late, 'recipient-withdrawn');
  await work.reload();
  await look(work, 'work-after');
  check('the school sees that it ended', /ingetrokken/i.test(await work.content()));
} catch (error) {
  check('the play ran to its end', false, error.stack);
}
await browser.close();
await stopAll();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
