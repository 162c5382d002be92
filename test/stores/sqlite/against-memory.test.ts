/** The SQLite log and the memory log, asked the same at random: they give the same answers. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { VirtualClock } from '../../../src/clock.ts';
import { RewakeError } from '../../../src/errors.ts';
import { sealEvent } from '../../../src/log/envelope.ts';
import type { ActorHead, EventLog, Expected, RecordedEvent, Write } from '../../../src/log/event-log.ts';
import { memoryLog } from '../../../src/log/memory-log.ts';
import { openSqliteLog } from '../../../src/stores/sqlite/open.ts';
import { all, logPath } from './log-files.ts';

type Command =
  | { readonly do: 'append'; readonly write: Write }
  | { readonly do: 'appendMany'; readonly writes: readonly Write[]; readonly check: Expected }
  | { readonly do: 'together'; readonly writes: readonly Write[] }
  | { readonly do: 'truncate'; readonly stream: string; readonly before: number }
  | { readonly do: 'delete'; readonly stream: string; readonly expected: Expected }
  | { readonly do: 'reopen' };

const stream = fc.constantFrom('order-1', 'order-2', 'receipt-1', 'receipt-2');
const strong: fc.Arbitrary<Expected> = fc.oneof(fc.constant('no-stream' as const), fc.integer({ min: 0, max: 8 }));
const weak: fc.Arbitrary<Expected> = fc.constantFrom('any', 'stream-exists');

const actor: fc.Arbitrary<ActorHead> = fc.record({
  machine: fc.constantFrom('order', 'receipt'),
  version: fc.constantFrom('1', null),
  status: fc.constantFrom('active', 'done', 'error', 'stopped'),
  correlationId: fc.constantFrom('c-1', 'c-2'),
  wakeAt: fc.constantFrom(null, 1, 2, 3),
  effects: fc.integer({ min: 0, max: 2 }),
});

/** Ids come from a small range, so that repeats and half repeats happen; weak appends have a range of their own. */
function eventsFrom(range: string) {
  return fc
    .tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 3 }))
    .map(([first, count]) =>
      Array.from({ length: count }, (_, index) =>
        sealEvent({ id: `${range}-${first + index}`, type: 'Tested', schemaVersion: 1, data: `${first}`, meta: {} }),
      ),
    );
}

const write: fc.Arbitrary<Write> = fc
  .oneof(
    { weight: 3, arbitrary: fc.tuple(strong, eventsFrom('strong')) },
    { weight: 1, arbitrary: fc.tuple(weak, eventsFrom('weak')) },
  )
  .chain(([expected, events]) =>
    fc
      .tuple(stream, fc.option(actor, { nil: undefined }))
      .map(([name, head]) => ({ stream: name, expected, events, ...(head && { actor: head }) })),
  );

const writes = fc.uniqueArray(write, { minLength: 1, maxLength: 3, selector: (each) => each.stream });

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: write.map((each) => ({ do: 'append', write: each }) as const) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(writes, fc.oneof(strong, weak))
      .map(([list, check]) => ({ do: 'appendMany', writes: list, check }) as const),
  },
  {
    weight: 3,
    arbitrary: fc
      .array(write, { minLength: 2, maxLength: 6 })
      .map((list) => ({ do: 'together', writes: list }) as const),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(stream, fc.integer({ min: 0, max: 9 }))
      .map(([name, before]) => ({ do: 'truncate', stream: name, before }) as const),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(stream, fc.oneof(strong, weak))
      .map(([name, expected]) => ({ do: 'delete', stream: name, expected }) as const),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' } as const) },
);

describe('the SQLite log', () => {
  test.prop([fc.array(command, { maxLength: 40 }), fc.constantFrom(1, 3, 10_000)], { numRuns: 60 })(
    'answers as the memory log does, whatever is asked in whatever order',
    async (commands, cachedStreamsMax) => {
      const clock = new VirtualClock();
      const path = logPath();
      const open = () =>
        openSqliteLog(path, 'SQLite log under test', { clock, durability: 'process' }, { cachedStreamsMax });
      const model = memoryLog({ clock });
      let log = open();
      for (const each of commands) {
        if (each.do === 'reopen') {
          await log.close();
          log = open();
        } else {
          expect(await run(log, each)).toEqual(await run(model, each));
        }
      }
      expect(await contentOf(log)).toEqual(await contentOf(model));
      await log.close();
    },
  );
});

/** What a command leads to, without positions: those are each log's own. */
async function run(log: EventLog, command: Exclude<Command, { do: 'reopen' }>): Promise<unknown> {
  if (command.do === 'append') return outcome(append(log, command.write));
  if (command.do === 'appendMany') {
    return outcome(log.appendMany(command.writes, [{ stream: 'check-1', expected: command.check }]));
  }
  if (command.do === 'together') return Promise.all(command.writes.map((each) => outcome(append(log, each))));
  if (command.do === 'truncate') return outcome(log.truncate(command.stream, command.before));
  return outcome(log.delete(command.stream, command.expected));
}

function append(log: EventLog, { stream: name, expected, events, actor: head }: Write) {
  return log.append(name, expected, events, head ? { actor: head } : {});
}

async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return JSON.parse(
      JSON.stringify((await promise) ?? null, (key, value: unknown) => (key === 'position' ? typeof value : value)),
    );
  } catch (error) {
    if (!(error instanceof RewakeError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

async function contentOf(log: EventLog): Promise<unknown> {
  const streams = ['order-1', 'order-2', 'receipt-1', 'receipt-2'];
  const plain = ({ position: _, ...rest }: RecordedEvent) => rest;
  return {
    all: (await all(log.readAll())).map(plain),
    actors: await all(log.actors()),
    waking: await all(log.actors({ wakes: {} })),
    busy: await all(log.actors({ effects: true, status: 'active' })),
    heads: await Promise.all(streams.map((name) => log.head(name))),
    streams: await Promise.all(
      streams.map((name) =>
        all(log.readStream(name, { backwards: true })).then(
          (read) => read.map(plain),
          (error: unknown) => (error as RewakeError).code,
        ),
      ),
    ),
  };
}
