/**
 * Every error class of rewake. Owns the stable codes; knows nothing of any other file.
 *
 * E1  Each class has a literal `code` that never changes once published.
 * E2  A message says what failed, where, what was expected and found, and what to do next.
 * E3  `cause` is kept whenever one error stands for another.
 */

/** The base of every error that rewake throws on purpose. Branch on `instanceof` or on `code`. */
export abstract class RewakeError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A bug in rewake itself: an invariant did not hold. Please report it. */
export class InvariantError extends RewakeError {
  readonly code = 'REWAKE_INVARIANT';
}

/** Throws {@link InvariantError} unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(`rewake invariant broken: ${message}. This is a bug in rewake.`);
}

/** An argument or option has a wrong shape. */
export class InvalidArgumentError extends RewakeError {
  readonly code = 'REWAKE_INVALID_ARGUMENT';
}

// ── the log ──────────────────────────────────────────────────────────────────────────────────────

/** The stream is not at the revision the writer expected; nothing was written. */
export class ConflictError extends RewakeError {
  readonly code = 'REWAKE_CONFLICT';
  readonly stream: string;
  readonly expected: string;
  /** The stream's last revision, or undefined when the stream does not exist. */
  readonly actual: number | undefined;

  constructor(stream: string, expected: string, actual: number | undefined) {
    super(
      `Append to stream '${stream}' refused: expected ${expected}, found ${actual === undefined ? 'no stream' : `revision ${actual}`}. ` +
        'Nothing was written. Another writer owns this stream or wrote first: read it again and decide anew.',
    );
    this.stream = stream;
    this.expected = expected;
    this.actual = actual;
  }
}

/** Some, but not all, of the event ids of an append are already in the stream at that place. */
export class IdReuseError extends RewakeError {
  readonly code = 'REWAKE_ID_REUSE';
  readonly stream: string;
  readonly eventId: string;
  readonly revision: number;

  constructor(stream: string, eventId: string, revision: number) {
    super(
      `Append to stream '${stream}' refused: event id ${eventId} is already at revision ${revision}, but the rest of the append differs. ` +
        'Nothing was written. Retry an append only with exactly the same events; give new events new ids.',
    );
    this.stream = stream;
    this.eventId = eventId;
    this.revision = revision;
  }
}

/** A stream or actor that is not there. */
export class NotFoundError extends RewakeError {
  readonly code = 'REWAKE_NOT_FOUND';
  readonly stream: string;

  constructor(stream: string, hint = 'Check the name: a stream is called <machine>-<id>.') {
    super(`Nothing found under stream '${stream}'. ${hint}`);
    this.stream = stream;
  }
}

/** The stream was deleted; its name is not used again. */
export class StreamDeletedError extends RewakeError {
  readonly code = 'REWAKE_STREAM_DELETED';
  readonly stream: string;

  constructor(stream: string) {
    super(`Stream '${stream}' was deleted and cannot be written or read again. Start under another id.`);
    this.stream = stream;
  }
}

/** An event is larger than the log accepts; nothing was written. */
export class EventTooLargeError extends RewakeError {
  readonly code = 'REWAKE_EVENT_TOO_LARGE';
  readonly stream: string;
  readonly eventType: string;
  readonly bytes: number;
  readonly bytesMax: number;

  constructor(stream: string, eventType: string, bytes: number, bytesMax: number) {
    super(
      `Event '${eventType}' for stream '${stream}' is ${bytes} bytes; this log takes at most ${bytesMax}. ` +
        'Nothing was written. Store the payload elsewhere and log a reference to it.',
    );
    this.stream = stream;
    this.eventType = eventType;
    this.bytes = bytes;
    this.bytesMax = bytesMax;
  }
}

/** The log cannot be reached or used now; the append was certainly not written. */
export class LogUnavailableError extends RewakeError {
  readonly code = 'REWAKE_LOG_UNAVAILABLE';
  /** Whether the same call may succeed later without anyone changing anything. */
  readonly retryable: boolean;

  constructor(message: string, retryable: boolean, options?: { cause?: unknown }) {
    super(message, options);
    this.retryable = retryable;
  }
}

/** The log did not say whether the append was written. Retry with the same ids and the same expected revision. */
export class OutcomeUnknownError extends RewakeError {
  readonly code = 'REWAKE_OUTCOME_UNKNOWN';
  readonly stream: string;

  constructor(stream: string, options?: { cause?: unknown }) {
    super(
      `The outcome of an append to stream '${stream}' is unknown. Retry it with the same event ids and the same expected revision: the log answers with the first result.`,
      options,
    );
    this.stream = stream;
  }
}

/** The file or database is not one this version of rewake can use. */
export class LogIncompatibleError extends RewakeError {
  readonly code = 'REWAKE_LOG_INCOMPATIBLE';
}

/** A stored record does not match its checksum or cannot be read. */
export class DamagedRecordError extends RewakeError {
  readonly code = 'REWAKE_DAMAGED_RECORD';
  readonly stream: string;
  readonly revision: number;

  constructor(stream: string, revision: number, detail: string, options?: { cause?: unknown }) {
    super(
      `Stream '${stream}' is damaged at revision ${revision}: ${detail}. ` +
        'Nothing is appended to this stream until it is repaired; restore the record from a backup or fork the stream below this revision.',
      options,
    );
    this.stream = stream;
    this.revision = revision;
  }
}

/** A lease was lost: another owner took it over, or it ran out. */
export class LeaseLostError extends RewakeError {
  readonly code = 'REWAKE_LEASE_LOST';
  readonly lease: string;
  readonly epoch: number;

  constructor(lease: string, epoch: number, detail = 'another owner has taken it over or it ran out') {
    super(`Lease '${lease}' with epoch ${epoch} is lost: ${detail}. Stop writing under it and acquire it again.`);
    this.lease = lease;
    this.epoch = epoch;
  }
}

/** The log was closed. */
export class LogClosedError extends RewakeError {
  readonly code = 'REWAKE_LOG_CLOSED';
  readonly log: string;

  constructor(log: string) {
    super(`${log} is closed. Open it again before using it.`);
    this.log = log;
  }
}

// ── values ───────────────────────────────────────────────────────────────────────────────────────

/** A value that the codec cannot carry, found before anything was written. */
export class NotSerializableError extends RewakeError {
  readonly code = 'REWAKE_NOT_SERIALIZABLE';
  /** What was being encoded, for example `event 'PAY'` or `output of /charge:2`. */
  readonly what: string;
  /** Path of the offending value, for example `.order.lines[3].callback`. */
  readonly path: string;

  constructor(what: string, path: string, found: string, options?: { cause?: unknown }) {
    super(
      `Cannot log ${what}: ${path === '' ? 'the value' : `the value at ${path}`} is ${found}. ` +
        'Nothing was written. Pass plain data (JSON types, undefined, BigInt, Date, Map, Set, Uint8Array, Error, cycles).',
      options,
    );
    this.what = what;
    this.path = path;
  }
}

/** A stored event has a schema version for which no upcaster chain leads to the current one. */
export class UpcastError extends RewakeError {
  readonly code = 'REWAKE_UPCAST';
}
