/**
 * Where every actor is: the projection `executions`. Owns status, state, steps, and what an actor waits for.
 *
 * EX1  Status, state and timers are what the runtime says of the actor, at every revision.
 * EX2  A wait is over as soon as the log shows it; what the log does not show is not guessed. It shows the end of a timer,
 *      of an answer and of an effect that gave an outcome. That an effect was stopped because its machine left a state it
 *      shows only by the state value: an effect counts as running as long as a state that may have started it is active,
 *      and again when it shows a sign of life after that.
 * EX3  After a rebase stands what the rebase says, and nothing else.
 */
import type { TimeMs } from 'rewake';
import type { Execution, RunningStep, Wait } from './execution.ts';
import type { ArmedTimer, FoldKit, Shelves } from './fold-kit.ts';
import type { ProjectedEvent } from './projected-event.ts';
import { portableProjection, type Fold, type PortableProjection } from './projection.ts';

interface Effect {
  readonly src: string;
  readonly since: TimeMs;
  /** States that were entered with its start; it is gone when none of them is active. Empty: as long as its parent. */
  readonly entered: readonly string[];
}

type Waiting = Exclude<Wait, { readonly for: 'effect' | 'timer' | 'event' }>;

interface Actor extends Omit<Execution, 'stream' | 'steps' | 'waits'> {
  readonly machines: Readonly<Record<string, unknown>>;
  readonly effects: Readonly<Record<string, Effect>>;
  /** Effects that were taken to be over with a state, until another one has their name. */
  readonly left: Readonly<Record<string, Effect>>;
  readonly timers: Readonly<Record<string, ArmedTimer>>;
  /** By actor: until its machine moves on. */
  readonly held: Readonly<Record<string, Waiting>>;
  /** What a person is asked, by what the answer names. */
  readonly asked: Readonly<Record<string, Waiting>>;
  readonly steps: Readonly<Record<string, RunningStep & { readonly actor: string }>>;
}

/** Where each actor is, by its stream. */
export type ExecutionsState = Shelves<Actor>;

/** Where every actor is, in order of their streams. */
export const executions: PortableProjection<ExecutionsState, readonly Execution[]> = portableProjection(
  'executions',
  1,
  executionsFold,
);

function executionsFold(kit: FoldKit): Fold<ExecutionsState, readonly Execution[]> {
  const nothing = { machines: {}, effects: {}, left: {}, timers: {}, held: {}, asked: {}, steps: {} };

  function begun(event: ProjectedEvent): Actor {
    return {
      machine: kit.machineOf(event.stream),
      version: null,
      correlationId: kit.correlationOf(event),
      status: 'active',
      state: null,
      since: event.at,
      startedAt: event.at,
      endedAt: null,
      error: null,
      revision: event.revision,
      ...nothing,
    };
  }

  /** Without what belongs to this actor or is below it. */
  function without(actor: Actor, gone: string): Actor {
    const isLeft = (address: string) => !kit.isWithin(address, gone);
    return {
      ...actor,
      machines: kit.kept(actor.machines, isLeft),
      effects: kit.kept(actor.effects, isLeft),
      left: kit.kept(actor.left, isLeft),
      held: kit.kept(actor.held, isLeft),
      asked: kit.kept(actor.asked, (_, wait) => isLeft(wait.actor)),
      steps: kit.kept(actor.steps, (_, step) => isLeft(step.actor)),
    };
  }

  /** The paths of all active states, outer ones first: 'a' and 'a.b' for { a: 'b' }. */
  function pathsIn(value: unknown, within = ''): string[] {
    if (typeof value === 'string') return [within + value];
    if (!kit.isRecord(value)) return [];
    return Object.entries(value).flatMap(([key, inner]) => [within + key, ...pathsIn(inner, `${within}${key}.`)]);
  }

  /**
   * The states of which one started an effect; none where that was the machine as a whole, or nothing says it. XState makes
   * up an id from the state, such as `0.order.charging`; with one of its own only the states that were just entered are left.
   */
  function startersOf(address: string, was: readonly string[], is: readonly string[]): readonly string[] {
    const id = address.slice(address.lastIndexOf('/') + 1, address.lastIndexOf(':'));
    if (/^\d+\./.test(id)) return is.filter((path) => id.endsWith(`.${path}`)).slice(-1);
    const fresh = is.filter((path) => !was.includes(path));
    return fresh.length > 0 ? fresh : is.length === 1 ? is : [];
  }

  /** Whether a machine has heard of the end of this child. */
  function hasEndedBy(heard: string, parent: string, key: string): boolean {
    const id = /^xstate\.(?:done|error)\.actor\.(.*)$/s.exec(heard)?.[1];
    if (id === undefined) return false;
    const start = `${parent === '/' ? '' : parent}/${id.replace(/%/g, '%25').replace(/\//g, '%2F')}:`;
    return key.startsWith(start) && /^\d+$/.test(key.slice(start.length));
  }

  /** An effect that shows a sign of life has outlived the state it was taken to belong to. */
  function alive(actor: Actor, address: string): Actor {
    const effect = actor.left[address];
    if (!effect) return actor;
    return {
      ...actor,
      effects: kit.withKey(actor.effects, address, { ...effect, entered: [] }),
      left: kit.withKey(actor.left, address, undefined),
    };
  }

  function moved(actor: Actor, event: ProjectedEvent): Actor {
    let next = actor;
    for (const { actor: address, event: heard, to, status } of kit.transitionsOf(event)) {
      if (status !== 'active') {
        next = without(next, address);
        continue;
      }
      const active = pathsIn(to);
      const isOver = (key: string, { entered }: Effect) =>
        kit.parentOf(key) === address && entered.length > 0 && !entered.some((path) => active.includes(path));
      const over = Object.entries(next.effects).filter(([key, effect]) => isOver(key, effect));
      next = {
        ...next,
        machines: kit.withKey(next.machines, address, to),
        effects: kit.kept(next.effects, (key, effect) => !isOver(key, effect) && !hasEndedBy(heard, address, key)),
        left: over.length > 0 ? { ...next.left, ...Object.fromEntries(over) } : next.left,
        held: kit.withKey(next.held, address, undefined),
      };
    }
    return next;
  }

  /** Effects that start. One of the same name under the same parent was stopped before. */
  function started(actor: Actor, before: Actor, event: ProjectedEvent): Pick<Actor, 'effects' | 'left'> {
    let { effects, left } = actor;
    for (const { actor: address, src } of kit.list(event.data.intents)) {
      if (typeof address !== 'string' || typeof src !== 'string') continue;
      const parent = kit.parentOf(address);
      const name = address.slice(0, address.lastIndexOf(':'));
      const entered = startersOf(address, pathsIn(before.machines[parent]), pathsIn(actor.machines[parent]));
      const isOther = (key: string) => key.slice(0, key.lastIndexOf(':')) !== name;
      effects = kit.kept(effects, isOther);
      left = kit.kept(left, isOther);
      effects = kit.withKey<Effect>(effects, address, { src, since: event.at, entered });
    }
    return { effects, left };
  }

  function rebased(actor: Actor, event: ProjectedEvent): Actor {
    const standing = kit.standingOf(event);
    if (!standing) return actor;
    const machines: Record<string, unknown> = {};
    for (const each of kit.list(standing.machines)) machines[String(each.actor)] = each.to ?? null;
    const effects: Record<string, Effect> = {};
    for (const { actor: address, src } of kit.list(standing.effects)) {
      const is = pathsIn(machines[kit.parentOf(String(address))]);
      effects[String(address)] = { src: String(src), since: event.at, entered: startersOf(String(address), is, is) };
    }
    return { ...actor, ...nothing, machines, effects };
  }

  function afterStimulus(before: Actor, event: ProjectedEvent): Actor {
    const { data, type } = event;
    let next = rebased(before, event);
    const ended = type === 'EffectSucceeded' || (type === 'EffectFailed' && data.action !== true);
    if (ended && typeof data.actor === 'string') {
      next = { ...next, effects: kit.withKey(next.effects, data.actor, undefined) };
      next = { ...next, left: kit.withKey(next.left, data.actor, undefined) };
      next = { ...next, asked: kit.withKey(next.asked, `effect ${data.actor}`, undefined) };
    }
    if (type === 'EffectProgressed' && typeof data.actor === 'string') next = alive(next, data.actor);
    if (type === 'ActorResumed') next = resumed(next, event);
    next = moved(next, event);
    const status = (kit.statusAfter(event) ?? next.status) as Execution['status'];
    const isOver = status !== 'active';
    const state = kit.rootStateAfter(event) ?? next.state;
    next = {
      ...next,
      ...started(next, before, event),
      timers: kit.timersAfter(before.timers, event),
      state,
      since: kit.isSame(state, before.state) ? before.since : event.at,
      status,
      endedAt: isOver ? (before.endedAt ?? event.at) : null,
      error: status !== 'error' ? null : type === 'EffectFailed' ? kit.errorOf(data.error) : before.error,
      version: typeof data.version === 'string' ? data.version : next.version,
    };
    return isOver ? { ...next, ...nothing } : next;
  }

  /** Lost effects that a person decides about wait for that, and the others run again. */
  function resumed(actor: Actor, event: ProjectedEvent): Actor {
    let next = actor;
    for (const { actor: address } of kit.list(event.data.effects)) next = alive(next, String(address));
    let { asked, effects } = next;
    for (const { actor: address, decision } of kit.list(event.data.effects)) {
      if (typeof address !== 'string') continue;
      const known = effects[address] ?? { src: '', since: event.at, entered: [] };
      const ask = { for: 'person', actor: address, subject: known.src, message: null, since: event.at } as const;
      asked = kit.withKey<Waiting>(
        asked,
        `effect ${address}`,
        decision === 'ask' ? { ...ask, choices: [] } : undefined,
      );
      effects = kit.withKey(effects, address, { ...known, since: event.at });
    }
    return { ...next, asked, effects, ...changed(event) };
  }

  function changed({ data }: ProjectedEvent): Pick<Actor, 'version'> | undefined {
    if (!kit.isRecord(data.changed)) return undefined;
    return { version: kit.text(data.changed.version) ?? null };
  }

  function afterFact(actor: Actor, event: ProjectedEvent): Actor {
    if (event.type === 'FlowFailed' && actor.status === 'error')
      return { ...actor, error: kit.errorOf(event.data.error) };
    // A machine that ended with this stimulus waits for nothing any more.
    const isThere = actor.status === 'active' && event.meta.actor! in actor.machines;
    return isThere ? told(actor, event, event.meta.actor!) : actor;
  }

  /** Whether it is the approval by which a flow asks its question: the person is asked once. */
  function carries(key: string, { actor, ...wait }: Waiting, flow: string, message: string): boolean {
    const isApproval = key === `${actor} approval`;
    return isApproval && kit.parentOf(actor) === flow && wait.for === 'person' && wait.message === message;
  }

  function told(actor: Actor, { type, data, at }: ProjectedEvent, by: string): Actor {
    const hold = (wait: Waiting): Actor => ({ ...actor, held: kit.withKey(actor.held, by, wait) });
    const ask = (key: string, wait: Waiting | undefined): Actor => ({
      ...actor,
      asked: kit.withKey(actor.asked, `${by} ${key}`, wait),
    });
    const name = (key: string) => kit.text(data[key]) ?? '';
    const step = `${by} ${name('flow')} ${name('step')}`;
    switch (type) {
      case 'AttemptRejected':
        return hold({ for: 'breaker', actor: by, step: name('step'), error: kit.errorOf(data.error), since: at });
      case 'RetryScheduled': {
        // The breaker is why there is a wait at all, so it stays the reason.
        if (actor.held[by]?.for === 'breaker') return actor;
        const [attempt, dueAt] = [kit.number(data.attempt) ?? 0, kit.number(data.dueAt) ?? at];
        return hold({ for: 'retry', actor: by, step: name('step'), attempt, dueAt });
      }
      case 'ApprovalRequested': {
        const request = kit.isRecord(data.request) ? data.request : {};
        const message = kit.text(request.title) ?? null;
        const choices = Array.isArray(request.choices) ? request.choices.map(String) : [];
        return ask('approval', { for: 'person', actor: by, subject: name('approval'), message, choices, since: at });
      }
      case 'ApprovalGranted':
      case 'ApprovalRejected':
      case 'ApprovalTimedOut':
        return ask('approval', undefined);
      case 'InterventionRequested': {
        const choices = Array.isArray(data.choices) ? data.choices.map(String) : [];
        const asking = { for: 'person', actor: by, subject: name('subject'), message: name('message') } as const;
        const next = ask(`${name('subject')} ${name('handler')}`, { ...asking, choices, since: at });
        return { ...next, asked: kit.kept(next.asked, (key, wait) => !carries(key, wait, by, asking.message)) };
      }
      case 'InterventionAnswered':
        return ask(`${name('subject')} ${name('handler')}`, undefined);
      case 'FlowStepStarted': {
        const running = { flow: name('flow'), step: name('step'), phase: kit.text(data.phase) ?? null };
        return { ...actor, steps: kit.withKey(actor.steps, step, { ...running, since: at, actor: by }) };
      }
      case 'FlowStepCompleted':
      case 'FlowStepSkipped':
      case 'FlowStepFailed':
        return { ...actor, steps: kit.withKey(actor.steps, step, undefined) };
      case 'FlowFailed':
      case 'FlowAborted':
        return { ...actor, steps: kit.kept(actor.steps, (_, each) => each.actor !== by || each.flow !== name('flow')) };
      default:
        return actor;
    }
  }

  function waitsOf(actor: Actor): Wait[] {
    if (actor.status !== 'active') return [];
    const held = Object.values(actor.held);
    const asked = Object.values(actor.asked);
    const isAsked = (address: string) => `effect ${address}` in actor.asked;
    const isRetry = ({ actor: by, dueAt }: ArmedTimer) =>
      held.some((wait) => wait.for === 'retry' && wait.actor === by && wait.dueAt === dueAt);
    const effects = Object.entries(actor.effects).filter(([address]) => !isAsked(address));
    const waits: Wait[] = [
      ...asked,
      ...held,
      ...effects.map(([by, { src, since }]): Wait => ({ for: 'effect', actor: by, src, since })),
      ...Object.values(actor.timers)
        .filter((timer) => !isRetry(timer))
        .sort((a, b) => a.dueAt - b.dueAt || a.timer - b.timer)
        .map(({ actor: by, id, dueAt }): Wait => ({ for: 'timer', actor: by, id, dueAt })),
    ];
    return waits.length > 0 ? waits : [{ for: 'event', actor: '/' }];
  }

  return {
    initial: {},
    apply(state, event) {
      const known = kit.get(state, event.stream);
      // A stream that begins without one of the runtime's events is not an actor's.
      if (!known && (kit.isFact(event) || !('at' in event.data))) return state;
      const before = known ?? begun(event);
      const after = kit.isFact(event) ? afterFact(before, event) : afterStimulus(before, event);
      return kit.put(state, event.stream, { ...after, revision: event.revision });
    },
    result: (state) =>
      kit.entries(state).map(([stream, actor]) => ({
        stream,
        machine: actor.machine,
        version: actor.version,
        correlationId: actor.correlationId,
        status: actor.status,
        state: actor.state,
        since: actor.since,
        startedAt: actor.startedAt,
        endedAt: actor.endedAt,
        error: actor.error,
        steps: Object.values(actor.steps).map(({ flow, step, phase, since }) => ({ flow, step, phase, since })),
        waits: waitsOf(actor),
        revision: actor.revision,
      })),
  };
}
