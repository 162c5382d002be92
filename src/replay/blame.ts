/**
 * Who set a value: the event that last changed a place in the state, and what led to it. Owns the types of the answer.
 */
import type { Revision } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';

/** An event in a chain of causes. */
export interface BlameLink {
  readonly stream: string;
  readonly revision: Revision;
  readonly id: string;
  readonly type: string;
  readonly label: string;
  readonly at: number;
}

/** The answer to: who set this value? */
export interface Blame {
  readonly stream: string;
  readonly actor: string;
  /** As it was asked: `/context/total`, `/state`, `/status`, `/output`, `/error`. */
  readonly path: string;
  /** The revision that the question was about. */
  readonly at: Revision;
  /** What is there; of an actor that has ended, what it had last. Undefined where nothing is. */
  readonly value: Json | undefined;
  /** The last frame that changed it, and from what to what; undefined where nothing ever set it. */
  readonly changed:
    { readonly by: BlameLink; readonly from: Json | undefined; readonly to: Json | undefined } | undefined;
  /** Every earlier change of the place, newest first. */
  readonly earlier: readonly {
    readonly by: BlameLink;
    readonly from: Json | undefined;
    readonly to: Json | undefined;
  }[];
  /**
   * What led to `changed.by`, which is not in it itself: its cause, the cause of that, and so on, along causation ids and across
   * streams, to what nothing on the log caused. Empty where it is that.
   */
  readonly causes: readonly BlameLink[];
}
