/**
 * What an actor waits for, in sentences: people first, then what is out of its hands, then its own work and time. Owns the
 * wording.
 *
 * XV1  A wait is told once: the timer of a retry is told as the retry, the timeout of an approval as its end.
 */
import type { TimeMs } from '../../clock.ts';
import { list, short, since, span, time, timeFrom } from './words.ts';
import type {
  AwaitedPerson,
  ExplainedEffect,
  ExplainedTimer,
  ExplanationData,
  RefusingBreaker,
  WaitingRetry,
} from './explained.ts';

/** Everything that is waited for. */
export function waits({ people, effects, breakers, retries, timers, at }: ExplanationData): string[] {
  return [
    ...people.map((person) => personWait(person, at)),
    ...effects.filter(({ standing }) => standing === 'asked').map((effect) => effectWait(effect, at)),
    ...breakers.map((breaker) => breakerWait(breaker, at)),
    ...retries.map((retry) => retryWait(retry, at)),
    ...effects.filter(({ standing }) => standing !== 'asked').map((effect) => effectWait(effect, at)),
    ...timers.filter((timer) => !isToldAlready(timer, retries, people)).map((timer) => timerWait(timer, at)),
  ];
}

/** XV1. */
function isToldAlready(
  { actor, dueAt }: ExplainedTimer,
  retries: readonly WaitingRetry[],
  people: readonly AwaitedPerson[],
): boolean {
  return (
    retries.some((retry) => retry.actor === actor && Math.ceil(retry.dueAt) === dueAt) ||
    people.some((person) => person.kind === 'approval' && person.actor === actor && person.timeoutAt === dueAt)
  );
}

function personWait(person: AwaitedPerson, at: TimeMs): string {
  const choices = person.choices.length > 0 ? ` Choices: ${list(person.choices, 'or')}.` : '';
  if (person.kind === 'intervention') {
    const { flow, subject, handler, message } = person;
    return `It waits for a person${since(person.since, at)}: "${message}" (flow ${flow}, handler ${handler} of ${subject}).${choices}`;
  }
  const { actor, approval, title, approvers, missing, timeoutAt } = person;
  const who = approvers === null ? 'Anybody may answer' : `${list(approvers, 'or')} may answer`;
  const more = missing > 1 ? `, and ${missing} have to say the same` : '';
  const end = timeoutAt === null ? '' : ` Without an answer it is decided at ${timeFrom(timeoutAt, at)}.`;
  return `It waits for a person${since(person.since, at)}: "${title}" (approval ${approval}, at ${actor}). ${who}${more}.${choices}${end}`;
}

function effectWait(effect: ExplainedEffect, at: TimeMs): string {
  const { actor, src, since: when, attempt, restarts, checkpoint, hasBegun, isSure } = effect;
  const began = when && hasBegun && effect.standing !== 'running' ? `, begun at ${timeFrom(when.at, at)},` : '';
  const more = [
    restarts > 0 && `It is in attempt ${attempt}: it was run again ${times(restarts)} because its host died.`,
    checkpoint !== null && `Its last checkpoint is ${short(checkpoint)}.`,
    !isSure && 'Its machine may have gone on without it: the log alone does not tell.',
  ];
  return [`The effect ${actor} (${src})${began} ${standingOf(effect, at)}.`, ...more].filter(Boolean).join(' ');
}

function standingOf({ standing, since: when, hasBegun }: ExplainedEffect, at: TimeMs): string {
  if (!hasBegun) return 'has not begun; the next host runs it for the first time';
  switch (standing) {
    case 'asked':
      return 'was lost with its host and waits for a person to say what became of it';
    case 'interrupted':
      return 'was cut off when its host closed in order; the next host takes it up, as its onLost says';
    case 'lost':
      return 'has no outcome, and no host that is seen from here runs it';
    case 'running':
      return `runs${since(when, at)}`;
  }
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function breakerWait({ key, step, actor, told, since: when, now }: RefusingBreaker, at: TimeMs): string {
  const who = step === null ? actor : `step ${step}`;
  const refused = `The circuit breaker ${key} let no call of ${who} through${since(when, at)}: it was ${told}.`;
  if (!now) return `${refused} Its own stream is not on this log.`;
  const cause = now.lastFailure === null ? '' : ` The failure that it saw last: ${now.lastFailure}.`;
  return `${refused} By ${now.stream} it is ${breakerState(now, at)}.${cause}`;
}

function breakerState({ value, openUntil, holds }: NonNullable<RefusingBreaker['now']>, at: TimeMs): string {
  const name = typeof value === 'string' ? value : (Object.keys(value)[0] ?? '');
  if (name === 'isolated') return `isolated by ${holds.length > 0 ? list(holds) : 'somebody'}`;
  if (name !== 'open' || openUntil === null) return `${name} now`;
  return openUntil > at
    ? `open until ${timeFrom(openUntil, at)}`
    : `open, and lets one call try since ${timeFrom(openUntil, at)}`;
}

function retryWait({ actor, step, attempt, errorClass, dueAt, inMs }: WaitingRetry, at: TimeMs): string {
  const after = attempt === 0 ? 'before its first call' : `after ${attempt} ${attempt === 1 ? 'call' : 'calls'}`;
  const error = errorClass === null ? '' : `; the last error was of class ${errorClass}`;
  const due =
    inMs > 0
      ? `will be tried again at ${timeFrom(dueAt, at)}`
      : `was to be tried again at ${timeFrom(dueAt, at)} and has not been`;
  return `Step ${step} (${actor}) ${due}, ${after}${error}.`;
}

function timerWait({ actor, id, dueAt, inMs }: ExplainedTimer, at: TimeMs): string {
  return inMs > 0
    ? `The timer ${id} of ${actor} fires at ${timeFrom(dueAt, at)}.`
    : `The timer ${id} of ${actor} was due at ${time(dueAt)}, ${span(-inMs)} ago, and has not fired.`;
}
