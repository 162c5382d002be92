/**
 * A story of production, played again in a test. Owns the form of a story, and what is held against its end.
 *
 * SY1  Nothing is called: effects are answered as they were in production, but for those that the test names as live.
 * SY2  Time is that of the story: no test waits.
 */
import { matchesState, type StateValue } from 'xstate';
import { InvalidArgumentError, RewakeError } from '../errors.ts';
import { ActorTree, addressOf, sourceOf, type PendingEffect } from '../kernel/actor-tree.ts';
import { plainValue } from '../kernel/plain-value.ts';
import type { Prepared, StimulusData } from '../kernel/records.ts';
import { isMachineSnapshot } from '../kernel/xstate-internals.ts';
import type { Position, RecordedEvent } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { readStreamName } from '../log/stream-name.ts';
import { noUpcasters } from '../log/upcast.ts';
import { idsIn } from '../replay/addresses.ts';
import { labelOf } from '../replay/label.ts';
import type { Stub } from '../replay/past-edit.ts';
import type { PlannedStimulus } from '../replay/past-edits.ts';
import { Reliving, type Relived } from '../replay/relive.ts';
import { stateText } from '../replay/state-text.ts';
import { RunningEffect } from '../runtime/effect-runner.ts';
import { pastStimulus } from '../runtime/fork.ts';
import { MachineRegistry, type Machines } from '../runtime/machines.ts';

/** One stimulus of a story: what reached the actor from outside. */
export interface StoryStimulus {
  /** One of the runtime's types; see docs/reference/events.md. */
  readonly type: string;
  /** Id of its event: chance falls by it. */
  readonly id: string;
  /** Ms since the epoch. */
  readonly at: number;
  /** What it carries, as the log has it: `to`, `event`, `actor`, `output`, … */
  readonly data: { readonly [field: string]: Json };
}

/** How a story ended. */
export interface StoryEnd {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly state: StateValue;
  /** In the form of plainValue. */
  readonly output?: Json;
  readonly error?: Json;
}

/** What happened to one actor. */
export interface Story {
  readonly stream: string;
  readonly version: string | null;
  /** The last revision that is in it. */
  readonly revision: number;
  readonly correlationId: string;
  readonly stimuli: readonly StoryStimulus[];
  /** Names of the effects' logic, by their address. */
  readonly sources: { readonly [address: string]: string };
  readonly end: StoryEnd;
}

/** How a story is played again, and what it is to come to. */
export interface ReplayStoryOptions {
  /** As createRuntime takes them. */
  readonly machines: Machines;
  /**
   * What is to come of it: `'recorded'` the end that it had, `'success'` another one than the failure that it had. `'recorded'`
   * when omitted.
   */
  readonly expect?: 'recorded' | 'success';
  /** Effects that are run for real: their `src`, or the id of an actor that they are in. */
  readonly live?: readonly string[];
  /** Answers of effects that the story has none for, by `src`. */
  readonly stubs?: { readonly [src: string]: Stub };
}

/** A story does not end as it is to. */
export class StoryFailedError extends RewakeError {
  readonly code = 'REWAKE_STORY_FAILED';
  readonly end: StoryEnd;

  constructor(message: string, end: StoryEnd, cause: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.end = end;
  }
}

/**
 * Plays a story again by the machines at hand.
 * @returns how it ended now
 * @throws StoryFailedError where that is not what is expected
 * @throws InvalidArgumentError | UnknownMachineError
 */
export async function replayStory(story: Story, options: ReplayStoryOptions): Promise<StoryEnd> {
  const { machines, expect = 'recorded', live = [], stubs = {} } = options;
  if (expect !== 'recorded' && expect !== 'success') {
    throw InvalidArgumentError.of('replayStory({ expect })', "'recorded' or 'success'", expect);
  }
  const { machine, id } = readStreamName(story.stream);
  const { logic } = new MachineRegistry(machines).forActor(machine, story.version, story.stream);
  const tree = new ActorTree(logic, id);
  const isLive = (address: string, src: string) => live.some((name) => name === src || idsIn(address).includes(name));
  const reliving = new Reliving({
    ...{ where: `replayStory('${story.stream}')`, stream: story.stream, tree, correlationId: story.correlationId },
    ...{ stubs, upcasters: noUpcasters, from: 0, sources: new Map(Object.entries(story.sources)) },
    live: (effect, address) =>
      isLive(address, sourceOf(effect.actor)) ? run(effect, address, story.stream, tree) : undefined,
  });
  const planned = story.stimuli.map((stimulus, index) => plannedOf(stimulus, index, story));
  await reliving.run(
    planned.filter((each) => !isAnswerOf(each, story, isLive)),
    'end',
  );
  const end = endOf(tree);
  const failure = expect === 'recorded' ? differenceOf(story, end) : failureOf(story, end);
  if (failure === undefined) return end;
  const error: unknown = isMachineSnapshot(tree.rootActor.getSnapshot())
    ? (tree.rootActor.getSnapshot() as { error?: unknown }).error
    : undefined;
  throw new StoryFailedError(
    [failure, '', ...timeline(story, reliving.relived), '', unansweredText(reliving)].join('\n').trimEnd(),
    end,
    error,
  );
}

function plannedOf(
  { type, id, at, data }: StoryStimulus,
  revision: number,
  story: Story,
): PlannedStimulus & { origin: number } {
  const whole = { ...data, at } as unknown as StimulusData;
  const meta = { $correlationId: story.correlationId, $causationId: id };
  const event: RecordedEvent = {
    ...{ id, type, revision, meta, stream: story.stream, data: JSON.stringify(whole) },
    ...{ schemaVersion: 1, checksum: 0, position: String(revision) as Position, recordedAt: at },
  };
  return {
    origin: revision,
    event,
    data: whole,
    at,
    then: pastStimulus(event, whole),
    now: pastStimulus(event, whole),
  };
}

/** Whether a stimulus comes from an effect that is run for real. */
function isAnswerOf(
  { data, event }: PlannedStimulus & { origin: number; event?: RecordedEvent },
  story: Story,
  isLive: (address: string, src: string) => boolean,
): boolean {
  const { actor } = data as { readonly actor?: unknown };
  if (typeof actor !== 'string' || !event?.type.startsWith('Effect')) return false;
  return isLive(actor, story.sources[actor] ?? '');
}

/** The effect itself, until it has come to something. What it tells on its way is not heard. */
function run(effect: PendingEffect, address: string, stream: string, tree: ActorTree): Promise<Prepared> {
  const refuse = (what: string) =>
    Promise.reject(
      new InvalidArgumentError(
        `replayStory: ${what} reaches another actor, and there is none in a story. Do not run this effect live, or answer it.`,
      ),
    );
  return new Promise<Prepared>((resolve) => {
    const running = new RunningEffect(effect, address, {
      ...{ stream, host: 'story' },
      report(prepared, _effect, done) {
        if (prepared.stimulus.type !== 'EffectProgressed') resolve(prepared);
        done?.();
      },
      relay() {},
      send: () => refuse('context.send'),
      start: () => refuse('context.start'),
      look: () => refuse('context.look'),
      output: () => refuse('context.output'),
      now: () => tree.at,
    });
    running.start();
  });
}

function endOf(tree: ActorTree): StoryEnd {
  const snapshot = tree.rootActor.getSnapshot() as {
    status: StoryEnd['status'];
    value: StateValue;
    output?: unknown;
    error?: unknown;
  };
  const nameActor = (ref: unknown) => addressOf(ref as PendingEffect['actor']);
  const { status, value: state, output, error } = snapshot;
  return {
    ...{ status, state },
    ...(output !== undefined && { output: plainValue(output, nameActor) }),
    ...(error !== undefined && { error: plainValue(error, nameActor) }),
  };
}

function differenceOf({ stream, end: expected }: Story, end: StoryEnd): string | undefined {
  const parts = (['status', 'state', 'output', 'error'] as const).filter(
    (part) => JSON.stringify(expected[part]) !== JSON.stringify(end[part]),
  );
  if (parts.length === 0) return undefined;
  const lines = parts.map((part) => `  ${part}: expected ${textOf(expected[part])}, found ${textOf(end[part])}`);
  return [`'${stream}' does not end as it did:`, ...lines].join('\n');
}

function failureOf({ stream, end: recorded }: Story, end: StoryEnd): string | undefined {
  const isSame = end.status === recorded.status && matchesState(recorded.state, end.state);
  if (end.status !== 'error' && (recorded.status === 'error' || recorded.status === 'done' || !isSame))
    return undefined;
  const error = end.error === undefined ? '' : `: ${textOf(end.error)}`;
  return `'${stream}' fails in state ${stateText(end.state)}${end.status === 'error' ? '' : ', where it stood'}${error}`;
}

function textOf(value: unknown): string {
  const error = (value as { readonly $error?: { readonly name?: string; readonly message?: string } } | undefined)
    ?.$error;
  return error ? `${error.name ?? 'Error'}: ${error.message ?? ''}` : (JSON.stringify(value) ?? 'nothing');
}

/** What was lived through, a line for each stimulus. */
function timeline({ sources, stimuli }: Story, relived: readonly Relived[]): string[] {
  const begun = stimuli[0]?.at ?? 0;
  return relived.map(({ events: [stimulus, ...facts], at }) => {
    const { type, data, meta } = stimulus!;
    const { transitions = [] } = JSON.parse(data) as { transitions?: { actor: string; to: StateValue }[] };
    const to = transitions.findLast(({ actor }) => actor === '/')?.to;
    const moved = to === undefined ? '' : ` → ${stateText(to)}`;
    const told = facts.length > 0 ? `  ${facts.map((fact) => fact.type).join(', ')}` : '';
    return `  +${at - begun} ms  ${labelOf({ type, data, meta }, (address) => sources[address])}${moved}${told}`;
  });
}

function unansweredText({ waiting }: Reliving): string {
  const names = waiting.map(({ src, actor }) => `'${src}' (${actor})`);
  return names.length > 0 ? `Nobody answered ${names.join(', ')}: name it in live, or give it an answer in stubs.` : '';
}
