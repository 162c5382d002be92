/**
 * The contract every event log passes: a numbered list of cases for any test runner. Owns the list, what of it applies to
 * an adapter, and the running of one case; the cases live in the *-cases.ts files, the shapes in contract-case.ts.
 *
 * K1  Every case is either applicable or reported with the features it misses; none passes without running.
 * K2  Numbers 1-30 are the rules every store must answer for; from 31 on come the actor index, snapshots, leases and
 *     what adapters got wrong before, and definitions. A number never changes.
 */
import { VirtualClock } from '../../clock.ts';
import { InvalidArgumentError } from '../../errors.ts';
import type { EventLog } from '../../log/event-log.ts';
import { appendCases } from './append-cases.ts';
import { contractFeatures, sceneOn } from './contract-case.ts';
import type { ContractCase, ContractFeature, ContractFixture, ContractTarget } from './contract-case.ts';
import { indexCases } from './index-cases.ts';
import { lifecycleCases } from './lifecycle-cases.ts';
import { quarantineCases } from './quarantine-cases.ts';
import { readCases } from './read-cases.ts';

/** Creates an empty log whose leases run on this clock. */
export type CreateLog = (clock: VirtualClock) => EventLog | Promise<EventLog>;

/** One rule that a log is held to, ready for a test runner. */
export interface LogContractCase {
  /** Stays with the rule for ever. */
  readonly number: number;
  /** A present-tense fact. */
  readonly title: string;
  /** Resolves when the rule holds, rejects with an AssertionError when it does not. */
  run(): Promise<void>;
}

/** A rule that a log cannot be held to as it was given. */
export interface NotApplicableCase {
  readonly number: number;
  readonly title: string;
  /** What the case needs that neither the log nor its fixture has. */
  readonly missing: readonly ContractFeature[];
}

/** What of the contract applies to an adapter, and what does not and why. */
export interface LogContract {
  /** In order of their numbers. */
  readonly cases: readonly LogContractCase[];
  readonly notApplicable: readonly NotApplicableCase[];
}

const allCases: readonly ContractCase[] = [
  ...appendCases,
  ...readCases,
  ...lifecycleCases,
  ...indexCases,
  ...quarantineCases,
].sort((a, b) => a.number - b.number);

/**
 * The cases that an event log has to pass, for any test runner; each case gets a store of its own. Assert the numbers of
 * `notApplicable`, so that a case cannot drop out unnoticed.
 *
 * @param target a function that creates an empty log, or a {@link ContractTarget}, which can also open it again, kill it
 *   and lose its answers: a log that is durable needs that
 * @throws InvalidArgumentError the target has another shape, or does not give logs; and whatever creating a log throws
 *
 * @example
 * const contract = await logContract((clock) => memoryLog({ clock }));
 * for (const { number, title, run } of contract.cases) it(`${number} ${title}`, run);
 */
export async function logContract(target: ContractTarget | CreateLog): Promise<LogContract> {
  const whole = targetOf(target);
  const features = whole.features ?? (await onEmptyStore(whole, async (log, fixture) => featuresOf(log, fixture)));
  const missing = (each: ContractCase) => each.requires.filter((feature) => !features.includes(feature));
  return {
    cases: allCases
      .filter((each) => missing(each).length === 0)
      .map((each) => ({
        ...{ number: each.number, title: each.title },
        run: () => onEmptyStore(whole, (log, fixture) => each.run(sceneOn(log, fixture, features))),
      })),
    notApplicable: allCases
      .filter((each) => missing(each).length > 0)
      .map((each) => ({ number: each.number, title: each.title, missing: missing(each) })),
  };
}

function targetOf(target: ContractTarget | CreateLog): ContractTarget {
  if (typeof target === 'function') {
    const create = async () => {
      const clock = new VirtualClock();
      return { clock, open: async () => target(clock), destroy: async () => {} };
    };
    return { create };
  }
  const isTarget = typeof target === 'object' && (target as unknown) !== null && typeof target.create === 'function';
  if (!isTarget) {
    throw InvalidArgumentError.of(
      'logContract(target)',
      'a function that creates a log, or { create, features }',
      target,
    );
  }
  const unknown = target.features?.find((feature) => !contractFeatures.includes(feature));
  if (unknown !== undefined) {
    throw InvalidArgumentError.of('logContract({ features })', `some of ${contractFeatures.join(', ')}`, unknown);
  }
  return target;
}

/** What can be seen of a log and its fixture. That deleted events are gone at once is asked of every log. */
function featuresOf(log: EventLog, fixture: ContractFixture): ContractFeature[] {
  const { atomicMultiStream, checks, truncate } = log.capabilities;
  const seen: Partial<Record<ContractFeature, boolean>> = {
    ...{ atomicMultiStream, checks, truncate, erase: true },
    kill: fixture.kill !== undefined,
    faults: fixture.loseNextAcknowledgement !== undefined,
    quarantine: log.quarantine !== undefined && log.quarantined !== undefined,
    definitions: log.definitions !== undefined,
  };
  return contractFeatures.filter((feature) => seen[feature]);
}

/** Opens a log on a fresh store, and removes the store afterwards. */
async function onEmptyStore<T>(
  target: ContractTarget,
  use: (log: EventLog, fixture: ContractFixture) => Promise<T>,
): Promise<T> {
  const fixture = await target.create();
  try {
    const log = await fixture.open();
    if (typeof (log as Partial<EventLog> | undefined)?.append !== 'function') {
      throw InvalidArgumentError.of('logContract(target)', 'a target that gives event logs', log);
    }
    try {
      return await use(log, fixture);
    } finally {
      await log.close();
    }
  } finally {
    await fixture.destroy();
  }
}
