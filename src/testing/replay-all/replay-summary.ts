/**
 * What became of all streams, in numbers and in words. Owns the counting, and which streams have the same problem; what a
 * problem is, is stream-replay.ts's.
 *
 * RM1  Memory does not grow with the log: streams with one problem are counted together, and told by the first of them.
 * RM2  No stream is left out of the counts, also where its problem is not listed any more.
 */
import type { StateValue } from 'xstate';
import { MissingImplementationError, ReplayDivergedError, UnknownStateError, UpcastError } from '../../errors.ts';
import type { IntentRecord, TimerRecord, TransitionRecord } from '../../kernel/stimulus.ts';
import type { ReplayVerdict, StreamReplay } from './stream-replay.ts';

/** So many different problems are listed. */
const problemsMax = 100;

/** Streams of one machine that are blocked by the same. */
export interface ReplayProblem {
  readonly verdict: ReplayVerdict;
  readonly machine: string;
  /** What is wrong, in the words that the streams have in common. */
  readonly what: string;
  /** How many streams have it. */
  readonly streams: number;
  /** The first of them, with its error. */
  readonly first: StreamReplay;
}

/** What became of all streams. As a string it is a report to print. */
export interface ReplaySummary {
  /** Whether every actor that was looked at goes on with these machines: `agrees` or `migrates`. */
  readonly ok: boolean;
  /** How many streams were folded. */
  readonly streams: number;
  /** How many events were read for that. */
  readonly events: number;
  /** How many streams came to each verdict. */
  readonly verdicts: Readonly<Record<ReplayVerdict, number>>;
  /** The first 100 different problems, those of most streams first. */
  readonly problems: readonly ReplayProblem[];
  /** Streams whose problem is not among those. */
  readonly unlisted: number;
  toString(): string;
}

/** Counts streams, one after the other. */
export class ReplayCount {
  readonly #log: string;
  readonly #problems = new Map<string, { streams: number; readonly what: string; readonly first: StreamReplay }>();
  readonly #verdicts: Record<ReplayVerdict, number> = {
    ...{ agrees: 0, migrates: 0, diverges: 0, unknownState: 0, unknownMachine: 0 },
    ...{ missingImplementation: 0, cannotMigrate: 0, unreadable: 0, damaged: 0 },
  };
  #streams = 0;
  #blocked = 0;
  #unlisted = 0;

  constructor(log: string) {
    this.#log = log;
  }

  get streams(): number {
    return this.#streams;
  }

  /** Streams whose actor would be blocked. */
  get blocked(): number {
    return this.#blocked;
  }

  push(replayed: StreamReplay): void {
    const { verdict, machine } = replayed;
    this.#streams++;
    this.#verdicts[verdict]++;
    if (verdict === 'agrees' || verdict === 'migrates') return;
    this.#blocked++;
    const what = reasonOf(replayed);
    const key = JSON.stringify([verdict, machine, what]);
    const known = this.#problems.get(key);
    if (known) known.streams++;
    else if (this.#problems.size < problemsMax) this.#problems.set(key, { streams: 1, what, first: replayed });
    else this.#unlisted++;
  }

  summary(events: number): ReplaySummary {
    const problems = [...this.#problems.values()]
      .map(({ streams, what, first }) => ({ verdict: first.verdict, machine: first.machine, what, streams, first }))
      .sort((a, b) => b.streams - a.streams);
    const counts = { streams: this.#streams, events, verdicts: { ...this.#verdicts }, unlisted: this.#unlisted };
    const text = [this.#heading(events), ...problems.map(lineOf), ...this.#rest()].join('\n');
    return { ok: this.#blocked === 0, ...counts, problems, toString: () => text };
  }

  #heading(events: number): string {
    const { agrees, migrates } = this.#verdicts;
    const all = `${numbered(this.#streams, 'stream')} of ${this.#log}, ${numbered(events, 'event')} read`;
    if (this.#streams === 0) return `${all}: there was nothing to replay.`;
    const moved = migrates > 0 ? ` (${migrates} by a migration)` : '';
    return `${all}: ${agrees + migrates} would go on${moved}, ${this.#blocked} would be blocked.`;
  }

  #rest(): string[] {
    return this.#unlisted > 0 ? [`and ${numbered(this.#unlisted, 'stream')} more, with other problems.`] : [];
  }
}

function lineOf({ verdict, machine, what, streams, first }: ReplayProblem): string {
  const at = first.revision === undefined ? '' : ` at revision ${first.revision}`;
  const cause = first.error instanceof ReplayDivergedError ? `. Likely cause: ${first.error.likelyCause}` : '';
  return `${verdict}: ${streams} of ${machine}, the first is ${first.stream}${at}: ${what}${cause}`;
}

function numbered(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** Why an actor is blocked, without what only its own stream says. */
function reasonOf({ verdict, error }: StreamReplay): string {
  if (error instanceof ReplayDivergedError) return differenceIn(error, verdict === 'unknownState');
  if (error instanceof UnknownStateError) return error.detail;
  if (error instanceof MissingImplementationError) return `it is not given ${error.missing.join(', ')}`;
  if (error instanceof UpcastError)
    return `fact '${error.eventType}' of version ${error.schemaVersion} cannot be upcast`;
  if (verdict === 'unknownMachine') return 'no machine of this name is given';
  if (verdict === 'damaged') return 'a record is damaged or missing; verifyLog(log) says more';
  if (verdict === 'unreadable') return 'a newer version of rewake wrote it';
  return `the migration fails: ${error instanceof Error ? error.message : String(error)}`;
}

function differenceIn({ actor, expected, got }: ReplayDivergedError, isLost: boolean): string {
  const [told, does] = [happening(expected), happening(got)];
  const where = `in actor ${actor.replaceAll(/:\d+(?=\/|$)/g, '')} the log says ${told}`;
  if (isLost) return `${where}, which is no state any more`;
  return told === does ? `${where}, this code gives it other data` : `${where}, this code does ${does}`;
}

interface Happening {
  readonly transitions?: TransitionRecord;
  readonly intents?: IntentRecord;
  readonly armed?: TimerRecord;
  readonly cancelled?: number;
  readonly fact?: { readonly type?: string };
}

/** One record of a step in a few words: the kind of thing, without numbers and times. */
function happening(record: unknown): string {
  const { transitions, intents, armed, cancelled, fact } = record as Happening;
  if (transitions)
    return `${transitions.event} to ${stateOf(transitions.to)}${transitions.status ? ` (${transitions.status})` : ''}`;
  if (intents) return `effect ${intents.src}`;
  if (armed) return `timer ${armed.id}`;
  if (cancelled !== undefined) return 'a timer is cancelled';
  if (fact) return `fact ${fact.type}`;
  return 'nothing';
}

function stateOf(value: StateValue): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}
