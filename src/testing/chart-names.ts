/**
 * What the parts of a machine are called in a coverage report. Owns the wording; two definitions that are alike give the same
 * names, in every process, so that reports add up.
 *
 * CN1  No two states, transitions or guards of one machine share a name.
 * CN2  A guard is called as its transition is, up to where that goes.
 */
import type { AnyStateMachine } from 'xstate';
import { guardName } from '../kernel/xstate-internals.ts';
import { nodesOf, transitionsIn, type WatchedTransition } from './xstate-watch.ts';

/** The names of a machine's parts, in the order of its definition. */
export interface ChartNames {
  /** Ids of the state nodes that can be active, the machine itself left out. */
  readonly states: readonly string[];
  readonly transitions: ReadonlyMap<WatchedTransition, string>;
  /** What a guard is called when it holds, and when it does not, by the transition that it stands at. */
  readonly guards: ReadonlyMap<WatchedTransition, { readonly true: string; readonly false: string }>;
  /** Handlers of `rewake/machines` that this machine chooses from. */
  readonly handlers: readonly string[];
}

const known = new WeakMap<AnyStateMachine, ChartNames>();

/** The names of a machine's parts. */
export function namesOf(machine: AnyStateMachine): ChartNames {
  let names = known.get(machine);
  if (!names) known.set(machine, (names = named(machine)));
  return names;
}

/** Whether a transition is there for an error: an `onError`, or one whose pattern says so. */
export function isForError({ eventType }: WatchedTransition): boolean {
  return eventType.startsWith('xstate.error.');
}

function named(machine: AnyStateMachine): ChartNames {
  const nodes = nodesOf(machine);
  const transitions = transitionsIn(machine);
  const unique = uniquely();
  const triggers = new Map(transitions.map((transition) => [transition, unique(trigger(transition))]));
  const handlers = nodes[0]?.meta?.['rewake.handlers'];
  return {
    states: nodes.filter(({ parent, type }) => parent && type !== 'history').map(({ id }) => id),
    transitions: new Map([...triggers].map(([transition, name]) => [transition, `${name}${targetsOf(transition)}`])),
    guards: new Map(
      [...triggers]
        .filter(([{ guard }]) => guard !== undefined)
        .map(([transition, name]) => [transition, { true: `${name} is true`, false: `${name} is false` }]),
    ),
    handlers: Array.isArray(handlers) ? handlers.map(String) : [],
  };
}

function targetsOf({ target = [] }: WatchedTransition): string {
  return target.length === 0 ? '' : ` → ${target.map(({ id }) => id).join(', ')}`;
}

/** As in a chart: `order.open: PAY [isLarge]`. */
function trigger({ source, eventType, guard }: WatchedTransition): string {
  return `${source.id}: ${eventName(eventType, source.id)}${guard === undefined ? '' : ` [${guardName(guard)}]`}`;
}

/** XState's own events are called as a definition has them. An invoke without an id is called by its place, if not the first. */
function eventName(type: string, source: string): string {
  if (type === '') return 'always';
  const [, kind, rest = ''] = /^xstate\.(after|done\.state|done\.actor|error\.actor|snapshot)\.(.+)$/s.exec(type) ?? [];
  switch (kind) {
    case 'after':
      return `after ${rest.slice(0, -source.length - 1)}`;
    case 'done.state':
      return 'onDone';
    case 'done.actor':
      return `onDone${ofInvoke(rest, source)}`;
    case 'error.actor':
      return `onError${ofInvoke(rest, source)}`;
    case 'snapshot':
      return `onSnapshot${ofInvoke(rest, source)}`;
    default:
      return type;
  }
}

function ofInvoke(id: string, source: string): string {
  if (id === `0.${source}`) return '';
  return ` of ${id.endsWith(`.${source}`) ? id.slice(0, -source.length - 1) : id}`;
}

/** CN1, CN2. */
function uniquely(): (name: string) => string {
  const uses = new Map<string, number>();
  return (name) => {
    const use = (uses.get(name) ?? 0) + 1;
    uses.set(name, use);
    return use === 1 ? name : `${name} #${use}`;
  };
}
