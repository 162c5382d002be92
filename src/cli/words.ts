/**
 * Times, spans, states and values as the command says them. Owns the wording; reads no clock but the one of the process.
 */
import type { StateValue } from 'xstate';
import { realClock, type TimeMs } from '../clock.ts';
import type { ActorRow, ActorStatus } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { span } from '../runtime/explain/words.ts';
import { shown, type Painter } from './terminal.ts';

export { span };

/** A point in time, UTC, to the ms: `2026-11-26 14:30:05.120`. */
export function timeText(at: TimeMs): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'never' : date.toISOString().replace('T', ' ').replace('Z', '');
}

/** `in 5 min`, `2 h ago`. */
export function fromNow(at: TimeMs, now = realClock.now()): string {
  return at > now ? `in ${span(at - now)}` : `${span(now - at)} ago`;
}

/** A state value on one line: `paying.card`, `{card: charging, parcel: packing}`. */
export function stateText(value: StateValue | Json | null): string {
  if (value === null || value === '') return '';
  if (typeof value === 'string') return shown(value);
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value as { readonly [key: string]: StateValue }).map(([key, inner]) => {
    const text = stateText(inner);
    return text === '' || text === '{}'
      ? shown(key)
      : typeof inner === 'string' || !text.startsWith('{')
        ? `${shown(key)}.${text}`
        : `${shown(key)}${text}`;
  });
  return entries.length === 1 ? entries[0]! : `{${entries.join(', ')}}`;
}

/** A value on one line, cut. */
export function valueText(value: Json | undefined, max = 120): string {
  if (value === undefined) return 'nothing';
  const text = shown(JSON.stringify(value));
  return text.length > max ? `${text.slice(0, max)}…` : text;
}

/** A status with its sign: colour is never the only one. */
export function statusText(status: ActorStatus, { green, red, blue, yellow }: Painter): string {
  switch (status) {
    case 'active':
      return blue('● active');
    case 'done':
      return green('✓ done');
    case 'error':
      return red('✗ error');
    case 'stopped':
      return yellow('■ stopped');
  }
}

/** What an actor that runs waits for: `timer in 5 min, 2 effects`. */
export function waitText({
  wakeAt,
  effects,
  status,
}: Pick<ActorRow, 'wakeAt' | 'effects'> & { status: string }): string {
  if (status !== 'active') return '';
  const timer = wakeAt === null ? [] : [`timer ${wakeAt > realClock.now() ? '' : 'due '}${fromNow(wakeAt)}`];
  return [...timer, ...(effects > 0 ? [`${effects} effect${effects === 1 ? '' : 's'}`] : [])].join(', ');
}
