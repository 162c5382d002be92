/**
 * What a replay shows of one stimulus: the frame. Owns the types; holds no logic.
 *
 * A frame is one append: a stimulus and the facts that follow it. Values are as `plainValue` gives them: JSON, in which what
 * JSON has no word for is an object with one `$` key ({ $date }, { $map }, { $error }, { $actor }, …).
 */
import type { TimeMs } from '../clock.ts';
import type { JsonPatch } from '../kernel/json-patch.ts';
import type { TimerRecord, TransitionRecord } from '../kernel/stimulus.ts';
import type { Revision } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';

/** From what states and contexts were made: the code of the machine, or what the log says of them. */
export type FrameSource = 'code' | 'log';

/** One stimulus, what it did, and how the tree stands after it. */
export interface Frame {
  readonly stream: string;
  /** Of the stimulus. */
  readonly revision: Revision;
  /** Of its last fact; `revision` where it has none. */
  readonly lastRevision: Revision;
  readonly source: FrameSource;
  readonly id: string;
  /** One of the runtime's types. */
  readonly type: string;
  /** What a person calls it: `PAY`, `charge done`, `after 30s`, `started`. */
  readonly label: string;
  /** Ms since the epoch. */
  readonly at: TimeMs;
  /** When the log wrote it, in ms; for information. */
  readonly recordedAt: number;
  readonly correlationId: string;
  readonly causationId: string;
  /** Whom it is for: an address; '/' where it is for the whole actor. */
  readonly to: string;
  /** What came from outside: input, event, output, error or value; null where nothing did. */
  readonly payload: Json;
  /** Every machine that moved, in order. */
  readonly transitions: readonly TransitionRecord[];
  readonly facts: readonly FrameFact[];
  /** Effects that it began, as they stand after it. */
  readonly started: readonly FrameEffect[];
  /** The effect that it ended, if any. */
  readonly settled: { readonly actor: string; readonly src: string; readonly outcome: 'succeeded' | 'failed' } | null;
  readonly armed: readonly TimerRecord[];
  /** Numbers of timers. */
  readonly cancelled: readonly number[];
  /** Number of the timer that fired. */
  readonly fired: number | null;
  /** What changed in contexts, actor by actor, against the frame before. */
  readonly changes: readonly ContextChange[];
  /** The whole tree after it, parents before children. */
  readonly actors: readonly FrameActor[];
  /** Every effect without an outcome after it. */
  readonly effects: readonly FrameEffect[];
  /** Every timer that is armed after it, the next one first. */
  readonly timers: readonly TimerRecord[];
  /** Where the code at hand does something else than was recorded: from there on, up to the next rebase, `source` is 'log'. */
  readonly divergence: string | null;
  /** Addresses of machines whose context the code makes otherwise than was recorded; not there where there are none. */
  readonly drift?: readonly string[];
}

/** A fact that the stimulus made a machine or an effect tell. */
export interface FrameFact {
  readonly revision: Revision;
  readonly actor: string;
  readonly type: string;
  readonly data: Json;
}

/** What changed in the context of one machine. */
export interface ContextChange {
  readonly actor: string;
  readonly patch: JsonPatch;
}

/**
 * An actor in the tree. From code, one that has ended is there as long as its parent lists it; from the log it is in the frame of
 * its end and in none after that.
 */
export interface FrameActor {
  /** See events.md. */
  readonly address: string;
  readonly id: string;
  /** Its parent's address; null for the root. */
  readonly parent: string | null;
  /** Name of its logic in the parent; null for the root, and where only code could tell. */
  readonly src: string | null;
  readonly kind: 'machine' | 'effect' | 'logic';
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  /** Of a machine: its state value. */
  readonly value: Json | null;
  /** Undefined where it is not known: of what is no machine, and without code where the log does not hold it. */
  readonly context: Json | undefined;
  readonly output?: Json;
  readonly error?: Json;
}

/** An effect without an outcome. */
export interface FrameEffect {
  readonly actor: string;
  readonly src: string;
  /** Revision of the stimulus that began it. */
  readonly since: Revision;
  readonly startedAt: TimeMs;
  /** How often it was run again after its host was lost. */
  readonly restarts: number;
}
