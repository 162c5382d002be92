/**
 * Looking at a large log from outside: `rewake ls`, and the first paint of the inspector. Both as a person has them, in
 * processes of their own that know nothing yet.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { findChromium, startChromium } from '../chromium.ts';
import { withDirectory } from '../disk.ts';
import { rewakeCommand, startInspector } from '../inspector-process.ts';
import { repeat, timeMs } from '../measure.ts';
import { writeManyActors } from '../parts/big-logs.ts';
import type { Row } from '../row.ts';

const actors = 100_000;
const rounds = 7;
const onActors = `a log of ${actors.toLocaleString('en-US')} actors, SQLite`;
const page = new URL('../../inspector/index.html', import.meta.url);

const inspectList: Row = {
  name: 'inspect-list',
  what: `rewake ls of all actors on ${onActors}, printed to nowhere, from the start of its process to its end`,
  reference: '-',
  goal: { atMost: 1_000 },
  run: () =>
    withDirectory(async (directory) => {
      const path = join(directory, 'actors.db');
      await writeManyActors(path, actors);
      const list = (...flags: string[]) =>
        repeat(() => timeMs(() => ended(process.execPath, [rewakeCommand, 'ls', path, ...flags])), rounds);
      const measured = await list();
      return {
        unit: 'ms',
        measured,
        also: [
          {
            what: 'The same with --failed, of which there are few',
            against: '-',
            unit: 'ms',
            measured: await list('--failed'),
          },
          {
            what: 'Reading their entries in this process',
            against: '-',
            unit: 'ms',
            measured: await repeat(() => timeMs(() => readAll(path)), rounds),
          },
        ],
        ...(findChromium() === undefined && {
          note: 'no Chromium on this machine: the first paint of the inspector was not measured.',
        }),
      };
    }),
};

/** Left out where there is no browser: the note of the row above says so. */
const paint: Row = {
  name: 'inspect-paint',
  what: `First contentful paint of the inspector on ${onActors}, from the start of the navigation, a fresh browser context`,
  reference: '-',
  goal: { atMost: 1_000 },
  run: () =>
    withDirectory(async (directory) => {
      const path = join(directory, 'actors.db');
      await writeManyActors(path, actors);
      const server = await startInspector(path);
      const browser = await startChromium();
      const looks: Look[] = [];
      try {
        for (let round = 0; round < rounds; round++) {
          const context = await browser.newContext();
          looks.push(await lookAt(await context.newPage(), server.url));
          await context.close();
        }
      } finally {
        await browser.close();
        await server.end();
      }
      const text = readFileSync(fileURLToPath(page));
      return {
        unit: 'ms',
        measured: looks.map(({ paintMs }) => paintMs),
        also: [
          {
            what: 'Until its first rows are there',
            against: '-',
            unit: 'ms',
            measured: looks.map(({ rowsMs }) => rowsMs),
            goal: { atMost: 1_000 },
          },
          {
            what: 'The page, scripts and styles included, compressed with gzip',
            against: '-',
            unit: 'bytes',
            measured: [gzipSync(text, { level: 9 }).length],
            goal: { atMost: 60_000 },
          },
        ],
        note: 'browser and server run beside each other on the same cores; the server has answered nobody before the first round.',
      };
    }),
};

export const inspectRows: readonly Row[] = findChromium() === undefined ? [inspectList] : [inspectList, paint];

interface Look {
  readonly paintMs: number;
  readonly rowsMs: number;
}

/** What the page itself says of the time since its navigation began. */
async function lookAt(tab: Page, url: string) {
  await tab.addInitScript(`
    new MutationObserver((_, observer) => {
      if (!document.querySelector('[role="option"]')) return;
      performance.mark('rows');
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true });
  `);
  await tab.goto(url);
  await tab.getByRole('option').first().waitFor();
  return tab.evaluate<Look>(`({
    paintMs: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    rowsMs: performance.getEntriesByName('rows')[0].startTime,
  })`);
}

/** Runs a command whose output nobody reads. @throws Error when it fails */
async function ended(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${args.slice(1).join(' ')} ended with ${code}.`);
}

async function readAll(path: string): Promise<number> {
  const log = sqliteLog(path);
  let count = 0;
  for await (const _ of log.actors({})) count++;
  await log.close();
  return count;
}
