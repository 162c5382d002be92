/**
 * What stands after a rebase, read from its event without code. Owns the way from the described state to the state of a replay,
 * and what is left of it where the description cannot be read.
 */
import { describedTree, type DescribedTree } from '../kernel/described-tree.ts';
import type { Standing, TimerRecord } from '../kernel/stimulus.ts';
import type { Json } from '../log/json.ts';
import { idOf, parentOf } from './addresses.ts';
import type { EntryEvent } from './entries.ts';
import type { FrameActor } from './frame.ts';
import type { FollowedEffect, Known } from './log-state.ts';

interface RebasedState {
  readonly actors: readonly FrameActor[];
  readonly effects: readonly FollowedEffect[];
  readonly timers: readonly TimerRecord[];
}

/** What an ActorRebased leaves. */
export function rebasedState(event: EntryEvent, known: Known): RebasedState {
  const { state, standing } = event.data;
  const tree = described(state);
  if (tree) return fromDescription(tree, event, known);
  return fromStanding((standing ?? {}) as Partial<Standing>, event, known);
}

function described(state: Json | undefined): DescribedTree | undefined {
  try {
    return typeof state === 'string' ? describedTree(state) : undefined;
  } catch {
    return undefined;
  }
}

function fromDescription(tree: DescribedTree, event: EntryEvent, known: Known): RebasedState {
  const machines = tree.machines.filter(({ hasEnded, address }) => !hasEnded || address === '/');
  return {
    actors: [
      ...machines.map(({ address, src, value, context, status, output, error }): FrameActor => {
        const ended = { ...(output !== undefined && { output }), ...(error !== undefined && { error }) };
        return { ...machineAt(address, src, value as Json, known), status: statusOf(status), context, ...ended };
      }),
      ...tree.effects.map(({ address, src }) => effectAt(address, src)),
    ],
    effects: tree.effects.map((effect) => followed({ ...effect, actor: effect.address }, event, known)),
    timers: tree.timers,
  };
}

/** The words that go with the description: no contexts, but all else. */
function fromStanding(standing: Partial<Standing>, event: EntryEvent, known: Known): RebasedState {
  const { status = 'active', machines = [], effects = [], timers = [] } = standing;
  return {
    actors: [
      ...machines.map(({ actor, to }): FrameActor => {
        const machine = machineAt(actor, null, to as Json, known);
        return actor === '/' ? { ...machine, status: statusOf(status) } : machine;
      }),
      ...effects.map(({ actor, src }) => effectAt(actor, src)),
    ],
    effects: effects.map((effect) => followed({ ...effect, restarts: 0, interrupted: false }, event, known)),
    timers,
  };
}

function machineAt(address: string, src: string | null, value: Json, { rootId }: Known): FrameActor {
  const id = address === '/' ? rootId : idOf(address);
  const named = { address, id, parent: parentOf(address), src };
  return { ...named, kind: 'machine', status: 'active', value, context: undefined };
}

function effectAt(address: string, src: string): FrameActor {
  const named = { address, id: idOf(address), parent: parentOf(address), src };
  return { ...named, kind: 'effect', status: 'active', value: null, context: undefined };
}

/** Where its beginning is not in the stream any more, what is left of it begins here. */
function followed(
  { actor, src, restarts, interrupted }: Pick<FollowedEffect, 'actor' | 'src' | 'restarts' | 'interrupted'>,
  { recorded, data }: EntryEvent,
  { begun }: Known,
): FollowedEffect {
  if (!begun.has(actor)) {
    const startedAt = typeof data.at === 'number' ? data.at : recorded.recordedAt;
    begun.set(actor, { src, since: recorded.revision, startedAt });
  }
  const { since, startedAt } = begun.get(actor)!;
  return { actor, src, since, startedAt, restarts, interrupted, invoker: undefined, isOrphan: false };
}

function statusOf(status: string): FrameActor['status'] {
  return status === 'done' || status === 'error' || status === 'stopped' ? status : 'active';
}
