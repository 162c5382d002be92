/**
 * What happened in a run, as a pure fold over the log. Owns the counting; printing is in terminal.ts, and what the
 * service says about the same run is compared in main.ts.
 *
 * N1  Every number comes from events: nothing is remembered by a process that may have been killed.
 */
import type { RecordedEvent } from 'rewake';
import type { ReceiptFact } from './receipt-facts.ts';

export interface RejectedReceipt {
  readonly receipt: string;
  readonly code: string;
  readonly detail: string;
}

export interface RunReport {
  started: number;
  posted: number;
  parked: number;
  readonly rejected: RejectedReceipt[];
  /** Calls to the service that machines decided to make; a re-run of one after a crash is the same attempt. */
  attempts: number;
  /** Failed attempts by reason. */
  readonly failures: Map<string, number>;
  /** Effects that were running when the worker was killed and were run again. */
  effectsRerun: number;
  events: number;
}

/** A report of nothing. */
export function emptyReport(): RunReport {
  return {
    started: 0,
    posted: 0,
    parked: 0,
    rejected: [],
    attempts: 0,
    failures: new Map(),
    effectsRerun: 0,
    events: 0,
  };
}

interface Resumed {
  readonly type: 'ActorResumed';
  readonly effects: readonly { readonly decision: string }[];
}

/** Takes one more event into account. */
export function count(report: RunReport, event: Pick<RecordedEvent, 'type' | 'stream' | 'data'>): void {
  report.events++;
  const data = { ...(JSON.parse(event.data) as object), type: event.type } as
    ReceiptFact | Resumed | { readonly type: 'ActorStarted' };
  switch (data.type) {
    case 'ActorStarted':
      report.started++;
      return;
    case 'ActorResumed':
      report.effectsRerun += data.effects.filter(({ decision }) => decision === 'rerun').length;
      return;
    case 'AttemptFailed':
      report.failures.set(data.reason, (report.failures.get(data.reason) ?? 0) + 1);
      return;
    case 'ReceiptPosted':
      report.posted++;
      report.attempts += data.attempts;
      return;
    case 'ReceiptRejected':
      report.rejected.push({ receipt: event.stream.replace(/^receipt-/, ''), code: data.code, detail: data.detail });
      report.attempts += data.attempts;
      return;
    case 'ReceiptParked':
      report.parked++;
      report.attempts += data.attempts;
      return;
    default:
      return;
  }
}
