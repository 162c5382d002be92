/**
 * Appended events as lines for people. Owns the wording.
 */
import type { StateValue } from 'xstate';
import type { StepRecord } from '../kernel/stimulus.ts';
import type { Json } from '../log/json.ts';
import { isFact } from '../log/runtime-events.ts';
import type { Noted } from './noted-log.ts';
import { shown } from './terminal.ts';
import { stateText } from './words.ts';

type Data = StepRecord & { readonly [field: string]: unknown };

/** What an event says in one line, without its place. */
export function appendedText({ event }: Noted): string {
  const data = JSON.parse(event.data) as Data;
  if (isFact(event)) return `${shown(event.type)}, a fact of ${shown(event.meta['actor']!)}`;
  const { transitions = [], intents = [], armed = [], cancelled = [] } = data;
  const moves = transitions.map(
    ({ actor, to, status }) =>
      `${shown(actor)} is ${status === undefined ? 'in' : `${status} in`} ${stateText(to as StateValue) || 'its only state'}`,
  );
  const begins = intents.map(({ actor, src }) => `begins ${shown(src)} (${shown(actor)})`);
  const timers = armed.map(({ id, dueAt }) => `sets timer ${shown(id)} for ${new Date(dueAt).toISOString()}`);
  const consequences = [...moves, ...begins, ...timers];
  if (event.type === 'EventReceived' && consequences.length + cancelled.length === 0) {
    consequences.push('it changes nothing: no state takes it now');
  }
  return [`${event.type}${aboutOf(event.type, data)}`, ...consequences].join('; ');
}

function textOf(value: unknown): string {
  return shown(typeof value === 'string' ? value : JSON.stringify(value ?? null));
}

/** What came from outside. */
function aboutOf(type: string, data: Data): string {
  const actor = typeof data['actor'] === 'string' ? ` of ${shown(data['actor'])}` : '';
  switch (type) {
    case 'EventReceived': {
      const { type: name } = data['event'] as { type?: Json };
      const to = data['to'] === '/' ? '' : ` for ${textOf(data['to'])}`;
      return ` ${textOf(name)}${to}`;
    }
    case 'EffectProgressed':
      return data['value'] === 'untouched' ? `${actor}: left to the next host` : actor;
    case 'TimerFired':
      return ` ${textOf(data['id'])}`;
    case 'ActorStopped':
      return data['reason'] === undefined ? '' : `: ${textOf(data['reason'])}`;
    case 'ActorRebased':
      return `: ${textOf(data['reason'])}${data['to'] === undefined ? '' : ` to revision ${textOf(data['to'])}`}`;
    default:
      return actor;
  }
}
