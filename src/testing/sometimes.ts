/**
 * Conditions that have to hold at least once in a run: what tells a test that reaches the interesting case from one that never
 * does. Owns who counts them and the verdict; when a run is over is its caller's business.
 *
 * SO1  A run in a scope of its own counts for itself, also beside other runs; what is outside of any scope counts together.
 * SO2  A condition changes nothing about the code that states it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { InvalidArgumentError, RewakeError } from '../errors.ts';

/** What became of one condition. */
export interface SometimesCount {
  readonly name: string;
  /** How often it was stated. */
  readonly evaluated: number;
  /** How often it held. */
  readonly held: number;
}

/** Conditions that have to hold at least once never did. */
export class NeverReachedError extends RewakeError {
  readonly code = 'REWAKE_NEVER_REACHED';
  /** Those that never held, in the order in which they were first stated. */
  readonly never: readonly SometimesCount[];

  constructor(never: readonly SometimesCount[], all: number) {
    const lines = never.map(({ name, evaluated }) => {
      const often = evaluated === 0 ? 'never evaluated' : `evaluated ${evaluated} time${evaluated === 1 ? '' : 's'}`;
      return `  '${name}': ${often}, never true`;
    });
    super(
      `${never.length} of ${all} conditions that have to hold sometimes never did:\n${lines.join('\n')}\n` +
        'The run says nothing about these cases. Let it reach them: more runs, other events, faults or answers of effects; ' +
        'a condition that was never evaluated is in code that did not run. Remove a condition that cannot hold.',
    );
    this.never = never;
  }
}

/** Counts the conditions of one run, or of several. */
export class SometimesTracker {
  readonly #counts = new Map<string, { evaluated: number; held: number }>();

  /** @param names conditions that have to hold although nobody may come to state them */
  constructor(names: readonly string[] = []) {
    for (const name of names) this.#counts.set(name, { evaluated: 0, held: 0 });
  }

  /** States a condition. */
  note(name: string, condition: boolean): void {
    let count = this.#counts.get(name);
    if (!count) this.#counts.set(name, (count = { evaluated: 0, held: 0 }));
    count.evaluated++;
    if (condition) count.held++;
  }

  /** Every condition so far, in the order in which they were first stated. */
  report(): SometimesCount[] {
    return [...this.#counts].map(([name, count]) => ({ name, ...count }));
  }

  /** @throws NeverReachedError where a condition never held */
  assert(): void {
    const report = this.report();
    const never = report.filter(({ held }) => held === 0);
    if (never.length > 0) throw new NeverReachedError(never, report.length);
  }
}

const scopes = new AsyncLocalStorage<SometimesTracker>();
const outside = new SometimesTracker();

/**
 * States a condition that has to hold at least once before the run is over, whoever runs this. It may stand in a test, in an
 * effect or in the code of a machine.
 *
 * @param name what is reached when it holds, the same each time: each name is kept for as long as the scope is
 * @throws InvalidArgumentError for a name that is none
 *
 * @example
 * sometimes('a retry was exhausted', attempts > 3);
 */
export function sometimes(name: string, condition: boolean): void {
  if (typeof name !== 'string' || name === '')
    throw InvalidArgumentError.of('sometimes(name, condition).name', 'what is reached, in words', name);
  tracker().note(name, condition);
}

/**
 * Runs something whose conditions are counted by a tracker of their own, all that it starts and awaits included.
 * @returns what it returns
 *
 * @example
 * const tracker = new SometimesTracker();
 * await withSometimes(tracker, () => runAll());
 * tracker.assert();
 */
export function withSometimes<T>(scope: SometimesTracker, run: () => T): T {
  return scopes.run(scope, run);
}

/**
 * To be called when the run is over: in a scope for the conditions of that, elsewhere for all that were stated outside of any.
 * @throws NeverReachedError where a condition never held
 */
export function assertSometimes(): void {
  tracker().assert();
}

/** The conditions of the present scope so far, as {@link SometimesTracker.report} gives them. */
export function sometimesReport(): SometimesCount[] {
  return tracker().report();
}

/**
 * Runs something, and sees that each of its conditions held; in a scope that is there already that is left to whoever opened it.
 * @throws NeverReachedError
 */
export async function reachingAll<T>(run: () => Promise<T>): Promise<T> {
  if (scopes.getStore()) return run();
  const scope = new SometimesTracker();
  const result = await withSometimes(scope, run);
  scope.assert();
  return result;
}

function tracker(): SometimesTracker {
  return scopes.getStore() ?? outside;
}
