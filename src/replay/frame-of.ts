/**
 * Puts a frame together: what an entry says of itself, and how the tree stands before and after it. Owns which field comes from
 * where.
 */
import { contextsOf } from '../kernel/contexts.ts';
import { diff } from '../kernel/json-patch.ts';
import type { IntentRecord, TimerRecord, TransitionRecord } from '../kernel/stimulus.ts';
import type { Json } from '../log/json.ts';
import { isFact } from '../log/runtime-events.ts';
import { byAddress } from './addresses.ts';
import type { Entry, EventData } from './entries.ts';
import type { ContextChange, Frame, FrameActor, FrameEffect, FrameFact, FrameSource } from './frame.ts';
import { addresseeOf, labelOfData } from './label.ts';
import type { Applied } from './log-fold.ts';
import type { Begun } from './log-state.ts';
import { contentFields, listOf, plainOf } from './logged-values.ts';

/** How a tree stands. */
export interface Stand {
  readonly source: FrameSource;
  readonly actors: readonly FrameActor[];
  readonly effects: readonly FrameEffect[];
  readonly timers: readonly TimerRecord[];
}

/** What a frame is made of besides its entry. */
export interface FrameParts {
  readonly stream: string;
  readonly applied: Applied;
  readonly after: Stand;
  readonly changes: readonly ContextChange[];
  readonly begun: ReadonlyMap<string, Begun>;
  readonly divergence: string | null;
  readonly drift: readonly string[];
}

export function frameOf({ stimulus, facts, revision, lastRevision }: Entry, parts: FrameParts): Frame {
  const { stream, applied, after, changes, begun, divergence, drift } = parts;
  const { recorded, type, data } = stimulus;
  const { at } = applied.state;
  // Without spreads: there are as many as a stream has events, and an object of so many fields is slow to be made of others.
  const frame: Frame = {
    stream,
    revision,
    lastRevision,
    source: after.source,
    id: recorded.id,
    type,
    label: isFact(recorded) ? type : labelOfData(type, data, (address) => begun.get(address)?.src),
    at,
    recordedAt: recorded.recordedAt,
    correlationId: recorded.meta.$correlationId ?? '',
    causationId: recorded.meta.$causationId ?? recorded.id,
    to: recorded.meta.actor ?? addresseeOf(data),
    payload: payloadOf(type, data),
    transitions: listOf<TransitionRecord>(data.transitions),
    facts: facts.map(({ recorded: fact, type: name, data: told }): FrameFact => {
      return { revision: fact.revision, actor: fact.meta.actor!, type: name, data: plainOf(told as Json) };
    }),
    started: listOf<IntentRecord>(data.intents).map(({ actor, src }) => {
      return { actor, src, since: revision, startedAt: at, restarts: 0 };
    }),
    settled: applied.settled,
    armed: listOf<TimerRecord>(data.armed),
    cancelled: listOf<number>(data.cancelled),
    fired: applied.fired,
    changes,
    actors: after.actors.toSorted(byAddress),
    effects: after.effects,
    timers: after.timers.toSorted((one, other) => one.dueAt - other.dueAt || one.timer - other.timer),
    divergence,
  };
  return drift.length > 0 ? { ...frame, drift } : frame;
}

function payloadOf(type: string, data: EventData): Json {
  const value = data[contentFields[type] ?? ''];
  return value === undefined ? null : plainOf(value);
}

/** What an entry says that it changed in contexts. */
export function recordedChanges({ stimulus }: Entry): ContextChange[] {
  return contextsOf(stimulus.data).flatMap((record) => ('patch' in record ? [record] : []));
}

/** What is another context in one tree than in the tree before it. */
export function changesBetween(before: readonly FrameActor[], after: readonly FrameActor[]): ContextChange[] {
  const was = new Map(before.map(({ address, context }) => [address, context]));
  return after.flatMap(({ address: actor, context }) => {
    if (context === undefined) return [];
    const patch = diff(was.get(actor), context);
    return patch.length > 0 ? [{ actor, patch }] : [];
  });
}
