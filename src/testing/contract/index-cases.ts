/**
 * Contract cases 31-40 and 55: the actor index, snapshots and definitions of machines.
 * Owns no machinery; see contract-case.ts.
 */
import assert from 'node:assert/strict';
import { ConflictError } from '../../errors.ts';
import type { ActorHead, ActorRow, EventLog } from '../../log/event-log.ts';
import { actorHead, all, contractCase, refusal, streamsOf } from './contract-case.ts';
import type { ContractCase, Scene } from './contract-case.ts';

export const indexCases: readonly ContractCase[] = [
  contractCase(31, 'an append writes its actor head together with its events', async ({ log, events }) => {
    assert.equal(await log.actor('order-1'), undefined);
    const head = actorHead({ version: '2.1', wakeAt: 1_767_225_600_001, effects: 3 });
    await log.append('order-1', 'no-stream', events(2), { actor: head });
    const row = { ...head, stream: 'order-1', revision: 1 };
    assert.deepEqual(await log.actor('order-1'), row);
    assert.deepEqual(await all(log.actors()), [row]);
    await log.append('plain-1', 'no-stream', events(1));
    assert.equal(await log.actor('plain-1'), undefined);

    await log.append('order-1', 1, events(1));
    assert.deepEqual(await log.actor('order-1'), { ...row, revision: 2 }, 'a head not given stays, its revision moves');
    const done = actorHead({ machine: 'order2', version: null, status: 'done', correlationId: 'c-2' });
    await log.append('order-1', 2, events(3), { actor: done });
    assert.deepEqual(await log.actor('order-1'), { ...done, stream: 'order-1', revision: 5 });
    assert.deepEqual(await streamsOf(log, { status: 'active' }), []);
    assert.deepEqual(await streamsOf(log, { machine: 'order' }), []);
    assert.deepEqual(await streamsOf(log, { correlationId: 'c-1' }), []);
    assert.deepEqual(await streamsOf(log, { effects: true }), []);
    assert.deepEqual(await streamsOf(log, { wakes: {} }), []);
    assert.deepEqual(await streamsOf(log, { status: 'done', machine: 'order2', correlationId: 'c-2' }), ['order-1']);
  }),

  contractCase(32, 'a refused, repeated or empty append leaves the actor head alone', async ({ log, events }) => {
    const [a, b] = [events(1), events(1)];
    const [old, current, other] = [actorHead({ effects: 1 }), actorHead({ wakeAt: 7 }), actorHead({ status: 'error' })];
    await log.append('order-1', 'no-stream', a, { actor: old });
    await log.append('order-1', 0, b, { actor: current });
    const row = { ...current, stream: 'order-1', revision: 1 };
    await refusal(log.append('order-1', 0, events(1), { actor: other }), ConflictError);
    assert.deepEqual(await log.actor('order-1'), row);
    assert.equal((await log.append('order-1', 'no-stream', a, { actor: old })).deduplicated, true);
    assert.deepEqual(await log.actor('order-1'), row, 'a late retry does not bring its old head back');
    await log.append('order-1', 1, [], { actor: other });
    assert.deepEqual(await all(log.actors()), [row]);
    await log.append('order-2', 'no-stream', [], { actor: other });
    assert.equal(await log.actor('order-2'), undefined);
    await refusal(log.append('order-3', 0, events(1), { actor: other }), ConflictError);
    assert.equal(await log.actor('order-3'), undefined);
  }),

  contractCase(33, 'actors are found by status, machine, correlation and unfinished effects', async (scene) => {
    const { log } = scene;
    await writeActors(scene, {
      'order-1': { effects: 1 },
      'order-2': { status: 'done' },
      'order-3': { status: 'error', correlationId: 'c-2' },
      'receipt-1': { machine: 'receipt', effects: 2, correlationId: 'c-2' },
      'receipt-2': { machine: 'receipt', status: 'stopped' },
    });
    assert.deepEqual(await streamsOf(log, { status: 'active' }), ['order-1', 'receipt-1']);
    assert.deepEqual(await streamsOf(log, { status: 'done' }), ['order-2']);
    assert.deepEqual(await streamsOf(log, { machine: 'order' }), ['order-1', 'order-2', 'order-3']);
    assert.deepEqual(await streamsOf(log, { machine: 'ord' }), []);
    assert.deepEqual(await streamsOf(log, { correlationId: 'c-2' }), ['order-3', 'receipt-1']);
    assert.deepEqual(await streamsOf(log, { effects: true }), ['order-1', 'receipt-1']);
    assert.deepEqual(await streamsOf(log, { effects: false }), ['order-2', 'order-3', 'receipt-2']);
    assert.deepEqual(await streamsOf(log, { machine: 'receipt', effects: true }), ['receipt-1']);
    assert.deepEqual(await streamsOf(log, { machine: 'order', status: 'active', correlationId: 'c-2' }), []);
    assert.deepEqual(await streamsOf(log, { effects: true, limit: 1 }), ['order-1']);
    assert.deepEqual(await streamsOf(log, { effects: true, afterStream: 'order-1' }), ['receipt-1']);
  }),

  contractCase(34, 'wake-ups come in order of time and stream, and page without gap or repeat', wakes),

  contractCase(35, 'actors come in order of stream name, and page without gap or repeat', async (scene) => {
    const { log } = scene;
    const names = ['a-1', 'a-10', 'a-2', 'B-1', 'b-1', 'a_1', 'Z-9', 'a-', 'order-03', 'order-1', 'order-02', '0-1'];
    await writeActors(scene, Object.fromEntries(names.map((name) => [name, {}])));
    const sorted = [...names].sort();
    assert.deepEqual(await streamsOf(log), sorted);
    for (const limit of [1, 5, 11, 12, 13]) {
      const seen: string[] = [];
      for (let page: string[]; ;) {
        const afterStream = seen.at(-1);
        page = await streamsOf(log, { limit, ...(afterStream === undefined ? {} : { afterStream }) });
        assert.ok(page.length <= limit);
        seen.push(...page);
        if (page.length < limit) break;
        assert.ok(seen.length <= names.length, 'paging does not advance');
      }
      assert.deepEqual(seen, sorted, `pages of ${limit}`);
    }
    assert.deepEqual(await streamsOf(log, { afterStream: 'a-1x' }), sorted.slice(sorted.indexOf('a-10') + 1));
  }),

  contractCase(
    36,
    'appendMany writes every actor head or none',
    async ({ log, events }) => {
      const writes = ['order-1', 'order-2'].map(
        (stream) => ({ stream, expected: 'no-stream', events: events(1), actor: actorHead({ wakeAt: 9 }) }) as const,
      );
      await refusal(log.appendMany([...writes, { stream: 'x-1', expected: 0, events: events(1) }]), ConflictError);
      assert.deepEqual(await all(log.actors()), []);
      assert.deepEqual(await streamsOf(log, { wakes: {} }), []);
      await log.appendMany(writes);
      assert.deepEqual(await streamsOf(log, { wakes: {} }), ['order-1', 'order-2']);
    },
    ['atomicMultiStream'],
  ),

  contractCase(37, 'the index stays right while many actors change at once', async (scene) => {
    const { log, events } = scene;
    const streams = Array.from({ length: 30 }, (_, index) => `order-${index}`);
    const latest = new Map<string, ActorHead>();
    await Promise.all(
      streams.map(async (stream, own) => {
        for (let round = 0; round < 12; round++) {
          const turn = (own * 7 + round * 5) % 11;
          const head = actorHead({
            status: turn === 0 ? 'done' : 'active',
            wakeAt: turn % 3 === 0 ? null : 1_000 + (turn % 4),
            effects: turn % 2,
            correlationId: `c-${turn % 3}`,
          });
          await log.append(stream, round === 0 ? 'no-stream' : round - 1, events(1), { actor: head });
          latest.set(stream, head);
        }
      }),
    );
    const rows = [...latest].map(([stream, head]) => ({ ...head, stream, revision: 11 })).sort(byStream);
    await agrees(log, rows);
  }),

  contractCase(
    38,
    'truncating a stream keeps its actor',
    async ({ log, events }) => {
      const head = actorHead({ wakeAt: 3, effects: 1 });
      await log.append('order-1', 'no-stream', events(4), { actor: head });
      await log.truncate('order-1', 4);
      assert.deepEqual(await all(log.actors({ wakes: {} })), [{ ...head, stream: 'order-1', revision: 3 }]);
    },
    ['truncate'],
  ),

  contractCase(
    39,
    'the actor index is the same after the log was opened anew',
    async (scene) => {
      const { log, fixture } = scene;
      await writeActors(scene, {
        'order-1': { wakeAt: 5, effects: 1 },
        'order-2': { wakeAt: 4, status: 'error', version: '3' },
        'order-3': { status: 'done', correlationId: 'c-2' },
      });
      await log.append('order-1', 0, scene.events(2));
      const rows = await all(log.actors());
      await log.close();
      const again = await fixture.open();
      assert.deepEqual(await all(again.actors()), rows);
      await agrees(again, rows);
      await again.close();
    },
    ['reopen'],
  ),

  contractCase(40, 'a snapshot is replaced by the next one of its stream', async ({ log, events }) => {
    await log.append('order-1', 'no-stream', events(5));
    assert.equal(await log.snapshots.load('order-1'), undefined);
    const first = { revision: 2, definition: 'abc', data: '{"v":"é🧭"}', checksum: 0xffff_ffff };
    await log.snapshots.save('order-1', first);
    assert.deepEqual(await log.snapshots.load('order-1'), first);
    assert.equal(await log.snapshots.load('order-2'), undefined);
    const second = { revision: 4, definition: 'def', data: '{}', checksum: 0 };
    await log.snapshots.save('order-1', second);
    assert.deepEqual(await log.snapshots.load('order-1'), second);
    assert.deepEqual(await log.head('order-1'), { state: 'live', revision: 4 });
  }),

  contractCase(
    55,
    'a definition is kept under its hash, and the first one stays',
    async ({ log, events }) => {
      const definitions = log.definitions!;
      assert.equal(await definitions.load('abc'), undefined);
      await definitions.save('abc', '{"id":"é🧭"}');
      await definitions.save('def', '{"id":"other"}');
      await definitions.save('abc', '{"id":"later"}');
      assert.equal(await definitions.load('abc'), '{"id":"é🧭"}');
      assert.equal(await definitions.load('def'), '{"id":"other"}');
      // Nor is it an event.
      assert.deepEqual(await all(log.readAll()), []);
      await log.append('order-1', 'no-stream', events(1));
      await log.delete('order-1', 0);
      assert.equal(await definitions.load('abc'), '{"id":"é🧭"}');
    },
    ['definitions'],
  ),
];

/** Starts one actor per entry, in reverse order of the names given. */
async function writeActors({ log, events }: Scene, heads: Record<string, Partial<ActorHead>>): Promise<void> {
  for (const [stream, head] of Object.entries(heads).reverse()) {
    await log.append(stream, 'no-stream', events(1), { actor: actorHead(head) });
  }
}

function byStream(a: ActorRow, b: ActorRow): number {
  return a.stream < b.stream ? -1 : 1;
}

function byWake(a: ActorRow, b: ActorRow): number {
  return a.wakeAt! - b.wakeAt! || byStream(a, b);
}

/** Asserts that every query answers as a scan of these rows, sorted by stream, would. */
async function agrees(log: EventLog, rows: readonly ActorRow[]): Promise<void> {
  const armed = rows.filter((row) => row.wakeAt !== null).sort(byWake);
  assert.deepEqual(await all(log.actors()), rows);
  assert.deepEqual(await all(log.actors({ wakes: {} })), armed);
  for (const effects of [true, false]) {
    assert.deepEqual(
      await all(log.actors({ effects })),
      rows.filter((row) => row.effects > 0 === effects),
    );
  }
  for (const status of ['active', 'done', 'error', 'stopped'] as const) {
    assert.deepEqual(
      await all(log.actors({ status })),
      rows.filter((row) => row.status === status),
    );
  }
  for (const correlationId of new Set(rows.map((row) => row.correlationId))) {
    assert.deepEqual(
      await all(log.actors({ correlationId, wakes: {} })),
      armed.filter((row) => row.correlationId === correlationId),
    );
  }
}

async function wakes(scene: Scene): Promise<void> {
  const { log, events } = scene;
  const [early, middle, late] = [1_767_225_600_000, 1_767_225_600_500, 9_000_000_000_000];
  await writeActors(scene, {
    'a-1': { wakeAt: late },
    'a-2': { wakeAt: middle },
    'b-1': { wakeAt: middle, effects: 1 },
    'b-2': { wakeAt: null },
    'c-1': { wakeAt: early },
    'c-2': { wakeAt: middle },
    'c-3': { wakeAt: middle, machine: 'receipt' },
  });
  const ordered = ['c-1', 'a-2', 'b-1', 'c-2', 'c-3', 'a-1'];
  assert.deepEqual(await streamsOf(log, { wakes: {} }), ordered);
  assert.deepEqual(await streamsOf(log, { wakes: { until: middle } }), ordered.slice(0, 5));
  assert.deepEqual(await streamsOf(log, { wakes: { until: middle - 1 } }), ['c-1']);
  assert.deepEqual(await streamsOf(log, { wakes: { until: early - 1 } }), []);
  assert.deepEqual(await streamsOf(log, { wakes: { after: { wakeAt: middle, stream: 'b-1' } } }), ordered.slice(3));
  assert.deepEqual(await streamsOf(log, { wakes: { after: { wakeAt: middle, stream: '' } } }), ordered.slice(1));
  assert.deepEqual(await streamsOf(log, { wakes: {}, machine: 'receipt' }), ['c-3']);
  assert.deepEqual(await streamsOf(log, { wakes: { until: middle }, effects: false, limit: 2 }), ['c-1', 'a-2']);
  for (const limit of [1, 2, 5, 6, 7]) assert.deepEqual(await pagedWakes(log, limit), ordered, `pages of ${limit}`);

  // A timer that is cancelled, moved or armed changes the order at once.
  await log.append('c-2', 0, events(1), { actor: actorHead({ wakeAt: null }) });
  await log.append('c-3', 0, events(1), { actor: actorHead({ wakeAt: early }) });
  await log.append('b-2', 0, events(1), { actor: actorHead({ wakeAt: early }) });
  assert.deepEqual(await streamsOf(log, { wakes: {} }), ['b-2', 'c-1', 'c-3', 'a-2', 'b-1', 'a-1']);
  await log.delete('c-1', 'any');
  assert.deepEqual(await streamsOf(log, { wakes: { until: early } }), ['b-2', 'c-3']);
}

async function pagedWakes(log: EventLog, limit: number): Promise<string[]> {
  const seen: ActorRow[] = [];
  for (;;) {
    const last = seen.at(-1);
    const after = last && { wakeAt: last.wakeAt!, stream: last.stream };
    const page = await all(log.actors({ wakes: after ? { after } : {}, limit }));
    assert.ok(page.length <= limit);
    seen.push(...page);
    if (page.length < limit) return seen.map((row) => row.stream);
    assert.ok(seen.length < 100, 'paging does not advance');
  }
}
