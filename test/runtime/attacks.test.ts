/**
 * What an attacker found once and must not find again: hostile values at every door, logs that misbehave, and damage that
 * must not spread. Numbers in titles are those of docs/explanation/invariants.md.
 */
import { describe, expect, it } from 'vitest';
import { assign, fromCallback, fromPromise } from 'xstate';
import {
  ActorFinishedError,
  ConflictError,
  createRuntime,
  effect,
  EventTooLargeError,
  LogUnavailableError,
  memoryLog,
  NotFoundError,
  VirtualClock,
  type EventLog,
} from '../../src/index.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { createMachine } from '../support/loose-machine.ts';

const quiet = { logger: silentLogger, passivate: false, keepLogOpen: true } as const;
const turns = async (n = 20) => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** A log whose methods are partly replaced. */
function over(log: EventLog, replaced: Partial<EventLog>): EventLog {
  return new Proxy(log, {
    get(target, key) {
      const member: unknown = key in replaced ? Reflect.get(replaced, key) : Reflect.get(target, key);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

const counter = createMachine({ on: { END: '.end' }, initial: 'run', states: { run: {}, end: { type: 'final' } } });

describe('an actor whose start does not become durable', () => {
  it('7: is acknowledged to nobody', async () => {
    const append = async () => {
      await turns(3);
      throw new LogUnavailableError('read-only', false);
    };
    const log = over(memoryLog(), { append });
    const runtime = await createRuntime({ log, machines: { counter }, ...quiet });
    const results = await Promise.allSettled([
      runtime.start('counter', { id: '1' }),
      runtime.start('counter', { id: '1' }),
      runtime.get('counter-1'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });

  it('is shown only once it is durable', async () => {
    let allow = () => {};
    const gate = new Promise<void>((resolve) => (allow = resolve));
    const memory = memoryLog();
    const append: EventLog['append'] = async (...args) => {
      await gate;
      return memory.append(...args);
    };
    const runtime = await createRuntime({ log: over(memory, { append }), machines: { counter }, ...quiet });
    const starting = runtime.start('counter', { id: '1' });
    let shown = false;
    const getting = runtime.get('counter-1').then((ref) => {
      shown = true;
      return ref;
    });
    await turns();
    expect(shown).toBe(false);
    allow();
    await starting;
    expect((await getting).getSnapshot().status).toBe('active');
  });
});

describe('a message that is too large', () => {
  const pay = effect(() => new Promise(() => {}), { onLost: 'fail' });
  const machine = createMachine({
    initial: 'paying',
    on: { NOTE: {} },
    states: { paying: { invoke: { src: pay, onError: 'failed' } }, failed: {} },
  });

  it('is refused without touching the effects of its actor', async () => {
    const runtime = await createRuntime({ log: memoryLog({ maxEventBytes: 2_000 }), machines: { machine }, ...quiet });
    const ref = await runtime.start('machine', { id: '1' });
    for (let i = 0; i < 12; i++) {
      await expect(ref.send({ type: 'NOTE', text: 'x'.repeat(5_000) })).rejects.toThrow(EventTooLargeError);
    }
    await runtime.idle();
    expect(ref.getSnapshot().value).toBe('paying');
  });

  it.each([
    ['an error', fromPromise(() => Promise.reject(new Error('x'.repeat(5_000))))],
    ['a message to the parent', fromCallback(({ sendBack }) => sendBack({ type: 'BIG', text: 'x'.repeat(5_000) }))],
    ['a message without a type', fromCallback(({ sendBack }) => sendBack({ text: 'no type' } as never))],
  ])('fails the effect when it is %s', async (_, src) => {
    const big = createMachine({
      initial: 'working',
      states: { working: { invoke: { src, onError: 'failed' } }, failed: {} },
    });
    const runtime = await createRuntime({ log: memoryLog({ maxEventBytes: 2_000 }), machines: { big }, ...quiet });
    const ref = await runtime.start('big', { id: '1' });
    await ref.waitFor((snapshot) => snapshot.matches('failed'));
  });
});

describe('values that change under way', () => {
  it('4: a message applied again after a conflict is the logged one', async () => {
    const memory = memoryLog();
    let conflicts = 0;
    const append: EventLog['append'] = (stream, expected, ...rest) =>
      expected !== 'no-stream' && conflicts++ === 0
        ? Promise.reject(new ConflictError(stream, 'spurious', 0))
        : memory.append(stream, expected, ...rest);
    const machine = createMachine({
      context: { items: [] as string[] },
      on: {
        ADD: {
          actions: assign(({ event }: { event: { items: string[] } }) => {
            event.items.push('x');
            return { items: event.items };
          }) as never,
        },
      },
    });
    const runtime = await createRuntime({ log: over(memory, { append }), machines: { machine }, ...quiet });
    const ref = await runtime.start('machine', { id: '1' });
    await ref.send({ type: 'ADD', items: [] });
    expect(ref.getSnapshot().context).toEqual({ items: ['x'] });
  });

  it('1: an effect that changes its input does not change the context it came from', async () => {
    const machine = createMachine({
      context: { order: { items: [] as string[] } },
      initial: 'working',
      states: {
        working: {
          invoke: {
            src: fromPromise(async ({ input }) => void (input as { items: string[] }).items.push('x')),
            input: ({ context }: { context: { order: unknown } }) => context.order,
            onDone: 'done',
          },
        },
        done: {},
      },
    });
    const runtime = await createRuntime({ machines: { machine }, ...quiet });
    const ref = await runtime.start('machine', { id: '1' });
    const { context } = await ref.waitFor((snapshot) => snapshot.matches('done'));
    expect(context).toEqual({ order: { items: [] } });
  });
});

describe('failures that throw when they are read', () => {
  const hostile: [string, () => unknown][] = [
    ['no prototype and a function', () => Object.assign(Object.create(null) as object, { f() {} })],
    [
      'a getter that throws',
      () => Object.defineProperty(new Error('e'), 'code', { enumerable: true, get: () => fail() }),
    ],
    ['a symbol as message', () => Object.assign(new Error('e'), { message: Symbol('m'), f() {} })],
    ['a proxy that throws', () => new Proxy({}, { get: fail, ownKeys: fail, getPrototypeOf: fail })],
  ];

  it.each(hostile)('still reach the machine: %s', async (_, make) => {
    const machine = createMachine({
      initial: 'working',
      states: {
        working: { invoke: { src: fromPromise(() => Promise.reject(make() as Error)), onError: 'failed' } },
        failed: {},
      },
    });
    const runtime = await createRuntime({ machines: { machine }, ...quiet });
    const ref = await runtime.start('machine', { id: '1' });
    await ref.waitFor((snapshot) => snapshot.matches('failed'));
  });
});

describe('code of others', () => {
  it('an observer of an inner reference that throws hurts nobody', async () => {
    const machine = createMachine({
      entry: ({ self }: { self: { subscribe(fn: () => void): void } }) => self.subscribe(() => fail()),
      initial: 'a',
      states: { a: { on: { GO: 'b' } }, b: { on: { GO: 'a' } } },
    });
    const runtime = await createRuntime({ machines: { machine }, ...quiet });
    const ref = await runtime.start('machine', { id: '1' });
    await Promise.all([ref.send({ type: 'GO' }), ref.send({ type: 'GO' }), ref.send({ type: 'GO' })]);
    expect(ref.getSnapshot().value).toBe('b');
  });

  it('a log that throws instead of rejecting is a log that rejects', async () => {
    const memory = memoryLog();
    let calls = 0;
    const append: EventLog['append'] = (...args) => {
      if (++calls === 2) throw new LogUnavailableError('thrown', false);
      return memory.append(...args);
    };
    const clock = new VirtualClock();
    const log = over(memory, { append });
    const runtime = await createRuntime({ log, machines: { counter }, clock, ...quiet });
    const ref = await runtime.start('counter', { id: '1' });
    await expect(ref.send({ type: 'X' })).rejects.toThrow('thrown');
    const second = ref.send({ type: 'END' });
    await clock.advance(2_000, () => turns(5));
    await second;
    await runtime.close();
  });

  it('closing does not wait for ever for an actor that feeds itself', async () => {
    const clock = new VirtualClock();
    const machine = createMachine({
      on: { T: { actions: ({ self }: { self: { send(event: { type: string }): void } }) => self.send({ type: 'T' }) } },
    });
    const memory = memoryLog({ clock });
    // In memory nothing else would get a turn between two appends.
    const append: EventLog['append'] = async (...args) => {
      await turns(1);
      return memory.append(...args);
    };
    const runtime = await createRuntime({ log: over(memory, { append }), machines: { machine }, clock, ...quiet });
    const ref = await runtime.start('machine', { id: '1' });
    await ref.send({ type: 'T' });
    const closing = runtime.close();
    await clock.advance(6_000, () => turns(3));
    await closing;
  });

  it('a callback that says what cannot be logged is disposed', async () => {
    let disposed = 0;
    const src = fromCallback(({ sendBack }) => {
      queueMicrotask(() => sendBack({ type: 'T', f() {} }));
      return () => void disposed++;
    });
    const machine = createMachine({
      initial: 'on',
      states: { on: { invoke: { src, onError: 'off' } }, off: {} },
    });
    const runtime = await createRuntime({ machines: { machine }, ...quiet });
    const ref = await runtime.start('machine', { id: '1' });
    await ref
      .waitFor((snapshot) => snapshot.status !== 'active' || snapshot.matches('off'))
      .catch((error: unknown) => error);
    expect(disposed).toBe(1);
  });
});

describe('damage in the index', () => {
  it('of one wake-up leaves the wake-ups of the others', async () => {
    const clock = new VirtualClock();
    const memory = memoryLog({ clock });
    const actors: EventLog['actors'] = async function* (query) {
      for await (const row of memory.actors(query))
        yield query?.wakes ? { ...row, wakeAt: row.stream === 'm-1' ? Number.NaN : row.wakeAt } : row;
    };
    const m = createMachine({ initial: 'a', states: { a: { after: { 100: 'b' } }, b: {} } });
    const before = await createRuntime({ log: memory, machines: { m }, clock, ...quiet });
    await before.start('m', { id: '1' });
    await before.start('m', { id: '2' });
    await before.close();
    const runtime = await createRuntime({ log: over(memory, { actors }), machines: { m }, clock, ...quiet });
    await clock.advance(200, () => runtime.idle());
    expect((await runtime.get('m-2')).getSnapshot().value).toBe('b');
  });

  it('a name that is no stream of an actor stops nobody', async () => {
    const memory = memoryLog();
    const actors: EventLog['actors'] = async function* (query) {
      if (query?.effects) {
        yield {
          stream: 'weird',
          revision: 0,
          machine: 'm',
          version: null,
          status: 'active',
          correlationId: '',
          wakeAt: null,
          effects: 1,
        };
      }
      yield* memory.actors(query);
    };
    const runtime = await createRuntime({ log: over(memory, { actors }), machines: { counter }, ...quiet });
    await runtime.start('counter', { id: '1' });
    await expect(runtime.get('counter-2')).rejects.toThrow(NotFoundError);
  });
});

describe('an actor that has ended', () => {
  it('33: refuses what comes, also from another reference', async () => {
    const runtime = await createRuntime({ machines: { counter }, ...quiet });
    const ref = await runtime.start('counter', { id: '1' });
    await ref.send({ type: 'END' });
    await expect(runtime.send('counter-1', { type: 'END' })).rejects.toThrow(ActorFinishedError);
  });
});

function fail(): never {
  throw new Error('must not be read');
}

it('a start that is too large is refused, and its id is free again', async () => {
  const runtime = await createRuntime({ log: memoryLog({ maxEventBytes: 2_000 }), machines: { counter }, ...quiet });
  const tooLarge = runtime.start('counter', { id: '1', input: 'x'.repeat(5_000) });
  await expect(tooLarge).rejects.toThrow(EventTooLargeError);
  await expect(runtime.get('counter-1')).rejects.toThrow(NotFoundError);
  expect((await runtime.start('counter', { id: '1' })).getSnapshot().status).toBe('active');
});
