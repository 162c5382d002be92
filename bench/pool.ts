/**
 * Many executions with a bound on how many run at once. Owns the bound and nothing else.
 */

/** Calls `run` for 0 to count - 1, at most `concurrency` at a time. */
export async function inPool(
  count: number,
  concurrency: number,
  run: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: Math.min(count, concurrency) }, worker));
}
