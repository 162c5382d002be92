/** The states of a chart in a row. */
import type { MachineChart } from '../../../src/inspect/api.ts';

export type ChartState = MachineChart['root'];
export type ChartTransition = ChartState['transitions'][number];

/** Parents before children, so that a child is drawn above its parent. */
export function statesOf(chart: MachineChart): readonly ChartState[] {
  const states: ChartState[] = [];
  const walk = (state: ChartState): void => {
    states.push(state);
    state.states.forEach(walk);
  };
  walk(chart.root);
  return states;
}
