/** Two paths beside each other: which frame stands where (SS1), and what counts as a difference (SS2). */
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/replay/index.ts';
import { sideBySide } from '../../src/replay/side-by-side.ts';

const root = { address: '/', status: 'active', value: 'open', context: { n: 1 } };
const child = { address: '/pay:1', status: 'active', value: 'asking', context: {} };

function frame(revision: number, more: object = {}): Frame {
  return {
    ...{ revision, label: 'GO', payload: null, actors: [root, child] },
    transitions: [{ actor: '/', event: 'GO', to: 'open' }],
    facts: [{ revision: revision + 1, actor: '/pay:1', type: 'Asked', data: { type: 'Asked', n: 1 } }],
    effects: [{ actor: '/pay:1/call:2', src: 'call' }],
    timers: [{ timer: 3, actor: '/pay:1', id: 'late', dueAt: 9 }],
    ...more,
  } as unknown as Frame;
}

describe('two frames', () => {
  it.each<[what: string, other: object]>([
    ['the revisions', { revision: 7, lastRevision: 8 }],
    [
      'the numbers of lives',
      {
        actors: [root, { ...child, address: '/pay:4' }],
        facts: [{ revision: 9, actor: '/pay:4', type: 'Asked', data: { type: 'Asked', n: 1 } }],
        effects: [{ actor: '/pay:4/call:5', src: 'call' }],
        timers: [{ timer: 6, actor: '/pay:4', id: 'late', dueAt: 9 }],
      },
    ],
  ])('are the same where only %s differ', (_, other) => {
    expect(sideBySide([frame(0)], [frame(0, other)], [0]).firstDivergence).toBe(-1);
  });

  it.each<[what: string, other: object]>([
    ['a label', { label: 'STOP' }],
    ['what came from outside', { payload: 1 }],
    ['a state', { actors: [{ ...root, value: 'shut' }, child] }],
    ['a status', { actors: [{ ...root, status: 'done' }, child] }],
    ['a context', { actors: [root, { ...child, context: { n: 2 } }] }],
    ['an actor', { actors: [root] }],
    ['a way there', { transitions: [] }],
    ['a fact', { facts: [{ revision: 1, actor: '/pay:1', type: 'Asked', data: { type: 'Asked', n: 2 } }] }],
    ['an effect', { effects: [] }],
    ['a timer', { timers: [{ timer: 3, actor: '/pay:1', id: 'late', dueAt: 8 }] }],
  ])('differ where %s does', (_, other) => {
    expect(sideBySide([frame(0)], [frame(0, other)], [0]).firstDivergence).toBe(0);
  });
});

it('frames of one stimulus stand beside each other, and what was moved or is new stands alone', () => {
  const original = [0, 2, 4, 6].map((revision) => frame(revision));
  const fork = [0, 1, 2, 3].map((revision) => frame(revision));
  // 4 was moved before 2, and one was put in; 6 is gone.
  const { pairs, firstDivergence } = sideBySide(original, fork, [0, 4, undefined, 2]);
  expect(pairs).toEqual([
    [0, 0],
    [-1, 1],
    [-1, 2],
    [1, 3],
    [2, -1],
    [3, -1],
  ]);
  expect(firstDivergence).toBe(1);
});
