// What both plays share: counting, the browser, and looking at a page: axe, width, target sizes, screenshots.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const shots = process.env.SHOTS ?? join(root, 'build', 'shots');

export const count = { passed: 0, failed: 0 };
export function check(what, good, detail = '') {
  if (good) { count.passed += 1; return; }
  count.failed += 1;
  console.error(`FAILED ${what}${detail ? `: ${detail}` : ''}`);
}
/** The last line and the exit status. */
export function finish() {
  if (count.passed === 0 && count.failed === 0) count.failed = 1;
  console.log(`${count.passed} passed, ${count.failed} failed`);
  process.exit(count.failed ? 1 : 0);
}
/** A play that hangs is a failed play. */
export function deadline(seconds) {
  setTimeout(() => { check(`the play ended within ${seconds} s`, false); finish(); }, seconds * 1000).unref();
}

const modules = createRequire(import.meta.url);
const needed = () => {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  if (!existsSync(executablePath) || !existsSync(join(root, 'tests', 'browser', 'node_modules', 'playwright-core'))) {
    throw new Error(`${executablePath} or the npm packages of tests/browser are missing; run: deploy/install-deps --browser`);
  }
  return executablePath;
};

/** Chromium, and `visitor(options)`: somebody with a browser of his own. Addresses that were asked for are kept in `urls`. */
export async function openBrowser() {
  const executablePath = needed();
  const browser = await modules('playwright-core').chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  const urls = [];
  async function visitor(options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'nl-NL', timezoneId: 'Europe/Amsterdam', acceptDownloads: true, ...options });
    context.setDefaultTimeout(30_000);
    const page = await context.newPage();
    page.on('console', (m) => { if (m.type() === 'error' && /Content Security Policy/.test(m.text())) check('no CSP violation', false, m.text()); });
    page.on('request', (r) => urls.push(r.url()));
    return { context, page };
  }
  /** Where every visitor stood when the play broke. */
  async function failure(prefix) {
    let n = 0;
    for (const context of browser.contexts()) for (const page of context.pages()) await page.screenshot({ path: join(shots, `${prefix}failure-${n += 1}.png`), fullPage: true }).catch(() => {});
  }
  mkdirSync(shots, { recursive: true });
  return { browser, visitor, failure, urls, close: () => browser.close().catch(() => {}) };
}

export const button = (page, name) => page.getByRole('button', { name });

/** axe and screenshots of the page as it is now, wide and narrow. */
export async function look(page, name) {
  const axe = readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8');
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: width === 320 ? 700 : 900 });
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    check(`axe: ${name} at ${width}`, found.violations.length === 0, found.violations.map((v) => `${v.id} (${v.nodes.map((n) => n.target).join(', ')})`).join('; '));
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    check(`no sideways scrolling: ${name} at ${width}`, over <= 0, `${over} px too wide`);
    await page.screenshot({ path: join(shots, `${name}-${width}.png`), fullPage: true });
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  check(`${name} is Dutch with one h1`, await page.evaluate(() => document.documentElement.lang === 'nl' && document.querySelectorAll('h1').length === 1));
  const small = await page.evaluate(() => [...document.querySelectorAll('button, input:not([type=hidden]), select, a.utrecht-button')].filter((e) => { const r = e.getBoundingClientRect(); return r.width > 0 && (r.width < 24 || r.height < 24); }).map((e) => e.outerHTML.slice(0, 80)));
  check(`targets of ${name} are at least 24 px`, small.length === 0, small.join(' '));
}
