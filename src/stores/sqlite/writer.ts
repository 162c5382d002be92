/**
 * Group commit: everything that writes waits here and is committed together, once per turn of the event loop. Owns the
 * queue, the transaction and what happens when it fails; what is written is the caller's.
 *
 * W1  Work is applied in the order it was submitted, and answered only after the commit.
 * W2  A work that is refused (a typed error before its first write) does not touch its neighbours.
 * W3  When SQLite itself fails in the middle, the transaction is undone and each work is tried alone, so that only those
 *     that cannot be written fail.
 * W4  When the commit fails, "nothing was written" is said only where it is certain.
 */
import { LogClosedError, LogReadOnlyError, OutcomeUnknownError, RewakeError } from '../../errors.ts';
import type { Database, Statement } from './driver.ts';
import { faultOf, primaryCodeOf, sqlite } from './faults.ts';
import { rollBack } from './schema.ts';

/** Something to be done inside a write transaction. */
export interface Work<T> {
  /** The stream, lease or checkpoint it is about, for messages. */
  readonly subject: string;
  /** The streams it will ask the cache for. */
  readonly streams: readonly string[];
  /** Checks first, then writes: what throws a typed error must not have written anything. */
  apply(): T;
}

/** What the transaction needs from its surroundings. */
export interface WriterHooks {
  /** The transaction holds the lock; what other connections wrote is visible now. */
  begun(streams: readonly string[]): void;
  /** Every work was applied; last chance to write. */
  ending(): void;
  committed(): void;
  /** Nothing of the transaction is left. */
  undone(): void;
}

interface Queued {
  readonly work: Work<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Bounds how long one transaction keeps other processes from writing. */
const batchMax = 1024;

export class Writer {
  readonly #log: string;
  readonly #hooks: WriterHooks;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #db: Database;
  readonly #readOnly: boolean;
  #queue: Queued[] = [];
  #scheduled = false;
  #closed = false;

  constructor(db: Database, log: string, hooks: WriterHooks, readOnly = false) {
    this.#readOnly = readOnly;
    this.#db = db;
    this.#log = log;
    this.#hooks = hooks;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
  }

  submit<T>(work: Work<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new LogClosedError(this.#log));
    if (this.#readOnly) return Promise.reject(new LogReadOnlyError(this.#log, `what is meant for '${work.subject}'`));
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  /** Commits what is queued, now, and takes nothing more. */
  close(): void {
    this.#closed = true;
    while (this.#queue.length > 0) this.#commitBatch();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#commitBatch();
    });
  }

  #commitBatch(): void {
    if (this.#queue.length <= batchMax) {
      const batch = this.#queue;
      this.#queue = [];
      this.#transact(batch);
      return;
    }
    this.#transact(this.#queue.splice(0, batchMax));
    this.#schedule();
  }

  #transact(batch: readonly Queued[]): void {
    if (batch.length === 0) return;
    try {
      this.#begin.run();
    } catch (error) {
      this.#failAll(batch, (work) => faultOf(error, this.#log, `write ${work.subject}`));
      return;
    }
    const outcomes = this.#applyAll(batch);
    if (outcomes === undefined) return;
    try {
      this.#commit.run();
    } catch (error) {
      this.#undo();
      this.#failAll(batch, (work) => this.#commitFault(error, work));
      return;
    }
    this.#hooks.committed();
    for (const [index, { resolve, reject }] of batch.entries()) {
      const outcome = outcomes[index]!;
      if ('error' in outcome) reject(outcome.error);
      else resolve(outcome.value);
    }
  }

  /** The outcomes of all works, or undefined when the transaction broke and everything has been answered (W3). */
  #applyAll(batch: readonly Queued[]): Outcome[] | undefined {
    try {
      this.#hooks.begun(batch.flatMap(({ work }) => work.streams));
      const outcomes = batch.map(({ work }) => applied(work));
      this.#hooks.ending();
      return outcomes;
    } catch (error) {
      this.#undo();
      if (batch.length > 1) for (const each of batch) this.#transact([each]);
      else this.#failAll(batch, (work) => faultOf(error, this.#log, `write ${work.subject}`));
      return undefined;
    }
  }

  #undo(): void {
    rollBack(this.#db);
    this.#hooks.undone();
  }

  #failAll(batch: readonly Queued[], errorFor: (work: Work<unknown>) => unknown): void {
    for (const { work, reject } of batch) reject(errorFor(work));
  }

  #commitFault(error: unknown, work: Work<unknown>): unknown {
    const code = primaryCodeOf(error);
    // A full disk or a lock stops SQLite before the frame that makes a commit; after anything else that frame may be in
    // the -wal file, and a crash now would bring it back.
    const certain = code === sqlite.full || code === sqlite.busy || code === sqlite.readOnly;
    return certain
      ? faultOf(error, this.#log, `write ${work.subject}`)
      : new OutcomeUnknownError(work.subject, { cause: error });
  }
}

function applied(work: Work<unknown>): Outcome {
  try {
    return { value: work.apply() };
  } catch (error) {
    if (error instanceof RewakeError) return { error };
    throw error;
  }
}
