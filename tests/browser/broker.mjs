// The pages against the real broker and its partners: workplace, upload, preview without and with consent, send, link by mail, code
// by SMS, download, withdrawal of consent; axe on each page. run.mjs plays every page and error over a pretended broker; this shows
// that they hold together.   node tests/browser/broker.mjs     SCHAKEL, SHOTS, DEMO_DIR, DEMO_PORT, CHROMIUM
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pdf } from '../partners/lib/pdf.mjs';
import { freePorts, run, stopAll } from '../system/demo/processes.mjs';
import { binary, must, setStage } from '../system/demo/stage.mjs';
import { until } from '../system/demo/story.mjs';
import { PEOPLE } from '../system/demo/world.mjs';
import { button, check, deadline, finish, look as seen, openBrowser, root } from './lib.mjs';

const look = (page, name) => seen(page, `broker-${name}`);
const text = (page) => page.locator('main').innerText();
let stage;
let chromium;
let school;
let zaak;
const json = async (place, path) => (await fetch(`${stage.places[place]}${path}`)).json();
const numberOf = (person) => PEOPLE[person].tweedeFactor.slice(4);

async function step(name, play) {
  try { await play(); } catch (error) { error.message = `${name}: ${error.message}`; throw error; }
}
/** The newest link that was mailed to a person, when it came after the first `before` mails. */
async function linkTo(person, before = 0) {
  const mails = async () => (await json('postbus', `/api/mails?to=${encodeURIComponent(PEOPLE[person].mail)}`)).filter((m) => m.links.some((l) => l.includes('#')));
  const mail = await until(`a link for ${person}`, async () => { const all = await mails(); return all.length > before && all.at(-1); });
  check(`the mail to ${person} carries no content`, mail.attachments.length === 0 && !mail.html && !/papieren|groeidocument|opp\b/i.test(mail.subject + mail.text), mail.subject);
  return mail.links.find((l) => l.includes('#'));
}
/** Link, code and all. */
async function enter(page, url, person, shot) {
  await page.goto(url);
  await page.getByText('Uw link is herkend.').waitFor();
  check(`the secret left the address bar of ${person}`, !page.url().includes('#'));
  await look(page, `${shot}-start`);
  await button(page, 'Verder naar de code').click();
  const messages = () => json('sms', `/messages?to=${encodeURIComponent(numberOf(person))}`);
  const before = (await messages()).length;
  await button(page, 'Stuur mij een code per sms').waitFor();
  await look(page, `${shot}-sms`);
  await button(page, 'Stuur mij een code per sms').click();
  const sms = await until(`the code for ${person}`, async () => { const all = await messages(); return all.length > before && all.at(-1); });
  await page.locator('#code').waitFor();
  await look(page, `${shot}-code`);
  await page.locator('#code').fill(/[0-9]{6,8}/.exec(sms.text)[0]);
  await button(page, 'Bekijken').click();
}
async function say(type, role, data) {
  const answer = await school.send(school.event(randomUUID(), type, zaak, { region: 'KNH', sender: { role }, ...data }));
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  const { volgnummer } = answer.body.berichten[0];
  await until(`the decision on ${type}`, async () => (await school.call('GET', `/v1/berichten/${volgnummer}`)).body.uitkomst);
}

deadline(300);
try {
  const base = process.env.DEMO_PORT ? Number(process.env.DEMO_PORT) : await freePorts(13443);
  stage = await setStage({ home: process.env.DEMO_DIR ?? join(root, 'build', 'browser'), base, tell: () => {} });
  school = stage.players.school;
  chromium = await openBrowser();
  const files = { groeidocument: pdf('Groeidocument', ['Wat gaat goed: tekenen, buiten werken.']), opp: pdf('Ontwikkelingsperspectief', ['Concept.']) };
  const { page: work } = await chromium.visitor();
  const { page: reader } = await chromium.visitor();
  let workUrl;
  let unread;

  await step('the school opens a case and asks for its workplace', async () => {
    const opened = await school.call('POST', '/v1/zaken', {
      region: 'KNH', sender: { role: 'school_ib' }, pupil: { birth_date: '2018-06-21', school: 'Basisschool Het Papieren Schip', school_type: 'PO', enrolled: true },
      case: { question_kind: 'onderwijs_zorg', wijkteam_involved: false, gi_involved: false, extra_support: true, custody: ['ouder_1'], dossier_exists: false },
      meeting: { kind: 'OT', at: new Date(Date.now() + 25 * 86400_000).toISOString() },
    }, { 'Idempotency-Key': randomUUID() });
    assert.equal(opened.status, 201, JSON.stringify(opened.body));
    zaak = opened.body.id;
    for (const [person, p] of Object.entries(PEOPLE)) assert.equal((await school.call('PUT', `/v1/zaken/${zaak}/deelnemers/${person}`, p)).status, 204);
    must('link workplace', run(binary, ['--config', stage.config, 'link', 'workplace', '--case', zaak, '--person', 'ib-1', '--yes']));
    workUrl = await linkTo('ib-1');
  });

  await step('the intern begeleider logs in', async () => {
    await enter(work, workUrl, 'ib-1', 'work-1');
    await work.getByRole('heading', { name: /^Dossier/ }).waitFor();
    await look(work, 'work-2-empty');
  });

  await step('uploads', async () => {
    for (const [type, status] of [['groeidocument', 'compleet'], ['opp', 'concept']]) {
      await work.locator('#soort').selectOption(type);
      await work.locator('#status').selectOption(status);
      await work.locator('#bestand').setInputFiles({ name: 'Pluk Testerman.pdf', mimeType: 'application/pdf', buffer: files[type] });
      await button(work, 'Toevoegen').click();
      await work.getByText('Het document is toegevoegd.').waitFor();
    }
    check('the name of the pupil in a file name is not kept', !/Pluk/.test(await work.content()));
    await work.locator('#soort').selectOption('opp');
    await work.locator('#bestand').setInputFiles({ name: 'plan.pdf', mimeType: 'application/pdf', buffer: Buffer.from('<script>alert(1)</script>') });
    await button(work, 'Toevoegen').click();
    await work.getByText('Dit soort bestand kan niet worden gedeeld').waitFor();
    await look(work, 'work-3-documents');
  });

  await step('without consent nothing can be sent', async () => {
    await work.getByRole('link', { name: 'Documenten versturen' }).click();
    for (const box of await work.locator('input[type=checkbox]').all()) await box.check();
    await work.locator('#toelichting').fill('Graag lezen vóór het overleg.');
    await look(work, 'work-4-send');
    await button(work, 'Bekijk wie wat krijgt').click();
    await work.getByText('Er is geen toestemming van de ouders').waitFor();
    check('a blocked sending has no button to send', await button(work, 'Nu versturen').count() === 0);
    check('it says by which rule, in Dutch', /regel [A-Z]+-CONSENT/.test(await text(work)) && !/Deny by/.test(await text(work)), await text(work));
    await look(work, 'work-5-blocked');
  });

  await step('with consent it shows who receives what and why', async () => {
    await say('toestemming', 'ouder_1', { purpose: 'documents' });
    await button(work, 'Aanpassen').click();
    check('what was filled in is still there', (await work.locator('#toelichting').inputValue()).startsWith('Graag lezen') && await work.locator('input[type=checkbox]:checked').count() === 2);
    await button(work, 'Bekijk wie wat krijgt').click();
    await work.getByRole('heading', { name: 'Deze ontvangers krijgen documenten' }).waitFor();
    const shown = await text(work);
    const [receive, nothing = ''] = shown.split('Deze rollen krijgen niets');
    for (const role of ['Orthopedagoog', 'Jeugdhulpdeskundige']) check(`${role} receives`, receive.includes(role), shown);
    check('and why: a quote with source and rule', /“[^”]+”[\s\S]*regel KNH-/.test(receive), shown);
    for (const role of ['Procesregisseur', 'Leerplichtambtenaar']) check(`${role} does not receive, and why`, new RegExp(`${role}[\\s\\S]*niet betrokken`).test(nothing), shown);
    check('in Dutch, with the name of the source', !/Deny by|\bthe\b|mis-k-2022/.test(shown) && /Routing Model/.test(receive), shown);
    await look(work, 'work-6-preview');
  });

  await step('sends', async () => {
    await button(work, 'Nu versturen').click();
    await work.getByText('De documenten zijn verzonden').waitFor();
    await look(work, 'work-7-sent');
  });

  await step('the jeugdhulpdeskundige downloads', async () => {
    await enter(reader, await linkTo('jhd-1'), 'jhd-1', 'recipient-1');
    await reader.getByRole('heading', { name: 'Documenten voor een overleg' }).waitFor();
    check('the note of the school is shown', (await text(reader)).includes('Graag lezen vóór het overleg.'));
    check('and who sent it', /Intern begeleider[^\n]*Basisschool Het Papieren Schip/.test(await text(reader)), await text(reader));
    await look(reader, 'recipient-2-documents');
    for (const [name, type] of [[/^Ophalen\s+Groeidocument$/, 'groeidocument'], [/^Ophalen\s+Ontwikkelingsperspectief/, 'opp']]) {
      const [download] = await Promise.all([reader.waitForEvent('download'), button(reader, name).click()]);
      check(`the download of ${type} is the upload`, readFileSync(await download.path()).equals(files[type]));
      check(`its name says nothing of the pupil`, download.suggestedFilename().startsWith(type), download.suggestedFilename());
    }
    unread = await linkTo('ortho-1');
    await until('the school sees the download', async () => { await work.reload(); return /Documenten opgehaald/.test(await text(work)); });
    check('what went well has no reason beside it', !/staan dit nu niet toe/.test(await text(work)), await text(work));
    await look(work, 'work-8-fetched');
  });

  await step('consent is withdrawn: the links are dead', async () => {
    await say('toestemming_intrekking', 'ouder_1', { consent: 'ouder_1:documents' });
    await until('the link to end', async () => {
      const { links } = JSON.parse(must('link list', run(binary, ['--config', stage.config, '--json', 'link', 'list', '--case', zaak])));
      return links.some((l) => l.rol === 'orthopedagoog' && l.ingetrokken);
    });
    const { page: late } = await chromium.visitor();
    await late.goto(unread);
    await button(late, 'Verder naar de code').click();
    await late.getByRole('heading', { name: 'Deze link werkt niet (meer)' }).waitFor();
    await look(late, 'recipient-3-withdrawn');
    await reader.reload();
    await reader.getByRole('heading', { level: 1 }).waitFor();
    check('an open page shows the documents no longer, and says why', await button(reader, /Ophalen/).count() === 0 && /toestemming is ingetrokken/.test(await text(reader)), await text(reader));
    await look(reader, 'recipient-4-ended');
    await work.reload();
    check('the school sees that access ended', /Toegang ingetrokken/.test(await text(work)), await text(work));
    await look(work, 'work-9-withdrawn');
  });

  await step('logs out', async () => {
    await button(work, 'Uitloggen').click();
    await work.getByText('U bent uitgelogd').waitFor();
    await work.goBack();
    await work.reload();
    check('going back shows nothing of the case', await work.locator('#soort').count() === 0);
  });

  const secrets = [workUrl, unread].map((l) => l.split('#')[1]);
  check('no secret in any address that was asked for', chromium.urls.every((u) => !secrets.some((s) => u.split('#')[0].includes(s))));
  for (const place of ['postbus', 'sms', 'zaaksysteem']) {
    const violations = await json(place, '/__control/violations');
    check(`${place} saw nothing forbidden`, violations.length === 0, JSON.stringify(violations));
  }
} catch (error) {
  check('the play ran to its end', false, error.stack);
  await chromium?.failure('broker-');
}
await chromium?.close();
await stopAll();
finish();
