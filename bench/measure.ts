/**
 * Measuring one thing beside another. Owns the order of runs and the arithmetic on samples; what is run is a row's.
 *
 * ME1  Every contestant is warmed up before anything is kept, and runs once per round, in the same order: whatever else
 *      the machine does hits all alike.
 * ME2  A ratio is taken round by round and then summarised, so that slow rounds do not distort it.
 * ME3  Garbage is collected before a sample, so that no contestant pays for what another left; but not where latency is
 *      measured in few calls: a forced collection makes V8 drop the code it optimised for objects none of which is alive.
 * ME4  No sample is thrown away: a summary is the median of all of them with the least and the greatest.
 */

/** The median of several samples, and how far they spread. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

/** Runs something once and says what it measured. */
export type Contestant = () => Promise<number>;

/** @throws RangeError without samples, or with one that is no number */
export function summarize(samples: readonly number[]): Summary {
  if (samples.length === 0 || samples.some((sample) => !Number.isFinite(sample))) {
    throw new RangeError(`A summary needs finite samples, found [${samples.join(', ')}].`);
  }
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)!, runs: sorted.length };
}

/** Sample by sample, the first divided by the second. */
export function ratios(measured: readonly number[], reference: readonly number[]): number[] {
  if (measured.length !== reference.length) {
    throw new RangeError(`Ratios need pairs, found ${measured.length} and ${reference.length} samples.`);
  }
  return measured.map((value, index) => value / reference[index]!);
}

/**
 * Runs the contestants in turn, A B C A B C …, and gives the samples of each.
 * @param rounds how many samples of each are kept
 * @param warmups how many rounds before that are not
 * @param collects whether garbage is collected before each sample (ME3)
 */
export async function interleave<Name extends string>(
  contestants: Readonly<Record<Name, Contestant>>,
  { rounds, warmups = 1, collects = true }: { rounds: number; warmups?: number; collects?: boolean },
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contestants) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -warmups; round < rounds; round++) {
    for (const name of names) {
      if (collects) collectGarbage();
      const sample = await contestants[name]();
      if (round >= 0) samples[name].push(sample);
    }
  }
  return samples;
}

/** Takes as many samples of one thing as asked for. */
export async function repeat(contestant: Contestant, rounds: number): Promise<number[]> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    collectGarbage();
    samples.push(await contestant());
  }
  return samples;
}

/** How long `run` takes, in milliseconds. */
export async function timeMs(run: () => unknown): Promise<number> {
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
}

/**
 * Bytes of the heap in use once everything that can be collected is.
 * @throws Error when Node was started without --expose-gc
 */
export function heapUsedBytes(): number {
  if (!canCollectGarbage()) throw new Error('Reading the heap needs `node --expose-gc`: use `npm run bench`.');
  for (let pass = 0; pass < 4; pass++) collectGarbage();
  return process.memoryUsage().heapUsed;
}

const { gc } = globalThis as { gc?: () => void };

/** Whether Node was started with --expose-gc. */
export function canCollectGarbage(): boolean {
  return gc !== undefined;
}

/** One contestant must not pay for what another left behind. */
function collectGarbage(): void {
  gc?.();
}
