/** Another past: FK1 to FK3 of src/runtime/fork.ts. */
import { expect, expectTypeOf, test } from 'vitest';
import { assign, emit, fromPromise, setup } from 'xstate';
import {
  ActorExistsError,
  effect,
  InvalidArgumentError,
  random,
  type PastStimulus,
  uuid,
  type ActorRef,
  type EffectArguments,
} from '../../src/index.ts';
import { failureOf, House } from '../support/house.ts';

const drawing = (keys: string[] = []) =>
  setup({
    types: {
      context: {} as { name: string; draws: number[]; ids: string[] },
      input: {} as { name: string },
      events: {} as { type: 'DRAW'; n: number } | { type: 'PAY' },
      emitted: {} as { type: 'Drawn'; draw: number },
    },
    actors: {
      pay: effect(({ context }: EffectArguments<unknown>) => {
        keys.push(context.idempotencyKey);
        return keys.length > 1 ? Promise.resolve('paid') : new Promise<string>(() => {});
      }),
    },
  }).createMachine({
    context: ({ input }) => ({ name: input.name, draws: [], ids: [] }),
    initial: 'drawing',
    states: {
      drawing: {
        on: {
          DRAW: {
            actions: [
              assign({
                draws: ({ context, event }) => [...context.draws, event.n * random()],
                ids: ({ context }) => [...context.ids, uuid()],
              }),
              emit(({ context }) => ({ type: 'Drawn', draw: context.draws.at(-1)! })),
            ],
          },
          PAY: 'paying',
        },
      },
      paying: { invoke: { src: 'pay', onDone: 'paid' } },
      paid: { type: 'final' },
    },
  });

async function drawn() {
  const house = new House();
  const keys: string[] = [];
  const runtime = await house.open({ lots: drawing(keys) });
  const ref = await runtime.start('lots', { id: '1', input: { name: 'ann' }, correlationId: 'c-1' });
  for (const n of [1, 2, 3]) await ref.send({ type: 'DRAW', n });
  return { house, runtime, ref, keys };
}

test('FK1, FK3: a copy has the past of the original, chance included, and names its origin', async () => {
  const { house, runtime, ref } = await drawn();
  const original = await house.events('lots-1');
  const copy = await runtime.fork('lots-1', { at: 4, id: '2' });
  expect(copy.stream).toBe('lots-2');
  expect(copy.getSnapshot().context).toMatchObject({
    name: 'ann',
    draws: ref.getSnapshot().context.draws.slice(0, 2),
    ids: ref.getSnapshot().context.ids.slice(0, 2),
  });
  const events = await house.events('lots-2');
  expect(events.map(({ type }) => type)).toEqual(['ActorStarted', 'EventReceived', 'Drawn', 'EventReceived', 'Drawn']);
  expect(events[0]!.data.origin).toEqual({ stream: 'lots-1', revision: 4, correlationId: 'c-1' });
  const correlations = new Set(events.map(({ meta }) => meta.$correlationId));
  expect(correlations.size).toBe(1);
  expect(correlations.has('c-1')).toBe(false);
  const ids = [...original, ...events].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(await house.events('lots-1')).toEqual(original);
});

test('a copy cut between a stimulus and its facts takes the facts along', async () => {
  const { house, runtime } = await drawn();
  await runtime.fork('lots-1', { at: 3, id: '2' });
  expect((await house.types('lots-2')).at(-1)).toBe('Drawn');
});

test('both go on, each by itself, and a fresh host folds both', async () => {
  const { house, runtime, ref } = await drawn();
  const copy = await runtime.fork('lots-1', { at: 2, id: '2' });
  expectTypeOf(copy).toEqualTypeOf<ActorRef<ReturnType<typeof drawing>>>();
  await copy.send({ type: 'DRAW', n: 9 });
  await ref.send({ type: 'DRAW', n: 9 });
  const other = await house.open({ lots: drawing() });
  for (const each of [ref, copy]) {
    expect((await other.get(each.stream)).getSnapshot().context).toEqual(each.getSnapshot().context);
  }
});

test('FK2: from the first edit on the past is lived through anew', async () => {
  const { house, runtime, ref } = await drawn();
  const { draws } = ref.getSnapshot().context;
  const copy = await runtime.fork('lots-1', {
    at: 6,
    id: '2',
    edit: (stimulus) => {
      if (stimulus.type !== 'EventReceived' || stimulus.event.n === 1) return stimulus;
      return stimulus.event.n === 3 ? undefined : { ...stimulus, event: { ...stimulus.event, n: 20 } };
    },
  });
  expect(copy.getSnapshot().context.draws).toEqual([draws[0], draws[1]! * 10]);
  expect(await house.types('lots-2')).toEqual(['ActorStarted', 'EventReceived', 'Drawn', 'EventReceived', 'Drawn']);
  const other = await house.open({ lots: drawing() });
  expect((await other.get('lots-2')).getSnapshot().context).toEqual(copy.getSnapshot().context);
});

test('another input is another past from the beginning', async () => {
  const { runtime, ref } = await drawn();
  const copy = await runtime.fork('lots-1', {
    at: 2,
    id: '2',
    edit: (stimulus) => (stimulus.type === 'ActorStarted' ? { ...stimulus, input: { name: 'bob' } } : stimulus),
  });
  expect(copy.getSnapshot().context).toMatchObject({ name: 'bob', draws: [ref.getSnapshot().context.draws[0]] });
});

test('an outcome that reaches nobody any more is left out', async () => {
  const { house, runtime, ref, keys } = await drawn();
  keys.push('so that it is paid');
  await ref.send({ type: 'PAY' });
  await ref.output();
  const all = await house.events('lots-1');
  const copy = await runtime.fork('lots-1', {
    at: all.length - 1,
    id: '2',
    edit: (stimulus) => (stimulus.type === 'EventReceived' && stimulus.event.type === 'PAY' ? undefined : stimulus),
  });
  expect(copy.getSnapshot()).toMatchObject({ status: 'active', value: 'drawing' });
  expect(await house.types('lots-2')).not.toContain('EffectSucceeded');
});

test('FK3: an effect that is still to be run has a key of its own in the copy', async () => {
  const { house, runtime, ref, keys } = await drawn();
  await ref.send({ type: 'PAY' });
  const { length } = await house.events('lots-1');
  const copy = await runtime.fork('lots-1', { at: length - 1, id: '2' });
  await copy.waitFor((snapshot) => snapshot.matches('paid'));
  expect(keys.length).toBe(2);
  expect(keys[0]).not.toBe(keys[1]);
  expect(ref.getSnapshot().value).toBe('paying');
});

const choosing = (given: string[]) =>
  setup({
    types: { events: {} as { type: 'GO'; to: 'soon' | 'late' | 'charging' | 'refunding' } },
    actors: {
      charge: fromPromise(async () => 'charged'),
      refund: effect(() => {
        given.push('refund');
        return new Promise<string>(() => {});
      }),
    },
  }).createMachine({
    initial: 'idle',
    states: {
      idle: {
        on: {
          GO: [
            { guard: ({ event }) => event.to === 'soon', target: 'soon' },
            { guard: ({ event }) => event.to === 'late', target: 'late' },
            { guard: ({ event }) => event.to === 'charging', target: 'charging' },
            { target: 'refunding' },
          ],
        },
      },
      soon: { after: { 100: 'over' } },
      late: { after: { 10_000: 'over' } },
      charging: { invoke: { id: 'call', src: 'charge', onDone: 'over' } },
      refunding: { invoke: { id: 'call', src: 'refund', onDone: 'over' } },
      over: {},
    },
  });

/** A copy whose GO leads elsewhere. */
async function chosen(to: 'soon' | 'charging', instead: 'late' | 'refunding') {
  const house = new House();
  const given: string[] = [];
  const runtime = await house.open({ choice: choosing(given) });
  const ref = await runtime.start('choice', { id: '1' });
  await ref.send({ type: 'GO', to });
  await house.advance(100);
  expect(ref.getSnapshot().value).toBe('over');
  const copy = await runtime.fork('choice-1', {
    at: 2,
    id: '2',
    edit: (stimulus) =>
      stimulus.type === 'EventReceived' ? { ...stimulus, event: { type: 'GO', to: instead } } : stimulus,
  });
  return { house, copy, given };
}

test('FK4, 19: no timer of the copy fires before it is due, though one of its number did in the original', async () => {
  const { house, copy } = await chosen('soon', 'late');
  expect(copy.getSnapshot().value).toBe('late');
  await house.advance(9_899);
  expect(copy.getSnapshot().value).toBe('late');
  await house.advance(1);
  expect(copy.getSnapshot().value).toBe('over');
});

test('FK4: an effect of the copy does not have the outcome that another one had at its address', async () => {
  const { copy, given } = await chosen('charging', 'refunding');
  expect(copy.getSnapshot().value).toBe('refunding');
  expect(given).toEqual(['refund']);
});

test('FK5: a machine that tells the id of its root tells the same in a copy, and in a copy of that', async () => {
  const house = new House();
  const named = setup({ types: { context: {} as { me: string } } }).createMachine({
    context: ({ self }) => ({ me: self.id }),
    on: { TELL: { actions: emit(({ self }) => ({ type: 'Told', me: self.id })) } },
  });
  const runtime = await house.open({ named });
  const ref = await runtime.start('named', { id: '1' });
  await ref.send({ type: 'TELL' });
  const copy = await runtime.fork('named-1', { at: 1, id: '2' });
  await copy.send({ type: 'TELL' });
  const third = await runtime.fork('named-2', { at: 3, id: '3', edit: (stimulus) => ({ ...stimulus }) });
  await runtime.rewind('named-3', { to: 1 });
  await third.send({ type: 'TELL' });
  expect((await house.facts('named-3')).map(({ me }) => me)).toEqual(['1', '1', '1']);
  const other = await house.open({ named });
  for (const stream of ['named-1', 'named-2', 'named-3']) {
    expect((await other.get(stream)).getSnapshot().context).toEqual({ me: '1' });
  }
});

test('an edit of a past before a rebase, of another type, or without its start is refused', async () => {
  const { runtime } = await drawn();
  const edits = [
    () => undefined,
    (stimulus: { type: string }) => ({ ...stimulus, type: 'TimerFired' }),
    (stimulus: { type: string; revision: number }) => (stimulus.revision === 1 ? 'x' : stimulus),
  ];
  for (const edit of edits) {
    const error = await failureOf(runtime.fork('lots-1', { at: 2, id: '2', edit: edit as never }));
    expect(error).toBeInstanceOf(InvalidArgumentError);
  }
  await runtime.rewind('lots-1', { to: 2 });
  const edit = (stimulus: { type: string }) => (stimulus.type === 'EventReceived' ? undefined : stimulus);
  const error = await failureOf(runtime.fork('lots-1', { at: 7, id: '2', edit: edit as never }));
  expect(error.message).toMatch(/rebase/);
  expect((await runtime.fork('lots-1', { at: 7, id: '2' })).getSnapshot().context.draws.length).toBe(1);
});

test('a copy that is made again is the one that is there, also when it has gone on', async () => {
  const { house, runtime } = await drawn();
  const copy = await runtime.fork('lots-1', { at: 2, id: '2' });
  await copy.send({ type: 'DRAW', n: 9 });
  const { length } = await house.events('lots-2');
  const again = await runtime.fork('lots-1', { at: 2, id: '2' });
  expect(again.getSnapshot().context).toEqual(copy.getSnapshot().context);
  expect((await house.events('lots-2')).length).toBe(length);
});

test('an id that is taken by another past is refused', async () => {
  const { runtime } = await drawn();
  await runtime.fork('lots-1', { at: 2, id: '2' });
  const edit = (stimulus: PastStimulus) => (stimulus.revision === 1 ? undefined : stimulus);
  for (const options of [{ at: 4 }, { at: 2, edit }]) {
    const error = await failureOf(runtime.fork('lots-1', { ...options, id: '2' }));
    expect(error).toBeInstanceOf(ActorExistsError);
  }
});
