/**
 * What a generated statechart is: plain data that shrinks, prints and compiles. Owns the types, the event alphabet and the
 * vocabulary of features; the genes live in genes.ts, the compiler in build-machine.ts.
 *
 * G1  A chart is data: it holds no function and survives JSON.
 * G2  Every machine, node and child site of a chart has an id of its own, so that an address names one place.
 * G3  A chart is finite: transitions that need no stimulus from outside burn fuel, and fuel is refilled only by an
 *     external event or a delay above zero; spawns are counted.
 */

/** Events that only a script (or a callback in it) sends; a machine never makes them, it may forward them down. */
export const externalEvents = ['A', 'B', 'C'] as const;
/** Events that machines send to themselves and to each other. */
export const internalEvents = ['a.x', 'a.y', 'b.x', 'b.y'] as const;
/** What a callback with `answers` sends back, one microtask after it heard something. */
export const answerEvent = 'b.answer';

export type Delay = number | 'short' | 'long';

export type Guard =
  /** `n` of the context modulo 4 is above `k`. */
  | { readonly is: 'over'; readonly k: number }
  /** `n` of the event is even. */
  | { readonly is: 'evenPayload' }
  /** The clock, in steps of 10 ms, is even. */
  | { readonly is: 'evenTime' }
  | { readonly is: 'in'; readonly node: string }
  | { readonly is: 'not'; readonly of: Guard }
  | { readonly is: 'and' | 'or'; readonly of: readonly Guard[] };

export type Target =
  /** A child that is invoked wherever the action can run. */
  | { readonly invoked: string }
  /** A child spawned in an assign or the context factory, by its reference; XState sends to self when there is none. */
  | { readonly ref: string }
  /** A child made by spawnChild, if it is there. */
  | { readonly child: string }
  /** Any actor of the system, by system id; to self when there is none. */
  | { readonly system: string }
  | { readonly parent: true }
  /** A child that may be absent: then XState throws. */
  | { readonly unsure: string };

export type Action =
  | { readonly do: 'note'; readonly label: string }
  | { readonly do: 'bump'; readonly by: number }
  /** Takes `n`, output, error or snapshot of the event into the context. */
  | { readonly do: 'take' }
  | { readonly do: 'emit'; readonly fact: string }
  | { readonly do: 'raise'; readonly event: string; readonly delay?: Delay; readonly id?: string }
  | {
      readonly do: 'send';
      readonly to: Target;
      readonly event: string;
      readonly delay?: Delay;
      readonly id?: string;
    }
  | { readonly do: 'forward'; readonly to: Target }
  | { readonly do: 'cancel'; readonly id: string }
  | { readonly do: 'spawn'; readonly site: string }
  | { readonly do: 'stop'; readonly site: string }
  /** enqueueActions with check(). */
  | {
      readonly do: 'choose';
      readonly guard: Guard;
      readonly then: readonly Action[];
      readonly otherwise: readonly Action[];
    }
  /** An assign that throws when the guard holds. */
  | { readonly do: 'throw'; readonly guard: Guard }
  /** A custom action; only how often it ran is observed, never when. */
  | { readonly do: 'custom'; readonly label: string };

export interface Transition {
  /** Node ids; none: the transition stays where it is. */
  readonly to?: readonly string[];
  readonly reenter?: true;
  readonly guard?: Guard;
  readonly actions?: readonly Action[];
}

/** Transitions under one event descriptor, in order. */
export interface Handler {
  readonly event: string;
  readonly transitions: readonly Transition[];
}

export interface DelayedHandler {
  readonly delay: Delay;
  readonly transitions: readonly Transition[];
}

export type ChildLogic =
  | { readonly kind: 'promise' | 'observable' | 'eventObservable' | 'counter' }
  | { readonly kind: 'callback'; readonly answers: boolean }
  | { readonly kind: 'machine'; readonly machine: Machine };

/** A place where a child comes to life; its id is also its `src`. */
export interface Site {
  readonly id: string;
  readonly logic: ChildLogic;
  readonly systemId?: string;
  readonly syncSnapshot?: true;
}

export interface Invoke extends Site {
  readonly onDone?: Transition;
  readonly onError?: Transition;
  readonly onSnapshot?: Transition;
}

export interface Spawn extends Site {
  readonly how: 'assign' | 'spawnChild' | 'factory';
  /** No id of its own: XState takes the session id. */
  readonly anonymous?: true;
  /** Spawned also while an older one lives under the same id. */
  readonly again?: true;
}

export interface Node {
  readonly key: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'shallowHistory' | 'deepHistory';
  readonly states?: readonly Node[];
  /** Key of the initial child of a compound node, or of the default target of a history node. */
  readonly initial?: string;
  readonly initialActions?: readonly Action[];
  readonly entry?: readonly Action[];
  readonly exit?: readonly Action[];
  readonly on?: readonly Handler[];
  readonly always?: readonly Transition[];
  readonly after?: readonly DelayedHandler[];
  readonly invoke?: readonly Invoke[];
  readonly onDone?: readonly Transition[];
  /** A final node's output. */
  readonly output?: true;
}

export interface Machine {
  readonly id: string;
  readonly root: Node;
  readonly spawns: readonly Spawn[];
  readonly output?: true;
}

/** A statechart as plain JSON: its root machine, which holds the machines it invokes and spawns. */
export type Chart = Machine;

/** All nodes of a machine, parents first. */
export function nodesOf(node: Node): Node[] {
  return [node, ...(node.states ?? []).flatMap(nodesOf)];
}

/** Everything that a generated machine may make use of. */
export const chartFeatures = [
  'nested',
  'deeplyNested',
  'parallel',
  'shallowHistory',
  'deepHistory',
  'historyDefault',
  'final',
  'finalOutput',
  'onDone',
  'always',
  'raise',
  'after',
  'afterZero',
  'namedDelay',
  'equalDelays',
  'reenter',
  'multiTarget',
  'initialActions',
  'delayedRaise',
  'delayedSend',
  'delayWithoutId',
  'cancel',
  'timerIdReuse',
  'invoke',
  'promise',
  'callback',
  'callbackAnswers',
  'observable',
  'eventObservable',
  'counter',
  'machineChild',
  'machineGrandchild',
  'spawnAssign',
  'spawnFactory',
  'spawnChild',
  'stopChild',
  'respawn',
  'anonymousSpawn',
  'systemId',
  'sendSystem',
  'syncSnapshot',
  'onSnapshot',
  'onError',
  'withoutOnError',
  'sendChild',
  'sendUnsure',
  'sendParent',
  'forwardDown',
  'forwardUp',
  'wildcard',
  'partialWildcard',
  'enqueueActions',
  'emit',
  'guardAnd',
  'guardOr',
  'guardNot',
  'stateIn',
  'timeGuard',
  'throw',
  'nestedThrow',
  'custom',
] as const;

/** Something that a generated machine may make use of: see {@link chartFeatures}. */
export type ChartFeature = (typeof chartFeatures)[number];

/**
 * Features whose order against others in flight is not XState's to fix: a callback that answers by itself races timers of the
 * same deadline, because a host takes the answer only after an append.
 */
export const racingFeatures: readonly ChartFeature[] = ['callbackAnswers'];
