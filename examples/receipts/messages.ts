/**
 * What the three processes of the example tell each other over Node's IPC channel. Owns the shapes only.
 */

/** Command line of the service process: one argument, this as JSON. */
export interface ServiceArguments {
  readonly seed: number;
}

/** The service listens. */
export interface ServiceReady {
  readonly type: 'listening';
  readonly url: string;
}

/** Command line of the worker process: one argument, this as JSON. */
export interface WorkerArguments {
  readonly log: string;
  readonly dataDirectory: string;
  readonly serviceUrl: string;
  /** How many receipts are on their way at the same time. */
  readonly concurrency: number;
  /** Files that an earlier worker has reported as settled. */
  readonly reported: readonly string[];
}

/** What the worker reports. A report may be lost with its worker; the next one makes it again. */
export type WorkerMessage =
  | {
      readonly type: 'settled';
      readonly file: string;
      readonly state: 'posted' | 'rejected' | 'failed';
      /** Calls to the service this receipt took. */
      readonly attempts: number;
    }
  | { readonly type: 'finished' };
