/**
 * How a number chooses. Owns the arithmetic by which genes select alternatives; zero always selects the first.
 */

/** The element at `n` modulo the length. */
export function pick<T>(list: readonly T[], n: number): T {
  const chosen = list[n % list.length];
  if (chosen === undefined) throw new RangeError(`Cannot pick from ${list.length} alternatives with gene ${n}.`);
  return chosen;
}

/** The value whose share of the total weight contains `n` modulo the total. */
export function weighted<T>(table: readonly (readonly [weight: number, value: T])[], n: number): T {
  const total = table.reduce((sum, [weight]) => sum + weight, 0);
  let rest = n % total;
  for (const [weight, value] of table) {
    if (rest < weight) return value;
    rest -= weight;
  }
  throw new RangeError(`No alternative carries weight for gene ${n}.`);
}

/** A field that is left out when its list is empty. */
export function optional<K extends string, T>(key: K, list: readonly T[]): { [key in K]?: readonly T[] } {
  return (list.length > 0 ? { [key]: list } : {}) as { [key in K]?: readonly T[] };
}
