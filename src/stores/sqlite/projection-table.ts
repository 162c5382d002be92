/**
 * Kept states of projections, in the file of their log. Owns their statements; what is in a state is not known here.
 *
 * PT1  A save is one work of the writer's: state, position and what it replaces change in one transaction.
 * PT2  The checksum is over position and data: a state that belongs to another place in the log is found, too.
 */
import { LeaseLostError } from '../../errors.ts';
import { isIntactText, sealText } from '../../log/envelope.ts';
import type { Position } from '../../log/event-log.ts';
import type { ProjectionSlot, ProjectionStore, StoredProjection } from '../../log/projection-store.ts';
import type { Database, SqlRow, Statement } from './driver.ts';
import type { LeaseTableHost } from './lease-table.ts';

export class ProjectionTable implements ProjectionStore {
  readonly #host: LeaseTableHost;
  readonly #get: Statement;
  readonly #served: Statement;
  readonly #epoch: Statement;
  readonly #put: Statement;
  readonly #dropBuilding: Statement;
  readonly #drop: Statement;

  constructor(db: Database, host: LeaseTableHost) {
    this.#host = host;
    const columns = 'epoch, position, data, checksum';
    this.#get = db.prepare(`SELECT ${columns} FROM projections WHERE name = ? AND version = ? AND slot = ?`);
    this.#served = db.prepare(
      `SELECT ${columns}, version FROM projections WHERE name = ? AND slot = 'kept' ORDER BY version DESC LIMIT 1`,
    );
    this.#epoch = db.prepare('SELECT max(epoch) FROM projections WHERE name = ? AND version = ?');
    this.#put = db.prepare(
      `INSERT INTO projections (name, version, slot, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (name, version, slot) DO UPDATE SET epoch = excluded.epoch, position = excluded.position,
         data = excluded.data, checksum = excluded.checksum`,
    );
    this.#dropBuilding = db.prepare("DELETE FROM projections WHERE name = ? AND version = ? AND slot = 'building'");
    this.#drop = db.prepare('DELETE FROM projections WHERE name = ? AND version = ?');
  }

  async load(name: string, version: number, slot: ProjectionSlot): Promise<StoredProjection | undefined> {
    this.#host.ensureOpen();
    const row = this.#host.query(`read projection '${name}'`, () => this.#get.get(name, version, slot));
    return row && storedIn(row);
  }

  async served(name: string): Promise<{ readonly version: number; readonly stored: StoredProjection } | undefined> {
    this.#host.ensureOpen();
    const row = this.#host.query(`read projection '${name}'`, () => this.#served.get(name));
    const stored = row && storedIn(row);
    return stored && { version: row[4] as number, stored };
  }

  save(name: string, version: number, slot: ProjectionSlot, stored: StoredProjection): Promise<void> {
    const { epoch, position, data } = stored;
    return this.#submit(name, () => {
      const newest = (this.#epoch.get(name, version)?.[0] as number | null | undefined) ?? 0;
      if (epoch < newest) {
        throw new LeaseLostError(`${name} ${version}`, epoch, `a writer with epoch ${newest} has saved since`);
      }
      this.#put.run(name, version, slot, epoch, position ?? null, data, sealText(sealed(position, data)));
      if (slot === 'kept') this.#dropBuilding.run(name, version);
    });
  }

  remove(name: string, version: number): Promise<void> {
    return this.#submit(name, () => this.#drop.run(name, version));
  }

  #submit(name: string, apply: () => void): Promise<void> {
    return this.#host.submit({ subject: `projection ${name}`, streams: [], apply });
  }
}

function sealed(position: string | null | undefined, data: string): string {
  return `${position ?? ''} ${data}`;
}

function storedIn(row: SqlRow): StoredProjection | undefined {
  const [epoch, position, data, checksum] = row as unknown as [number, string | null, unknown, number];
  if (typeof data !== 'string' || !isIntactText(sealed(position, data), checksum)) return undefined;
  return { epoch, position: (position as Position | null) ?? undefined, data };
}
