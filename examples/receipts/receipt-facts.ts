/**
 * What is said about a receipt: what the machine is given, what it announces and how it ends. Owns the types, and the one
 * error that says it is the receipt's own fault. Fact names are stored in logs: a published one never changes.
 */
import { registerErrorClass } from 'rewake';
import type { MendName } from './mend-receipt.ts';
import type { Receipt } from './parse-receipt.ts';

/** A receipt file as it is to be read. */
export interface Scan {
  /** Name of the file, without its directory. */
  readonly file: string;
  readonly mends: readonly MendName[];
}

/** Who reads receipts: a vision model, a cheaper and less accurate one, or the parser of this process. */
export type Reader = 'vision' | 'mini' | 'local';

/** A receipt, who read it, and what had to be mended first. */
export interface Reading {
  readonly reader: Reader;
  readonly mends: readonly MendName[];
  readonly receipt: Receipt;
}

/** Input of the call to the ledger. */
export interface Posting {
  readonly file: string;
  readonly receipt: Receipt;
}

export interface LedgerEntry {
  readonly entry: number;
  readonly eurCents: number;
}

/** What happened to a receipt, for whoever reads the log. */
export type ReceiptFact =
  | {
      readonly type: 'ReceiptRead';
      readonly reader: Reader;
      readonly mends: readonly MendName[];
      readonly merchant: string;
      readonly lines: number;
      readonly language: string;
    }
  | { readonly type: 'ReceiptPosted'; readonly entry: number; readonly eurCents: number };

/**
 * A receipt that cannot be booked, whoever is asked. Its status is what tells steps, breakers and fallbacks that nobody
 * need try again and that nothing is wrong with the service: 422 is of the class `permanent`.
 */
export class ReceiptProblemError extends Error {
  readonly code: string;
  readonly status = 422;

  constructor({ code, detail }: { readonly code: string; readonly detail: string }) {
    super(detail);
    this.code = code;
  }
}
registerErrorClass(ReceiptProblemError);
