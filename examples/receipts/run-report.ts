/**
 * What happened in a run, as a pure fold over the log. Owns the counting; printing is in run-table.ts and story.ts, and what
 * the service says about the same run is compared in main.ts.
 *
 * N1  Every number comes from events: nothing is remembered by a process that may have been killed.
 */
import type { RecordedEvent } from 'rewake';
import type { BreakerFact, ItemFailed, StepFact } from 'rewake/machines';
import type { ReceiptFact } from './receipt-facts.ts';

/** A receipt that is not in the ledger. */
export interface FailedReceipt {
  readonly receipt: string;
  readonly batch: string;
  readonly code: string;
  readonly detail: string;
}

/** Something that was told, and when: in ms since the Unix epoch. */
export interface Told {
  readonly at: number;
  readonly fact: { readonly type: string; readonly [field: string]: unknown };
}

/** How often something was seen, by name. */
export type Tally = Map<string, number>;

export interface RunReport {
  receipts: number;
  posted: number;
  /** Those that cannot be booked. */
  readonly rejected: FailedReceipt[];
  /** Those that could be booked, if the service had only been there. */
  readonly givenUp: FailedReceipt[];
  /** Calls to the service that steps decided to make. */
  attempts: number;
  retries: number;
  /** Failed attempts by class of error. */
  readonly failures: Tally;
  /** Receipts that were read, by reader. */
  readonly readBy: Tally;
  /** Receipts that were read once they were mended. */
  healed: number;
  /** Mends of these receipts. */
  readonly mends: Tally;
  /** Openings of breakers by key. */
  readonly openings: Tally;
  /** Effects that ran when the worker was killed, by what was decided about them. */
  readonly lost: Tally;
  events: number;
  /** Names of the receipts of a batch, by its stream. */
  readonly batches: Map<string, readonly string[]>;
  /** What was told of each receipt, in order. */
  readonly stories: Map<string, Told[]>;
}

/** A report of nothing. */
export function emptyReport(): RunReport {
  return {
    receipts: 0,
    posted: 0,
    rejected: [],
    givenUp: [],
    attempts: 0,
    retries: 0,
    failures: new Map(),
    readBy: new Map(),
    healed: 0,
    mends: new Map(),
    openings: new Map(),
    lost: new Map(),
    events: 0,
    batches: new Map(),
    stories: new Map(),
  };
}

type Counted =
  | { readonly type: 'ActorStarted'; readonly machine: string; readonly input: readonly string[] }
  | { readonly type: 'ActorResumed'; readonly effects: readonly { readonly decision: string }[] }
  | ReceiptFact
  | StepFact
  | ItemFailed
  | Extract<BreakerFact, { type: 'CircuitOpened' }>;

/** Takes one more event into account. */
export function count(
  report: RunReport,
  event: Pick<RecordedEvent, 'type' | 'stream' | 'data' | 'meta' | 'recordedAt'>,
): void {
  report.events++;
  const { stream } = event;
  const data = { ...(JSON.parse(event.data) as object), type: event.type } as Counted;
  const receipt = receiptOf(report, stream, event.meta.actor, data);
  if (receipt !== undefined) {
    const story = report.stories.get(receipt) ?? [];
    report.stories.set(receipt, story);
    story.push({ at: event.recordedAt, fact: { ...data } });
  }
  switch (data.type) {
    case 'ActorStarted':
      if (data.machine !== 'batch') return;
      report.batches.set(
        stream,
        data.input.map((file) => file.replace(/\.txt$/, '')),
      );
      report.receipts += data.input.length;
      return;
    case 'ActorResumed':
      for (const { decision } of data.effects) add(report.lost, decision);
      return;
    case 'AttemptFailed':
      report.attempts++;
      add(report.failures, data.error.class);
      return;
    case 'RetryScheduled':
      report.retries++;
      return;
    case 'ReceiptRead':
      add(report.readBy, data.reader);
      // The two models are called, the parser is not.
      if (data.reader !== 'local') report.attempts++;
      if (data.mends.length > 0) report.healed++;
      for (const mend of data.mends) add(report.mends, mend);
      return;
    case 'ReceiptPosted':
      report.posted++;
      report.attempts++;
      return;
    case 'ItemFailed': {
      const { class: errorClass, code = errorClass, message: detail } = data.error;
      const failed = { receipt: receipt!, batch: stream, code, detail };
      (data.error.name === 'ReceiptProblemError' ? report.rejected : report.givenUp).push(failed);
      return;
    }
    case 'CircuitOpened':
      add(report.openings, data.key);
      return;
    default:
      return;
  }
}

/** Which receipt a fact is about: it was told inside the receipt's actor, or by the batch about it. */
function receiptOf({ batches }: RunReport, stream: string, actor: string | undefined, fact: Counted) {
  const index = fact.type === 'ItemFailed' ? fact.index : /^\/item\.(\d+):/.exec(actor ?? '')?.[1];
  return index === undefined ? undefined : batches.get(stream)?.[Number(index)];
}

function add(tally: Tally, name: string): void {
  tally.set(name, (tally.get(name) ?? 0) + 1);
}
