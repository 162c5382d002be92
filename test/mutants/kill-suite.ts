/**
 * The process that tries out one build. Owns the order: the probe that is likely to see the mutant, then all the others; one
 * seed after the other.
 *
 * Arguments: the name of the first probe, or `*` for the order in which they are written; the number of seeds.
 */
import { scenarioProbes } from './scenario-probes.ts';
import { EndlessScenarioError, NotDeterministicError } from '../../src/testing/failures.ts';

/** What came of trying out one build. */
export type Verdict =
  | {
      readonly kind: 'killed';
      readonly probe: string;
      readonly invariants: readonly (number | null)[];
      readonly message: string;
      readonly runs: number;
      readonly seeds: number;
    }
  | { readonly kind: 'survived'; readonly runs: number; readonly seeds: number }
  | { readonly kind: 'hung' | 'failed'; readonly probe: string; readonly message: string; readonly runs: number };

async function verdict(first: string, seeds: number): Promise<Verdict> {
  let runs = 0;
  const names = Object.keys(scenarioProbes) as (keyof typeof scenarioProbes)[];
  const order = [...names.filter((name) => name === first), ...names.filter((name) => name !== first)];
  for (let seed = 0; seed < seeds; seed++) {
    for (const probe of order) {
      try {
        const breaches = await scenarioProbes[probe](seed, () => void runs++);
        if (breaches.length === 0) continue;
        const invariants = [...new Set(breaches.map(({ invariant }) => invariant ?? null))];
        return { kind: 'killed', probe, invariants, message: breaches[0]!.message, runs, seeds: seed + 1 };
      } catch (error) {
        if (error instanceof NotDeterministicError)
          return { kind: 'killed', probe, invariants: [3], message: error.message, runs, seeds: seed + 1 };
        const kind = error instanceof EndlessScenarioError ? 'hung' : 'failed';
        return { kind, probe, message: error instanceof Error ? (error.stack ?? error.message) : String(error), runs };
      }
    }
  }
  return { kind: 'survived', runs, seeds };
}

// What tells a fold from the run itself is deeper in a stack than Node shows.
Error.stackTraceLimit = 100;

const [first = '*', seeds = '1'] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await verdict(first, Number(seeds))));
