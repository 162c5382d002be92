/** The whole way without a mouse, and the page for who cannot see it. */
import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { test } from './looking.ts';
import { panel, standsAt } from './parts.ts';

/** What can be pressed or typed into and has no name. */
const nameless = `[...document.querySelectorAll('button, a[href], input, select, textarea, [role="tab"], [role="slider"], [role="listbox"], [role="tree"]')]
  .filter((element) => element.checkVisibility())
  .filter((element) => {
    const by = (element.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join('');
    const labels = [...(element.labels ?? [])].map((label) => label.textContent).join('');
    return (element.getAttribute('aria-label') ?? '').trim() === '' && by.trim() === '' && labels.trim() === '' && (element.textContent ?? '').trim() === '';
  })
  .map((element) => element.outerHTML.slice(0, 200))`;

const hasFocus = (page: Page) =>
  page.evaluate<string>('document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.id ?? ""');

describe('without a mouse', () => {
  test('one gets from the list to who set a value, and back', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'));
    await page.getByRole('option').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('is:failed');
    await page.keyboard.press('Enter');
    await page.getByText('1 actor').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'receipt-0044' }).waitFor();
    await standsAt(page, 5);
    await page.keyboard.press('k');
    await standsAt(page, 4);

    const tree = page.getByRole('tree', { name: 'Context' });
    await tree.focus();
    for (let presses = 0; presses < 20; presses++) {
      const active = await tree.locator('.is-active').textContent();
      if (active?.includes('totalCents')) break;
      await page.keyboard.press('ArrowDown');
    }
    await page.keyboard.press('Enter');
    const blame = page.getByRole('region', { name: 'Who set this value' });
    await blame.getByText('3115').first().waitFor();

    await page.keyboard.press(']');
    await page.getByRole('tabpanel', { name: 'Frame' }).waitFor();
    await page.keyboard.press('[');
    await page.getByRole('tabpanel', { name: 'Context' }).waitFor();
    await page.keyboard.press('u');
    await page.getByRole('listbox', { name: 'Actors' }).waitFor();
  });

  test('Tab leads to everything, and never gets stuck', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/order-1001' });
    await standsAt(page, 13);
    const visited = new Set<string>();
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press('Tab');
      visited.add(await hasFocus(page));
    }
    for (const place of ['Revision', 'Events of the stream', 'Filter the timeline', 'tab-context', 'Keys'])
      expect([...visited]).toContain(place);
  });

  test('the keys are told by ?, and Escape closes them', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'));
    await page.getByRole('option').first().waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('copy the permalink').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });
});

describe('for who cannot see it', () => {
  test('everything that can be pressed has a name, on every page and in every panel', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'));
    await page.getByRole('option').first().waitFor();
    expect(await page.evaluate(nameless)).toEqual([]);
    await page.getByRole('link', { name: 'payout-march', exact: true }).click();
    await standsAt(page, 27);
    for (const title of ['Context', 'Frame', 'Effects', 'Trace', 'Facts', 'Handlers', 'Explain', 'What if', 'Raw']) {
      await panel(page, title);
      expect(await page.evaluate(nameless), title).toEqual([]);
    }
  });
});
