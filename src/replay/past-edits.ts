/**
 * The past as it is to be lived through: the stimuli of the original with edits made, in memory or for a fork on the log. Owns what
 * an edit may ask for, and the order of what comes of them.
 *
 * ED1  A stimulus is edited once, and what is refused says which edit and why. No edit is passed over in silence.
 * ED2  What is inserted or moved takes the time of the stimulus that it stands behind.
 */
import type { AnyEventObject } from 'xstate';
import { InvalidArgumentError } from '../errors.ts';
import type { ReadableEvent } from '../kernel/fold.ts';
import type { StimulusData } from '../kernel/records.ts';
import type { EventLog, RecordedEvent, Revision } from '../log/event-log.ts';
import { isFact, isRebase } from '../log/runtime-events.ts';
import { pastStimulus, type ForkOptions, type PastStimulus } from '../runtime/fork.ts';
import { contentFields } from './logged-values.ts';
import type { EditedContent, PastEdit } from './past-edit.ts';

/** An event of the original, read for a fold. */
export interface PastEvent {
  readonly recorded: RecordedEvent;
  readonly readable: ReadableEvent;
}

/** A stimulus to be lived through. */
export type PlannedStimulus =
  | {
      readonly origin: Revision;
      readonly event: RecordedEvent;
      readonly data: StimulusData;
      readonly then: PastStimulus;
      readonly now: PastStimulus;
      readonly at: number;
    }
  | { readonly origin: undefined; readonly insert: AnyEventObject; readonly to: string; readonly at: number };

/** What is done with the past. */
export interface Plan {
  /** Revision of the first stimulus that is not as it was; Infinity where nothing is changed. */
  readonly changedFrom: Revision;
  readonly stimuli: readonly PlannedStimulus[];
}

/**
 * @param past the events from the newest rebase on, or from the start
 * @throws InvalidArgumentError for an edit that cannot be made
 */
export function planOf(where: string, past: readonly PastEvent[], edits: readonly PastEdit[]): Plan {
  const stimuli = past.filter(({ recorded }) => !isFact(recorded));
  requireEdits(where, past, edits);
  const planned = new Map<Revision, PlannedStimulus[]>();
  const moved: { readonly after: Revision; readonly stimulus: PlannedStimulus }[] = [];
  for (const { recorded, readable } of stimuli) {
    const { revision } = recorded;
    const data = readable.data as unknown as StimulusData;
    const then = pastStimulus(recorded, data);
    const edit = edits.find((each) => 'revision' in each && each.revision === revision);
    const stimulus = { origin: revision, event: recorded, data, then, now: pastStimulus(recorded, data), at: data.at };
    if (edit?.edit === 'drop') planned.set(revision, []);
    else if (edit?.edit === 'replace') planned.set(revision, [{ ...stimulus, now: replaced(where, then, edit.with) }]);
    else if (edit?.edit === 'move') {
      planned.set(revision, []);
      moved.push({ after: edit.after, stimulus });
    } else planned.set(revision, [stimulus]);
  }
  const timeAt = (revision: Revision) =>
    (stimuli.find((each) => each.recorded.revision === revision)!.readable.data as unknown as StimulusData).at;
  for (const { after, stimulus } of moved) planned.get(after)!.push({ ...stimulus, at: timeAt(after) });
  for (const edit of edits) {
    if (edit.edit !== 'insert') continue;
    const { after, event, to = '/' } = edit;
    planned.get(after)!.push({ origin: undefined, insert: event, to, at: timeAt(after) });
  }
  const lastRevision = past.at(-1)!.recorded.revision;
  const behind = (revision: Revision) =>
    stimuli.find(({ recorded }) => recorded.revision > revision)?.recorded.revision ?? lastRevision + 1;
  const touched = edits.map((edit) =>
    Math.min('revision' in edit ? edit.revision : Infinity, 'after' in edit ? behind(edit.after) : Infinity),
  );
  return { changedFrom: Math.min(Infinity, ...touched), stimuli: [...planned.values()].flat() };
}

/**
 * What a fork on the log asks of each stimulus.
 * @param at the last revision that is copied
 * @throws InvalidArgumentError for an edit that cannot be made, or that only a past in memory can have
 */
export async function forkEdit(
  log: Pick<EventLog, 'readStream'>,
  stream: string,
  at: Revision,
  edits: readonly PastEdit[],
): Promise<NonNullable<ForkOptions['edit']>> {
  const where = `fork('${stream}')`;
  const past: Pick<PastEvent, 'recorded'>[] = [];
  for await (const recorded of log.readStream(stream)) {
    if (recorded.revision > at) break;
    if (isRebase(recorded)) past.length = 0;
    past.push({ recorded });
  }
  requireEdits(where, past, edits);
  const contents = new Map<Revision, EditedContent | undefined>();
  for (const [index, edit] of edits.entries()) {
    if (edit.edit !== 'drop' && edit.edit !== 'replace') {
      throw new InvalidArgumentError(
        `${where}: edits[${index}]: an event can be put in or moved only in memory. Ask what if, as 'rewake fork --what-if' does, or leave out the edit '${edit.edit}'.`,
      );
    }
    contents.set(edit.revision, edit.edit === 'replace' ? edit.with : undefined);
  }
  return (stimulus) => {
    if (!contents.has(stimulus.revision)) return stimulus;
    const content = contents.get(stimulus.revision);
    return content && replaced(where, stimulus, content);
  };
}

function requireEdits(where: string, past: readonly Pick<PastEvent, 'recorded'>[], edits: readonly PastEdit[]): void {
  if (!Array.isArray(edits)) throw InvalidArgumentError.of(`${where}: edits`, 'a list of edits', edits);
  const seen = new Set<Revision>();
  const first = past.find(({ recorded }) => !isFact(recorded));
  for (const [index, edit] of edits.entries()) {
    const at = `${where}: edits[${index}]`;
    if (!['drop', 'replace', 'insert', 'move'].includes(edit?.edit)) {
      throw InvalidArgumentError.of(at, "an edit that is 'drop', 'replace', 'insert' or 'move'", JSON.stringify(edit));
    }
    if ('revision' in edit) {
      requireStimulus(`${at}.revision`, edit.revision, past);
      if (edit.revision === first!.recorded.revision && edit.edit !== 'replace') {
        throw new InvalidArgumentError(
          `${at}: revision ${edit.revision} is where the history begins, which can only be replaced. Change its input instead.`,
        );
      }
      if (seen.has(edit.revision))
        throw InvalidArgumentError.of(at, 'one edit for each stimulus', `two for revision ${edit.revision}`);
      seen.add(edit.revision);
    }
    if ('after' in edit) requireStimulus(`${at}.after`, edit.after, past);
    if (edit.edit === 'insert' && (typeof edit.event as unknown) === 'object' && typeof edit.event?.type === 'string')
      continue;
    if (edit.edit === 'insert')
      throw InvalidArgumentError.of(`${at}.event`, 'an event with a type', JSON.stringify(edit.event));
    if (edit.edit === 'move' && edit.after === edit.revision)
      throw InvalidArgumentError.of(`${at}.after`, 'another revision', edit.after);
  }
}

function requireStimulus(where: string, revision: Revision, past: readonly Pick<PastEvent, 'recorded'>[]): void {
  const event = past.find(({ recorded }) => recorded.revision === revision)?.recorded;
  if (event && !isFact(event)) return;
  if (event) {
    throw new InvalidArgumentError(
      `${where}: revision ${revision} is the fact '${event.type}', which follows from its stimulus. Edit that one.`,
    );
  }
  const from = past[0]?.recorded.revision ?? 0;
  const last = past.at(-1)?.recorded.revision ?? 0;
  const why = from > 0 ? '; what lies before was replaced by a state, and cannot be edited' : '';
  throw InvalidArgumentError.of(where, `the revision of a stimulus from ${from} to ${last}${why}`, revision);
}

/** Other content for a stimulus; what an effect answered may also become its failure, and the other way round. */
function replaced(where: string, then: PastStimulus, content: EditedContent): PastStimulus {
  const { revision, type } = then;
  const [key] = Object.keys(content ?? {});
  const isOutcome = type === 'EffectSucceeded' || type === 'EffectFailed';
  if (isOutcome && 'actor' in then && (key === 'output' || key === 'error')) {
    const { actor } = then;
    return key === 'output'
      ? { revision, type: 'EffectSucceeded', actor, output: (content as { output: unknown }).output }
      : { revision, type: 'EffectFailed', actor, error: (content as { error: unknown }).error };
  }
  const expected = contentFields[type];
  if (expected === undefined) {
    throw new InvalidArgumentError(
      `${where}: revision ${revision} is '${type}', which has no content to be replaced. Drop it, or move it.`,
    );
  }
  if (key !== expected) {
    const wanted = isOutcome ? "'output' or 'error'" : `'${expected}'`;
    throw InvalidArgumentError.of(`${where}: other content for revision ${revision} (${type})`, wanted, key);
  }
  return { ...then, ...content } as PastStimulus;
}
