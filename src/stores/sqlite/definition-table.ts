/**
 * Machine definitions as data, one per hash. Owns their statements; what is in a text is not known here.
 *
 * DT1  A text never changes under its hash: who is first is kept.
 * DT2  A file that an older version wrote, opened to be read, has no such table: then there is none of them.
 */
import type { Definitions } from '../../log/event-log.ts';
import type { Database, Statement } from './driver.ts';
import type { LeaseTableHost } from './lease-table.ts';

export class DefinitionTable implements Definitions {
  readonly #db: Database;
  readonly #host: LeaseTableHost;
  #get: Statement | undefined;

  constructor(db: Database, host: LeaseTableHost) {
    this.#db = db;
    this.#host = host;
  }

  async load(hash: string): Promise<string | undefined> {
    this.#host.ensureOpen();
    const row = this.#host.query(`read the definition '${hash}'`, () => this.#statement()?.get(hash));
    return row?.[0] as string | undefined;
  }

  save(hash: string, chart: string): Promise<void> {
    return this.#host.submit({
      subject: `definition '${hash}'`,
      streams: [],
      apply: () => {
        this.#db
          .prepare('INSERT INTO definitions (hash, chart) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING')
          .run(hash, chart);
      },
    });
  }

  /** DT2. */
  #statement(): Statement | undefined {
    if (!this.#get) {
      const [isThere] = this.#db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'definitions'").get()!;
      if (isThere) this.#get = this.#db.prepare('SELECT chart FROM definitions WHERE hash = ?');
    }
    return this.#get;
  }
}
