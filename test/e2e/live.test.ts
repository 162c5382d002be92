/** What is appended while one looks, in a browser: by a runtime on the same file. */
import { describe, expect } from 'vitest';
import { meter } from '../../bench/parts/big-logs.ts';
import { createRuntime } from '../../src/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { test } from './looking.ts';
import { rowAt, rowsOf, standsAt } from './parts.ts';
import { join } from 'node:path';

describe('the live tail', () => {
  test('shows an event as it comes, and follows only who wants to be taken along', async ({ look, folder }) => {
    const path = join(folder, 'live.db');
    await using runtime = await createRuntime({ log: sqliteLog(path), machines: { meter }, logger: silentLogger });
    const ref = await runtime.start('meter', { id: '1' });
    const { page } = await look(path, { hash: '#/streams/meter-1' });
    await standsAt(page, 0);
    await page.locator('.live-live').waitFor();

    await ref.send({ type: 'READ', value: 95 });
    await standsAt(page, 1);
    await page.getByText('alarmed').first().waitFor();

    await page.keyboard.press('Home');
    await standsAt(page, 0);
    await ref.send({ type: 'READ', value: 3 });
    await rowAt(page, 2).waitFor();
    await standsAt(page, 0);
    await page.keyboard.press('f');
    await standsAt(page, 2);

    await page.locator('.live').click();
    await page.locator('.live-off').waitFor();
    await ref.send({ type: 'READ', value: 4 });
    expect(await rowsOf(page).count()).toBe(3);
    await page.keyboard.press('t');
    await rowAt(page, 3).waitFor();
  });

  test('adds an actor that is started to the list', async ({ look, folder }) => {
    const path = join(folder, 'live.db');
    await using runtime = await createRuntime({ log: sqliteLog(path), machines: { meter }, logger: silentLogger });
    await runtime.start('meter', { id: '1' });
    const { page } = await look(path);
    await page.getByRole('option').filter({ hasText: 'meter-1' }).waitFor();
    await page.locator('.live-live').waitFor();
    await runtime.start('meter', { id: '2' });
    await page.getByRole('option').filter({ hasText: 'meter-2' }).waitFor();
  });
});
