/**
 * A machine definition as data that can be drawn: states, arrows, what is invoked, entered and left, by name. Owns the shape
 * and the walk over the definition; how it is laid out and drawn is not known here.
 *
 * CH1  A chart is JSON, and says everything of a machine that has a name; of a function it says that it is inline.
 * CH2  Every arrow of the definition is in it once, those of `always`, `after` and `onDone` included, and those without target.
 */
import type { AnyActorLogic, AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import type { Json } from '../log/json.ts';
import { plainValue } from './plain-value.ts';
import { guardName, isMachine } from './xstate-internals.ts';

/** A machine that can be drawn without its code. */
export interface MachineChart {
  /** Of the form of this object. */
  readonly form: 1;
  readonly id: string;
  readonly version: string | null;
  readonly description?: string;
  readonly root: ChartState;
  /** Charts of the machines that it invokes or spawns by name: by `src`. A machine that is inside itself is left out. */
  readonly actors: { readonly [src: string]: MachineChart };
}

/** A state, and the states in it. */
export interface ChartState {
  /** Unique in its chart: the ids of XState, for example `order.paying.card`. */
  readonly id: string;
  readonly key: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** Of a compound state: the ids of what it starts in. */
  readonly initial: readonly string[];
  /** Of a history state. */
  readonly history?: 'shallow' | 'deep';
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly invoke: readonly { readonly id: string; readonly src: string }[];
  readonly tags: readonly string[];
  readonly description?: string;
  readonly meta?: Json;
  readonly states: readonly ChartState[];
  readonly transitions: readonly ChartTransition[];
}

/** An arrow from a state. */
export interface ChartTransition {
  /** Unique in its chart. */
  readonly id: string;
  /** What XState calls the event: `PAY`, `xstate.done.actor.charge`, `xstate.after.backoff.order.waiting`, '' for always. */
  readonly event: string;
  readonly kind: 'event' | 'always' | 'after' | 'done' | 'error' | 'snapshot' | 'wildcard';
  /** What a person reads: `PAY`, `after 30s`, `charge done`, `charge failed`, `always`. */
  readonly label: string;
  /** Ids of states; empty where nothing is entered. */
  readonly targets: readonly string[];
  readonly guard?: string;
  readonly actions: readonly string[];
  readonly reenter: boolean;
  /** Of a delay: its name, or its ms. */
  readonly delay?: string | number;
  readonly description?: string;
}

/** The chart of a machine, and of those that it invokes or spawns by name. */
export function chartOf(machine: AnyStateMachine): MachineChart {
  return chartWithin(machine, []);
}

function chartWithin(machine: AnyStateMachine, above: readonly AnyStateMachine[]): MachineChart {
  const around = [...above, machine];
  const actors = Object.entries(machine.implementations.actors as Readonly<Record<string, unknown>>)
    .filter((entry): entry is [string, AnyStateMachine] => isMachine(entry[1] as AnyActorLogic))
    .filter(([, inner]) => !around.includes(inner))
    .map(([src, inner]) => [src, chartWithin(inner, around)] as const);
  const { description } = machine.root;
  return {
    form: 1,
    id: machine.id,
    version: machine.version ?? null,
    ...(description !== undefined && { description }),
    root: stateOf(machine.root),
    actors: Object.fromEntries(actors),
  };
}

function stateOf(node: AnyStateNode): ChartState {
  const { id, key, type, description, history, tags, meta } = node;
  const initial = type === 'compound' ? node.initial.target : undefined;
  return {
    ...{ id, key, type, initial: (initial ?? []).map((target) => target.id) },
    ...(type === 'history' && { history: history === 'deep' ? ('deep' as const) : ('shallow' as const) }),
    // As they are written: to the node's own list XState has added what arms and cancels its delays.
    entry: listOf(node.config.entry).map(actionName),
    exit: listOf(node.config.exit).map(actionName),
    invoke: node.invoke.map((invoke) => ({ id: invoke.id, src: sourceName(invoke.src) })),
    tags: [...tags],
    ...(description !== undefined && { description }),
    ...(meta !== undefined && { meta: plainValue(meta) }),
    states: Object.values(node.states).map(stateOf),
    transitions: [...[...node.transitions.values()].flat(), ...(node.always ?? [])].map((transition, index) =>
      transitionOf(node, transition, index),
    ),
  };
}

function transitionOf(node: AnyStateNode, transition: AnyTransitionDefinition, index: number): ChartTransition {
  const { eventType: event, target, guard, actions, reenter, description } = transition;
  return {
    ...{ id: `${node.id}#${index}`, event, ...wordsFor(node, event) },
    targets: (target ?? []).map(({ id }) => id),
    ...(guard !== undefined && { guard: guardName(guard) }),
    actions: actions.map(actionName),
    reenter,
    ...(description !== undefined && { description }),
  };
}

/** What an event is called, and of what kind it is. */
function wordsFor(node: AnyStateNode, event: string): Pick<ChartTransition, 'kind' | 'label' | 'delay'> {
  if (event === '') return { kind: 'always', label: 'always' };
  if (event === '*') return { kind: 'wildcard', label: 'any event' };
  const delayed = node.after.find(({ eventType }) => eventType === event);
  if (delayed) {
    const { delay } = delayed;
    if (typeof delay === 'function') return { kind: 'after', label: 'after (inline)', delay: '(inline)' };
    return {
      kind: 'after',
      label: `after ${typeof delay === 'number' ? durationText(delay) : delay}`,
      delay: delay as string | number,
    };
  }
  if (event.startsWith('xstate.done.state.')) return { kind: 'done', label: 'done' };
  const ended = /^xstate\.(done|error)\.actor\.(.*)$/s.exec(event);
  if (ended) {
    const who = invokedAs(node, ended[2]!);
    return ended[1] === 'done' ? { kind: 'done', label: `${who} done` } : { kind: 'error', label: `${who} failed` };
  }
  const said = /^xstate\.snapshot\.(.*)$/s.exec(event);
  if (said) return { kind: 'snapshot', label: `${invokedAs(node, said[1]!)} moved` };
  return { kind: 'event', label: event };
}

/** XState makes up an id where a definition gives none: then it is called by its source. */
function invokedAs(node: AnyStateNode, id: string): string {
  if (id === '*') return 'any actor';
  const invoke = node.invoke.find((each) => each.id === id);
  return invoke && /^\d+\./.test(id) ? sourceName(invoke.src) : id;
}

function sourceName(src: unknown): string {
  return typeof src === 'string' && !src.startsWith('xstate.invoke.') ? src : '(inline)';
}

function actionName(action: unknown): string {
  if (typeof action === 'string') return action;
  const { type, name } = action as { readonly type?: unknown; readonly name?: unknown };
  if (typeof type === 'string') return type.replace(/^xstate\./, '');
  return typeof name === 'string' && name !== '' && name !== 'actions' && name !== 'entry' && name !== 'exit'
    ? name
    : '(inline)';
}

function listOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value];
}

/** A time span in its largest whole unit: `30s`, `90m`, `250ms`. */
export function durationText(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const;
  const unit = units.find(([, size]) => ms >= size && ms % size === 0);
  return unit ? `${ms / unit[1]}${unit[0]}` : `${ms}ms`;
}
