/** What the panels of a stream tell, in a browser. */
import { describe, expect } from 'vitest';
import { test } from './looking.ts';
import { panel, standsAt } from './parts.ts';

describe('the panel of effects', () => {
  test('has a bar for every attempt, with its outcome, and a mark for every retry', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/receipt-0043' });
    await standsAt(page, 15);
    const effects = await panel(page, 'Effects');
    const drawn = effects.getByRole('group', { name: 'Effects over time' });
    await drawn
      .getByRole('link', { name: /RetryScheduled/ })
      .first()
      .waitFor();
    expect(await drawn.getByRole('link', { name: /RetryScheduled/ }).count()).toBe(2);
    await effects.getByRole('button', { name: 'Table' }).click();
    const table = effects.getByRole('table');
    await table.waitFor();
    const text = (await table.getByRole('row').allTextContents()).join('\n');
    expect(text.match(/overloaded/g)).toHaveLength(2);
    expect(text).toContain('succeeded');
  });

  test('tells what was lost with a host', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/receipt-0048' });
    await standsAt(page, 12);
    const effects = await panel(page, 'Effects');
    await effects.getByRole('button', { name: 'Table' }).click();
    await effects.getByRole('row').filter({ hasText: 'lost' }).first().waitFor();
  });
});

describe('the trace', () => {
  test('is a tree of causes over all streams of a correlation id, each a link', async ({ look, copyOf }) => {
    const context = { viewport: { width: 1280, height: 2400 } };
    const { page } = await look(copyOf('demo'), { context, hash: '#/streams/receipt-0045' });
    await standsAt(page, 17);
    const trace = await panel(page, 'Trace');
    const tree = trace.getByRole('tree', { name: 'What caused what' });
    await tree.getByRole('treeitem').filter({ hasText: 'CircuitOpened' }).waitFor();
    expect(await trace.getByRole('list', { name: 'Streams' }).getByRole('listitem').count()).toBe(4);
    await tree.getByRole('treeitem').filter({ hasText: 'CircuitOpened' }).click();
    await page.getByRole('heading', { name: 'breaker-vision' }).waitFor();
    await standsAt(page, 8);
  });

  test('has a page of its own', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/traces/inbox-0302-2' });
    await page.getByRole('heading', { name: 'Trace inbox-0302-2' }).waitFor();
    await page.getByRole('tree').getByRole('treeitem').filter({ hasText: 'ApprovalRequested' }).waitFor();
  });
});

describe('the other panels', () => {
  test('tell which handlers ran, and for what', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/payout-march' });
    await standsAt(page, 27);
    const handlers = await panel(page, 'Handlers');
    await handlers.getByRole('row').filter({ hasText: 'byCheque' }).getByText('completed').waitFor();
    expect(await handlers.getByRole('row').filter({ hasText: 'renewToken' }).count()).toBe(3);
    await handlers.getByRole('row').filter({ hasText: 'the token has expired' }).first().waitFor();
  });

  test('tell the facts, and lead to them', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/order-1001' });
    await standsAt(page, 13);
    const facts = await panel(page, 'Facts');
    await facts.getByRole('row').filter({ hasText: 'ParcelHandedOver' }).getByRole('link').first().click();
    await page.waitForURL(/order-1001@9/);
  });

  test('show an event as it stands in the log', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/receipt-0044@4' });
    await standsAt(page, 4);
    const raw = await panel(page, 'Raw');
    const text = await raw.locator('pre').textContent();
    expect(JSON.parse(text ?? '')).toMatchObject({
      type: 'EffectFailed',
      stream: 'receipt-0044',
      revision: 4,
      meta: { $correlationId: 'inbox-0302-2' },
    });
    await raw.getByRole('button', { name: /AttemptFailed/ }).click();
    await raw.locator('pre').filter({ hasText: 'AMOUNT_MISMATCH' }).waitFor();
  });

  test('say why the actor stands where it stands', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/approval-laptop' });
    await standsAt(page, 1);
    const explained = await panel(page, 'Explain');
    await explained.getByText('approval-laptop is active').waitFor();
  });

  test('tell what a frame brought and did', async ({ look, copyOf }) => {
    const { page } = await look(copyOf('demo'), { hash: '#/streams/receipt-0044@2' });
    await standsAt(page, 2);
    const frame = await panel(page, 'Frame');
    await frame.getByRole('treeitem').filter({ hasText: '1.249,00' }).waitFor();
    await frame.getByText('ReceiptRead').first().waitFor();
  });
});
