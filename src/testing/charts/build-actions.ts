/**
 * A chart's actions and guards as XState's. Owns the meaning of each word of Action and Guard in chart.ts.
 *
 * B4  Actions come named, with params and inline, alone and through enqueueActions: the forms machines are written in.
 */
import {
  and,
  assign,
  cancel,
  emit,
  enqueueActions,
  forwardTo,
  not,
  or,
  raise,
  sendParent,
  sendTo,
  spawnChild,
  stateIn,
  stopChild,
  type AnyActorRef,
  type AnyEventObject,
} from 'xstate';
import { externalEvents, internalEvents, type Action, type Guard, type Machine, type Target } from './chart.ts';
import type { EffectPort } from './effect-desk.ts';

/** What a machine needs of the world around it. */
export interface MachineWorld {
  /** Time of the step being applied, in ms. */
  readonly now: () => number;
  readonly effects: EffectPort;
}

/** Context of every machine of a chart. */
export interface ChartContext {
  /** Where the machine stands in the tree: '' for the root, '/c1/c2' below. */
  readonly path: string;
  readonly fuel: number;
  readonly n: number;
  /** Output, error or snapshot that was taken last. */
  readonly last: unknown;
  /** The newest labels with the time they were noted. */
  readonly trace: readonly string[];
  readonly refs: Readonly<Record<string, AnyActorRef>>;
  /** Ids of the children that spawnChild made and nothing stopped. */
  readonly alive: readonly string[];
  /** How many children were spawned. */
  readonly spawned: number;
}

export const fuelMax = 5;
const traceMax = 16;
const spawnedMax = 4;

/** Anything XState takes as an action or a guard: charts are data, so there is no literal to infer types from. */
type Part = object | string;
type Spawner = (src: string, options: object) => AnyActorRef;

interface Args {
  readonly context: ChartContext;
  readonly event: AnyEventObject;
}

const update = (fn: (args: Args & { spawn: Spawner }, params: never) => Partial<ChartContext>): Part =>
  assign(fn as never);

interface Queue {
  (action: Part): void;
}

const enqueueing = (fn: (args: Args & { enqueue: Queue; check: (guard: Part) => boolean }) => void): Part =>
  enqueueActions(fn as never);

// ── guards ───────────────────────────────────────────────────────────────────────────────────────

/** Implementations of the guards that charts name. */
export function namedGuards({ now }: MachineWorld) {
  return {
    hasFuel: ({ context }: Args) => context.fuel > 0,
    evenTime: () => Math.floor(now() / 10) % 2 === 0,
    over: ({ context }: Args, { k }: { k: number }) => context.n % 4 > k,
  };
}

const evenPayload = ({ event }: Args) => typeof event.n === 'number' && event.n % 2 === 0;

export function compileGuard(guard: Guard): Part {
  switch (guard.is) {
    case 'over':
      return { type: 'over', params: { k: guard.k } };
    case 'evenPayload':
      return evenPayload;
    case 'evenTime':
      return 'evenTime';
    case 'in':
      return stateIn(`#${guard.node}`);
    case 'not':
      return not(compileGuard(guard.of) as never);
    case 'and':
      return and(guard.of.map(compileGuard) as never);
    case 'or':
      return or(guard.of.map(compileGuard) as never);
  }
}

/** A guard that also wants fuel. */
export function fuelled(guard: Guard | undefined): Part {
  return guard ? and(['hasFuel', compileGuard(guard)] as never) : 'hasFuel';
}

// ── actions ──────────────────────────────────────────────────────────────────────────────────────

/** Implementations of the actions that charts name. */
export function namedActions({ now }: MachineWorld) {
  return {
    burn: update(({ context }) => ({ fuel: context.fuel - 1 })),
    refill: update(() => ({ fuel: fuelMax })),
    note: update(({ context }, { label }: { label: string }) => ({
      trace: [...context.trace, `${label}@${now()}`].slice(-traceMax),
    })),
  };
}

export function compileActions(actions: readonly Action[], machine: Machine, world: MachineWorld): Part[] {
  return actions.map((action) => compileAction(action, machine, world));
}

function compileAction(action: Action, machine: Machine, world: MachineWorld): Part {
  switch (action.do) {
    case 'note':
      return { type: 'note', params: { label: action.label } };
    case 'bump':
      return update(({ context }) => ({ n: context.n + action.by }));
    case 'take':
      return update(({ context, event }) => taken(event, context));
    case 'emit':
      return emit((({ context }: Args) => ({ type: action.fact, n: context.n, at: world.now() })) as never);
    case 'raise':
      return raise(message(action.event) as never, timing(action) as never);
    case 'send':
      return compileSend(action);
    case 'forward':
      return compileForward(action.to);
    case 'cancel':
      return cancel(action.id);
    case 'spawn':
      return compileSpawn(action.site, machine);
    case 'stop':
      return compileStop(action.site, machine);
    case 'choose': {
      const then = compileActions(action.then, machine, world);
      const otherwise = compileActions(action.otherwise, machine, world);
      const guard = compileGuard(action.guard);
      return enqueueing(({ enqueue, check }) => (check(guard) ? then : otherwise).forEach((part) => enqueue(part)));
    }
    case 'throw': {
      const guard = compileGuard(action.guard);
      const fail = update(({ context }) => {
        throw new Error(`planned failure in ${machine.id} with n = ${context.n}`);
      });
      return enqueueing(({ enqueue, check }) => check(guard) && enqueue(fail));
    }
    case 'custom':
      return ({ context }: Args) => world.effects.custom(`${context.path}/${action.label}`);
  }
}

function taken(event: AnyEventObject, context: ChartContext): Partial<ChartContext> {
  const n = typeof event.n === 'number' ? event.n : context.n;
  if ('output' in event) return { n, last: event.output ?? 'done' };
  if ('error' in event) return { n, last: event.error };
  if ('snapshot' in event) return { n, last: glimpse(event.snapshot) };
  return { n };
}

function glimpse({ status, value, context }: { status: string; value?: unknown; context?: unknown }) {
  const n = (context as Partial<ChartContext> | undefined)?.n ?? null;
  return { status, value: value ?? null, n };
}

const message =
  (type: string) =>
  ({ context }: Args) => ({ type, n: context.n });

function timing({ delay, id }: { delay?: number | string; id?: string }): object {
  return { ...(delay !== undefined && { delay }), ...(id !== undefined && { id }) };
}

const refTo =
  (id: string) =>
  ({ context }: Args) =>
    context.refs[id];

function compileSend(action: Extract<Action, { do: 'send' }>): Part {
  const { to } = action;
  const event = message(action.event) as never;
  const options = timing(action) as never;
  if ('parent' in to) return sendParent(event, options);
  if ('invoked' in to) return sendTo(to.invoked, event, options);
  if ('unsure' in to) return sendTo(to.unsure, event, options);
  if ('ref' in to) return sendTo(refTo(to.ref) as never, event, options);
  if ('system' in to)
    return sendTo(
      (({ system }: { system: { get(id: string): AnyActorRef } }) => system.get(to.system)) as never,
      event,
      options,
    );
  const send = sendTo(to.child, event, options);
  return enqueueing(({ context, enqueue }) => context.alive.includes(to.child) && enqueue(send));
}

/** Down goes anything of the alphabet; up goes only what the parent burns fuel for. */
function compileForward(to: Target): Part {
  if ('parent' in to) return sendParent((({ event }: Args) => ({ ...event, type: internal(event.type) })) as never);
  if ('invoked' in to) return forwardTo(to.invoked);
  const id = 'ref' in to ? to.ref : 'child' in to ? to.child : '';
  const present = ({ context }: Args) => ('ref' in to ? context.refs[id] !== undefined : context.alive.includes(id));
  const forward = 'ref' in to ? forwardTo(refTo(id) as never) : forwardTo(id);
  return enqueueing((args) => present(args) && args.enqueue(forward));
}

function internal(type: string): string {
  return (externalEvents as readonly string[]).includes(type) ? internalEvents[0] : type;
}

// ── spawning ─────────────────────────────────────────────────────────────────────────────────────

function compileSpawn(id: string, machine: Machine): Part {
  const site = machine.spawns.find((spawn) => spawn.id === id)!;
  const named = { ...(site.systemId !== undefined && { systemId: site.systemId }) };
  const common = { ...named, ...(site.syncSnapshot && { syncSnapshot: true }) };
  const count = (context: ChartContext) => ({ spawned: context.spawned + 1 });
  if (site.how === 'assign') {
    return update(({ context, spawn }) => {
      if (context.spawned >= spawnedMax || (!site.again && context.refs[id])) return {};
      const input = { path: `${context.path}/${id}` };
      const ref = spawn(id, { ...common, input, ...(!site.anonymous && { id }) });
      return { ...count(context), refs: { ...context.refs, [id]: ref } };
    });
  }
  const input = ({ context }: Args) => ({ path: `${context.path}/${id}` });
  const action = spawnChild(id as never, { ...common, id, input } as never);
  const remember = update(({ context }) => ({ ...count(context), alive: [...context.alive, id] }));
  return enqueueing(({ context, enqueue }) => {
    if (context.spawned >= spawnedMax || (!site.again && context.alive.includes(id))) return;
    enqueue(action);
    enqueue(remember);
  });
}

function compileStop(id: string, machine: Machine): Part {
  const site = machine.spawns.find((spawn) => spawn.id === id)!;
  const stop = site.how === 'spawnChild' ? stopChild(id) : stopChild(refTo(id) as never);
  const forget = update(({ context }) => ({
    alive: context.alive.filter((other) => other !== id),
    refs: Object.fromEntries(Object.entries(context.refs).filter(([key]) => key !== id)),
  }));
  return enqueueing(({ enqueue }) => {
    enqueue(stop);
    enqueue(forget);
  });
}
