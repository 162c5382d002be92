/**
 * The actor tree of a walk through a model. Owns what is noted of its transitions, and how it is told where it stands.
 *
 * MT1  Two trees that stand at one place are told alike: actors by their ids, without what tells their lives apart.
 * MT2  Times are left out, but for those in contexts: of timers their order is told.
 */
import { ActorTree, addressOf } from '../kernel/actor-tree.ts';
import { isHostedActor, isMachineSnapshot, type HostedActor } from '../kernel/xstate-internals.ts';
import { writeRichText } from '../log/rich-values.ts';
import { pathOf } from './model-step.ts';

/** A transition that was taken: XState's own object, which is the same each time. */
export type TakenTransition = object;

/** A tree that notes which transitions its machines take. */
export class ModelTree extends ActorTree {
  taken: TakenTransition[] = [];

  override _sendInspectionEvent(event: {
    readonly type: string;
    readonly actorRef: unknown;
    readonly _transitions?: readonly TakenTransition[];
  }): void {
    if (event.type === '@xstate.microstep' && event._transitions) this.taken.push(...event._transitions);
    super._sendInspectionEvent(event);
  }

  /**
   * Where it stands, but for contexts and times: values of all machines, open effects, armed timers. For all of it
   * there is {@link ModelTree.describe}.
   */
  get place(): string {
    return JSON.stringify([this.status, ...this.#machines().map(({ path, value }) => [path, value]), this.#ahead()]);
  }

  /**
   * Where it stands, as text (MT1, MT2).
   * @param root what the root's value and context are told as; themselves when omitted
   * @throws NotSerializableError for a context that a log could not carry
   */
  describe(root?: string): string {
    const machines = this.#machines().map(({ path, value, context, history }) =>
      path === '/' && root !== undefined ? root : [path, value, context, history],
    );
    return writeRichText([this.status, machines, this.#ahead()], 'a state of the model', {
      Actor: (value) => isHostedActor(value) && [value.id],
    });
  }

  #machines() {
    const actors: HostedActor[] = [this.rootActor, ...(this._living?.values() ?? [])];
    return actors.flatMap((actor) => {
      const snapshot = actor.getSnapshot();
      if (!isMachineSnapshot(snapshot)) return [];
      const history = Object.entries(snapshot.historyValue as Record<string, { id: string }[]>);
      return {
        path: pathOf(addressOf(actor)),
        value: snapshot.value,
        context: snapshot.context as unknown,
        history: history.map(([key, nodes]) => [key, ...nodes.map(({ id }) => id)]),
      };
    });
  }

  /** What comes by itself or from an effect. */
  #ahead(): readonly (readonly string[])[] {
    const timers = [...(this.timers?.values() ?? [])].sort((a, b) => a.dueAt - b.dueAt || a.seq - b.seq);
    return [
      [...(this.effects?.keys() ?? [])].map(pathOf),
      timers.map(({ source, event }) => `${pathOf(addressOf(source))} ${event.type}`),
    ];
  }
}
