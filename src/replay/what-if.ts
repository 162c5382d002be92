/**
 * Another past, in memory: a fork whose stimuli are edited, and the two paths beside each other. Owns the types of question and
 * answer.
 *
 * WI1  Nothing is written to the log, and no effect is called: an effect is answered by what the log says, then by the stub that
 *      was given; where there is neither it stays without an answer, and the fork says so.
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

export type EditedContent =
  | { readonly input: unknown }
  | { readonly event: AnyEventObject }
  | { readonly output: unknown }
  | { readonly error: unknown }
  | { readonly value: unknown };

/** What an effect answers that the log has no answer for. */
export type Stub = { readonly output: unknown } | { readonly error: unknown };

export interface WhatIfOptions {
  readonly edits: readonly PastEdit[];
  /** By the effect's `src`. */
  readonly stubs?: { readonly [src: string]: Stub };
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

// TO BUILD: export async function whatIf(log: ReplayedLog, stream: string, options: WhatIfOptions & ReplayOptions): Promise<WhatIf>
// needs the machine's code: @throws UnknownMachineError without it
