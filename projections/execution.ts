/**
 * What `executions` says of an actor. Owns the shapes: published, so they only grow.
 */
import type { TimeMs } from 'rewake';
import type { LoggedError } from './fold-kit.ts';

/** Why an actor does not move. */
export type Wait =
  | { readonly for: 'effect'; readonly actor: string; readonly src: string; readonly since: TimeMs }
  | { readonly for: 'timer'; readonly actor: string; readonly id: string; readonly dueAt: TimeMs }
  | {
      readonly for: 'retry';
      readonly actor: string;
      readonly step: string;
      readonly attempt: number;
      readonly dueAt: TimeMs;
    }
  | {
      readonly for: 'person';
      readonly actor: string;
      /** What is asked: the name of an approval, a step that needs an answer, an effect to be decided about. */
      readonly subject: string;
      readonly message: string | null;
      readonly choices: readonly string[];
      readonly since: TimeMs;
    }
  /** A circuit breaker did not let a call through. */
  | {
      readonly for: 'breaker';
      readonly actor: string;
      readonly step: string;
      readonly error: LoggedError;
      readonly since: TimeMs;
    }
  /** Nothing is under way: only an event from outside moves it on. */
  | { readonly for: 'event'; readonly actor: string };

/** A step of a flow that has begun and not ended. */
export interface RunningStep {
  readonly flow: string;
  readonly step: string;
  readonly phase: string | null;
  readonly since: TimeMs;
}

/** One actor with a stream of its own. */
export interface Execution {
  readonly stream: string;
  readonly machine: string;
  readonly version: string | null;
  readonly correlationId: string;
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  /** State value of the root machine. */
  readonly state: unknown;
  /** When it came into this state. */
  readonly since: TimeMs;
  readonly startedAt: TimeMs;
  /** When it ended; null as long as it is active. */
  readonly endedAt: TimeMs | null;
  /** What it failed with; null unless its status is `error`, and where the log does not say it. */
  readonly error: LoggedError | null;
  /** Steps of flows that run, those of sub-flows too. */
  readonly steps: readonly RunningStep[];
  /** What it waits for; empty when it has ended. */
  readonly waits: readonly Wait[];
  /** The newest event that was seen of it. */
  readonly revision: number;
}
