/**
 * A time axis on which the time in which nothing happens takes little room. Owns the maths.
 *
 * GA1  Later is never further left.
 * GA2  A span between two moments that is far longer than the others is drawn shorter, and is a break.
 */
export interface AxisBreak {
  readonly from: number;
  readonly to: number;
  readonly x: number;
  readonly width: number;
}

export interface GapAxis {
  readonly from: number;
  readonly to: number;
  readonly width: number;
  readonly breaks: readonly AxisBreak[];
  /** Px for ms since the epoch; what is before or behind the axis is put at its ends. */
  x(at: number): number;
  /** Ms since the epoch for px. */
  at(x: number): number;
}

/** A span this many times as long as the middle one is a break, and is drawn as long as this. */
const longest = 8;

export function gapAxis(moments: readonly number[], width: number): GapAxis {
  const at = [...new Set(moments)].sort((a, b) => a - b);
  const spans = at.slice(1).map((moment, index) => moment - at[index]!);
  const sorted = [...spans].sort((a, b) => a - b);
  const limit = longest * (sorted[Math.floor((sorted.length - 1) / 2)] ?? 1);
  const drawn = spans.map((span) => Math.min(span, limit));
  const scale =
    width /
    Math.max(
      1,
      drawn.reduce((sum, span) => sum + span, 0),
    );
  const places = [0];
  for (const span of drawn) places.push(places.at(-1)! + span * scale);
  const [from = 0, to = from] = [at[0], at.at(-1)];
  const between = (index: number, part: number) => places[index]! + part * (places[index + 1]! - places[index]!);
  return {
    ...{ from, to, width },
    breaks: spans.flatMap((span, index) =>
      span > limit
        ? [{ from: at[index]!, to: at[index + 1]!, x: places[index]!, width: places[index + 1]! - places[index]! }]
        : [],
    ),
    x(moment) {
      if (at.length < 2 || moment <= from) return 0;
      if (moment >= to) return places.at(-1)!;
      const index = lastAtOrBefore(at, moment);
      return between(index, (moment - at[index]!) / spans[index]!);
    },
    at(x) {
      if (at.length < 2 || x <= 0) return from;
      if (x >= places.at(-1)!) return to;
      const index = lastAtOrBefore(places, x);
      return at[index]! + ((x - places[index]!) / (places[index + 1]! - places[index]!)) * spans[index]!;
    },
  };
}

function lastAtOrBefore(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (sorted[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return Math.min(low, sorted.length - 2);
}
