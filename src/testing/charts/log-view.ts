/**
 * What a log shows of one actor: its tree, timers and facts. Owns the fold, which goes on as the log grows; asks no runtime.
 *
 * LV1  Every prefix of the log is folded, once, whatever host wrote it.
 */
import type { AnyStateMachine } from 'xstate';
import { ActorTree } from '../../kernel/actor-tree.ts';
import { definitionHash } from '../../kernel/definition-hash.ts';
import { Folder } from '../../kernel/fold.ts';
import type { EventLog, RecordedEvent, Revision } from '../../log/event-log.ts';
import { isFact } from '../../log/runtime-events.ts';
import { noUpcasters } from '../../log/upcast.ts';
import { FeatureSet } from '../../runtime/features.ts';
import { readableEvent } from '../../runtime/readable-event.ts';
import type { FactView, TimerView } from './trace.ts';
import { givenTimerId, pathOf, viewTree, type Json, type TreeView } from './xstate-view.ts';

/** The fold of a stream, as far as it was read. */
export class LogView {
  readonly #stream: string;
  readonly #folder: Folder;
  readonly #reading = { upcasters: noUpcasters, features: new FeatureSet() };
  readonly #facts: FactView[] = [];
  #factsAt = 0;
  #last: Revision = -1;

  constructor(stream: string, machine: AnyStateMachine) {
    this.#stream = stream;
    this.#folder = new Folder(new ActorTree(machine, stream.slice(stream.indexOf('-') + 1)), definitionHash(machine));
  }

  /** The last revision that was read; -1 when there was none. */
  get last(): Revision {
    return this.#last;
  }

  /** The facts of all machines of the tree. */
  get facts(): readonly FactView[] {
    return this.#facts;
  }

  get tree(): TreeView {
    return viewTree(this.#folder.tree.rootActor.getSnapshot());
  }

  /** Timers that are armed, in order of (due, armed). */
  get timers(): readonly TimerView[] {
    return [...(this.#folder.tree.timers?.values() ?? [])]
      .sort((a, b) => a.dueAt - b.dueAt || a.seq - b.seq)
      .map(({ source, target, event, id, dueAt }): TimerView => {
        return { source: pathOf(source), target: pathOf(target), event: event.type, dueAt, ...givenTimerId(id) };
      });
  }

  /**
   * Folds what is new.
   * @throws ReplayDivergedError | DamagedRecordError
   */
  async read(log: EventLog): Promise<void> {
    if ((await log.head(this.#stream)).state !== 'live') return;
    for await (const event of log.readStream(this.#stream, { from: this.#last + 1 })) this.#push(event);
  }

  #push(event: RecordedEvent): void {
    this.#last = event.revision;
    this.#folder.push(readableEvent(event, this.#reading));
    const data = JSON.parse(event.data) as Json;
    if (isFact(event)) this.#facts.push({ at: this.#factsAt, from: pathIn(event.meta.actor!), event: data });
    else this.#factsAt = (data as { readonly at: number }).at;
  }
}

/** The path of an actor without the numbers of its lives. */
function pathIn(address: string): string {
  if (address === '/') return address;
  const ids = address.slice(1).split('/');
  const names = ids.map((segment) => segment.slice(0, segment.lastIndexOf(':')));
  return `/${names.map((id) => id.replaceAll('%2F', '/').replaceAll('%25', '%')).join('/')}`;
}
