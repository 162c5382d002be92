/**
 * A step at the gate of a circuit breaker. Owns the order of asking and reporting, and what happens when the breaker
 * cannot be reached; the rules are breaker.ts's.
 *
 * BG1  What changes nothing in the breaker is not sent to it: a healthy dependency costs its breaker no event.
 * BG2  Options given with a key are the breaker's from the first use by this process on; of several, the newest hold.
 * BG3  Asking and reporting are safe to repeat: who asks again with an id gets the permit of that id, and a report carries it
 *      as its message id.
 * BG4  Of a scope of nodes each node has a breaker of its own, named by key and host. One that opened is on the list of the
 *      quorum before the next call of its node is answered, also where its host died in between.
 */
import { InvalidArgumentError, type EffectContext } from 'rewake';
import { breaker, type BreakerEvent } from './breaker.ts';
import { breakerOptions, type BreakerOptions } from './breaker-options.ts';
import {
  answerOf,
  answerWithoutRecord,
  changesNothing,
  needsConfiguring,
  type BreakerSnapshot,
  type CallReport,
  type Permit,
} from './breaker-permit.ts';
import { blockedUntil, breakerQuorum, newsOf, type BreakerQuorumSnapshot } from './breaker-quorum.ts';
import { findOrStart, readUse, tell, type KeyedActor, type KeyedUse } from './keyed-actor.ts';
import { requireKnown, wholeNumber } from './options.ts';
import { CircuitBreakerOpenError } from './recovery-errors.ts';

/**
 * Whose calls a breaker sees and blocks: those of all nodes; those of its own node; or its own, and all when the breakers of
 * so many nodes are open.
 */
export type BreakerScope = 'shared' | 'local' | { readonly quorum: number };

/** A breaker by its key, with its options, its scope, and what to do when it cannot be reached. */
export interface BreakerUse extends BreakerOptions, KeyedUse {
  /** `'shared'` when omitted. A node is a host by its name: give each runtime a `host` that stays the same. */
  readonly scope?: BreakerScope;
}

/** The breaker of a dependency, as one step uses it. */
export class BreakerGate {
  readonly key: string;
  /** Whether a call is made all the same although this kept the breaker from answering. */
  readonly letsPass: (error: unknown) => boolean;
  readonly #options: BreakerOptions | undefined;
  /** How many open nodes block all; undefined where there is no such list. */
  readonly #quorum: number | undefined;
  readonly #list: KeyedActor;
  /** The breaker of all nodes; undefined where each has its own. */
  readonly #shared: KeyedActor | undefined;
  /** Ids of the breakers that are known to have these options. */
  readonly #configured = new Set<string>();

  /** @throws InvalidArgumentError naming the path of what is wrong */
  constructor(use: string | BreakerUse, path: string) {
    const {
      key,
      options: { scope = 'shared', ...options },
      letsPass,
    } = readUse(use, path);
    this.key = key;
    this.letsPass = letsPass;
    breakerOptions(options, path);
    this.#options = Object.keys(options).length > 0 ? options : undefined;
    this.#quorum = quorumOf(scope, `${path}.scope`);
    this.#list = { machine: 'breakerQuorum', logic: breakerQuorum, id: key, input: { key } };
    this.#shared = scope === 'shared' ? this.#breaker(key) : undefined;
  }

  /**
   * Asks for a permit.
   * @param leaseMs how long the call may take: as long a probe is waited for, unless its lease was given
   * @throws CircuitBreakerOpenError
   */
  async enter(context: EffectContext, leaseMs: number | null): Promise<Permit> {
    const id = context.idempotencyKey;
    const lease = leaseMs === null || this.#options?.halfOpen?.lease !== undefined ? {} : { leaseMs };
    const snapshot = await this.#look(context);
    if (this.#quorum !== undefined) await this.#requireFew(this.#quorum, snapshot, context);
    const answer =
      answerWithoutRecord(snapshot, id, context.now()) ??
      answerOf(await this.#tell({ type: 'permit.asked', id, ...lease }, undefined, context), id, context.now());
    if (answer.permit) {
      // Nobody is left to use it.
      if (context.signal.aborted) await this.leave(context, answer.permit, { outcome: 'ignored' });
      return answer.permit;
    }
    const { state, timeoutRemainingMs, lastFailure } = answer.refused;
    // Half-open or isolated: no time is known.
    const remainingMs = state === 'open' ? timeoutRemainingMs : undefined;
    throw new CircuitBreakerOpenError(this.key, state, remainingMs, lastFailure);
  }

  /** Tells the breaker how a call ended that it had let through. Never rejects: the call has its outcome already. */
  async leave(context: EffectContext, permit: Permit, report: CallReport): Promise<void> {
    try {
      if (changesNothing(await this.#look(context), permit, report, context.now())) return;
      const after = await this.#tell({ type: 'outcome.reported', permit, ...report }, `${permit.id}.outcome`, context);
      if (this.#quorum !== undefined) await this.#listed(after, context);
    } catch {
      // What the breaker did not hear it does not count; the lease of a probe runs out by itself.
    }
  }

  async #look(context: EffectContext): Promise<BreakerSnapshot> {
    const actor = this.#actorFor(context);
    const snapshot = (await findOrStart(actor, context)) as unknown as BreakerSnapshot;
    if (!this.#options || this.#configured.has(actor.id)) return snapshot;
    const isNew = needsConfiguring(snapshot, this.#options);
    const configured = isNew
      ? await this.#tell({ type: 'breaker.configured', options: this.#options }, undefined, context)
      : snapshot;
    this.#configured.add(actor.id);
    return configured;
  }

  async #tell(event: BreakerEvent, messageId: string | undefined, context: EffectContext): Promise<BreakerSnapshot> {
    return (await tell(this.#actorFor(context), event, messageId, context)) as unknown as BreakerSnapshot;
  }

  /** Outside rewake this process is the only node there is. */
  #actorFor({ host }: EffectContext): KeyedActor {
    return this.#shared ?? this.#breaker(host === '' ? this.key : `${this.key}@${host}`);
  }

  #breaker(id: string): KeyedActor {
    return { machine: 'breaker', logic: breaker, id, input: { key: id, options: this.#options ?? {} } };
  }

  /** @throws CircuitBreakerOpenError when so many nodes are open */
  async #requireFew(quorum: number, own: BreakerSnapshot, context: EffectContext): Promise<void> {
    const until = blockedUntil(await this.#listed(own, context), quorum, context.now());
    if (until !== undefined) throw new CircuitBreakerOpenError(this.key, 'quorum', until - context.now(), null);
  }

  /** The list of open nodes, with what there is to say of this one (BG4). */
  async #listed(own: BreakerSnapshot, context: EffectContext): Promise<BreakerQuorumSnapshot> {
    const list = (await findOrStart(this.#list, context)) as unknown as BreakerQuorumSnapshot;
    const news = newsOf(list, context.host, own, context.now());
    return news ? ((await tell(this.#list, news, undefined, context)) as unknown as BreakerQuorumSnapshot) : list;
  }
}

function quorumOf(scope: BreakerScope, path: string): number | undefined {
  if (scope === 'shared' || scope === 'local') return undefined;
  if (typeof scope !== 'object' || scope === null) {
    throw InvalidArgumentError.of(path, "'shared', 'local' or { quorum }", scope);
  }
  requireKnown(scope, ['quorum'], path);
  return wholeNumber(scope.quorum, `${path}.quorum`, 1);
}
