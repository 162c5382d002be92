/** The structural hash of a machine: what changes it and what does not (H1, H2). */
import { describe, expect, it } from 'vitest';
import { and, assign, createMachine, fromPromise, not, raise, sendTo, setup, type AnyStateMachine } from 'xstate';
import { definitionHash } from '../../src/kernel/definition-hash.ts';

const make = (config: object = {}, more: object = {}): AnyStateMachine =>
  setup({
    actions: { act: () => {} },
    guards: { ok: () => true },
    delays: { pause: 10 },
    actors: { work: fromPromise(async () => 1) },
    ...more,
  }).createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { on: { GO: 'b' } }, b: {} },
    ...config,
  } as never) as unknown as AnyStateMachine;

const base = definitionHash(make());

describe('the hash of a definition', () => {
  it('is 16 hex digits, the same for an equal definition made again', () => {
    expect(base).toMatch(/^[0-9a-f]{16}$/);
    expect(definitionHash(make())).toBe(base);
  });

  const same: Record<string, AnyStateMachine> = {
    'a description': make({ description: 'tells' }),
    'metadata and tags': make({
      states: { a: { meta: { x: 1 }, tags: ['t'], description: 'd', on: { GO: 'b' } }, b: {} },
    }),
    'the version label': make({ version: '7' }),
    'the body of an implementation': make({}, { actions: { act: () => void base }, guards: { ok: () => false } }),
    'the body of an effect': make({}, { actors: { work: fromPromise(async () => 2) } }),
  };
  for (const [what, machine] of Object.entries(same))
    it(`does not change with ${what}`, () => expect(definitionHash(machine)).toBe(base));

  const other: Record<string, AnyStateMachine> = {
    'a state': make({ states: { a: { on: { GO: 'b' } }, b: {}, c: {} } }),
    'a target': make({ states: { a: { on: { GO: 'a' } }, b: {} } }),
    'a guard': make({ states: { a: { on: { GO: { target: 'b', guard: 'ok' } } }, b: {} } }),
    'a combined guard': make({ states: { a: { on: { GO: { target: 'b', guard: and(['ok', not('ok')]) } } }, b: {} } }),
    'an action': make({ entry: 'act' }),
    'an assign': make({ entry: assign({}) }),
    'a raise': make({ entry: raise({ type: 'GO' }) }),
    'the delay of a raise': make({ entry: raise({ type: 'GO' }, { delay: 5 }) }),
    'the target of a send': make({ entry: sendTo('x', { type: 'GO' }) }),
    'the parameters of an action': make({ entry: { type: 'act', params: { n: 1 } } }),
    'an invoke': make({ states: { a: { on: { GO: 'b' }, invoke: { src: 'work' } }, b: {} } }),
    'a delayed transition': make({ states: { a: { on: { GO: 'b' }, after: { 10: 'b' } }, b: {} } }),
    'the value of a delay': make({}, { delays: { pause: 20 } }),
    'the initial state': make({ initial: 'b' }),
    'the type of a state': make({ states: { a: { on: { GO: 'b' } }, b: { type: 'final' } } }),
    'the order of transitions': make({
      states: { a: { on: { GO: [{ target: 'b', guard: 'ok' }, { target: 'a' }] } }, b: {} },
    }),
    'the initial context': make({ context: { n: 1 } }),
    'the machine of a child': make({}, { actors: { work: createMachine({}) } }),
  };

  it('changes with everything else, each time to another one', () => {
    const hashes = Object.values(other).map(definitionHash);
    expect(hashes).not.toContain(base);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('changes with the order of candidates', () => {
    const order = (...candidates: object[]) =>
      definitionHash(make({ states: { a: { on: { GO: candidates } }, b: {} } }));
    expect(order({ target: 'b', guard: 'ok' }, { target: 'a' })).not.toBe(
      order({ target: 'a' }, { target: 'b', guard: 'ok' }),
    );
  });

  it('changes with what a child machine changes, at any depth, and bears machines that invoke themselves', () => {
    const nested = (n: number) =>
      make({}, { actors: { work: make({}, { actors: { work: createMachine({ context: { n } }) } }) } });
    expect(definitionHash(nested(1))).not.toBe(definitionHash(nested(2)));
    const recursive = setup({ actors: { self: createMachine({}) } }).createMachine({ invoke: { src: 'self' } });
    expect(definitionHash(recursive.provide({ actors: { self: recursive } as never }))).toMatch(/^[0-9a-f]{16}$/);
  });
});
