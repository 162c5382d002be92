/**
 * Stimuli and steps as events, and back. Owns the shape of the runtime events' data; see docs/reference/events.md.
 *
 * R1  What a stimulus carries is encoded before it is applied, and the tree is fed what the log will give back.
 * R2  decodeStimulus(encode(stimulus)) is the stimulus.
 */
import type { AnyEventObject } from 'xstate';
import type { TimeMs } from '../clock.ts';
import { decodeAt, encode } from '../log/codec.ts';
import type { Json } from '../log/json.ts';
import type { NewEvent, Revision } from '../log/event-log.ts';
import { runtimeEventTypes } from '../log/runtime-events.ts';
import type {
  Cause,
  Fact,
  IntentRecord,
  LostEffect,
  ProgressChannel,
  Standing,
  StepRecord,
  Stimulus,
  TransitionRecord,
} from './stimulus.ts';

/** A stimulus together with the JSON text its event will carry, made before anyone can change a value. */
export interface Prepared {
  readonly stimulus: Stimulus;
  /** The event's own fields as JSON text without the braces. */
  readonly fields: string;
  /** What a reader of the event must know: see the features of the runtime. */
  readonly needs?: string | undefined;
}

function prepared(stimulus: Stimulus, fields: { readonly [key: string]: Json }): Prepared {
  return { stimulus, fields: inner(fields) };
}

function inner(object: object): string {
  return JSON.stringify(object).slice(1, -1);
}

/** What an actor ran under besides its machine; the configuration by its fingerprint. */
export type RecordedEnvironment = {
  readonly rewake: string;
  readonly app?: string;
  readonly config?: string;
};

export interface StartInfo {
  readonly machine: string;
  readonly version: string | null;
  readonly definition: string;
  /** Only where the runtime was given one. */
  readonly environment?: RecordedEnvironment | undefined;
}

/** As the data of ActorStarted and ActorRebased. */
function startFields({ machine, version, definition, environment }: StartInfo): { readonly [key: string]: Json } {
  return environment ? { machine, version, definition, environment } : { machine, version, definition };
}

export function actorStarted(info: StartInfo, input: unknown): Prepared {
  const fields = startFields(info);
  if (input === undefined) return prepared({ type: 'ActorStarted', input }, fields);
  const { json, value } = encode(input, `input of '${info.machine}'`);
  return prepared({ type: 'ActorStarted', input: value }, { ...fields, input: json });
}

export function eventReceived(to: string, event: AnyEventObject, messageId?: string): Prepared {
  const { json, value } = encode(event, `event '${event.type}'`);
  const received = value as AnyEventObject;
  return messageId === undefined
    ? {
        stimulus: { type: 'EventReceived', to, event: received },
        fields: `"to":${quoted(to)},"event":${JSON.stringify(json)}`,
      }
    : prepared({ type: 'EventReceived', to, event: received, messageId }, { to, event: json, messageId });
}

export function effectSucceeded(actor: string, output: unknown): Prepared {
  if (output === undefined)
    return { stimulus: { type: 'EffectSucceeded', actor, output }, fields: `"actor":${quoted(actor)}` };
  const { json, value } = encode(output, `output of ${actor}`);
  const fields = `"actor":${quoted(actor)},"output":${JSON.stringify(json)}`;
  return { stimulus: { type: 'EffectSucceeded', actor, output: value }, fields };
}

export function effectFailed(actor: string, failure: unknown, action = false): Prepared {
  const { json, value: error } = encode(failure, `error of ${actor}`);
  return action
    ? prepared({ type: 'EffectFailed', actor, error, action }, { actor, error: json, action })
    : prepared({ type: 'EffectFailed', actor, error }, { actor, error: json });
}

export function effectProgressed(actor: string, channel: ProgressChannel, progress: unknown): Prepared {
  const { json, value } = encode(progress, `progress of ${actor}`);
  return prepared({ type: 'EffectProgressed', actor, channel, value }, { actor, channel, value: json });
}

export function timerFired(timer: { seq: number; id: string; dueAt: TimeMs }, actor: string): Prepared {
  return prepared(
    { type: 'TimerFired', timer: timer.seq },
    { actor, timer: timer.seq, id: timer.id, dueAt: timer.dueAt },
  );
}

export interface ResumeInfo {
  readonly host: string;
  readonly effects: readonly LostEffect[];
  /** Only when the actor goes on under another definition or environment than before; `from` and `to` may be the same. */
  readonly changed?: {
    readonly from: string;
    readonly to: string;
    readonly version: string | null;
    readonly environment?: RecordedEnvironment;
  };
}

export function actorResumed(info: ResumeInfo): Prepared {
  const { host, effects, changed } = info;
  const lost = effects.map(({ actor, decision }) => ({ actor, decision }));
  return prepared(
    { type: 'ActorResumed', effects },
    { host, effects: lost, ...(changed && { changed: { ...changed } }) },
  );
}

export function actorStopped(reason: string | undefined): Prepared {
  return prepared({ type: 'ActorStopped' }, reason === undefined ? {} : { reason });
}

/** A state to fold from instead of what came before. */
export interface RebaseInfo {
  readonly reason: 'migrated' | 'rewound' | 'resumed' | 'compacted';
  /** See tree-state.ts. */
  readonly state: string;
  readonly standing: Standing;
  /** Of a rewind: the revision whose state it is. */
  readonly to?: Revision;
  /** Of a compaction: what the actor was started with, as it is logged. */
  readonly input?: Json;
}

export function actorRebased(info: StartInfo, rebase: RebaseInfo): Prepared {
  const { reason, state, standing, to, input } = rebase;
  return prepared(
    { type: 'ActorRebased', state },
    {
      ...startFields(info),
      ...{ reason, state, standing: standing as unknown as Json },
      ...(to !== undefined && { to }),
      ...(input !== undefined && { input }),
    },
  );
}

/** A fact as the event that follows what caused it. */
export function factEvent(
  { actor, event }: Fact,
  id: string,
  schemaVersion: number,
  { eventId, correlationId }: Cause,
): Omit<NewEvent, 'checksum'> {
  return {
    id,
    type: event.type,
    schemaVersion,
    data: JSON.stringify(encode(event, `fact '${event.type}' of ${actor}`).json),
    meta: { $causationId: eventId, $correlationId: correlationId, actor },
  };
}

/**
 * The JSON text of a stimulus event.
 * Its few short lists are written by hand: they are most of an event's cost.
 * @param contexts JSON text: see contexts.ts
 */
export function stimulusData({ fields }: Prepared, at: TimeMs, record: StepRecord, contexts?: string): string {
  const { transitions, intents, armed, cancelled } = record;
  let text = fields === '' ? `{"at":${at}` : `{"at":${at},${fields}`;
  if (transitions) text += `,"transitions":[${listText(transitions, transitionText)}]`;
  if (intents) text += `,"intents":[${listText(intents, intentText)}]`;
  if (armed) text += `,"armed":${JSON.stringify(armed)}`;
  if (cancelled) text += `,"cancelled":${JSON.stringify(cancelled)}`;
  if (contexts !== undefined) text += `,"contexts":${contexts}`;
  return `${text}}`;
}

function listText<T>(list: readonly T[], write: (item: T) => string): string {
  let text = write(list[0]!);
  for (let i = 1; i < list.length; i++) text += `,${write(list[i]!)}`;
  return text;
}

function transitionText({ actor, event, to, status }: TransitionRecord): string {
  const target = typeof to === 'string' ? quoted(to) : JSON.stringify(to);
  const text = `{"actor":${quoted(actor)},"event":${quoted(event)},"to":${target}`;
  return status === undefined ? `${text}}` : `${text},"status":"${status}"}`;
}

function intentText({ actor, src }: IntentRecord): string {
  return `{"actor":${quoted(actor)},"src":${quoted(src)}}`;
}

const quotedMax = 10_000;
const quotedTexts = new Map<string, string>();

/** A string as JSON. States, event types and addresses come again and again. */
function quoted(text: string): string {
  let json = quotedTexts.get(text);
  if (json === undefined) {
    json = JSON.stringify(text);
    if (quotedTexts.size >= quotedMax) quotedTexts.clear();
    quotedTexts.set(text, json);
  }
  return json;
}

/** The same stimulus, its values made anew from what is logged. */
export function preparedAgain({ stimulus, fields, needs }: Prepared): Prepared {
  const data = JSON.parse(`{${fields}}`) as StimulusData;
  const again = decodeStimulus(stimulus.type, data) ?? stimulus;
  return needs === undefined ? { stimulus: again, fields } : { stimulus: again, fields, needs };
}

/** A runtime event's data, parsed. */
export interface StimulusData extends StepRecord {
  readonly at: TimeMs;
  readonly [key: string]: unknown;
}

/** The schema version of the runtime's events. */
export const stimulusVersion = 1;

const channels = new Set<unknown>([
  ...(['next', 'parent', 'self', 'emit', 'checkpoint', 'interrupted'] satisfies ProgressChannel[]),
]);
const decisions = new Set<unknown>(['rerun', 'fail', 'ask'] satisfies LostEffect['decision'][]);

/** What this version does not know of a runtime event by its envelope; undefined when nothing. */
export function unknownEvent(type: string, schemaVersion: number): string | undefined {
  if (!runtimeEventTypes.has(type)) return `an event '${type}' of the runtime`;
  return schemaVersion > stimulusVersion ? `schema version ${schemaVersion} of '${type}'` : undefined;
}

/** The same by its data: a value without which the event means something else. Fields that are not known mean nothing here. */
export function unknownValue(type: string, data: Json): string | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { channel, effects } = data as { channel?: unknown; effects?: unknown };
  if (type === 'EffectProgressed' && !channels.has(channel)) return `the channel '${String(channel)}' of '${type}'`;
  if (type !== 'ActorResumed' || !Array.isArray(effects)) return undefined;
  const strange = (effects as LostEffect[]).find(({ decision }) => !decisions.has(decision));
  return strange && `the decision '${String(strange.decision)}' of '${type}'`;
}

/** Rebuilds the stimulus from a runtime event; undefined when the type is not one of the runtime's. */
export function decodeStimulus(type: string, data: StimulusData): Stimulus | undefined {
  const payload = (key: string) => (data[key] === undefined ? undefined : decodeAt(data[key] as Json, `.${key}`));
  const actor = data.actor as string;
  switch (type) {
    case 'ActorStarted':
      return { type, input: payload('input') };
    case 'EventReceived': {
      const received = { type, to: data.to as string, event: payload('event') as AnyEventObject } as const;
      return data.messageId === undefined ? received : { ...received, messageId: data.messageId as string };
    }
    case 'EffectSucceeded':
      return { type, actor, output: payload('output') };
    case 'EffectFailed':
      return data.action
        ? { type, actor, error: payload('error'), action: true }
        : { type, actor, error: payload('error') };
    case 'EffectProgressed':
      return { type, actor, channel: data.channel as ProgressChannel, value: payload('value') };
    case 'TimerFired':
      return { type, timer: data.timer as number };
    case 'ActorResumed':
      return { type, effects: data.effects as LostEffect[] };
    case 'ActorStopped':
      return { type };
    case 'ActorRebased':
      return { type, state: data.state as string };
    default:
      return undefined;
  }
}
