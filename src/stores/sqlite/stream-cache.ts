/**
 * What the writer remembers about streams between transactions, so that a known stream costs no read. Owns the cache and
 * the loading of what it lacks.
 *
 * SC1  An entry is trusted only while `PRAGMA data_version` says that no other connection has written.
 * SC2  After a transaction that did not commit, nothing is trusted.
 * SC3  Memory is bounded: two generations of `entriesMax` streams. Entries go only between transactions.
 */
import type { ActorHead, ActorStatus } from '../../log/event-log.ts';
import type { Database, SqlRow, Statement } from './driver.ts';

/** A stream as it stands in the transaction. */
export interface StreamEntry {
  readonly name: string;
  /** 0 while the stream does not exist. */
  id: number;
  /** Last revision, -1 when it has none. */
  revision: number;
  /** First revision that was not truncated. */
  firstRevision: number;
  deleted: boolean;
  actor: ActorHead | undefined;
  /** The actor head as it is in the row; differs from `actor` until the row is written. */
  storedActor: ActorHead | undefined;
  /** Whether the row is behind this entry. */
  dirty: boolean;
  hasRow: boolean;
  /** Whether more than its revision and actor changed. */
  rewrite: boolean;
}

export class StreamCache {
  readonly #entriesMax: number;
  readonly #byName: Statement;
  readonly #byNames: Statement;
  #young = new Map<string, StreamEntry>();
  #old = new Map<string, StreamEntry>();

  constructor(db: Database, entriesMax: number) {
    this.#entriesMax = entriesMax;
    const columns =
      's.id, s.name, s.revision, s.first_revision, s.deleted, s.machine, s.version, s.status, s.correlation_id';
    const rest = 's.wake_at, s.effects';
    this.#byName = db.prepare(`SELECT ${columns}, ${rest} FROM streams s WHERE s.name = ?`);
    // CROSS JOIN fixes the order: one index look-up per name.
    this.#byNames = db.prepare(
      `SELECT ${columns}, ${rest} FROM json_each(?) j CROSS JOIN streams s ON s.name = j.value`,
    );
  }

  /** Reads in one go what is missing of these streams. */
  load(names: readonly string[]): void {
    const missing = names.filter((name) => !this.#known(name));
    if (missing.length < 2) return;
    for (const row of this.#byNames.all(JSON.stringify(missing))) this.#remember(entryOf(row));
    for (const name of missing) if (!this.#young.has(name)) this.#remember(absentEntry(name));
  }

  get(name: string): StreamEntry {
    const known = this.#known(name);
    if (known) return known;
    const row = this.#byName.get(name);
    return this.#remember(row ? entryOf(row) : absentEntry(name));
  }

  /** To be called between transactions. */
  trim(): void {
    if (this.#young.size <= this.#entriesMax) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }

  #known(name: string): StreamEntry | undefined {
    const young = this.#young.get(name);
    if (young) return young;
    const old = this.#old.get(name);
    return old && this.#remember(old);
  }

  #remember(entry: StreamEntry): StreamEntry {
    this.#young.set(entry.name, entry);
    return entry;
  }
}

function absentEntry(name: string): StreamEntry {
  return {
    name,
    id: 0,
    revision: -1,
    firstRevision: 0,
    deleted: false,
    actor: undefined,
    storedActor: undefined,
    dirty: false,
    hasRow: false,
    rewrite: false,
  };
}

function entryOf(row: SqlRow): StreamEntry {
  const actor = actorHeadOf(row.slice(5));
  return {
    id: row[0] as number,
    name: row[1] as string,
    revision: row[2] as number,
    firstRevision: row[3] as number,
    deleted: row[4] !== 0,
    actor,
    storedActor: actor,
    dirty: false,
    hasRow: true,
    rewrite: false,
  };
}

/** An actor head from the columns machine, version, status, correlation_id, wake_at, effects. */
export function actorHeadOf(columns: SqlRow): ActorHead | undefined {
  const [machine, version, status, correlationId, wakeAt, effects] = columns;
  if (machine === null) return undefined;
  return {
    machine: machine as string,
    version: version as string | null,
    status: status as ActorStatus,
    correlationId: correlationId as string,
    wakeAt: wakeAt as number | null,
    effects: effects as number,
  };
}
