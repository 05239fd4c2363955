// The whole way through the portal in Chromium: upload, preview, send, link, code, download, withdrawal; axe on every page, at
// 1280 and at 320 CSS pixels, screenshots beside it.
//
//   node run.mjs                      starts the pretended broker (SCHAKEL_FAKE = path of portal_fake_backend)
//   SCHAKEL_CONTROL=http://... node run.mjs   plays against something that runs (the control interface is in fake_backend.cc)
//
// CHROMIUM (default /usr/bin/chromium), SHOTS (folder for screenshots).
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const shots = process.env.SHOTS ?? join(here, "../../build/shots");
mkdirSync(shots, { recursive: true });

let passed = 0, failed = 0;
function check(what, ok, detail = "") {
  if (ok) { passed++; return; }
  failed++;
  console.error(`FAILED ${what}${detail ? ": " + detail : ""}`);
}

async function startFake() {
  const program = process.env.SCHAKEL_FAKE ?? join(here, "../../build/dev/bin/portal_fake_backend");
  const child = spawn(program, [], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise((resolve, reject) => {
    child.stdout.once("data", (d) => resolve(String(d)));
    child.once("exit", (c) => reject(new Error(`${program} ended with ${c}`)));
  });
  return { control: JSON.parse(line).control, stop: () => child.kill("SIGTERM") };
}

const target = process.env.SCHAKEL_CONTROL ? { control: process.env.SCHAKEL_CONTROL, stop: () => {} } : await startFake();
const ask = async (path, method = "GET") => (await fetch(target.control + path, { method })).json();

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const urls = [];
async function visitor(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "nl-NL", timezoneId: "Europe/Amsterdam", acceptDownloads: true, ...options });
  context.setDefaultTimeout(60000);
  const page = await context.newPage();
  page.on("console", (m) => { if (m.type() === "error" && /Content Security Policy/.test(m.text())) check("no CSP violation", false, m.text()); });
  page.on("request", (r) => urls.push(r.url()));
  return { context, page };
}

/** axe and screenshots of the page as it is now, wide and narrow. */
async function look(page, name) {
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: width === 320 ? 700 : 900 });
    await page.evaluate(axe);
    const found = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    check(`axe: ${name} at ${width}`, found.violations.length === 0, found.violations.map((v) => `${v.id} (${v.nodes.map((n) => n.target).join(", ")})`).join("; "));
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    check(`no sideways scrolling: ${name} at ${width}`, over <= 0, `${over} px too wide`);
    await page.screenshot({ path: join(shots, `${name}-${width}.png`), fullPage: true });
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  check(`${name} is Dutch with one h1`, await page.evaluate(() => document.documentElement.lang === "nl" && document.querySelectorAll("h1").length === 1));
  const small = await page.evaluate(() => [...document.querySelectorAll("button, input:not([type=hidden]), select, a.utrecht-button")].filter((e) => { const r = e.getBoundingClientRect(); return r.width > 0 && (r.width < 24 || r.height < 24); }).map((e) => e.outerHTML.slice(0, 80)));
  check(`targets of ${name} are at least 24 px`, small.length === 0, small.join(" "));
}

const button = (page, name) => page.getByRole("button", { name });

/** Link, code and all. */
async function enter(page, url, code, shot) {
  await page.goto(url);
  check("the secret left the address bar", !page.url().includes("#"));
  if (shot) await look(page, `${shot}-1-start`);
  await button(page, "Verder naar de code").click();
  await page.waitForLoadState();
  if (await button(page, "Stuur mij een code per sms").count()) {
    if (shot) await look(page, `${shot}-2-sms`);
    await button(page, "Stuur mij een code per sms").click();
  }
  if (shot) await look(page, `${shot}-3-code`);
  await page.locator("#code").fill(await code());
  await button(page, "Bekijken").click();
  await page.waitForLoadState();
}
const sms = async () => (await ask("/sms")).code;
const totp = async () => (await ask("/totp")).code;

try {
  // ---- the school
  const school = await visitor();
  const { url: workUrl } = await ask("/workplace");
  await enter(school.page, workUrl, sms, "work");
  await look(school.page, "work-4-empty");
  const pdf = Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(300000, "x"), Buffer.from("\n%%EOF\n")]);
  for (const [type, status] of [["groeidocument", "compleet"], ["opp", "concept"]]) {
    await school.page.locator("#soort").selectOption(type);
    await school.page.locator("#status").selectOption(status);
    await school.page.locator("#bestand").setInputFiles({ name: "Pluk Testerman.pdf", mimeType: "application/pdf", buffer: pdf });
    await button(school.page, "Toevoegen").click();
    await school.page.getByText("Het document is toegevoegd.").waitFor();
  }
  await school.page.locator("#soort").selectOption("opp");
  await school.page.locator("#bestand").setInputFiles({ name: "plan.pdf", mimeType: "application/pdf", buffer: Buffer.from("<script>alert(1)</script>") });
  await button(school.page, "Toevoegen").click();
  await school.page.getByText("Dit soort bestand kan niet worden gedeeld").waitFor();
  await look(school.page, "work-5-wrong-file");
  await school.page.getByRole("link", { name: "Documenten versturen" }).click();
  await look(school.page, "work-6-send");
  await button(school.page, "Bekijk wie wat krijgt").click();
  await school.page.getByText("Kies minstens één document.").first().waitFor();
  await look(school.page, "work-7-send-error");
  for (const box of await school.page.locator("input[type=checkbox]").all()) await box.check();
  await school.page.locator("#toelichting").fill("zonder toestemming");
  await button(school.page, "Bekijk wie wat krijgt").click();
  await school.page.getByText("Er is geen toestemming van de ouders").waitFor();
  check("what is blocked cannot be sent", (await button(school.page, "Nu versturen").count()) === 0);
  await look(school.page, "work-8-blocked");
  await button(school.page, "Aanpassen").click();
  await school.page.locator("#toelichting").fill("Graag lezen vóór het overleg.\n<b>Let op</b> de bijlage.");
  await button(school.page, "Bekijk wie wat krijgt").click();
  await school.page.getByRole("heading", { name: "Deze rollen krijgen niets" }).waitFor();
  await look(school.page, "work-9-preview");
  await button(school.page, "Nu versturen").click();
  await school.page.getByText("De documenten zijn verzonden").waitFor();
  await look(school.page, "work-10-sent");

  // ---- a scanner: opens the link again and again, presses every button, has no code
  const mails = await ask("/mails");
  const linkOf = (role) => mails.findLast((m) => m.role === role).url;
  const scanner = await visitor();
  for (let i = 0; i < 10; i++) {
    await scanner.page.goto(linkOf("procesregisseur"));
    await button(scanner.page, "Verder naar de code").click();
    await scanner.page.waitForLoadState();
    await scanner.page.evaluate(() => document.querySelectorAll("[required]").forEach((e) => e.removeAttribute("required")));
    await button(scanner.page, "Bekijken").click();
    await scanner.page.waitForLoadState();
  }
  await scanner.context.close();

  // ---- a recipient with an app
  const recipient = await visitor();
  await enter(recipient.page, linkOf("procesregisseur"), totp, "recipient");
  await recipient.page.getByRole("heading", { name: "Documenten voor een overleg" }).waitFor();
  check("text of the sender is text", (await recipient.page.locator("main b").count()) === 0);
  await look(recipient.page, "recipient-4-documents");
  const [download] = await Promise.all([recipient.page.waitForEvent("download"), button(recipient.page, /^Ophalen\s+Groeidocument$/).click()]);
  check("the file has a name of ours", download.suggestedFilename() === "groeidocument-OZA-7K3F-9Q2M-v1.pdf", download.suggestedFilename());
  check("the file is the file", readFileSync(await download.path()).equals(pdf));

  // ---- without JavaScript: the link is pasted
  const plain = await visitor({ javaScriptEnabled: false });
  await plain.page.goto(linkOf("orthopedagoog"));
  await plain.page.screenshot({ path: join(shots, "recipient-1-start-no-js.png") });
  await plain.page.locator("#sleutel").fill(linkOf("orthopedagoog"));
  await button(plain.page, "Verder naar de code").click();
  await button(plain.page, "Stuur mij een code per sms").click();
  await plain.page.locator("#code").fill("00000000");
  await button(plain.page, "Bekijken").click();
  await plain.page.getByText("Deze code klopt niet").waitFor();
  await ask("/refuse?CONSENT_WITHDRAWN", "POST");
  await plain.page.locator("#code").fill(await sms());
  await button(plain.page, "Bekijken").click();
  await plain.page.getByText("De toestemming is ingetrokken").first().waitFor();
  check("refused shows no documents", (await button(plain.page, "Ophalen").count()) === 0);
  await ask("/allow", "POST");
  await button(plain.page, "Opnieuw proberen").click();
  await plain.page.getByRole("heading", { name: "Documenten voor een overleg" }).waitFor();

  // ---- pages that only errors show
  const other = await visitor();
  await enter(other.page, linkOf("orthopedagoog"), async () => "00000000");
  await other.page.getByText("Deze code klopt niet").waitFor();
  await look(other.page, "recipient-5-wrong-code");
  await ask("/refuse?CHILD_CONSENT_MISSING", "POST");
  await other.page.locator("#code").fill(await sms());
  await button(other.page, "Bekijken").click();
  await other.page.getByText("De toestemming van de leerling ontbreekt").waitFor();
  await look(other.page, "recipient-6-refused");
  await ask("/allow", "POST");
  await other.page.goto(new URL("/toegankelijkheid", workUrl).href);
  await look(other.page, "accessibility");
  await other.page.goto(new URL("/bestaat-niet", workUrl).href);
  await look(other.page, "not-found");

  // ---- withdrawal
  await school.page.reload();
  await school.page.getByText("Documenten opgehaald").waitFor();
  await look(school.page, "work-11-fetched");
  await button(school.page, /Toegang intrekken\s+Procesregisseur/).click();
  await school.page.getByText("De toegang van deze ontvanger is ingetrokken.").waitFor();
  await look(school.page, "work-12-withdrawn");
  await recipient.page.reload();
  await recipient.page.getByRole("heading", { name: "Documenten bekijken" }).waitFor();
  await recipient.page.goto(linkOf("procesregisseur"));
  await button(recipient.page, "Verder naar de code").click();
  await recipient.page.getByRole("heading", { name: "Deze link werkt niet (meer)" }).waitFor();
  await look(recipient.page, "recipient-7-dead");
  await button(school.page, "Uitloggen").click();
  await school.page.getByText("U bent uitgelogd").waitFor();
  await look(school.page, "work-13-logged-out");

  // ---- keyboard only: the skip link is first and leads to the content
  await other.page.goto(workUrl.split("#")[0]);
  await other.page.keyboard.press("Tab");
  check("the skip link comes first", await other.page.evaluate(() => document.activeElement?.getAttribute("href") === "#inhoud"));

  const secrets = mails.map((m) => m.url.split("#")[1]);
  check("no secret in any address", urls.every((u) => !secrets.some((s) => u.includes(s)) || u.includes("#")), urls.find((u) => secrets.some((s) => u.split("#")[0].includes(s))));
} catch (e) {
  check("the play ran to its end", false, e.stack);
  let n = 0;
  for (const context of browser.contexts()) for (const page of context.pages()) await page.screenshot({ path: join(shots, `failure-${++n}.png`), fullPage: true }).catch(() => {});
} finally {
  await browser.close();
  target.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
