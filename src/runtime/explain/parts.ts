/**
 * The parts of an explanation: what stands in the tree, of machines, effects, timers and waits. Owns how the records and the
 * fold are brought together.
 *
 * XQ1  With a tree at hand, exactly what is in it is told; when it began, only the records know.
 * XQ2  Without one, the index of actors says how many effects there are. Where so many had their machine stand still since they
 *      began, it is those; otherwise all that may still be wanted are told, and that it is not sure.
 */
import type { TimeMs } from '../../clock.ts';
import { acceptedEvents } from '../../kernel/accepted-events.ts';
import { addressOf, type ActorTree } from '../../kernel/actor-tree.ts';
import { canTake, isMachineSnapshot, reviveRoot } from '../../kernel/xstate-internals.ts';
import type { EffectRecord, History } from './history.ts';
import { errorOf, parentAddress, type ToldRetry } from './told.ts';
import type {
  AwaitedPerson,
  EffectStanding,
  ExplainedEffect,
  ExplainedError,
  ExplainedMachine,
  ExplainedTimer,
  WaitingRetry,
} from './explained.ts';

/** The machines of the tree, the root first. */
export function machinesOf(history: History, tree: ActorTree | undefined, now: TimeMs): ExplainedMachine[] {
  if (!tree) {
    const machines = [...history.machines].map(([actor, record]) => ({ actor, ...record, accepts: null }));
    return machines.toSorted((one, other) => Number(other.actor === '/') - Number(one.actor === '/'));
  }
  const living = tree.status === 'active' ? [...(tree._living?.values() ?? [])] : [];
  return [tree.rootActor, ...living].flatMap((actor): ExplainedMachine[] => {
    const snapshot = actor.getSnapshot();
    const address = addressOf(actor);
    const since = history.machines.get(address)?.since ?? null;
    if (!isMachineSnapshot(snapshot)) return [];
    const accepts = snapshot.status === 'active' ? acceptedEvents(snapshot, now) : [];
    return [{ actor: address, value: snapshot.value, status: snapshot.status, since, accepts }];
  });
}

/** The armed timers, by due time. */
export function timersOf(history: History, tree: ActorTree | undefined, now: TimeMs): ExplainedTimer[] {
  const timers = tree
    ? [...(tree.timers?.values() ?? [])].map(({ source, id, dueAt }) => ({ actor: addressOf(source), id, dueAt }))
    : [...history.timers.values()];
  return timers
    .map(({ actor, id, dueAt }) => ({ actor, id, dueAt, inMs: dueAt - now }))
    .toSorted((one, other) => one.dueAt - other.dueAt);
}

/** The effects without an outcome. */
export function effectsOf(
  history: History,
  tree: ActorTree | undefined,
  now: TimeMs,
  seen: {
    readonly isRunning: (effect: string) => boolean;
    /** How many effects the index of actors has for the newest revision; undefined where that does not concern us. */
    readonly atHead: number | undefined;
  },
): ExplainedEffect[] {
  const effects = tree ? treeEffects(history, tree) : wantedEffects(history, seen.atHead);
  return effects.map(([actor, effect]) => {
    const { src, since, restarts, untouched, checkpoint, inDoubt } = effect;
    const ageMs = since && now - since.at;
    const standing = standingOf(effect, seen.isRunning(actor));
    return {
      ...{ actor, src, standing, since, ageMs, attempt: restarts + 1, restarts },
      checkpoint: checkpoint ?? null,
      hasBegun: !untouched,
      isSure: !inDoubt,
    };
  });
}

function standingOf({ asked, interrupted }: EffectRecord, isRunning: boolean): EffectStanding {
  if (asked) return 'asked';
  if (interrupted) return 'interrupted';
  return isRunning ? 'running' : 'lost';
}

function treeEffects(history: History, tree: ActorTree): [string, EffectRecord][] {
  return [...(tree.effects ?? [])].map(([address, effect]) => {
    const since = history.effects.get(address)?.since ?? null;
    const { restarts, asked, interrupted, untouched, checkpoint } = effect;
    const { src } = effect.actor;
    const name = typeof src === 'string' ? src : '(inline)';
    return [address, { src: name, since, restarts, asked, interrupted, untouched, checkpoint, inDoubt: false }];
  });
}

/** XQ2. */
function wantedEffects({ effects }: History, atHead: number | undefined): [string, EffectRecord][] {
  const all = [...effects];
  const sure = all.filter(([, { inDoubt }]) => !inDoubt);
  if (atHead === undefined) return all;
  if (atHead === 0) return [];
  if (atHead === sure.length) return sure;
  return all.map(([actor, effect]) => [actor, { ...effect, inDoubt: atHead < all.length }]);
}

/** The retries that wait: a timer that was armed with the announcement is still armed. */
export function retriesOf(history: History, now: TimeMs): WaitingRetry[] {
  return [...history.told.retries].filter(isWaiting(history)).map(([actor, retry]) => {
    const { step, attempt, errorClass, dueAt, since } = retry;
    return { actor, step, attempt, errorClass, dueAt, inMs: dueAt - now, since };
  });
}

function isWaiting({ timers }: History) {
  return ([actor, { stimulus }]: [string, ToldRetry]) =>
    [...timers.values()].some((timer) => timer.actor === actor && timer.armedAt === stimulus);
}

type AwaitedApproval = AwaitedPerson & { readonly kind: 'approval' };

/** The people who are waited for. The approval by which a flow asks its question is told as that question. */
export function peopleOf({ machines, told, status }: History): AwaitedPerson[] {
  if (status !== 'active') return [];
  const people = told.people.filter(({ actor }) => machines.has(actor));
  const isCarrier = ({ actor, title }: AwaitedApproval) =>
    people.some(
      (other) => other.kind === 'intervention' && other.actor === parentAddress(actor) && other.message === title,
    );
  return people.filter((person) => person.kind === 'intervention' || !isCarrier(person));
}

/** The failure behind it, and where it is the root's own, what led to that. */
export function errorsOf(
  { root, told }: History,
  tree: ActorTree | undefined,
): { error: ExplainedError | null; cause: ExplainedError | null } {
  const known = told.error;
  if (root?.status !== 'error' || !tree) return { error: known, cause: null };
  const { error: thrown } = tree.rootActor.getSnapshot();
  const error = errorOf('state', '/', thrown, null, root.since);
  return { error, cause: known && known.message !== error.message ? known : null };
}

/** Whether a root that failed takes `rewake.resume` there. Asked last: it is revived for that. */
export function isResumable(tree: ActorTree | undefined): boolean | null {
  if (tree?.status !== 'error') return null;
  const { rootActor } = tree;
  return reviveRoot(rootActor) && canTake(rootActor.getSnapshot(), { type: 'rewake.resume' });
}
