/**
 * A step at the gate of a circuit breaker. Owns the order of asking and reporting, and what happens when the breaker
 * cannot be reached; the rules are breaker.ts's.
 *
 * BG1  What changes nothing in the breaker is not sent to it: a healthy dependency costs its breaker no event.
 * BG2  Options given with a key are the breaker's from the first use by this process on; of several, the newest hold (KG1).
 * BG3  Asking and reporting are safe to repeat: who asks again with an id gets the permit of that id, and the report of a
 *      permit counts once (K9).
 * BG4  Of a scope of nodes each node has a breaker of its own, named by key and host. One that opened is on the list of the
 *      quorum before the next call of its node is answered, also where its host died in between.
 */
import { InvalidArgumentError, type Duration, type EffectContext } from 'rewake';
import { breaker } from './breaker.ts';
import type { BreakerEvent } from './breaker-facts.ts';
import { breakerOptionNames, breakerOptions, type BreakerOptions } from './breaker-options.ts';
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
import { KeyedGate, readUse, type KeyedUse } from './keyed-gate.ts';
import { durationMs, requireKnown, wholeNumber } from './options.ts';
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
  /**
   * How long in a row a call that is refused is asked for again, between waits, downtime included; needs retries. When omitted:
   * as far as the deadline of the step allows, where it has one, otherwise not at all.
   */
  readonly wait?: Duration;
}

/** The breaker of a dependency, as one step uses it. */
export class BreakerGate {
  readonly key: string;
  /** Whether a call is made all the same although this kept the breaker from answering. */
  readonly letsPass: (error: unknown) => boolean;
  /** How long a refused call is asked for again, in ms; undefined where nothing was said. */
  readonly waitMs: number | undefined;
  readonly #options: BreakerOptions;
  /** How many open nodes block all; undefined where there is no such list. */
  readonly #quorum: number | undefined;
  readonly #list: KeyedGate<BreakerQuorumSnapshot>;
  readonly #isShared: boolean;
  /** By their ids: one where it is shared, else one for each host that ran in this process. */
  readonly #breakers = new Map<string, KeyedGate<BreakerSnapshot>>();

  /** @throws InvalidArgumentError naming the path of what is wrong */
  constructor(use: string | BreakerUse, path: string) {
    const {
      key,
      options: { scope = 'shared', wait, ...options },
      letsPass,
    } = readUse(use, [...breakerOptionNames, 'scope', 'wait'], path);
    this.key = key;
    this.letsPass = letsPass;
    this.waitMs = wait === undefined ? undefined : durationMs(wait, `${path}.wait`);
    breakerOptions(options, path);
    this.#options = options;
    this.#quorum = quorumOf(scope, `${path}.scope`);
    this.#list = new KeyedGate({ machine: 'breakerQuorum', logic: breakerQuorum, id: key, input: { key } });
    this.#isShared = scope === 'shared';
  }

  /**
   * Asks for a permit.
   * @param leaseMs how long the call may take: as long a probe is waited for, unless its lease was given
   * @throws CircuitBreakerOpenError
   */
  async enter(context: EffectContext, leaseMs: number | null): Promise<Permit> {
    const id = context.idempotencyKey;
    const lease = leaseMs === null || this.#options.halfOpen?.lease !== undefined ? {} : { leaseMs };
    const breakerOfNode = this.#breakerFor(context);
    const snapshot = await breakerOfNode.look(context);
    if (this.#quorum !== undefined) await this.#requireFew(this.#quorum, snapshot, context);
    const answer =
      answerWithoutRecord(snapshot, id, context.now()) ??
      answerOf(await breakerOfNode.tell({ type: 'permit.asked', id, ...lease }, context), id, context.now());
    if (answer.permit) {
      // Nobody is left to probe.
      if (answer.permit.probe && context.signal.aborted)
        await this.leave(context, answer.permit, { outcome: 'ignored' });
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
      const breakerOfNode = this.#breakerFor(context);
      if (changesNothing(await breakerOfNode.look(context), permit, report, context.now())) return;
      const after = await breakerOfNode.tell({ type: 'outcome.reported', permit, ...report }, context);
      if (this.#quorum !== undefined) await this.#listed(after, context);
    } catch {
      // What the breaker did not hear it does not count; the lease of a probe runs out by itself.
    }
  }

  /** Outside rewake this process is the only node there is. */
  #breakerFor({ host }: EffectContext): KeyedGate<BreakerSnapshot> {
    const id = this.#isShared || host === '' ? this.key : `${this.key}@${host}`;
    let gate = this.#breakers.get(id);
    if (!gate) this.#breakers.set(id, (gate = breakerGate(id, this.#options)));
    return gate;
  }

  /** @throws CircuitBreakerOpenError when so many nodes are open */
  async #requireFew(quorum: number, own: BreakerSnapshot, context: EffectContext): Promise<void> {
    const until = blockedUntil(await this.#listed(own, context), quorum, context.now());
    if (until !== undefined) throw new CircuitBreakerOpenError(this.key, 'quorum', until - context.now(), null);
  }

  /** The list of open nodes, with what there is to say of this one (BG4). */
  async #listed(own: BreakerSnapshot, context: EffectContext): Promise<BreakerQuorumSnapshot> {
    const list = await this.#list.look(context);
    const news = newsOf(list, context.host, own, context.now());
    return news ? this.#list.tell(news, context) : list;
  }
}

function breakerGate(id: string, options: BreakerOptions): KeyedGate<BreakerSnapshot> {
  const event: BreakerEvent = { type: 'breaker.configured', options };
  const isNew = (snapshot: BreakerSnapshot) => needsConfiguring(snapshot, options);
  const actor = { machine: 'breaker', logic: breaker, id, input: { key: id, options } };
  return new KeyedGate(actor, Object.keys(options).length > 0 ? { isNew, event } : undefined);
}

function quorumOf(scope: BreakerScope, path: string): number | undefined {
  if (scope === 'shared' || scope === 'local') return undefined;
  if (typeof scope !== 'object' || scope === null) {
    throw InvalidArgumentError.of(path, "'shared', 'local' or { quorum }", scope);
  }
  requireKnown(scope, ['quorum'], path);
  return wholeNumber(scope.quorum, `${path}.quorum`, 1);
}
