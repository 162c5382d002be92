/**
 * What an error led to: the projection `errorContext`. Owns where the story of an error begins and ends, and what is part
 * of it.
 *
 * EC1  A story begins with an error while none is open where it happened, and keeps that error whatever comes after it.
 * EC2  An error that leaves a machine is its parent's: the story goes on there, and where it meets an older one, in that.
 * EC3  A story ends when the work that failed succeeds, when the machine that has the error is done, or with the actor.
 */
import type { Revision, TimeMs } from 'rewake';
import type { FoldKit, LoggedError, Shelves } from './fold-kit.ts';
import type { ProjectedEvent } from './projected-event.ts';
import { portableProjection, type Fold, type PortableProjection } from './projection.ts';

/** One thing that happened after an error. */
export interface ErrorFollowUp {
  readonly revision: Revision;
  readonly at: TimeMs;
  readonly type: string;
  readonly actor: string | null;
  /** Where it is an error itself, or a fact that carries one. */
  readonly error: LoggedError | null;
}

/** An error, and all that followed. */
export interface ErrorStory {
  readonly stream: string;
  readonly correlationId: string;
  /** The original error. */
  readonly error: LoggedError;
  /** The effect that failed, or the machine that told of it. */
  readonly actor: string;
  /** Name of the effect in its machine; null where it is not known. */
  readonly src: string | null;
  readonly revision: Revision;
  readonly at: TimeMs;
  readonly followed: readonly ErrorFollowUp[];
  /**
   * `open`; `recovered`: what failed succeeded, or the machine that had the error is done; `ended`: the actor is done;
   * `failed`, `stopped`: the actor is that; `rewound`: it was set back, so this has not happened as far as it knows.
   */
  readonly outcome: 'open' | 'recovered' | 'ended' | 'failed' | 'stopped' | 'rewound';
  readonly endedAt: TimeMs | null;
}

interface OwnedStory extends ErrorStory {
  /** Machines that have had the error, the one that has it now last. */
  readonly owners: readonly string[];
}

interface Stories {
  readonly open: readonly OwnedStory[];
  readonly over: readonly OwnedStory[];
  /** Name of each effect that was started and has no outcome. */
  readonly sources: Readonly<Record<string, string>>;
}

/** The stories of each stream. */
export type ErrorContextState = Shelves<Stories>;

/** Every error with what followed it, in order of stream and revision. */
export const errorContext: PortableProjection<ErrorContextState, readonly ErrorStory[]> = portableProjection(
  'errorContext',
  1,
  errorContextFold,
);

function errorContextFold(kit: FoldKit): Fold<ErrorContextState, readonly ErrorStory[]> {
  const none: Stories = { open: [], over: [], sources: {} };
  /** Facts that tell of an error of their own machine. */
  const telling = ['AttemptFailed', 'ItemFailed', 'SagaStepFailed', 'RunFailed', 'FlowStepFailed', 'HandlerStarted'];

  const ownerOf = ({ owners }: OwnedStory) => owners[owners.length - 1]!;

  function ending(
    stories: Stories,
    isOver: (story: OwnedStory) => boolean,
    outcome: ErrorStory['outcome'],
    at: TimeMs,
  ): Stories {
    const over = stories.open.filter(isOver).map((story): OwnedStory => ({ ...story, outcome, endedAt: at }));
    if (over.length === 0) return stories;
    return { ...stories, open: stories.open.filter((story) => !isOver(story)), over: [...stories.over, ...over] };
  }

  function followUp({ revision, at, type, meta, data }: ProjectedEvent): ErrorFollowUp {
    const actor = meta.actor ?? kit.text(data.actor) ?? null;
    return { revision, at, type, actor, error: data.error === undefined ? null : kit.errorOf(data.error) };
  }

  /** The story goes on with this event wherever it is about a machine that has had the error, or one around it. */
  function followed(stories: Stories, event: ProjectedEvent, actor: string): Stories {
    const isPart = ({ owners }: OwnedStory) => owners.some((owner) => kit.isWithin(owner, actor));
    if (!stories.open.some(isPart)) return stories;
    const next = followUp(event);
    const told = (story: OwnedStory) => (isPart(story) ? { ...story, followed: [...story.followed, next] } : story);
    return { ...stories, open: stories.open.map(told) };
  }

  function begun(stories: Stories, event: ProjectedEvent, actor: string, owner: string, src: string | null): Stories {
    const story: OwnedStory = {
      stream: event.stream,
      correlationId: kit.correlationOf(event),
      error: kit.errorOf(event.data.error),
      ...{ actor, src, revision: event.revision, at: event.at, followed: [], outcome: 'open', endedAt: null },
      owners: [owner],
    };
    return { ...stories, open: [...stories.open, story] };
  }

  /** EC2. */
  function raised(stories: Stories, machine: string): Stories {
    const parent = kit.parentOf(machine);
    const older = stories.open.find((story) => ownerOf(story) === parent);
    const raising = stories.open.filter((story) => ownerOf(story) === machine);
    if (raising.length === 0) return stories;
    const rest = stories.open.filter((story) => ownerOf(story) !== machine && story !== older);
    const all = older ? [older, ...raising] : raising;
    const first = all.reduce((a, b) => (b.revision < a.revision ? b : a));
    const more = all
      .filter((story) => story !== first)
      .flatMap(({ revision, at, actor, error, followed: events }) => [
        { revision, at, type: 'EffectFailed', actor, error },
        ...events,
      ]);
    const known = first.followed.map(({ revision }) => revision);
    const fresh = more.filter(({ revision }) => !known.includes(revision) && revision !== first.revision);
    const one: OwnedStory = {
      ...first,
      followed: [...first.followed, ...fresh].sort((a, b) => a.revision - b.revision),
      owners: [...new Set([...all.flatMap(({ owners }) => owners).filter((owner) => owner !== parent), parent])],
    };
    return { ...stories, open: [...rest, one] };
  }

  function afterOutcome(stories: Stories, event: ProjectedEvent): Stories {
    const actor = kit.text(event.data.actor);
    const isEnd = event.type === 'EffectSucceeded' || event.type === 'EffectFailed';
    if (!isEnd || actor === undefined) return stories;
    const src = stories.sources[actor] ?? null;
    const parent = event.data.action === true ? actor : kit.parentOf(actor);
    const next = { ...stories, sources: kit.withKey(stories.sources, actor, undefined) };
    const isHere = (story: OwnedStory) => ownerOf(story) === parent;
    if (event.type === 'EffectFailed') {
      return next.open.some(isHere) ? followed(next, event, parent) : begun(next, event, actor, parent, src);
    }
    const isMended = (story: OwnedStory) => isHere(story) && story.src !== null && story.src === src;
    return ending(followed(next, event, parent), isMended, 'recovered', event.at);
  }

  function afterTransitions(stories: Stories, event: ProjectedEvent): Stories {
    let next = stories;
    for (const { actor, status } of kit.transitionsOf(event)) {
      if (status === 'active') continue;
      if (actor === '/') {
        const outcome = status === 'done' ? 'ended' : status === 'error' ? 'failed' : 'stopped';
        next = ending(next, () => true, outcome, event.at);
      } else if (status === 'error') {
        next = raised(next, actor);
      } else {
        const outcome = status === 'done' ? 'recovered' : 'stopped';
        next = ending(next, (story) => kit.isWithin(ownerOf(story), actor), outcome, event.at);
      }
    }
    return next;
  }

  function afterStimulus(before: Stories, event: ProjectedEvent): Stories {
    if (event.type === 'ActorRebased') {
      const sources: Record<string, string> = {};
      for (const { actor, src } of kit.list(kit.standingOf(event)?.effects)) sources[String(actor)] = String(src);
      const next = kit.standingOf(event) ? { ...before, sources } : before;
      return event.data.reason === 'rewound' ? ending(next, () => true, 'rewound', event.at) : next;
    }
    let next = afterOutcome(before, event);
    if (event.type === 'TimerFired') next = followed(next, event, kit.text(event.data.actor) ?? '/');
    if (event.type === 'ActorResumed' || event.type === 'ActorStopped') next = followed(next, event, '/');
    next = afterTransitions(next, event);
    let { sources } = next;
    for (const { actor, src } of kit.list(event.data.intents))
      sources = kit.withKey(sources, String(actor), String(src));
    const status = kit.statusAfter(event);
    if (status !== undefined && status !== 'active') sources = {};
    return sources === next.sources ? next : { ...next, sources };
  }

  function afterFact(before: Stories, event: ProjectedEvent): Stories {
    const actor = event.meta.actor!;
    const isKnown = before.open.some(({ owners }) => owners.some((owner) => kit.isWithin(owner, actor)));
    const recent = before.over[before.over.length - 1];
    // The stimulus that this fact follows has ended the story: it is the end of it, not the beginning of another.
    const isLast = recent !== undefined && recent.endedAt === event.at && recent.stream === event.stream;
    if (isKnown) {
      const next = followed(before, event, actor);
      if (event.type !== 'FlowStepCompleted') return next;
      return ending(next, ({ owners }) => owners.includes(actor), 'recovered', event.at);
    }
    if (isLast) {
      const last = { ...recent, followed: [...recent.followed, followUp(event)] };
      const over = before.over.slice(0, -1);
      // What succeeded is tried again, because its result was refused: it has not ended.
      if (event.type === 'RetryScheduled' && recent.outcome === 'recovered')
        return { ...before, over, open: [...before.open, { ...last, outcome: 'open', endedAt: null }] };
      return { ...before, over: [...over, last] };
    }
    return telling.includes(event.type) ? begun(before, event, actor, actor, null) : before;
  }

  return {
    initial: {},
    apply(state, event) {
      const before = kit.get(state, event.stream) ?? none;
      const after = kit.isFact(event) ? afterFact(before, event) : afterStimulus(before, event);
      return kit.isSame(after, before) ? state : kit.put(state, event.stream, after);
    },
    result: (state) =>
      kit
        .entries(state)
        .flatMap(([, { open, over }]) =>
          [...over, ...open].map(({ owners: _, ...story }) => story).sort((a, b) => a.revision - b.revision),
        ),
  };
}
