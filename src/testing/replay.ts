/**
 * One trial by hand: what a test that was left behind plays. Owns nothing but the call.
 */
import { InvalidArgumentError } from '../errors.ts';
import { checkNames } from '../runtime/runtime-options.ts';
import { requirePlan, type FaultPlan } from './fault-plan.ts';
import { RecoveryFailureError } from './report.ts';
import { requireEvents, type Scenario, type ScenarioEvent } from './scenario.ts';
import type { Run } from './run.ts';
import { Trials } from './trials.ts';

/** What goes wrong, and what is said. */
export interface ReplayOptions {
  readonly faults?: FaultPlan;
  /** In the place of those of the scenario. */
  readonly events?: readonly ScenarioEvent[];
  /** Snapshots after every event. */
  readonly snapshots?: boolean;
}

/**
 * Plays a scenario with these faults, once without them to compare, and once again. Resolves with the run when all of it holds.
 * @throws RecoveryFailureError
 * @throws EffectNotScriptedError | EndlessScenarioError | InvalidArgumentError for a scenario that cannot be played
 *
 * @example
 * await replay(orders, { faults: [{ fault: 'crash', append: 2, phase: 'afterAppend' }] });
 */
export async function replay<World>(scenario: Scenario<World>, options: ReplayOptions = {}): Promise<Run> {
  checkNames('replay(scenario, options)', options, ['faults', 'events', 'snapshots']);
  const { faults: plan = [], events, snapshots = false } = options;
  requirePlan(plan, 'replay({ faults })');
  if (events) requireEvents(events, 'replay({ events })');
  const trials = new Trials(scenario as Scenario);
  requireNames(plan, Object.keys(scenario.effects ?? {}));
  const trial = { plan, events, snapshots };
  const alone = await trials.tryAlone({ plan: [], events });
  if (alone) throw new RecoveryFailureError(trials.scenario, alone);
  const { run, failed } = await trials.try(trial);
  const broken = failed ?? (await trials.tryTwice(trial, run));
  if (broken) throw new RecoveryFailureError(trials.scenario, broken);
  return run;
}

/** @throws InvalidArgumentError for an answer that comes later of an effect that the scenario does not have */
function requireNames(plan: FaultPlan, names: readonly string[]): void {
  for (const [index, fault] of plan.entries()) {
    if (fault.fault !== 'late' || names.includes(fault.effect)) continue;
    const expected = `a name of scenario.effects${names.length > 0 ? `: one of ${names.join(', ')}` : ', which has none'}`;
    throw InvalidArgumentError.of(`replay({ faults })[${index}].effect`, expected, fault.effect);
  }
}
