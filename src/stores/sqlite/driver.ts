/**
 * One narrow face for two SQLite bindings: `node:sqlite`, where Node has it without a flag, and `libsql` elsewhere.
 * Owns loading and calling them; knows nothing of logs, schemas or what an error means.
 *
 * D1  The Node version is checked before a binding is loaded: a crash inside one cannot be caught.
 * D2  Only the ExperimentalWarning of node:sqlite is silenced; every other warning passes.
 * D3  A statement leaves no reader open: rows are fetched to the end in one call.
 * D4  No stored byte ends the process: libsql aborts it at text that is not UTF-8, so it is asked for bytes instead.
 */
import { createRequire } from 'node:module';
import { LogUnavailableError } from '../../errors.ts';

export type SqlValue = string | number | null;
export type SqlRow = readonly SqlValue[];

/** A prepared statement. Rows are arrays of column values. */
export interface Statement {
  run(...values: SqlValue[]): void;
  get(...values: SqlValue[]): SqlRow | undefined;
  all(...values: SqlValue[]): SqlRow[];
}

/** One connection. Every call is synchronous and throws what the binding throws; see {@link resultCodeOf}. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

/** Which binding to use. */
export type DriverName = 'node:sqlite' | 'libsql';

interface NativeStatement {
  run(...values: unknown[]): unknown;
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
  setReturnArrays?(on: boolean): void;
  readonly reader?: boolean;
  raw?(on: boolean): unknown;
}

interface NativeDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): NativeStatement;
  close(): unknown;
}

const require = createRequire(import.meta.url);

/** The binding for a Node version: `node:sqlite` came unflagged with 22.13. */
export function driverFor(nodeVersion: string): DriverName {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 13) ? 'node:sqlite' : 'libsql';
}

/**
 * Opens a database file, creating it when it is missing.
 * @throws LogUnavailableError when the binding is not installed; otherwise whatever the binding throws.
 */
export function openDatabase(path: string, driver: DriverName): Database {
  return driver === 'node:sqlite' ? openWithNode(path) : openWithLibsql(path);
}

function openWithNode(path: string): Database {
  const { DatabaseSync } = requireQuietly() as { DatabaseSync: new (path: string) => NativeDatabase };
  const native = new DatabaseSync(path);
  return {
    exec: (sql) => void native.exec(sql),
    prepare(sql) {
      const statement = native.prepare(sql);
      // Since 24.0 and 22.16; before that rows are objects whose values are in column order.
      if (statement.setReturnArrays) statement.setReturnArrays(true);
      const row: (found: unknown) => SqlRow = statement.setReturnArrays
        ? (found) => found as SqlRow
        : (found) => Object.values(found as object) as SqlValue[];
      return {
        run: (...values) => void statement.run(...values),
        get: (...values) => {
          const found = statement.get(...values);
          return found === undefined ? undefined : row(found);
        },
        all: (...values) => statement.all(...values).map(row),
      };
    },
    close: () => void native.close(),
  };
}

function openWithLibsql(path: string): Database {
  const native = new (requireLibsql())(path);
  let open = true;
  const statements: { native: NativeStatement | undefined }[] = [];
  return {
    exec: (sql) => void native.exec(sql),
    prepare(sql) {
      const held: (typeof statements)[number] = { native: prepareToRead(native, sql) };
      if (held.native!.reader) held.native!.raw!(true);
      statements.push(held);
      const live = () => {
        if (held.native === undefined) throw new TypeError('The database connection is not open');
        return held.native;
      };
      // Values go as one array: libsql takes a lone null or object for named parameters and panics.
      return {
        // get() would run it faster, but a statement that failed in get() stays in progress and no commit goes past it.
        run: (...values) => void live().run(values),
        get: (...values) => {
          const found = live().get(values) as unknown[] | undefined;
          return found && withText(found);
        },
        all: (...values) => (live().all(values) as unknown[][]).map(withText),
      };
    },
    close() {
      if (!open) return;
      open = false;
      // libsql keeps the file open as long as a statement can be reached, and runs it even after close.
      for (const statement of statements) statement.native = undefined;
      native.close();
    },
  };
}

/** D4. Text comes as bytes, as a blob does. The order of the rows is that of the query inside. */
function prepareToRead(native: NativeDatabase, sql: string): NativeStatement {
  if (!/^\s*SELECT\b/i.test(sql)) return native.prepare(sql);
  const names = Array.from({ length: columnsOf(sql) }, (_, index) => `c${index}`);
  const read = names.map((name) => `CASE typeof(${name}) WHEN 'text' THEN CAST(${name} AS BLOB) ELSE ${name} END`);
  return native.prepare(`WITH r(${names.join(', ')}) AS (${sql}) SELECT ${read.join(', ')} FROM r`);
}

/** How many columns a SELECT gives. The binding is not asked: it reads names and types of columns as text, too. */
function columnsOf(sql: string): number {
  let count = 1;
  let depth = 0;
  for (const [token] of sql.matchAll(/'[^']*'|[(),]|\bFROM\b/gi)) {
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (depth === 0 && token === ',') count++;
    else if (depth === 0 && token.toUpperCase() === 'FROM') break;
  }
  return count;
}

/** Bytes that are no UTF-8 become replacement characters, as with node:sqlite. */
function withText(row: unknown[]): SqlRow {
  for (let i = 0; i < row.length; i++) {
    const value = row[i];
    if (typeof value === 'object' && value !== null) row[i] = (value as Buffer).toString('utf8');
  }
  return row as SqlValue[];
}

function requireLibsql(): new (path: string) => NativeDatabase {
  try {
    return require('libsql') as new (path: string) => NativeDatabase;
  } catch (cause) {
    throw new LogUnavailableError(
      `Cannot open a SQLite log on Node ${process.versions.node}: node:sqlite comes with Node 22.13, and the package 'libsql' ` +
        `that stands in for it cannot be loaded. Run 'npm install libsql' (it is prebuilt), or use Node 22.13 or newer.`,
      false,
      { cause },
    );
  }
}

let nodeSqlite: unknown;

function requireQuietly(): unknown {
  if (nodeSqlite !== undefined) return nodeSqlite;
  const emitWarning = process.emitWarning;
  const quiet = (warning: string | Error, ...rest: unknown[]) => {
    if (rest[0] === 'ExperimentalWarning' && String(warning).includes('SQLite')) return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  process.emitWarning = quiet as typeof process.emitWarning;
  try {
    nodeSqlite = require('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
  return nodeSqlite;
}

/**
 * The extended SQLite result code of an error of either binding; undefined when SQLite did not raise it.
 * https://www.sqlite.org/rescode.html
 */
export function resultCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { errcode, rawCode } = error as { errcode?: unknown; rawCode?: unknown };
  if (typeof errcode === 'number') return errcode;
  if (typeof rawCode === 'number') return rawCode;
  // libsql reports a failed open only in its text: ConnectionFailed("Unable to open … : 14").
  const inText = /^ConnectionFailed\(.*: (\d+)"\)$/.exec(error.message);
  return inText ? Number(inText[1]) : undefined;
}
