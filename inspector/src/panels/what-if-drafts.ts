/**
 * Edits of a past as they are typed, and the paths that come of them as rows. Owns both ways; the question and the answer are
 * the server's.
 *
 * WD1  A draft that is not yet an edit says what is missing; nothing is sent before all are edits.
 * WD2  Every frame of both paths is in the rows once.
 */
import type { Frame, PastEdit, WhatIf, WhatIfOptions } from '../../../src/inspect/api.ts';

/** An edit in the making. `text` is what stands in the field for JSON. */
export interface Draft {
  readonly edit: PastEdit['edit'];
  readonly revision: number;
  /** Of the stimulus at the revision. */
  readonly label: string;
  /** Of a replaced content, which part of the stimulus it is. */
  readonly part: ContentPart;
  readonly text: string;
  /** Of what is inserted, whom it is for. */
  readonly to: string;
  /** Of what is moved, behind what. */
  readonly after: string;
}

export type ContentPart = 'input' | 'event' | 'output' | 'error' | 'value';

/** What a stimulus of a type brings from outside; undefined for what brings nothing. */
export function partOf(type: string): ContentPart | undefined {
  const parts: { readonly [type: string]: ContentPart } = {
    ActorStarted: 'input',
    EventReceived: 'event',
    EffectSucceeded: 'output',
    EffectFailed: 'error',
    EffectProgressed: 'value',
  };
  return parts[type];
}

export type Judged<T> = { readonly value: T } | { readonly complaint: string };

/** A text as JSON. */
function jsonOf(text: string): Judged<unknown> {
  if (text.trim() === '') return { complaint: 'Write JSON, for example {"type":"PAY"}.' };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { complaint: `Not JSON: ${(error as Error).message}` };
  }
}

function eventOf(text: string): Judged<{ readonly type: string }> {
  const judged = jsonOf(text);
  if ('complaint' in judged) return judged;
  const { value } = judged;
  const isEvent =
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    value.type !== '';
  return isEvent
    ? { value: value as { readonly type: string } }
    : { complaint: 'An event is an object with a type: {"type":"PAY"}.' };
}

export function editOf(draft: Draft): Judged<PastEdit> {
  const { edit, revision, part, text, to, after } = draft;
  switch (edit) {
    case 'drop':
      return { value: { edit, revision } };
    case 'move': {
      const behind = Number(after);
      if (after.trim() === '' || !Number.isInteger(behind) || behind < 0 || behind === revision) {
        return { complaint: 'Give the revision that it is to stand behind.' };
      }
      return { value: { edit, revision, after: behind } };
    }
    case 'insert': {
      const judged = eventOf(text);
      if ('complaint' in judged) return judged;
      return { value: { edit, after: revision, event: judged.value, ...(to !== '' && to !== '/' && { to }) } };
    }
    case 'replace': {
      const judged = part === 'event' ? eventOf(text) : jsonOf(text);
      if ('complaint' in judged) return judged;
      return { value: { edit, revision, with: { [part]: judged.value } as never } };
    }
  }
}

/** What an effect answers, as it is typed. */
export interface StubDraft {
  readonly outcome: 'output' | 'error';
  readonly text: string;
}

/** What is sent, or what is missing. */
export function optionsOf(
  drafts: readonly Draft[],
  stubs: { readonly [src: string]: StubDraft },
): Judged<WhatIfOptions> {
  const edits: PastEdit[] = [];
  for (const draft of drafts) {
    const judged = editOf(draft);
    if ('complaint' in judged) return judged;
    edits.push(judged.value);
  }
  const answers: Record<string, { readonly output: unknown } | { readonly error: unknown }> = {};
  for (const [src, { outcome, text }] of Object.entries(stubs)) {
    if (text.trim() === '') continue;
    const judged = jsonOf(text);
    if ('complaint' in judged) return { complaint: `The answer of ${src}: ${judged.complaint}` };
    answers[src] = outcome === 'output' ? { output: judged.value } : { error: judged.value };
  }
  return { value: Object.keys(answers).length === 0 ? { edits } : { edits, stubs: answers } };
}

/** An edit in words. */
export function draftWords({ edit, revision, part, label }: Draft): string {
  switch (edit) {
    case 'drop':
      return `Drop ${label} (${revision})`;
    case 'replace':
      return `Another ${part} for ${label} (${revision})`;
    case 'insert':
      return `An event after ${label} (${revision})`;
    case 'move':
      return `Move ${label} (${revision})`;
  }
}

/** Two frames beside each other. */
export interface PairRow {
  readonly original: Frame | undefined;
  readonly fork: Frame | undefined;
  readonly relation: 'same' | 'differs' | 'onlyOriginal' | 'onlyFork';
  readonly isFirstDivergence: boolean;
}

/** Up to the first divergence the server has compared them; behind it they are compared here. */
export function pairRows({ original, fork, pairs, firstDivergence }: WhatIf): readonly PairRow[] {
  return pairs.map(([left, right], index): PairRow => {
    const [was, is] = [original[left], fork[right]];
    const isBefore = firstDivergence < 0 || index < firstDivergence;
    const relation = !is ? 'onlyOriginal' : !was ? 'onlyFork' : isBefore || isSame(was, is) ? 'same' : 'differs';
    return { original: was, fork: is, relation, isFirstDivergence: index === firstDivergence };
  });
}

/** Whether two frames say the same, wherever they stand. */
function isSame(a: Frame, b: Frame): boolean {
  const said = ({ type, label, to, payload, transitions, actors }: Frame) =>
    JSON.stringify([
      ...[type, label, to, payload, transitions],
      actors.map(({ address, value, status, context }) => [address, value, status, context]),
    ]);
  return said(a) === said(b);
}

/** Rows that are the same, folded to their number where there are many, and what is worth seeing. */
export type FoldedRow = { readonly row: PairRow } | { readonly same: number; readonly from: number };

const sameKept = 2;

export function foldedRows(rows: readonly PairRow[], open: ReadonlySet<number>): readonly FoldedRow[] {
  const folded: FoldedRow[] = [];
  for (let at = 0; at < rows.length;) {
    let end = at;
    while (end < rows.length && rows[end]!.relation === 'same') end++;
    const hidden = end - at - (end < rows.length ? sameKept : 0) - (at > 0 ? sameKept : 0);
    if (hidden > 3 && !open.has(at)) {
      const from = at + (at > 0 ? sameKept : 0);
      folded.push(...rows.slice(at, from).map((row) => ({ row })));
      folded.push({ same: hidden, from: at });
      folded.push(...rows.slice(from + hidden, end).map((row) => ({ row })));
    } else folded.push(...rows.slice(at, end).map((row) => ({ row })));
    const next = rows[end];
    if (next) folded.push({ row: next });
    at = end + 1;
  }
  return folded;
}
