/** The parts of the page by what they are called for who cannot see it. Owns the names; every one is a role and a label. */
import type { Locator, Page } from 'playwright-core';

/** The rows of the timeline that are drawn. */
export const rowsOf = (page: Page): Locator =>
  page.getByRole('listbox', { name: 'Events of the stream' }).getByRole('option');

/** The row of a revision. */
export const rowAt = (page: Page, revision: number): Locator =>
  rowsOf(page).filter({ has: page.locator('.event-revision', { hasText: new RegExp(`^${revision}$`) }) });

/** Resolves when the frame of a revision is shown. */
export async function standsAt(page: Page, revision: number): Promise<void> {
  await rowsOf(page)
    .and(page.locator('[aria-selected="true"]'))
    .filter({ has: page.locator('.event-revision', { hasText: new RegExp(`^${revision}$`) }) })
    .waitFor();
  await page.locator('#panel[aria-busy="false"]').waitFor();
}

/** Chooses a panel, and gives it. */
export async function panel(page: Page, title: string): Promise<Locator> {
  await page.getByRole('tab', { name: title, exact: true }).click();
  return page.getByRole('tabpanel', { name: title, exact: true });
}

/** Resolves when a state of the chart is active. */
export const isLit = (page: Page, state: string): Promise<void> =>
  page.getByRole('region', { name: 'Chart' }).locator(`.state.is-lit[data-state="${state}"]`).waitFor();
