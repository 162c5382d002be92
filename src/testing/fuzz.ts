/**
 * A scenario under faults by chance. Owns the property and its parameters; plans are faults.ts's, the verdict judge.ts's.
 *
 * FZ1  Two properties in one: a run is what it would be without its faults, and the same plan gives the same log to the byte.
 * FZ2  What fails is shrunk as data, events and faults together, and told by the run that the last one shrunk to.
 * FZ3  A number that means another place once a fault before it is gone keeps a plan from shrinking: so at the end it is tried
 *      whether one plain crash does, or one of the faults.
 */
import fc from 'fast-check';
import { InvalidArgumentError } from '../errors.ts';
import { checkNames } from '../runtime/runtime-options.ts';
import { faults, fitPlan, type LoosePlan } from './faults.ts';
import type { Run } from './run.ts';
import { RecoveryFailureError } from './report.ts';
import { requireEvents, type Scenario, type ScenarioEvent } from './scenario.ts';
import { reachingAll } from './sometimes.ts';
import { Trials, type FailedTrial, type Tally } from './trials.ts';

/** What is tried. */
export interface FuzzOptions {
  /** By which a failure is found again; drawn anew when omitted. */
  readonly seed?: number;
  /** With a seed: the very run that failed. */
  readonly path?: string;
  /** 100 when omitted. */
  readonly numRuns?: number;
  /** Sequences of events; those of the scenario when omitted. {@link eventsFor} makes them from a machine. */
  readonly events?: fc.Arbitrary<readonly ScenarioEvent[]>;
  /** Plans of what goes wrong; anything when omitted. */
  readonly faults?: fc.Arbitrary<LoosePlan>;
  /** Called with every run. */
  readonly onRun?: (run: Run) => void | Promise<void>;
}

/** What was tried, and held. */
export interface FuzzReport extends Readonly<Tally> {
  readonly seed: number;
}

/**
 * Plays a scenario with faults by chance, and events by chance where they are given. Resolves when all of it holds.
 * @throws RecoveryFailureError the smallest failure that was found, as a timeline
 * @throws NeverReachedError a condition of {@link sometimes} never held
 * @throws EffectNotScriptedError | EndlessScenarioError | InvalidArgumentError for a scenario that cannot be played
 *
 * @example
 * await fuzz(orders, { events: eventsFor(order, { PAY: { amount: 3 } }), numRuns: 500 });
 */
export async function fuzz<World>(scenario: Scenario<World>, options: FuzzOptions = {}): Promise<FuzzReport> {
  const names = ['seed', 'path', 'numRuns', 'events', 'faults', 'onRun'];
  checkNames('fuzz(scenario, options)', options, names);
  requireParameters(options);
  return reachingAll(() => fuzzAll(scenario as Scenario, options));
}

async function fuzzAll(scenario: Scenario, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, path, numRuns = 100, events, faults: plans, onRun } = options;
  const isAny = plans === undefined;
  const trials = new Trials(scenario, onRun);
  const given = events ?? fc.constant<readonly ScenarioEvent[] | undefined>(undefined);
  let failed: FailedTrial | undefined;
  // What makes the scenario no use is no failure of recovery: it is not shrunk.
  let unusable: unknown;
  const property = fc.asyncProperty(given, plans ?? faults(), fc.boolean(), async (said, loose, snapshots) => {
    if (unusable !== undefined) return true;
    try {
      failed = await attempt(trials, said, { loose, isAny }, snapshots);
    } catch (error) {
      unusable = error;
      return true;
    }
    return failed === undefined;
  });
  const parameters = { numRuns, ...(seed !== undefined && { seed }), ...(path !== undefined && { path }) };
  const checked = await fc.check(property, parameters);
  if (unusable !== undefined) throw unusable as Error;
  if (!checked.failed) return { ...trials.tally, seed: checked.seed };
  const [said, loose, snapshots] = checked.counterexample!;
  const shrunk = (await attempt(trials, said, { loose, isAny }, snapshots)) ?? failed!;
  const smallest = await simplest(trials, shrunk);
  throw new RecoveryFailureError(trials.scenario, smallest, {
    seed: checked.seed,
    path: checked.counterexamplePath!,
    runs: checked.numRuns,
    shrinks: checked.numShrinks,
  });
}

/** @throws InvalidArgumentError */
function requireParameters({ seed, path, numRuns, events, faults: plans }: FuzzOptions): void {
  const wrong = (name: string, expected: string, found: unknown) =>
    InvalidArgumentError.of(`fuzz(scenario, { ${name} })`, expected, found);
  if (seed !== undefined && !Number.isInteger(seed)) throw wrong('seed', 'a whole number', seed);
  if (path !== undefined && (typeof path !== 'string' || seed === undefined))
    throw wrong('path', "the path of a failure, such as '12:0:1', with its seed", path);
  if (numRuns !== undefined && !(Number.isInteger(numRuns) && numRuns > 0))
    throw wrong('numRuns', 'a whole number of at least 1', numRuns);
  for (const [name, value] of Object.entries({ events, faults: plans })) {
    const example = name === 'events' ? 'fc.array(fc.constantFrom(…))' : 'faults({ crash: true })';
    if (value !== undefined && typeof (value as { generate?: unknown }).generate !== 'function')
      throw wrong(name, `an arbitrary, such as ${example}`, value);
  }
}

async function attempt(
  trials: Trials,
  events: readonly ScenarioEvent[] | undefined,
  { loose, isAny }: { readonly loose: LoosePlan; readonly isAny: boolean },
  snapshots: boolean,
): Promise<FailedTrial | undefined> {
  if (events) requireEvents(events, 'fuzz({ events })');
  const alone = await trials.tryAlone({ plan: [], events });
  if (alone) return alone;
  const reference = await trials.reference({ plan: [], events });
  // Anything means anything that the log can have.
  const plan = fitPlan(isAny ? loose.filter((fault) => reference.canHave(fault)) : loose, reference);
  const trial = { plan, events, snapshots };
  const { run, failed } = await trials.try(trial);
  return failed ?? trials.tryTwice(trial, run);
}

/** FZ3. */
async function simplest(trials: Trials, failed: FailedTrial): Promise<FailedTrial> {
  const { trial, run } = failed;
  const places = Array.from({ length: run.appends }, (_, append) => append);
  const crashes = (['beforeAppend', 'afterAppend'] as const).flatMap((phase) =>
    places.map((append) => ({ fault: 'crash', append, phase }) as const),
  );
  const isSimple = trial.plan.length <= 1 && trial.plan.every((fault) => fault.fault === 'crash' && 'append' in fault);
  for (const fault of isSimple ? [] : [...crashes, ...(trial.plan.length > 1 ? trial.plan : [])]) {
    const { failed: again } = await trials.try({ ...trial, plan: [fault] });
    if (again) return again;
  }
  return failed;
}
