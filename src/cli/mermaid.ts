/**
 * A chart as a Mermaid state diagram. Owns the text; what is in a chart is the kernel's.
 *
 * MM1  Nothing in a chart can end a line or a quote of the diagram.
 */
import type { StateValue } from 'xstate';
import type { ChartState, ChartTransition, MachineChart } from '../kernel/chart.ts';
import type { Json } from '../log/json.ts';
import { activeStates, statesOf } from '../replay/chart-states.ts';

/**
 * The text of the diagram, with a line end.
 * @param value state value of the machine, whose states are marked; null for none
 */
export function chartText(chart: MachineChart, value: Json | null): string {
  const { root } = chart;
  const active = value === null ? [] : innermost(chart, value as StateValue);
  const everywhere = root.transitions.map((arrow) => `  ${arrowText({ ...root, id: anywhere }, arrow)}`);
  return [
    'stateDiagram-v2',
    `  %% ${plain(chart.id)}${chart.version === null ? '' : ` ${plain(chart.version)}`}`,
    ...linesOf(root, '  '),
    ...(everywhere.length > 0 ? [`  state "in any state" as ${nameOf(anywhere)}`, ...everywhere] : []),
    ...(active.length > 0
      ? ['  classDef active fill:#2563eb,color:#ffffff', `  class ${active.map(nameOf).join(',')} active`]
      : []),
    '',
  ].join('\n');
}

const anywhere = 'in any state';

function linesOf(state: ChartState, indent: string): string[] {
  const lines = state.initial.map((id) => `${indent}[*] --> ${nameOf(id)}`);
  for (const [at, inner] of state.states.entries()) {
    if (state.type === 'parallel' && at > 0) lines.push(`${indent}--`);
    const isCompound = inner.states.length > 0;
    lines.push(`${indent}state "${titleOf(inner)}" as ${nameOf(inner.id)}${isCompound ? ' {' : ''}`);
    if (isCompound) lines.push(...linesOf(inner, `${indent}  `), `${indent}}`);
    for (const arrow of inner.transitions) lines.push(`${indent}${arrowText(inner, arrow)}`);
    if (inner.type === 'final') lines.push(`${indent}${nameOf(inner.id)} --> [*]`);
  }
  return lines;
}

function titleOf({ key, invoke }: ChartState): string {
  return plain(invoke.length === 0 ? key : `${key} (${invoke.map(({ src }) => src).join(', ')})`);
}

function arrowText({ id }: Pick<ChartState, 'id'>, { targets, label, guard, actions }: ChartTransition): string {
  const parts = [label, ...(guard === undefined ? [] : [`[${guard}]`])];
  if (actions.length > 0) parts.push(`/ ${actions.join(', ')}`);
  return `${nameOf(id)} --> ${nameOf(targets[0] ?? id)}: ${plain(parts.join(' '))}`;
}

/** Mermaid's ids are words. */
function nameOf(id: string): string {
  return `s_${id.replaceAll(/[^A-Za-z0-9]/g, (char) => (char === '.' ? '_' : `_${char.codePointAt(0)!.toString(16)}_`))}`;
}

/** MM1. A colon, too, begins what is said of an arrow. */
function plain(text: string): string {
  return text.replaceAll(/[\n\r"#;:{}<>%]|\p{Cc}/gu, (char) => `#${char.codePointAt(0)!};`);
}

/** Ids of the innermost active states. */
function innermost(chart: MachineChart, value: StateValue): string[] {
  const active = activeStates(chart, value);
  const isInnermost = ({ id, states }: ChartState) => active.has(id) && !states.some((inner) => active.has(inner.id));
  return statesOf(chart.root)
    .filter(isInnermost)
    .map(({ id }) => id);
}
