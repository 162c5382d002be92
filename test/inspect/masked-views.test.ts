/** Answers without payloads (MV1): what is hidden of a frame, a blame and the handlers, and what stays. */
import { describe, expect, it } from 'vitest';
import type { HandlerHistory } from '../../projections/handler-history.ts';
import { maskBlame, maskFrame, maskHandlers } from '../../src/inspect/masked-views.ts';
import type { Blame, Frame } from '../../src/replay/index.ts';

const modes = ['masked', 'none'] as const;

describe('a frame', () => {
  const frame = {
    ...{ stream: 'order-1', revision: 3, type: 'EventReceived', label: 'PAY', divergence: 'the log says secret' },
    payload: { type: 'PAY', card: 'secret' },
    facts: [{ revision: 4, actor: '/', type: 'Paid', data: { type: 'Paid', card: 'secret' } }],
    changes: [{ actor: '/', patch: [{ op: 'add', path: '/card', value: 'secret' }] }],
    actors: [
      { address: '/', value: 'paid', context: { card: 'secret' }, output: 'secret' },
      { address: '/a:1', value: null, context: undefined, error: { $error: { name: 'Declined', message: 'secret' } } },
    ],
  } as unknown as Frame;

  it.each(modes)('with %s has no values, and tells the story', (mode) => {
    const masked = maskFrame(frame, mode);
    expect(JSON.stringify(masked)).not.toContain('secret');
    const { revision, label, divergence, payload, facts, changes, actors } = masked;
    expect([revision, label, divergence]).toEqual([
      ...[3, 'PAY', 'The code at hand does something else than was recorded.'],
    ]);
    expect(payload).toHaveProperty('type', 'PAY');
    expect(facts[0]!.data).toHaveProperty('type', 'Paid');
    expect(changes[0]!.patch[0]!.path).toBe('/card');
    expect(actors.map(({ value, context }) => [value, context === undefined])).toEqual([
      ['paid', false],
      [null, true],
    ]);
    expect(maskFrame({ ...frame, divergence: null }, mode).divergence).toBe(null);
  });

  it('of what is no event has no type that is one', () => {
    const other = { ...frame, type: 'ActorStarted', payload: { type: 'secret' } } as Frame;
    expect(maskFrame(other, 'masked').payload).toEqual({ type: '•••' });
  });

  it('is as it is where nothing is hidden', () => {
    expect(maskFrame(frame, 'full')).toBe(frame);
  });
});

describe('a blame', () => {
  const change = { by: { label: 'PAY' }, from: 'secret', to: undefined };
  const blame = { path: '/context/card', value: 'secret', changed: change, earlier: [change] } as unknown as Blame;

  it.each(modes)('with %s has no values', (mode) => {
    const masked = maskBlame(blame, mode);
    expect(JSON.stringify(masked)).not.toContain('secret');
    expect(masked.changed).toMatchObject({ by: { label: 'PAY' }, to: undefined });
    expect(maskBlame({ ...blame, changed: undefined }, mode).changed).toBe(undefined);
  });

  it.each(['/state', '/state/paying', '/status'])('of %s hides nothing', (path) => {
    const told = { ...blame, path };
    expect(maskBlame(told, 'masked')).toBe(told);
  });
});

describe('the handlers', () => {
  const error = { class: 'transient', name: 'Declined', code: 'secret', message: 'secret' };
  const run = {
    ...{ order: 0, stream: 'order-1', revision: 5, handler: 'mend', scope: 'step', subject: 'pay', attempt: 1 },
    ...{ startedAt: 1_000, endedAt: 2_000, outcome: 'completed', action: 'retry', error, failure: null },
  };
  const history = { runs: [run, { ...run, failure: error }], rewinds: [] } as unknown as HandlerHistory;

  it.each(modes)('with %s are told, and what errors say is not', (mode) => {
    const masked = maskHandlers(history, mode);
    expect(JSON.stringify(masked)).not.toContain('secret');
    const { error: _, failure: __, ...kept } = run;
    expect(masked).toMatchObject({
      runs: [
        { ...kept, error: { class: 'transient', name: 'Declined' }, failure: null },
        { ...kept, failure: { name: 'Declined' } },
      ],
      rewinds: [],
    });
    expect(maskHandlers(history, 'full')).toEqual(history);
  });
});
