/**
 * Leases and checkpoints in memory. Owns epochs and their expiry on a clock; who needs a lease for what is the runtime's.
 *
 * LE1  An epoch on one id never comes again, also not after a release.
 * LE2  Only the newest epoch on its id stores a checkpoint.
 */
import type { Clock } from '../clock.ts';
import { InvalidArgumentError, LeaseLostError } from '../errors.ts';
import type { Checkpoints, Lease, LeaseHolder, LeaseOptions, Position } from './event-log.ts';

interface Claim {
  owner: string;
  epoch: number;
  expiresAt: number;
}

/** The leases and checkpoints of one memory log. */
export class MemoryLeases implements Checkpoints {
  readonly #clock: Clock;
  /** Throws when the log is closed. */
  readonly #ensureOpen: () => void;
  readonly #claims = new Map<string, Claim>();
  readonly #positions = new Map<string, Position>();

  constructor(clock: Clock, ensureOpen: () => void) {
    this.#clock = clock;
    this.#ensureOpen = ensureOpen;
  }

  /** See `EventLog.lease`. */
  acquire(id: string, { owner, ttlMs, takeFrom }: LeaseOptions): Lease | null {
    this.#ensureOpen();
    if (!(ttlMs > 0)) {
      throw new InvalidArgumentError(
        `Lease '${id}' refused: expected a ttlMs above 0, found ${ttlMs}. Give milliseconds.`,
      );
    }
    const claim = this.#claims.get(id);
    const living = claim !== undefined && this.#isLiving(claim);
    const taken = living && takeFrom === claim.epoch;
    if (living && !taken && claim.owner !== owner) return null;
    const epoch = living && !taken ? claim.epoch : (claim?.epoch ?? 0) + 1;
    const expiresAt = this.#clock.now() + ttlMs;
    this.#claims.set(id, { owner, epoch, expiresAt });
    return this.#lease(id, owner, epoch, expiresAt, ttlMs);
  }

  /** See `EventLog.leaseHolder`. */
  holder(id: string): LeaseHolder | undefined {
    this.#ensureOpen();
    const claim = this.#claims.get(id);
    return claim && this.#isLiving(claim) ? { ...claim } : undefined;
  }

  async load(id: string): Promise<Position | undefined> {
    this.#ensureOpen();
    return this.#positions.get(id);
  }

  async store(id: string, position: Position, lease: Lease): Promise<void> {
    this.#ensureOpen();
    if (this.#claims.get(lease.id)?.epoch !== lease.epoch) {
      throw new LeaseLostError(lease.id, lease.epoch, `a newer one exists, so checkpoint '${id}' was not stored`);
    }
    this.#positions.set(id, position);
  }

  #isLiving(claim: Claim): boolean {
    return claim.expiresAt > this.#clock.now();
  }

  #lease(id: string, owner: string, epoch: number, firstExpiresAt: number, ttlMs: number): Lease {
    let expiresAt = firstExpiresAt;
    /** The claim while it is this lease's, undefined once it is lost. */
    const own = () => {
      const claim = this.#claims.get(id);
      return claim?.epoch === epoch && this.#isLiving(claim) ? claim : undefined;
    };
    return {
      id,
      owner,
      epoch,
      get expiresAt() {
        return expiresAt;
      },
      renew: async () => {
        this.#ensureOpen();
        const claim = own();
        if (!claim) throw new LeaseLostError(id, epoch);
        expiresAt = claim.expiresAt = this.#clock.now() + ttlMs;
      },
      release: async () => {
        const claim = own();
        if (claim) claim.expiresAt = -Infinity;
      },
    };
  }
}
