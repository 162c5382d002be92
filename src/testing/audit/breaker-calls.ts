/**
 * 17 and 18: an open circuit breaker lets nobody through, a half-open one no more than its permits, and it does not stay
 * half-open because a probe died. Owns what a breaker's own stream tells of that: its facts and what it was sent.
 *
 * BC1  How many permits there are is known from the breaker's options: of its start, or of the newest `breaker.configured`.
 * BC2  New options while half-open may begin that phase anew, which no fact says: the rest of it is not judged.
 */
import type { AuditedEvent, StreamJudge } from './stream-judge.ts';
import { evidenceOf, none, violation, type Evidence, type Overdue, type Violation } from './violation.ts';

interface Probe {
  readonly gen: number;
  readonly leaseUntil: number;
  readonly admitted: Evidence;
}

interface Opening {
  readonly until: number;
  readonly by: Evidence;
}

type Fields = AuditedEvent['fields'];

/** What a message to a breaker holds. */
interface Sent {
  readonly type?: unknown;
  readonly id?: unknown;
  readonly outcome?: unknown;
  readonly permit?: { readonly id?: unknown; readonly gen?: unknown };
  readonly options?: unknown;
}

type BreakerState = 'open' | 'halfOpen' | 'other';

const outcomes: ReadonlySet<unknown> = new Set(['success', 'failure', 'ignored']);
const permitsDefault = 1;

export class BreakerCalls implements StreamJudge {
  #state: BreakerState | undefined;
  #opening: Opening | undefined;
  #probes = new Map<unknown, Probe>();
  /** Outcomes that used up a permit of this half-open phase. */
  #settled = 0;
  #permits: number | undefined;
  #permitsBefore: number | undefined;
  /** BC2. */
  #isSure = false;
  /** Who asked last, and ought to be admitted. */
  #asked: { readonly id: unknown; readonly why: string; readonly by: Evidence } | undefined;
  #at = 0;

  push(event: AuditedEvent): readonly Violation[] {
    if (event.isFact) return isBreakerFact(event) ? this.#told(event) : none;
    const refused = this.#refused();
    this.#at = event.at;
    if (event.type === 'ActorStarted') this.#permits = permitsOf(event.fields.input);
    else if (event.type === 'ActorRebased') this.forget();
    else if (event.type === 'EventReceived' && event.fields.to === '/') this.#hear(event);
    return refused;
  }

  forget(): void {
    this.#enter(undefined);
    this.#opening = undefined;
    this.#permits = undefined;
    this.#asked = undefined;
  }

  end(): void {
    this.forget();
  }

  /** 18. */
  overdue(): readonly Overdue[] {
    const refused = this.#refused().map((each) => ({ dueAt: 0, violation: each }));
    if (refused.length > 0 || this.#state !== 'halfOpen' || !this.#isSure) return refused;
    return [...this.#probes].map(([id, { leaseUntil, admitted }]) => ({
      dueAt: leaseUntil,
      violation: violation(
        18,
        admitted,
        `the breaker is still half-open; probe '${String(id)}' was to report by ${leaseUntil}, and nobody took its place`,
      ),
    }));
  }

  #told(event: AuditedEvent): readonly Violation[] {
    const { type, fields } = event;
    switch (type) {
      case 'CircuitOpened':
        this.#enter('open');
        this.#opening = { until: fields.openUntil as number, by: evidenceOf(event) };
        return none;
      case 'CircuitHalfOpened':
        return this.#halfOpened(event);
      case 'ProbeAdmitted':
        return this.#admitted(event);
      case 'ProbeExpired':
        this.#probes.delete(fields.id);
        return none;
      case 'BreakerOptionsRefused':
        this.#permits = this.#permitsBefore;
        return none;
      case 'CircuitClosed':
      case 'CircuitIsolated':
      case 'CircuitReleased':
      case 'CircuitDisabled':
      case 'CircuitEnabled':
        this.#enter('other');
        return none;
      default:
        return none;
    }
  }

  #halfOpened(event: AuditedEvent): readonly Violation[] {
    const opening = this.#opening;
    const isEarly = this.#state === 'open' && opening && this.#at < opening.until;
    this.#enter('halfOpen');
    this.#isSure = true;
    if (!isEarly) return none;
    return [
      violation(17, event, `it half-opens ${opening.until - this.#at} ms before its opening is over`, opening.by),
    ];
  }

  #admitted(event: AuditedEvent): readonly Violation[] {
    const { id, gen, leaseUntil } = event.fields as { id: unknown; gen: number; leaseUntil: number };
    if (this.#asked?.id === id) this.#asked = undefined;
    const found = this.#admissionFaults(event, id);
    this.#probes.set(id, { gen, leaseUntil, admitted: evidenceOf(event) });
    return found;
  }

  #admissionFaults(event: AuditedEvent, id: unknown): readonly Violation[] {
    if (this.#state === 'open') {
      this.#enter('other');
      return [violation(17, event, 'it admits a call while it is open', ...(this.#opening ? [this.#opening.by] : []))];
    }
    if (this.#state !== 'halfOpen' || this.#permits === undefined || !this.#isSure) return none;
    const others = this.#running().filter(([other]) => other !== id);
    const used = others.length + this.#settled + 1;
    if (used <= this.#permits) return none;
    const message = `it admits call ${used} of a half-open phase that has ${this.#permits} permits`;
    return [violation(17, event, message, ...others.map(([, { admitted }]) => admitted))];
  }

  #hear(event: AuditedEvent): void {
    const sent = event.fields.event as Sent;
    if (typeof sent !== 'object' || sent === null) return;
    if (sent.type === 'outcome.reported') this.#hearOutcome(sent);
    if (sent.type === 'permit.asked') this.#hearQuestion(event, sent);
    if (sent.type !== 'breaker.configured') return;
    this.#permitsBefore = this.#permits;
    this.#permits = permitsOf(sent);
    if (this.#state === 'halfOpen') this.#isSure = false;
  }

  #hearOutcome({ permit, outcome }: Sent): void {
    const probe = this.#probes.get(permit?.id);
    if (!probe || probe.gen !== permit?.gen || this.#at >= probe.leaseUntil || !outcomes.has(outcome)) return;
    this.#probes.delete(permit.id);
    if (outcome !== 'ignored') this.#settled++;
  }

  #hearQuestion(event: AuditedEvent, { id }: Sent): void {
    if (this.#state !== 'halfOpen' || !this.#isSure) return;
    const running = this.#running();
    if (running.some(([other]) => other === id)) return;
    const isOverdue = running.length < this.#probes.size;
    const isFree = this.#permits !== undefined && this.#probes.size + this.#settled < this.#permits;
    if (!isOverdue && !isFree) return;
    const why = isOverdue ? 'the probe before is overdue' : 'a permit is free';
    this.#asked = { id, why, by: evidenceOf(event) };
  }

  /** 18. Who was not admitted by the facts of its own stimulus is not. */
  #refused(): readonly Violation[] {
    const asked = this.#asked;
    this.#asked = undefined;
    return asked
      ? [violation(18, asked.by, `a half-open breaker does not admit who asks although ${asked.why}`)]
      : none;
  }

  #running(): (readonly [unknown, Probe])[] {
    return [...this.#probes].filter(([, { leaseUntil }]) => this.#at < leaseUntil);
  }

  #enter(state: BreakerState | undefined): void {
    this.#state = state;
    this.#probes = new Map();
    this.#settled = 0;
    this.#isSure = false;
  }
}

/** A fact of a breaker that is the root of its stream. */
function isBreakerFact({ meta, fields }: AuditedEvent): boolean {
  return meta.actor === '/' && typeof fields.key === 'string';
}

/** BC1. Of what a breaker is started with, or of what configures it. */
function permitsOf(holder: unknown): number | undefined {
  if (!isObject(holder)) return undefined;
  const { options } = holder;
  if (options === undefined) return permitsDefault;
  if (!isObject(options)) return undefined;
  const { halfOpen } = options;
  const permits = isObject(halfOpen) ? (halfOpen.permits ?? permitsDefault) : permitsDefault;
  return typeof permits === 'number' ? permits : undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
