/** Two hosts that both believe an actor is theirs: the expected revision decides, nothing is lost, nothing is twice. */
import { describe, expect, it } from 'vitest';
import { assign, raise } from 'xstate';
import { effect, type EffectContext } from '../../src/runtime/effect.ts';
import { House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

const counter = createMachine({
  context: { by: [] },
  on: {
    ADD: { actions: assign({ by: ({ context, event }) => [...(context.by as string[]), event.by as string] }) },
    ARM: { actions: raise({ type: 'ADD', by: 'timer' }, { delay: 10 }) },
  },
});

const by = (ref: { getSnapshot(): { context: unknown } }) => (ref.getSnapshot().context as { by: string[] }).by;

describe('two writers', () => {
  it('take turns without loss and without repeat (invariants 7 and 25)', async () => {
    const house = new House();
    const [a, b] = [await house.open({ counter }), await house.open({ counter })];
    const refs = { a: await a.start('counter', { id: '1' }), b: await b.start('counter', { id: '1' }) };
    for (let i = 0; i < 4; i++) {
      await refs.a.send({ type: 'ADD', by: `a${i}` });
      await refs.b.send({ type: 'ADD', by: `b${i}` });
    }
    expect(by(refs.b)).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
    expect((await house.types('counter-1')).length).toBe(9);
  });

  it('sending at once both get their turn, each in its own order (invariant 22)', async () => {
    const house = new House();
    const refs = await Promise.all(
      [1, 2].map(async () => (await house.open({ counter })).start('counter', { id: '1' })),
    );
    await Promise.all(refs.flatMap((ref, r) => [0, 1, 2, 3, 4].map((i) => ref.send({ type: 'ADD', by: `${r}${i}` }))));
    const all = await (await house.open({ counter })).get('counter-1');
    const seen = by(all);
    expect([...seen].sort()).toEqual(['00', '01', '02', '03', '04', '10', '11', '12', '13', '14']);
    for (const r of ['0', '1'])
      expect(seen.filter((entry) => entry.startsWith(r))).toEqual([0, 1, 2, 3, 4].map((i) => `${r}${i}`));
    expect((await house.types('counter-1')).length).toBe(11);
  });

  it('decide about a lost effect once each, also when the decision was refused (invariants 12 and 13)', async () => {
    const house = new House();
    const runs: string[] = [];
    const working = (host: string) =>
      createMachine({
        context: { by: [] },
        invoke: { src: 'work' },
        on: { ADD: { actions: assign({ by: ({ event }) => [event.by as string] }) } },
      }).provide({
        actors: {
          work: effect(() => {
            runs.push(host);
            return new Promise(() => {});
          }),
        },
      });
    const first = await house.openToCrash({ worker: working('first') });
    await first.runtime.start('worker', { id: '1' });
    first.crash();
    const log = house.faulty();
    const open = log.hold();
    const second = await house.open({ worker: working('second') }, { log });
    const other = await house.open({ worker: working('other') }, { resume: false });
    await rest();
    await other.send('worker-1', { type: 'ADD', by: 'other' });
    open();
    await second.idle();
    await rest();
    await second.resume();
    await rest();
    expect(runs).toEqual(['first', 'other', 'second']);
    expect((await second.get('worker-1')).getSnapshot().status).toBe('active');
  });

  it('with the same message id apply it once (invariant 9)', async () => {
    const house = new House();
    const refs = await Promise.all(
      [1, 2].map(async () => (await house.open({ counter })).start('counter', { id: '1' })),
    );
    await Promise.all(refs.map((ref) => ref.send({ type: 'ADD', by: 'm' }, { messageId: 'm' })));
    expect(await house.types('counter-1')).toEqual(['ActorStarted', 'EventReceived']);
  });

  it('fire a timer once (invariant 20)', async () => {
    const house = new House();
    const refs = await Promise.all(
      [1, 2].map(async () => (await house.open({ counter })).start('counter', { id: '1' })),
    );
    await refs[0]!.send({ type: 'ARM' });
    await refs[1]!.send({ type: 'ADD', by: 'b' });
    await house.advance(10);
    expect((await house.types('counter-1')).filter((type) => type === 'TimerFired').length).toBe(1);
  });

  it('record one outcome of an effect (invariant 13)', async () => {
    const house = new House();
    const finish: ((value: unknown) => void)[] = [];
    const runs: EffectContext[] = [];
    const src = effect(({ context }) => {
      runs.push(context);
      return new Promise<unknown>((resolve) => finish.push(resolve));
    });
    const job = createMachine({
      context: { got: null },
      initial: 'on',
      states: {
        on: {
          invoke: { src, onDone: { target: 'done', actions: assign({ got: ({ event }) => event.output as unknown }) } },
        },
        done: {},
      },
    });
    const first = await house.open({ job });
    await first.start('job', { id: '1' });
    await rest();
    const second = await house.open({ job });
    await rest();
    expect(runs.length).toBe(2);
    expect(runs[0]!.idempotencyKey).toBe(runs[1]!.idempotencyKey);
    finish[0]!('first');
    finish[1]!('second');
    await rest();
    const outcomes = (await house.events('job-1')).filter(({ type }) => type === 'EffectSucceeded');
    expect(outcomes.length).toBe(1);
    const ref = await second.get('job-1');
    expect(ref.getSnapshot()).toMatchObject({ value: 'done', context: { got: outcomes[0]!.data.output } });
  });

  it('learn of an end that the other one wrote', async () => {
    const house = new House();
    const brief = createMachine({
      initial: 'a',
      states: { a: { on: { END: 'b' } }, b: { type: 'final' } },
      output: 'over',
    });
    const refs = await Promise.all([1, 2].map(async () => (await house.open({ brief })).start('brief', { id: '1' })));
    const output = refs[1]!.output();
    await refs[0]!.send({ type: 'END' });
    await expect(refs[1]!.send({ type: 'END' })).rejects.toMatchObject({ code: 'REWAKE_ACTOR_FINISHED' });
    expect(await output).toBe('over');
  });
});
