/**
 * Machine definitions as data, one per hash. Owns their statements; what is in a text is not known here.
 *
 * DT1  A text never changes under its hash: who is first is kept.
 */
import type { Definitions } from '../../log/event-log.ts';
import type { Database, Statement } from './driver.ts';
import type { LeaseTableHost } from './lease-table.ts';

export class DefinitionTable implements Definitions {
  readonly #host: LeaseTableHost;
  readonly #get: Statement;
  readonly #put: Statement;

  constructor(db: Database, host: LeaseTableHost) {
    this.#host = host;
    this.#get = db.prepare('SELECT chart FROM definitions WHERE hash = ?');
    this.#put = db.prepare('INSERT INTO definitions (hash, chart) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING');
  }

  async load(hash: string): Promise<string | undefined> {
    this.#host.ensureOpen();
    const row = this.#host.query(`read the definition '${hash}'`, () => this.#get.get(hash));
    return row?.[0] as string | undefined;
  }

  save(hash: string, chart: string): Promise<void> {
    return this.#host.submit({
      subject: `definition '${hash}'`,
      streams: [],
      apply: () => this.#put.run(hash, chart),
    });
  }
}
