/**
 * A walk along a stream: from a checkpoint forward, by code where there is some that fits and by the log beside it. Owns where the
 * walk is, and what becomes of code that does not fit. One walk is used by one at a time.
 *
 * WA1  The log is always followed, too: it is what the code is measured by, and what is left where the code does not fit.
 * WA2  Code that does something else than was recorded is given up from that entry on, until a rebase holds a whole state.
 */
import type { RewakeError } from '../errors.ts';
import { isDeepStrictEqual } from 'node:util';
import { diff } from '../kernel/json-patch.ts';
import type { Revision } from '../log/event-log.ts';
import { isRebase } from '../log/runtime-events.ts';
import { foldUpTo, type FoldServices } from '../runtime/fold-history.ts';
import type { Charts } from './charts.ts';
import { isOfHistory } from '../runtime/readable-event.ts';
import { Checkpoints, type Checkpoint, type CodePlace } from './checkpoints.ts';
import { beginsHistory, CodeFold } from './code-fold.ts';
import { EntryReader, type Entry } from './entries.ts';
import { changesBetween, frameOf, recordedChanges, type Stand } from './frame-of.ts';
import type { ContextChange, Frame, FrameActor } from './frame.ts';
import { applied } from './log-fold.ts';
import { nothingYet, type Begun, type Known, type LogState } from './log-state.ts';
import { definitionIn } from './definition-in.ts';
import { contextsIn, nameActor, timersIn, TreeView } from './tree-view.ts';

/** What a walk needs. */
export interface WalkServices extends FoldServices {
  readonly stream: string;
  readonly machine: string;
  readonly rootId: string;
  readonly usesCode: boolean;
  readonly charts: Charts;
  readonly every: number;
  /** Told of each definition that comes into force. */
  readonly onDefinition: (from: Revision, definition: string) => void;
}

/** Between two entries. */
interface Place {
  next: Revision;
  log: LogState;
  code: CodeFold | Exclude<CodePlace, object> | undefined;
}

const entriesPerTurn = 500;

export class Walk {
  readonly #services: WalkServices;
  readonly #reader: EntryReader;
  readonly #checkpoints: Checkpoints;
  readonly #view = new TreeView();
  readonly #begun = new Map<string, Begun>();
  /** What was found out about entries that the code does not fit. */
  readonly #divergences = new Map<Revision, string>();
  #place: Place | undefined;

  constructor(services: WalkServices) {
    this.#services = services;
    this.#reader = new EntryReader(services.stream, services);
    this.#checkpoints = new Checkpoints(services.every);
  }

  /** Forgets everything: the stream is another one now. */
  forget(): void {
    this.#reader.forget();
    this.#checkpoints.clear();
    this.#divergences.clear();
    this.#place = undefined;
  }

  /** Takes in that the stream goes on. */
  goOn(): void {
    this.#reader.forget();
  }

  /**
   * Walks to the entry that a revision belongs to.
   * @param range first and last revision of the stream; `at` is the revision that has to be reached, `to` where the walk ends
   * @param wants which frames are to be made; those where the code stops fitting are, too
   * @throws DamagedRecordError
   */
  async frames(
    range: { readonly first: Revision; readonly last: Revision; readonly at: Revision; readonly to: Revision },
    wants: (entry: Entry) => boolean,
  ): Promise<Frame[]> {
    const place = await this.#placeBelow(range.at, range.first);
    const frames: Frame[] = [];
    // While it is under way it is nowhere: what throws in the middle leaves no half of an entry.
    this.#place = undefined;
    for (let count = 1; place.next <= range.to; count++) {
      const entry = await this.#reader.read(place.next, range.last);
      if (!entry) break;
      this.#keep(place, entry);
      const frame = await this.#step(place, entry, wants(entry));
      if (frame) frames.push(frame);
      if (count % entriesPerTurn === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#place = place;
    return frames;
  }

  async #placeBelow(revision: Revision, first: Revision): Promise<Place> {
    for (;;) {
      const checkpoint = this.#checkpoints.below(revision);
      const here = this.#place;
      if (here && here.next <= revision && here.next >= (checkpoint?.next ?? first)) return here;
      if (!checkpoint) return this.#beginning(first);
      const place = this.#takenUp(checkpoint);
      if (place) return place;
      this.#checkpoints.remove(checkpoint);
    }
  }

  #beginning(first: Revision): Place {
    return { next: first, log: nothingYet, code: this.#services.usesCode ? 'unbegun' : undefined };
  }

  #takenUp({ next, log, code }: Checkpoint): Place | undefined {
    if (typeof code !== 'object') return { next, log, code };
    try {
      return { next, log, code: CodeFold.restored(code) };
    } catch {
      // An older one will do.
      return undefined;
    }
  }

  #keep({ next, log, code }: Place, entry: Entry): void {
    // Before a rebase nothing of the code is needed: it holds the whole state.
    if (isRebase(entry.stimulus.recorded)) {
      this.#checkpoints.keep({ next, log, code: code && 'unbegun' });
    } else if (this.#checkpoints.isDue(next)) {
      const described = code instanceof CodeFold ? code.described() : code;
      // What cannot be described is tried again with the next entry that is due.
      if (described !== undefined || code === undefined) this.#checkpoints.keep({ next, log, code: described });
    }
  }

  async #step(place: Place, entry: Entry, isWanted: boolean): Promise<Frame | undefined> {
    const before = isWanted ? this.#before(place) : undefined;
    await this.#look(entry);
    const done = applied(place.log, entry, this.#known);
    const divergence = await this.#pushCode(place, entry);
    const wasLog = place.log;
    place.log = done.state;
    place.next = entry.lastRevision + 1;
    if (!before && divergence === null) return undefined;
    const after = this.#stand(place);
    const changes = this.#changes(place, entry, before ?? { actors: logActors(wasLog), contexts: undefined }, after);
    const { stream } = this.#services;
    return frameOf(entry, {
      ...{ stream, applied: done, after, changes, begun: this.#begun, divergence },
      drift: after.source === 'code' ? driftOf(after.actors, done.state) : [],
    });
  }

  get #known(): Known {
    const { rootId, charts } = this.#services;
    return { rootId, begun: this.#begun, chartOf: (...args) => charts.of(...args) };
  }

  /** What a definition that comes into force looks like. */
  async #look({ revision, stimulus }: Entry): Promise<void> {
    const inForce = definitionIn(stimulus);
    if (!inForce) return;
    const { charts, machine, onDefinition } = this.#services;
    await charts.look(inForce.definition, machine, inForce.version);
    onDefinition(revision, inForce.definition);
  }

  /** WA2. @returns how the code does not fit, where it stops fitting */
  async #pushCode(place: Place, entry: Entry): Promise<string | null> {
    const { code } = place;
    if (code === undefined) return null;
    const begins = beginsHistory(entry);
    if (code === 'unfit' && !begins) return null;
    const known = this.#divergences.get(entry.revision);
    if (known === undefined) {
      const { machines, stream } = this.#services;
      const fold = code instanceof CodeFold ? code : undefined;
      try {
        place.code = await CodeFold.after(fold, entry, machines, (from, to) => this.#between(from, to));
        return null;
      } catch (error) {
        if (!isOfHistory(error)) throw error;
        this.#divergences.set(entry.revision, await this.#explained(stream, entry, error as RewakeError));
      }
    }
    place.code = 'unfit';
    return this.#divergences.get(entry.revision)!;
  }

  /** As a host would say it, which looks for the cause. */
  async #explained(stream: string, { lastRevision }: Entry, error: RewakeError): Promise<string> {
    try {
      await foldUpTo(stream, lastRevision, this.#services);
      return error.message;
    } catch (told) {
      return isOfHistory(told) ? (told as RewakeError).message : error.message;
    }
  }

  async *#between(from: Revision, to: Revision): AsyncGenerator<Entry, undefined> {
    const reader = new EntryReader(this.#services.stream, this.#services);
    for (let next = from; ;) {
      const entry = await reader.read(next, to);
      if (!entry) return;
      yield entry;
      next = entry.lastRevision + 1;
    }
  }

  #before({ log, code }: Place): Before {
    if (!(code instanceof CodeFold)) return { actors: logActors(log), contexts: undefined };
    return { actors: this.#view.actors(code.tree), contexts: contextsIn(code.tree) };
  }

  #stand({ log, code }: Place): Stand {
    if (!(code instanceof CodeFold)) {
      return { source: 'log', actors: logActors(log), effects: logEffects(log), timers: [...log.timers.values()] };
    }
    const { tree } = code;
    const effects = [...(tree.effects ?? [])].map(([actor, { restarts }]) => {
      const { src, since, startedAt } = this.#begun.get(actor)!;
      return { actor, src, since, startedAt, restarts };
    });
    return { source: 'code', actors: this.#view.actors(tree), effects, timers: timersIn(tree) };
  }

  #changes({ code }: Place, entry: Entry, before: Before, after: Stand): readonly ContextChange[] {
    if (isRebase(entry.stimulus.recorded)) return changesBetween(before.actors, after.actors);
    if (!(code instanceof CodeFold) || !before.contexts) return recordedChanges(entry);
    return [...contextsIn(code.tree)].flatMap(([actor, context]) => {
      const patch = diff(before.contexts!.get(actor), context, nameActor);
      return patch.length > 0 ? [{ actor, patch }] : [];
    });
  }
}

interface Before {
  readonly actors: readonly FrameActor[];
  /** As the code holds them; undefined without. */
  readonly contexts: ReadonlyMap<string, unknown> | undefined;
}

function logActors({ actors }: LogState): FrameActor[] {
  return [...actors.values()];
}

function logEffects({ effects }: LogState): Stand['effects'] {
  return [...effects.values()].map(({ actor, src, since, startedAt, restarts }) => {
    return { actor, src, since, startedAt, restarts };
  });
}

/** Machines whose context is known to the log, and another one there. */
function driftOf(actors: readonly FrameActor[], log: LogState): string[] {
  return actors.flatMap(({ address, context }) => {
    const recorded = log.actors.get(address)?.context;
    return recorded === undefined || context === undefined || isDeepStrictEqual(context, recorded) ? [] : [address];
  });
}
