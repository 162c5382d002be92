/**
 * What came of a run, and what it takes to judge it. Owns the form; playing one is play.ts's, the verdict judge.ts's.
 */
import type { Strike } from './faulty-log.ts';
import type { ActorView, Outcome } from './outcome.ts';
import type { ScenarioEvent } from './scenario.ts';
import type { Loss } from './scripted-world.ts';

/** What came of a run, and what it takes to judge it. */
export interface Run extends Outcome {
  /** Stream of the actor that was started. */
  readonly root: string;
  readonly said: readonly ScenarioEvent[];
  readonly startMs: number;
  /** Appends, snapshots and other calls of the log. */
  readonly appends: number;
  readonly snapshots: number;
  readonly operations: number;
  /** Each recovery, in order: where a crash strikes it. */
  readonly recoveries: readonly Recovery[];
  /** Faults of the log that struck. */
  readonly strikes: readonly Strike[];
  /** What else went wrong, and after which event. */
  readonly marks: readonly Mark[];
  /** Lives that ended before the run was over. */
  readonly deaths: number;
  readonly losses: readonly Loss[];
  /** What runtimes complained of, and what they threw. */
  readonly complaints: readonly string[];
  readonly blocked: readonly string[];
  /** Keys of effects that ran twice in one life. */
  readonly twice: readonly string[];
  /** Keys of effects that began before it was durable that they shall run. */
  readonly unintended: readonly string[];
  /** Effects whose key did not stay the same, or that share one. */
  readonly rekeyed: readonly string[];
  /** What changed in the world outside while the log was folded. */
  readonly changedByFold: string | undefined;
  /** Keys of effects that a host did not stop when it noticed that another one has their actor. */
  readonly unstopped: readonly string[];
  /** Message ids that were acknowledged. */
  readonly acknowledged: readonly string[];
  /** Appends of a resume at the end, when nothing has happened since the one before. */
  readonly appendsOfSecondResume: number;
  /** By stream: how it stands when its events are folded. */
  readonly folds: Readonly<Record<string, ActorView>>;
  /** Whether its log can have a fault of this kind. */
  readonly canHave: (fault: { readonly fault: string }) => boolean;
  /** Names that the script could have used, of all effects that were begun. */
  readonly named: readonly string[];
  /** Why the run is no use: the scenario cannot be played. */
  readonly failure: Error | undefined;
}

/** The calls of the log, and the appends among them, in which a life took up what the one before it left; ends excluded. */
export interface Recovery {
  readonly from: number;
  readonly to: number;
  readonly appends: readonly [from: number, to: number];
}

/** Something that went wrong outside of the log. */
export interface Mark {
  /** Id of the newest event that was written by then. */
  readonly after: string | undefined;
  readonly what: string;
}
