/**
 * Which events a machine takes, in sentences. Owns the wording.
 *
 * XA1  XState's own events are not told: nobody can send them. Delays and outcomes are told as timers and effects.
 */
import type { AcceptedEvent, AskedGuard } from '../../kernel/accepted-events.ts';
import { list, short } from './words.ts';
import type { ExplainedMachine } from './explained.ts';

/** What can be sent to a machine, and what keeps it from going on by itself. */
export function acceptance({ actor, accepts, status }: ExplainedMachine): string[] {
  if (!accepts || status !== 'active') return [];
  const who = actor === '/' ? 'It' : actor;
  const told = accepts.filter(isTold);
  const free = told.filter(
    (one) => one.event !== '' && told.every((other) => other.guard === null || !isSame(one, other)),
  );
  const guarded = told.filter((one, index) => {
    // What stands behind a guard that holds, or behind none, is never reached.
    const isReached = !told
      .slice(0, index)
      .some((other) => isSame(one, other) && (other.guard?.gives ?? true) === true);
    return isReached && !free.includes(one);
  });
  const said = guarded.map((transition) =>
    transition.guard ? behindGuard(who, transition, transition.guard) : otherwise(who, transition),
  );
  if (free.length > 0) said.unshift(`${who} takes ${list(free.map(inShort))}.`);
  if (said.length === 0 && actor === '/') said.push('It takes no event that could be sent to it.');
  return said;
}

function isSame(one: AcceptedEvent, other: AcceptedEvent): boolean {
  return one.state === other.state && one.event === other.event;
}

/** Whether it is something that could be sent, or that happens by itself once a guard holds. */
export function isTold({ event }: AcceptedEvent): boolean {
  return !event.startsWith('xstate.');
}

function inShort({ event, targets }: AcceptedEvent): string {
  return `${eventName(event)} (${leadsTo(targets)})`;
}

function otherwise(who: string, transition: AcceptedEvent): string {
  return transition.event === ''
    ? `Otherwise ${who === 'It' ? 'it' : who} goes on by itself (${leadsTo(transition.targets)}).`
    : `Otherwise ${who === 'It' ? 'it' : who} takes ${inShort(transition)}.`;
}

function behindGuard(who: string, { event, targets }: AcceptedEvent, guard: AskedGuard): string {
  const { gives } = guard;
  const name = guardWords(guard);
  const to = leadsTo(targets);
  if (event === '') {
    const answer = typeof gives === 'string' ? `which ${gives}` : gives ? 'as it does now' : 'which it does not now';
    return `${who} goes on by itself (${to}) once the guard ${name} holds, ${answer}.`;
  }
  if (gives === true) return `${who} takes ${eventName(event)} (${to}): the guard ${name} holds.`;
  if (gives === false) return `${who} does not take ${eventName(event)} (${to}) now: the guard ${name} does not hold.`;
  return `${who} may take ${eventName(event)} (${to}): the guard ${name} ${gives}.`;
}

function guardWords({ name, params }: AskedGuard): string {
  return params === null ? name : `${name} ${short(params)}`;
}

function leadsTo(targets: readonly string[]): string {
  return targets.length === 0 ? 'stays' : `to ${list(targets)}`;
}

function eventName(event: string): string {
  return event === '*' ? 'any other event' : event;
}
