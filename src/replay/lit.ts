/**
 * What is lit in a chart at a frame: the states that are active, and the arrows that led there. Owns the explanation of a move by
 * the arrows of a chart.
 *
 * LI1  An arrow is taken for the one that was used if its event is that of the move, its source was active before it, and what
 *      it leads to is active after it; through arrows that need no event where those explain the move.
 * LI2  Guards are not asked: of several arrows that explain a move alike, the one that XState tries first is lit.
 */
import type { StateValue } from 'xstate';
import type { ChartState, ChartTransition, MachineChart } from '../kernel/chart.ts';
import type { TransitionRecord } from '../kernel/stimulus.ts';
import { activeStates, statesOf } from './chart-states.ts';
import type { Frame, FrameActor } from './frame.ts';

/** Ids of a chart. */
export interface Lit {
  readonly states: readonly string[];
  readonly arrows: readonly string[];
}

/**
 * What is lit in the chart of one machine.
 * @param transitions what the machine did at the frame, in order
 * @param before its state value before that; undefined where it was not there, or is not known
 */
export function litOf(
  chart: MachineChart,
  actor: Pick<FrameActor, 'value'>,
  transitions: readonly TransitionRecord[],
  before?: StateValue,
): Lit {
  const states = actor.value === null ? [] : [...activeStates(chart, actor.value as StateValue)];
  const map = new ChartMap(chart);
  const arrows = new Set<string>();
  let from = before === undefined ? undefined : activeStates(chart, before);
  for (const { event, to } of transitions) {
    const active = to === '' ? new Set<string>() : activeStates(chart, to);
    for (const { id } of map.explain(event, from, active)) arrows.add(id);
    from = active;
  }
  return { states, arrows: [...arrows] };
}

/**
 * What is lit in the charts of all machines of a frame, by their address.
 * @param chartFor as of the replay that the frame is from
 * @param previous the frame before; undefined at the beginning
 */
export function litIn(
  frame: Frame,
  previous: Frame | undefined,
  chartFor: (address: string, frame: Frame) => MachineChart | undefined,
): { readonly [address: string]: Lit } {
  const lit = frame.actors.flatMap((actor) => {
    const chart = actor.kind === 'machine' ? chartFor(actor.address, frame) : undefined;
    if (!chart) return [];
    const was = previous?.actors.find(({ address }) => address === actor.address)?.value as
      StateValue | null | undefined;
    const moves = frame.transitions.filter(({ actor: address }) => address === actor.address);
    return [[actor.address, litOf(chart, actor, moves, was ?? undefined)] as const];
  });
  return Object.fromEntries(lit);
}

/** So many places are looked at for arrows that need no event. */
const placesMax = 200;

/** The arrow for an event, and those that it sets off. */
interface Move {
  readonly source: string;
  readonly arrow: ChartTransition;
  readonly chain: readonly ChartTransition[];
}

function arrowsOf({ arrow, chain }: Move): ChartTransition[] {
  return [arrow, ...chain];
}

class ChartMap {
  readonly #root: ChartState;
  readonly #states: readonly ChartState[];
  readonly #parents = new Map<string, ChartState>();

  constructor({ root }: MachineChart) {
    this.#root = root;
    this.#states = statesOf(root);
    for (const state of this.#states) for (const inner of state.states) this.#parents.set(inner.id, state);
  }

  /** LI1. @param before undefined where it is not known */
  explain(
    event: string,
    before: ReadonlySet<string> | undefined,
    after: ReadonlySet<string>,
  ): readonly ChartTransition[] {
    if (event === 'xstate.init') return this.#chain(this.#entered(this.#root), after) ?? [];
    if (event === 'xstate.stop') return [];
    if (!before) {
      const all = this.#states.map((state) => this.#fromLeaf(state, event, after)).filter((each) => each !== undefined);
      // Where it came from is not known: then only a move that can be nothing else is explained.
      return new Set(all.map(({ arrow }) => arrow.id)).size === 1 ? arrowsOf(all[0]!) : [];
    }
    const leaves = this.#states.filter(
      ({ id, states }) => before.has(id) && !states.some((inner) => before.has(inner.id)),
    );
    const moves = leaves.map((leaf) => this.#fromLeaf(leaf, event, after)).filter((move) => move !== undefined);
    // Where one region takes an event, nothing around the regions does.
    const used = moves.filter(({ source }) => !moves.some((other) => this.#isAbove(source, other.source)));
    return used.flatMap(arrowsOf);
  }

  #isAbove(id: string, other: string): boolean {
    return id !== other && this.#withAncestors(other).includes(id);
  }

  /** The innermost state that has an arrow for the event goes first, and in it the one that is written first. */
  #fromLeaf(leaf: ChartState, event: string, after: ReadonlySet<string>): Move | undefined {
    let inPlace: Move | undefined;
    for (let state: ChartState | undefined = leaf; state; state = this.#parents.get(state.id)) {
      for (const arrow of state.transitions) {
        if (arrow.kind === 'always' || !isFor(arrow.event, event)) continue;
        if (arrow.targets.length === 0) {
          // It explains that nothing moves, if nothing did.
          if (after.has(leaf.id)) inPlace ??= { source: state.id, arrow, chain: [] };
          continue;
        }
        // One further in that stays where it is would have been tried before this one.
        const chain = inPlace
          ? undefined
          : this.#chain(
              arrow.targets.flatMap((id) => this.#enteredBy(id)),
              after,
            );
        if (chain) return { source: state.id, arrow, chain };
      }
    }
    return inPlace;
  }

  /** The arrows without an event that lead on from where a machine has come to where it is; undefined where none do. */
  #chain(
    entered: readonly string[],
    after: ReadonlySet<string>,
    seen: Set<string> = new Set(),
  ): ChartTransition[] | undefined {
    if (entered.every((id) => after.has(id))) return [];
    const place = entered.toSorted().join(' ');
    if (seen.has(place) || seen.size >= placesMax) return undefined;
    seen.add(place);
    const around = new Set(entered.flatMap((id) => this.#withAncestors(id)));
    for (const state of this.#states) {
      if (!around.has(state.id)) continue;
      for (const arrow of state.transitions) {
        const isEventless = arrow.kind === 'always' || arrow.event.startsWith('xstate.done.state.');
        if (!isEventless || arrow.targets.length === 0) continue;
        const targets = arrow.targets.flatMap((id) => this.#enteredBy(id));
        // What the arrow leaves is everything in its source; what else was entered stays.
        const stays = entered.filter((id) => !this.#withAncestors(id).includes(state.id));
        const rest = this.#chain([...stays, ...targets], after, seen);
        if (rest) return [arrow, ...rest];
      }
    }
    return undefined;
  }

  #withAncestors(id: string): string[] {
    const above: string[] = [id];
    for (let state = this.#parents.get(id); state; state = this.#parents.get(state.id)) above.push(state.id);
    return above;
  }

  #enteredBy(id: string): string[] {
    const state = this.#states.find((each) => each.id === id);
    return state ? this.#entered(state) : [];
  }

  /** What is active in a state when it is entered; of a history state anything may be. */
  #entered(state: ChartState): string[] {
    if (state.type === 'history') return this.#withAncestors(state.id).slice(1);
    if (state.type === 'parallel') return [state.id, ...state.states.flatMap((inner) => this.#entered(inner))];
    return [state.id, ...state.initial.flatMap((id) => this.#enteredBy(id))];
  }
}

/** Whether an arrow is for an event: by its name, `*`, or a beginning such as `job.*`. */
function isFor(pattern: string, event: string): boolean {
  if (pattern === event || pattern === '*') return true;
  if (!pattern.endsWith('.*')) return false;
  const beginning = pattern.slice(0, -2);
  return event === beginning || event.startsWith(`${beginning}.`);
}
