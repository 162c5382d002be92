/**
 * Charts to XState machines. Owns nodes, transitions and children; actions and guards are in build-actions.ts.
 *
 * B1  Machines are deterministic: time comes from `now`, everything else from events, and effects only from the port.
 * B2  Whatever a machine does that matters is seen in its context, its facts or its children; custom actions are only
 *     counted, because hosts differ in when they run them.
 * B3  A child learns its path through its input, so that effects know where they belong in any host.
 */
import {
  createMachine,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  fromTransition,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  type AnyStateMachine,
} from 'xstate';
import {
  compileActions,
  compileGuard,
  fuelled,
  fuelMax,
  namedActions,
  namedGuards,
  type ChartContext,
  type MachineWorld,
} from './build-actions.ts';
import { externalEvents, nodesOf, type ChildLogic, type Invoke, type Machine, type Node } from './chart.ts';
import type { Transition } from './chart.ts';

export interface ChildInput {
  readonly path: string;
}

/** Compiles a chart into an XState machine. It takes no input when it is the root. */
export function buildMachine(machine: Machine, world: MachineWorld): AnyStateMachine {
  const sites = [...machine.spawns, ...nodesOf(machine.root).flatMap((node) => node.invoke ?? [])];
  const config = {
    ...buildNode(machine.root, machine, world),
    id: machine.id,
    context: initialContext(machine),
    ...(machine.output && { output: machineOutput }),
  };
  const implementations = {
    actors: Object.fromEntries(sites.map(({ id, logic }) => [id, buildLogic(logic, world)])),
    actions: namedActions(world),
    guards: namedGuards(world),
    delays: { short: ({ context }: { context: ChartContext }) => 5 + 5 * (context.n % 3), long: 40 },
  };
  // The config is assembled from data: no literal is there for XState to infer types from.
  return createMachine(config as never, implementations as never) as unknown as AnyStateMachine;
}

function initialContext({ spawns }: Machine) {
  return (args: { input?: ChildInput; spawn: (src: string, options: object) => AnyActorRef }): ChartContext => {
    const path = args.input?.path ?? '';
    const refs: Record<string, AnyActorRef> = {};
    for (const { how, id, systemId, syncSnapshot } of spawns) {
      if (how !== 'factory') continue;
      const named = systemId !== undefined && { systemId };
      refs[id] = args.spawn(id, {
        ...named,
        id,
        input: { path: `${path}/${id}` },
        ...(syncSnapshot && { syncSnapshot }),
      });
    }
    return { path, fuel: fuelMax, n: 0, last: null, trace: [], refs, alive: [], spawned: 0 };
  };
}

function machineOutput({ context, event }: { context: ChartContext; event: { output?: unknown } }) {
  return { n: context.n, of: event.output ?? null };
}

// ── children ─────────────────────────────────────────────────────────────────────────────────────

function buildLogic(logic: ChildLogic, world: MachineWorld): AnyActorLogic {
  const { effects } = world;
  switch (logic.kind) {
    case 'machine':
      return buildMachine(logic.machine, world);
    case 'promise':
      return fromPromise<unknown, ChildInput>(({ input, signal }) => effects.promise(input.path, signal));
    case 'callback':
      return fromCallback<AnyEventObject, ChildInput>(({ input, sendBack, receive }) =>
        effects.callback(input.path, sendBack, receive, logic.answers),
      );
    case 'observable':
      return fromObservable<unknown, ChildInput>(({ input }) => effects.observable(input.path));
    case 'eventObservable':
      return fromEventObservable<AnyEventObject, ChildInput>(({ input }) => effects.eventObservable(input.path));
    case 'counter':
      return fromTransition(
        (state: { count: number; heard: readonly string[] }, event) => ({
          count: state.count + 1,
          heard: [...state.heard, event.type].slice(-4),
        }),
        { count: 0, heard: [] },
      );
  }
}

function buildInvoke(invoke: Invoke, machine: Machine, world: MachineWorld): object {
  const { id, systemId, onDone, onError, onSnapshot } = invoke;
  const handle = (transition: Transition) => buildTransition(transition, 'burn', machine, world);
  return {
    id,
    src: id,
    input: ({ context }: { context: ChartContext }): ChildInput => ({ path: `${context.path}/${id}` }),
    ...(systemId !== undefined && { systemId }),
    ...(onDone && { onDone: handle(onDone) }),
    ...(onError && { onError: handle(onError) }),
    ...(onSnapshot && { onSnapshot: handle(onSnapshot) }),
  };
}

// ── nodes and transitions ────────────────────────────────────────────────────────────────────────

function buildNode(node: Node, machine: Machine, world: MachineWorld): object {
  const { key: _, type, initial } = node;
  if (type === 'shallowHistory' || type === 'deepHistory') {
    const history = type === 'deepHistory' ? 'deep' : 'shallow';
    return { type: 'history', history, ...(initial !== undefined && { target: initial }) };
  }
  const transitions = (list: readonly Transition[], cost: Cost) =>
    list.map((transition) => buildTransition(transition, cost, machine, world));
  const actions = (list: Node['entry']) => compileActions(list ?? [], machine, world);
  const states = (node.states ?? []).map((child) => [child.key, buildNode(child, machine, world)]);
  const on = (node.on ?? []).map(({ event, transitions: list }) => [event, transitions(list, costOf(event))]);
  const after = (node.after ?? []).map(({ delay, transitions: list }) => [
    delay,
    transitions(list, delay === 0 ? 'burn' : 'refill'),
  ]);
  return {
    ...((type === 'parallel' || type === 'final') && { type }),
    ...(initial !== undefined && { initial: { target: initial, actions: actions(node.initialActions) } }),
    ...(states.length > 0 && { states: Object.fromEntries(states) }),
    entry: actions(node.entry),
    exit: actions(node.exit),
    on: Object.fromEntries(on),
    after: Object.fromEntries(after),
    ...(node.always && { always: transitions(node.always, 'burn') }),
    invoke: (node.invoke ?? []).map((invoke) => buildInvoke(invoke, machine, world)),
    ...(node.onDone && { onDone: transitions(node.onDone, 'burn') }),
    ...(node.output && { output: ({ context }: { context: ChartContext }) => ({ n: context.n }) }),
  };
}

/** What a transition does to the fuel: see G3 of chart.ts. */
type Cost = 'burn' | 'refill';

function costOf(event: string): Cost {
  return (externalEvents as readonly string[]).includes(event) ? 'refill' : 'burn';
}

function buildTransition(transition: Transition, cost: Cost, machine: Machine, world: MachineWorld): object {
  const { to, reenter, guard, actions } = transition;
  return {
    ...(to && { target: to.map((id) => `#${id}`) }),
    ...(reenter && { reenter }),
    ...(cost === 'burn' ? { guard: fuelled(guard) } : guard && { guard: compileGuard(guard) }),
    actions: [{ type: cost }, ...compileActions(actions ?? [], machine, world)],
  };
}
