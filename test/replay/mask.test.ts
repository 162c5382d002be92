/** What is hidden of a log and what stays, so that its story can be followed: MK1 and MK2 of src/replay/mask.ts. */
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/index.ts';
import { labelOf } from '../../src/replay/index.ts';
import { maskData, maskEvent, maskPatch, maskValue } from '../../src/replay/mask.ts';

describe('a value that is hidden', () => {
  it.each<[value: Json, masked: Json]>([
    ['text', '•••'],
    [42, 0],
    [true, false],
    [null, null],
    [
      [1, 'a', [false]],
      [0, '•••', [false]],
    ],
    [{ a: { b: 'c' } }, { a: { b: '•••' } }],
    [{ $date: '2026-01-01' }, { $date: '•••' }],
    [{ $map: [['key', 1]] }, { $map: [['•••', 0]] }],
    [{ $actor: '/pay:1' }, { $actor: '/pay:1' }],
    [{ $undefined: true }, { $undefined: true }],
    [
      { $actor: '/pay:1', more: 'x' },
      { $actor: '•••', more: '•••' },
    ],
    [
      { $instance: 'Money', value: { cents: 5 } },
      { $instance: 'Money', value: { cents: 0 } },
    ],
    [
      {
        $error: {
          name: 'Declined',
          message: 'card 4711',
          code: 'E1',
          cause: { $error: { name: 'Why', message: 'x' } },
        },
      },
      { $error: { name: 'Declined', message: '•••', code: '•••', cause: { $error: { name: 'Why', message: '•••' } } } },
    ],
    // Of a program that calls something of its own so.
    [{ $error: null }, { $error: null }],
    [{ $error: 'secret' }, { $error: '•••' }],
    [{ $error: { name: { first: 'secret' } } }, { $error: { name: { first: '•••' } } }],
  ])('MK1: keeps its shape: %j', (value, masked) => {
    expect(maskValue(value, 'masked')).toEqual(masked);
    expect(maskValue(value, 'full')).toEqual(value);
    expect(maskValue(value, 'none')).toBe(null);
  });

  it('MK2: is not the type of an event, nor the path of a change', () => {
    expect(maskEvent({ type: 'PAY', amount: 3 }, 'masked')).toEqual({ type: 'PAY', amount: 0 });
    expect(maskEvent({ type: 'PAY', amount: 3 }, 'none')).toEqual({ type: 'PAY' });
    expect(
      maskPatch(
        [
          { op: 'replace', path: '/card', value: 4711 },
          { op: 'remove', path: '/old' },
        ],
        'masked',
      ),
    ).toEqual([
      { op: 'replace', path: '/card', value: 0 },
      { op: 'remove', path: '/old' },
    ]);
  });
});

describe('an event of a log whose payload is hidden', () => {
  it.each<[what: string, type: string, data: { readonly [key: string]: Json }, label: string]>([
    ['a start', 'ActorStarted', { at: 1, machine: 'order', input: 'secret' }, 'started'],
    ['an event', 'EventReceived', { to: '/', event: { type: 'PAY', card: 'secret' } }, 'PAY'],
    ['an answer', 'EffectSucceeded', { actor: '/charge:1', output: { $devalue: '["secret"]' } }, 'charge done'],
    ['a failure', 'EffectFailed', { actor: '/charge:1', error: { message: 'secret' } }, 'charge failed'],
    ['a value', 'EffectProgressed', { actor: '/charge:1', channel: 'next', value: 'secret' }, 'charge gave a value'],
    [
      'a checkpoint',
      'EffectProgressed',
      { actor: '/charge:1', channel: 'checkpoint', value: { type: 'secret' } },
      'charge checkpoint',
    ],
    [
      'an event of an effect',
      'EffectProgressed',
      { actor: '/charge:1', channel: 'parent', value: { type: 'CHARGED', card: 'secret' } },
      'CHARGED',
    ],
    [
      'a fact of an effect',
      'EffectProgressed',
      { actor: '/charge:1', channel: 'emit', value: { type: 'Charged', card: 'secret' } },
      'charge told Charged',
    ],
    [
      'an effect that has not begun',
      'EffectProgressed',
      { actor: '/charge:1', channel: 'interrupted', value: 'untouched' },
      'charge left to the next host',
    ],
    ['a stop', 'ActorStopped', { reason: 'secret' }, 'stopped'],
    ['a rewind', 'ActorRebased', { reason: 'rewound', to: 3, state: 'secret' }, 'rewound to 3'],
    ['a migration', 'ActorRebased', { reason: 'migrated', version: '2', state: 'secret' }, 'migrated to 2'],
    ['a compaction', 'ActorRebased', { reason: 'compacted', input: 'secret', state: 'secret' }, 'compacted'],
    [
      'a change of a context',
      'EventReceived',
      { event: { type: 'PAY' }, contexts: [{ actor: '/', patch: [{ op: 'add', path: '/card', value: 'secret' }] }] },
      'PAY',
    ],
  ])('MK2: is called as before: %s', (_, type, data, label) => {
    for (const mode of ['masked', 'none'] as const) {
      const masked = maskData({ type, meta: {} }, data, mode);
      expect(JSON.stringify(masked)).not.toContain('secret');
      expect(labelOf({ type, meta: {}, data: JSON.stringify(masked) })).toBe(label);
    }
    expect(maskData({ type, meta: {} }, data, 'full')).toBe(data);
  });

  it('is a fact, too, of which only its type is told', () => {
    const data = { type: 'Charged', card: 'secret' };
    expect(maskData({ type: 'Charged', meta: { actor: '/' } }, data, 'masked')).toEqual({
      type: 'Charged',
      card: '•••',
    });
    expect(maskData({ type: 'Charged', meta: { actor: '/' } }, data, 'none')).toEqual({ type: 'Charged' });
  });
});
