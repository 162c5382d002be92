/**
 * Plans of faults by chance. Owns the arbitrary; what a fault does is fault-plan.ts's and faulty-log.ts's.
 *
 * FA1  Every number of a plan that is generated is taken modulo what there is of its kind in the run without faults, so that
 *      every plan that it shrinks to is one that can happen.
 * FA2  It shrinks to fewer faults, to plain crashes, and to early ones.
 */
import fc from 'fast-check';
import { InvalidArgumentError } from '../errors.ts';
import { checkNames } from '../runtime/runtime-options.ts';
import type { Fault, FaultPlan } from './fault-plan.ts';
import type { Run } from './run.ts';

/** The kinds of faults; a number says how often, beside the others. */
export interface FaultKinds {
  readonly crash?: boolean | number;
  readonly ackLost?: boolean | number;
  readonly storeError?: boolean | number;
  readonly duplicate?: boolean | number;
  readonly late?: boolean | number;
  readonly reorder?: boolean | number;
  readonly clockJump?: boolean | number;
  readonly stealOwner?: boolean | number;
  readonly tornTail?: boolean | number;
  readonly lostTail?: boolean | number;
}

/** A plan before it is known what there is to go wrong: see {@link fitPlan}. */
export type LoosePlan = readonly Fault[];

const index = fc.nat(999);
const delayMs = fc.oneof(fc.nat(50), fc.nat(5_000), fc.nat(3_600_000));
const jumpMs = fc.oneof(fc.integer({ min: -60_000, max: 60_000 }), fc.integer({ min: -86_400_000, max: 86_400_000 }));

/** In the order in which they shrink: towards the first. */
const arbitraries: { readonly [Kind in keyof FaultKinds]-?: fc.Arbitrary<Fault> } = {
  crash: fc.oneof(
    { withCrossShrink: true },
    {
      weight: 4,
      arbitrary: fc.record({
        fault: fc.constant('crash' as const),
        append: index,
        phase: fc.constantFrom('beforeAppend' as const, 'afterAppend' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ fault: fc.constant('crash' as const), operation: index }) },
  ),
  ackLost: fc.record({ fault: fc.constant('ackLost' as const), append: index }),
  storeError: fc.record({
    fault: fc.constant('storeError' as const),
    append: index,
    times: fc.integer({ min: 1, max: 3 }),
  }),
  duplicate: fc.record({ fault: fc.constant('duplicate' as const), event: index }),
  late: fc.record({
    fault: fc.constant('late' as const),
    effect: fc.constant(''),
    index,
    byMs: delayMs,
  }),
  reorder: fc.record({
    fault: fc.constant('reorder' as const),
    choices: fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }),
  }),
  clockJump: fc.record({ fault: fc.constant('clockJump' as const), atMs: delayMs, byMs: jumpMs }),
  stealOwner: fc.record({ fault: fc.constant('stealOwner' as const), append: index }),
  tornTail: fc.record({ fault: fc.constant('tornTail' as const), append: index, events: fc.nat(4) }),
  lostTail: fc.record({
    fault: fc.constant('lostTail' as const),
    append: index,
    appends: fc.integer({ min: 1, max: 4 }),
  }),
};

/** What goes wrong where nothing is said: everything that is not seen, and what a world does. */
const usual: FaultKinds = {
  ...{ crash: 8, ackLost: 2, storeError: 2, duplicate: 1, late: 2, reorder: 1, clockJump: 1, stealOwner: 1 },
  ...{ tornTail: 1, lostTail: 1 },
};

/**
 * Plans of up to three faults. With kinds only those that are given; all of them when omitted. The numbers of a plan are
 * loose: {@link fuzz} takes them modulo what there is of its kind.
 * @throws InvalidArgumentError for a kind that there is not
 *
 * @example
 * await fuzz(orders, { faults: faults({ crash: 5, late: 1 }) });
 */
export function faults(kinds: FaultKinds = usual, options: { readonly max?: number } = {}): fc.Arbitrary<LoosePlan> {
  const known = Object.keys(arbitraries) as (keyof FaultKinds)[];
  checkNames('faults(kinds)', kinds, known);
  checkNames('faults(kinds, options)', options, ['max']);
  const { max = 3 } = options;
  if (!(Number.isInteger(max) && max >= 1))
    throw InvalidArgumentError.of('faults(kinds, { max })', 'a whole number of at least 1', max);
  const chosen = known.flatMap((kind) => {
    const weight = Number(kinds[kind] ?? 0);
    if (!(weight >= 0))
      throw InvalidArgumentError.of(
        `faults({ ${kind} })`,
        'true, false, or how often as a number of at least 0',
        kinds[kind],
      );
    return weight > 0 ? [{ weight: Math.ceil(weight), arbitrary: arbitraries[kind] }] : [];
  });
  if (chosen.length === 0) {
    const expected = `at least one of ${known.join(', ')}`;
    throw InvalidArgumentError.of('faults(kinds)', expected, `{ ${Object.keys(kinds).join(', ')} }`);
  }
  return fc.array(fc.oneof({ withCrossShrink: true }, ...chosen), { minLength: 1, maxLength: max, size: 'max' });
}

/** FA1. A plan as it can happen; what has nothing to happen to is left out. */
export function fitPlan(loose: LoosePlan, { appends, operations, said, calls, events, startMs }: Run): FaultPlan {
  const lastMs = Math.max(1, (events.at(-1)?.recordedAt ?? startMs) - startMs);
  const taken = new Set<string>();
  return loose.flatMap((fault): Fault[] => {
    const fitted = fit(fault, { appends, operations, said: said.length, calls, lastMs });
    // One thing goes wrong at one append.
    const place = fitted && ('append' in fitted ? `append ${fitted.append}` : JSON.stringify(fitted));
    if (!fitted || taken.has(place!)) return [];
    taken.add(place!);
    return [fitted];
  });
}

interface Bounds extends Pick<Run, 'appends' | 'operations' | 'calls'> {
  readonly said: number;
  readonly lastMs: number;
}

function fit(fault: Fault, { appends, operations, said, calls, lastMs }: Bounds): Fault | undefined {
  switch (fault.fault) {
    case 'duplicate':
      return said > 0 ? { ...fault, event: fault.event % said } : undefined;
    case 'late': {
      const call = calls[fault.index % Math.max(1, calls.length)];
      return call && { ...fault, effect: call.name, index: call.index };
    }
    case 'clockJump':
      return { ...fault, atMs: fault.atMs % lastMs };
    case 'reorder':
      return fault;
    case 'crash':
      if ('operation' in fault) return { ...fault, operation: fault.operation % operations };
      return 'append' in fault ? { ...fault, append: fault.append % appends } : fault;
    case 'storeError':
      return 'append' in fault ? { ...fault, append: fault.append % appends } : fault;
    case 'ackLost':
    case 'stealOwner':
    case 'tornTail':
    case 'lostTail':
      return { ...fault, append: fault.append % appends };
  }
}
