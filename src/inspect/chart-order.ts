/**
 * Which state of a chart comes before which: the reading order, from what a state starts in along its arrows. Owns the order, and
 * with it which arrows point back.
 *
 * CO1  What a compound state starts in comes first among its children, and what is only reached from outside comes last.
 * CO2  Along arrows that do not point back there is no circle, so each can be drawn in the direction of the chart.
 */
import type { ChartState, MachineChart } from '../kernel/chart.ts';

/** A chart looked up by the ids of its states. */
export interface ChartIndex {
  /** Parents before children. */
  readonly states: readonly ChartState[];
  readonly numbers: ReadonlyMap<string, number>;
  readonly parents: ReadonlyMap<string, string | undefined>;
}

export function indexOf({ root }: MachineChart): ChartIndex {
  const states: ChartState[] = [];
  const parents = new Map<string, string | undefined>();
  const walk = (state: ChartState, parent: string | undefined): void => {
    states.push(state);
    parents.set(state.id, parent);
    for (const child of state.states) walk(child, state.id);
  };
  walk(root, undefined);
  return { states, numbers: new Map(states.map(({ id }, at) => [id, at])), parents };
}

/** Itself and what it is in, the nearest first. */
export function lineOf(id: string, { parents }: ChartIndex): readonly string[] {
  const found: string[] = [];
  for (let at: string | undefined = id; at !== undefined; at = parents.get(at)) found.push(at);
  return found;
}

/** Tells of an arrow whether it points back. Arrows between a state and what is in it never do. */
export function backwards(index: ChartIndex): (source: string, target: string) => boolean {
  const places = new Map<string, number>();
  const followed = followersOf(index);
  for (const state of index.states) {
    for (const [place, id] of readingOrder(state, followed).entries()) places.set(id, place);
  }
  return (source, target) => {
    const [from, to] = siblingsOf(source, target, index);
    return from !== undefined && to !== undefined && places.get(from)! > places.get(to)!;
  };
}

/** CO1, CO2: from every child where nothing is left to follow, backwards. */
function readingOrder(parent: ChartState, followed: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const starts = [...parent.initial, ...parent.states.map(({ id }) => id)];
  const children = new Set(parent.states.map(({ id }) => id));
  const seen = new Set<string>();
  const order: string[] = [];
  for (const start of starts) {
    if (!children.has(start) || seen.has(start)) continue;
    const left: string[] = [];
    seen.add(start);
    const open = [{ id: start, next: (followed.get(start) ?? new Set<string>()).values() }];
    for (let top = open.at(-1); top; top = open.at(-1)) {
      const { value, done } = top.next.next();
      if (done) {
        left.push(top.id);
        open.pop();
      } else if (!seen.has(value)) {
        seen.add(value);
        open.push({ id: value, next: (followed.get(value) ?? new Set<string>()).values() });
      }
    }
    order.push(...left.reverse());
  }
  return order;
}

/** Of each state the siblings that an arrow leads to, from itself or from inside of it. */
function followersOf(index: ChartIndex): ReadonlyMap<string, ReadonlySet<string>> {
  const followed = new Map<string, Set<string>>();
  for (const { id, transitions } of index.states) {
    for (const target of transitions.flatMap(({ targets }) => targets)) {
      const [from, to] = siblingsOf(id, target, index);
      if (from === undefined || to === undefined) continue;
      if (!followed.has(from)) followed.set(from, new Set());
      followed.get(from)!.add(to);
    }
  }
  return followed;
}

/** Two states where they part: the siblings that they are, or are in. Nothing where one is in the other. */
function siblingsOf(one: string, other: string, index: ChartIndex): readonly [string?, string?] {
  if (!index.parents.has(other)) return [];
  const a = lineOf(one, index).toReversed();
  const b = lineOf(other, index).toReversed();
  const at = a.findIndex((id, level) => id !== b[level]);
  return at === -1 || b[at] === undefined ? [] : [a[at]!, b[at]];
}
