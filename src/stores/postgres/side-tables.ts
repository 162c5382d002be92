/**
 * What lies beside the events: leases, checkpoints, snapshots, definitions. Owns their statements, one each.
 *
 * TA1  An epoch on one id never comes again, also not after a release.
 * TA2  Only the newest epoch on its id stores a checkpoint.
 * TA3  A snapshot that comes late does not bring back what was deleted.
 * TA4  A definition never changes under its hash: who is first is kept.
 */
import { InvalidArgumentError, LeaseLostError, StreamDeletedError } from '../../errors.ts';
import type {
  Checkpoints,
  Definitions,
  Lease,
  LeaseHolder,
  LeaseOptions,
  Position,
  Snapshots,
  StoredSnapshot,
} from '../../log/event-log.ts';
import type { Connections } from './connections.ts';
import { fault } from './faults.ts';

export interface TableHost {
  readonly log: string;
  readonly schema: string;
  readonly connections: Connections;
  /** The time of the log where it is not the server's. */
  readonly now: (() => number) | undefined;
}

/** Statements on one table, with the errors of the server turned into typed ones. */
class Table {
  readonly #host: TableHost;

  constructor(host: TableHost) {
    this.#host = host;
  }

  /** `§` in a statement stands for the schema, with its dot. */
  async ask(doing: string, sql: string, values: readonly unknown[]): Promise<readonly (readonly unknown[])[]> {
    const { log, schema, connections } = this.#host;
    try {
      return await connections.query(sql.replaceAll('§', `"${schema}".`), values);
    } catch (error) {
      throw fault(error, log, doing);
    }
  }

  /** The same for a statement that writes. @param subject what it is about */
  async write(subject: string, doing: string, sql: string, values: readonly unknown[]): ReturnType<Table['ask']> {
    this.#host.connections.ensureWritable(subject);
    return this.ask(doing, sql, values);
  }

  /** The time, to be put in the place of `coalesce($n, §now_ms())`. */
  now(): number | null {
    return this.#host.now?.() ?? null;
  }
}

export class LeaseTable implements Checkpoints {
  readonly #table: Table;

  constructor(host: TableHost) {
    this.#table = new Table(host);
  }

  /** See `EventLog.lease`. */
  async acquire(id: string, { owner, ttlMs, takeFrom }: LeaseOptions): Promise<Lease | null> {
    if (!(ttlMs > 0)) {
      throw new InvalidArgumentError(
        `Lease '${id}' refused: expected a ttlMs above 0, found ${ttlMs}. Give milliseconds.`,
      );
    }
    // One statement: of two that come at once the second one sees what the first one has done.
    const [row] = await this.#table.write(
      id,
      `acquire lease '${id}'`,
      `INSERT INTO §leases AS l (id, owner, epoch, expires_at)
       SELECT $1, $2, 1, t.now + $3 FROM (SELECT coalesce($4::bigint, §now_ms()) AS now) t
       ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at, epoch =
         CASE WHEN l.expires_at > excluded.expires_at - $3 AND l.epoch IS DISTINCT FROM $5::bigint THEN l.epoch ELSE l.epoch + 1 END
       WHERE l.expires_at <= excluded.expires_at - $3 OR l.owner = excluded.owner OR l.epoch = $5::bigint
       RETURNING epoch, expires_at`,
      [id, owner, Math.ceil(ttlMs), this.#table.now(), takeFrom ?? null],
    );
    if (!row) return null;
    return this.#lease({ id, owner, epoch: Number(row[0]), expiresAt: Number(row[1]) }, ttlMs);
  }

  /** See `EventLog.leaseHolder`. */
  async holder(id: string): Promise<LeaseHolder | undefined> {
    const [row] = await this.#table.ask(
      `read lease '${id}'`,
      'SELECT owner, epoch, expires_at FROM §leases WHERE id = $1 AND expires_at > coalesce($2::bigint, §now_ms())',
      [id, this.#table.now()],
    );
    return row && { owner: row[0] as string, epoch: Number(row[1]), expiresAt: Number(row[2]) };
  }

  async load(id: string): Promise<Position | undefined> {
    const [row] = await this.#table.ask(`read checkpoint '${id}'`, 'SELECT position FROM §checkpoints WHERE id = $1', [
      id,
    ]);
    return row?.[0] as Position | undefined;
  }

  async store(id: string, position: Position, lease: Lease): Promise<void> {
    const [row] = await this.#table.write(
      id,
      `store checkpoint '${id}'`,
      `WITH newest AS (SELECT FROM §leases WHERE id = $3 AND epoch = $4 FOR SHARE)
       INSERT INTO §checkpoints (id, position) SELECT $1, $2 FROM newest
       ON CONFLICT (id) DO UPDATE SET position = excluded.position RETURNING id`,
      [id, position, lease.id, lease.epoch],
    );
    if (row) return;
    throw new LeaseLostError(lease.id, lease.epoch, `a newer one exists, so checkpoint '${id}' was not stored`);
  }

  #lease({ id, owner, epoch, ...claim }: Pick<Lease, 'id' | 'owner' | 'epoch' | 'expiresAt'>, ttlMs: number): Lease {
    let { expiresAt } = claim;
    /** Moves the end of the lease by so much from now, if it is still this one. Gives the new end. */
    const move = async (byMs: number | null): Promise<number | undefined> => {
      const [row] = await this.#table.write(
        id,
        `renew lease '${id}'`,
        `UPDATE §leases SET expires_at = coalesce(coalesce($3::bigint, §now_ms()) + $4::bigint, 0)
         WHERE id = $1 AND epoch = $2 AND expires_at > coalesce($3::bigint, §now_ms()) RETURNING expires_at`,
        [id, epoch, this.#table.now(), byMs],
      );
      return row && Number(row[0]);
    };
    return {
      id,
      owner,
      epoch,
      get expiresAt() {
        return expiresAt;
      },
      renew: async () => {
        const to = await move(Math.ceil(ttlMs));
        if (to === undefined) throw new LeaseLostError(id, epoch);
        expiresAt = to;
      },
      release: async () => {
        await move(null);
      },
    };
  }
}

export class SnapshotTable implements Snapshots {
  readonly #table: Table;

  constructor(host: TableHost) {
    this.#table = new Table(host);
  }

  async load(stream: string): Promise<StoredSnapshot | undefined> {
    const [row] = await this.#table.ask(
      `read the snapshot of stream '${stream}'`,
      'SELECT revision, definition, data, checksum FROM §snapshots WHERE stream = $1',
      [stream],
    );
    if (!row) return undefined;
    const [revision, definition, data, checksum] = row as [unknown, string, string, unknown];
    return { revision: Number(revision), definition, data, checksum: Number(checksum) };
  }

  async save(stream: string, { revision, definition, data, checksum }: StoredSnapshot): Promise<void> {
    const [row] = await this.#table.write(
      stream,
      `write the snapshot of stream '${stream}'`,
      `INSERT INTO §snapshots (stream, revision, definition, data, checksum) SELECT $1, $2, $3, $4, $5
       WHERE NOT EXISTS (SELECT FROM §streams WHERE name = $1 AND deleted)
       ON CONFLICT (stream) DO UPDATE SET revision = excluded.revision, definition = excluded.definition,
         data = excluded.data, checksum = excluded.checksum RETURNING revision`,
      [stream, revision, definition, data, checksum],
    );
    if (!row) throw new StreamDeletedError(stream);
  }
}

export class DefinitionTable implements Definitions {
  readonly #table: Table;

  constructor(host: TableHost) {
    this.#table = new Table(host);
  }

  async load(hash: string): Promise<string | undefined> {
    const [row] = await this.#table.ask(
      `read the definition '${hash}'`,
      'SELECT chart FROM §definitions WHERE hash = $1',
      [hash],
    );
    return row?.[0] as string | undefined;
  }

  async save(hash: string, chart: string): Promise<void> {
    await this.#table.write(
      `definition '${hash}'`,
      `write the definition '${hash}'`,
      'INSERT INTO §definitions (hash, chart) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING',
      [hash, chart],
    );
  }
}
