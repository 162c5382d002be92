/**
 * Contract cases 23, 26, 27, 29, 30 and 41-46: leases and checkpoints, removing events, closing, dying and coming back.
 * Owns no machinery; see contract-case.ts.
 */
import assert from 'node:assert/strict';
import { ConflictError, LeaseLostError, LogClosedError, StreamDeletedError } from '../../errors.ts';
import type { EventLog, Lease, LeaseOptions, NewEvent, Position } from '../../log/event-log.ts';
import {
  actorHead,
  all,
  awaitedLater,
  contractCase,
  eventIds,
  holdsExactly,
  idsOf,
  itemsUntil,
} from './contract-case.ts';
import { itemsUntilCaughtUp, next, refusal, settled } from './contract-case.ts';
import type { ContractCase, Scene } from './contract-case.ts';

export const lifecycleCases: readonly ContractCase[] = [
  contractCase(
    23,
    'a consumer resumes from its stored position after the log was opened anew',
    async ({ log, fixture, events }) => {
      const [seen, unseen, later] = [events(5), events(5), events(2)];
      await log.append('order-1', 'no-stream', [...seen, ...unseen]);
      const held = await mustLease(log, 'projection', { owner: 'a', ttlMs: 1_000 });
      await log.checkpoints.store('projection', await positionOf(log, seen.at(-1)!), held);
      await log.close();

      const again = await fixture.open();
      assert.equal(await again.checkpoints.load('other'), undefined);
      const after = (await again.checkpoints.load('projection'))!;
      const iterator = again.subscribe({ after })[Symbol.asyncIterator]();
      const history = await itemsUntil(iterator, unseen.at(-1)!.id);
      assert.deepEqual(
        eventIds(history),
        unseen.map((event) => event.id),
      );
      await again.append('order-1', 9, later);
      assert.deepEqual(
        eventIds(await itemsUntil(iterator, later[1]!.id)),
        later.map((event) => event.id),
      );
      await again.close();
    },
    ['reopen'],
  ),

  contractCase(26, 'a lease has one holder, passes on when it runs out, and fences its old holder', leases),

  contractCase(27, 'truncated and deleted events are gone, and positions and revisions go on', removing, [
    'truncate',
    'erase',
  ]),

  contractCase(
    29,
    'what was acknowledged is there after kill -9',
    async ({ log, fixture, events }) => {
      const head = actorHead({ wakeAt: 5_000, effects: 1 });
      const [a, b, c] = [events(3), events(2), events(1)];
      await log.append('order-1', 'no-stream', a, { actor: head });
      const second = await log.append('order-1', 2, b, { actor: { ...head, effects: 2 } });
      const lease = await mustLease(log, 'owner', { owner: 'a', ttlMs: 60_000 });
      await log.checkpoints.store('owner', second.position!, lease);
      await fixture.kill!(log);

      const again = await fixture.open();
      await holdsExactly(again, [...a, ...b]);
      assert.deepEqual(await again.actor('order-1'), { ...head, effects: 2, stream: 'order-1', revision: 4 });
      assert.equal(await again.checkpoints.load('owner'), second.position);
      assert.equal((await again.leaseHolder('owner'))?.epoch, lease.epoch);
      assert.equal(await again.lease('owner', { owner: 'b', ttlMs: 1_000 }), null);
      assert.equal((await again.append('order-1', 2, b)).deduplicated, true);
      assert.equal((await again.append('order-1', 4, c)).revision, 5);
      await again.close();
    },
    ['kill'],
  ),

  contractCase(30, 'close() ends subscriptions, cuts no read short unnoticed, and refuses every later call', closing),

  contractCase(41, 'leaseHolder tells who holds a lease, and nobody once it ran out', async ({ log, clock }) => {
    assert.equal(await log.leaseHolder('runner'), undefined);
    const lease = await mustLease(log, 'runner', { owner: 'a', ttlMs: 1_000 });
    const { epoch, expiresAt } = lease;
    assert.equal(expiresAt, clock.now() + 1_000);
    assert.deepEqual(await log.leaseHolder('runner'), { owner: 'a', epoch, expiresAt });
    clock.jump(999);
    assert.equal((await log.leaseHolder('runner'))?.owner, 'a');
    clock.jump(1);
    assert.equal(await log.leaseHolder('runner'), undefined);
  }),

  contractCase(42, 'takeFrom takes a living lease only at the epoch it names', async ({ log, clock }) => {
    const first = await mustLease(log, 'runner', { owner: 'a', ttlMs: 1_000 });
    assert.equal(await log.lease('runner', { owner: 'b', ttlMs: 1_000, takeFrom: first.epoch - 1 }), null);
    assert.equal(await log.lease('runner', { owner: 'b', ttlMs: 1_000, takeFrom: first.epoch + 1 }), null);
    const second = await mustLease(log, 'runner', { owner: 'b', ttlMs: 1_000, takeFrom: first.epoch });
    assert.ok(second.epoch > first.epoch);
    // The same knowledge used twice: whoever comes second knows only of an owner that is gone.
    assert.equal(await log.lease('runner', { owner: 'c', ttlMs: 1_000, takeFrom: first.epoch }), null);
    await refusal(first.renew(), LeaseLostError);
    await first.release();
    assert.equal((await log.leaseHolder('runner'))?.owner, 'b');
    clock.jump(1_000);
    assert.equal((await mustLease(log, 'runner', { owner: 'c', ttlMs: 1, takeFrom: first.epoch })).owner, 'c');
  }),

  contractCase(43, 'a lease is renewed by its ttl and given back at once', async ({ log, clock }) => {
    const lease = await mustLease(log, 'runner', { owner: 'a', ttlMs: 1_000 });
    clock.jump(900);
    await lease.renew();
    assert.equal(lease.expiresAt, clock.now() + 1_000);
    clock.jump(900);
    assert.equal(await log.lease('runner', { owner: 'b', ttlMs: 1_000 }), null);
    const extended = await mustLease(log, 'runner', { owner: 'a', ttlMs: 2_000 });
    assert.equal(extended.epoch, lease.epoch);
    assert.equal(extended.expiresAt, clock.now() + 2_000);
    await lease.release();
    assert.equal(await log.leaseHolder('runner'), undefined);
    const next = await mustLease(log, 'runner', { owner: 'b', ttlMs: 1_000 });
    assert.ok(next.epoch > lease.epoch, 'an epoch never comes again, also not after a release');
    await lease.release();
    assert.equal((await log.leaseHolder('runner'))?.owner, 'b');
    clock.jump(1_000);
    await refusal(next.renew(), LeaseLostError);
  }),

  contractCase(
    44,
    'logs that are open on one store at once agree, and each follows what the others write',
    sharedStore,
    ['shared'],
  ),

  contractCase(45, 'the features under test are the capabilities the log declares', async ({ log, features }) => {
    const { atomicMultiStream, checks, truncate, durable, maxEventBytes } = log.capabilities;
    assert.equal(features.includes('atomicMultiStream'), atomicMultiStream);
    assert.equal(features.includes('checks'), checks);
    assert.equal(features.includes('truncate'), truncate);
    assert.equal(features.includes('quarantine'), log.quarantine !== undefined && log.quarantined !== undefined);
    assert.equal(
      features.includes('reopen'),
      durable !== 'none',
      'a durable log is tested by opening it again: give a target with create() and the feature reopen',
    );
    assert.equal(
      features.includes('kill'),
      durable !== 'none',
      'a durable log is tested by killing it: give a fixture with kill()',
    );
    assert.ok(maxEventBytes >= 1_000_000, `maxEventBytes is ${maxEventBytes}`);
    assert.ok(log.name.length > 0);
  }),

  contractCase(
    46,
    'leases, their epochs and checkpoints outlive the process that wrote them',
    async ({ log, fixture, clock, events }) => {
      await log.append('order-1', 'no-stream', events(1));
      const position = (await all(log.readAll()))[0]!.position;
      const first = await mustLease(log, 'runner', { owner: 'a', ttlMs: 1_000 });
      await log.checkpoints.store('runner', position, first);
      await log.close();
      const again = await fixture.open();
      assert.equal((await again.leaseHolder('runner'))?.epoch, first.epoch);
      clock.jump(1_000);
      const second = await mustLease(again, 'runner', { owner: 'b', ttlMs: 1_000 });
      assert.ok(second.epoch > first.epoch);
      await refusal(again.checkpoints.store('runner', position, first), LeaseLostError);
      assert.equal(await again.checkpoints.load('runner'), position);
      await again.close();
    },
    ['reopen'],
  ),
];

async function mustLease(log: EventLog, id: string, options: LeaseOptions): Promise<Lease> {
  const lease = await log.lease(id, options);
  assert.ok(lease, `lease '${id}' was not given to ${options.owner}`);
  return lease;
}

async function positionOf(log: EventLog, event: NewEvent): Promise<Position> {
  return (await all(log.readAll())).find((recorded) => recorded.id === event.id)!.position;
}

async function leases({ log, clock, events }: Scene): Promise<void> {
  await log.append('order-1', 'no-stream', events(3));
  const [p0, p1, p2] = (await all(log.readAll())).map((event) => event.position) as [Position, Position, Position];
  const owners = Array.from({ length: 10 }, (_, index) => `owner-${index}`);
  const racing = await Promise.all(owners.map((owner) => log.lease('runner', { owner, ttlMs: 1_000 })));
  const [first, ...others] = racing.filter((lease) => lease !== null);
  assert.deepEqual(others, [], 'more than one owner holds the lease');
  assert.equal(first?.id, 'runner');
  assert.equal(await log.checkpoints.load('runner'), undefined);
  await log.checkpoints.store('runner', p0, first);

  clock.jump(999);
  assert.equal(await log.lease('runner', { owner: 'b', ttlMs: 1_000 }), null);
  assert.notEqual(await log.lease('another', { owner: 'b', ttlMs: 1_000 }), null);
  clock.jump(1);
  const second = await mustLease(log, 'runner', { owner: 'b', ttlMs: 1_000 });
  assert.ok(second.epoch > first.epoch);
  await log.checkpoints.store('runner', p1, second);
  const error = await refusal(log.checkpoints.store('runner', p2, first), LeaseLostError);
  assert.equal(error.epoch, first.epoch);
  await refusal(first.renew(), LeaseLostError);
  assert.equal(await log.checkpoints.load('runner'), p1);

  // Coming back does not bring the old epoch back.
  clock.jump(1_000);
  const third = await mustLease(log, 'runner', { owner: first.owner, ttlMs: 1_000 });
  assert.ok(third.epoch > second.epoch);
  await refusal(log.checkpoints.store('runner', p2, first), LeaseLostError);
  await refusal(log.checkpoints.store('runner', p2, second), LeaseLostError);
  await log.checkpoints.store('runner', p2, third);
  assert.equal(await log.checkpoints.load('runner'), p2);
}

async function removing({ log, events }: Scene): Promise<void> {
  const [a, b, c] = [events(4), events(2), events(1)];
  await log.append('order-1', 'no-stream', a);
  await log.append('order-2', 'no-stream', b, { actor: actorHead() });
  await log.append('order-3', 'no-stream', c);
  const positions = (await all(log.readAll())).map((event) => event.position);
  await log.truncate('order-1', 2);
  assert.deepEqual(await log.head('order-1'), { state: 'truncated', revision: 3, before: 2 });
  assert.deepEqual(await idsOf(log.readStream('order-1')), [a[2]!.id, a[3]!.id]);
  assert.deepEqual(await idsOf(log.readStream('order-1', { from: 1, limit: 1 })), [a[2]!.id]);
  assert.deepEqual(await idsOf(log.readStream('order-1', { backwards: true })), [a[3]!.id, a[2]!.id]);
  await refusal(log.append('order-1', 'no-stream', events(1)), ConflictError);
  assert.equal((await log.append('order-1', 3, [])).revision, 3);

  await log.truncate('order-1', 4);
  assert.deepEqual(await log.head('order-1'), { state: 'truncated', revision: 3, before: 4 });
  await log.truncate('order-1', 1);
  assert.deepEqual(await log.head('order-1'), { state: 'truncated', revision: 3, before: 4 });
  const d = events(2);
  assert.equal((await log.append('order-1', 3, d)).revision, 5);
  assert.deepEqual(
    (await all(log.readStream('order-1'))).map((event) => event.revision),
    [4, 5],
  );
  await holdsExactly(log, [...b, ...c, ...d]);

  const stored = { revision: 1, definition: 'd', data: '{}', checksum: 1 };
  await log.snapshots.save('order-2', stored);
  const conflict = await refusal(log.delete('order-2', 0), ConflictError);
  assert.equal(conflict.actual, 1);
  await log.delete('order-2', 1);
  assert.deepEqual(await log.head('order-2'), { state: 'deleted' });
  assert.equal(await log.actor('order-2'), undefined);
  assert.deepEqual(await all(log.actors()), []);
  await refusal(log.snapshots.save('order-2', stored), StreamDeletedError);
  assert.equal(await log.snapshots.load('order-2'), undefined, 'a late snapshot does not bring back what was erased');
  await refusal(all(log.readStream('order-2')), StreamDeletedError);
  for (const expected of ['no-stream', 'any', 'stream-exists', 1] as const) {
    await refusal(log.append('order-2', expected, events(1)), StreamDeletedError);
  }
  await holdsExactly(log, [...c, ...d]);
  // Positions of removed events still say where to go on.
  for (const after of positions.slice(0, 6)) {
    assert.deepEqual(
      await idsOf(log.readAll({ after })),
      [...c, ...d].map((event) => event.id),
    );
  }
}

async function closing({ log, events }: Scene): Promise<void> {
  await log.append('order-1', 'no-stream', events(2_000));
  const waiting = log.subscribe()[Symbol.asyncIterator]();
  await itemsUntilCaughtUp(waiting);
  const pending = awaitedLater(waiting.next());
  await settled();
  const idle = log.subscribe()[Symbol.asyncIterator]();
  await next(idle);
  const reader = log.readStream('order-1')[Symbol.asyncIterator]();
  await next(reader);
  await log.close();

  assert.equal((await pending).done, true);
  assert.equal((await waiting.next()).done, true);
  let left = 0;
  while (!(await idle.next()).done) assert.ok(++left < 1_024, 'a closed log goes on feeding its subscription');
  // What was fetched before may still come; but a read that ends without an error has read everything.
  const rest = await all({ [Symbol.asyncIterator]: () => reader }).catch((error: unknown) => error);
  if (Array.isArray(rest)) assert.equal(rest.length, 1_999, 'a read cut short looks like a whole one');
  else assert.ok(rest instanceof LogClosedError, String(rest));
  await log.close();
  const calls: (() => Promise<unknown>)[] = [
    () => log.append('order-1', 1_999, events(1)),
    () => log.appendMany([{ stream: 'order-1', expected: 'any', events: events(1) }]),
    () => all(log.readStream('order-1')),
    () => all(log.readAll()),
    () => all(log.subscribe()),
    () => all(log.actors()),
    () => log.actor('order-1'),
    () => log.head('order-1'),
    () => log.snapshots.load('order-1'),
    () => log.checkpoints.load('order-1'),
    () => log.lease('runner', { owner: 'a', ttlMs: 1_000 }),
    () => log.leaseHolder('runner'),
  ];
  for (const call of calls) await refusal(call(), LogClosedError);
}

async function sharedStore({ log, fixture, event, events }: Scene): Promise<void> {
  const other = await fixture.open();
  const [a, b, last] = [events(3), events(2), event()];
  const tail = itemsUntil(other.subscribe()[Symbol.asyncIterator](), last.id);
  await log.append('order-1', 'no-stream', a, { actor: actorHead({ effects: 1 }) });
  await refusal(other.append('order-1', 'no-stream', events(1)), ConflictError);
  await other.append('order-1', 2, b, { actor: actorHead({ effects: 2 }) });
  assert.equal((await log.append('order-1', 2, b)).deduplicated, true);
  assert.equal((await log.actor('order-1'))?.effects, 2);

  const racers = Array.from({ length: 20 }, () => event());
  const outcomes = await Promise.allSettled(
    racers.map((each, index) => (index % 2 === 0 ? log : other).append('order-1', 4, [each])),
  );
  assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1);
  const held = await mustLease(log, 'runner', { owner: 'a', ttlMs: 1_000 });
  assert.equal(await other.lease('runner', { owner: 'b', ttlMs: 1_000 }), null);
  const taken = await mustLease(other, 'runner', { owner: 'b', ttlMs: 1_000, takeFrom: held.epoch });
  await refusal(held.renew(), LeaseLostError);
  assert.equal((await log.leaseHolder('runner'))?.epoch, taken.epoch);

  await Promise.all(
    Array.from({ length: 16 }, async (_, writer) => {
      const own = writer % 2 === 0 ? log : other;
      for (let round = 0; round < 10; round++) await own.append(`order-w${writer}`, 'any', events(2));
    }),
  );
  await log.append('last-1', 'no-stream', [last]);
  const read = await idsOf(log.readAll());
  assert.deepEqual(await idsOf(other.readAll()), read);
  assert.deepEqual(eventIds(await tail), read);
  await other.close();
}
