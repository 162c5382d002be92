/**
 * A person in front of the inspector: a real browser on the real server. Owns opening pages, and what no page may do.
 *
 * LK1  Each test is given servers and pages of its own; all of them are gone when it ends.
 * LK2  Whatever a test is about, its pages complain of nothing: no errors on the console, nothing that the Content Security
 *      Policy forbids, no request to anywhere but their own server. A test says which complaints it expects.
 */
import { deepStrictEqual } from 'node:assert';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { inject, test as plainTest } from 'vitest';
import { startChromium } from '../../bench/chromium.ts';
import { startInspector } from '../../bench/inspector-process.ts';

export interface Look {
  readonly page: Page;
  /** With the token in it. */
  readonly url: string;
  /** Opens another page of the same server, in a browser that knows nothing of the first. */
  again(url: string): Promise<Page>;
}

export interface LookOptions {
  /** Of `rewake inspect`. */
  readonly flags?: readonly string[];
  /** Where to begin: `#/streams/order-1`. */
  readonly hash?: string;
  readonly context?: BrowserContextOptions;
  /** Complaints that belong to the test. */
  readonly expects?: readonly RegExp[];
}

interface Fixtures {
  readonly browser: Browser;
  /** Gone when the test ends. */
  readonly folder: string;
  /** Path of a log of its own: see write-logs.ts. */
  readonly copyOf: (log: 'demo' | 'long' | 'many') => string;
  readonly look: (log: string, options?: LookOptions) => Promise<Look>;
}

/** As vitest's own, with a browser. */
export const test = plainTest.extend<Fixtures>({
  browser: [
    async ({ task: _ }, use) => {
      const browser = await startChromium();
      await use(browser);
      await browser.close();
    },
    { scope: 'worker' },
  ],
  async folder({ task: _ }, use) {
    const folder = mkdtempSync(join(tmpdir(), 'rewake-e2e-'));
    await use(folder);
    rmSync(folder, { recursive: true });
  },
  async copyOf({ folder }, use) {
    await use((log) => {
      const path = join(folder, `${log}.db`);
      copyFileSync(join(inject('logs'), `${log}.db`), path);
      return path;
    });
  },
  async look({ browser }, use) {
    const endings: (() => Promise<void>)[] = [];
    const complaints: string[] = [];
    await use(async (log, { flags = [], hash = '', context: options = {}, expects = [] } = {}) => {
      const server = await startInspector(log, flags);
      endings.push(() => server.end());
      const again = async (url: string) => {
        const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
        endings.unshift(() => context.close());
        const page = await context.newPage();
        page.setDefaultTimeout(15_000);
        await listen(page, new URL(server.url).host, (complaint) => {
          if (!expects.some((expected) => expected.test(complaint))) complaints.push(complaint);
        });
        await page.goto(url);
        return page;
      };
      const url = server.url + hash;
      return { page: await again(url), url: server.url, again };
    });
    for (const end of endings) await end();
    deepStrictEqual(complaints, []);
  },
});

/** LK2 */
async function listen(page: Page, host: string, complain: (complaint: string) => void): Promise<void> {
  // Text, because the types of a browser are none of Node's.
  await page.addInitScript(`
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error('the policy forbids ' + violatedDirective + ' ' + blockedURI));
  `);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complain(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complain(`error: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    const isOwn = url.host === host || ['data:', 'blob:'].includes(url.protocol);
    if (!isOwn) complain(`request to ${url.href}`);
  });
}
