/**
 * What happens to a machine from outside: scripts. Owns the steps and their arbitrary; how one is played is in trace.ts.
 *
 * S1  Every step is valid in every state: effects are chosen modulo the number of open ones, and a step that finds none
 *     does nothing. So any script fits any machine, and every shrunk script is valid.
 */
import fc from 'fast-check';
import { InvalidArgumentError } from '../../errors.ts';
import { externalEvents } from './chart.ts';
import type { EffectAct } from './effect-desk.ts';

/** One thing that happens to a machine from outside. */
export type ScriptStep =
  | { readonly type: 'send'; readonly event: { readonly type: string; readonly n: number } }
  /** Time goes on, from one due timer to the next. */
  | { readonly type: 'advance'; readonly ms: number }
  /**
   * Resolves or rejects a promise, makes an observable go on or end, or a callback send to its parent: the open effect at
   * `index`, modulo how many there are.
   */
  | { readonly type: 'effect'; readonly index: number; readonly act: EffectAct; readonly n: number };

const n = fc.nat(5);
const event = fc.record({ type: fc.constantFrom(...externalEvents, ...externalEvents, 'a.x', 'b.y'), n });
const step: fc.Arbitrary<ScriptStep> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('send' as const), event }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('advance' as const), ms: fc.constantFrom(10, 5, 20, 15, 40, 7) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('effect' as const),
      index: fc.nat(7),
      act: fc.constantFrom<EffectAct[]>('value', 'value', 'value', 'error', 'complete'),
      n,
    }),
  },
);

/**
 * An arbitrary of scripts; any of them fits any machine.
 * @param stepsMax how many steps one has at most
 * @throws InvalidArgumentError
 */
export function scripts(stepsMax = 20): fc.Arbitrary<readonly ScriptStep[]> {
  if (!(Number.isInteger(stepsMax) && stepsMax > 0))
    throw InvalidArgumentError.of('scripts(stepsMax)', 'a whole number above 0', stepsMax);
  return fc.noBias(fc.array(step, { minLength: 1, maxLength: stepsMax, size: 'max' }));
}
