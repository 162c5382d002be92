/** A stream that was exported from the page, and is looked at as a file. */
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from './looking.ts';
import { panel, standsAt } from './parts.ts';

describe('an exported stream', () => {
  test('is looked at offline, without a live tail, and as it was', async ({ look, copyOf, folder }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/receipt-0044' });
    await standsAt(page, 5);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Export' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('receipt-0044.jsonl');
    const file = join(folder, 'receipt-0044.jsonl');
    await download.saveAs(file);

    const { page: other } = await look(file);
    await other.getByRole('link', { name: 'receipt-0044' }).click();
    await standsAt(other, 5);
    expect(await other.locator('.live').count()).toBe(0);
    await other.getByText('from the log alone').waitFor();
    const raw = await panel(other, 'Raw');
    await raw.getByText('AMOUNT_MISMATCH').first().waitFor();
    await other.keyboard.press('k');
    await other.keyboard.press('k');
    const context = await panel(other, 'Context');
    await context.getByRole('treeitem').filter({ hasText: 'totalCents' }).getByText('3115').waitFor();
  });
});
