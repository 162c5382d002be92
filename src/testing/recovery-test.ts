/**
 * A recovery test as vitest knows tests. Owns the form `test.recovery(name, scenario)`; what is tried is sweep.ts's and fuzz.ts's.
 *
 * RT1  It is the `test` of @fast-check/vitest, with one more way to declare a test.
 */
import { test as propertyTest } from '@fast-check/vitest';
import { toMs, type Duration } from '../clock.ts';
import { checkNames } from '../runtime/runtime-options.ts';
import { fuzz, type FuzzOptions } from './fuzz.ts';
import type { Scenario } from './scenario.ts';
import { reachingAll } from './sometimes.ts';
import { sweep, type SweepOptions } from './sweep.ts';

/** How much is tried. */
export interface RecoveryTestOptions {
  /** Crashes at every place; not at all with `false`. */
  readonly sweep?: SweepOptions | false;
  /** Faults by chance; none with `false`. */
  readonly fuzz?: FuzzOptions | false;
  /** After so much real time the test has failed; 5 minutes when omitted. */
  readonly timeout?: Duration;
}

type DeclareRecovery = <World>(name: string, scenario: Scenario<World>, options?: RecoveryTestOptions) => void;

/** `test.recovery`, with the forms that vitest's `test` has. */
export interface RecoveryTest extends DeclareRecovery {
  readonly only: DeclareRecovery;
  readonly skip: DeclareRecovery;
}

function declaring(declare: (name: string, run: () => Promise<void>, timeoutMs: number) => void): DeclareRecovery {
  return (name, scenario, options = {}) => {
    checkNames('test.recovery(name, scenario, options)', options, ['sweep', 'fuzz', 'timeout']);
    const { sweep: swept = {}, fuzz: fuzzed = {}, timeout = '5m' } = options;
    const named = scenario.name === undefined ? { ...scenario, name } : scenario;
    const run = () =>
      reachingAll(async () => {
        if (swept) await sweep(named, swept);
        if (fuzzed) await fuzz(named, fuzzed);
      });
    declare(name, run, toMs(timeout));
  };
}

const recovery: RecoveryTest = Object.assign(
  declaring((name, run, timeoutMs) => propertyTest(name, { timeout: timeoutMs }, run)),
  {
    only: declaring((name, run, timeoutMs) => propertyTest.only(name, { timeout: timeoutMs }, run)),
    skip: declaring((name, run, timeoutMs) => propertyTest.skip(name, { timeout: timeoutMs }, run)),
  },
);

/**
 * The `test` of @fast-check/vitest with `test.recovery(name, scenario)`: a test that sweeps a scenario and fuzzes it.
 *
 * @example
 * test.recovery('an order survives', { machines: { order }, effects: { charge: { output: 'paid' } } });
 */
export const test: typeof propertyTest & { readonly recovery: RecoveryTest } = new Proxy(propertyTest, {
  get: (target, key) => (key === 'recovery' ? recovery : (Reflect.get(target, key) as unknown)),
}) as typeof propertyTest & { readonly recovery: RecoveryTest };
