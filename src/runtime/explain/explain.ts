/**
 * Why an actor is where it is. Owns how the stream, the fold and the runtime are asked, and put together; the shapes are
 * explained.ts, the words sentences.ts.
 *
 * XP1  It reads only: nothing is appended, no effect runs, and an actor that is not in memory is folded without being hosted.
 * XP2  What the records tell needs no machine; with the machine at hand its fold has the last word, and its guards are asked.
 * XP3  Where the fold stops, the state before that append is explained, and why it stops is said.
 */
import { realClock, type Clock, type TimeMs } from '../../clock.ts';
import { NotFoundError } from '../../errors.ts';
import type { ActorRow, EventLog } from '../../log/event-log.ts';
import { noUpcasters, type Upcasters } from '../../log/upcast.ts';
import { explainBreakers } from './breakers.ts';
import { blockageOf, foldAsFarAsPossible } from './folded-far.ts';
import { readHistory, type History } from './history.ts';
import { effectsOf, errorsOf, isResumable, machinesOf, peopleOf, retriesOf, timersOf } from './parts.ts';
import { advise } from './advice.ts';
import { sentencesOf } from './sentences.ts';
import type { Explanation, ExplanationData, LogOwner } from './explained.ts';
import { FeatureSet } from '../features.ts';
import { MachineRegistry, type Machines } from '../machines.ts';
import { hostOf } from '../ownership.ts';

/** What a runtime knows besides the log. */
interface AskedRuntime {
  /** The name it holds the lease under; undefined where it has none. */
  readonly owner: string | undefined;
  find(stream: string): { isRunning(effect: string): boolean } | undefined;
  blockedBy(stream: string): unknown;
}

interface ExplainServices {
  readonly log: EventLog;
  readonly now: TimeMs;
  readonly machines: MachineRegistry | undefined;
  readonly upcasters: Upcasters;
  readonly features: FeatureSet;
  readonly runtime: AskedRuntime | undefined;
}

/** What {@link explainStream} may be told besides the log. */
export interface ExplainOptions {
  /** As those of a runtime. Without them the log alone tells: not which events are accepted, nor whether it can be folded. */
  readonly machines?: Machines;
  readonly upcasters?: Upcasters;
  readonly clock?: Clock;
}

/**
 * Says why an actor is where it is from its log, without a runtime, also beside the host that runs it.
 * @throws NotFoundError
 *
 * @example
 * console.log(String(await explainStream(sqliteLog('orders.db'), 'order-42')));
 */
export function explainStream(log: EventLog, stream: string, options: ExplainOptions = {}): Promise<Explanation> {
  const { machines, upcasters = noUpcasters, clock = realClock } = options;
  const registry = machines && new MachineRegistry(machines);
  return explain(stream, {
    log,
    now: clock.now(),
    machines: registry,
    upcasters,
    features: new FeatureSet(),
    runtime: undefined,
  });
}

/** What {@link Runtime.explain} gives. */
export async function explain(stream: string, services: ExplainServices): Promise<Explanation> {
  const { log, now, machines, runtime } = services;
  const whole = await readHistory(log, stream, services.features);
  if (whole.revision < 0 && !whole.damage) throw new NotFoundError(stream);
  const fold = machines && whole.revision >= 0 ? await foldAsFarAsPossible(whole, { ...services, machines }) : {};
  const { tree, to = whole.revision } = fold;
  const history = to < whole.revision ? await readHistory(log, stream, services.features, to) : whole;
  const blocked = blockageOf(whole, fold, runtime?.blockedBy(stream));
  const row = await rowAtHead(log, history);
  if (row) history.standsAs(row.status);
  const owner = ownerOf(await hostOf(log), runtime);
  const data: ExplanationData = {
    stream,
    at: now,
    status: blocked ? 'blocked' : history.status,
    ...{ machine: history.machine, version: history.version, correlationId: history.correlationId },
    revision: whole.revision,
    stopReason: history.stopReason,
    blocked,
    machines: machinesOf(history, tree, now),
    effects: effectsOf(history, tree, now, {
      isRunning: runnerOf(stream, runtime, owner),
      atHead: row?.effects,
    }),
    timers: timersOf(history, tree, now),
    retries: retriesOf(history, now),
    breakers: await explainBreakers(log, history, services.features),
    people: peopleOf(history),
    ...errorsOf(history, tree),
    isResumable: isResumable(tree),
    owner,
    isHosted: runtime !== undefined,
    inMemory: runtime ? runtime.find(stream) !== undefined : null,
  };
  const next = advise(data);
  return readable({ ...data, next, sentences: sentencesOf(data, next) });
}

function ownerOf(holder: Awaited<ReturnType<typeof hostOf>>, runtime: AskedRuntime | undefined): LogOwner | null {
  return holder && holder.owner === runtime?.owner ? { ...holder, life: 'this' } : holder;
}

/** Tells which effects are run by somebody, as far as can be seen from here. */
function runnerOf(stream: string, runtime: AskedRuntime | undefined, owner: LogOwner | null) {
  const host = runtime?.find(stream);
  if (host) return (effect: string) => host.isRunning(effect);
  const isElsewhere = owner?.life === 'alive' || owner?.life === 'unknown';
  return () => isElsewhere;
}

/** The actor in the index; undefined where that tells of another revision than the history. */
async function rowAtHead(log: EventLog, { stream, revision }: History): Promise<ActorRow | undefined> {
  const row = await log.actor(stream);
  return row?.revision === revision ? row : undefined;
}

/** XD1: what is made of the sentences is not said again in JSON. */
function readable(said: Omit<Explanation, 'text' | 'toString'>): Explanation {
  const text = said.sentences.join('\n');
  return Object.defineProperties(said as Explanation, {
    text: { value: text },
    toString: { value: () => text },
  });
}
