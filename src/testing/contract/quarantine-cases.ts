/**
 * Contract cases 49-54: moving records aside. Only for logs that can; see `EventLog.quarantine`.
 * Owns no machinery; see contract-case.ts.
 */
import assert from 'node:assert/strict';
import { NotFoundError } from '../../errors.ts';
import type { EventLog, Position, QuarantinedRecord, RecordedEvent } from '../../log/event-log.ts';
import { actorHead, all, contractCase, idsOf, refusal, streamsOf, type ContractCase } from './contract-case.ts';

const reason = 'a case of the contract';
const head = actorHead({ effects: 1 });

export const quarantineCases: readonly ContractCase[] = [
  contractCase(
    49,
    'quarantine ends a stream before a revision and leaves other streams alone',
    async ({ log, events }) => {
      const [a, b, c, other] = [events(2), events(2), events(1), events(3)];
      await log.append('order-1', 'no-stream', a, { actor: head });
      await log.append('order-2', 'no-stream', other, { actor: head });
      await log.append('order-1', 1, b);
      await log.append('order-1', 3, c);
      const before = await all(log.readStream('order-1'));
      const result = await quarantine(log, 'order-1', 2);
      assert.equal(result.revision, 1);
      assert.ok(result.records >= 1);
      assert.deepEqual(await log.head('order-1'), { state: 'live', revision: 1 });
      assert.deepEqual(await all(log.readStream('order-1')), before.slice(0, 2));
      assert.deepEqual(await idsOf(log.readAll()), [...ids(a), ...ids(other)]);
      assert.deepEqual((await log.actor('order-2'))?.revision, 2);
      assert.deepEqual(eventsOf(await asideOf(log)), before.slice(2));
      assert.deepEqual(await asideOf(log, 'order-2'), []);
    },
    ['quarantine'],
  ),

  contractCase(
    50,
    'positions of quarantined events are never used again, their revisions and ids are',
    async ({ log, events }) => {
      const [a, b, c] = [events(1), events(2), events(1)];
      await log.append('order-1', 'no-stream', a);
      const moved = await log.append('order-1', 0, b);
      await quarantine(log, 'order-1', 1);
      const again = await log.append('order-1', 0, b);
      assert.deepEqual([again.revision, again.deduplicated], [2, false]);
      assert.notEqual(again.position, moved.position);
      const after = await all(log.readAll({ after: moved.position as Position }));
      assert.deepEqual(ids(after), ids(b), 'a reader that has seen the old events sees the new ones');
      await log.append('order-2', 'any', c);
      await quarantine(log, 'order-2', 0);
      assert.equal((await log.append('order-2', 'any', c)).deduplicated, false);
    },
    ['quarantine'],
  ),

  contractCase(
    51,
    'quarantine gives the stream the head it is told, and takes its actor where it is told none',
    async ({ log, events }) => {
      const ended = actorHead({ status: 'done', correlationId: 'c-9' });
      await log.append('order-1', 'no-stream', events(3), { actor: ended });
      await log.append('order-2', 'no-stream', events(1), { actor: ended });
      await log.append('order-1', 2, events(1), { actor: ended });
      await quarantine(log, 'order-1', 3);
      assert.deepEqual(await log.actor('order-1'), { ...head, stream: 'order-1', revision: 2 });
      assert.deepEqual(await streamsOf(log, { status: 'active', effects: true }), ['order-1']);
      assert.deepEqual(await streamsOf(log, { correlationId: 'c-9' }), ['order-2']);
      await log.quarantine!('order-2', 1, { reason, actor: undefined });
      assert.equal(await log.actor('order-2'), undefined);
      assert.equal((await all(log.readStream('order-2'))).length, 1);
    },
    ['quarantine'],
  ),

  contractCase(
    52,
    'a stream of which everything is quarantined is as one that never was',
    async ({ log, events }) => {
      await log.append('order-1', 'no-stream', events(3), { actor: head });
      const { revision } = await log.quarantine!('order-1', 0, { reason, actor: undefined });
      assert.equal(revision, -1);
      assert.deepEqual(await log.head('order-1'), { state: 'absent' });
      assert.deepEqual(await all(log.readStream('order-1')), []);
      assert.deepEqual(await streamsOf(log), []);
      const anew = events(1);
      assert.equal((await log.append('order-1', 'no-stream', anew, { actor: head })).revision, 0);
      assert.deepEqual(await idsOf(log.readStream('order-1')), ids(anew));
      assert.equal(eventsOf(await asideOf(log)).length, 3);
    },
    ['quarantine'],
  ),

  contractCase(
    53,
    'quarantine behind the last event moves nothing; a stream that is not there is refused; late snapshots go',
    async ({ log, events }) => {
      const written = events(2);
      await log.append('order-1', 'no-stream', written, { actor: actorHead() });
      const snapshot = { revision: 1, definition: 'd', data: '{}', checksum: 1 };
      await log.snapshots.save('order-1', snapshot);
      assert.deepEqual(await quarantine(log, 'order-1', 2), { revision: 1, records: 0 });
      assert.deepEqual(await idsOf(log.readStream('order-1')), ids(written));
      assert.equal((await log.actor('order-1'))?.effects, 1);
      assert.deepEqual(await log.snapshots.load('order-1'), snapshot);
      await log.append('order-1', 1, events(1));
      await log.snapshots.save('order-1', { ...snapshot, revision: 2 });
      await quarantine(log, 'order-1', 2);
      assert.equal(await log.snapshots.load('order-1'), undefined);
      await refusal(log.quarantine!('order-9', 0, { reason, actor: undefined }), NotFoundError);
    },
    ['quarantine'],
  ),

  contractCase(
    54,
    'what was quarantined is there, in its order and with its reason, after the log was opened anew',
    async ({ log, fixture, events, clock }) => {
      await log.append('order-1', 'no-stream', events(2));
      await log.append('order-2', 'no-stream', events(1));
      await log.append('order-1', 1, events(2));
      await quarantine(log, 'order-2', 0);
      await quarantine(log, 'order-1', 2);
      const aside = await asideOf(log);
      await log.close();
      const again = await fixture.open();
      assert.deepEqual(await asideOf(again), aside);
      for (const each of aside) assert.deepEqual([each.reason, each.quarantinedAt], [reason, clock.now()]);
      assert.deepEqual(
        aside.map(({ stream }) => stream).filter((stream, index, all) => stream !== all[index - 1]),
        ['order-2', 'order-1'],
      );
      await again.close();
    },
    ['quarantine', 'reopen'],
  ),
];

function quarantine(log: EventLog, stream: string, from: number) {
  return log.quarantine!(stream, from, { reason, actor: head });
}

function asideOf(log: EventLog, stream?: string): Promise<QuarantinedRecord[]> {
  return all(log.quarantined!(stream));
}

function eventsOf(records: readonly QuarantinedRecord[]): RecordedEvent[] {
  return records.flatMap(({ events }) => events);
}

function ids(events: readonly { readonly id: string }[]): string[] {
  return events.map(({ id }) => id);
}
