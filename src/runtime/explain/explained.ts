/**
 * What can be said of an actor that does not go on, as data. Owns the shapes, which the sentences are made from and a program
 * can read; where they come from is explain.ts, how they are said sentences.ts.
 *
 * XD1  Plain data: `JSON.stringify` of it loses nothing but `text`, and null stands for what is not known or not there.
 */
import type { StateValue } from 'xstate';
import type { TimeMs } from '../../clock.ts';
import type { AcceptedEvent } from '../../kernel/accepted-events.ts';
import type { ActorStatus, Revision } from '../../log/event-log.ts';

/** When something happened, and which event of the stream says so. */
export interface Moment {
  readonly at: TimeMs;
  readonly revision: Revision;
}

/** A machine of the tree. */
export interface ExplainedMachine {
  /** Its address; the root is `/`. */
  readonly actor: string;
  readonly value: StateValue;
  readonly status: string;
  /** Its newest transition. */
  readonly since: Moment | null;
  /** The transitions of its active states; null where its machine is not at hand. */
  readonly accepts: readonly AcceptedEvent[] | null;
}

/** An armed timer. */
export interface ExplainedTimer {
  readonly actor: string;
  readonly id: string;
  readonly dueAt: TimeMs;
  /** From now, in ms; negative when it is overdue. */
  readonly inMs: number;
}

/**
 * How an unfinished effect stands. `running`: a host runs it, as far as can be seen from here. `lost`: nobody does.
 * `interrupted`: nobody does, because its host closed in order. `asked`: lost, and a person has to decide.
 */
export type EffectStanding = 'running' | 'lost' | 'interrupted' | 'asked';

/** An effect without an outcome. */
export interface ExplainedEffect {
  readonly actor: string;
  /** Its name in `setup({ actors })`, or `(inline)`. */
  readonly src: string;
  readonly standing: EffectStanding;
  readonly since: Moment | null;
  readonly ageMs: number | null;
  /** 1 for the first run. */
  readonly attempt: number;
  readonly restarts: number;
  /** What it saved last; null when nothing. */
  readonly checkpoint: unknown;
  /** False where no host has called it yet: what is to be run was left to the next one. */
  readonly hasBegun: boolean;
  /** False where the log alone was read, and it may have been stopped because its machine went on. */
  readonly isSure: boolean;
}

/** A person who is waited for. */
export type AwaitedPerson =
  | {
      readonly kind: 'approval';
      readonly actor: string;
      readonly approval: string;
      readonly title: string;
      readonly choices: readonly string[];
      /** Who may answer; null for anybody. */
      readonly approvers: readonly string[] | null;
      /** How many must still say the same. */
      readonly missing: number;
      readonly timeoutAt: TimeMs | null;
      readonly since: Moment;
    }
  | {
      readonly kind: 'intervention';
      readonly actor: string;
      readonly flow: string;
      readonly subject: string;
      readonly handler: string;
      readonly message: string;
      readonly choices: readonly string[];
      readonly since: Moment;
    };

/** A retry that waits for its time. */
export interface WaitingRetry {
  readonly actor: string;
  readonly step: string;
  /** Calls made so far. */
  readonly attempt: number;
  readonly errorClass: string | null;
  readonly dueAt: TimeMs;
  /** From now, in ms; negative when it is overdue. */
  readonly inMs: number;
  readonly since: Moment;
}

/** A circuit breaker that let a call not through. */
export interface RefusingBreaker {
  readonly key: string;
  /** Address of the machine that asked it. */
  readonly actor: string;
  readonly step: string | null;
  /** What it said then: `open`, `halfOpen`, `isolated` or `quorum`. */
  readonly told: string;
  readonly since: Moment;
  /** How it stands now, by its own stream; null where that is not on this log. */
  readonly now: BreakerStanding | null;
}

/** How a breaker stands by its own stream. */
export interface BreakerStanding {
  readonly stream: string;
  readonly value: StateValue;
  readonly since: Moment | null;
  readonly openUntil: TimeMs | null;
  /** Who holds it isolated. */
  readonly holds: readonly string[];
  readonly lastFailure: string | null;
}

/** A failure on record. */
export interface ExplainedError {
  /** The type of the event that told it, such as `AttemptFailed`; `state` for the error of the root itself. */
  readonly told: string;
  readonly actor: string;
  readonly name: string;
  readonly message: string;
  readonly class: string | null;
  readonly code: string | null;
  readonly attempt: number | null;
  readonly when: Moment | null;
}

/** Why an actor is blocked. */
export interface Blockage {
  /** The event at which the fold stops; null where it does not begin. */
  readonly revision: Revision | null;
  readonly name: string;
  readonly code: string | null;
  readonly message: string;
  /** Up to where the history can be folded: what is said of the actor is its state there. Null: the records alone tell. */
  readonly foldsTo: Revision | null;
  /** Nothing is wrong with the history, or no longer: the runtime that was asked has a reason of its own. */
  readonly isFoldable: boolean;
}

/** Who holds the lease on the log. */
export interface LogOwner {
  readonly owner: string;
  readonly expiresAt: TimeMs;
  /** Of its process: `unknown` on another machine. */
  readonly life: 'this' | 'alive' | 'dead' | 'unknown';
}

/** What is known of an actor, all of it. */
export interface ExplanationData {
  readonly stream: string;
  /** When it was asked, in ms since the Unix epoch. */
  readonly at: TimeMs;
  readonly status: ActorStatus | 'blocked';
  readonly machine: string;
  readonly version: string | null;
  readonly correlationId: string;
  /** Last revision that was read. */
  readonly revision: Revision;
  /** Whether its machine takes `rewake.resume` where it failed; null where it has not, or its machine is not at hand. */
  readonly isResumable: boolean | null;
  /** The reason of a stop, where one was given. */
  readonly stopReason: string | null;
  readonly blocked: Blockage | null;
  readonly machines: readonly ExplainedMachine[];
  readonly effects: readonly ExplainedEffect[];
  readonly timers: readonly ExplainedTimer[];
  readonly retries: readonly WaitingRetry[];
  readonly breakers: readonly RefusingBreaker[];
  readonly people: readonly AwaitedPerson[];
  /** The error of a root that ended with one; of what still runs, the newest failure that nothing has made good. */
  readonly error: ExplainedError | null;
  /** What led to the error of the root, where that is another one. */
  readonly cause: ExplainedError | null;
  /** Null when nobody holds the lease. */
  readonly owner: LogOwner | null;
  /** Whether a runtime was asked, and hosts the log. */
  readonly isHosted: boolean;
  /** Whether it is in the memory of the runtime that was asked; null where the log alone was. */
  readonly inMemory: boolean | null;
}

/** Why an actor is where it is, in data and in plain English. */
export interface Explanation extends ExplanationData {
  /** What to do next, one step each. */
  readonly next: readonly string[];
  /** All of it, to be read from above. */
  readonly sentences: readonly string[];
  /** The sentences, a line each. */
  readonly text: string;
  toString(): string;
}
