/**
 * A machine definition as data that can be drawn: states, arrows, what is invoked, entered and left, by name. Owns the shape
 * and the walk over the definition; how it is laid out and drawn is not known here.
 *
 * CH1  A chart is JSON, and says everything of a machine that has a name; of a function it says that it is inline.
 * CH2  Every arrow of the definition is in it once, those of `always`, `after` and `onDone` included, and those without target.
 */
import type { Json } from '../log/json.ts';

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
