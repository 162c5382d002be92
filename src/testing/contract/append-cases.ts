/**
 * Contract cases 1-16, 28, 47 and 48: what an append does, and what a refused, repeated or doubtful one does not.
 * Owns no machinery; see contract-case.ts.
 */
import assert from 'node:assert/strict';
import {
  ConflictError,
  EventTooLargeError,
  IdReuseError,
  InvalidArgumentError,
  OutcomeUnknownError,
} from '../../errors.ts';
import { verifyEvent } from '../../log/envelope.ts';
import type { AppendResult, EventLog } from '../../log/event-log.ts';
import {
  all,
  awaitedLater,
  contractCase,
  holdsExactly,
  idsOf,
  refusal,
  type ContractCase,
  type Scene,
} from './contract-case.ts';

export const appendCases: readonly ContractCase[] = [
  contractCase(1, "a first append with 'no-stream' gets revision 0", async ({ log, event }) => {
    assert.deepEqual(await log.head('order-1'), { state: 'absent' });
    const first = event();
    const result = await log.append('order-1', 'no-stream', [first]);
    const [read] = await all(log.readStream('order-1'));
    assert.equal(result.revision, 0);
    assert.equal(result.deduplicated, false);
    assert.equal(result.position, read?.position);
    assert.deepEqual(await log.head('order-1'), { state: 'live', revision: 0 });
  }),

  contractCase(2, "'no-stream' on an existing stream conflicts and names what is there", async ({ log, events }) => {
    const [a, b, c] = events(3) as [never, never, never];
    await log.append('order-1', 'no-stream', [a, b]);
    const error = await refusal(log.append('order-1', 'no-stream', [c]), ConflictError);
    assert.equal(error.stream, 'order-1');
    assert.equal(error.actual, 1);
    await holdsExactly(log, [a, b]);
  }),

  contractCase(3, "'stream-exists' conflicts on a missing stream and appends to an existing one", async (scene) => {
    const { log, event } = scene;
    const error = await refusal(log.append('order-1', 'stream-exists', [event()]), ConflictError);
    assert.equal(error.actual, undefined);
    assert.deepEqual(await log.head('order-1'), { state: 'absent' });
    const [a, b] = [event(), event()];
    await log.append('order-1', 'no-stream', [a]);
    assert.equal((await log.append('order-1', 'stream-exists', [b])).revision, 1);
    await holdsExactly(log, [a, b]);
  }),

  contractCase(4, 'a stale revision conflicts and writes nothing', async ({ log, events }) => {
    const written = events(3);
    await log.append('order-1', 'no-stream', written);
    for (const stale of [0, 1]) {
      const error = await refusal(log.append('order-1', stale, events(1)), ConflictError);
      assert.equal(error.actual, 2);
    }
    await holdsExactly(log, written);
  }),

  contractCase(5, 'a future revision conflicts and writes nothing', async ({ log, events }) => {
    const missing = await refusal(log.append('order-1', 0, events(1)), ConflictError);
    assert.equal(missing.actual, undefined);
    const written = events(1);
    await log.append('order-1', 'no-stream', written);
    for (const future of [1, 2, 100]) {
      const error = await refusal(log.append('order-1', future, events(1)), ConflictError);
      assert.equal(error.actual, 0);
    }
    await holdsExactly(log, written);
  }),

  contractCase(
    6,
    "'any' appends to a missing and to an existing stream, and a repeat changes nothing",
    async (scene) => {
      const { log, events } = scene;
      const [a, b, c] = [events(1), events(2), events(1)];
      assert.equal((await log.append('order-1', 'any', a)).revision, 0);
      const second = await log.append('order-1', 'any', b);
      assert.equal(second.revision, 2);
      await log.append('order-1', 'any', c);
      for (const expected of ['any', 'stream-exists'] as const) {
        const repeat = await log.append('order-1', expected, b);
        assert.deepEqual(repeat, { ...second, deduplicated: true });
        await refusal(log.append('order-1', expected, [...c, ...events(1)]), IdReuseError);
      }
      await holdsExactly(log, [...a, ...b, ...c]);
    },
  ),

  contractCase(7, 'a batch is contiguous, and written whole or not at all', async ({ log, event, events }) => {
    const batches = Array.from({ length: 20 }, () => events(5));
    const results = await Promise.all(batches.map((batch) => log.append('order-1', 'any', batch)));
    const read = await all(log.readStream('order-1'));
    assert.deepEqual(
      read.map((recorded) => recorded.revision),
      read.map((_, index) => index),
    );
    for (const [index, batch] of batches.entries()) {
      const last = results[index]!.revision;
      assert.deepEqual(
        read.slice(last - 4, last + 1).map((recorded) => recorded.id),
        batch.map((each) => each.id),
      );
    }
    const tooLarge = event({ data: 'x'.repeat(log.capabilities.maxEventBytes + 1) });
    await refusal(log.append('order-1', 99, [...events(2), tooLarge]), EventTooLargeError);
    assert.deepEqual(await log.head('order-1'), { state: 'live', revision: 99 });
  }),

  contractCase(8, 'of 50 racing writers with the same expectation exactly one wins', async ({ log, event }) => {
    for (const expected of ['no-stream', 0, 1] as const) {
      const events = Array.from({ length: 50 }, () => event());
      const outcomes = await Promise.allSettled(events.map((each) => log.append('order-1', expected, [each])));
      const winners = events.filter((_, index) => outcomes[index]!.status === 'fulfilled');
      assert.equal(winners.length, 1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof ConflictError, String(outcome.reason));
      }
      const read = await idsOf(log.readStream('order-1'));
      assert.equal(read.length, expected === 'no-stream' ? 1 : expected + 2);
      assert.equal(read.at(-1), winners[0]!.id);
    }
  }),

  contractCase(9, 'an exact retry answers with the first result and writes nothing', async ({ log, events }) => {
    const [a, b, c] = [events(1), events(3), events(2)];
    const first = await log.append('order-1', 'no-stream', a);
    assert.deepEqual(await log.append('order-1', 'no-stream', a), { ...first, deduplicated: true });
    const second = await log.append('order-1', 0, b);
    assert.deepEqual(await log.append('order-1', 0, b), { ...second, deduplicated: true });
    const racing = await Promise.all([1, 2, 3].map(() => log.append('order-1', 3, c)));
    assert.equal(racing.filter((result) => !result.deduplicated).length, 1);
    assert.equal(new Set(racing.map((result) => result.position)).size, 1);
    await holdsExactly(log, [...a, ...b, ...c]);
  }),

  contractCase(10, 'a retry after the stream has moved on answers with the first result', async ({ log, events }) => {
    const [a, b, c, d] = [events(2), events(1), events(3), events(1)];
    const first = await log.append('order-1', 'no-stream', a);
    const second = await log.append('order-1', 1, b);
    await log.append('order-1', 2, c);
    await log.append('order-2', 'no-stream', d);
    assert.deepEqual(await log.append('order-1', 'no-stream', a), { ...first, deduplicated: true });
    assert.deepEqual(await log.append('order-1', 1, b), { ...second, deduplicated: true });
    await holdsExactly(log, [...a, ...b, ...c, ...d]);
  }),

  contractCase(11, 'ids that are there in part, or at another place, are refused', async ({ log, event }) => {
    const [a, b, x] = [event(), event(), event()];
    await log.append('order-1', 'no-stream', [a]);
    const longer = await refusal(log.append('order-1', 'no-stream', [a, x]), IdReuseError);
    assert.equal(longer.stream, 'order-1');
    assert.equal(longer.eventId, a.id);
    assert.equal(longer.revision, 0);
    await log.append('order-1', 0, [b]);
    await refusal(log.append('order-1', 'no-stream', [a, x]), IdReuseError);
    await refusal(log.append('order-1', 'no-stream', [a, b, x]), IdReuseError);
    // b is in the stream, but not where this append would have put it: no retry of anything.
    await refusal(log.append('order-1', 'no-stream', [b]), ConflictError);
    await holdsExactly(log, [a, b]);
  }),

  contractCase(12, 'an empty append only checks, and never conflicts falsely', async ({ log, events }) => {
    const nothing = { revision: -1, position: undefined, deduplicated: false };
    assert.deepEqual(await log.append('order-1', 'no-stream', []), nothing);
    assert.deepEqual(await log.append('order-1', 'any', []), nothing);
    await refusal(log.append('order-1', 'stream-exists', []), ConflictError);
    await refusal(log.append('order-1', 0, []), ConflictError);
    assert.deepEqual(await log.head('order-1'), { state: 'absent' });
    const written = events(2);
    await log.append('order-1', 'no-stream', written);
    for (const expected of [1, 'any', 'stream-exists'] as const) {
      assert.deepEqual(await log.append('order-1', expected, []), { ...nothing, revision: 1 });
    }
    for (const expected of ['no-stream', 0, 2] as const) {
      const error = await refusal(log.append('order-1', expected, []), ConflictError);
      assert.equal(error.actual, 1);
    }
    await holdsExactly(log, written);
  }),

  contractCase(13, 'appends to several streams and checks on others hold all together or not at all', multiStream, [
    'atomicMultiStream',
    'checks',
  ]),

  contractCase(14, 'data comes back byte for byte', async ({ log, event }) => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index)).toString('base64');
    const texts = [
      'null',
      '{"n":9007199254740993,"f":1e400,"z":-0,"small":1.10}',
      '{"b":1,"a":2,"a":3, "spaced" : [ ] }',
      JSON.stringify('Zürich 東京 🧭 עברית e\u0301 \u2028 \u0000 \ud800'),
      JSON.stringify({ bytes }),
      JSON.stringify('é'.repeat(500_000)),
    ];
    await log.append(
      'order-1',
      'no-stream',
      texts.map((data) => event({ data })),
    );
    const read = await all(log.readStream('order-1'));
    for (const event of read) verifyEvent(event);
    for (const [index, text] of texts.entries()) assert.ok(read[index]?.data === text, `data ${index} differs`);
    assert.deepEqual(
      (await all(log.readAll())).map((each) => each.data.length),
      texts.map((text) => text.length),
    );
  }),

  contractCase(15, 'an event that is too large is refused by bytes, and nothing is written', async ({ log, event }) => {
    const bytesMax = log.capabilities.maxEventBytes;
    const small = event();
    // Two bytes per character in UTF-8: within the limit by characters, above it by bytes.
    const large = event({ type: 'Huge', data: 'é'.repeat(Math.floor(bytesMax / 2) + 1) });
    const error = await refusal(log.append('order-1', 'no-stream', [small, large]), EventTooLargeError);
    assert.equal(error.eventType, 'Huge');
    assert.equal(error.bytesMax, bytesMax);
    assert.equal(error.bytes, Buffer.byteLength(large.data));
    assert.deepEqual(await log.head('order-1'), { state: 'absent' });
    await log.append('order-1', 'no-stream', [event({ data: 'x'.repeat(bytesMax) })]);
  }),

  contractCase(
    16,
    'type, schema version, metadata and checksum come back as written',
    async ({ log, event, clock }) => {
      const meta = { $correlationId: 'c-1', $causationId: 'e-0', actor: '/', 'odd key "\'': '', ünï: 'v 🧭\n' };
      const candidates = Array.from({ length: 40 }, () => event({ type: 'AttemptFailed', schemaVersion: 7, meta }));
      // A log may verify what it gives back, so the checksum is a true one; it is above 2^31 because it is unsigned.
      const written = candidates.find((each) => each.checksum > 0x7fff_ffff)!;
      const { position } = await log.append('order-1', 'no-stream', [written]);
      const [read] = await all(log.readStream('order-1'));
      const { recordedAt, ...rest } = read!;
      assert.deepEqual(rest, { ...written, stream: 'order-1', revision: 0, position });
      assert.ok(Number.isFinite(recordedAt), `recordedAt is ${recordedAt} at ${clock.now()}`);
      assert.deepEqual((await all(log.readAll()))[0], read);
    },
  ),

  contractCase(28, 'an append whose answer got lost is safe to retry', async (scene) => {
    const { log, events } = scene;
    const [a, b] = [events(2), events(2)];
    await refusal(losingAnswers(log, 'after')('order-1', a), OutcomeUnknownError);
    assert.equal((await log.append('order-1', 'no-stream', a)).deduplicated, true);
    await refusal(losingAnswers(log, 'before')('order-2', b), OutcomeUnknownError);
    assert.equal((await log.append('order-2', 'no-stream', b)).deduplicated, false);
    await holdsExactly(log, [...a, ...b]);
  }),

  contractCase(
    47,
    'appends to one stream issued without waiting are applied in the order of the calls',
    async ({ log, event }) => {
      const events = Array.from({ length: 40 }, () => event());
      const results = await Promise.all(
        events.map((each, index) => log.append('order-1', index === 0 ? 'no-stream' : index - 1, [each])),
      );
      assert.deepEqual(
        results.map((result) => result.revision),
        [...events.keys()],
      );
      const [stale, follower] = await Promise.allSettled([
        log.append('order-1', 7, [event()]),
        log.append('order-1', 40, [event()]),
      ]);
      assert.equal(stale.status, 'rejected');
      assert.equal(follower.status, 'rejected');
      await holdsExactly(log, events);
    },
  ),

  contractCase(
    48,
    'the adapter itself reports a lost answer as an unknown outcome',
    async ({ log, fixture, events }) => {
      const written = events(2);
      fixture.loseNextAcknowledgement!(log);
      const error = await refusal(log.append('order-1', 'no-stream', written), OutcomeUnknownError);
      assert.equal(error.stream, 'order-1');
      assert.equal((await log.append('order-1', 'no-stream', written)).deduplicated, true);
      await holdsExactly(log, written);
    },
    ['faults'],
  ),
];

async function multiStream({ log, events }: Scene): Promise<void> {
  const [a, b, c, d] = [events(2), events(1), events(1), events(1)];
  const first = await log.appendMany([
    { stream: 'order-1', expected: 'no-stream', events: a },
    { stream: 'order-2', expected: 'no-stream', events: b },
  ]);
  assert.deepEqual(
    first.map((result) => result.revision),
    [1, 0],
  );
  const next = [
    { stream: 'order-1', expected: 1, events: c },
    { stream: 'order-2', expected: 0, events: d },
  ];
  const failing = [
    log.appendMany([next[0]!, { ...next[1]!, expected: 5 }]),
    log.appendMany([{ ...next[0]!, expected: 'no-stream' }, next[1]!]),
    log.appendMany(next, [{ stream: 'order-3', expected: 'stream-exists' }]),
    log.appendMany(next, [{ stream: 'order-3', expected: 0 }]),
  ].map(awaitedLater);
  for (const promise of failing) await refusal(promise, ConflictError);
  await holdsExactly(log, [...a, ...b]);

  const second = await log.appendMany(next, [{ stream: 'order-3', expected: 'no-stream' }]);
  assert.deepEqual(
    second.map((result) => result.revision),
    [2, 1],
  );
  await log.append('order-3', 'no-stream', events(1));
  const dedup = (result: AppendResult) => ({ ...result, deduplicated: true });
  // The retry answers with the first result although the checked stream has moved on since.
  assert.deepEqual(await log.appendMany(next, [{ stream: 'order-3', expected: 'no-stream' }]), second.map(dedup));
  // One half is there and the other is not: no append can have left that behind.
  const fresh = { stream: 'order-4', expected: 'no-stream', events: events(1) } as const;
  await refusal(log.appendMany([next[0]!, fresh]), IdReuseError);
  assert.deepEqual(await log.head('order-4'), { state: 'absent' });
  await refusal(log.appendMany([fresh, fresh]), InvalidArgumentError);
  assert.deepEqual(await log.head('order-4'), { state: 'absent' });
  assert.deepEqual(await log.appendMany([]), []);
}

/** An append through a connection that breaks before the log has seen it, or after. */
function losingAnswers(log: EventLog, when: 'before' | 'after') {
  return async (stream: string, events: Parameters<EventLog['append']>[2]): Promise<AppendResult> => {
    if (when === 'after') await log.append(stream, 'no-stream', events);
    throw new OutcomeUnknownError(stream);
  };
}
