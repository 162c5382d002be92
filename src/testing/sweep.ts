/**
 * Every crash that a scenario can have. Owns where a process is killed; what must hold of a run is judge.ts's.
 *
 * SW4  Small before large: one crash at each place first, then a second one in the recovery from each.
 * SW5  A crash before the outcome of an effect is recorded is one after the effect was done: no other place stands for it.
 */
import { InvalidArgumentError } from '../errors.ts';
import { checkNames } from '../runtime/runtime-options.ts';
import type { FaultPlan } from './fault-plan.ts';
import { phases, type Phase } from './phases.ts';
import type { Run } from './run.ts';
import { RecoveryFailureError } from './report.ts';
import { requireEvents, type Scenario, type ScenarioEvent } from './scenario.ts';
import { reachingAll } from './sometimes.ts';
import { Trials, type Tally, type Trial } from './trials.ts';

/** What is swept. */
export interface SweepOptions {
  /** All of them when omitted. */
  readonly phases?: readonly Phase[];
  /** 1: one crash a run. 2, which is the default: also a second one at every call of the log in each recovery. */
  readonly depth?: 1 | 2;
  /** In the place of those of the scenario. */
  readonly events?: readonly ScenarioEvent[];
  /** Called with every run. */
  readonly onRun?: (run: Run, phase: Phase | undefined) => void | Promise<void>;
}

/** What was tried, and held. */
export interface SweepReport extends Readonly<Tally> {
  /** By phase: how many runs. */
  readonly phases: Readonly<Record<Phase, number>>;
}

/**
 * Lets the process die at every append of a scenario, in every phase, and again in each recovery. Resolves when each of these runs
 * is, to whoever looks, the run without a crash.
 * @throws RecoveryFailureError the first run that is not, as a timeline
 * @throws NeverReachedError a condition of {@link sometimes} never held
 * @throws EffectNotScriptedError | EndlessScenarioError | InvalidArgumentError for a scenario that cannot be played
 *
 * @example
 * await sweep({ machines: { order }, effects: { charge: { output: 'paid' } }, events: [{ type: 'PAY' }] });
 */
export async function sweep<World>(scenario: Scenario<World>, options: SweepOptions = {}): Promise<SweepReport> {
  checkNames('sweep(scenario, options)', options, ['phases', 'depth', 'events', 'onRun']);
  const { phases: wanted = phases, depth = 2, events, onRun } = options;
  if (!Array.isArray(wanted)) throw InvalidArgumentError.of('sweep({ phases })', 'a list of phases', wanted);
  for (const phase of wanted) {
    if (!phases.includes(phase))
      throw InvalidArgumentError.of('sweep({ phases })', `some of ${phases.join(', ')}`, phase);
  }
  if (depth !== 1 && depth !== 2) throw InvalidArgumentError.of('sweep({ depth })', '1 or 2', depth);
  if (wanted.every((phase) => phase === 'recovery') && (wanted.length === 0 || depth === 1)) {
    const expected = 'at least one phase; recovery alone takes a depth of 2';
    throw InvalidArgumentError.of('sweep({ phases })', expected, wanted.join(', ') || 'none');
  }
  if (events) requireEvents(events, 'sweep({ events })');
  return reachingAll(() => sweepAll(scenario as Scenario, { phases: wanted, depth, events, onRun }));
}

interface Sweep {
  readonly phases: readonly Phase[];
  readonly depth: 1 | 2;
  readonly events: readonly ScenarioEvent[] | undefined;
  readonly onRun: SweepOptions['onRun'];
}

async function sweepAll(scenario: Scenario, { phases: wanted, depth, events, onRun }: Sweep): Promise<SweepReport> {
  let phase: Phase | undefined;
  const trials = new Trials(scenario, (run) => onRun?.(run, phase));
  const alone = await trials.tryAlone({ plan: [], events });
  if (alone) throw new RecoveryFailureError(trials.scenario, alone);
  const counts = Object.fromEntries(phases.map((each) => [each, 0])) as Record<Phase, number>;
  const attempt = async (trial: Trial): Promise<Run> => {
    counts[phase!]++;
    const { run, failed } = await trials.try({ ...trial, events });
    if (failed) throw new RecoveryFailureError(trials.scenario, failed);
    return run;
  };
  const recovered: (readonly [Trial, Run])[] = [];
  for (const [where, trial] of await firstTrials(trials, { plan: [], events }, wanted)) {
    phase = where;
    const run = await attempt(trial);
    if (run.recoveries.length > 0) recovered.push([trial, run]);
  }
  phase = 'recovery';
  if (depth === 2 && wanted.includes('recovery')) {
    for (const [trial, run] of recovered) for (const plan of secondCrashes(run)) await attempt({ ...trial, plan });
  }
  return { ...trials.tally, phases: counts };
}

async function firstTrials(trials: Trials, trial: Trial, wanted: readonly Phase[]): Promise<[Phase, Trial][]> {
  const reference = await trials.reference(trial);
  const found: [Phase, Trial][] = [];
  for (const [append, type] of stimuliOf(reference).entries()) {
    const isOutcome = type === 'EffectSucceeded' || type === 'EffectFailed';
    const before: Phase = isOutcome ? 'beforeResult' : 'beforeAppend';
    found.push([before, { plan: [{ fault: 'crash', append, phase: 'beforeAppend' }] }]);
    found.push(['afterAppend', { plan: [{ fault: 'crash', append, phase: 'afterAppend' }] }]);
    found.push(['ackLost', { plan: [{ fault: 'ackLost', append }] }]);
  }
  if (wanted.includes('snapshot')) {
    const { run, failed } = await trials.try({ ...trial, snapshots: true });
    if (failed) throw new RecoveryFailureError(trials.scenario, failed);
    for (let snapshot = 0; snapshot < run.snapshots; snapshot++) {
      for (const phase of ['beforeSnapshot', 'afterSnapshot'] as const) {
        found.push(['snapshot', { plan: [{ fault: 'crash', snapshot, phase }], snapshots: true }]);
      }
    }
  }
  // A recovery follows a crash: where no other one is wanted, those at the appends are played for it.
  const isAlone = wanted.every((phase) => phase === 'recovery');
  return found.filter(([phase]) => wanted.includes(phase) || (isAlone && phase !== 'ackLost'));
}

/** The types of the events that record stimuli, one for each append. */
function stimuliOf({ events }: Run): string[] {
  return events.filter(({ meta }) => meta.actor === undefined).map(({ type }) => type);
}

/** A second crash at each call of the log in the recovery from the first, and after each append of it. */
function secondCrashes({ plan, recoveries }: Run): FaultPlan[] {
  const { from, to, appends } = recoveries[0]!;
  const phase = 'afterAppend' as const;
  return [
    ...range(from, to).map((operation) => [...plan, { fault: 'crash' as const, operation }]),
    ...range(...appends).map((append) => [...plan, { fault: 'crash' as const, append, phase }]),
  ];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
