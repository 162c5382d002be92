/**
 * A stream read without its machines: where the records say that every actor of the tree is. Owns what the runtime's own
 * events say; what the facts of the recovery machines say is told.ts. Runs no code of any machine.
 *
 * XH1  Machines and timers are exactly those of the tree after the newest event: their ends are on record. That an effect is
 *      stopped because its machine goes on is not: once that has moved, it is in doubt, until tree or index tell more.
 * XH2  What is damaged ends the reading: everything before it counts, the append that it belongs to does not.
 */
import type { StateValue } from 'xstate';
import type { TimeMs } from '../../clock.ts';
import { DamagedRecordError, DecodeError } from '../../errors.ts';
import type { IntentRecord, LostEffect, Standing, TimerRecord, TransitionRecord } from '../../kernel/stimulus.ts';
import { decode } from '../../log/codec.ts';
import type { ActorStatus, EventLog, RecordedEvent, Revision } from '../../log/event-log.ts';
import type { Json } from '../../log/json.ts';
import { isBeginning, isFact } from '../../log/runtime-events.ts';
import { readStreamName } from '../../log/stream-name.ts';
import { noUpcasters } from '../../log/upcast.ts';
import type { Moment } from './explained.ts';
import type { FeatureSet } from '../features.ts';
import { newestRebase } from '../fold-history.ts';
import { isOfHistory, readableEvent } from '../readable-event.ts';
import { parentAddress, Told } from './told.ts';

/** A machine as its records tell. */
export interface MachineRecord {
  readonly value: StateValue;
  readonly status: string;
  readonly since: Moment | null;
}

/** An effect as its records tell. */
export interface EffectRecord {
  readonly src: string;
  readonly since: Moment | null;
  restarts: number;
  asked: boolean;
  interrupted: boolean;
  /** Interrupted before it was called. */
  untouched: boolean;
  checkpoint: unknown;
  /** Its machine has moved since: it may have been stopped. */
  inDoubt: boolean;
}

/** A timer as its records tell. */
export interface TimerRecordAt extends TimerRecord {
  /** The stimulus that armed it; null where that is not in the stream any more. */
  readonly armedAt: Revision | null;
}

/** The data of the runtime's events, as far as it is read here. */
interface StimulusRecord {
  readonly at: TimeMs;
  readonly machine?: string;
  readonly version?: string | null;
  readonly actor?: string;
  readonly timer?: number;
  readonly channel?: string;
  readonly value?: Json;
  readonly error?: Json;
  readonly reason?: string;
  readonly to?: unknown;
  readonly changed?: { readonly version: string | null };
  readonly effects?: readonly LostEffect[];
  readonly standing?: Standing;
  readonly transitions?: readonly TransitionRecord[];
  readonly intents?: readonly IntentRecord[];
  readonly armed?: readonly TimerRecord[];
  readonly cancelled?: readonly number[];
}

/** What a stream says. */
export class History {
  readonly stream: string;
  readonly #features: FeatureSet;
  machine: string;
  version: string | null = null;
  correlationId = '';
  status: ActorStatus = 'active';
  stopReason: string | null = null;
  revision: Revision = -1;
  readonly machines = new Map<string, MachineRecord>();
  readonly effects = new Map<string, EffectRecord>();
  readonly timers = new Map<number, TimerRecordAt>();
  told = new Told();
  /** Revisions of the stimuli, in order: where appends begin. */
  readonly stimuli: Revision[] = [];
  /** What kept the rest from being read. */
  damage: unknown;

  constructor(stream: string, features: FeatureSet) {
    this.stream = stream;
    this.#features = features;
    this.machine = readStreamName(stream).machine;
  }

  /** The root, once it has started. */
  get root(): MachineRecord | undefined {
    return this.machines.get('/');
  }

  /** @throws DamagedRecordError | DecodeError | NewerVersionError | UnknownFeatureError when it is not what a runtime wrote */
  push(event: RecordedEvent): void {
    const { stream, revision, meta } = event;
    if (this.revision >= 0 && revision !== this.revision + 1) {
      throw new DamagedRecordError(stream, this.revision + 1, `the record is missing; the next one is ${revision}`);
    }
    if (isFact(event)) {
      this.#features.check(event);
      const { at, stimulus } = this.told.newest;
      this.told.fact({ type: event.type, actor: meta.actor!, fields: readFact(event) }, { at, revision }, stimulus);
    } else {
      this.#stimulus(event, readStimulus(event, this.#features));
      this.stimuli.push(revision);
    }
    this.correlationId ||= meta.$correlationId ?? '';
    this.revision = revision;
  }

  #stimulus(event: RecordedEvent, data: StimulusRecord): void {
    const { type, revision } = event;
    const moment = { at: data.at, revision };
    if (type === 'ActorRebased' && data.reason === 'rewound' && typeof data.to === 'number') {
      this.told = this.told.upTo(data.to);
    }
    this.told.newest = { at: data.at, stimulus: revision };
    this.#identify(event, data);
    this.#settle(type, data, moment);
    this.#record(data, moment);
    if (data.standing) this.#stand(data.standing, moment);
  }

  #identify(event: RecordedEvent, data: StimulusRecord): void {
    const { type } = event;
    if (isBeginning(event)) {
      this.machine = data.machine ?? this.machine;
      this.version = data.version ?? null;
    }
    if (data.changed) this.version = data.changed.version;
    if (type === 'ActorStopped') this.stopReason = data.reason ?? null;
    if (type === 'ActorRebased' && data.reason === 'resumed') this.told.startAnew();
  }

  /** What the stimulus itself says of effects and timers. */
  #settle(type: string, data: StimulusRecord, moment: Moment): void {
    const { actor = '' } = data;
    const effect = this.effects.get(actor);
    switch (type) {
      case 'EffectSucceeded':
        this.effects.delete(actor);
        return this.told.succeeded(actor);
      case 'EffectFailed':
        this.effects.delete(actor);
        return this.told.failed(actor, decode(data.error ?? null), moment);
      case 'EffectProgressed':
        if (effect && data.channel === 'checkpoint') effect.checkpoint = decode(data.value ?? null);
        if (effect && data.channel === 'interrupted') {
          effect.interrupted = true;
          effect.untouched = data.value === 'untouched';
        }
        return;
      case 'TimerFired':
        this.timers.delete(data.timer ?? -1);
        return;
      case 'ActorResumed':
        for (const { actor: lost, decision } of data.effects ?? []) this.#decide(this.effects.get(lost), decision);
    }
  }

  #decide(effect: EffectRecord | undefined, decision: LostEffect['decision']): void {
    if (!effect) return;
    effect.asked = decision === 'ask';
    if (decision !== 'rerun') return;
    if (!effect.interrupted) effect.restarts++;
    effect.interrupted = false;
    effect.untouched = false;
  }

  /** What the stimulus did to the tree. */
  #record({ transitions = [], intents = [], armed = [], cancelled = [] }: StimulusRecord, moment: Moment): void {
    for (const transition of transitions) this.#move(transition, moment);
    for (const { actor, src } of intents) {
      // Its machine may have stopped it before the append was through, if it moved more than once.
      const inDoubt = transitions.filter((transition) => transition.actor === parentAddress(actor)).length > 1;
      this.effects.set(actor, { ...newEffect(src, moment), inDoubt });
    }
    for (const timer of armed) this.timers.set(timer.timer, { ...timer, armedAt: moment.revision });
    for (const timer of cancelled) this.timers.delete(timer);
    if (this.status !== 'active') this.#close();
  }

  /** Nothing of a tree goes on whose root has ended. */
  #close(): void {
    const { root } = this;
    for (const map of [this.machines, this.effects, this.timers]) map.clear();
    if (root) this.machines.set('/', root);
  }

  /** What the index of actors says of the newest revision: a root that failed while it took up what it did leaves no record. */
  standsAs(status: ActorStatus): void {
    const { root } = this;
    if (status === this.status) return;
    this.status = status;
    if (root) this.machines.set('/', { ...root, status });
    if (status !== 'active') this.#close();
  }

  #move({ actor, to, status = 'active' }: TransitionRecord, since: Moment): void {
    const isRoot = actor === '/';
    if (isRoot) this.status = status as ActorStatus;
    if (isRoot || status === 'active') this.machines.set(actor, { value: to, status, since });
    else this.machines.delete(actor);
    if (status === 'done') this.told.succeeded(actor);
    for (const [address, effect] of this.effects) {
      if (parentAddress(address) !== actor) continue;
      if (status === 'done' || status === 'stopped') this.effects.delete(address);
      else effect.inDoubt = true;
    }
  }

  #stand({ status, machines, effects, timers }: Standing, since: Moment): void {
    const before = { machines: new Map(this.machines), effects: new Map(this.effects), timers: new Map(this.timers) };
    for (const map of [this.machines, this.effects, this.timers]) map.clear();
    this.status = status as ActorStatus;
    for (const { actor, to } of machines) {
      const known = before.machines.get(actor);
      const isSame = JSON.stringify(known?.value) === JSON.stringify(to);
      const own = actor === '/' ? status : 'active';
      this.machines.set(actor, { value: to, status: own, since: isSame ? known!.since : since });
    }
    for (const { actor, src } of effects) {
      this.effects.set(actor, { ...(before.effects.get(actor) ?? newEffect(src, null)), inDoubt: false });
    }
    for (const timer of timers) {
      this.timers.set(timer.timer, { ...timer, armedAt: before.timers.get(timer.timer)?.armedAt ?? null });
    }
  }
}

function newEffect(src: string, since: Moment | null): EffectRecord {
  return {
    src,
    since,
    restarts: 0,
    asked: false,
    interrupted: false,
    untouched: false,
    checkpoint: null,
    inDoubt: false,
  };
}

/**
 * Reads a stream, or its beginning. Where it is damaged before its newest rebase, that holds all of what came before.
 * @param to last revision to read
 */
export async function readHistory(
  log: Pick<EventLog, 'readStream'>,
  stream: string,
  features: FeatureSet,
  to = Infinity,
): Promise<History> {
  const history = await readFrom(0, log, new History(stream, features), to);
  const rebased = history.damage === undefined ? undefined : await newestRebase(stream, log, to);
  return rebased !== undefined && rebased > history.revision
    ? readFrom(rebased, log, new History(stream, features), to)
    : history;
}

async function readFrom(
  from: Revision,
  log: Pick<EventLog, 'readStream'>,
  history: History,
  to: Revision,
): Promise<History> {
  const { stream } = history;
  try {
    for await (const event of log.readStream(stream, { from })) {
      if (event.revision > to) break;
      history.push(event);
    }
  } catch (error) {
    if (error instanceof DecodeError) {
      history.damage = new DamagedRecordError(stream, history.revision + 1, error.message, { cause: error });
    } else if (isOfHistory(error)) history.damage = error;
    else throw error;
  }
  return history;
}

/** Facts are read as they were written: those that count here are never upcast. */
function readFact({ stream, revision, type, data }: RecordedEvent): unknown {
  try {
    return decode(JSON.parse(data) as Json);
  } catch (cause) {
    throw new DamagedRecordError(stream, revision, `the data of fact '${type}' cannot be read`, { cause });
  }
}

/** @throws DamagedRecordError | NewerVersionError | UnknownFeatureError */
function readStimulus(event: RecordedEvent, features: FeatureSet): StimulusRecord {
  const { data } = readableEvent(event, { upcasters: noUpcasters, features });
  const refuse = (what: string) => new DamagedRecordError(event.stream, event.revision, what);
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw refuse('its data is no object');
  const record = data as unknown as StimulusRecord;
  if (typeof record.at !== 'number') throw refuse("its data has no time 'at'");
  return record;
}
