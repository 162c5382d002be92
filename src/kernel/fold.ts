/**
 * Folding a stream into a tree. Owns the comparison of what the log says happened with what this code does; reads no
 * log itself.
 *
 * F1  Only stimuli are fed to the machine. Transitions, intents, timers and facts are recomputed and compared.
 * F2  The first difference is a ReplayDivergedError; the fold stops there and the tree is not used any more.
 * F3  A fold runs no effect and no custom action, and writes nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import { DamagedRecordError, ReplayDivergedError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import { encode } from '../log/codec.ts';
import type { RecordedEvent } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { isFact } from '../log/runtime-events.ts';
import type { ActorTree, Step } from './actor-tree.ts';
import { watchImpurity } from './impurity.ts';
import { decodeStimulus, type StimulusData } from './records.ts';
import type { Cause, Fact, StepRecord } from './stimulus.ts';
import { restoreTree } from './tree-state.ts';

/** An event with its data parsed and upcast, as the folder wants it. */
export interface ReadableEvent extends Pick<RecordedEvent, 'id' | 'type' | 'revision' | 'stream' | 'meta'> {
  readonly data: Json;
}

/** What an event that records a stimulus causes things as. */
export function causeOf({ id: eventId, meta }: Pick<RecordedEvent, 'id' | 'meta'>): Cause {
  const { $correlationId: correlationId = '', $seed: seed } = meta;
  return seed === undefined ? { eventId, correlationId } : { eventId, correlationId, seed };
}

const recordKeys = ['transitions', 'intents', 'armed', 'cancelled'] as const satisfies (keyof StepRecord)[];

/** Feeds recorded events to a tree, one after the other. */
export class Folder {
  readonly tree: ActorTree;
  #definition: string;
  /** Facts the newest stimulus must have caused and that have not been seen yet. */
  #expected: readonly Fact[] = [];
  #expectedAt = 0;
  #impurities: string[] | undefined;

  /** @param definition hash of the machine definition the fold runs with, to tell a changed machine from an impure one */
  constructor(tree: ActorTree, definition: string, options: { watch?: boolean } = {}) {
    this.tree = tree;
    this.#definition = definition;
    this.#impurities = options.watch ? [] : undefined;
  }

  /** Reads of the clock or of chance that were seen, when the fold was asked to watch for them. */
  get impurities(): readonly string[] {
    return this.#impurities ?? [];
  }

  /** @throws ReplayDivergedError | DamagedRecordError */
  push(event: ReadableEvent): void {
    if (isFact(event)) return this.#compareFact(event);
    this.#expectNoMoreFacts(event);
    const data = event.data as unknown as StimulusData;
    const stimulus = decodeStimulus(event.type, data);
    if (!stimulus)
      throw new DamagedRecordError(event.stream, event.revision, `'${event.type}' is no event of the runtime`);
    if (typeof data.at !== 'number') {
      throw new DamagedRecordError(event.stream, event.revision, "its data has no time 'at'");
    }
    const cause = causeOf(event);
    if (stimulus.type === 'ActorRebased') {
      restoreTree(this.tree, stimulus.state);
      this.tree.at = data.at;
      return;
    }
    const apply = () => this.tree.apply(stimulus, Math.max(data.at, this.tree.at), cause);
    const step = this.#impurities ? watchImpurity(this.#impurities, apply) : apply();
    this.#compareStep(event, data, step);
    this.#expected = step.facts;
    this.#expectedAt = 0;
  }

  /** Call after the last event: facts that were not recorded are a divergence too. */
  finish(last: ReadableEvent | undefined): void {
    if (last) this.#expectNoMoreFacts({ ...last, revision: last.revision + 1 });
  }

  #compareStep(event: ReadableEvent, data: StimulusData, step: Step): void {
    for (const key of recordKeys) {
      const expected = data[key];
      const got = step.record[key];
      if (expected === undefined && got === undefined) continue;
      if (sameRecords(expected, got)) continue;
      const at = firstDifference(expected ?? [], got ?? []);
      throw this.#diverged(event, at.actor, { [key]: at.expected }, { [key]: at.got }, this.#failureIn(data, step));
    }
  }

  /** The error of a machine that fails in this step and did not when it was recorded. */
  #failureIn(data: StimulusData, { record }: Step): unknown {
    const failed = (records: StepRecord) =>
      (records.transitions ?? []).filter(({ status }) => status === 'error').map(({ actor }) => actor);
    const recorded = failed(data);
    const address = failed(record).find((actor) => !recorded.includes(actor));
    return address === undefined ? undefined : this.tree.find(address)?._snapshot.error;
  }

  #compareFact(event: ReadableEvent): void {
    const fact = this.#expected[this.#expectedAt++];
    const got = fact && { actor: fact.actor, event: encode(fact.event, `fact '${fact.event.type}'`).json };
    const expected = { actor: event.meta.actor!, event: event.data };
    if (!got || got.actor !== expected.actor || !isDeepStrictEqual(got.event, expected.event)) {
      throw this.#diverged(event, expected.actor, { fact: expected.event }, { fact: got?.event });
    }
  }

  #expectNoMoreFacts(event: ReadableEvent): void {
    const missing = this.#expected[this.#expectedAt];
    if (missing) throw this.#diverged(event, missing.actor, { fact: undefined }, { fact: missing.event });
  }

  #diverged(
    event: ReadableEvent,
    actor: string,
    expected: unknown,
    got: unknown,
    failure?: unknown,
  ): ReplayDivergedError {
    const { stream, revision } = event;
    const likelyCause = this.#likelyCause(failure);
    const options = failure === undefined ? {} : { cause: failure };
    return new ReplayDivergedError({ stream, revision, actor, expected, got, likelyCause }, options);
  }

  #likelyCause(failure: unknown): string {
    if (failure !== undefined) {
      return `the machine fails here now, with ${failure instanceof Error ? String(failure) : JSON.stringify(failure)}`;
    }
    if (this.#impurities?.length) return `${this.#impurities.join('; ')}. Use now(), random() and uuid() from 'rewake'`;
    return `the machine has changed since the events were written (its definition is now ${this.#definition}), or a guard, assign or delay reads something outside its context and event`;
  }
}

/** Deep equality of plain records, faster than the general one for the small flat objects that steps are made of. */
function sameRecords(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!sameRecords(a[i], b[i])) return false;
    return true;
  }
  let keys = 0;
  for (const key in a) {
    keys++;
    if (!sameRecords((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])) return false;
  }
  for (const _ in b) keys--;
  return keys === 0;
}

function firstDifference(expected: readonly unknown[], got: readonly unknown[]) {
  const at = Array.from({ length: Math.max(expected.length, got.length) }).findIndex(
    (_, index) => !sameRecords(expected[index], got[index]),
  );
  invariant(at >= 0, 'records differ but no difference was found');
  const actorOf = (record: unknown) =>
    typeof record === 'object' && record !== null && 'actor' in record ? String(record.actor) : undefined;
  return { expected: expected[at], got: got[at], actor: actorOf(expected[at]) ?? actorOf(got[at]) ?? '/' };
}
