/**
 * Judges what a killed process left behind, from the events alone: no fold, nothing of the kernel. Owns one model of a
 * stream per actor, and the violations it finds, by number of the invariant.
 *
 * KA1  Every event is looked at once, in order of position.
 * KA2  A violation says the stream and the revision where it shows.
 */
import type { RecordedEvent } from '../../src/log/event-log.ts';

/** Violations by invariant. */
export class Findings {
  readonly #byInvariant = new Map<number, string[]>();

  add(invariant: number, what: string): void {
    const found = this.#byInvariant.get(invariant);
    if (found) found.push(what);
    else this.#byInvariant.set(invariant, [what]);
  }

  /** What was found against any of these invariants; the first few of each, because one bug shows everywhere. */
  of(...invariants: number[]): string[] {
    return invariants.flatMap((number) => {
      const found = this.#byInvariant.get(number) ?? [];
      const shown = found.slice(0, 5).map((what) => `${number}: ${what}`);
      return found.length > 5 ? [...shown, `${number}: … ${found.length} in all`] : shown;
    });
  }
}

/** How often things happened. */
export interface Tally {
  events: number;
  intents: number;
  outcomes: number;
  abandoned: number;
  reruns: number;
  lost: number;
  resumed: number;
  timersArmed: number;
  timersFired: number;
  timersCancelled: number;
}

interface StimulusData {
  readonly at: number;
  readonly actor?: string;
  readonly timer?: number;
  readonly dueAt?: number;
  readonly action?: boolean;
  readonly messageId?: string;
  readonly effects?: readonly { readonly actor: string; readonly decision: string }[];
  readonly transitions?: readonly { readonly actor: string; readonly status?: string }[];
  readonly intents?: readonly { readonly actor: string; readonly src: string }[];
  readonly armed?: readonly { readonly timer: number; readonly dueAt: number }[];
  readonly cancelled?: readonly number[];
}

interface ActorModel {
  readonly stream: string;
  revision: number;
  stimulus: RecordedEvent | undefined;
  status: string;
  /** Effects without an end, by address. */
  readonly pending: Map<string, RecordedEvent>;
  /** Due times of the timers that are armed, by number. */
  readonly armed: Map<number, number>;
}

/** How many times a message was applied, by stream and message id. */
export type Messages = Map<string, number>;

export class Audit {
  readonly findings: Findings;
  readonly events = new Map<string, RecordedEvent>();
  /** Begun effects by idempotency key. */
  readonly intents = new Map<string, RecordedEvent>();
  /** How often a host announced that it runs an effect again, by key. */
  readonly reruns = new Map<string, number>();
  readonly messages: Messages = new Map();
  readonly tally: Tally = {
    events: 0,
    intents: 0,
    outcomes: 0,
    abandoned: 0,
    reruns: 0,
    lost: 0,
    resumed: 0,
    timersArmed: 0,
    timersFired: 0,
    timersCancelled: 0,
  };
  readonly #actors = new Map<string, ActorModel>();

  constructor(findings: Findings) {
    this.findings = findings;
  }

  /** Status of an actor according to its events. */
  statusOf(stream: string): string | undefined {
    return this.#actors.get(stream)?.status;
  }

  get streams(): string[] {
    return [...this.#actors.keys()];
  }

  /** KA1. */
  push(event: RecordedEvent): void {
    this.tally.events++;
    const actor = this.#actorOf(event.stream);
    if (event.revision !== actor.revision + 1) this.#found(1, event, `revision ${actor.revision + 1} is missing`);
    actor.revision = event.revision;
    this.#checkCause(event);
    this.events.set(event.id, event);
    if (event.meta.actor === undefined) this.#pushStimulus(actor, event);
    else this.#pushFact(actor, event, event.meta.actor);
  }

  /** Call after the last event. */
  finish(): void {
    for (const { stream, status, pending, armed, stimulus } of this.#actors.values()) {
      // Stopping ends effects and timers with their root; any other end has to account for its effects before.
      if (status !== 'stopped') {
        for (const address of pending.keys()) this.findings.add(11, `${stream}: ${address} has no end`);
      }
      if (status === 'active') {
        for (const timer of armed.keys())
          this.findings.add(20, `${stream}: timer ${timer} neither fired nor cancelled`);
        this.findings.add(11, `${stream} has not ended; its last stimulus is ${stimulus?.type}`);
      }
    }
  }

  #actorOf(stream: string): ActorModel {
    let actor = this.#actors.get(stream);
    if (!actor) {
      actor = { stream, revision: -1, stimulus: undefined, status: 'active', pending: new Map(), armed: new Map() };
      this.#actors.set(stream, actor);
    }
    return actor;
  }

  #checkCause(event: RecordedEvent): void {
    const { $causationId: cause, $correlationId: correlation } = event.meta;
    if (this.events.has(event.id)) this.#found(8, event, `id ${event.id} was there before`);
    if (cause === undefined || correlation === undefined) return this.#found(24, event, 'no cause or no correlation');
    if (cause === event.id) return;
    const caused = this.events.get(cause);
    if (!caused) return this.#found(24, event, `its cause ${cause} is not before it in the log`);
    if (caused.meta.$correlationId !== correlation) {
      const { stream, revision, type } = caused;
      this.#found(
        24,
        event,
        `correlation '${correlation}', but its cause ${stream}@${revision} ${type} has '${caused.meta.$correlationId}'`,
      );
    }
  }

  #pushFact(actor: ActorModel, event: RecordedEvent, emitter: string): void {
    if (event.meta.$causationId !== actor.stimulus?.id) this.#found(24, event, 'not caused by the stimulus before it');
    if (event.type === 'CallAbandoned') {
      const parent = emitter === '/' ? '/' : `${emitter}/`;
      const call = [...actor.pending.keys()].find((address) => address.startsWith(`${parent}charge:`));
      if (call === undefined) return this.#found(11, event, 'abandons a call that is not pending');
      actor.pending.delete(call);
      this.tally.abandoned++;
    }
    if (event.type === 'Rang') {
      const { dueAt, firedAt } = JSON.parse(event.data) as { dueAt: number; firedAt: number };
      if (firedAt < dueAt) this.#found(19, event, `rang ${dueAt - firedAt} ms early by its own clock`);
    }
  }

  #pushStimulus(actor: ActorModel, event: RecordedEvent): void {
    const data = JSON.parse(event.data) as StimulusData;
    if (actor.status !== 'active') this.#found(33, event, `an event after the actor has ended as ${actor.status}`);
    actor.stimulus = event;
    if (data.messageId !== undefined) {
      const key = `${actor.stream} ${data.messageId}`;
      this.messages.set(key, (this.messages.get(key) ?? 0) + 1);
    }
    if (event.type === 'EffectSucceeded' || event.type === 'EffectFailed') this.#pushOutcome(actor, event, data);
    if (event.type === 'ActorResumed') this.#pushResumed(actor, event, data);
    if (event.type === 'TimerFired') this.#pushFired(actor, event, data);
    this.#pushRecords(actor, event, data);
    const root = data.transitions?.findLast(({ actor: address }) => address === '/');
    actor.status = event.type === 'ActorStopped' ? 'stopped' : (root?.status ?? actor.status);
  }

  #pushOutcome(actor: ActorModel, event: RecordedEvent, data: StimulusData): void {
    if (data.action) return;
    const address = data.actor!;
    if (!actor.pending.delete(address))
      return this.#found(13, event, `a second outcome, or one too late, of ${address}`);
    this.tally.outcomes++;
  }

  #pushResumed(actor: ActorModel, event: RecordedEvent, data: StimulusData): void {
    this.tally.resumed++;
    for (const { actor: address, decision } of data.effects ?? []) {
      const intent = actor.pending.get(address);
      if (!intent) {
        this.#found(14, event, `resumes ${address}, which is not pending`);
      } else if (decision === 'rerun') {
        this.tally.reruns++;
        const key = `${intent.id}${address}`;
        this.reruns.set(key, (this.reruns.get(key) ?? 0) + 1);
      } else {
        this.tally.lost++;
      }
    }
  }

  #pushFired(actor: ActorModel, event: RecordedEvent, data: StimulusData): void {
    const timer = data.timer!;
    const dueAt = actor.armed.get(timer);
    if (dueAt === undefined) return this.#found(20, event, `timer ${timer} fired, but it is not armed`);
    this.tally.timersFired++;
    if (data.dueAt !== dueAt)
      this.#found(19, event, `timer ${timer} was due at ${dueAt}, and fired as of ${data.dueAt}`);
    for (const at of [data.at, event.recordedAt]) {
      if (at < dueAt) this.#found(19, event, `timer ${timer} fired ${dueAt - at} ms early`);
    }
    for (const [other, otherDueAt] of actor.armed) {
      if (otherDueAt < dueAt || (otherDueAt === dueAt && other < timer)) {
        this.#found(20, event, `timer ${timer} fired before ${other}, whose turn it was`);
      }
    }
    actor.armed.delete(timer);
  }

  /** What the stimulus did: it is recorded in the order of intents, arming and cancelling. */
  #pushRecords(actor: ActorModel, event: RecordedEvent, data: StimulusData): void {
    for (const { actor: address } of data.intents ?? []) {
      const key = `${event.id}${address}`;
      if (actor.pending.has(address)) this.#found(14, event, `${address} begins, and is pending already`);
      actor.pending.set(address, event);
      this.intents.set(key, event);
      this.tally.intents++;
    }
    for (const { timer, dueAt } of data.armed ?? []) {
      if (actor.armed.has(timer)) this.#found(20, event, `timer ${timer} is armed twice`);
      if (dueAt < data.at) this.#found(19, event, `timer ${timer} is due before it is armed`);
      actor.armed.set(timer, dueAt);
      this.tally.timersArmed++;
    }
    for (const timer of data.cancelled ?? []) {
      if (!actor.armed.delete(timer)) this.#found(20, event, `timer ${timer} is cancelled, but it is not armed`);
      this.tally.timersCancelled++;
    }
  }

  #found(invariant: number, { stream, revision, type }: RecordedEvent, what: string): void {
    this.findings.add(invariant, `${stream}@${revision} ${type}: ${what}`);
  }
}
