/**
 * Which states of a chart are active, and which of them invoke what. Owns the way from a state value to the ids of a chart.
 */
import type { StateValue } from 'xstate';
import type { ChartState, MachineChart } from '../kernel/chart.ts';
import { idOf, parentOf } from './addresses.ts';

/** Ids of the active states, the chart's root among them, outermost first. */
export function activeStates({ root }: MachineChart, value: StateValue): Set<string> {
  const active = new Set<string>();
  addActive(root, value, active);
  return active;
}

function addActive(state: ChartState, value: StateValue | undefined, active: Set<string>): void {
  active.add(state.id);
  if (value === undefined) return;
  const inner = typeof value === 'string' ? [[value, undefined] as const] : Object.entries(value);
  for (const [key, below] of inner) {
    const found = state.states.find((each) => each.key === key);
    if (found) addActive(found, below, active);
  }
}

/** Ids of the states that invoke an actor of this id. */
export function invokersOf({ root }: MachineChart, id: string): string[] {
  return statesOf(root).flatMap((state) => (state.invoke.some((invoke) => invoke.id === id) ? [state.id] : []));
}

/** A state and all in it, outermost first. */
export function statesOf(state: ChartState): ChartState[] {
  return [state, ...state.states.flatMap(statesOf)];
}

/** The name of the logic of an actor, where a chart of the root says which state invokes it, and so on down to it. */
export function sourceIn(chart: MachineChart, address: string): string | undefined {
  const above = parentOf(address);
  if (above === null) return undefined;
  const around = chartIn(chart, above);
  return around && sourceInvoked(around.root, idOf(address));
}

function chartIn(chart: MachineChart, address: string): MachineChart | undefined {
  if (address === '/') return chart;
  const src = sourceIn(chart, address);
  const around = src === undefined ? undefined : chartIn(chart, parentOf(address)!);
  return around && src !== undefined && Object.hasOwn(around.actors, src) ? around.actors[src] : undefined;
}

/** The name of the logic that a state, or one in it, invokes under an id. */
export function sourceInvoked(state: ChartState, id: string): string | undefined {
  const own = state.invoke.find((invoke) => invoke.id === id)?.src;
  if (own !== undefined) return own;
  for (const inner of state.states) {
    const found = sourceInvoked(inner, id);
    if (found !== undefined) return found;
  }
  return undefined;
}
