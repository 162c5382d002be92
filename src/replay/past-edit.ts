/**
 * What may be asked of another past, and the answer. Owns the types; holds no logic.
 */
import type { AnyEventObject } from 'xstate';
import type { Revision } from '../log/event-log.ts';
import type { Frame } from './frame.ts';

/** A change of the past. Revisions are those of stimuli in the original. */
export type PastEdit =
  | { readonly edit: 'drop'; readonly revision: Revision }
  /** Other content for a stimulus: what belongs to its type of input, event, output, error and value. */
  | { readonly edit: 'replace'; readonly revision: Revision; readonly with: EditedContent }
  /** An event that was never sent, behind a revision. */
  | { readonly edit: 'insert'; readonly after: Revision; readonly event: AnyEventObject; readonly to?: string }
  /** A stimulus at another place: behind a revision. */
  | { readonly edit: 'move'; readonly revision: Revision; readonly after: Revision };

/** What a stimulus carries in the place of what it carried: the field that its type has. */
export type EditedContent =
  | { readonly input: unknown }
  | { readonly event: AnyEventObject }
  | { readonly output: unknown }
  | { readonly error: unknown }
  | { readonly value: unknown };

/** What an effect answers that the log has no answer for. */
export type Stub = { readonly output: unknown } | { readonly error: unknown };

/** Which past is asked for. */
export interface WhatIfOptions {
  readonly edits: readonly PastEdit[];
  /** By the effect's `src`. */
  readonly stubs?: { readonly [src: string]: Stub };
  /**
   * How far the fork goes: `'end'`, which is the default, to where the original ended; `'quiet'` on from there, timers fired and
   * stubs asked, until nothing moves any more, or a thousand stimuli were applied.
   */
  readonly until?: 'end' | 'quiet';
}

/** The two paths. */
export interface WhatIf {
  readonly stream: string;
  readonly original: readonly Frame[];
  readonly fork: readonly Frame[];
  /** Which frame stands beside which, by index; -1 where there is none on that side. */
  readonly pairs: readonly (readonly [original: number, fork: number])[];
  /** Index into `pairs` of the first that differ; -1 where the paths are the same. */
  readonly firstDivergence: number;
  /** Effects of the fork that nobody answered: give a stub for their `src`. */
  readonly unanswered: readonly { readonly actor: string; readonly src: string }[];
  /** Stimuli of the original that reached nobody in the fork. */
  readonly leftOut: readonly Revision[];
}
