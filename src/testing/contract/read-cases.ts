/**
 * Contract cases 17-22, 24 and 25: reading one stream, reading the whole log and following it while it grows.
 * Owns no machinery; see contract-case.ts.
 */
import assert from 'node:assert/strict';
import type { EventLog, NewEvent, Position, RecordedEvent, SubscriptionItem } from '../../log/event-log.ts';
import {
  all,
  awaitedLater,
  contractCase,
  eventIds,
  holdsExactly,
  idsOf,
  itemsUntil,
  itemsUntilCaughtUp,
  itemsUpTo,
  next,
  settled,
} from './contract-case.ts';
import type { ContractCase, Scene } from './contract-case.ts';

export const readCases: readonly ContractCase[] = [
  contractCase(17, 'readStream pages from a revision inclusively, in both directions', async ({ log, events }) => {
    assert.deepEqual(await all(log.readStream('order-1')), []);
    assert.deepEqual(await all(log.readStream('order-1', { backwards: true })), []);
    await log.append('order-1', 'no-stream', events(3));
    await log.append('order-2', 'no-stream', events(1));
    await log.append('order-1', 2, events(7));
    const revisions = async (options: Parameters<EventLog['readStream']>[1]) =>
      (await all(log.readStream('order-1', options))).map((event) => event.revision);
    assert.deepEqual(await revisions({}), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(await revisions({ from: 7 }), [7, 8, 9]);
    assert.deepEqual(await revisions({ from: 2, limit: 3 }), [2, 3, 4]);
    assert.deepEqual(await revisions({ from: 9 }), [9]);
    assert.deepEqual(await revisions({ from: 10 }), []);
    assert.deepEqual(await revisions({ limit: 0 }), []);
    assert.deepEqual(await revisions({ backwards: true, limit: 3 }), [9, 8, 7]);
    assert.deepEqual(await revisions({ backwards: true, from: 2 }), [2, 1, 0]);
    assert.deepEqual(await revisions({ backwards: true, from: 5, limit: 2 }), [5, 4]);
    assert.deepEqual(await revisions({ backwards: true, from: 0 }), [0]);
    assert.deepEqual(await revisions({ backwards: true, from: 99, limit: 1 }), [9]);
  }),

  contractCase(
    18,
    'readAll reads after a position exclusively, and paging repeats and misses nothing',
    async (scene) => {
      const { log, events } = scene;
      assert.deepEqual(await all(log.readAll()), []);
      const written: NewEvent[] = [];
      for (let index = 0; index < 60; index++) {
        const batch = events((index % 4) + 1);
        await log.append(`order-${index % 7}`, 'any', batch);
        written.push(...batch);
      }
      await holdsExactly(log, written);
      for (const limit of [1, 7, 50, 149, 150, 1000]) {
        const pages = await paged(log, limit);
        assert.deepEqual(
          pages,
          written.map((event) => event.id),
          `pages of ${limit}`,
        );
      }
      const last = (await all(log.readAll())).at(-1)!;
      assert.deepEqual(await all(log.readAll({ after: last.position })), []);
      assert.deepEqual(await all(log.readAll({ limit: 0 })), []);
    },
  ),

  contractCase(19, 'no reader misses an event while 16 writers write at once', concurrentWriters),

  contractCase(20, 'readAll keeps the order of every stream', async ({ log, events }) => {
    const streams = Array.from({ length: 8 }, (_, index) => `order-${index}`);
    await Promise.all(
      streams.map(async (stream) => {
        for (let round = 0; round < 12; round++) await log.append(stream, 'any', events(2));
      }),
    );
    const read = await all(log.readAll());
    assert.equal(new Set(read.map((event) => event.position)).size, read.length);
    for (const stream of streams) {
      const own = read.filter((event) => event.stream === stream);
      assert.deepEqual(
        own.map((event) => event.revision),
        [...Array(24).keys()],
      );
      assert.deepEqual(own, await all(log.readStream(stream)));
    }
  }),

  contractCase(21, 'filters hold, and checkpoints advance past what they filter out', filters),

  contractCase(22, 'a subscription passes from history to live events without gap or repeat', seam),

  contractCase(
    24,
    'a slow consumer makes the log read ahead a bounded number of events',
    async ({ log, events }) => {
      // Read-ahead shows itself: what was fetched before its stream was deleted still arrives afterwards.
      const aheadMax = 1_024;
      const history = log.subscribe()[Symbol.asyncIterator]();
      const first = events(5);
      await log.append('keep-1', 'no-stream', first);
      const live = log.subscribe()[Symbol.asyncIterator]();
      assert.deepEqual(
        eventIds(await itemsUntil(live, first.at(-1)!.id)),
        first.map((event) => event.id),
      );
      assert.equal((await next(live)).type, 'caughtUp');
      const pending = awaitedLater(next(live));
      for (let batch = 0; batch < 50; batch++) await log.append('bulk-1', 'any', events(100));
      await itemsUntil(history, first[0]!.id);
      await pending;
      await log.delete('bulk-1', 'any');
      const [last] = events(1) as [NewEvent];
      await log.append('keep-1', 4, [last]);
      for (const iterator of [history, live]) {
        const ahead = eventIds(await itemsUntil(iterator, last.id)).length;
        assert.ok(ahead <= aheadMax, `${ahead} events were read ahead, at most ${aheadMax} may be`);
        await iterator.return?.();
      }
    },
    ['erase'],
  ),

  contractCase(25, 'leaving a reader early, or aborting it, frees what it held', leavingEarly),
];

async function paged(log: EventLog, limit: number, filter?: { streamPrefix: string }): Promise<string[]> {
  const ids: string[] = [];
  let after: Position | undefined;
  for (;;) {
    const options = { limit, ...(after === undefined ? {} : { after }), ...(filter ? { filter } : {}) };
    const page = await all(log.readAll(options));
    assert.ok(page.length <= limit);
    ids.push(...page.map((event) => event.id));
    if (page.length < limit) return ids;
    assert.notEqual(page.at(-1)!.position, after, 'paging does not advance');
    after = page.at(-1)!.position;
  }
}

async function concurrentWriters({ log, event, events }: Scene): Promise<void> {
  const sentinel = event({ type: 'Sentinel' });
  const tail = awaitedLater(itemsUntil(log.subscribe()[Symbol.asyncIterator](), sentinel.id));
  const follower = awaitedLater(followByPaging(log, sentinel.id));
  const written: string[] = [];
  await Promise.all(
    Array.from({ length: 16 }, async (_, writer) => {
      let revision = -1;
      for (let round = 0; round < 40; round++) {
        const batch = events(1 + ((writer + round) % 3));
        const result = await log.append(`order-${writer}`, revision < 0 ? 'no-stream' : revision, batch);
        revision = result.revision;
        // Every fourth append also meets the other writers on a shared stream.
        const shared = round % 4 === 0 ? events(1) : [];
        if (shared.length > 0) await log.append('shared-1', 'any', shared);
        written.push(...batch.map((each) => each.id), ...shared.map((each) => each.id));
      }
    }),
  );
  await log.append('last-1', 'no-stream', [sentinel]);
  const read = await idsOf(log.readAll());
  assert.deepEqual([...read].sort(), [...written, sentinel.id].sort(), 'readAll afterwards');
  assert.deepEqual(await follower, read, 'a reader that pages while writers write');
  const items = await tail;
  assert.deepEqual(eventIds(items), read, 'a live subscription');
  assert.equal(items.filter((item) => item.type === 'caughtUp').length, 1);
}

async function followByPaging(log: EventLog, lastId: string): Promise<string[]> {
  const ids: string[] = [];
  let after: Position | undefined;
  while (ids.at(-1) !== lastId) {
    const page: RecordedEvent[] = await all(log.readAll({ limit: 7, ...(after === undefined ? {} : { after }) }));
    ids.push(...page.map((event) => event.id));
    if (page.length > 0) assert.notEqual(page.at(-1)!.position, after, 'paging does not advance');
    after = page.at(-1)?.position ?? after;
    // Lets the writers go on, also where reading never leaves the thread.
    await settled();
  }
  return ids;
}

async function filters({ log, event, events }: Scene): Promise<void> {
  const paid = [event({ type: 'Paid' }), event({ type: 'Paid' })] as const;
  const noise = events(600, { type: 'Noise' });
  await log.append('order-1', 'no-stream', [paid[0], ...events(2, { type: 'Sent' })]);
  await log.append('orders_-1', 'no-stream', [paid[1]]);
  await log.append('noise-1', 'no-stream', noise);
  const ids = (filter: Parameters<EventLog['readAll']>[0] & object) => idsOf(log.readAll(filter));
  assert.deepEqual(await ids({ filter: { types: ['Paid'] } }), [paid[0].id, paid[1].id]);
  assert.deepEqual(await ids({ filter: { types: ['Paid'], streamPrefix: 'order-' } }), [paid[0].id]);
  assert.deepEqual(await ids({ filter: { types: ['Paid'] }, limit: 1 }), [paid[0].id]);
  assert.equal((await ids({ filter: { types: ['Paid', 'Sent'] } })).length, 4);
  assert.deepEqual(await ids({ filter: { types: [] } }), []);
  // A prefix is text: `_` and `%` stand for themselves.
  assert.deepEqual(await ids({ filter: { streamPrefix: 'order_' } }), []);
  assert.deepEqual(await ids({ filter: { streamPrefix: 'orders_' } }), [paid[1].id]);
  assert.deepEqual(
    await paged(log, 250, { streamPrefix: 'noise-' }),
    noise.map((each) => each.id),
  );

  const iterator = log.subscribe({ filter: { types: ['Paid'] } })[Symbol.asyncIterator]();
  const items = await untilCheckpointAndCaughtUp(iterator);
  assert.deepEqual(eventIds(items), [paid[0].id, paid[1].id]);
  assert.deepEqual(await all(log.readAll({ after: lastCheckpoint(items) })), [], 'the checkpoint is past the noise');

  // Live too: noise alone moves the checkpoint, and resuming there neither misses nor repeats.
  await log.append('noise-1', 599, events(3, { type: 'Noise' }));
  const live = await next(iterator);
  assert.equal(live.type, 'checkpoint');
  const later = event({ type: 'Paid' });
  await log.append('order-1', 2, [later]);
  assert.deepEqual(eventIds(await itemsUntil(iterator, later.id)), [later.id]);
  await iterator.return?.();
  assert.deepEqual(await ids({ after: lastCheckpoint([live]), filter: { types: ['Paid'] } }), [later.id]);
}

/** Items up to where the subscription has caught up and has said how far it has looked. */
function untilCheckpointAndCaughtUp(iterator: AsyncIterator<SubscriptionItem>): Promise<SubscriptionItem[]> {
  return itemsUpTo(iterator, (_, items) => {
    const last = (type: SubscriptionItem['type']) => items.findLastIndex((item) => item.type === type);
    return last('caughtUp') >= 0 && last('checkpoint') > last('event');
  });
}

function isCheckpoint(item: SubscriptionItem): item is SubscriptionItem & { type: 'checkpoint' } {
  return item.type === 'checkpoint';
}

function lastCheckpoint(items: readonly SubscriptionItem[]): Position {
  const checkpoint = items.findLast(isCheckpoint);
  assert.ok(checkpoint, 'no checkpoint came');
  return checkpoint.position;
}

async function seam({ log, event, events }: Scene): Promise<void> {
  const empty = log.subscribe()[Symbol.asyncIterator]();
  assert.deepEqual(await next(empty), { type: 'caughtUp' });
  const written = events(520);
  await log.append('order-1', 'no-stream', written);
  assert.deepEqual(
    eventIds(await itemsUntil(empty, written.at(-1)!.id)),
    written.map((each) => each.id),
  );
  await empty.return?.();

  // Histories of every length around likely page sizes, each followed by live events.
  for (const length of [0, 1, 2, 31, 32, 33, 63, 64, 65, 99, 100, 101, 127, 128, 129, 255, 256, 257, 500, 512]) {
    const history = (await all(log.readAll())).slice(-length - 1);
    const iterator = log.subscribe({ after: history[0]!.position })[Symbol.asyncIterator]();
    const items: SubscriptionItem[] = [];
    for (let index = 0; index <= length; index++) items.push(await next(iterator));
    assert.deepEqual(items.pop(), { type: 'caughtUp' }, `after a history of ${length}`);
    const [awaited, live] = [event(), event()];
    const pending = awaitedLater(next(iterator));
    await log.append('order-2', 'any', [awaited]);
    items.push(await pending);
    await log.append('order-2', 'any', [live]);
    items.push(...(await itemsUntil(iterator, live.id)));
    const expected = [...history.slice(1).map((each) => each.id), awaited.id, live.id];
    assert.deepEqual(eventIds(items), expected, `with a history of ${length}`);
    assert.ok(!items.some((item) => item.type === 'caughtUp'), 'caughtUp came twice');
    await iterator.return?.();
  }
  await seamWhileWriting(log, event, events);
}

async function seamWhileWriting(log: EventLog, event: Scene['event'], events: Scene['events']): Promise<void> {
  const before = await idsOf(log.readAll());
  const iterator = log.subscribe()[Symbol.asyncIterator]();
  const items: SubscriptionItem[] = [];
  // Appends meet the subscription in history, while it decides that it has caught up, and live. Until it has caught up
  // it reads two for each that is written, so that it can; afterwards each step waits for what it writes.
  let live = 0;
  for (let step = 0; live < 100; step++) {
    assert.ok(step < 10_000, 'the subscription does not catch up with a writer half as fast');
    const appending = step % 2 === 0 || live > 0 ? log.append('order-3', 'any', events(1)) : undefined;
    items.push(await next(iterator));
    await appending;
    if (live > 0 || items.at(-1)!.type === 'caughtUp') live++;
  }
  const last = event();
  await log.append('order-3', 'any', [last]);
  items.push(...(await itemsUntil(iterator, last.id)));
  await iterator.return?.();
  assert.deepEqual(eventIds(items), await idsOf(log.readAll()));
  const caughtUpAt = items.flatMap((item, index) => (item.type === 'caughtUp' ? [index] : []));
  assert.equal(caughtUpAt.length, 1);
  assert.ok(caughtUpAt[0]! >= before.length, 'caughtUp came before all of history');
}

async function leavingEarly({ log, event, events }: Scene): Promise<void> {
  await log.append('order-1', 'no-stream', events(300));
  // More readers than any pool has connections: each must give back what it holds.
  for (let round = 0; round < 60; round++) {
    for await (const _ of log.readAll()) break;
    for await (const _ of log.readStream('order-1')) break;
    for await (const _ of log.subscribe()) break;
    for await (const _ of log.actors()) break;
  }
  await log.append('order-1', 299, events(1));

  const aborted = AbortSignal.abort(new Error('enough'));
  await assert.rejects(all(log.readAll({ signal: aborted })), /enough/);
  await assert.rejects(all(log.readStream('order-1', { signal: aborted })), /enough/);
  assert.deepEqual(await all(log.subscribe({ signal: aborted })), []);

  for (let round = 0; round < 60; round++) {
    const controller = new AbortController();
    const subscription = log.subscribe({ signal: controller.signal })[Symbol.asyncIterator]();
    await itemsUntilCaughtUp(subscription);
    const waiting = subscription.next();
    if (round % 2 === 0) await settled();
    controller.abort();
    assert.equal((await waiting).done, true, 'an aborted subscription ends');

    // A read cut short must not look like a whole one.
    const cut = new AbortController();
    const reader = log.readAll({ signal: cut.signal })[Symbol.asyncIterator]();
    await next(reader);
    cut.abort(new Error('enough'));
    await assert.rejects(all({ [Symbol.asyncIterator]: () => reader }), /enough/);
  }

  const returning = log.subscribe()[Symbol.asyncIterator]();
  await itemsUntilCaughtUp(returning);
  const waiting = returning.next();
  await settled();
  await returning.return?.();
  assert.equal((await waiting).done, true, 'return() ends a subscription that waits');
  await log.append('order-2', 'no-stream', [event()]);
}
