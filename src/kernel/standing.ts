/**
 * What stands in a tree, in words of the log. Owns what a reader without the machines' code is told of a state that is not
 * the outcome of the events before it, and what the actor index is told.
 */
import type { ActorHead, ActorStatus } from '../log/event-log.ts';
import { addressOf, sourceOf, type ActorTree } from './actor-tree.ts';
import type { StartInfo } from './records.ts';
import type { Standing } from './stimulus.ts';
import { isMachineSnapshot, type HostedActor } from './xstate-internals.ts';

/** The position of every running machine, the effects without an outcome and the armed timers. */
export function standingOf(tree: ActorTree): Standing {
  const actors: HostedActor[] = [tree.rootActor, ...(tree._living?.values() ?? [])];
  return {
    status: tree.status,
    machines: actors.flatMap((actor) => {
      const snapshot = actor.getSnapshot();
      return isMachineSnapshot(snapshot) ? [{ actor: addressOf(actor), to: snapshot.value }] : [];
    }),
    effects: [...(tree.effects?.values() ?? [])].map(({ actor }) => ({
      actor: addressOf(actor),
      src: sourceOf(actor),
    })),
    timers: [...(tree.timers?.values() ?? [])].map(({ seq, source, id, dueAt }) => {
      return { timer: seq, actor: addressOf(source), id, dueAt };
    }),
  };
}

/** The actor as it goes into the index with an append. */
export function headOf(
  tree: ActorTree,
  { machine, version }: Pick<StartInfo, 'machine' | 'version'>,
  correlationId: string,
): ActorHead {
  return {
    machine,
    version,
    status: tree.status as ActorStatus,
    correlationId,
    wakeAt: tree.nextTimer()?.dueAt ?? null,
    effects: tree.effects?.size ?? 0,
  };
}
