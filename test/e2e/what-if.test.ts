/** Another past, in a browser: in memory, and as a fork that is written. */
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { test } from './looking.ts';
import { panel, standsAt } from './parts.ts';

const config = fileURLToPath(new URL('../../dist/examples/failed-receipt/rewake.config.js', import.meta.url));
const withCode = ['--config', config];

async function headsOf(path: string): Promise<string[]> {
  const log = sqliteLog(path);
  const heads: string[] = [];
  for await (const { stream, revision } of log.actors({})) heads.push(`${stream}@${revision}`);
  await log.close();
  return heads;
}

/** What the reader gives with the amount as a machine would print it. */
async function mendTheReading(page: Page) {
  await standsAt(page, 2);
  const whatIf = await panel(page, 'What if');
  await whatIf.getByRole('button', { name: 'Change its output' }).click();
  const output = whatIf.getByRole('textbox', { name: 'output, as JSON' });
  const text = await output.inputValue();
  expect(text).toContain('1.249,00');
  await output.fill(text.replace('1.249,00', '1249,00'));
  await whatIf.getByRole('button', { name: 'Run' }).click();
  return whatIf;
}

describe('what if', () => {
  test('shows where the paths part, asks for an answer that nobody gave, and takes it', async ({ look, copyOf }) => {
    const log = copyOf('demo');
    const before = await headsOf(log);
    const { page } = await look(log, { flags: withCode, hash: '#/streams/receipt-0044@2' });
    const whatIf = await mendTheReading(page);
    await whatIf.getByText('first difference').waitFor();
    await whatIf.getByRole('row').filter({ hasText: 'first difference' }).getByRole('button').click();
    await whatIf.getByText('127890').first().waitFor();
    await whatIf.getByText('3115').first().waitFor();
    expect(await whatIf.getByRole('button', { name: 'Fork', exact: true }).count()).toBe(0);
    expect(await headsOf(log)).toEqual(before);
  });

  test('leaves an event out, and answers an effect that the log has no answer for', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { flags: withCode, hash: '#/streams/receipt-0044@4' });
    await standsAt(page, 4);
    const whatIf = await panel(page, 'What if');
    await whatIf.getByRole('button', { name: 'Drop it' }).click();
    await whatIf.getByRole('button', { name: 'Run' }).click();
    const stub = whatIf.getByRole('textbox', { name: /^Answer of .*, as JSON$/ });
    await stub.fill('{ "entry": 7 }');
    await whatIf.getByRole('button', { name: 'Run' }).click();
    await whatIf.getByRole('row').filter({ hasText: 'posted' }).first().waitFor();
  });

  test('forks for real where the server allows it', async ({ look, copyOf }) => {
    const log = copyOf('demo');
    const { page } = await look(log, { flags: [...withCode, '--allow-write'], hash: '#/streams/receipt-0044@2' });
    const whatIf = await mendTheReading(page);
    await whatIf.getByLabel('Its id').fill('0044-mended');
    await whatIf.getByLabel('up to revision').fill('3');
    await whatIf.getByRole('button', { name: 'Fork', exact: true }).click();
    await page.getByRole('heading', { name: 'receipt-0044-mended' }).waitFor();
    const context = await panel(page, 'Context');
    await context.getByRole('treeitem').filter({ hasText: 'totalCents' }).getByText('127890').waitFor();
    const heads = (await headsOf(log)).filter((head) => head.startsWith('receipt-0044'));
    // The timeout of its attempt was due long ago, so it is written too; the ledger itself is left to the next host.
    expect(heads).toEqual(['receipt-0044@5', 'receipt-0044-mended@7']);
  });

  test('is refused by a server that may not write, whatever a page asks', async ({ look, copyOf }) => {
    const log = copyOf('demo');
    const before = await headsOf(log);
    const { page, url } = await look(log, { flags: withCode });
    await page.getByRole('option').first().waitFor();
    const { origin, searchParams } = new URL(url);
    const answer = await fetch(`${origin}/api/streams/receipt-0044/fork`, {
      method: 'POST',
      headers: { authorization: `Bearer ${searchParams.get('token')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ at: 3, id: 'forbidden' }),
    });
    expect(answer.status).toBe(403);
    expect(await headsOf(log)).toEqual(before);
  });
});
