/**
 * What is said about a receipt: what the machine is given, what it knows, what it announces and how it ends. Owns the
 * types only. Fact names are stored in logs: a published one never changes.
 */
import type { CallFailure } from './call-error.ts';
import type { Receipt } from './parse-receipt.ts';

export interface ReceiptInput {
  /** Name of the file, without its directory. */
  readonly file: string;
}

/** What the service knows about a receipt: what it is for and what it is worth in euro cents. */
export interface Enrichment {
  readonly category: string;
  readonly eurCents: number;
}

export interface LedgerEntry {
  readonly entry: number;
}

export interface Rejection {
  readonly code: string;
  readonly detail: string;
}

export interface ReceiptContext {
  readonly file: string;
  readonly text: string;
  readonly receipt: Receipt | undefined;
  readonly rejection: Rejection | undefined;
  readonly enrichment: Enrichment | undefined;
  readonly entry: number | undefined;
  /** Attempts of the call that is being made now, the running one included. */
  readonly attempt: number;
  /** Attempts of all calls together. */
  readonly attempts: number;
  readonly lastFailure: CallFailure | undefined;
  /** How long to wait before the next attempt. */
  readonly delayMs: number;
}

export type ReceiptEvent = { readonly type: 'receipt.retry' };

/** The calls that may fail and are tried again. */
export type Step = 'enrich' | 'post';

/** What happened to a receipt, for whoever reads the log. */
export type ReceiptFact =
  | { readonly type: 'ReceiptParsed'; readonly merchant: string; readonly lines: number; readonly language: string }
  | {
      readonly type: 'AttemptFailed';
      readonly step: Step;
      readonly attempt: number;
      readonly reason: string;
      readonly delayMs: number;
    }
  | { readonly type: 'ReceiptPosted'; readonly entry: number; readonly attempts: number; readonly eurCents: number }
  | { readonly type: 'ReceiptRejected'; readonly code: string; readonly detail: string; readonly attempts: number }
  | { readonly type: 'ReceiptParked'; readonly attempts: number; readonly reason: string };

/** How a receipt ended. */
export type ReceiptOutput =
  | { readonly outcome: 'posted'; readonly entry: number; readonly attempts: number }
  | { readonly outcome: 'rejected'; readonly rejection: Rejection; readonly attempts: number };

/** Input of the two calls to the service. */
export interface CallInput {
  readonly receipt: Receipt;
  /** The receipt's own key; see T2. */
  readonly ledgerKey: string;
  readonly attempt: number;
}

export interface PostInput extends CallInput {
  readonly enrichment: Enrichment;
}
