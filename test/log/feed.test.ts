/** The feed by itself, over a log whose pages are handed out by the test. */
import { describe, expect, it } from 'vitest';
import { feed, WakeUp, type FeedPage, type FeedSource } from '../../src/log/feed.ts';
import type { Position, RecordedEvent } from '../../src/log/event-log.ts';

const position = (index: number) => String(index) as Position;
const event = (index: number): RecordedEvent => ({
  id: `e-${index}`,
  type: 'Tested',
  schemaVersion: 1,
  data: '{}',
  meta: {},
  checksum: 0,
  stream: 's-1',
  revision: index,
  position: position(index),
  recordedAt: 0,
});
const nothing: FeedPage = { events: [], scannedTo: undefined };

describe('a feed', () => {
  it('does not lose a wake-up between an empty page and the waiting (F2)', async () => {
    const wakeUp = new WakeUp();
    let held = 0;
    let asked = 0;
    const source: FeedSource = {
      wakeUp,
      async page(after) {
        const from = after === undefined ? 0 : Number(after) + 1;
        const events = Array.from({ length: held - from }, (_, index) => event(from + index));
        asked++;
        // The append that becomes visible just after this page was read, before the feed knows what it holds.
        if (asked === 2) {
          held = 1;
          wakeUp.notify();
        }
        await Promise.resolve();
        return events.length === 0 ? nothing : { events, scannedTo: events.at(-1)!.position };
      },
    };
    const iterator = feed(source)[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toEqual({ type: 'caughtUp' });
    expect((await iterator.next()).value).toEqual({ type: 'event', event: event(0) });
  });

  it('asks for one page at a time, and only when the last one is used up (F1)', async () => {
    let asked = 0;
    const source: FeedSource = {
      wakeUp: new WakeUp(),
      page: () => ({ events: [event(2 * asked), event(2 * asked + 1)], scannedTo: position(2 * asked++ + 1) }),
    };
    const iterator = feed(source)[Symbol.asyncIterator]();
    const pagesAsked: number[] = [];
    for (let step = 0; step < 5; step++) {
      await iterator.next();
      pagesAsked.push(asked);
    }
    expect(pagesAsked).toEqual([1, 1, 2, 2, 3]);
  });

  it('ends when its log closes under a page, and fails when a page fails otherwise (F3)', async () => {
    const wakeUp = new WakeUp();
    let failing = false;
    const source: FeedSource = {
      wakeUp,
      page: async () => {
        if (failing) throw new Error('connection reset');
        return { events: [event(0)], scannedTo: position(0) };
      },
    };
    const [closing, breaking] = [feed(source)[Symbol.asyncIterator](), feed(source)[Symbol.asyncIterator]()];
    await closing.next();
    await breaking.next();
    failing = true;
    await expect(breaking.next()).rejects.toThrow('connection reset');
    const pending = closing.next();
    wakeUp.close();
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  it('wakes every subscription that waits, and forgets those that left', async () => {
    const wakeUp = new WakeUp();
    let held = 0;
    const source: FeedSource = {
      wakeUp,
      page: (after) => (after === undefined && held > 0 ? { events: [event(0)], scannedTo: position(0) } : nothing),
    };
    const iterators = [1, 2, 3].map(() => feed(source)[Symbol.asyncIterator]());
    for (const iterator of iterators) await iterator.next();
    const pending = iterators.map((iterator) => iterator.next());
    await iterators[0]!.return!();
    held = 1;
    wakeUp.notify();
    const [left, ...stayed] = await Promise.all(pending);
    expect(left).toEqual({ done: true, value: undefined });
    expect(stayed.map((step) => step.value)).toEqual([1, 2].map(() => ({ type: 'event', event: event(0) })));
  });
});
