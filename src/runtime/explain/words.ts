/**
 * Points in time, spans and values as a person reads them. Owns the wording of these; reads no clock.
 *
 * XW1  The same numbers give the same words on every machine: times are UTC.
 */
import type { StateValue } from 'xstate';
import type { TimeMs } from '../../clock.ts';
import type { Moment } from './explained.ts';

const units = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1_000 },
];

/** A length of time in its two largest units, such as `2 h 5 min`. */
export function span(ms: number): string {
  const first = units.findIndex((unit) => ms >= unit.ms);
  if (first < 0) return `${Math.round(ms)} ms`;
  const words: string[] = [];
  let rest = ms;
  for (const { name, ms: unitMs } of units.slice(first, first + 2)) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) words.push(`${count} ${name}`);
  }
  return words.join(' ');
}

/** A point in time to the second. */
export function time(at: TimeMs): string {
  const date = new Date(at);
  // A timer may be due later than a Date can say.
  return Number.isNaN(date.getTime()) ? 'a time too far away to be written' : `${iso(date)} UTC`;
}

function iso(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

/** A point in time, and how far it is from now. */
export function timeFrom(at: TimeMs, now: TimeMs): string {
  return `${time(at)} (${at > now ? `in ${span(at - now)}` : ago(at, now)})`;
}

function ago(at: TimeMs, now: TimeMs): string {
  return now - at < 1_000 ? 'just now' : `${span(now - at)} ago`;
}

/** When something happened, and where that is on record. */
export function moment({ at, revision }: Moment, now: TimeMs): string {
  return `${time(at)} (${ago(at, now)}, revision ${revision})`;
}

/** The same, after a preposition; nothing where it is not known. */
export function since(when: Moment | null, now: TimeMs): string {
  return when ? ` since ${moment(when, now)}` : '';
}

/** A state value: `"open"`, or JSON for one that has parts. */
export function state(value: StateValue): string {
  return JSON.stringify(value);
}

/** A value in at most so many characters. */
export function short(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** A text as it is written in code. */
export function quoted(text: string): string {
  return /['\\\p{Cc}]/u.test(text) ? JSON.stringify(text) : `'${text}'`;
}

/** Items as a list in a sentence. */
export function list(items: readonly string[], last = 'and'): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} ${last} ${items.at(-1)!}`;
}
