/**
 * Answers questions to the actor index, which is the columns of `streams`. Owns the queries; the index is written with
 * every append by appender.ts.
 *
 * AR1  Pages by key, each read to its end: rows that change while an iteration goes on are never seen twice.
 * AR3  A page comes as one JSON text: with libsql each column of each row costs a call, and lists are long. A row that JSON
 *      cannot say, which is damage, is read as it is.
 * AR2  `status` is written into the query as a literal, or SQLite could not use the index that holds only active actors.
 */
import { InvalidArgumentError } from '../../errors.ts';
import type { ActorQuery, ActorRow } from '../../log/event-log.ts';
import type { Database, SqlRow, SqlValue, Statement } from './driver.ts';
import { faultOf, primaryCodeOf, sqlite } from './faults.ts';

const pageSize = 1_024;
const columns = 'name, revision, machine, version, status, correlation_id, wake_at, effects';
const statuses: ReadonlySet<string> = new Set(['active', 'done', 'error', 'stopped']);

export class ActorReader {
  readonly #db: Database;
  readonly #log: string;
  readonly #statements = new Map<string, Statement>();

  constructor(db: Database, log: string) {
    this.#db = db;
    this.#log = log;
  }

  one(stream: string): ActorRow | undefined {
    const [row] = this.#query('machine IS NOT NULL AND name = ?', 'name', [stream], 1);
    return row;
  }

  /** Rows in the order the query asks for, page by page; `guard` throws when reading must stop. */
  *pages(query: ActorQuery, guard: () => void): Generator<readonly ActorRow[]> {
    const { conditions, values } = conditionsOf(query);
    let left = query.limit ?? Infinity;
    let last = firstKey(query);
    while (left > 0) {
      guard();
      const after = keyCondition(query, last);
      const where = [...conditions, ...after.conditions].join(' AND ');
      const order = query.wakes ? 'wake_at, name' : 'name';
      const page = this.#query(where, order, [...values, ...after.values], Math.min(left, pageSize));
      yield page;
      left -= page.length;
      const end = page.at(-1);
      if (!end || page.length < pageSize) return;
      last = { wakeAt: end.wakeAt ?? 0, stream: end.stream };
    }
  }

  #query(where: string, order: string, values: readonly SqlValue[], limit: number): ActorRow[] {
    const sql = `SELECT ${columns} FROM streams WHERE ${where} ORDER BY ${order} LIMIT ?`;
    try {
      if (limit === 1)
        return this.#prepared(sql)
          .all(...values, limit)
          .map(rowOf);
      return this.#asJson(sql, [...values, limit]).map(rowOf);
    } catch (error) {
      throw faultOf(error, this.#log, 'read the actor index');
    }
  }

  /** AR3. */
  #asJson(sql: string, values: readonly SqlValue[]): readonly SqlRow[] {
    try {
      const [text] = this.#prepared(`SELECT json_group_array(json_array(${columns})) FROM (${sql})`).get(...values)!;
      return JSON.parse(text as string) as SqlRow[];
    } catch (error) {
      if (primaryCodeOf(error) !== sqlite.error && !(error instanceof SyntaxError)) throw error;
      return this.#prepared(sql).all(...values);
    }
  }

  #prepared(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}

interface Key {
  readonly wakeAt: number;
  readonly stream: string;
}

interface Where {
  readonly conditions: readonly string[];
  readonly values: readonly SqlValue[];
}

function firstKey({ wakes, afterStream }: ActorQuery): Key | undefined {
  if (wakes) return wakes.after;
  return afterStream === undefined ? undefined : { wakeAt: 0, stream: afterStream };
}

function keyCondition({ wakes }: ActorQuery, last: Key | undefined): Where {
  if (!last) return { conditions: [], values: [] };
  return wakes
    ? { conditions: ['(wake_at, name) > (?, ?)'], values: [last.wakeAt, last.stream] }
    : { conditions: ['name > ?'], values: [last.stream] };
}

function conditionsOf({ machine, status, correlationId, effects, wakes }: ActorQuery): Where {
  const conditions = ['machine IS NOT NULL'];
  const values: SqlValue[] = [];
  const add = (condition: string, ...more: SqlValue[]) => {
    conditions.push(condition);
    values.push(...more);
  };
  if (machine !== undefined) add('machine = ?', machine);
  if (status !== undefined) add(`status = '${checkedStatus(status)}'`);
  if (correlationId !== undefined) add('correlation_id = ?', correlationId);
  if (effects !== undefined) add(effects ? 'effects > 0' : 'effects = 0');
  if (wakes) add('wake_at IS NOT NULL');
  if (wakes?.until !== undefined) add('wake_at <= ?', wakes.until);
  return { conditions, values };
}

function checkedStatus(status: string): string {
  if (statuses.has(status)) return status;
  throw new InvalidArgumentError(
    `Not an actor status: expected one of ${[...statuses].join(', ')}, found ${JSON.stringify(status)}.`,
  );
}

function rowOf(row: SqlRow): ActorRow {
  const [stream, revision, machine, version, status, correlationId, wakeAt, effects] = row;
  const found = { machine, version, status, correlationId, wakeAt, effects, stream, revision };
  return found as unknown as ActorRow;
}
