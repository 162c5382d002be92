/**
 * A stream that can be walked, forwards and backwards. Owns the public shape of a replay.
 *
 * RP1  A replay reads: nothing is appended, no effect and no custom action runs, and nothing is told to anybody.
 * RP2  The frame at a revision is the state the live actor had there, whichever way it was reached.
 */
import type { MachineChart } from '../kernel/chart.ts';
import type { EventLog, Revision } from '../log/event-log.ts';
import type { Upcasters } from '../log/upcast.ts';
import type { Machines } from '../runtime/machines.ts';
import type { Blame } from './blame.ts';
import type { Frame, FrameSource } from './frame.ts';

/** The log as a replay sees it. */
export type ReplayedLog = Pick<EventLog, 'name' | 'readStream' | 'head' | 'actors' | 'definitions' | 'capabilities'>;

/** How a stream is replayed. */
export interface ReplayOptions {
  /** Machines by durable name; without the stream's own it is replayed from what the log holds. */
  readonly machines?: Machines;
  readonly upcasters?: Upcasters;
  /** `log` replays without code although there is some; `code` when omitted. */
  readonly source?: FrameSource;
  /** A checkpoint is kept every so many events, 1 or more; 100 when omitted. A seek folds at most so many. */
  readonly every?: number;
}

/** A record that cannot be read, in its place. */
export interface DamagedRevision {
  readonly revision: Revision;
  readonly message: string;
}

/** One stream, opened for walking. */
export interface Replay {
  readonly stream: string;
  readonly machine: string;
  readonly version: string | null;
  /** What frames are made of at the beginning; see `Frame.divergence`. */
  readonly source: FrameSource;
  /** First and last revision that can be shown. */
  readonly first: Revision;
  readonly last: Revision;
  /**
   * Records that cannot be read, as far as they were met: frames end before the first of them. `prepare` meets them all.
   */
  readonly damaged: readonly DamagedRevision[];
  /** Of the definition that was recorded, or of the code at hand; undefined where neither is known. */
  readonly chart: MachineChart | undefined;
  /** The chart of an actor in the tree, by its address. */
  chartFor(address: string, frame: Frame): MachineChart | undefined;
  /**
   * The frame that a revision belongs to.
   * @throws InvalidArgumentError for one that is not in the stream
   * @throws DamagedRecordError for one that is behind damage
   */
  at(revision: Revision): Promise<Frame>;
  /** The one after, the one before; undefined at the end. */
  next(frame: Frame): Promise<Frame | undefined>;
  previous(frame: Frame): Promise<Frame | undefined>;
  /** All frames in order, from a revision on. */
  frames(options?: { readonly from?: Revision; readonly to?: Revision }): AsyncIterable<Frame>;
  /** The first frame from a revision on for which a predicate holds. */
  find(
    predicate: (frame: Frame) => boolean,
    options?: { readonly from?: Revision; readonly backwards?: boolean },
  ): Promise<Frame | undefined>;
  /** Who set a value: see blame.ts. */
  blame(path: string, options?: { readonly at?: Revision; readonly actor?: string }): Promise<Blame>;
  /**
   * Walks to the end once, so that every seek from then on is short. A seek before that walks on from where this replay has been.
   * Others may ask meanwhile.
   */
  prepare(): Promise<void>;
  /** Takes in what was appended since, or removed by a compaction. @returns whether there was anything */
  refresh(): Promise<boolean>;
}
