/**
 * What tries out a build of rewake, mutated or not. Owns how much a probe tries and how that is counted; what is tried is in
 * scenario-probes.ts and log-probes.ts.
 *
 * PB1  Seed 0 is a sweep, every other seed so many plans by chance. Nothing is shrunk: the first breach ends it.
 * PB2  What holds of the source as it is must hold for every seed.
 */
import fc from 'fast-check';
import { judgeAlone, type Breach } from '../../src/testing/judge.ts';
import { faults, fitPlan, type FaultKinds } from '../../src/testing/faults.ts';
import { RecoveryFailureError } from '../../src/testing/report.ts';
import type { FaultPlan } from '../../src/testing/fault-plan.ts';
import { play } from '../../src/testing/play.ts';
import type { Run } from '../../src/testing/run.ts';
import type { Scenario } from '../../src/testing/scenario.ts';
import { sweep } from '../../src/testing/sweep.ts';
import { Trials } from '../../src/testing/trials.ts';

/** Counts runs; what it is given is judged as well. */
export type Count = (run?: Run) => void;

/** Tries something with one seed. @returns what does not hold; nothing where all of it does */
export type Probe = (seed: number, count: Count) => Promise<readonly Breach[]>;

/** Ends a probe. */
class BreachError extends Error {
  readonly breaches: readonly Breach[];

  constructor(breaches: readonly Breach[]) {
    super(breaches.map(({ message }) => message).join('; '));
    this.breaches = breaches;
  }
}

const plansPerSeed = 20;

/** How a scenario is tried beside its sweep. */
export interface ScenarioProbeOptions {
  readonly kinds?: FaultKinds;
  /** Plans that are tried first. */
  readonly plans?: readonly FaultPlan[];
  /** No sweep with `false`. */
  readonly depth?: 1 | 2 | false;
  /** Where a crash may be seen, as by whoever waits for a lease: a run is judged for itself. */
  readonly isCompared?: boolean;
  /** What must hold of every run besides. */
  readonly check?: (run: Run) => readonly Breach[];
}

/** A scenario with every crash, then with faults by chance. */
export function probeOf<World>(scenario: Scenario<World>, options: ScenarioProbeOptions = {}): Probe {
  const { kinds, plans = [], depth = 1, isCompared = true, check } = options;
  const judged = (run: Run, count: Count): void => {
    count(run);
    const found = check?.(run) ?? [];
    if (found.length > 0) throw new BreachError(found);
  };
  return (seed, count) =>
    breachesIn(async () => {
      const trials = new Trials(scenario as Scenario, (run) => judged(run, count));
      const attempt = async (plan: FaultPlan) => {
        if (!isCompared) return judgedAlone(scenario as Scenario, plan, (run) => judged(run, count));
        const { run, failed } = await trials.try({ plan });
        const broken = failed ?? (await trials.tryTwice({ plan }, run));
        if (broken) throw new BreachError(broken.breaches);
      };
      if (seed === 0) {
        for (const plan of plans) await attempt(plan);
        if (depth) await sweep(scenario, { depth, onRun: (run) => judged(run, count) });
        return;
      }
      const alone = await trials.tryAlone({ plan: [] });
      if (alone) throw new BreachError(alone.breaches);
      const reference = await trials.reference({ plan: [] });
      for (const loose of fc.sample(faults(kinds), { seed, numRuns: plansPerSeed }))
        await attempt(fitPlan(loose, reference));
    });
}

async function judgedAlone(scenario: Scenario, plan: FaultPlan, judged: (run: Run) => void): Promise<void> {
  const run = await play(scenario, { faults: plan });
  const found = await judgeAlone(run, scenario);
  judged(run);
  if (found.length > 0) throw new BreachError(found);
}

/** What something breaks that throws its breaches. */
async function breachesIn(attempt: () => Promise<void>): Promise<readonly Breach[]> {
  try {
    await attempt();
    return [];
  } catch (error) {
    if (error instanceof BreachError || error instanceof RecoveryFailureError) return error.breaches;
    throw error;
  }
}
