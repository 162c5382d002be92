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
}

/** What the worker reports. A worker that follows a killed one reports settled receipts again. */
export type WorkerMessage =
  | { readonly type: 'settled'; readonly file: string; readonly state: 'posted' | 'rejected' | 'failed' }
  | { readonly type: 'attemptFailed' }
  | { readonly type: 'finished' };
