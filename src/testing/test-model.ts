/**
 * XState's TestModel over the graph of a machine, and bound to a durable actor. Owns what is compared after a step; the graph is
 * model-graph.ts's, the actor hosted-model.ts's, and paths, keys and messages are XState's own.
 *
 * TM1  Every path has a durable actor of its own, on a log and a clock of its own.
 * TM2  After each step it stands as the model does after the same steps: status, value, context, output and children. What else
 *      has to be true is said by the `states` of the test, which are given the snapshot of the durable actor.
 */
import { isDeepStrictEqual } from 'node:util';
import { getAdjacencyMap, TestModel, type AdjacencyMap, type PathGenerator } from 'xstate/graph';
import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine, EventFromLogic, SnapshotFrom } from 'xstate';
import { InvalidArgumentError } from '../errors.ts';
import { ModelMismatchError } from './failures.ts';
import { HostedModel, type Restart } from './hosted-model.ts';
import { ModelGraph, type GraphOptions, type GraphPath } from './model-graph.ts';
import { wordsOf } from './model-step.ts';
import type { ModelWalk } from './model-walk.ts';
import { viewOf } from './outcome.ts';

/** The graph of a test model, and when the host of its durable actor is killed. */
export interface TestModelOptions<Machine extends AnyStateMachine = AnyStateMachine> extends GraphOptions<Machine> {
  /** `each step`: killed after every step, so that all that follows is recovered from the log; `never` when omitted. */
  readonly restart?: Restart;
}

type State<Machine extends AnyStateMachine> = SnapshotFrom<Machine>;
type Event<Machine extends AnyStateMachine> = EventFromLogic<Machine>;
type Base<Machine extends AnyStateMachine> = TestModel<State<Machine>, Event<Machine>, unknown>;
type Traversal<Machine extends AnyStateMachine> = Parameters<Base<Machine>['getShortestPaths']>[0];

interface Tested {
  readonly actor: HostedModel;
  /** The model, which takes the same steps. */
  readonly walk: ModelWalk;
}

/** XState's TestModel, whose paths are tested on a durable actor. Made by {@link testModelOf}. */
export class DurableTestModel<Machine extends AnyStateMachine> extends TestModel<
  State<Machine>,
  Event<Machine>,
  unknown
> {
  readonly #machine: Machine;
  readonly #options: TestModelOptions<Machine>;
  readonly #graph: ModelGraph<Machine>;
  /** A path that is being tested, by the parameters of its test. */
  readonly #tested = new WeakMap<object, Tested>();

  /** Use {@link testModelOf}. */
  constructor(machine: Machine, options: TestModelOptions<Machine>) {
    const graph = new ModelGraph(machine, options, `testModelOf(${machine.id})`);
    super(
      graph.logic as unknown as ConstructorParameters<typeof TestModel<State<Machine>, Event<Machine>, unknown>>[0],
      {
        stateMatcher: (state, key) => isAt(machine, state, key),
        // Only for messages: what tells states apart comes with the traversal.
        serializeState: (state) => standing(state),
      },
    );
    this.#machine = machine;
    this.#options = options;
    this.#graph = graph;
  }

  get #traversal(): NonNullable<Traversal<Machine>> {
    return this.#graph.traversal as unknown as NonNullable<Traversal<Machine>>;
  }

  /** @throws UnboundedModelError where there are too many states or paths */
  override getPaths(find: PathGenerator<State<Machine>, Event<Machine>, unknown>, options?: Traversal<Machine>) {
    const found = this.#graph.search(() => super.getPaths(find, { ...this.#traversal, ...options }));
    return found.filter((path) => this.#graph.walkAlong(path as unknown as GraphPath));
  }

  override getPathsFromEvents(events: Event<Machine>[], options?: Traversal<Machine>) {
    const { events: _, ...traversal } = this.#traversal;
    return this.#graph.search(() => super.getPathsFromEvents(events, { ...traversal, ...options }));
  }

  override getAdjacencyMap(): AdjacencyMap<State<Machine>, Event<Machine>> {
    return this.#graph.search(() => getAdjacencyMap(this.testLogic, this.#traversal));
  }

  /** TM1. @throws ModelMismatchError, and what the functions of the test throw */
  override async testPath(...[path, params, options]: Parameters<Base<Machine>['testPath']>) {
    const actor = new HostedModel(this.#machine, this.#options.restart ?? 'never');
    const own = { ...params };
    this.#tested.set(own, { actor, walk: this.#graph.newWalk() });
    try {
      return await super.testPath(path, own, options);
    } finally {
      actor.close();
    }
  }

  /** Takes a step in the durable actor, then calls the test's function for its event. */
  override async testTransition(...[params, step]: Parameters<Base<Machine>['testTransition']>): Promise<void> {
    const { actor, walk } = this.#testedBy(params);
    const event = step.event as AnyEventObject;
    if (event.type === 'xstate.init') await actor.start(this.#options.input);
    else {
      const taken = this.#graph.stepOf(event);
      if (!walk.take(taken))
        throw InvalidArgumentError.of(`step ${wordsOf(event)}`, `one that the model takes after ${actor.told}`, taken);
      await actor.take(taken, wordsOf(event));
    }
    await super.testTransition(params, { event: step.event, state: actor.snapshot as State<Machine> });
  }

  /** TM2. */
  override async testState(...[params, state, options]: Parameters<Base<Machine>['testState']>): Promise<void> {
    const { actor, walk } = this.#testedBy(params);
    // Where the test says what a state is told apart by, the path may have been found at another one.
    const planned = this.#options.serializeState ? standing(actor.snapshot) : standing(state);
    if (standing(actor.snapshot) !== planned)
      throw new ModelMismatchError(actor.told, planned, standing(actor.snapshot));
    const [expected, found] = [viewOf(walk.snapshot), viewOf(actor.snapshot)];
    if (!isDeepStrictEqual(found, expected)) {
      throw new ModelMismatchError(actor.told, JSON.stringify(expected), JSON.stringify(found));
    }
    await super.testState(params, actor.snapshot as State<Machine>, options);
  }

  #testedBy(params: object): Tested {
    const tested = this.#tested.get(params);
    if (!tested)
      throw InvalidArgumentError.of('a step of a test model', 'one of a path that is tested, by path.test()', params);
    return tested;
  }
}

/**
 * Binds model-based tests that were written for XState to a durable actor: what `createTestModel` gives, for machines with
 * invokes and delays, too. A path is tested by sending its events to an actor on a log in memory, whose effects come to
 * what the path says.
 * @throws InvalidArgumentError for payloads that the machine cannot take
 *
 * @example
 * const model = testModelOf(order, { restart: 'each step' });
 * for (const path of model.getShortestPaths()) it(path.description, () => path.test({ states: { … } }));
 */
export function testModelOf<Machine extends AnyStateMachine>(
  machine: Machine,
  options: TestModelOptions<Machine> = {},
): DurableTestModel<Machine> {
  const { restart = 'never' } = options;
  if (restart !== 'never' && restart !== 'each step')
    throw InvalidArgumentError.of(`testModelOf(${machine.id}).restart`, "'never' or 'each step'", restart);
  return new DurableTestModel(machine, options);
}

/** As XState's own test model has it: a key is a state value, or `#` and the id of a state. */
function isAt<Machine extends AnyStateMachine>(machine: Machine, state: State<Machine>, key: string): boolean {
  const snapshot = state as AnyMachineSnapshot;
  return key.startsWith('#') ? snapshot._nodes.includes(machine.getStateNodeById(key)) : snapshot.matches(key as never);
}

function standing(state: unknown): string {
  const { status, value } = state as AnyMachineSnapshot;
  return status === 'active' ? JSON.stringify(value) : `${JSON.stringify(value)} (${status})`;
}
