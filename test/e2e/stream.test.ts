/** A stream in a browser: its timeline, stepping, its chart and its contexts. */
import { describe, expect } from 'vitest';
import { test } from './looking.ts';
import { isLit, panel, rowAt, rowsOf, standsAt } from './parts.ts';

describe('a stream', () => {
  test('opens from the list at its newest frame, and says where the actor stands', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'));
    await page.getByRole('link', { name: 'receipt-0044' }).click();
    await page.getByRole('heading', { name: 'receipt-0044' }).waitFor();
    await standsAt(page, 5);
    expect(await rowsOf(page).count()).toBe(6);
    const header = page.getByRole('banner').or(page.locator('.stream-header'));
    await header.getByText('error').first().waitFor();
    await header.getByText('posting').first().waitFor();
  });

  test('is stepped through by keys, by the slider and by a number', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/order-1001' });
    await standsAt(page, 13);
    await page.keyboard.press('k');
    await standsAt(page, 12);
    await page.keyboard.press('Home');
    await standsAt(page, 0);
    await isLit(page, 'order.reserving');
    await page.keyboard.press('j');
    await standsAt(page, 1);
    await page.keyboard.press('Shift+J');
    await standsAt(page, 3);
    await page.getByRole('slider', { name: 'Revision' }).fill('8');
    await standsAt(page, 8);
    await page.keyboard.press('g');
    await page.keyboard.type('6');
    await page.keyboard.press('Enter');
    await standsAt(page, 6);
    await page.keyboard.press('End');
    await standsAt(page, 13);
  });

  test('lights the active states of every region, and the arrow that was taken', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/order-1001@6' });
    await standsAt(page, 6);
    const chart = page.getByRole('region', { name: 'Chart' });
    await isLit(page, 'order.processing.payment.authorized');
    await isLit(page, 'order.processing.shipping.packing.sealing');
    await chart.locator('.arrow.is-taken').first().waitFor();
    // A child has a chart of its own.
    await page.keyboard.press('End');
    await standsAt(page, 13);
    await page.getByRole('slider', { name: 'Revision' }).fill('11');
    await standsAt(page, 11);
    await chart.getByRole('button', { name: /parcel/ }).click();
    await isLit(page, 'parcel.onTheRoad');
  });

  test('opens a chart that is too large where it is active, and keeps that in sight', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/payout-march@0' });
    await standsAt(page, 0);
    const isInSight = async (state: string) => {
      const [inner, outer] = await Promise.all(
        [page.locator(`[data-state='${state}'] > .shape`), page.locator('.chart-window')].map((one) =>
          one.boundingBox(),
        ),
      );
      return (
        inner!.x >= outer!.x &&
        inner!.y >= outer!.y &&
        inner!.x + inner!.width <= outer!.x + outer!.width &&
        inner!.y + inner!.height <= outer!.y + outer!.height
      );
    };
    await expect.poll(() => isInSight('payout.main.tell.pending')).toBe(true);
    await page.keyboard.press('j');
    await standsAt(page, 3);
    await expect.poll(() => isInSight('payout.main.check.done')).toBe(true);
    await page.keyboard.press('End');
    await standsAt(page, 27);
    await expect.poll(() => isInSight('payout.succeeded')).toBe(true);
  });

  test('has its tools beside one another and its labels in sight in a window as narrow as a phone', async ({
    look,
    copyOf,
  }) => {
    const { page } = await look(copyOf('demo'), {
      hash: '#/streams/order-1001@6',
      context: { viewport: { width: 390, height: 844 } },
    });
    await standsAt(page, 6);
    const tools = page.locator('.stream-tools').locator('button, input, .step-number > span.muted');
    const boxes = await Promise.all((await tools.all()).map(async (one) => (await one.boundingBox())!));
    expect(boxes.length).toBeGreaterThan(7);
    const overlapping = boxes.flatMap((one, index) =>
      boxes
        .slice(index + 1)
        .filter((other) => one.x + one.width > other.x + 1 && other.x + other.width > one.x + 1)
        .filter((other) => one.y + one.height > other.y + 1 && other.y + other.height > one.y + 1),
    );
    expect(overlapping).toEqual([]);
    expect(boxes.filter(({ x, width }) => x + width > 390)).toEqual([]);
    const started = await rowAt(page, 0).locator('.event-label').boundingBox();
    expect(started!.width).toBeGreaterThan(40);
  });

  test('is the same again from its permalink', async ({ look, copyOf }) => {
    const { page, url, again } = await look(copyOf('demo'), { hash: '#/streams/receipt-0044' });
    await standsAt(page, 5);
    await panel(page, 'Raw');
    await rowAt(page, 2).click();
    await standsAt(page, 2);
    await page.waitForURL(/receipt-0044@2\?panel=raw/);
    await page.reload();
    await standsAt(page, 2);
    await page.getByRole('tabpanel', { name: 'Raw' }).waitFor();
    const other = await again(url + new URL(page.url()).hash);
    await standsAt(other, 2);
    await page.goBack();
    await standsAt(page, 5);
  });

  test('filters its timeline', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/receipt-0043' });
    await standsAt(page, 15);
    const filter = page.getByRole('searchbox', { name: 'Filter the timeline' });
    await filter.fill('kind:failed');
    await page.getByText('2 of 16 events').waitFor();
    await filter.fill('-kind:fact -kind:done');
    await page.getByText('5 of 16 events').waitFor();
    await filter.fill('/^Attempt|Retry/');
    await page.getByText('4 of 16 events').waitFor();
    await filter.press('Enter');
    await page.keyboard.press('Home');
    await page.keyboard.press('j');
    await standsAt(page, 3);
    await page.keyboard.press('j');
    await standsAt(page, 4);
  });

  test('shows what a frame changed in the context, and who set a value', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/receipt-0044@2?panel=context' });
    await standsAt(page, 2);
    const context = page.getByRole('tabpanel', { name: 'Context' });
    const change = context.getByRole('row').filter({ hasText: 'totalCents' });
    await change.getByText('3115').waitFor();
    await change.getByText('null').waitFor();
    await page.keyboard.press('End');
    await standsAt(page, 5);
    await context.getByRole('treeitem').filter({ hasText: 'totalCents' }).click();
    const blame = page.getByRole('region', { name: 'Who set this value' });
    await blame.getByText('3115').first().waitFor();
    await blame.getByRole('link').or(blame.getByRole('button')).filter({ hasText: /^2 / }).first().click();
    await standsAt(page, 2);
  });
});
