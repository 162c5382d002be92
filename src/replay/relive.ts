/**
 * Lives through an edited past by the code of the machine, in memory. Owns what answers an effect, when a timer fires, and what
 * reaches nobody any more.
 *
 * RL1  No effect is called that is not asked for by name: the log answers it, then a stub, or nobody does.
 * RL2  An answer goes to the effect at the address that it had; where that is another one now, to the one at the same place (the
 *      address without its numbers); else to the oldest of its source that waits. One that finds nobody waits for the next effect
 *      of its source.
 * RL3  A timer that fired in the original fires when it did then; any other one when it is due.
 * RL4  Time never runs backwards, and no timer fires before it is due.
 */
import { addressOf, sourceOf, type ActorTree, type PendingEffect, type Step } from '../kernel/actor-tree.ts';
import { causeOf } from '../kernel/fold.ts';
import {
  effectFailed,
  effectSucceeded,
  eventReceived,
  factEvent,
  stimulusData,
  stimulusVersion,
  timerFired,
  type Prepared,
} from '../kernel/records.ts';
import type { TimeMs } from '../clock.ts';
import { sealEvent } from '../log/envelope.ts';
import type { Metadata, NewEvent, RecordedEvent, Revision } from '../log/event-log.ts';
import { currentVersion, type Upcasters } from '../log/upcast.ts';
import { preparedOf, type PastStimulus } from '../runtime/fork.ts';
import type { PlannedStimulus } from './past-edits.ts';
import type { Stub } from './past-edit.ts';

/** An append of the fork. */
export interface Relived {
  readonly events: readonly NewEvent[];
  readonly at: TimeMs;
  /** Of the stimulus in the original; undefined for one that it does not have. */
  readonly origin: Revision | undefined;
}

export interface RelivingOptions {
  readonly where: string;
  readonly stream: string;
  readonly tree: ActorTree;
  readonly correlationId: string;
  readonly stubs: Readonly<Record<string, Stub>>;
  readonly upcasters: Upcasters;
  /** Source of an effect of the original by its address. */
  readonly sources: ReadonlyMap<string, string>;
  /** Revision of the first append. */
  readonly from: Revision;
  /** Runs an effect that was asked for by name; undefined for any other one. */
  readonly live?: (effect: PendingEffect, address: string) => Promise<Prepared> | undefined;
}

/** After so many stimuli that the original does not have a fork that never comes to rest is left. */
const ownMax = 1_000;

export class Reliving {
  readonly relived: Relived[] = [];
  readonly leftOut: Revision[] = [];
  readonly #options: RelivingOptions;
  readonly #tree: ActorTree;
  #ahead: PlannedStimulus[] = [];
  /** Answers that found nobody, by source. */
  readonly #unused = new Map<string, PlannedStimulus[]>();
  #revision: Revision;
  #own = 0;

  constructor(options: RelivingOptions) {
    this.#options = options;
    this.#tree = options.tree;
    this.#revision = options.from;
  }

  /** Lives through what is planned, and on until nothing moves where that is asked for. */
  async run(stimuli: readonly PlannedStimulus[], until: 'end' | 'quiet'): Promise<void> {
    this.#ahead = [...stimuli];
    await this.#answerAll();
    for (;;) {
      const [next] = this.#ahead;
      if (!next) break;
      await this.#fireDue(next.at);
      this.#ahead.shift();
      this.#relive(next);
      await this.#answerAll();
    }
    if (until === 'quiet') await this.#fireDue(Infinity);
    for (const unused of this.#unused.values()) for (const { origin } of unused) this.leftOut.push(origin!);
    this.leftOut.sort((one, other) => one - other);
  }

  /** Effects that wait for an answer which nobody has. */
  get waiting(): { readonly actor: string; readonly src: string }[] {
    return [...(this.#tree.effects ?? [])].map(([actor, effect]) => ({ actor, src: sourceOf(effect.actor) }));
  }

  get #isOver(): boolean {
    return this.#tree.root !== undefined && this.#tree.status !== 'active';
  }

  #relive(planned: PlannedStimulus): void {
    if (planned.origin === undefined) {
      const { insert, to } = planned;
      if (!this.#isOver) this.#apply(eventReceived(to, insert), planned.at, undefined);
      return;
    }
    const { origin, now } = planned;
    const prepared = this.#prepared(planned);
    if (prepared === 'later') return;
    if (!prepared || this.#isOver || !this.#reaches(prepared, now)) return void this.leftOut.push(origin);
    this.#apply(prepared, planned.at, planned);
  }

  /** RL2, RL3. Undefined where it reaches nobody. */
  #prepared(planned: PlannedStimulus & { readonly origin: Revision }): Prepared | 'later' | undefined {
    const { event, data, then, now } = planned;
    if (now.type === 'TimerFired') {
      const timer = this.#timerLike(String(data.actor), String(data.id));
      return timer && timer.dueAt <= Math.max(planned.at, this.#tree.at)
        ? timerFired(timer, addressOf(timer.source))
        : undefined;
    }
    if (!('actor' in now)) return preparedOf(this.#options.where, { event, data, then }, now);
    // Another one than that which ran in the original has nothing to do with a custom action that threw.
    if (data.action === true) return preparedOf(this.#options.where, { event, data, then }, now);
    const actor = this.#effectLike(now.actor);
    if (actor !== undefined) return this.#outcome(planned, { ...now, actor });
    if (now.type === 'EffectProgressed' || this.#isOver) return undefined;
    const src = this.#sourceOf(now.actor);
    this.#unused.set(src, [...(this.#unused.get(src) ?? []), planned]);
    return 'later';
  }

  #outcome({ event, data, then }: PlannedStimulus & { readonly origin: Revision }, now: PastStimulus): Prepared {
    if (now.type === 'EffectSucceeded') return effectSucceeded(now.actor, now.output);
    if (now.type === 'EffectFailed') return effectFailed(now.actor, now.error);
    return preparedOf(this.#options.where, { event, data, then }, now);
  }

  #reaches({ stimulus }: Prepared, now: PastStimulus): boolean {
    if (stimulus.type === 'EventReceived' && this.#tree.root && !this.#tree.find(stimulus.to)) return false;
    return now.type === 'ActorStarted' || this.#tree.accepts(stimulus);
  }

  #effectLike(address: string): string | undefined {
    const src = this.#sourceOf(address);
    const waiting = this.waiting.filter((effect) => effect.src === src);
    const exact =
      waiting.find(({ actor }) => actor === address) ??
      waiting.find(({ actor }) => placeOf(actor) === placeOf(address));
    if (exact) return exact.actor;
    // One that has an answer of its own on the way is left to that.
    const expected = new Set(this.#ahead.map((each) => outcomeOf(each)).filter((actor) => actor !== undefined));
    return waiting.find(({ actor }) => !expected.has(actor))?.actor;
  }

  #sourceOf(address: string): string {
    return this.#options.sources.get(address) ?? placeOf(address);
  }

  #timerLike(actor: string, id: string) {
    const timers = [...(this.#tree.timers?.values() ?? [])].filter((timer) => timer.id === id);
    return (
      timers.find(({ source }) => addressOf(source) === actor) ??
      timers.find(({ source }) => placeOf(addressOf(source)) === placeOf(actor))
    );
  }

  /** RL1. */
  async #answerAll(): Promise<void> {
    do await this.#runLive();
    while (!this.#isOver && this.#answerOne());
  }

  /** One answer that waits, or one of a stub for what the log will not answer any more. */
  #answerOne(): boolean {
    const ahead = new Map<string, number>();
    for (const each of this.#ahead) {
      const actor = outcomeOf(each);
      if (actor === undefined) continue;
      const src = this.#sourceOf(actor);
      ahead.set(src, (ahead.get(src) ?? 0) + 1);
    }
    for (const { actor, src } of this.waiting) {
      const unused = this.#unused.get(src)?.shift();
      if (unused && unused.origin !== undefined) {
        this.#apply(this.#outcome(unused, { ...unused.now, actor } as PastStimulus), unused.at, unused);
        return true;
      }
      const left = ahead.get(src) ?? 0;
      ahead.set(src, left - 1);
      const stub = left <= 0 && Object.hasOwn(this.#options.stubs, src) ? this.#options.stubs[src] : undefined;
      if (!stub || this.#own++ >= ownMax) continue;
      const answer = 'error' in stub ? effectFailed(actor, stub.error) : effectSucceeded(actor, stub.output);
      this.#apply(answer, this.#tree.at, undefined);
      return true;
    }
    return false;
  }

  /** Runs what was asked for by name, one after the other. */
  async #runLive(): Promise<void> {
    const { live } = this.#options;
    if (!live) return;
    for (let again = true; again && !this.#isOver;) {
      again = false;
      for (const [address, effect] of this.#tree.effects ?? []) {
        const running = live(effect, address);
        if (!running) continue;
        if (this.#own++ >= ownMax) return;
        const outcome = await running;
        this.#apply(outcome, this.#tree.at, undefined);
        again = true;
        break;
      }
    }
  }

  /** RL3. Fires what is due by then and fired at no time in the original. */
  async #fireDue(until: TimeMs): Promise<void> {
    while (!this.#isOver) {
      const ahead = new Map<string, number>();
      for (const each of this.#ahead) {
        if (each.origin === undefined || each.now.type !== 'TimerFired') continue;
        const key = `${placeOf(String(each.data.actor))} ${String(each.data.id)}`;
        ahead.set(key, (ahead.get(key) ?? 0) + 1);
      }
      const timers = [...(this.#tree.timers?.values() ?? [])].sort((one, other) => one.dueAt - other.dueAt);
      const due = timers.find(({ source, id, dueAt }) => {
        const key = `${placeOf(addressOf(source))} ${id}`;
        const left = ahead.get(key) ?? 0;
        ahead.set(key, left - 1);
        return left <= 0 && dueAt <= until;
      });
      if (!due || this.#own++ >= ownMax) return;
      this.#apply(timerFired(due, addressOf(due.source)), due.dueAt, undefined);
      await this.#answerAll();
    }
  }

  #apply(
    prepared: Prepared,
    time: TimeMs,
    planned: (PlannedStimulus & { readonly origin: Revision }) | undefined,
  ): void {
    const at = Math.max(time, this.#tree.at);
    const made = this.relived.length;
    const {
      correlationId = this.#options.correlationId,
      seed,
      id,
    } = planned
      ? { ...causeOf(planned.event), id: planned.event.id, correlationId: planned.event.meta.$correlationId }
      : { id: `what-if-${made}`, seed: undefined, correlationId: undefined };
    const cause = { eventId: id, correlationId, ...(seed !== undefined && { seed }) };
    const step = this.#tree.apply(prepared.stimulus, at, cause);
    this.#record(prepared, at, step, planned?.event, planned?.origin);
  }

  #record(
    prepared: Prepared,
    at: TimeMs,
    step: Step,
    event: RecordedEvent | undefined,
    origin: Revision | undefined,
  ): void {
    const { stream, upcasters } = this.#options;
    const { eventId: id, correlationId } = step.cause;
    const meta: Metadata = event?.meta ?? { $causationId: id, $correlationId: correlationId };
    const data = stimulusData(prepared, at, step.record, step.contexts());
    const first = { id, type: prepared.stimulus.type, schemaVersion: stimulusVersion, data, meta };
    const events = [sealEvent(first, { stream, revision: this.#revision++ })];
    for (const fact of step.facts) {
      const version = currentVersion(fact.event.type, upcasters);
      const told = factEvent(fact, `${id}.${events.length}`, version, step.cause);
      events.push(sealEvent(told, { stream, revision: this.#revision++ }));
    }
    this.relived.push({ events, at, origin });
  }
}

/** Of an answer that is on the way, the address it is for. */
function outcomeOf(planned: PlannedStimulus): string | undefined {
  if (planned.origin === undefined) return undefined;
  const { now, data } = planned;
  const isOutcome = (now.type === 'EffectSucceeded' || now.type === 'EffectFailed') && data.action !== true;
  return isOutcome ? now.actor : undefined;
}

/** An address without the numbers of its lives. */
export function placeOf(address: string): string {
  return address.replaceAll(/:\d+(?=\/|$)/g, '');
}
