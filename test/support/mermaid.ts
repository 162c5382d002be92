/**
 * A machine's chart as a Mermaid state diagram. Owns the text; reads the machine's own definition, so that the drawing
 * cannot say something else than the chart does.
 */
import type { AnyStateMachine, AnyTransitionDefinition } from 'xstate';

interface Node {
  readonly id: string;
  readonly key: string;
  readonly type: string;
  readonly states: Readonly<Record<string, Node>>;
  readonly invoke: readonly { readonly id: string; readonly src: unknown }[];
  readonly initial?: { readonly target: readonly { readonly id: string }[] };
  readonly transitions: ReadonlyMap<string, readonly AnyTransitionDefinition[]>;
  readonly always?: readonly AnyTransitionDefinition[];
}

/** The diagram, without the fence around it. */
export function mermaidOf(machine: AnyStateMachine): string {
  const root = machine.root as unknown as Node;
  const everywhere = transitionsOf(root).map(
    (transition) => `  ${arrowOf({ ...root, id: `${root.id}.anywhere` }, transition)}`,
  );
  const anywhere = everywhere.length > 0 ? [`  state "in any state" as ${nameOf(`${root.id}.anywhere`)}`] : [];
  return ['stateDiagram-v2', ...linesOf(root, '  '), ...anywhere, ...everywhere].join('\n');
}

function linesOf(node: Node, indent: string): string[] {
  const lines: string[] = [];
  for (const initial of node.initial?.target ?? []) lines.push(`${indent}[*] --> ${nameOf(initial.id)}`);
  for (const [index, child] of Object.values(node.states).entries()) {
    if (node.type === 'parallel' && index > 0) lines.push(`${indent}--`);
    const inner = linesOf(child, `${indent}  `);
    const hasStates = Object.keys(child.states).length > 0;
    lines.push(`${indent}state "${labelOf(child)}" as ${nameOf(child.id)}${hasStates ? ' {' : ''}`);
    if (hasStates) lines.push(...inner, `${indent}}`);
    for (const transition of transitionsOf(child)) lines.push(`${indent}${arrowOf(child, transition)}`);
    if (child.type === 'final') lines.push(`${indent}${nameOf(child.id)} --> [*]`);
  }
  return lines;
}

function labelOf({ key, invoke }: Node): string {
  const sources = invoke.map(({ src }) => (typeof src === 'string' ? src : 'inline'));
  return sources.length > 0 ? `${key} (${sources.join(', ')})` : key;
}

function transitionsOf({ transitions, always = [] }: Node): AnyTransitionDefinition[] {
  return [...[...transitions.values()].flat(), ...always];
}

function arrowOf({ id }: Node, { target, eventType, guard, actions }: AnyTransitionDefinition): string {
  const to = target?.[0] ? nameOf((target[0] as { id: string }).id) : nameOf(id);
  const guarded = guard ? `[${typeOf(guard)}]` : '';
  const does = actions.length > 0 ? `/ ${actions.map(typeOf).join(', ')}` : '';
  const label = [eventOf(eventType), guarded, does].filter((part) => part !== '').join(' ');
  return `${nameOf(id)} --> ${to}${label === '' ? '' : `: ${label}`}`;
}

/** What an event is called in a drawing. */
function eventOf(type: string): string {
  return type
    .replace(/^xstate\.done\.actor\.(?:.*\*|.*)$/, 'done')
    .replace(/^xstate\.error\.actor\.(?:.*\*|.*)$/, 'error')
    .replace(/^xstate\.after\.(.+?)\.[^.]*(?:\..*)?$/, 'after $1')
    .replace(/^xstate\.done\.state\..*$/, 'finished');
}

function typeOf(thing: unknown): string {
  if (typeof thing === 'string') return thing;
  const { type } = thing as { type?: unknown };
  return typeof type === 'string' ? type : 'inline';
}

function nameOf(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9_]/g, '_');
}
