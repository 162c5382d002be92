/**
 * A replay of one stream. Owns what is asked of it, and its bounds: where the stream begins, where it ends, and where damage ends
 * what can be shown. The walking is walk.ts's.
 *
 * SR1  Who asks while another question is answered waits for it: there is one walk.
 * SR2  The stream is as long as it was when the replay was opened or refreshed; what is appended meanwhile is not looked at.
 * SR3  What damage hides is never guessed: there are no frames behind it.
 */
import { DamagedRecordError, InvalidArgumentError, NotFoundError, StreamDeletedError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import type { MachineChart } from '../kernel/chart.ts';
import type { Revision } from '../log/event-log.ts';
import type { Blame } from './blame.ts';
import type { Charts } from './charts.ts';
import { damageFrom } from './damage.ts';
import type { DefinitionInForce } from './definition-in.ts';
import type { Entry } from './entries.ts';
import { blameOf } from './find-blame.ts';
import type { Frame, FrameSource } from './frame.ts';
import { RecentFrames } from './recent-frames.ts';
import type { DamagedRevision, Replay, ReplayedLog } from './replay.ts';
import { Turns } from './turns.ts';
import type { Walk } from './walk.ts';

/** What a replay is opened with. */
export interface Opened {
  readonly log: ReplayedLog;
  readonly stream: string;
  readonly machine: string;
  readonly version: string | null;
  readonly source: FrameSource;
  readonly charts: Charts;
  readonly every: number;
  readonly definitions: DefinitionsInForce;
  readonly walk: Walk;
}

/** From which revision on which definition is in force, in order. */
export class DefinitionsInForce {
  #known: { readonly from: Revision; readonly definition: string }[] = [];

  add(from: Revision, { definition }: Pick<DefinitionInForce, 'definition'>): void {
    if (this.#known.some((each) => each.from === from)) return;
    this.#known.push({ from, definition });
    this.#known.sort((one, other) => one.from - other.from);
  }

  at(revision: Revision): string | undefined {
    return this.#known.findLast(({ from }) => from <= revision)?.definition;
  }
}

/** So many frames before the one that is sought are made with it: who steps back asks for them next. */
const framesBack = 16;
const recentMax = 512;
/** Others get their turn after so many events. */
const eventsPerTurn = 2_000;

export class StreamReplay implements Replay {
  readonly stream: string;
  readonly machine: string;
  readonly version: string | null;
  readonly source: FrameSource;
  readonly #opened: Opened;
  readonly #turns = new Turns();
  readonly #recent: RecentFrames;
  #first: Revision = 0;
  /** As the store states it. */
  #head: Revision = -1;
  #damaged: readonly DamagedRevision[] = [];

  constructor(opened: Opened) {
    this.#opened = opened;
    this.stream = opened.stream;
    this.machine = opened.machine;
    this.version = opened.version;
    this.source = opened.source;
    this.#recent = new RecentFrames(Math.max(recentMax, 2 * opened.every));
  }

  get first(): Revision {
    return this.#first;
  }

  get last(): Revision {
    return this.#damaged[0] ? this.#damaged[0].revision - 1 : this.#head;
  }

  get damaged(): readonly DamagedRevision[] {
    return this.#damaged;
  }

  get chart(): MachineChart | undefined {
    return this.#chartAt('/', this.#first, () => null);
  }

  chartFor(address: string, frame: Frame): MachineChart | undefined {
    const sourceOf = (of: string) => frame.actors.find((actor) => actor.address === of)?.src ?? null;
    return this.#chartAt(address, frame.revision, sourceOf);
  }

  #chartAt(address: string, revision: Revision, sourceOf: (address: string) => string | null) {
    const { charts, definitions } = this.#opened;
    const definition = definitions.at(revision);
    return definition === undefined ? undefined : charts.of(definition, address, sourceOf);
  }

  at(revision: Revision): Promise<Frame> {
    return this.#at(revision, framesBack);
  }

  async next(frame: Frame): Promise<Frame | undefined> {
    const revision = frame.lastRevision + 1;
    return revision > this.last ? undefined : this.#at(revision, 0);
  }

  previous(frame: Frame): Promise<Frame | undefined> {
    return this.#previous(frame, framesBack);
  }

  async #previous(frame: Frame, back: number): Promise<Frame | undefined> {
    const revision = frame.revision - 1;
    return revision < this.#first ? undefined : this.#at(revision, back);
  }

  async *frames(options: { from?: Revision; to?: Revision } = {}): AsyncGenerator<Frame, undefined> {
    const { from = this.#first, to = Infinity } = options;
    if (from > to || this.last < this.#first) return;
    for (let frame: Frame | undefined = await this.#at(from, 0); frame && frame.revision <= to;) {
      yield frame;
      frame = await this.next(frame);
    }
  }

  async find(
    predicate: (frame: Frame) => boolean,
    options: { readonly from?: Revision; readonly backwards?: boolean } = {},
  ): Promise<Frame | undefined> {
    const { backwards = false, from = backwards ? this.last : this.#first } = options;
    if (this.last < this.#first) return undefined;
    const back = backwards ? this.#opened.every : 0;
    for (let frame: Frame | undefined = await this.#at(from, back); frame;) {
      if (predicate(frame)) return frame;
      frame = await (backwards ? this.#previous(frame, back) : this.next(frame));
    }
    return undefined;
  }

  async blame(path: string, options: { readonly at?: Revision; readonly actor?: string } = {}): Promise<Blame> {
    const { at = this.last, actor = '/' } = options;
    this.#requireRevision(at);
    const question = { stream: this.stream, path, at, actor };
    return blameOf(question, this.#opened.log, (wants) => this.#scan(at, wants));
  }

  /** Frames up to a revision, in order, as far as they are wanted. */
  async *#scan(to: Revision, wants: (entry: Entry) => boolean): AsyncGenerator<Frame, undefined> {
    for (let from = this.#first; from <= to;) {
      const end = Math.min(from + eventsPerTurn, to);
      let next = end + 1;
      const isMine = (entry: Entry) => {
        next = Math.max(next, entry.lastRevision + 1);
        return entry.lastRevision >= from && wants(entry);
      };
      const frames = await this.#walk({ at: from, to: end }, isMine);
      yield* frames.filter((frame) => frame.lastRevision >= from);
      from = next;
    }
  }

  async prepare(): Promise<void> {
    try {
      for (let at = this.#first; at < this.last; at = Math.min(at + eventsPerTurn, this.last)) {
        await this.#walk({ at, to: Math.min(at + eventsPerTurn, this.last) }, () => false);
      }
    } catch (error) {
      // It is among the damaged ones now.
      if (!(error instanceof DamagedRecordError)) throw error;
    }
  }

  refresh(): Promise<boolean> {
    return this.#turns.take(() => this.takeHead());
  }

  /**
   * Looks where the stream begins and ends.
   * @returns whether that has changed
   * @throws NotFoundError | StreamDeletedError
   */
  async takeHead(): Promise<boolean> {
    const head = await this.#opened.log.head(this.stream);
    if (head.state === 'absent') throw new NotFoundError(this.stream);
    if (head.state === 'deleted') throw new StreamDeletedError(this.stream);
    const first = head.state === 'truncated' ? head.before : 0;
    if (first === this.#first && head.revision === this.#head) return false;
    const isLonger = first === this.#first && head.revision > this.#head && this.#damaged.length === 0;
    if (isLonger) this.#opened.walk.goOn();
    else {
      this.#opened.walk.forget();
      this.#recent.clear();
    }
    this.#first = first;
    this.#head = head.revision;
    this.#damaged = [];
    return true;
  }

  async #at(revision: Revision, back: number): Promise<Frame> {
    this.#requireRevision(revision);
    const known = this.#recent.get(revision);
    if (known) return known;
    const wants = (entry: Entry) => entry.lastRevision >= revision - back;
    const frames = await this.#walk({ at: revision, to: revision }, wants);
    for (const frame of frames) this.#recent.add(frame);
    const found = frames.findLast((frame) => frame.revision <= revision && revision <= frame.lastRevision);
    invariant(found, `the walk along '${this.stream}' has passed revision ${revision}`);
    return found;
  }

  /** SR1, SR3. */
  #walk(range: { readonly at: Revision; readonly to: Revision }, wants: (entry: Entry) => boolean): Promise<Frame[]> {
    return this.#turns.take(async () => {
      for (;;) {
        try {
          return await this.#opened.walk.frames({ first: this.#first, last: this.last, ...range }, wants);
        } catch (error) {
          if (!(error instanceof DamagedRecordError)) throw error;
          // What a compaction removed while it was read is not damage.
          const isChanged = await this.takeHead();
          if (!isChanged) this.#damaged = await damageFrom(this.#opened.log, this.stream, error, this.#head);
          this.#requireRevision(range.at);
        }
      }
    });
  }

  /** @throws InvalidArgumentError | DamagedRecordError */
  #requireRevision(revision: Revision): void {
    const [damage] = this.#damaged;
    if (damage && revision >= damage.revision && revision <= this.#head) {
      throw new DamagedRecordError(this.stream, damage.revision, damage.message);
    }
    if (Number.isInteger(revision) && revision >= this.#first && revision <= this.#head) return;
    const expected = `a revision of the stream, from ${this.#first} to ${this.#head}`;
    throw InvalidArgumentError.of(`replay of '${this.stream}'`, expected, revision);
  }
}
