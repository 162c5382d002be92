/**
 * `npm run screenshots`: the pictures of the documentation, of the log of the failed receipt. Owns what is in them.
 *
 * SS1  Taken again on the same machine they are the same: time stands still, and what the server says of how long ago something
 *      was is said for that time.
 * SS2  None is larger than `bytesMax`.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startChromium } from '../../bench/chromium.ts';
import { startInspector } from '../../bench/inspector-process.ts';
import { writeLog } from '../../examples/failed-receipt/write-log.ts';
import { panel, standsAt } from './parts.ts';

const bytesMax = 200_000;
/** On the afternoon after the last event. */
const now = new Date('2026-03-03T15:00:00Z');
const images = new URL('../../docs/images/', import.meta.url);
const config = fileURLToPath(new URL('../../examples/failed-receipt/rewake.config.ts', import.meta.url));

interface Picture {
  readonly name: string;
  readonly hash: string;
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
  /** Brings the page to where the picture is taken. */
  readonly until: (page: Page) => Promise<unknown>;
}

const pictures: readonly Picture[] = [
  {
    name: 'actors',
    hash: '#/',
    height: 640,
    until: (page) => page.getByText('18 actors').waitFor(),
  },
  {
    name: 'stream-light',
    hash: '#/streams/receipt-0044@2?panel=context',
    until: (page) => standsAt(page, 2),
  },
  {
    name: 'stream-dark',
    hash: '#/streams/receipt-0043@10?panel=frame',
    colorScheme: 'dark',
    until: (page) => standsAt(page, 10),
  },
  {
    name: 'chart-parallel',
    hash: '#/streams/order-1001@6?panel=context',
    width: 1800,
    height: 1000,
    async until(page) {
      await standsAt(page, 6);
      await page.getByRole('button', { name: 'Fit' }).click();
    },
  },
  {
    name: 'blame',
    hash: '#/streams/receipt-0044@4?panel=context',
    async until(page) {
      await standsAt(page, 4);
      await page.getByRole('tree', { name: 'Context' }).getByRole('treeitem').filter({ hasText: 'totalCents' }).click();
      await page.getByRole('region', { name: 'Who set this value' }).getByText('3115').first().waitFor();
    },
  },
  {
    name: 'what-if',
    hash: '#/streams/receipt-0044@2',
    height: 960,
    async until(page) {
      await standsAt(page, 2);
      const whatIf = await panel(page, 'What if');
      await whatIf.getByRole('button', { name: 'Change its output' }).click();
      const output = whatIf.getByRole('textbox', { name: 'output, as JSON' });
      await output.fill((await output.inputValue()).replace('1.249,00', '1249,00'));
      await whatIf.getByRole('button', { name: 'Run' }).click();
      await whatIf.getByText('first difference').waitFor();
    },
  },
  {
    name: 'effects',
    hash: '#/streams/receipt-0043@7?panel=effects',
    async until(page) {
      await standsAt(page, 7);
      await page.getByRole('group', { name: 'Effects over time' }).getByRole('link').first().waitFor();
    },
  },
  {
    name: 'trace',
    hash: '#/traces/inbox-0302-3',
    async until(page) {
      await page.getByRole('tree').getByRole('treeitem').first().waitFor();
    },
  },
];

async function take(browser: Browser, url: string, picture: Picture): Promise<void> {
  const { name, hash, width = 1280, height = 800, colorScheme = 'light', until } = picture;
  const options: BrowserContextOptions = {
    viewport: { width, height },
    colorScheme,
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
    locale: 'en',
  };
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.clock.setFixedTime(now);
  await page.route('**/explain', async (route) => {
    const response = await route.fetch();
    const text = (await response.text()).replaceAll(/\((?:[^()]* )?ago\b/g, '(1 d ago');
    await route.fulfill({ response, body: text });
  });
  await page.goto(url + hash);
  await until(page);
  await page.waitForLoadState('networkidle');
  const path = fileURLToPath(new URL(`${name}.png`, images));
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  await context.close();
  const { size } = statSync(path);
  process.stdout.write(`docs/images/${name}.png  ${Math.ceil(size / 1_000)} kB\n`);
  if (size > bytesMax) throw new Error(`${name}.png has ${size} bytes, at most ${bytesMax}: show less in it.`);
}

const folder = mkdtempSync(join(tmpdir(), 'rewake-pictures-'));
const log = join(folder, 'receipts.db');
await writeLog(log);
const server = await startInspector(log, ['--config', config]);
const browser = await startChromium();
try {
  mkdirSync(images, { recursive: true });
  for (const picture of pictures) await take(browser, server.url, picture);
} finally {
  await browser.close();
  await server.end();
  rmSync(folder, { recursive: true });
}
