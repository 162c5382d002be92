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
    // Hidden, as the name of a built-in error is, so that an error looks alike before and after the log.
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
  }
}

/** A bug in rewake itself: an invariant did not hold. Please report it. */
export class InvariantError extends RewakeError {
  readonly code = 'REWAKE_INVARIANT';
}

/** An argument or option has a wrong shape. */
export class InvalidArgumentError extends RewakeError {
  readonly code = 'REWAKE_INVALID_ARGUMENT';

  /** @param where what was given wrongly, for example `retry.maxRetries` */
  static of(where: string, expected: string, found: unknown, cause?: unknown): InvalidArgumentError {
    const message = `${where}: expected ${expected}, found ${shown(found)}.`;
    return new InvalidArgumentError(message, cause === undefined ? {} : { cause });
  }
}

/** Any value in a few words. */
function shown(found: unknown): string {
  if (typeof found === 'string') return JSON.stringify(found.length > 200 ? `${found.slice(0, 200)}…` : found);
  if (found === null || ['undefined', 'number', 'boolean'].includes(typeof found)) return String(found);
  if (found instanceof URL) return found.href;
  if (typeof found === 'object') return Array.isArray(found) ? 'an array' : 'an object';
  return `a ${typeof found}`;
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

/** The log was opened to be read, and something tried to write to it. */
export class LogReadOnlyError extends RewakeError {
  readonly code = 'REWAKE_LOG_READ_ONLY';

  /** @param log name of the log */
  constructor(log: string, what: string) {
    super(
      `${log} was opened to be read: ${what} is not written. Nothing was changed. Open it without readOnly to write.`,
    );
  }
}

/** A stored record does not match its checksum or cannot be read. */
export class DamagedRecordError extends RewakeError {
  readonly code = 'REWAKE_DAMAGED_RECORD';
  readonly stream: string;
  readonly revision: number;
  /** What is wrong with it, in a few words. */
  readonly detail: string;
  /** Where a reader of the whole log goes on behind the damage; undefined where the log cannot say it. */
  readonly position: string | undefined;

  constructor(stream: string, revision: number, detail: string, options?: { cause?: unknown; position?: string }) {
    super(
      `Stream '${stream}' is damaged at revision ${revision}: ${detail}. ` +
        'Nothing is appended to this stream until it is repaired. verifyLog(log) lists all damage; restore the record from a backup, ' +
        'or move it aside with repairLog(log, { quarantine: true }), and resume.',
      options,
    );
    this.stream = stream;
    this.revision = revision;
    this.detail = detail;
    this.position = options?.position;
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

/** Stored JSON that the codec did not write or that was changed since. */
export class DecodeError extends RewakeError {
  readonly code = 'REWAKE_DECODE';
  readonly detail: string;
  /** Where in the data of its event the value is, for example `.input`; empty when it is all of it or not known. */
  readonly path: string;

  constructor(detail: string, options?: { cause?: unknown; path?: string }) {
    const { path = '' } = options ?? {};
    super(
      `Cannot read ${path === '' ? 'a logged value' : `the logged value at ${path}`}: ${detail}. It was not written by this codec or was changed afterwards: ` +
        'restore the record from a backup, or correct the upcaster that produced it.',
      options,
    );
    this.detail = detail;
    this.path = path;
  }
}

/** A stored event cannot be brought to the current schema version: no chain leads there, or an upcaster failed. */
export class UpcastError extends RewakeError {
  readonly code = 'REWAKE_UPCAST';
  readonly stream: string;
  readonly revision: number;
  readonly eventType: string;
  readonly schemaVersion: number;

  constructor(
    event: {
      readonly stream: string;
      readonly revision: number;
      readonly type: string;
      readonly schemaVersion: number;
    },
    detail: string,
    next: string,
    options?: { cause?: unknown },
  ) {
    super(
      `Cannot upcast event '${event.type}' version ${event.schemaVersion} at revision ${event.revision} of stream '${event.stream}': ` +
        `${detail}. The log is unchanged. ${next}`,
      options,
    );
    this.stream = event.stream;
    this.revision = event.revision;
    this.eventType = event.type;
    this.schemaVersion = event.schemaVersion;
  }
}

// ── the runtime ──────────────────────────────────────────────────────────────────────────────────

/** No machine is registered under this name. */
export class UnknownMachineError extends RewakeError {
  readonly code = 'REWAKE_UNKNOWN_MACHINE';
  readonly machine: string;

  /** @param next what to do */
  constructor(
    machine: string,
    known: readonly string[],
    stream?: string,
    next = 'Pass it to createRuntime({ machines }).',
  ) {
    super(
      `No machine '${machine}' is registered${stream === undefined ? '' : ` (needed by stream '${stream}')`}. ` +
        `Registered: ${known.length > 0 ? known.join(', ') : 'none'}. ${next}`,
    );
    this.machine = machine;
  }
}

/** An event that is not an object with a string `type`, or whose type is reserved. */
export class InvalidEventError extends RewakeError {
  readonly code = 'REWAKE_INVALID_EVENT';
  readonly stream: string;

  constructor(stream: string, found: string) {
    super(
      `Event for '${stream}' refused: expected an object with a string 'type', such as { type: 'APPROVE' }, found ${found}. Nothing was written.`,
    );
    this.stream = stream;
  }
}

/** An actor with this id exists already, with another machine or another input. */
export class ActorExistsError extends RewakeError {
  readonly code = 'REWAKE_ACTOR_EXISTS';
  readonly stream: string;

  constructor(
    stream: string,
    difference: string,
    next = 'Start with the same input to attach to it, or under another id.',
  ) {
    super(`Actor '${stream}' exists already with ${difference}. Nothing was written. ${next}`);
    this.stream = stream;
  }
}

/** The actor has ended; nothing reaches it any more. */
export class ActorFinishedError extends RewakeError {
  readonly code = 'REWAKE_ACTOR_FINISHED';
  readonly stream: string;
  readonly status: string;

  constructor(stream: string, status: string, what: string, options?: { cause?: unknown }) {
    super(
      `${what} of actor '${stream}' came to nothing: the actor has ended with status '${status}'. Nothing was written. ` +
        (status === 'error'
          ? `Mend the cause and go on with runtime.resume('${stream}'), `
          : 'Its history can be read; ') +
        `go back with runtime.rewind('${stream}', { to }), or start another actor under a new id.`,
      options,
    );
    this.stream = stream;
    this.status = status;
  }
}

/** The machine says nothing about how it goes on after its end. */
export class NotResumableError extends RewakeError {
  readonly code = 'REWAKE_NOT_RESUMABLE';
  readonly stream: string;
  readonly status: string;

  /** @param mend what else can be done, as a clause */
  constructor(stream: string, status: string, detail: string, mend?: string) {
    const back = `back to before that with runtime.rewind('${stream}', { to }), or on under another id with runtime.fork()`;
    super(
      `Actor '${stream}' has ended with status '${status}' and cannot be resumed: ${detail}. Nothing was written. ` +
        (mend === undefined ? `Go ${back}.` : `${mend}; or go ${back}.`),
    );
    this.stream = stream;
    this.status = status;
  }
}

/** The actor was stopped before it reached an output. */
export class ActorStoppedError extends RewakeError {
  readonly code = 'REWAKE_ACTOR_STOPPED';
  readonly stream: string;

  constructor(stream: string) {
    super(`Actor '${stream}' was stopped, so it has no output.`);
    this.stream = stream;
  }
}

/** More messages wait for this actor than its mailbox holds. */
export class MailboxFullError extends RewakeError {
  readonly code = 'REWAKE_MAILBOX_FULL';
  readonly stream: string;
  readonly limit: number;

  constructor(stream: string, limit: number) {
    super(
      `Mailbox of actor '${stream}' is full: ${limit} messages wait to become durable. This one was not written. ` +
        'Slow down and send it again, or raise mailboxSize.',
    );
    this.stream = stream;
    this.limit = limit;
  }
}

/** The actor cannot go on until someone repairs what `cause` says; every other actor runs on. */
export class ActorBlockedError extends RewakeError {
  readonly code = 'REWAKE_ACTOR_BLOCKED';
  readonly stream: string;

  constructor(stream: string, cause: unknown) {
    super(
      `Actor '${stream}' is blocked and nothing is appended to it: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
    this.stream = stream;
  }
}

/** The history needs something that the machine names and that nobody gave it. Nothing is appended while this holds. */
export class MissingImplementationError extends RewakeError {
  readonly code = 'REWAKE_MISSING_IMPLEMENTATION';
  readonly stream: string;
  readonly revision: number;
  readonly machine: string;
  /** What is missing, such as `actor 'charge'`. */
  readonly missing: readonly string[];

  constructor(
    at: { stream: string; revision: number; machine: string },
    missing: readonly string[],
    options?: { cause?: unknown },
  ) {
    super(
      `Stream '${at.stream}' cannot be folded beyond revision ${at.revision}: machine '${at.machine}' names what is not given to it: ` +
        `${missing.join(', ')}. Nothing was appended. Give it to setup() or provide(), register the machine that was made so, and resume.`,
      options,
    );
    this.stream = at.stream;
    this.revision = at.revision;
    this.machine = at.machine;
    this.missing = missing;
  }
}

/** An actor goes on from a recorded state that its machine does not have. Nothing is appended while this holds. */
export class UnknownStateError extends RewakeError {
  readonly code = 'REWAKE_UNKNOWN_STATE';
  readonly stream: string;
  readonly revision: number;
  readonly machine: string;
  /** What the machine does not have, in a few words. */
  readonly detail: string;

  constructor(
    at: { stream: string; revision: number; machine: string },
    detail: string,
    options?: { cause?: unknown },
  ) {
    super(
      `Stream '${at.stream}' cannot be folded from revision ${at.revision}, where the actor goes on from a recorded state: ` +
        `machine '${at.machine}' does not have that state: ${detail}. Nothing was appended. ` +
        'Run the code the state was written with, register the older machine version, or migrate the actor.',
      options,
    );
    this.stream = at.stream;
    this.revision = at.revision;
    this.machine = at.machine;
    this.detail = detail;
  }
}

/** A fold did not do what the log says happened. Nothing is appended while this holds. */
export class ReplayDivergedError extends RewakeError {
  readonly code = 'REWAKE_REPLAY_DIVERGED';
  readonly stream: string;
  readonly revision: number;
  readonly actor: string;
  readonly expected: unknown;
  readonly got: unknown;
  readonly likelyCause: string;

  constructor(
    at: {
      stream: string;
      revision: number;
      actor: string;
      expected: unknown;
      got: unknown;
      likelyCause: string;
    },
    options?: { cause?: unknown },
  ) {
    super(
      `Replay of stream '${at.stream}' diverged at revision ${at.revision} in actor ${at.actor}: the log says ${JSON.stringify(at.expected)}, ` +
        `this code does ${JSON.stringify(at.got)}. Likely cause: ${at.likelyCause}. Nothing was appended. ` +
        'Run the code the stream was written with, register the older machine version, or migrate the actor.',
      options,
    );
    this.stream = at.stream;
    this.revision = at.revision;
    this.actor = at.actor;
    this.expected = at.expected;
    this.got = at.got;
    this.likelyCause = at.likelyCause;
  }
}

/** The log holds what this version of rewake does not know. Nothing is appended to the stream while this version reads it. */
export class NewerVersionError extends RewakeError {
  readonly code = 'REWAKE_NEWER_VERSION';
  readonly stream: string;
  readonly revision: number;
  readonly eventType: string;

  /** @param unknown what is not known, for example `schema version 2 of 'ActorStarted'` */
  constructor(stream: string, revision: number, eventType: string, unknown: string, version: string) {
    super(
      `Stream '${stream}' cannot be read at revision ${revision}: rewake ${version} does not know ${unknown}, so a newer version wrote it. ` +
        'Nothing was appended. Run that version on this log again.',
    );
    this.stream = stream;
    this.revision = revision;
    this.eventType = eventType;
  }
}

/** An event needs a feature that this version of rewake does not know. Nothing is appended to its stream. */
export class UnknownFeatureError extends RewakeError {
  readonly code = 'REWAKE_UNKNOWN_FEATURE';
  readonly stream: string;
  readonly revision: number;
  readonly eventType: string;
  readonly feature: string;
  /** The version of rewake that knows the feature first, where the event says so. */
  readonly since: string | undefined;

  constructor(stream: string, revision: number, eventType: string, feature: string, since: string | undefined) {
    super(
      `Stream '${stream}' cannot be read at revision ${revision}: its event '${eventType}' needs the feature '${feature}', which this version of rewake does not know. ` +
        `Nothing was appended. Run rewake ${since === undefined ? 'in the version that wrote it' : `${since} or newer`} on this log; ` +
        `features: { ${feature}: false } keeps that version from writing more of it.`,
    );
    this.stream = stream;
    this.revision = revision;
    this.eventType = eventType;
    this.feature = feature;
    this.since = since;
  }
}

/** A part of the environment that an actor was last run under, and what it is now. */
export interface EnvironmentDifference {
  /** The version of rewake, that of the program, or the fingerprint of its configuration. */
  readonly part: 'rewake' | 'app' | 'config';
  readonly recorded: string;
  readonly present: string;
}

/** An actor was last run under another environment, and this runtime takes up none of those. */
export class EnvironmentMismatchError extends RewakeError {
  readonly code = 'REWAKE_ENVIRONMENT_MISMATCH';
  readonly stream: string;
  readonly differences: readonly EnvironmentDifference[];

  constructor(stream: string, differences: readonly EnvironmentDifference[]) {
    const names = {
      rewake: 'the version of rewake',
      app: "the program's version",
      config: "its configuration's fingerprint",
    };
    const shownDifferences = differences.map(
      ({ part, recorded, present }) => `${names[part]} was '${recorded}' and is '${present}'`,
    );
    super(
      `Actor '${stream}' was last run under another environment: ${shownDifferences.join(', ')}. Nothing was appended. ` +
        `Run it under the recorded environment, accept this one for this actor with runtime.resume('${stream}'), or for all with onEnvironmentChange: 'accept'.`,
    );
    this.stream = stream;
    this.differences = differences;
  }
}

/** An effect had started and its host died before the outcome was recorded; by its options it is not run again. */
export class EffectLostError extends RewakeError {
  readonly code = 'REWAKE_EFFECT_LOST';
  readonly stream: string;
  readonly actor: string;
  readonly restarts: number;
  /** Its host closed in order and aborted it: that says nothing against the effect. */
  readonly interrupted: boolean;

  constructor(stream: string, actor: string, restarts: number, reason: string, interrupted = false) {
    super(
      `Effect ${actor} of '${stream}' was lost: ${reason}. It may or may not have done its work: ` +
        'look there before it is done again. Handle this in the onError of its invoke, or in a handler.',
    );
    this.stream = stream;
    this.actor = actor;
    this.restarts = restarts;
    this.interrupted = interrupted;
  }
}

/** Why the signal of an effect is aborted: its outcome is not wanted any more. */
export class EffectStoppedError extends RewakeError {
  readonly code = 'REWAKE_EFFECT_STOPPED';
  readonly stream: string;
  /** Address of the effect. */
  readonly effect: string;
  /** `transition`: its machine went on without it. `stop`: its machine was itself stopped, or ended. */
  readonly by: 'transition' | 'stop';

  constructor(stream: string, effect: string, by: 'transition' | 'stop') {
    const why = by === 'transition' ? 'its machine went on without it' : 'its machine was stopped or ended';
    super(`Effect ${effect} of '${stream}' was stopped: ${why}. What it returns or throws from now on is not used.`);
    this.stream = stream;
    this.effect = effect;
    this.by = by;
  }
}

/** What an effect said came after its end: it finished, was stopped by its machine, or was aborted. */
export class EffectOverError extends RewakeError {
  readonly code = 'REWAKE_EFFECT_OVER';
  readonly stream: string;
  readonly actor: string;

  constructor(stream: string, actor: string) {
    super(
      `Effect ${actor} of '${stream}' is over, so nothing more of it is recorded. Watch its abort signal and end when it is aborted.`,
    );
    this.stream = stream;
    this.actor = actor;
  }
}

/** The runtime was closed, or lost its log to another host. */
export class RuntimeClosedError extends RewakeError {
  readonly code = 'REWAKE_RUNTIME_CLOSED';
}

/** Another runtime owns this log. */
export class LogOwnedError extends RewakeError {
  readonly code = 'REWAKE_LOG_OWNED';
  readonly log: string;
  readonly owner: string;

  /** @param next what to do */
  constructor(
    log: string,
    owner: string,
    expiresAt: number,
    next = 'Stop that host first, give createRuntime({ lease: { wait } }) time for it to stop, or use another log.',
  ) {
    super(
      `${log} is owned by another running host (${owner}); its lease runs until ${new Date(expiresAt).toISOString()} and is being renewed. ${next}`,
    );
    this.log = log;
    this.owner = owner;
  }
}

/** A wait ended before its condition came true. */
export class WaitTimeoutError extends RewakeError {
  readonly code = 'REWAKE_WAIT_TIMEOUT';
  readonly stream: string;

  constructor(stream: string, timeoutMs: number) {
    super(`Waited ${timeoutMs} ms for a state of '${stream}' that did not come. The actor runs on.`);
    this.stream = stream;
  }
}

// ── projections ──────────────────────────────────────────────────────────────────────────────────

/** The fold of a projection threw at an event. The log is as it was. */
export class ProjectionFailedError extends RewakeError {
  readonly code = 'REWAKE_PROJECTION_FAILED';
  readonly projection: string;
  readonly version: number;
  readonly stream: string;
  readonly revision: number;

  constructor(
    projection: { readonly name: string; readonly version: number },
    event: { readonly stream: string; readonly revision: number; readonly type: string },
    options?: { cause?: unknown },
  ) {
    const { name, version } = projection;
    super(
      `Projection '${name}' version ${version} failed at event '${event.type}' at revision ${event.revision} of stream '${event.stream}' ` +
        `(${String(options?.cause)}). Its state is as before that event; the log is unchanged. Correct its apply function and raise its version.`,
      options,
    );
    this.projection = name;
    this.version = version;
    this.stream = event.stream;
    this.revision = event.revision;
  }
}

/** Another process keeps this version of a projection. */
export class ProjectionOwnedError extends RewakeError {
  readonly code = 'REWAKE_PROJECTION_OWNED';
  readonly projection: string;
  readonly version: number;
  readonly owner: string;

  constructor(projection: { readonly name: string; readonly version: number }, owner: string, expiresAt: number) {
    const { name, version } = projection;
    super(
      `Projection '${name}' version ${version} is kept by another process (${owner}); its lease runs until ${new Date(expiresAt).toISOString()} and is being renewed. ` +
        'Read what it keeps with readProjection, or stop it first.',
    );
    this.projection = name;
    this.version = version;
    this.owner = owner;
  }
}
