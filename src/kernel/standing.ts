/**
 * What stands in a tree, in words of the log. Owns what a reader without the machines' code is told of a state that is not
 * the outcome of the events before it.
 */
import { addressOf, sourceOf, type ActorTree } from './actor-tree.ts';
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
