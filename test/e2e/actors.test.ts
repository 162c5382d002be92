/** The list of actors in a browser. */
import { describe, expect } from 'vitest';
import type { Page } from 'playwright-core';
import { test } from './looking.ts';

/** The actors that are listed, once there are so many. */
async function listed(page: Page, count: number): Promise<string[]> {
  const rows = page.getByRole('listbox', { name: 'Actors' }).getByRole('option');
  await page.getByText(new RegExp(`^${count} actors?$`)).waitFor();
  return (await rows.locator('.actor-name').allTextContents()).toSorted();
}

const filter = (page: Page, text: string) => page.getByRole('searchbox', { name: 'Filter the actors' }).fill(text);

describe('the list of actors', () => {
  test('has every actor with its state, and takes the token out of the address', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'));
    expect(await listed(page, 18)).toContain('receipt-0044');
    const failed = page.getByRole('option').filter({ hasText: 'receipt-0044' });
    expect(await failed.textContent()).toContain('error');
    expect(page.url()).not.toContain('token');
  });

  test('filters by several conditions at a time', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'));
    await listed(page, 18);
    await filter(page, 'machine:receipt -status:done');
    expect(await listed(page, 2)).toEqual(['receipt-0044', 'receipt-0049']);
    await filter(page, 'status:active status:stopped machine:order');
    expect(await listed(page, 4)).toEqual(['order-1002', 'order-1003', 'order-1004', 'order-1004-again']);
    await filter(page, 'correlation:inbox-0302-2');
    expect(await listed(page, 3)).toEqual(['approval-laptop', 'receipt-0043', 'receipt-0044']);
  });

  test('filters by a regular expression, and says what is none', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'));
    await listed(page, 18);
    await filter(page, '/receipt-004[1-3]/');
    expect(await listed(page, 3)).toEqual(['receipt-0041', 'receipt-0042', 'receipt-0043']);
    await filter(page, '-/^receipt|order/');
    expect(await listed(page, 4)).toEqual(['approval-laptop', 'breaker-bank', 'breaker-vision', 'payout-march']);
    await filter(page, '/receipt-(/');
    await page.getByText('/receipt-(/ is no regular expression.').waitFor();
  });

  test('shows the failed ones with one press, all but those with the next, and keeps the filter in the address', async ({
    look,
    copyOf,
  }) => {
    const { page } = await look(copyOf('demo'));
    await listed(page, 18);
    const failed = page.getByRole('search').getByRole('button', { name: 'failed' });
    await failed.click();
    expect(await listed(page, 1)).toEqual(['receipt-0044']);
    await page.waitForURL(/filter=is:failed/);
    await page.reload();
    expect(await listed(page, 1)).toEqual(['receipt-0044']);
    await failed.click();
    expect(await listed(page, 17)).not.toContain('receipt-0044');
  });

  test('scrolls through 500 actors of which it draws a few, and finds the failed ones', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('many'));
    const list = page.getByRole('listbox', { name: 'Actors' });
    await list.getByRole('option').first().waitFor();
    await list.focus();
    await page.keyboard.press('End');
    await page.getByText('500 actors').waitFor();
    await page.keyboard.press('End');
    await list.getByRole('option', { selected: true }).filter({ hasText: 'job-99' }).waitFor();
    expect(await list.getByRole('option').count()).toBeLessThan(120);
    await filter(page, 'is:failed');
    expect(await listed(page, 5)).toEqual(['job-0', 'job-100', 'job-200', 'job-300', 'job-400']);
  });
});
