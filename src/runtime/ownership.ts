/**
 * Who may run the actors of a log. Owns the lease that keeps a second host off it; what happens when it is lost is the
 * runtime's.
 *
 * O1  At most one host runs the actors of a log; the expected revision of every append stands behind it as a fence.
 * O2  A host that died on this machine is replaced at once: its process is gone. Elsewhere, and in another thread of this
 *     process, its lease has to run out.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { sleep, type Clock } from '../clock.ts';
import { LeaseLostError, LogOwnedError, LogUnavailableError } from '../errors.ts';
import type { EventLog, Lease, LeaseHolder } from '../log/event-log.ts';
import type { Logger } from './logger.ts';

const leaseId = 'rewake.host';
/** Runtimes of this thread that hold a lease: the ones that process and thread cannot tell apart. */
const liveOwners = new Set<string>();

export interface OwnershipOptions {
  readonly ttlMs: number;
  /**
   * How long to wait for another host to leave. Left out: not at all while its process is known to run on this machine,
   * otherwise until its lease has run out.
   */
  readonly waitMs: number | undefined;
}

export class Ownership {
  readonly owner = `${hostname()}/${process.pid}/${threadId}/${randomUUID().slice(0, 8)}`;
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #options: OwnershipOptions;
  readonly #onLost: (error: unknown) => void;
  #lease: Lease | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(
    log: EventLog,
    clock: Clock,
    logger: Logger,
    options: OwnershipOptions,
    onLost: (error: unknown) => void,
  ) {
    this.#log = log;
    this.#clock = clock;
    this.#logger = logger;
    this.#options = options;
    this.#onLost = onLost;
  }

  /** @throws LogOwnedError when another host runs on the log and does not leave in time */
  async acquire(): Promise<void> {
    const begun = this.#clock.now();
    for (;;) {
      const holder = await this.#log.leaseHolder(leaseId);
      const life = holder && lifeOf(holder);
      const takeFrom = life === 'dead' ? { takeFrom: holder!.epoch } : {};
      const leftMs = Math.max(0, (holder?.expiresAt ?? 0) - begun);
      const waitMs = this.#options.waitMs ?? (life === 'alive' ? 0 : leftMs + this.#options.ttlMs / 5);
      const lease = await this.#log.lease(leaseId, { owner: this.owner, ttlMs: this.#options.ttlMs, ...takeFrom });
      if (lease) {
        this.#lease = lease;
        liveOwners.add(this.owner);
        this.#scheduleRenewal();
        return;
      }
      if (this.#clock.now() >= begun + waitMs) {
        throw new LogOwnedError(this.#log.name, holder?.owner ?? 'unknown', holder?.expiresAt ?? this.#clock.now());
      }
      await sleep(this.#clock, Math.min(200, this.#options.ttlMs / 4));
    }
  }

  async release(): Promise<void> {
    this.#cancelTimer?.();
    liveOwners.delete(this.owner);
    await this.#lease?.release();
    this.#lease = undefined;
  }

  #scheduleRenewal(): void {
    const dueAt = this.#clock.now() + this.#options.ttlMs / 3;
    this.#cancelTimer = this.#clock.setTimer(dueAt, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const lease = this.#lease;
    if (!lease) return;
    // A log that does not answer must not keep us believing that the lease is ours.
    const cancelExpiry = this.#clock.setTimer(lease.expiresAt, () => {
      if (this.#lease === lease)
        this.#lose(new LeaseLostError(leaseId, lease.epoch, 'it ran out before it could be renewed'));
    });
    try {
      await lease.renew();
      if (this.#lease === lease) this.#scheduleRenewal();
    } catch (error) {
      if (this.#lease !== lease) return;
      const isFinal = error instanceof LeaseLostError || (error instanceof LogUnavailableError && !error.retryable);
      if (!isFinal && this.#clock.now() < lease.expiresAt) {
        this.#logger.warn({ err: error }, 'the lease on the log could not be renewed; trying again');
        return this.#scheduleRenewal();
      }
      this.#lose(error);
    } finally {
      cancelExpiry();
    }
  }

  #lose(error: unknown): void {
    liveOwners.delete(this.owner);
    this.#lease = undefined;
    this.#onLost(error);
  }
}

/** Who holds the lease on a log, and what is known of its process (O2); null when nobody does. */
export async function hostOf(log: Pick<EventLog, 'leaseHolder'>) {
  const holder = await log.leaseHolder(leaseId);
  return holder ? { owner: holder.owner, expiresAt: holder.expiresAt, life: lifeOf(holder) } : null;
}

/** O2. Whether the holder's process is known to run, known to be gone, or on another machine. */
function lifeOf({ owner }: LeaseHolder): 'alive' | 'dead' | 'unknown' {
  const [host, pidText, thread] = owner.split('/');
  const pid = Number(pidText);
  if (host !== hostname() || !Number.isInteger(pid)) return 'unknown';
  if (pid === process.pid) {
    if (thread !== `${threadId}`) return 'unknown';
    // This very thread under another name: an earlier life of the process, as after a restart of a container.
    return liveOwners.has(owner) ? 'alive' : 'dead';
  }
  try {
    process.kill(pid, 0);
    return isZombie(pid) ? 'dead' : 'alive';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'dead' : 'alive';
  }
}

/** A process that was killed and that its parent has not collected still answers to signals. Known only on Linux. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
