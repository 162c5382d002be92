/**
 * Runs of one scenario, judged. Owns which run a disturbed one is compared with, and what was tried in all.
 *
 * TR1  Runs that are compared with are played once for each world and each set of losses.
 * TR2  A scenario that fails without any fault is told so, and nothing else is tried.
 */
import { VirtualClock } from '../clock.ts';
import type { Machines } from '../runtime/machines.ts';
import { worldOf, type FaultPlan } from './fault-plan.ts';
import { judgeAlone, judgeBeside, judgeReads, judgeTwins, type Breach } from './judge.ts';
import { requireKnownNames } from './effect-names.ts';
import { play } from './play.ts';
import type { Run } from './run.ts';
import { requireScenario, type Scenario, type ScenarioEvent } from './scenario.ts';
import type { Loss } from './scripted-world.ts';

/** One thing that is tried. */
export interface Trial {
  readonly plan: FaultPlan;
  /** In the place of those of the scenario. */
  readonly events?: readonly ScenarioEvent[] | undefined;
  /** Snapshots after every event, where the scenario says nothing of them. */
  readonly snapshots?: boolean;
}

/** A trial in which something did not hold. */
export interface FailedTrial {
  readonly trial: Trial;
  readonly run: Run;
  /** What it was compared with. */
  readonly reference: Run | undefined;
  readonly breaches: readonly Breach[];
}

/** How much was tried. */
export interface Tally {
  /** Plans of faults. */
  plans: number;
  /** Those of the plans, and those that they were compared with. */
  runs: number;
  crashes: number;
  /** Torn and lost tails. */
  damages: number;
  appends: number;
}

/** Tries out one scenario. */
export class Trials {
  readonly scenario: Scenario;
  readonly tally: Tally = { plans: 0, runs: 0, crashes: 0, damages: 0, appends: 0 };
  /** Called with every run that was judged. */
  readonly #onRun: ((run: Run) => void | Promise<void>) | undefined;
  readonly #references = new Map<string, Promise<Run>>();
  readonly #alone = new Map<string, Promise<FailedTrial | undefined>>();

  /** @throws InvalidArgumentError */
  constructor(scenario: Scenario, onRun?: (run: Run) => void | Promise<void>) {
    requireScenario(scenario);
    this.scenario = scenario;
    this.#onRun = onRun;
  }

  /** The run without faults but those of the world. It may not be sound itself. */
  reference(trial: Trial, losses: readonly Loss[] = []): Promise<Run> {
    const faults = worldOf(trial.plan);
    const key = JSON.stringify([faults, trial.events ?? null, losses]);
    const known = this.#references.get(key);
    if (known) return known;
    const reference = this.#play(trial, faults, losses);
    // Only those of the present events are asked for again.
    if (this.#references.size > 100) this.#references.clear();
    this.#references.set(key, reference);
    return reference;
  }

  /** What does not hold without any fault. @throws EffectNotScriptedError | EndlessScenarioError | InvalidArgumentError */
  tryAlone(trial: Trial): Promise<FailedTrial | undefined> {
    const key = JSON.stringify(trial.events ?? null);
    const known = this.#alone.get(key);
    if (known) return known;
    const alone = this.#tryAlone(trial);
    if (this.#alone.size > 100) this.#alone.clear();
    this.#alone.set(key, alone);
    return alone;
  }

  async #tryAlone(trial: Trial): Promise<FailedTrial | undefined> {
    const run = await this.reference(trial);
    const alone = await judgeAlone(run, this.scenario);
    const machines = this.#machines(run);
    if (!trial.events) requireKnownNames(this.scenario.effects ?? {}, machines, run.named);
    // Whatever else is wrong may come of it.
    const reads = judgeReads(run, machines);
    const breaches = reads.length > 0 ? reads : alone;
    await this.#onRun?.(run);
    return breaches.length > 0 ? { trial, run, reference: undefined, breaches } : undefined;
  }

  /** @returns what came of it, and what does not hold, if anything */
  async try(trial: Trial): Promise<{ readonly run: Run; readonly failed?: FailedTrial }> {
    this.tally.plans++;
    const run = await this.#play(trial, trial.plan);
    const alone = await judgeAlone(run, this.scenario);
    const reference = await this.reference(trial, run.losses);
    const breaches = [...alone, ...judgeBeside(run, reference)];
    await this.#onRun?.(run);
    return breaches.length > 0 ? { run, failed: { trial, run, reference, breaches } } : { run };
  }

  /** Whether a plan that is played again comes to the same, to the byte. */
  async tryTwice(trial: Trial, run: Run): Promise<FailedTrial | undefined> {
    const breaches = judgeTwins(run, await this.#play(trial, trial.plan, [], true));
    return breaches.length > 0 ? { trial, run, reference: undefined, breaches } : undefined;
  }

  async #play(
    { events, snapshots }: Trial,
    faults: FaultPlan,
    losses: readonly Loss[] = [],
    onlyLog = false,
  ): Promise<Run> {
    const run = await play(this.scenario, {
      ...{ events, faults, losses, onlyLog },
      ...(snapshots && { snapshots }),
    });
    this.tally.runs++;
    this.tally.crashes += run.deaths;
    this.tally.damages += run.strikes.filter(({ fault }) => fault.fault.endsWith('Tail')).length;
    this.tally.appends += run.appends;
    return run;
  }

  #machines({ world }: Run): Machines {
    const { machines } = this.scenario;
    return typeof machines === 'function' ? machines(world, new VirtualClock()) : machines;
  }
}
