/**
 * The shape of a contract case and the ground it stands on. Owns the fixture that an adapter provides, the test events
 * and the small tools the cases share; the cases themselves live in the *-cases.ts files, the list in log-contract.ts.
 *
 * CC1  A case needs no test runner: it passes by resolving and fails by rejecting.
 * CC2  A case gets a fresh, empty log, and waits for no real time: only the fixture's virtual clock moves.
 * CC3  What a case needs beyond the port it names in `requires`; nothing is skipped inside a case.
 */
import assert from 'node:assert/strict';
import { seededRandom, uuidv7Source, type VirtualClock } from '../../clock.ts';
import { sealEvent } from '../../log/envelope.ts';
import type { ActorHead, ActorQuery, ActorRow, EventLog, NewEvent, RecordedEvent } from '../../log/event-log.ts';
import type { SubscriptionItem } from '../../log/event-log.ts';

/**
 * What an adapter can do beyond the bare port, as far as cases depend on it.
 *
 * - `atomicMultiStream`, `checks`, `truncate`: as in `Capabilities`; a case compares the two.
 * - `reopen`: a second `open()` after `close()` finds what was written.
 * - `kill`: the fixture has `kill`, which ends a log as kill -9 would.
 * - `shared`: several logs may be open on one store at once.
 * - `erase`: deleted events are gone from readAll at once.
 * - `faults`: the fixture has `loseNextAcknowledgement`.
 * - `quarantine`: the log has `quarantine` and `quarantined`.
 * - `definitions`: the log keeps definitions of machines.
 */
export type ContractFeature =
  | 'atomicMultiStream'
  | 'checks'
  | 'truncate'
  | 'reopen'
  | 'kill'
  | 'shared'
  | 'erase'
  | 'faults'
  | 'quarantine'
  | 'definitions';

/** Every feature there is. */
export const contractFeatures: readonly ContractFeature[] = [
  ...(['atomicMultiStream', 'checks', 'truncate', 'reopen', 'kill'] as const),
  ...(['shared', 'erase', 'faults', 'quarantine', 'definitions'] as const),
];

/** One empty store, made for one case. */
export interface ContractFixture {
  /** The clock that every log opened here runs on; leases are measured with it. */
  readonly clock: VirtualClock;
  /** Opens a log on the store. `maxEventBytes` should lie between 1.1 MB and 16 MB. */
  open(): Promise<EventLog>;
  /**
   * Ends a log without closing it, as kill -9 would: nothing is flushed, nothing is given back. A later `close()` of
   * that log does no harm.
   */
  kill?(log: EventLog): Promise<void>;
  /** Makes the next append of `log` be written and then fail as if its answer never came. */
  loseNextAcknowledgement?(log: EventLog): void;
  /** Removes the store. Called once, after every log was closed or killed. */
  destroy(): Promise<void>;
}

/** An adapter under test. */
export interface ContractTarget {
  /**
   * What it can do; say it, so that a case cannot drop out unnoticed. Where it is omitted the log and the fixture are
   * looked at: `reopen` and `shared` are then not there, and `erase` is.
   */
  readonly features?: readonly ContractFeature[];
  /** Makes an empty store. */
  create(): Promise<ContractFixture>;
}

/** What a case works with. */
export interface Scene {
  readonly log: EventLog;
  readonly fixture: ContractFixture;
  readonly features: readonly ContractFeature[];
  readonly clock: VirtualClock;
  /** A new event with an id of its own. */
  event(overrides?: Partial<NewEvent>): NewEvent;
  events(count: number, overrides?: Partial<NewEvent>): NewEvent[];
}

/** One numbered rule of the log contract. Numbers never change; new rules get new numbers. */
export interface ContractCase {
  readonly number: number;
  /** A present-tense fact. */
  readonly title: string;
  readonly requires: readonly ContractFeature[];
  /** Resolves when the rule holds, rejects with an AssertionError when it does not. */
  run(scene: Scene): Promise<void>;
}

/** Writes a case down. */
export function contractCase(
  number: number,
  title: string,
  run: ContractCase['run'],
  requires: readonly ContractFeature[] = [],
): ContractCase {
  return { number, title, requires, run };
}

/** Builds a new scene on a fixture. Event ids are the same in every run of a case. */
export function sceneOn(log: EventLog, fixture: ContractFixture, features: readonly ContractFeature[]): Scene {
  const nextId = uuidv7Source(() => fixture.clock.now(), seededRandom(1));
  const event = ({ checksum, ...overrides }: Partial<NewEvent> = {}): NewEvent => {
    const plain = { id: nextId(), type: 'Tested', schemaVersion: 1, data: '{"ok":true}', meta: {}, ...overrides };
    return { ...sealEvent(plain), ...(checksum === undefined ? {} : { checksum }) };
  };
  return {
    log,
    fixture,
    features,
    clock: fixture.clock,
    event,
    events: (count, overrides) => Array.from({ length: count }, () => event(overrides)),
  };
}

/** An actor head with sensible values for everything not said. */
export function actorHead(overrides: Partial<ActorHead> = {}): ActorHead {
  return {
    machine: 'order',
    version: null,
    status: 'active',
    correlationId: 'c-1',
    wakeAt: null,
    effects: 0,
    ...overrides,
  };
}

/** More items than any case writes: an adapter that repeats itself for ever fails here instead of hanging. */
const itemsMax = 20_000;

/** Reads an iterable to its end. */
export async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) {
    items.push(item);
    assert.ok(items.length < itemsMax, 'the log goes on yielding more than was ever written');
  }
  return items;
}

export async function idsOf(iterable: AsyncIterable<RecordedEvent>): Promise<string[]> {
  return (await all(iterable)).map((event) => event.id);
}

/** Streams of the actors a query finds, in its order. */
export async function streamsOf(log: EventLog, query?: ActorQuery): Promise<string[]> {
  return (await all<ActorRow>(log.actors(query))).map((row) => row.stream);
}

/** Steps an iterator that must not be at its end. */
export async function next<T>(iterator: AsyncIterator<T>): Promise<T> {
  const step = await iterator.next();
  assert.ok(!step.done, 'the iterator ended early');
  return step.value;
}

/** A promise that a case awaits later; where the case fails before that, nobody is told of what becomes of it. */
export function awaitedLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Lets a read that was begun come to where it waits, as far as that takes no more than a few turns of the event loop. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Items of a subscription up to and including the first one that is as wanted. */
export async function itemsUpTo(
  iterator: AsyncIterator<SubscriptionItem>,
  isWanted: (item: SubscriptionItem, items: readonly SubscriptionItem[]) => boolean,
): Promise<SubscriptionItem[]> {
  const items: SubscriptionItem[] = [];
  for (;;) {
    const item = await next(iterator);
    items.push(item);
    if (isWanted(item, items)) return items;
    assert.ok(items.length < itemsMax, 'the subscription goes on without what it was awaited for');
  }
}

/** Items of a subscription up to and including the event with this id. */
export function itemsUntil(iterator: AsyncIterator<SubscriptionItem>, id: string): Promise<SubscriptionItem[]> {
  return itemsUpTo(iterator, (item) => item.type === 'event' && item.event.id === id);
}

/** Items of a subscription up to and including the one that says it has caught up. */
export function itemsUntilCaughtUp(iterator: AsyncIterator<SubscriptionItem>): Promise<SubscriptionItem[]> {
  return itemsUpTo(iterator, (item) => item.type === 'caughtUp');
}

/** Ids of the events among subscription items. */
export function eventIds(items: readonly SubscriptionItem[]): string[] {
  return items.flatMap((item) => (item.type === 'event' ? [item.event.id] : []));
}

/** Asserts that a promise rejects with an error of this class, and returns it. */
export async function refusal<E extends Error>(
  promise: Promise<unknown>,
  errorClass: abstract new (...args: never[]) => E,
): Promise<E> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) {
    assert.fail(`expected ${errorClass.name}, but the call succeeded with ${JSON.stringify(outcome.value)}`);
  }
  if (!(outcome.error instanceof errorClass)) {
    const found = outcome.error instanceof Error ? `${outcome.error.name}: ${outcome.error.message}` : outcome.error;
    assert.fail(`expected ${errorClass.name}, found ${String(found)}`);
  }
  return outcome.error;
}

/** Asserts that the log holds exactly these events, in this order. */
export async function holdsExactly(log: EventLog, events: readonly NewEvent[]): Promise<void> {
  assert.deepEqual(
    await idsOf(log.readAll()),
    events.map((event) => event.id),
  );
}
