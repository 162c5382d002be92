/**
 * The shape of the file. Owns its identity, its tables, the numbered migrations, and the decision whether a file is ours.
 *
 * S1  Nothing is written to a file before it is known to be new or ours.
 * S2  `user_version` is the number of migrations applied; a migration that was released never changes.
 * S3  Migrations run forwards, in one transaction; a newer file is refused.
 * S4  A migration after the first one only creates tables: a file that is older and may not be changed is read without them.
 */
import { LogIncompatibleError } from '../../errors.ts';
import type { Database } from './driver.ts';
import { primaryCodeOf, sqlite } from './faults.ts';

/** 'RWK1' in ASCII, in the header of the file at offset 68. */
export const applicationId = 0x52574b31;

/** See docs/decisions/0002-sqlite-layout.md for the reasons and the measurements. */
const migrations: readonly string[] = [
  `
  CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    first_revision INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    machine TEXT,
    version TEXT,
    status TEXT,
    correlation_id TEXT,
    wake_at INTEGER,
    effects INTEGER
  );
  CREATE UNIQUE INDEX streams_by_name ON streams (name);
  CREATE INDEX streams_by_machine ON streams (machine, name) WHERE machine IS NOT NULL;
  CREATE INDEX streams_by_correlation ON streams (correlation_id, name) WHERE correlation_id IS NOT NULL;
  CREATE INDEX streams_by_wake ON streams (wake_at, name) WHERE wake_at IS NOT NULL;
  CREATE INDEX streams_active ON streams (name, effects) WHERE status = 'active';
  CREATE INDEX streams_in_error ON streams (name) WHERE status = 'error';
  CREATE INDEX streams_stopped ON streams (name) WHERE status = 'stopped';

  CREATE TABLE appends (
    position INTEGER PRIMARY KEY,
    stream_id INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    count INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    heads TEXT NOT NULL,
    data TEXT NOT NULL
  );
  CREATE UNIQUE INDEX appends_by_stream ON appends (stream_id, revision);

  CREATE TABLE weak_ids (
    id TEXT NOT NULL,
    stream_id INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (stream_id, id)
  ) WITHOUT ROWID;
  CREATE INDEX weak_ids_by_stream ON weak_ids (stream_id, revision);

  CREATE TABLE snapshots (
    stream TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    definition TEXT NOT NULL,
    data TEXT NOT NULL,
    checksum INTEGER NOT NULL
  );
  CREATE TABLE leases (
    id TEXT PRIMARY KEY,
    owner TEXT,
    epoch INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  );
  CREATE TABLE checkpoints (id TEXT PRIMARY KEY, position TEXT NOT NULL);
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
  `,
  // Rows of appends that were moved aside, as they were: columns without a type change nothing that is put into them.
  `
  CREATE TABLE quarantined (
    id INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    reason TEXT NOT NULL,
    quarantined_at INTEGER NOT NULL,
    position,
    stream_id,
    revision,
    count,
    recorded_at,
    heads,
    data
  );
  `,
  `
  CREATE TABLE projections (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    slot TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    position TEXT,
    data TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (name, version, slot)
  );
  `,
  `
  CREATE TABLE definitions (hash TEXT PRIMARY KEY, chart TEXT NOT NULL);
  `,
];

/** The version that this code writes. */
export const schemaVersion = migrations.length;

/**
 * Finds out what a file is and brings it to the current schema.
 * @throws LogIncompatibleError when it is not a rewake log or a newer one; otherwise whatever the binding throws.
 */
export function prepareSchema(db: Database, log: string): void {
  const found = identifyAtOnce(db, log);
  switchToWal(db);
  if (found === schemaVersion) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have been faster while this one waited for the lock.
    const from = identify(db, log);
    for (const migration of migrations.slice(from)) db.exec(migration);
    db.exec(`PRAGMA application_id = ${applicationId}`);
    db.exec(`PRAGMA user_version = ${schemaVersion}`);
    db.exec('COMMIT');
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/**
 * Finds out what a file is and leaves it as it is; nothing can be written through the connection from then on. Tables that an
 * older file does not have are there for the connection alone, and empty.
 * @throws LogIncompatibleError as {@link prepareSchema} does, and for an empty file
 */
export function prepareToRead(db: Database, log: string): void {
  const found = identifyAtOnce(db, log);
  if (found === 0) {
    throw new LogIncompatibleError(`${log} is an empty file: there is nothing in it to be read. Check the path.`);
  }
  for (const migration of migrations.slice(found)) db.exec(migration.replaceAll('CREATE TABLE', 'CREATE TEMP TABLE'));
  db.exec('PRAGMA query_only = ON');
}

/** In one transaction, because another process may be making the file a log between two looks at it. */
function identifyAtOnce(db: Database, log: string): number {
  db.exec('BEGIN');
  try {
    return identify(db, log);
  } finally {
    rollBack(db);
  }
}

/** The schema version of the file, 0 when it is empty. */
function identify(db: Database, log: string): number {
  const application = pragma(db, 'application_id');
  const version = pragma(db, 'user_version');
  const objects = db.prepare('SELECT count(*) FROM sqlite_schema').get()![0];
  if (application === 0 && version === 0 && objects === 0) return 0;
  if (application !== applicationId) {
    throw new LogIncompatibleError(
      `${log} is a SQLite database of another application (application_id ${application}, expected ${applicationId}; user_version ${version}; ${objects} tables and indexes). ` +
        'Nothing was changed in it. Give the log a file of its own.',
    );
  }
  if (version > schemaVersion) {
    throw new LogIncompatibleError(
      `${log} has schema version ${version}; this version of rewake knows versions up to ${schemaVersion}. ` +
        'Nothing was changed in it. Use the rewake version that wrote it, or a newer one.',
    );
  }
  return version;
}

/** Reads an integer PRAGMA. */
function pragma(db: Database, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()![0]);
}

/** Processes that open a new file at once get SQLITE_BUSY from this PRAGMA without the busy timeout being waited for. */
function switchToWal(db: Database): void {
  const attemptsMax = 100;
  for (let attempt = 1; ; attempt++) {
    try {
      const [mode] = db.prepare('PRAGMA journal_mode = WAL').get()!;
      if (mode === 'wal') return;
      throw new LogIncompatibleError(
        `SQLite refused WAL mode and stayed in mode '${mode}'. Put the log on a local disk: WAL needs shared memory, which network file systems do not give.`,
      );
    } catch (error) {
      if (primaryCodeOf(error) !== sqlite.busy || attempt === attemptsMax) throw error;
      // Waiting for the write lock is a wait that the busy timeout does apply to.
      try {
        db.exec('BEGIN IMMEDIATE');
        db.exec('COMMIT');
      } catch (waited) {
        if (primaryCodeOf(waited) !== sqlite.busy) throw waited;
      }
    }
  }
}

/** Ends a transaction that failed. SQLite has ended it itself after some errors, and then says so. */
export function rollBack(db: Database): void {
  try {
    db.exec('ROLLBACK');
  } catch {
    // No transaction is active: nothing is left to undo.
  }
}
