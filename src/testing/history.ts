/**
 * What the log of a run says about effects, as it is written. Owns which were lost with a host, and which a person is asked
 * about.
 *
 * HI1  A loss is known as soon as it is written: before the machine hears of it and calls again.
 */
import type { EventLog, NewEvent } from '../log/event-log.ts';
import { isFact } from '../log/runtime-events.ts';
import type { Loss } from './scripted-world.ts';

/** An effect that waits for a person's decision. */
export interface AskedEffect {
  readonly stream: string;
  readonly actor: string;
  readonly key: string;
}

interface Data {
  readonly at: number;
  readonly actor?: string;
  readonly channel?: string;
  readonly intents?: readonly { readonly actor: string }[];
  readonly effects?: readonly { readonly actor: string; readonly decision: string }[];
  readonly standing?: { readonly effects?: readonly { readonly actor: string }[] };
}

const isOutcome = (type: string) => type === 'EffectSucceeded' || type === 'EffectFailed';

/** What is known of one log. */
export class History {
  readonly #onLoss: (keys: readonly string[]) => void;
  #keys = new Map<string, string>();
  /** Keys of effects that were intended, and the places of those that only a rebase tells of; also what has been cut since. */
  readonly #intended = new Set<string>();
  #losses: Loss[] = [];
  #asked: AskedEffect[] = [];
  #appends = 0;
  /** By stream and address: how many things an effect told that are recorded. */
  #told = new Map<string, number>();

  /** @param onLoss called with the keys of effects that are lost */
  constructor(onLoss: (keys: readonly string[]) => void) {
    this.#onLoss = onLoss;
  }

  /** Every effect that was lost, in order. */
  get losses(): readonly Loss[] {
    return this.#losses;
  }

  get isAsked(): boolean {
    return this.#asked.length > 0;
  }

  /** How many stimuli are in the log, without those that tell of a resume. */
  get stimuli(): number {
    return this.#appends;
  }

  /** How many things an effect told that are recorded. */
  told(stream: string, actor: string): number {
    return this.#told.get(`${stream} ${actor}`) ?? 0;
  }

  /** Whether it is durable that this effect shall run. */
  intends(key: string, stream: string, actor: string): boolean {
    return this.#intended.has(key) || this.#intended.has(`${stream} ${actor}`);
  }

  /** Reads the log anew: a life begins, and what the one before it left may have been cut. */
  begin(events: Iterable<NewEvent & { readonly stream: string }>): void {
    this.#keys = new Map();
    this.#losses = [];
    this.#asked = [];
    this.#appends = 0;
    this.#told = new Map();
    for (const event of events) this.push(event.stream, [event]);
  }

  /** What was written to a stream. */
  push(stream: string, events: readonly NewEvent[]): void {
    for (const { id, type, data } of events.filter((event) => !isFact(event))) {
      const { at, actor: of, channel = 'checkpoint', intents = [], effects = [], standing } = JSON.parse(data) as Data;
      for (const { actor } of intents) {
        this.#keys.set(`${stream} ${actor}`, `${id}${actor}`);
        this.#intended.add(`${id}${actor}`);
      }
      for (const { actor } of standing?.effects ?? []) this.#intended.add(`${stream} ${actor}`);
      if (isOutcome(type)) this.#asked = this.#asked.filter((each) => each.stream !== stream || each.actor !== of);
      if (channel !== 'checkpoint') this.#told.set(`${stream} ${of}`, this.told(stream, of!) + 1);
      if (type !== 'ActorResumed') this.#appends++;
      else for (const { actor, decision } of effects) this.#decided(stream, actor, decision, at);
    }
  }

  /** The effects that a person has not been asked about yet. */
  takeAsked(): AskedEffect[] {
    return this.#asked.splice(0);
  }

  #decided(stream: string, actor: string, decision: string, at: number): void {
    const key = this.#keys.get(`${stream} ${actor}`);
    if (key === undefined) return;
    if (decision === 'ask') this.#asked.push({ stream, actor, key });
    if (decision !== 'fail') return;
    this.#losses.push({ key, afterAppends: this.#appends, at });
    this.#onLoss([key]);
  }
}

/** A log that tells what is written, when it is durable. */
export function observed(log: EventLog, history: History): EventLog {
  return new Proxy(log, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (name !== 'append') return member.bind(target) as unknown;
      return async (...args: Parameters<EventLog['append']>) => {
        const result = await target.append(...args);
        if (!result.deduplicated) history.push(args[0], args[2]);
        return result;
      };
    },
  });
}
