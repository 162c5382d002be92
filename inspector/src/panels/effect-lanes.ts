/**
 * Which effect is drawn in which lane. Owns the grouping and the packing.
 *
 * EL1  The lives of one effect share a lane: an address without its session numbers, and the name of its logic.
 * EL2  Bars in one row of a lane do not overlap in time.
 */
import type { EffectBar } from '../../../src/inspect/api.ts';

export interface EffectLane {
  readonly key: string;
  readonly src: string;
  /** Where it lives, without session numbers. */
  readonly place: string;
  readonly rows: readonly (readonly EffectBar[])[];
}

export function effectLanes(bars: readonly EffectBar[]): readonly EffectLane[] {
  const lanes = new Map<string, { readonly src: string; readonly place: string; readonly bars: EffectBar[] }>();
  for (const bar of bars) {
    const place = withoutSessions(bar.actor);
    const key = `${place} ${bar.src}`;
    const lane = lanes.get(key);
    if (lane) lane.bars.push(bar);
    else lanes.set(key, { src: bar.src, place, bars: [bar] });
  }
  return [...lanes].map(([key, lane]) => ({ key, src: lane.src, place: lane.place, rows: packed(lane.bars) }));
}

/** `/pay:3/charge:4` without the numbers that tell one life of an actor from the next. */
export function withoutSessions(address: string): string {
  return address.replaceAll(/:\d+(?=\/|$)/g, '');
}

function packed(bars: readonly EffectBar[]): readonly (readonly EffectBar[])[] {
  const rows: EffectBar[][] = [];
  const sorted = [...bars].sort((a, b) => a.startedAt - b.startedAt || a.startedRevision - b.startedRevision);
  for (const bar of sorted) {
    const free = rows.find((row) => (row.at(-1)!.endedAt ?? Infinity) <= bar.startedAt);
    if (free) free.push(bar);
    else rows.push([bar]);
  }
  return rows;
}
