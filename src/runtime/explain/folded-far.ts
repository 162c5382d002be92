/**
 * The fold of a stream for an explanation: all of it, or as much as the machines at hand agree with. Owns where it is cut;
 * the fold itself is fold-history.ts.
 *
 * XF1  It is cut between appends only, before the one that stops it.
 * XF2  What is wrong with the log as a whole, and not with this stream, is thrown.
 */
import { LogClosedError, LogUnavailableError, ReplayDivergedError, StreamDeletedError } from '../../errors.ts';
import type { ActorTree } from '../../kernel/actor-tree.ts';
import type { RecordedEvent, Revision } from '../../log/event-log.ts';
import type { History } from './history.ts';
import { short } from './words.ts';
import type { Blockage } from './explained.ts';
import { foldUpTo, type FoldServices } from '../fold-history.ts';

/** How far a fold came. */
export interface FoldedFar {
  /** Undefined where nothing can be folded. */
  readonly tree?: ActorTree;
  /** Revision it is folded to. */
  readonly to?: Revision;
  /** What stopped it; undefined when nothing did. */
  readonly error?: unknown;
}

/** Folds a stream up to where its history was read. @throws LogUnavailableError | LogClosedError | StreamDeletedError */
export async function foldAsFarAsPossible(history: History, { log, ...services }: FoldServices): Promise<FoldedFar> {
  const { stream, stimuli } = history;
  const stopped: { error?: unknown } = {};
  for (let to = history.revision; to >= (stimuli[0] ?? 0);) {
    try {
      const { tree } = await foldUpTo(stream, to, { ...services, log: readingUpTo(to, log) });
      return { tree, to, ...stopped };
    } catch (error) {
      if (isOfLog(error)) throw error;
      stopped.error ??= error;
      const stoppedAt = Math.min(revisionOf(error) ?? -1, to);
      // XF1. The append that stopped it began with a stimulus; the one before that may lack its facts.
      to = (stimuli.findLast((revision) => revision <= stoppedAt) ?? 0) - 1;
    }
  }
  return stopped;
}

/** What blocks an actor: its damage or its fold, whichever comes first; or what its runtime says although both are fine. */
export function blockageOf({ damage }: History, { to, error }: FoldedFar, reason: unknown): Blockage | null {
  const found = [damage, error].filter((one) => one !== undefined);
  const first = found.toSorted((one, other) => (revisionOf(one) ?? -1) - (revisionOf(other) ?? -1)).at(0);
  const blocking = first ?? reason;
  if (blocking === undefined) return null;
  const { name, message, code } = blocking instanceof Error ? describe(blocking) : describe(new Error(short(blocking)));
  return {
    revision: revisionOf(blocking) ?? null,
    name,
    code,
    message,
    foldsTo: to ?? null,
    isFoldable: first === undefined,
  };
}

function describe(error: Error & { code?: unknown }) {
  const message = error instanceof ReplayDivergedError ? divergence(error) : error.message;
  return { name: error.name, message, code: typeof error.code === 'string' ? error.code : null };
}

/** The advice at the end of the message is the explanation's. */
function divergence({ actor, expected, got, likelyCause }: ReplayDivergedError): string {
  return `in actor ${actor} the log says ${JSON.stringify(expected)}, this code does ${JSON.stringify(got)}. Likely cause: ${likelyCause}.`;
}

function isOfLog(error: unknown): boolean {
  return [LogUnavailableError, LogClosedError, StreamDeletedError].some((type) => error instanceof type);
}

/** Where in its stream an error says that something is wrong. */
export function revisionOf(error: unknown): Revision | undefined {
  const revision = typeof error === 'object' && error !== null && 'revision' in error ? error.revision : undefined;
  return typeof revision === 'number' ? revision : undefined;
}

/** A log of which nothing behind a revision is read: damage there is not met. */
function readingUpTo(to: Revision, log: FoldServices['log']): FoldServices['log'] {
  return {
    readStream: (stream, options) => {
      const events = log.readStream(stream, options);
      // Backwards it is asked for from there on.
      return options?.backwards ? events : upTo(to, events);
    },
  };
}

async function* upTo(to: Revision, events: AsyncIterable<RecordedEvent>): AsyncGenerator<RecordedEvent, void, void> {
  for await (const event of events) {
    if (event.revision > to) return;
    yield event;
    if (event.revision === to) return;
  }
}
