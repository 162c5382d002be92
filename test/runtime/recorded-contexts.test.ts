/**
 * What the log says of contexts and of definitions, for who reads it without the code.
 */
import { describe, expect, it } from 'vitest';
import { assign, createMachine, fromPromise, setup } from 'xstate';
import {
  createRuntime,
  definitionHash,
  memoryLog,
  VirtualClock,
  type EventLog,
  type RuntimeOptions,
} from '../../src/index.ts';
import { chartOf } from '../../src/kernel/chart.ts';
import { contextsOf } from '../../src/kernel/contexts.ts';
import { applyPatch } from '../../src/kernel/json-patch.ts';
import type { Json } from '../../src/log/json.ts';

const cart = setup({
  types: {
    context: {} as { items: { name: string }[]; blob?: string; at?: Date },
    events: {} as { type: 'ADD'; name: string } | { type: 'LOOK' } | { type: 'BLOAT'; size: number } | { type: 'DATE' },
  },
}).createMachine({
  id: 'cart',
  context: { items: [] },
  on: {
    ADD: { actions: assign({ items: ({ context, event }) => [...context.items, { name: event.name }] }) },
    LOOK: {},
    BLOAT: { actions: assign({ blob: ({ event }) => 'x'.repeat(event.size) }) },
    DATE: { actions: assign({ at: new Date(0) }) },
  },
});

async function recorded(log: EventLog, stream: string) {
  const contexts = [];
  for await (const event of log.readStream(stream)) contexts.push(contextsOf(JSON.parse(event.data) as object));
  return contexts;
}

async function runtimeOn(options: Partial<RuntimeOptions> = {}) {
  const clock = new VirtualClock();
  const log = memoryLog({ clock });
  const runtime = await createRuntime({ log, machines: { cart }, clock, keepLogOpen: true, ...options });
  return { log, runtime };
}

describe('what changed in contexts', () => {
  it('is in the event that changed it, and nowhere else', async () => {
    const { log, runtime } = await runtimeOn();
    const ref = await runtime.start('cart', { id: '1' });
    await ref.send({ type: 'ADD', name: 'tea' });
    await ref.send({ type: 'LOOK' });
    await ref.send({ type: 'DATE' });
    await runtime.close();
    expect(await recorded(log, 'cart-1')).toEqual([
      [{ actor: '/', patch: [{ op: 'replace', path: '', value: { items: [] } }] }],
      [{ actor: '/', patch: [{ op: 'add', path: '/items/0', value: { name: 'tea' } }] }],
      [],
      [{ actor: '/', patch: [{ op: 'add', path: '/at', value: { $date: '1970-01-01T00:00:00.000Z' } }] }],
    ]);
  });

  it('applied one after the other is the context, of children too, over restarts and snapshots', async () => {
    const child = setup({ actors: { work: fromPromise(async () => 7) } }).createMachine({
      context: { result: 0, seen: [] as number[] },
      initial: 'working',
      states: {
        working: {
          invoke: {
            src: 'work',
            onDone: { target: 'resting', actions: assign({ result: ({ event }) => event.output }) },
          },
        },
        resting: {},
      },
    });
    const parent = setup({ actors: { child } }).createMachine({
      context: ({ spawn }) => ({ count: 0, ref: spawn('child', { id: 'child' }) }),
      on: { TICK: { actions: assign({ count: ({ context }) => context.count + 1 }) } },
    });
    const clock = new VirtualClock();
    const log = memoryLog({ clock });
    const options = { log, machines: { parent }, clock, keepLogOpen: true, snapshots: { every: 2 } };
    for (let life = 0; life < 3; life++) {
      const runtime = await createRuntime(options);
      const ref = await runtime.start('parent', { id: '1' });
      await ref.send({ type: 'TICK' });
      await runtime.idle();
      await runtime.close();
    }
    const state = new Map<string, Json | undefined>();
    for (const records of await recorded(log, 'parent-1')) {
      for (const record of records) {
        if ('patch' in record) state.set(record.actor, applyPatch(state.get(record.actor), record.patch));
      }
    }
    expect(Object.fromEntries(state)).toEqual({
      '/': { count: 3, ref: { $actor: '/child:1' } },
      '/child:1': { result: 7, seen: [] },
    });
  });

  it('is left out where it would be long, and that is said', async () => {
    const { log, runtime } = await runtimeOn();
    const ref = await runtime.start('cart', { id: '1' });
    await ref.send({ type: 'BLOAT', size: 70_000 });
    await runtime.close();
    expect((await recorded(log, 'cart-1'))[1]).toEqual([{ actor: '/', omitted: true }]);
  });

  it('does not make an event too large that fits without it', async () => {
    const clock = new VirtualClock();
    const log = memoryLog({ clock, maxEventBytes: 400 });
    const { runtime } = await runtimeOn({ log });
    const ref = await runtime.start('cart', { id: '1' });
    await ref.send({ type: 'BLOAT', size: 300 });
    expect(ref.getSnapshot().context.blob).toHaveLength(300);
    await runtime.close();
    expect((await recorded(log, 'cart-1'))[1]).toEqual([]);
  });

  it('is not recorded by a runtime that is told not to', async () => {
    const { log, runtime } = await runtimeOn({ recordContexts: false });
    const ref = await runtime.start('cart', { id: '1' });
    await ref.send({ type: 'ADD', name: 'tea' });
    await runtime.close();
    expect(await recorded(log, 'cart-1')).toEqual([[], []]);
  });

  it('is no part of what a fold compares', async () => {
    const { log, runtime } = await runtimeOn();
    await (await runtime.start('cart', { id: '1' })).send({ type: 'ADD', name: 'tea' });
    await runtime.close();
    const { context: _, ...config } = cart.config;
    const changed = createMachine({ ...config, context: { items: [], added: true } } as never);
    const again = await createRuntime({ log, machines: { cart: changed }, keepLogOpen: true });
    const ref = await again.get('cart-1');
    expect(ref.getSnapshot().context).toMatchObject({ added: true });
    await again.close();
  });

  it('is refused as an option that is no boolean', async () => {
    await expect(createRuntime({ machines: { cart }, recordContexts: 'yes' as never })).rejects.toThrow(
      'createRuntime({ recordContexts }): expected true or false, found "yes"',
    );
  });
});

describe('the chart of a definition', () => {
  it('is in the log under the hash that the actor names', async () => {
    const { log, runtime } = await runtimeOn();
    await runtime.start('cart', { id: '1' });
    await runtime.close();
    for await (const { data } of log.readStream('cart-1', { limit: 1 })) {
      const { definition } = JSON.parse(data) as { definition: string };
      expect(definition).toBe(definitionHash(cart));
      expect(JSON.parse((await log.definitions!.load(definition))!)).toEqual(chartOf(cart));
    }
    expect.assertions(2);
  });

  it('is kept by whoever goes on with an actor, where nobody kept it', async () => {
    const { log, runtime } = await runtimeOn();
    await runtime.start('cart', { id: '1' });
    await runtime.close();
    const kept: string[] = [];
    const save = async (hash: string) => void kept.push(hash);
    const again = await createRuntime({ log: keepingDefinitions(log, save), machines: { cart } });
    await again.get('cart-1');
    await again.get('cart-1');
    await again.close();
    expect(kept).toEqual([definitionHash(cart)]);
  });

  it('is nothing that a start fails with', async () => {
    const log = keepingDefinitions(memoryLog(), () => Promise.reject(new Error('full')));
    const runtime = await createRuntime({ log, machines: { cart } });
    const ref = await runtime.start('cart', { id: '2' });
    expect(ref.getSnapshot().status).toBe('active');
    await runtime.close();
  });
});

/** The log, with another place for definitions. */
function keepingDefinitions(log: EventLog, save: (hash: string) => Promise<void>): EventLog {
  const definitions = { load: async () => undefined, save };
  return new Proxy(log, {
    get(target, key) {
      if (key === 'definitions') return definitions;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
