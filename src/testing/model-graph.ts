/**
 * A machine as a graph for xstate/graph, invokes and delays included. Owns what its states and edges are, and the bound
 * that keeps a search from going on for ever; the search is XState's.
 *
 * MG1  An edge is a step of a walk: an event that is accepted, an outcome of an effect, or a delay until something is due.
 * MG2  Two walks stand in one state if values, contexts, histories, open effects and the order of timers are the same.
 * MG3  A search ends: with the paths, or with an UnboundedModelError that names what grows.
 */
import type { ActorLogic, AnyEventObject, AnyMachineSnapshot, AnyStateMachine, Snapshot, SnapshotFrom } from 'xstate';
import type { StatePath, TraversalOptions } from 'xstate/graph';
import { UnboundedModelError } from './failures.ts';
import type { ModelOutcomes } from './model-outcomes.ts';
import { eventLists, typesFor, type AnyPayloads, type EventValues } from './model-payloads.ts';
import type { ModelStep } from './model-step.ts';
import { ModelWalk } from './model-walk.ts';

/** What a graph of a machine has for states and edges, and where a search ends. */
export interface GraphOptions<Machine extends AnyStateMachine = AnyStateMachine> {
  /** What the machine starts with. */
  readonly input?: unknown;
  /** What events carry, by their type. */
  readonly payloads?: EventValues<Machine>;
  /** What effects may come to, by id or `src`; no output, and an error, when omitted. */
  readonly outcomes?: ModelOutcomes;
  /** States that nothing is tried from. */
  readonly stopWhen?: (state: SnapshotFrom<Machine>) => boolean;
  /** The states that paths lead to; all when omitted. */
  readonly toState?: (state: SnapshotFrom<Machine>) => boolean;
  /** What a state is told apart by, in the place of value and context of the machine. */
  readonly serializeState?: (state: SnapshotFrom<Machine>) => string;
  /** How many steps are tried at most; 10,000 when omitted. */
  readonly limit?: number;
}

type State = AnyMachineSnapshot & Snapshot<unknown>;

type GraphLogic = ActorLogic<State, AnyEventObject, unknown>;
type GraphTraversal = TraversalOptions<State, AnyEventObject, unknown>;

/** A path of XState over the graph. */
export type GraphPath = Pick<StatePath<State, AnyEventObject>, 'state' | 'steps'>;

/** A state of the graph and the walk that stands there. */
interface Place {
  readonly walk: ModelWalk;
  readonly key: string;
  /** Made when they are asked for: a search asks nothing of a state that it knows already. */
  edges: readonly AnyEventObject[] | undefined;
}

const limitUnlessGiven = 10_000;
/** How many steps along paths are gone for each that a search may try. */
const walkedPerStep = 20;

/** The graph of one machine. */
export class ModelGraph<Machine extends AnyStateMachine> {
  readonly #machine: Machine;
  readonly #where: string;
  readonly #options: GraphOptions<Machine>;
  readonly #events: ReadonlyMap<string, readonly AnyEventObject[]>;
  readonly #limit: number;
  readonly #places = new WeakMap<object, Place>();
  readonly #steps = new WeakMap<object, ModelStep>();
  #states: State[] = [];
  #walked = 0;

  /** @throws InvalidArgumentError for payloads that the machine cannot take */
  constructor(machine: Machine, options: GraphOptions<Machine>, where: string) {
    this.#machine = machine;
    this.#where = where;
    this.#options = options;
    this.#events = eventLists(machine, (options.payloads ?? {}) as AnyPayloads, `payloads of ${where}`);
    this.#limit = options.limit ?? limitUnlessGiven;
  }

  /** The machine as XState's search sees it. */
  get logic(): GraphLogic {
    return {
      transition: (state, event) => this.#take(state, event),
      getInitialSnapshot: () => this.#begin(),
      getPersistedSnapshot: (state) => state,
    };
  }

  /** Options for XState's search. */
  get traversal(): GraphTraversal {
    const { stopWhen, toState } = this.#options;
    // XState stops at a state that a path should lead to, unless it is told where to stop.
    const stops = stopWhen ?? toState;
    return {
      fromState: this.#begin(),
      events: (state) => this.#edgesOf(state),
      serializeState: (state) => this.#keyOf(state),
      serializeEvent: (event) => this.#nameOf(event),
      limit: this.#limit,
      ...(stops && { stopWhen: stops as (state: State) => boolean }),
      ...(toState && { toState: toState as (state: State) => boolean }),
    };
  }

  /**
   * Runs a search of XState over this graph.
   * @throws UnboundedModelError
   */
  search<T>(find: () => T): T {
    this.#states = [];
    try {
      return find();
    } catch (error) {
      if (error instanceof Error && error.message === 'Traversal limit exceeded')
        throw UnboundedModelError.ofStates(this.#where, this.#limit, this.#growing());
      throw error;
    }
  }

  /** The step that an edge is. One that is not of this graph is something that is sent. */
  stepOf(event: AnyEventObject): ModelStep {
    return this.#steps.get(event) ?? { kind: 'event', event };
  }

  /** The walk along a path; undefined where it cannot be gone in one, because timers come in another order on it. */
  walkAlong({ state, steps }: GraphPath): ModelWalk | undefined {
    const walk = this.newWalk();
    for (const { event } of steps.slice(1)) if (!walk.take(this.stepOf(event))) return undefined;
    return walk.place === this.#placeOf(state).walk.place ? walk : undefined;
  }

  /** The walk that found a state first. */
  walkTo(state: State): ModelWalk {
    return this.#placeOf(state).walk;
  }

  #begin(): State {
    return this.#place(this.newWalk());
  }

  /** A walk that stands at the start. */
  newWalk(): ModelWalk {
    const { input, outcomes } = this.#options;
    return new ModelWalk(this.#machine, { input, ...(outcomes && { outcomes }) });
  }

  #take(state: State, event: AnyEventObject): State {
    this.#walked = 0;
    const walk = this.#placeOf(state).walk.copy();
    return walk.take(this.stepOf(event)) ? this.#place(walk) : state;
  }

  /** Every place has a snapshot of its own: that of the root may be the same in two states of its children. */
  #place(walk: ModelWalk): State {
    const state = { ...walk.snapshot } as State;
    const root = this.#options.serializeState?.(state as unknown as SnapshotFrom<Machine>);
    this.#places.set(state, { walk, key: walk.describe(root), edges: undefined });
    this.#states.push(state);
    return state;
  }

  #placeOf(state: State): Place {
    return this.#places.get(state)!;
  }

  /** XState looks along each path by this: that many of them there may be is bounded here. */
  #keyOf(state: State): string {
    if (++this.#walked > this.#limit * walkedPerStep)
      throw UnboundedModelError.ofPaths(this.#where, this.#limit * walkedPerStep, this.#states.length);
    return this.#placeOf(state).key;
  }

  #edgesOf(state: State): readonly AnyEventObject[] {
    const place = this.#placeOf(state);
    return (place.edges ??= this.#edgesFrom(place.walk));
  }

  #edgesFrom(walk: ModelWalk): AnyEventObject[] {
    const { eventTypes, openEffects, nextDueMs } = walk;
    const sent = typesFor(eventTypes, this.#events)
      .flatMap((type) => this.#events.get(type)!)
      .filter((event) => walk.accepts(event))
      .map((event) => this.#edge({ ...event }, { kind: 'event', event }));
    const outcomes = openEffects.flatMap(({ path: effect, outcomes: answers }) =>
      answers.map((answer) => this.#edge(outcomeEvent(effect, answer), { kind: 'outcome', effect, answer })),
    );
    const delay: ModelStep[] = nextDueMs === undefined ? [] : [{ kind: 'delay', ms: nextDueMs }];
    return [...sent, ...outcomes, ...delay.map((step) => this.#edge({ type: walk.nextTimerType ?? 'delay' }, step))];
  }

  #edge(event: AnyEventObject, step: ModelStep): AnyEventObject {
    this.#steps.set(event, step);
    return event;
  }

  #nameOf(event: AnyEventObject): string {
    const step = this.#steps.get(event);
    return step?.kind === 'outcome' ? `${step.effect} ${textOf(event)}` : textOf(event);
  }

  /** Which part of the context has the most values where the machine itself stands still. */
  #growing(): string {
    const seen = new Map<string, Set<string>>();
    for (const { value, context } of this.#states) {
      const fields = typeof context === 'object' && context !== null ? Object.entries(context as object) : [];
      for (const [key, field] of fields) {
        const what = `in state ${JSON.stringify(value)} \`context.${key}\``;
        let values = seen.get(what);
        if (!values) seen.set(what, (values = new Set()));
        values.add(textOf(field));
      }
    }
    const [most] = [...seen].sort(([, a], [, b]) => b.size - a.size);
    return most && most[1].size > 1 ? `What differs most: ${most[0]} had ${most[1].size} values.` : '';
  }
}

/** An outcome as the machine hears of it. */
function outcomeEvent(effect: string, answer: object): AnyEventObject {
  const actorId = effect.slice(effect.lastIndexOf('/') + 1);
  return 'error' in answer
    ? { type: `xstate.error.actor.${actorId}`, error: answer.error, actorId }
    : { type: `xstate.done.actor.${actorId}`, output: (answer as { output?: unknown }).output, actorId };
}

function textOf(value: unknown): string {
  return (
    JSON.stringify(value, (_, each: unknown) => (each instanceof Error ? `${each.name}: ${each.message}` : each)) ??
    String(value)
  );
}
