/** Expressions over frames: what they see, and what they do not (PE1, PE2). */
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src/errors.ts';
import type { Frame } from '../../src/replay/frame.ts';
import { framePredicate } from '../../src/replay/predicate.ts';

const frame = {
  ...{
    stream: 'order-1',
    revision: 7,
    type: 'EventReceived',
    label: 'PAY',
    at: 5,
    payload: { type: 'PAY', amount: 20 },
  },
  facts: [{ revision: 8, actor: '/', type: 'OrderPaid', data: {} }],
  actors: [
    { address: '/', kind: 'machine', status: 'active', value: { paying: 'card' }, context: { total: 120, cart: null } },
    { address: '/ship:2', kind: 'effect', status: 'active', value: null, context: undefined },
  ],
  effects: [{ actor: '/ship:2', src: 'ship', since: 7, startedAt: 5, restarts: 0 }],
} as unknown as Frame;

describe('an expression', () => {
  it.each([
    ['context.total > 100', true],
    ['context.total > 120', false],
    ["state.matches('paying')", true],
    ["state.matches('paying.card')", true],
    ["state.matches('failed')", false],
    ["`${state}` === 'paying.card'", true],
    ["label === 'PAY' && payload.amount >= 20", true],
    ["facts.includes('OrderPaid')", true],
    ["effects.includes('ship')", true],
    ["actors['/ship:2'].kind === 'effect'", true],
    ["status === 'active' && revision === 7 && at === 5", true],
    ['frame.stream.startsWith("order")', true],
    ['context.cart.lines.length > 3', false],
    ['context.nothing', false],
    ['context.total > 100 // of it', true],
  ])('%s is %s', (expression, holds) => {
    expect(framePredicate(expression)(frame)).toBe(holds);
  });

  it.each(['context.(', '', 'a; b', '1) || (2', 'return 1', 'context.total >', '}); ({'])(
    'is refused where it is none: %s',
    (expression) => {
      expect(() => framePredicate(expression)).toThrow(InvalidArgumentError);
    },
  );

  it.each(['process.exit()', 'require("fs")', 'globalThis.process.pid', 'contxt.total', "eval('1')", 'fetch("")'])(
    'sees nothing but the frame: %s',
    (expression) => {
      const predicate = framePredicate(expression);
      const asked = () => predicate(frame);
      // Of what is not there either nothing holds, or it is said.
      if (expression.startsWith('globalThis')) expect(asked()).toBe(false);
      else expect(asked).toThrow(/at revision 7: expected an expression over revision, type, label/);
    },
  );
});
