// The whole way through the portal in Chromium: upload, preview, send, link, code, download, withdrawal; axe on every page, at
// 1280 and at 320 CSS pixels, screenshots beside it.
//
//   node run.mjs                      starts the pretended broker (SCHAKEL_FAKE = path of portal_fake_backend, SCHAKEL_SHARE = its pages)
//   SCHAKEL_CONTROL=http://... node run.mjs   plays against something that runs (the control interface is in fake_backend.cc)
//
// CHROMIUM (default /usr/bin/chromium), SHOTS (folder for screenshots).
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { freePorts } from "../system/demo/processes.mjs";
import { button, check, deadline, finish, look, openBrowser, root, shots } from "./lib.mjs";

/** The pretended broker, with the pages that were built beside it. */
async function startFake() {
  const program = process.env.SCHAKEL_FAKE ?? join(root, "build/release/bin/portal_fake_backend");
  const port = await freePorts(18443, 1);
  const share = process.env.SCHAKEL_SHARE ?? join(dirname(program), "../share/schakel/portal");
  // When the play is killed the kernel ends its child too.
  const child = spawn("setpriv", ["--pdeathsig", "TERM", program, share, String(port)], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise((resolve, reject) => {
    child.stdout.once("data", (d) => resolve(String(d)));
    child.once("error", reject);
    child.once("exit", (c) => reject(new Error(`${program} ended with ${c} before it was ready; build it: make build`)));
  });
  return { control: JSON.parse(line).control, stop: () => child.kill("SIGTERM") };
}

let target;
let chromium;
const ask = async (path, method = "GET") => (await fetch(target.control + path, { method })).json();
const visitor = (options) => chromium.visitor(options);

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

deadline(600);
try {
  target = process.env.SCHAKEL_CONTROL ? { control: process.env.SCHAKEL_CONTROL, stop: () => {} } : await startFake();
  chromium = await openBrowser();
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
  const { urls } = chromium;
  check("no secret in any address", urls.every((u) => !secrets.some((s) => u.includes(s)) || u.includes("#")), urls.find((u) => secrets.some((s) => u.split("#")[0].includes(s))));
} catch (e) {
  check("the play ran to its end", false, e.stack);
  await chromium?.failure("");
} finally {
  await chromium?.close();
  target?.stop();
}
finish();
