/**
 * Stored snapshots, one per stream. Owns their statements; they are caches, so nothing here is ever an answer about what
 * happened.
 *
 * ST1  A snapshot that comes late does not bring back what was deleted.
 */
import { StreamDeletedError } from '../../errors.ts';
import type { Snapshots, StoredSnapshot } from '../../log/event-log.ts';
import type { Database, Statement } from './driver.ts';
import type { LeaseTableHost } from './lease-table.ts';
import type { StreamCache } from './stream-cache.ts';

export class SnapshotTable implements Snapshots {
  readonly #host: LeaseTableHost;
  readonly #cache: StreamCache;
  readonly #get: Statement;
  readonly #put: Statement;

  constructor(db: Database, cache: StreamCache, host: LeaseTableHost) {
    this.#host = host;
    this.#cache = cache;
    this.#get = db.prepare('SELECT revision, definition, data, checksum FROM snapshots WHERE stream = ?');
    this.#put = db.prepare(
      `INSERT INTO snapshots (stream, revision, definition, data, checksum) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (stream) DO UPDATE SET revision = excluded.revision, definition = excluded.definition,
         data = excluded.data, checksum = excluded.checksum`,
    );
  }

  async load(stream: string): Promise<StoredSnapshot | undefined> {
    this.#host.ensureOpen();
    const row = this.#host.query(`read the snapshot of stream '${stream}'`, () => this.#get.get(stream));
    if (!row) return undefined;
    const [revision, definition, data, checksum] = row as [number, string, string, number];
    return { revision, definition, data, checksum };
  }

  save(stream: string, { revision, definition, data, checksum }: StoredSnapshot): Promise<void> {
    return this.#host.submit({
      subject: stream,
      streams: [stream],
      apply: () => {
        if (this.#cache.get(stream).deleted) throw new StreamDeletedError(stream);
        this.#put.run(stream, revision, definition, data, checksum);
      },
    });
  }
}
