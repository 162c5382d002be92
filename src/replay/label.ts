/**
 * What a person calls an event, and what a line of a list says of it. Owns the words; needs neither a fold nor code.
 *
 * LA1  Every event has a label, whatever is in it.
 */
import type { StateValue } from 'xstate';
import { durationText } from '../kernel/chart.ts';
import { decode } from '../log/codec.ts';
import type { RecordedEvent } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { isFact } from '../log/runtime-events.ts';
import { nameOf } from './addresses.ts';
import { stateText } from './state-text.ts';

/** What is looked at of an event. */
export type LabelledEvent = Pick<RecordedEvent, 'type' | 'data' | 'meta'>;

/** The name of an effect's logic by its address, where it is known: XState makes up ids that a person does not know. */
export type SourceOf = (address: string) => string | null | undefined;

/** What a line of a list says of an event. */
export interface EventLine {
  readonly label: string;
  readonly kind:
    'start' | 'event' | 'done' | 'failed' | 'progress' | 'timer' | 'resumed' | 'stopped' | 'rebased' | 'fact';
  /** Address of whom it is about; of a fact, who told it. */
  readonly actor: string;
  readonly isFact: boolean;
  /** Where the root went, if it moved: its state value in one line. */
  readonly to: string | null;
}

type Data = Readonly<Record<string, Json | undefined>>;

const kinds: Readonly<Record<string, EventLine['kind']>> = {
  ActorStarted: 'start',
  EventReceived: 'event',
  EffectSucceeded: 'done',
  EffectFailed: 'failed',
  EffectProgressed: 'progress',
  TimerFired: 'timer',
  ActorResumed: 'resumed',
  ActorStopped: 'stopped',
  ActorRebased: 'rebased',
};

/**
 * What a person calls an event: `PAY`, `charge done`, `charge failed`, `after 30s`, `started`, `rewound to 12`; of a fact its type.
 *
 * @example
 * for await (const event of log.readStream('order-42')) console.log(event.revision, labelOf(event));
 */
export function labelOf(event: LabelledEvent, sourceOf?: SourceOf): string {
  return isFact(event) ? event.type : labelOfData(event.type, dataOf(event.data), sourceOf);
}

/** The same, with what else a line of a list says. */
export function lineOf(event: LabelledEvent, sourceOf?: SourceOf): EventLine {
  const { type, meta } = event;
  if (isFact(event)) return { label: type, kind: 'fact', actor: meta.actor!, isFact: true, to: null };
  const data = dataOf(event.data);
  const label = labelOfData(type, data, sourceOf);
  // A type that only a newer version knows reaches the actor from outside, too.
  return { label, kind: kinds[type] ?? 'event', actor: addresseeOf(data), isFact: false, to: movedTo(type, data) };
}

/** Whom a stimulus is for. */
export function addresseeOf({ to, actor }: Data): string {
  if (typeof actor === 'string') return actor;
  return typeof to === 'string' ? to : '/';
}

/** Of a stimulus whose data is parsed. */
export function labelOfData(type: string, data: Data, sourceOf?: SourceOf): string {
  const who = () => {
    const address = addresseeOf(data);
    return nameOf(address, sourceOf?.(address));
  };
  switch (type) {
    case 'ActorStarted':
      return startLabel(data);
    case 'EventReceived':
      return typeOf(data.event) ?? type;
    case 'EffectSucceeded':
      return `${who()} done`;
    case 'EffectFailed':
      return data.action === true ? 'action failed' : `${who()} failed`;
    case 'EffectProgressed':
      return progressLabel(who(), data);
    case 'TimerFired':
      return timerLabel(data);
    case 'ActorResumed':
      return 'resumed';
    case 'ActorStopped':
      return 'stopped';
    case 'ActorRebased':
      return rebaseLabel(data);
    default:
      return type;
  }
}

function startLabel({ origin }: Data): string {
  if (typeof origin !== 'object' || origin === null || Array.isArray(origin)) return 'started';
  const { stream, revision } = origin as { readonly [key: string]: Json };
  return `forked from ${text(stream)} at ${text(revision)}`;
}

function progressLabel(who: string, { channel, value }: Data): string {
  switch (channel) {
    case 'parent':
    case 'self':
      return typeOf(value) ?? `${who} said something`;
    case 'emit':
      return `${who} told ${typeOf(value) ?? 'something'}`;
    case 'next':
      return `${who} gave a value`;
    case 'interrupted':
      // Of one that no host had begun nothing was cut off.
      return value === 'untouched' ? `${who} left to the next host` : `${who} interrupted`;
    default:
      return `${who} ${text(channel)}`;
  }
}

/** XState calls the timer of a delay `xstate.after.<ms or name>.<state>`; any other is known by the event it brings. */
function timerLabel({ id, transitions }: Data): string {
  const delay = typeof id === 'string' ? /^xstate\.after\.([^.]+)\./.exec(id)?.[1] : undefined;
  if (delay !== undefined) return `after ${/^\d+$/.test(delay) ? durationText(Number(delay)) : delay}`;
  const [first] = Array.isArray(transitions) ? (transitions as readonly Json[]) : [];
  const event = field(first, 'event');
  if (typeof event === 'string') return `${event}, delayed`;
  return `timer ${text(id)}`;
}

function rebaseLabel({ reason, to, version }: Data): string {
  if (reason === 'rewound') return `rewound to ${text(to)}`;
  if (reason === 'migrated') return typeof version === 'string' ? `migrated to ${version}` : 'migrated';
  return reason === 'resumed' ? 'resumed after its end' : text(reason ?? 'rebased');
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

/** Of an event as it is logged, which may be wrapped by the codec. */
function typeOf(event: Json | undefined): string | undefined {
  if (event === undefined) return undefined;
  const type = field(event, 'type');
  if (typeof type === 'string') return type;
  try {
    const { type: decoded } = decode(event) as { readonly type?: unknown };
    return typeof decoded === 'string' ? decoded : undefined;
  } catch {
    return undefined;
  }
}

function movedTo(type: string, { transitions, standing }: Data): string | null {
  // A rebase lists where its machines are, not how they came there.
  const list = type === 'ActorRebased' ? field(standing, 'machines') : transitions;
  const moves = Array.isArray(list) ? (list as readonly Json[]) : [];
  const to = field(
    moves.findLast((move) => field(move, 'actor') === '/'),
    'to',
  );
  return to === undefined || to === null ? null : stateText(to as StateValue);
}

function field(value: Json | undefined, name: string): Json | undefined {
  return typeof value === 'object' && value !== null ? (value as { readonly [key: string]: Json })[name] : undefined;
}

function dataOf(json: string): Data {
  try {
    const data: unknown = JSON.parse(json);
    return typeof data === 'object' && data !== null ? (data as Data) : {};
  } catch {
    return {};
  }
}
