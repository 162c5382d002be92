/**
 * How much a run has tried out: machines, plans, crashes. Owns the counters of one test file, and their line in the file that
 * REWAKE_TALLY names; who adds the lines up is CI.
 *
 * RT1  Without REWAKE_TALLY nothing is written. With it a file that counted leaves one line of JSON at its end, also when
 *      some of its tests have failed.
 */
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import { afterAll, expect } from 'vitest';

const counts: Record<string, number> = {};

/** Counts what was tried, under a name in the plural: `count('crashes', 2)`. */
export function count(name: string, n = 1): void {
  counts[name] = (counts[name] ?? 0) + n;
}

afterAll(() => {
  const file = process.env.REWAKE_TALLY;
  if (!file || Object.keys(counts).length === 0) return;
  const testFile = relative(process.cwd(), expect.getState().testPath ?? '');
  appendFileSync(file, `${JSON.stringify({ testFile, counts })}\n`);
});
