/** A stream of 100,000 events in a browser. */
import { describe, expect } from 'vitest';
import { test } from './looking.ts';
import { rowAt, rowsOf, standsAt } from './parts.ts';

const last = 99_999;

describe('a stream of 100,000 events', () => {
  test('is walked from end to end, and only what is in sight is drawn', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('long'), { hash: '#/streams/meter-1' });
    await standsAt(page, last);
    await page.keyboard.press('Home');
    await standsAt(page, 0);
    await page.keyboard.press('End');
    await standsAt(page, last);
    await rowAt(page, last).getByText('READ').waitFor();
    expect(await rowsOf(page).count()).toBeLessThan(150);

    await page.getByRole('slider', { name: 'Revision' }).fill('50000');
    await standsAt(page, 50_000);
    await rowAt(page, 50_000).getByText('READ').waitFor();
    const panel = page.getByRole('tabpanel', { name: 'Context' });
    await panel.getByRole('treeitem').filter({ hasText: 'readings' }).getByText('50000').waitFor();
    await page.keyboard.press('k');
    await standsAt(page, 49_999);
  });

  test('scrolls by the wheel without moving the frame', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('long'), { hash: '#/streams/meter-1@0' });
    await standsAt(page, 0);
    await rowsOf(page).first().hover();
    await page.mouse.wheel(0, 400_000);
    await rowAt(page, 16_010).getByText('READ').waitFor();
    expect(page.url()).toContain('meter-1@0');
  });

  test('is searched while one looks', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('long'), { hash: '#/streams/meter-1@0' });
    await standsAt(page, 0);
    await page.getByRole('searchbox', { name: 'Filter the timeline' }).fill('kind:start');
    await page.getByText('1 of 100,000 events').waitFor();
  });
});
