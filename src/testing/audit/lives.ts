/**
 * 10, 12, 13, 14 and 21: effects and children say nothing before they begin, and nothing after they are over. Owns which lives
 * are open in a stream; those of timers are timers.ts's.
 *
 * LI1  The number in an address is counted up and never used again, so one that is not above all before is an old one.
 * LI2  That a transition ended an effect is in no event: such an effect is taken for open until its actor ends.
 * LI3  Of two children of one id the older one cannot be stopped any more, as under XState: its end is not known.
 */
import type { LostEffect, TransitionRecord } from '../../kernel/stimulus.ts';
import { lifeOf, parentOf, placeOf } from './addresses.ts';
import { causeFaults } from './causes.ts';
import type { Recent } from './recent.ts';
import { sourceOf, standingIn, type AuditedEvent, type Source, type StreamJudge } from './stream-judge.ts';
import { evidenceOf, none, violation, type Evidence, type Violation } from './violation.ts';

/** How an effect ended. */
export interface Closing {
  readonly how: 'outcome' | 'stopped';
  readonly by: Evidence;
}

const started = 'xstate.init';

export class Lives implements StreamJudge {
  readonly #closings: Recent<Closing>;
  /** Effects without an end, by address; what they come from where that is known. */
  #pending = new Map<string, Source | undefined>();
  /** The newest open life of each place. */
  #newest = new Map<string, string>();
  /** Open lives whose id a younger child took (LI3). */
  #hidden = new Set<string>();
  /** Machines that run, but for the root. */
  #machines = new Set<string>();
  #highest = 0;
  #isComplete = true;

  /** @param closings of all streams */
  constructor(closings: Recent<Closing>) {
    this.#closings = closings;
  }

  push(event: AuditedEvent): readonly Violation[] {
    if (event.isFact) return none;
    if (event.type === 'ActorRebased') return this.#rebase(event);
    const found = this.#said(event);
    if (event.transitions.length === 0 && event.intents.length === 0) return found;
    const highest = this.#highest;
    return [
      ...found,
      ...event.transitions.flatMap((transition) => this.#move(event, transition, highest)),
      ...this.#begin(event, highest),
    ];
  }

  forget(): void {
    this.#isComplete = false;
  }

  end(): void {
    this.#pending = new Map();
    this.#newest = new Map();
    this.#hidden = new Set();
    this.#machines = new Set();
  }

  overdue(): [] {
    return [];
  }

  /** What an effect said, or what was decided about one. */
  #said(event: AuditedEvent): readonly Violation[] {
    const { type, fields } = event;
    const address = fields.actor as string;
    switch (type) {
      case 'EffectSucceeded':
        return this.#outcome(event, address);
      case 'EffectFailed':
        if (fields.action !== true) return this.#outcome(event, address);
        // The code of any actor may throw, also of one that no event tells of.
        if (this.#pending.has(address)) this.#close(address, { how: 'outcome', by: evidenceOf(event) }, event);
        return none;
      case 'EffectProgressed':
        return this.#spoken(event, address);
      case 'ActorResumed':
        return ((fields.effects ?? []) as readonly LostEffect[]).flatMap(({ actor }) =>
          this.#pending.has(actor) ? none : this.#over(event, actor, `decides about ${actor}`),
        );
      default:
        return none;
    }
  }

  #spoken(event: AuditedEvent, address: string): readonly Violation[] {
    if (!this.#pending.has(address)) return this.#over(event, address, `${address} says something`);
    return causeFaults(event, this.#pending.get(address));
  }

  #outcome(event: AuditedEvent, address: string): readonly Violation[] {
    const found = this.#pending.has(address)
      ? causeFaults(event, this.#pending.get(address))
      : this.#over(event, address, `${address} has an outcome`);
    this.#close(address, { how: 'outcome', by: evidenceOf(event) }, event);
    return found;
  }

  /** Something of an effect that is not open. */
  #over(event: AuditedEvent, address: string, what: string): readonly Violation[] {
    const closing = this.#closings.get(keyOf(event.stream, address));
    if (closing?.how === 'stopped') return [violation(21, event, `${what}, after it was stopped`, closing.by)];
    if (closing) {
      const isSecond = event.type === 'EffectSucceeded' || event.type === 'EffectFailed';
      return [violation(isSecond ? 13 : 14, event, `${what}, and had its outcome before`, closing.by)];
    }
    if (!this.#isComplete) return none;
    if (lifeOf(address) > this.#highest) return [violation(10, event, `${what}, and no event intends it`)];
    return [violation(14, event, `${what}, and is over`)];
  }

  #move(event: AuditedEvent, { actor, event: type, status }: TransitionRecord, highest: number): readonly Violation[] {
    if (actor === '/') return none;
    const found: Violation[] = [];
    if (type === started) {
      if (lifeOf(actor) <= highest)
        found.push(violation(14, event, `${actor} begins, and the number is one of an earlier life`));
      this.#takePlace(actor);
      this.#machines.add(actor);
    } else if (this.#isComplete && !this.#machines.has(actor)) {
      found.push(violation(21, event, `${actor} handles '${type}', and does not run`));
    }
    if (status !== undefined) {
      this.#machines.delete(actor);
      this.#leavePlace(actor);
      if (status === 'stopped') this.#stopChildren(event, actor);
    }
    this.#note(actor);
    return found;
  }

  /** Its effects are over, but for those that it does not know any more (LI3). */
  #stopChildren(event: AuditedEvent, parent: string): void {
    for (const address of this.#pending.keys()) {
      if (parentOf(address) !== parent || this.#hidden.has(address)) continue;
      this.#close(address, { how: 'stopped', by: evidenceOf(event) }, event);
    }
  }

  #begin(event: AuditedEvent, highest: number): readonly Violation[] {
    const found: Violation[] = [];
    const begun = new Set<string>();
    for (const { actor } of event.intents) {
      if (begun.has(actor)) found.push(violation(12, event, `it begins two effects at ${actor}, which share a key`));
      else if (lifeOf(actor) <= highest)
        found.push(violation(14, event, `${actor} begins, and the number is one of an earlier life`));
      begun.add(actor);
      this.#takePlace(actor);
      this.#pending.set(actor, sourceOf(event));
      this.#note(actor);
    }
    return found;
  }

  /** LI3. Which of two is the older one its number says: they need not begin in the order they were made in. */
  #takePlace(actor: string): void {
    const place = placeOf(actor);
    const other = this.#newest.get(place);
    const isOlder = other !== undefined && lifeOf(other) > lifeOf(actor);
    if (other !== undefined && other !== actor) this.#hidden.add(isOlder ? actor : other);
    if (!isOlder) this.#newest.set(place, actor);
  }

  #leavePlace(actor: string): void {
    this.#hidden.delete(actor);
    const place = placeOf(actor);
    if (this.#newest.get(place) === actor) this.#newest.delete(place);
  }

  #close(address: string, closing: Closing, { stream }: AuditedEvent): void {
    this.#pending.delete(address);
    this.#leavePlace(address);
    this.#closings.set(keyOf(stream, address), closing);
  }

  #note(actor: string): void {
    const life = lifeOf(actor);
    if (life > this.#highest) this.#highest = life;
  }

  /** What runs after a rebase; what was begun before is what it comes from. */
  #rebase(event: AuditedEvent): readonly Violation[] {
    const standing = standingIn(event);
    const before = this.#pending;
    this.end();
    this.#isComplete = standing !== undefined;
    for (const { actor } of standing?.machines ?? []) {
      if (actor === '/') continue;
      this.#machines.add(actor);
      this.#takePlace(actor);
      this.#note(actor);
    }
    for (const { actor } of standing?.effects ?? []) {
      this.#takePlace(actor);
      this.#pending.set(actor, before.get(actor));
      this.#note(actor);
    }
    return none;
  }
}

function keyOf(stream: string, address: string): string {
  return `${stream}\n${address}`;
}
