/**
 * Another past, in memory: a fork whose stimuli are edited, and the two paths beside each other. Owns how the two are
 * made; what is asked is in past-edit.ts.
 *
 * WI1  Nothing is written to the log, and no effect is called: an effect is answered by what the log says, then by the stub that
 *      was given; where there is neither it stays without an answer, and the fork says so.
 */
import { InvalidArgumentError } from '../errors.ts';
import type { TimeMs } from '../clock.ts';
import { ActorTree } from '../kernel/actor-tree.ts';
import type { StimulusData } from '../kernel/records.ts';
import type { Standing } from '../kernel/stimulus.ts';
import { sealEvent } from '../log/envelope.ts';
import type { NewEvent, Revision } from '../log/event-log.ts';
import { memoryLog } from '../log/memory-log.ts';
import { isFact, isRebase } from '../log/runtime-events.ts';
import { noUpcasters } from '../log/upcast.ts';
import { FeatureSet } from '../runtime/features.ts';
import { foldUpTo } from '../runtime/fold-history.ts';
import { MachineRegistry } from '../runtime/machines.ts';
import { readableEvent } from '../runtime/readable-event.ts';
import type { Frame } from './frame.ts';
import { openReplay } from './open-replay.ts';
import type { WhatIf, WhatIfOptions } from './past-edit.ts';
import { planOf, type PastEvent } from './past-edits.ts';
import { placeOf, Reliving, type Relived } from './relive.ts';
import type { ReplayedLog, ReplayOptions } from './replay.ts';
import { sideBySide } from './side-by-side.ts';

/** So many frames of each path are shown, from the first one that an edit touches on. */
const framesMax = 2_000;

/**
 * Lives through an edited past by the code at hand, and puts it beside the one that was.
 *
 * @example
 * const { pairs, firstDivergence, unanswered } = await whatIf(log, 'order-42', {
 *   machines: { order },
 *   edits: [{ edit: 'replace', revision: 3, with: { output: 'paid' } }],
 *   stubs: { ship: { output: 'parcel-7' } },
 * });
 * @throws NotFoundError | UnknownMachineError | InvalidArgumentError, and what folding the stream throws
 */
export async function whatIf(
  log: ReplayedLog,
  stream: string,
  { edits, stubs = {}, until = 'end', ...options }: WhatIfOptions & ReplayOptions,
): Promise<WhatIf> {
  const where = `whatIf('${stream}')`;
  requireStubs(where, stubs);
  if (until !== 'end' && until !== 'quiet') throw InvalidArgumentError.of(`${where}: until`, "'end' or 'quiet'", until);
  const { machines = {}, upcasters = noUpcasters } = options;
  const services = { log, machines: new MachineRegistry(machines), upcasters, features: new FeatureSet() };
  const past: PastEvent[] = [];
  const whole = await foldUpTo(stream, Infinity, services, (recorded) => {
    const readable = readableEvent(recorded, services);
    // The history begins anew: with another version of the machine, or with a state that holds all before it.
    if (past.length > 0 && (isRebase(readable) || past.at(-1)!.recorded.revision + 1 !== recorded.revision))
      past.length = 0;
    past.push({ recorded, readable });
  });
  const plan = planOf(where, past, edits);
  const kept = past.filter(({ recorded }) => recorded.revision < plan.changedFrom);
  const before = kept.at(-1)?.recorded.revision;
  const tree =
    before === undefined
      ? new ActorTree(whole.machine.logic, whole.tree.rootActor.id)
      : (await foldUpTo(stream, before, services)).tree;
  const from = past[0]!.recorded.revision;
  const reliving = new Reliving({
    ...{ where, stream, tree, correlationId: whole.correlationId, stubs, upcasters, from: from + kept.length },
    sources: sourcesIn(past),
  });
  await reliving.run(
    plan.stimuli.filter(({ origin }) => origin === undefined || origin >= plan.changedFrom),
    until,
  );
  const forked = await forkedLog(stream, kept, reliving.relived);
  const shownFrom = kept.findLast(({ recorded }) => !isFact(recorded))?.recorded.revision ?? from;
  const [one, other] = await Promise.all([openReplay(log, stream, options), openReplay(forked.log, stream, options)]);
  const original = await some(one.frames({ from: shownFrom }));
  const fork = await some(other.frames({ from: forked.revisionOf(shownFrom) }));
  const origins = fork.map(({ revision }) => forked.originOf(revision));
  const stillWaiting = new Set([...(whole.tree.effects?.keys() ?? [])].map(placeOf));
  return {
    ...{ stream, original, fork, ...sideBySide(original, fork, origins) },
    unanswered:
      tree.status === 'active' ? reliving.waiting.filter(({ actor }) => !stillWaiting.has(placeOf(actor))) : [],
    leftOut: reliving.leftOut,
  };
}

/** Sources of the effects of a history, by address. */
function sourcesIn(past: readonly PastEvent[]): Map<string, string> {
  const sources = new Map<string, string>();
  for (const { readable } of past) {
    if (isFact(readable)) continue;
    const { intents = [], standing } = readable.data as unknown as StimulusData;
    const { effects = [] } = (standing ?? {}) as Partial<Standing>;
    for (const { actor, src } of [...intents, ...effects]) sources.set(actor, src);
  }
  return sources;
}

/** The fork as a log of its own, in memory. */
async function forkedLog(stream: string, kept: readonly PastEvent[], relived: readonly Relived[]) {
  let now = 0;
  const log = memoryLog({
    clock: { now: () => now, setTimer: () => () => {} },
    maxEventBytes: Number.MAX_SAFE_INTEGER,
  });
  const origins = new Map<Revision, Revision | undefined>();
  let next = 0;
  const append = async (events: readonly NewEvent[], at: TimeMs) => {
    now = at;
    const placed = events.map((event, index) => sealEvent(event, { stream, revision: next + index }));
    await log.append(stream, next === 0 ? 'no-stream' : next - 1, placed);
    next += events.length;
  };
  for (const { recorded } of kept) {
    origins.set(next, recorded.revision);
    await append([recorded], recorded.recordedAt);
  }
  for (const { events, at, origin } of relived) {
    origins.set(next, origin);
    await append(events, at);
  }
  const byOrigin = new Map([...origins].map(([revision, origin]) => [origin, revision]));
  return {
    log,
    originOf: (revision: Revision) => origins.get(revision),
    revisionOf: (origin: Revision) => byOrigin.get(origin) ?? 0,
  };
}

async function some(frames: AsyncIterable<Frame>): Promise<Frame[]> {
  const found: Frame[] = [];
  for await (const frame of frames) {
    found.push(frame);
    if (found.length === framesMax) break;
  }
  return found;
}

/** What is given may come from JSON. @throws InvalidArgumentError */
function requireStubs(where: string, stubs: unknown): void {
  if (typeof stubs !== 'object' || stubs === null || Array.isArray(stubs)) {
    throw InvalidArgumentError.of(`${where}: stubs`, "answers by the effect's src", stubs);
  }
  for (const [src, stub] of Object.entries(stubs) as [string, unknown][]) {
    if (typeof stub === 'object' && stub !== null && 'output' in stub !== 'error' in stub) continue;
    throw InvalidArgumentError.of(`${where}: stubs['${src}']`, 'either { output } or { error }', stub);
  }
}
