/**
 * How often properties run. Owns what may be set from outside: more runs, or one seed again, as in
 * REWAKE_RUNS=1000 REWAKE_SEED=7 npx vitest run test/recovery. A failure prints its seed and path.
 */

const factor = Number(process.env.REWAKE_RUNS ?? 1);
const seed = process.env.REWAKE_SEED === undefined ? {} : { seed: Number(process.env.REWAKE_SEED) };

/** The parameters of a property that runs so often unless it is asked for more. */
export function propertyRuns(numRuns: number): { readonly numRuns: number; readonly seed?: number } {
  return { numRuns: numRuns * factor, ...seed };
}
