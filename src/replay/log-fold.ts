/**
 * From one state of a tree to the next, by what the log says and nothing else. No machine is known here, only charts of machines
 * where the log or the program has them.
 *
 * LF1  An actor that has ended is in the state after the entry that ended it, and in none after that; the root stays.
 * LF2  A context is known from where it was recorded whole until a change of it was left out.
 * LF3  That an effect was stopped because its machine left a state is not recorded. It is over when no state is active that
 *      invokes it; with its parent; and when another one takes its place. Without a chart of its machine, which state invokes it
 *      is known only where XState has named it after that: any other one may have been spawned, and is taken to run on.
 */
import type { StateValue } from 'xstate';
import { InvalidArgumentError } from '../errors.ts';
import type { MachineChart } from '../kernel/chart.ts';
import { contextsOf } from '../kernel/contexts.ts';
import { applyPatch, type JsonPatch } from '../kernel/json-patch.ts';
import type { IntentRecord, LostEffect, TimerRecord, TransitionRecord } from '../kernel/stimulus.ts';
import type { Json } from '../log/json.ts';
import { isFact } from '../log/runtime-events.ts';
import { birthOf, idOf, parentOf } from './addresses.ts';
import { activeStates, invokersOf, sourceInvoked } from './chart-states.ts';
import { definitionIn } from './definition-in.ts';
import { Draft } from './draft.ts';
import type { Entry, EntryEvent } from './entries.ts';
import type { FrameActor } from './frame.ts';
import type { FollowedEffect, Known, LogState } from './log-state.ts';
import { listOf, plainOf } from './logged-values.ts';
import { rebasedState } from './rebased-state.ts';
import { statePaths } from './state-text.ts';

/** A state after an entry, and what the entry did that only the state before it tells. */
export interface Applied {
  readonly state: LogState;
  readonly settled: { readonly actor: string; readonly src: string; readonly outcome: 'succeeded' | 'failed' } | null;
  readonly fired: number | null;
}

/** The state after an entry. */
export function applied(before: LogState, entry: Entry, known: Known): Applied {
  const { stimulus } = entry;
  // Facts that lost their stimulus say nothing about the tree.
  if (isFact(stimulus.recorded)) return { state: before, settled: null, fired: null };
  return new OpenState(before, stimulus, known).apply();
}

class OpenState {
  readonly #event: EntryEvent;
  readonly #known: Known;
  readonly #at: number;
  #definition: string;
  readonly #actors: Draft<string, FrameActor>;
  readonly #effects: Draft<string, FollowedEffect>;
  readonly #timers: Draft<number, TimerRecord>;
  readonly #ended: string[] = [];

  constructor(before: LogState, event: EntryEvent, known: Known) {
    this.#event = event;
    this.#known = known;
    const { data, recorded } = event;
    this.#at = typeof data.at === 'number' ? data.at : recorded.recordedAt;
    this.#definition = before.definition;
    this.#actors = new Draft(before.actors);
    this.#effects = new Draft(before.effects);
    this.#timers = new Draft(before.timers);
    // LF1.
    for (const address of before.ended) this.#actors.delete(address);
  }

  apply(): Applied {
    const { data, type } = this.#event;
    this.#definition = definitionIn(this.#event)?.definition ?? this.#definition;
    if (type === 'ActorRebased') this.#rebase();
    if (type === 'ActorResumed') this.#resume();
    const settled = this.#settle();
    const fired = type === 'TimerFired' && typeof data.timer === 'number' ? data.timer : null;
    if (fired !== null) this.#timers.delete(fired);
    const moves = listOf<TransitionRecord>(data.transitions);
    for (const transition of moves) this.#move(transition);
    for (const record of contextsOf(data)) this.#patch(record.actor, 'patch' in record ? record.patch : undefined);
    for (const intent of listOf<IntentRecord>(data.intents)) this.#begin(intent);
    for (const timer of listOf<TimerRecord>(data.armed)) this.#timers.set(timer.timer, timer);
    for (const timer of listOf<number>(data.cancelled)) this.#timers.delete(timer);
    this.#endEffects(new Set(moves.map(({ actor }) => actor)));
    if ((this.#actors.get('/')?.status ?? 'active') !== 'active') this.#endAll();
    return { state: this.#closed(), settled, fired };
  }

  #rebase(): void {
    const { actors, effects, timers } = rebasedState(this.#event, this.#known);
    this.#actors.replace(actors.map((actor) => [actor.address, actor]));
    this.#effects.replace(effects.map((effect) => [effect.actor, effect]));
    this.#timers.replace(timers.map((timer) => [timer.timer, timer]));
  }

  #resume(): void {
    for (const { actor, decision } of listOf<LostEffect>(this.#event.data.effects)) {
      const effect = this.#effects.get(actor);
      if (!effect || decision !== 'rerun') continue;
      const restarts = effect.restarts + (effect.interrupted ? 0 : 1);
      this.#effects.set(actor, { ...effect, restarts, interrupted: false });
    }
  }

  #settle(): Applied['settled'] {
    const { type, data } = this.#event;
    const address = data.actor;
    if (typeof address !== 'string') return null;
    const effect = this.#effects.get(address);
    if (type === 'EffectProgressed' && data.channel === 'interrupted' && effect) {
      this.#effects.set(address, { ...effect, interrupted: true });
    }
    if (type !== 'EffectSucceeded' && type !== 'EffectFailed') return null;
    // What was taken to be over (LF3) and has an outcome was not: only effects that run have one.
    const src = effect?.src ?? this.#known.begun.get(address)?.src;
    if (src === undefined || (data.action === true && !effect)) return null;
    this.#effects.delete(address);
    const [status, value] =
      type === 'EffectSucceeded' ? (['done', data.output] as const) : (['error', data.error] as const);
    const said = value === undefined ? {} : { [status === 'done' ? 'output' : 'error']: plainOf(value) };
    this.#end({ ...this.#effectActor(address, src), status, ...said });
    return { actor: address, src, outcome: status === 'done' ? 'succeeded' : 'failed' };
  }

  #move({ actor: address, to, status }: TransitionRecord): void {
    const known = this.#actors.get(address);
    // A machine without any state yet, because its context could not be made, is recorded as ''.
    const value = to === '' ? null : (to as Json);
    const actor: FrameActor = known
      ? { ...known, value, status: 'active' }
      : {
          ...{ address, id: address === '/' ? this.#known.rootId : idOf(address), parent: parentOf(address) },
          ...{ src: this.#sourceOf(address), kind: 'machine', status: 'active', value, context: undefined },
        };
    if (status === undefined) this.#actors.set(address, actor);
    else this.#end({ ...actor, status: status as FrameActor['status'] });
  }

  /** LF2. */
  #patch(address: string, patch: JsonPatch | undefined): void {
    const actor = this.#actors.get(address);
    if (!actor) return;
    this.#actors.set(address, { ...actor, context: patch && patched(actor.context, patch) });
  }

  #begin({ actor: address, src }: IntentRecord): void {
    const [since, startedAt] = [this.#event.recorded.revision, this.#at];
    this.#known.begun.set(address, { src, since, startedAt });
    const parent = parentOf(address) ?? '/';
    const invoker = this.#invokerOf(parent, idOf(address));
    const takesPlaces = this.#takesPlaces(parent, idOf(address), invoker);
    let isOrphan = false;
    for (const [other, effect] of this.#effects.entries()) {
      if (parentOf(other) !== parent || idOf(other) !== idOf(address)) continue;
      if (takesPlaces) {
        // Of those that began at once, which were stopped at once is not known.
        if (effect.since !== since) this.#stop(other);
      }
      // Of several, the one that was spawned last is known by the name; they need not begin in that order.
      else if (birthOf(other) < birthOf(address)) this.#effects.set(other, { ...effect, isOrphan: true });
      else isOrphan = true;
    }
    const begun = { actor: address, src, since, startedAt, restarts: 0, interrupted: false, invoker, isOrphan };
    this.#effects.set(address, begun);
    this.#actors.set(address, this.#effectActor(address, src));
  }

  /** LF3. A state that is entered again stops what it invoked; one that is spawned again does not stop the one before. */
  #takesPlaces(parent: string, id: string, invoker: string | undefined): boolean {
    const chart = this.#chartOf(parent);
    return chart ? invokersOf(chart, id).length > 0 : invoker !== undefined;
  }

  #effectActor(address: string, src: string): FrameActor {
    const named = { address, id: idOf(address), parent: parentOf(address), src };
    return this.#actors.get(address) ?? { ...named, kind: 'effect', status: 'active', value: null, context: undefined };
  }

  /** LF3. @param moved machines that have moved */
  #endEffects(moved: ReadonlySet<string>): void {
    for (const [address, effect] of this.#effects.entries()) {
      if (effect.isOrphan) continue;
      const parent = parentOf(address) ?? '/';
      const machine = this.#actors.get(parent);
      // What a machine that fails has begun runs on: XState stops nothing of it.
      if (machine?.status === 'error') this.#effects.set(address, { ...effect, isOrphan: true });
      else if (!machine || machine.status !== 'active') this.#stop(address);
      else if (moved.has(parent) && !this.#isInvoked(effect, machine)) this.#stop(address);
    }
  }

  #isInvoked({ actor: address, invoker }: FollowedEffect, { address: parent, value }: FrameActor): boolean {
    if (value === null) return false;
    const chart = this.#chartOf(parent);
    if (!chart) return invoker === undefined || pathsIn(value as StateValue).includes(invoker);
    const invokers = invokersOf(chart, idOf(address));
    const active = activeStates(chart, value as StateValue);
    // What no state invokes was spawned: that runs on.
    return invokers.length === 0 || invokers.some((id) => active.has(id));
  }

  /** LF3. XState calls what has no name `<number>.<id of the state>`, and the id of a state ends with its path. */
  #invokerOf(parent: string, id: string): string | undefined {
    const [, state] = /^\d+\.(.+)$/s.exec(id) ?? [];
    const value = this.#actors.get(parent)?.value as StateValue | null | undefined;
    return state === undefined || !value ? undefined : pathsIn(value).find((path) => state.endsWith(`.${path}`));
  }

  #stop(address: string): void {
    const { src } = this.#effects.get(address)!;
    this.#effects.delete(address);
    this.#end({ ...this.#effectActor(address, src), status: 'stopped' });
  }

  #end(actor: FrameActor): void {
    const { address } = actor;
    this.#actors.set(address, actor);
    if (address !== '/') this.#ended.push(address);
  }

  /** With the root everything ends, also what began in the same step. */
  #endAll(): void {
    this.#timers.clear();
    for (const address of this.#effects.keys()) this.#stop(address);
  }

  #chartOf(address: string): MachineChart | undefined {
    const sourceOf = (of: string) => this.#actors.get(of)?.src ?? null;
    return this.#known.chartOf(this.#definition, address, sourceOf);
  }

  /** The name of a machine's logic, where a chart says which state invokes it. */
  #sourceOf(address: string): string | null {
    const parent = parentOf(address);
    const chart = parent === null ? undefined : this.#chartOf(parent);
    return (chart && sourceInvoked(chart.root, idOf(address))) ?? null;
  }

  #closed(): LogState {
    return {
      at: this.#at,
      definition: this.#definition,
      actors: this.#actors.done,
      effects: this.#effects.done,
      timers: this.#timers.done,
      ended: this.#ended,
    };
  }
}

/** The paths of all active states, the longest first. */
function pathsIn(value: StateValue): string[] {
  const around = (path: string): string[] => {
    const end = path.lastIndexOf('.');
    return end < 0 ? [path] : [path, ...around(path.slice(0, end))];
  };
  return statePaths(value)
    .flatMap(around)
    .toSorted((one, other) => other.length - one.length);
}

function patched(context: Json | undefined, patch: JsonPatch): Json | undefined {
  try {
    return applyPatch(context, patch);
  } catch (error) {
    if (error instanceof InvalidArgumentError) return undefined;
    throw error;
  }
}
