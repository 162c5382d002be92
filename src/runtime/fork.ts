/**
 * A copy of an actor's past under another id. Owns what is copied and how an edited past is lived through again; starting
 * the copy is actors.ts's.
 *
 * FK1  The original is read and left as it is; the copy names it as its origin.
 * FK2  Up to the first edit the copy is the original's past, folded and compared; from there on each stimulus is applied
 *      anew, and one that reaches nobody any more is left out.
 * FK3  Chance falls in the copy as it fell in the original; effects that are still to be run have keys of their own.
 * FK4  No timer fires in the copy before it is due, and no effect has the outcome of another one.
 * FK5  The root of the copy is called as that of the original: its machine may have told its id.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AnyEventObject } from 'xstate';
import { InvalidArgumentError } from '../errors.ts';
import { ActorTree, addressOf, sourceOf } from '../kernel/actor-tree.ts';
import { causeOf } from '../kernel/fold.ts';
import {
  actorStarted,
  effectFailed,
  effectProgressed,
  effectSucceeded,
  eventReceived,
  factEvent,
  decodeStimulus,
  stimulusData,
  timerFired,
  type Prepared,
  type StartInfo,
  type StimulusData,
} from '../kernel/records.ts';
import { headOf } from '../kernel/standing.ts';
import type { ProgressChannel, Standing, Stimulus } from '../kernel/stimulus.ts';
import { decode } from '../log/codec.ts';
import { sealEvent } from '../log/envelope.ts';
import type { ActorHead, Metadata, NewEvent, RecordedEvent, Revision } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { isFact } from '../log/runtime-events.ts';
import { readStreamName, streamName } from '../log/stream-name.ts';
import { currentVersion } from '../log/upcast.ts';
import { foldUpTo, type ForkOrigin } from './fold-history.ts';
import type { LoadServices } from './load.ts';
import { readableEvent } from './readable-event.ts';
import { requireRevision } from './rebases.ts';

/** A stimulus of the original's past, for an edit: what came from outside, without what the machine made of it. */
export type PastStimulus = { readonly revision: Revision } & (
  | { readonly type: 'ActorStarted'; readonly input: unknown }
  | { readonly type: 'EventReceived'; readonly event: AnyEventObject }
  | { readonly type: 'EffectSucceeded'; readonly actor: string; readonly output: unknown }
  | { readonly type: 'EffectFailed'; readonly actor: string; readonly error: unknown }
  | { readonly type: 'EffectProgressed'; readonly actor: string; readonly value: unknown }
  | { readonly type: 'TimerFired' | 'ActorResumed' | 'ActorStopped' | 'ActorRebased' }
);

/** How an actor is forked. */
export interface ForkOptions {
  /** The last revision that is copied. */
  readonly at: Revision;
  /** Id of the copy. */
  readonly id: string;
  /** A new one when omitted. */
  readonly correlationId?: string;
  /**
   * Called with each stimulus in order; gives back what takes its place: the same, one of its type with other content, or
   * undefined to leave it out.
   */
  readonly edit?: Edit;
}

type Edit = (stimulus: PastStimulus) => PastStimulus | undefined;

/** What is written for a copy. */
export interface Fork {
  readonly events: readonly NewEvent[];
  readonly head: ActorHead;
}

/**
 * Makes the events of a copy.
 * @param ids makes event ids
 * @throws InvalidArgumentError | NotFoundError, and what folding the original so far throws
 */
export async function forkOf(
  stream: string,
  options: ForkOptions & { readonly correlationId: string },
  services: LoadServices,
  ids: () => string,
): Promise<Fork> {
  const present = () => requireRevision(`fork('${stream}', { at })`, stream, options.at, services.log);
  await present();
  try {
    return await copied(stream, options, services, ids);
  } finally {
    // A compaction may have removed it meanwhile: then nothing that was read of it is to be trusted, errors included.
    await present();
  }
}

async function copied(
  stream: string,
  { at, id, correlationId, edit }: Parameters<typeof forkOf>[1],
  services: LoadServices,
  ids: () => string,
): Promise<Fork> {
  const past: RecordedEvent[] = [];
  const folded = await foldUpTo(stream, at, services, (event) => {
    // Another version of the machine, or a rebase, may begin the fold anew.
    if (past.length > 0 && past.at(-1)!.revision + 1 !== event.revision) past.length = 0;
    past.push(event);
  });
  past.push(...(await factsAfter(stream, at, services)));
  const name = streamName(readStreamName(stream).machine, id);
  const rootId = folded.tree.rootActor.id;
  const isKnown = rootId === readStreamName(stream).id;
  const copy = new Copy(name, { stream, revision: at, ...(!isKnown && { root: rootId }) }, correlationId, ids);
  const pages = edit ? past.map((event) => edited(event, edit, services)) : [];
  const firstEdit = pages.findIndex((page) => page !== undefined && !isDeepStrictEqual(page.now, page.then));
  for (const event of firstEdit < 0 ? past : past.slice(0, firstEdit)) copy.add(event);
  if (firstEdit < 0) return { events: copy.events, head: headOf(folded.tree, folded.machine, correlationId) };
  const before = past[firstEdit - 1];
  const tree = before
    ? (await foldUpTo(stream, before.revision, services)).tree
    : new ActorTree(folded.machine.logic, rootId);
  const sources = new Map(pages.flatMap((page) => (page ? begunIn(page.data) : [])));
  for (const page of pages.slice(firstEdit)) if (page) relive(stream, page, sources, tree, copy, services);
  if (!tree.root) throw startless(stream);
  return { events: copy.events, head: headOf(tree, folded.machine, correlationId) };
}

/** A stimulus of the past and what an edit made of it. */
interface Page {
  readonly event: RecordedEvent;
  readonly data: StimulusData;
  readonly then: PastStimulus;
  readonly now: PastStimulus | undefined;
}

/** Undefined for a fact: it follows from its stimulus. */
function edited(event: RecordedEvent, edit: Edit, services: LoadServices): Page | undefined {
  if (isFact(event)) return undefined;
  const data = readableEvent(event, services).data as unknown as StimulusData;
  // Two of them: an edit may change the one it is given.
  return { event, data, then: pastStimulus(event, data), now: edit(pastStimulus(event, data)) };
}

/** The facts of the stimulus at a revision that come after it. */
async function factsAfter(stream: string, at: Revision, { log }: LoadServices): Promise<RecordedEvent[]> {
  const facts: RecordedEvent[] = [];
  for await (const event of log.readStream(stream, { from: at + 1 })) {
    if (!isFact(event)) break;
    facts.push(event);
  }
  return facts;
}

/** The effects that a stimulus began: address and source. */
function begunIn({ intents = [], standing }: StimulusData): (readonly [string, string])[] {
  const { effects = [] } = (standing ?? {}) as Partial<Standing>;
  return [...intents, ...effects].map(({ actor, src }) => [actor, src] as const);
}

/** FK2. @param sources of the original's effects, by address */
function relive(
  stream: string,
  page: Page,
  sources: ReadonlyMap<string, string>,
  tree: ActorTree,
  copy: Copy,
  services: LoadServices,
): void {
  if (page.now === undefined) return;
  const prepared = preparedOf(`fork('${stream}', { edit })`, page, page.now);
  const { stimulus } = prepared;
  if (!tree.root && stimulus.type !== 'ActorStarted') throw startless(stream);
  if (tree.root && (tree.status !== 'active' || !tree.accepts(stimulus))) return;
  const at = Math.max(page.data.at, tree.at);
  if (stimulus.type !== 'TimerFired') {
    if (!isOfAnother(stimulus, sources, tree)) copy.relive(tree, prepared, at, page.event, services);
    return;
  }
  // FK4. Its number may be that of another timer here.
  const timer = tree.timers!.get(stimulus.timer)!;
  if (timer.dueAt <= at) copy.relive(tree, timerFired(timer, addressOf(timer.source)), at, page.event, services);
}

/** FK4. Whether another effect had the address in the original. */
function isOfAnother(stimulus: Stimulus, sources: ReadonlyMap<string, string>, tree: ActorTree): boolean {
  if (!('actor' in stimulus)) return false;
  const source = sources.get(stimulus.actor);
  const effect = tree.effects?.get(stimulus.actor);
  return source !== undefined && effect !== undefined && sourceOf(effect.actor) !== source;
}

function startless(stream: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `fork('${stream}', { edit }): expected the ActorStarted to be kept, found it left out. Nothing was written. Change its input instead.`,
  );
}

/** What an edit is given of a stimulus. */
export function pastStimulus(
  { type, revision }: Pick<RecordedEvent, 'type' | 'revision'>,
  data: StimulusData,
): PastStimulus {
  const value = (key: string) => (data[key] === undefined ? undefined : decode(data[key] as Json));
  const actor = data.actor as string;
  switch (type) {
    case 'ActorStarted':
      return { revision, type, input: value('input') };
    case 'EventReceived':
      return { revision, type, event: value('event') as AnyEventObject };
    case 'EffectSucceeded':
      return { revision, type, actor, output: value('output') };
    case 'EffectFailed':
      return { revision, type, actor, error: value('error') };
    case 'EffectProgressed':
      return { revision, type, actor, value: value('value') };
    default:
      return { revision, type: type as 'TimerFired' };
  }
}

/**
 * The stimulus as it is lived through in the copy.
 * @param where the call that edits, for messages
 */
export function preparedOf(
  where: string,
  { event, data, then }: Pick<Page, 'event' | 'data' | 'then'>,
  now: PastStimulus,
): Prepared {
  const { type, revision } = then;
  if (now?.type !== type) {
    throw InvalidArgumentError.of(
      where,
      `a stimulus of type ${type} for revision ${revision}, or undefined to leave it out`,
      now?.type,
    );
  }
  const { machine, version, definition, environment } = data as unknown as StartInfo;
  switch (now.type) {
    case 'ActorStarted':
      return actorStarted({ machine, version, definition, environment }, now.input);
    case 'EventReceived':
      return eventReceived(data.to as string, now.event, data.messageId as string | undefined);
    case 'EffectSucceeded':
      return effectSucceeded(now.actor, now.output);
    case 'EffectFailed':
      return effectFailed(now.actor, now.error, data.action === true);
    case 'EffectProgressed':
      return effectProgressed(now.actor, data.channel as ProgressChannel, now.value);
    case 'ActorRebased':
      throw new InvalidArgumentError(
        `${where}: revision ${revision} is a rebase, which holds all of what came before it as it was. Edit only what comes after the last one.`,
      );
    default:
      return { stimulus: decodeStimulus(event.type, data) as Stimulus, fields: ownFields(data) };
  }
}

/** What an event holds besides its time and what the machine made of it. */
function ownFields(data: StimulusData): string {
  const { at: _at, transitions: _transitions, intents: _intents, armed: _armed, cancelled: _cancelled, ...own } = data;
  return JSON.stringify(own).slice(1, -1);
}

/** The events of a copy as they come to be. */
class Copy {
  readonly events: NewEvent[] = [];
  /** Of the copy. */
  readonly #stream: string;
  readonly #origin: ForkOrigin;
  readonly #correlationId: string;
  readonly #newId: () => string;
  /** Ids of the copies by those of the originals. */
  readonly #ids = new Map<string, string>();

  constructor(stream: string, origin: ForkOrigin, correlationId: string, newId: () => string) {
    this.#stream = stream;
    this.#origin = origin;
    this.#correlationId = correlationId;
    this.#newId = newId;
  }

  /** An event as it is. */
  add(event: RecordedEvent): void {
    this.#push(event, event.data);
  }

  /** A stimulus that is applied anew, and the facts it causes now. */
  relive(tree: ActorTree, prepared: Prepared, at: number, event: RecordedEvent, services: LoadServices): void {
    const id = this.#idFor(event.id);
    const { seed = event.id } = causeOf(event);
    const step = tree.apply(prepared.stimulus, at, { eventId: id, correlationId: this.#correlationId, seed });
    this.#push(event, stimulusData(prepared, at, step.record, services.recordsContexts ? step.contexts() : undefined));
    for (const fact of step.facts) {
      const version = currentVersion(fact.event.type, services.upcasters);
      this.#seal(factEvent(fact, this.#newId(), version, step.cause));
    }
  }

  #push(event: RecordedEvent, data: string): void {
    const id = this.#idFor(event.id);
    const { $causationId = '', $correlationId: correlation = '' } = event.meta;
    const meta: Metadata = {
      ...event.meta,
      $causationId: this.#ids.get($causationId) ?? $causationId,
      $correlationId: this.#correlationId,
      ...(!isFact(event) && { $seed: event.meta.$seed ?? event.id }),
    };
    const { type, schemaVersion } = event;
    const text = this.events.length > 0 ? data : withOrigin(data, { ...this.#origin, correlationId: correlation });
    this.#seal({ id, type, schemaVersion, data: text, meta });
  }

  #seal(event: Omit<NewEvent, 'checksum'>): void {
    this.events.push(sealEvent(event, { stream: this.#stream, revision: this.events.length }));
  }

  #idFor(original: string): string {
    let id = this.#ids.get(original);
    if (id === undefined) this.#ids.set(original, (id = this.#newId()));
    return id;
  }
}

/** FK1. The first event of the copy with where it comes from. */
function withOrigin(data: string, origin: Json): string {
  return JSON.stringify({ ...(JSON.parse(data) as object), origin });
}
