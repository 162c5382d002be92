/**
 * What the three processes of the example are told and tell. Owns the shapes only.
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

/** Command line of the worker process: one argument, this as JSON. It reports nothing: what it does is in the log. */
export interface WorkerArguments {
  readonly log: string;
  readonly dataDirectory: string;
  readonly serviceUrl: string;
  /** How many batches are on their way at the same time. */
  readonly batches: number;
}
