/**
 * Answers questions to the actor index, which is the columns of `streams`. Owns the queries; the index is written with every
 * append.
 *
 * AR1  Pages by key: rows that change while an iteration goes on are never seen twice.
 * AR2  `status` is written into the query as a literal, so that the index that holds only active actors can be used.
 */
import { InvalidArgumentError } from '../../errors.ts';
import type { ActorQuery, ActorRow, ActorStatus } from '../../log/event-log.ts';
import type { Query } from './connections.ts';
import { fault } from './faults.ts';

const pageSize = 1_024;
const columns = 'name, revision, machine, version, status, correlation_id, wake_at, effects';
const statuses: ReadonlySet<string> = new Set(['active', 'done', 'error', 'stopped']);

export class ActorReader {
  readonly #log: string;
  readonly #schema: string;
  readonly #query: Query;

  constructor(log: string, schema: string, query: Query) {
    this.#log = log;
    this.#schema = schema;
    this.#query = query;
  }

  async one(stream: string): Promise<ActorRow | undefined> {
    const [row] = await this.#rows('machine IS NOT NULL AND name = $1', 'name', [stream], 1);
    return row;
  }

  /** Rows in the order the query asks for, page by page; `guard` throws when reading must stop. */
  async *pages(query: ActorQuery, guard: () => void): AsyncGenerator<readonly ActorRow[]> {
    let left = query.limit ?? Infinity;
    let last = firstKey(query);
    while (left > 0) {
      guard();
      const where = new Where();
      addConditions(where, query);
      if (last) addKey(where, query, last);
      const order = query.wakes ? 'wake_at, name' : 'name';
      const limit = Math.min(left, pageSize);
      const page = await this.#rows(where.text, order, where.values, limit);
      yield page;
      left -= page.length;
      const end = page.at(-1);
      if (!end || page.length < limit) return;
      last = { wakeAt: end.wakeAt ?? 0, stream: end.stream };
    }
  }

  async #rows(where: string, order: string, values: readonly unknown[], limit: number): Promise<ActorRow[]> {
    const sql = `SELECT ${columns} FROM "${this.#schema}".streams WHERE ${where} ORDER BY ${order} LIMIT ${limit}`;
    try {
      return (await this.#query(sql, values)).map(rowOf);
    } catch (error) {
      throw fault(error, this.#log, 'read the actor index');
    }
  }
}

interface Key {
  readonly wakeAt: number;
  readonly stream: string;
}

/** Conditions, and their values by number. */
class Where {
  readonly values: unknown[] = [];
  readonly #conditions = ['machine IS NOT NULL'];

  get text(): string {
    return this.#conditions.join(' AND ');
  }

  add(condition: (...places: readonly string[]) => string, ...values: readonly unknown[]): void {
    this.#conditions.push(condition(...values.map((value) => `$${this.values.push(value)}`)));
  }
}

function firstKey({ wakes, afterStream }: ActorQuery): Key | undefined {
  if (wakes) return wakes.after;
  return afterStream === undefined ? undefined : { wakeAt: 0, stream: afterStream };
}

function addKey(where: Where, { wakes }: ActorQuery, { wakeAt, stream }: Key): void {
  if (wakes) where.add((at, name) => `(wake_at, name) > (${at}, ${name})`, wakeAt, stream);
  else where.add((name) => `name > ${name}`, stream);
}

function addConditions(where: Where, { machine, status, correlationId, effects, wakes }: ActorQuery): void {
  if (machine !== undefined) where.add((name) => `machine = ${name}`, machine);
  if (status !== undefined) where.add(() => `status = '${checkedStatus(status)}'`);
  if (correlationId !== undefined) where.add((id) => `correlation_id = ${id}`, correlationId);
  if (effects !== undefined) where.add(() => (effects ? 'effects > 0' : 'effects = 0'));
  if (wakes) where.add(() => 'wake_at IS NOT NULL');
  if (wakes?.until !== undefined) where.add((until) => `wake_at <= ${until}`, wakes.until);
}

function checkedStatus(status: string): string {
  if (statuses.has(status)) return status;
  throw new InvalidArgumentError(
    `Not an actor status: expected one of ${[...statuses].join(', ')}, found ${JSON.stringify(status)}.`,
  );
}

function rowOf(row: readonly unknown[]): ActorRow {
  const [stream, revision, machine, version, status, correlationId, wakeAt, effects] = row;
  return {
    stream: stream as string,
    revision: Number(revision),
    machine: machine as string,
    version: version as string | null,
    status: status as ActorStatus,
    correlationId: correlationId as string,
    wakeAt: wakeAt === null ? null : Number(wakeAt),
    effects: Number(effects),
  };
}
