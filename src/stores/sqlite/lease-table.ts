/**
 * Leases and checkpoints: small rows beside the log. Owns their statements and rules; they are committed
 * together with appends, by writer.ts.
 *
 * LT1  An epoch on one id never comes again, also not after a release.
 * LT2  Only the newest epoch on its id stores a checkpoint.
 * LT3  No lease is granted or renewed on a file that is not at its path any more: a second host would not see it.
 */
import type { Clock } from '../../clock.ts';
import { InvalidArgumentError, LeaseLostError } from '../../errors.ts';
import type { Checkpoints, Lease, LeaseHolder, LeaseOptions, Position } from '../../log/event-log.ts';
import type { Database, Statement } from './driver.ts';
import type { FileIdentity } from './file-identity.ts';
import type { Work } from './writer.ts';

/** What the table needs from its log. */
export interface LeaseTableHost {
  readonly clock: Clock;
  readonly identity: FileIdentity;
  ensureOpen(): void;
  submit<T>(work: Work<T>): Promise<T>;
  /** Runs a query, with SQLite's errors turned into typed ones. */
  query<T>(doing: string, run: () => T): T;
}

export class LeaseTable implements Checkpoints {
  readonly #host: LeaseTableHost;
  readonly #get: Statement;
  readonly #put: Statement;
  readonly #loadPosition: Statement;
  readonly #storePosition: Statement;

  constructor(db: Database, host: LeaseTableHost) {
    this.#host = host;
    this.#get = db.prepare('SELECT owner, epoch, expires_at FROM leases WHERE id = ?');
    this.#put = db.prepare(
      `INSERT INTO leases (id, owner, epoch, expires_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch, expires_at = excluded.expires_at`,
    );
    this.#loadPosition = db.prepare('SELECT position FROM checkpoints WHERE id = ?');
    this.#storePosition = db.prepare(
      'INSERT INTO checkpoints (id, position) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET position = excluded.position',
    );
  }

  /** See `EventLog.lease`. */
  async acquire(id: string, { owner, ttlMs, takeFrom }: LeaseOptions): Promise<Lease | null> {
    if (!(ttlMs > 0)) {
      throw new InvalidArgumentError(
        `Lease '${id}' refused: expected a ttlMs above 0, found ${ttlMs}. Give milliseconds.`,
      );
    }
    const claim = await this.#submit(id, () => {
      this.#host.identity.compare();
      const found = this.#find(id);
      const living = this.#isLiving(found) ? found : undefined;
      const taken = living !== undefined && takeFrom === living.epoch;
      if (living && !taken && living.owner !== owner) return null;
      const epoch = living && !taken ? living.epoch : (found?.epoch ?? 0) + 1;
      const expiresAt = this.#host.clock.now() + ttlMs;
      this.#put.run(id, owner, epoch, expiresAt);
      return { owner, epoch, expiresAt };
    });
    return claim && this.#lease(id, claim, ttlMs);
  }

  /** See `EventLog.leaseHolder`. */
  holder(id: string): LeaseHolder | undefined {
    const claim = this.#host.query(`read lease '${id}'`, () => this.#find(id));
    return this.#isLiving(claim) ? claim : undefined;
  }

  async load(id: string): Promise<Position | undefined> {
    this.#host.ensureOpen();
    const row = this.#host.query(`read checkpoint '${id}'`, () => this.#loadPosition.get(id));
    return row?.[0] as Position | undefined;
  }

  store(id: string, position: Position, lease: Lease): Promise<void> {
    return this.#submit(id, () => {
      if (this.#find(lease.id)?.epoch !== lease.epoch) {
        throw new LeaseLostError(lease.id, lease.epoch, `a newer one exists, so checkpoint '${id}' was not stored`);
      }
      this.#storePosition.run(id, position);
    });
  }

  #lease(id: string, claim: LeaseHolder, ttlMs: number): Lease {
    const { owner, epoch } = claim;
    let { expiresAt } = claim;
    /** Moves the end of the lease, if it is still this one. */
    const move = (to: number) =>
      this.#submit(id, () => {
        this.#host.identity.compare();
        const found = this.#find(id);
        const own = found?.epoch === epoch && this.#isLiving(found);
        if (own) this.#put.run(id, owner, epoch, to);
        return own;
      });
    return {
      id,
      owner,
      epoch,
      get expiresAt() {
        return expiresAt;
      },
      renew: async () => {
        const to = this.#host.clock.now() + ttlMs;
        if (!(await move(to))) throw new LeaseLostError(id, epoch);
        expiresAt = to;
      },
      release: async () => {
        try {
          await move(0);
        } catch (error) {
          // With its file the lease is gone, too.
          if (!this.#host.identity.lost) throw error;
        }
      },
    };
  }

  #find(id: string): LeaseHolder | undefined {
    const row = this.#get.get(id);
    if (!row) return undefined;
    const [owner, epoch, expiresAt] = row as [string, number, number];
    return { owner, epoch, expiresAt };
  }

  #isLiving(claim: LeaseHolder | undefined): boolean {
    return claim !== undefined && claim.expiresAt > this.#host.clock.now();
  }

  #submit<T>(subject: string, apply: () => T): Promise<T> {
    return this.#host.submit({ subject, streams: [], apply });
  }
}
