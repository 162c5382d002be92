/**
 * Which invariants can be judged from a log. Owns their numbers, which are those of docs/explanation/invariants.md, their
 * names, and in words how much of each is seen.
 *
 * AI1  A number is in this table if and only if something of it is judged.
 */

/**
 * What it takes to judge an invariant.
 *
 * - `events`: the events alone.
 * - `ended`: `ended: true` besides.
 * - `upcasters`: the program's upcasters besides.
 * - `machines`: the machines besides, to fold the streams with.
 */
export type AuditNeed = 'events' | 'ended' | 'upcasters' | 'machines';

/** An invariant that an audit looks at. */
export interface AuditedInvariant {
  readonly number: number;
  readonly name: string;
  /** What it takes; where there are several, each sees a part. */
  readonly needs: readonly AuditNeed[];
  /** What of it is judged. */
  readonly sees: string;
}

const table = {
  1: [
    'replay equality',
    ['events', 'machines'],
    'revisions without a gap or a repeat, from a beginning on; with machines, the fold of the recorded machine does what the events tell, and the actor index says what it is',
  ],
  2: ['prefix closure', ['machines'], 'every stream folds to its end, so that every prefix does'],
  8: ['ambiguous append', ['events'], 'no id of an event is there twice, among the newest 32,768 of the log'],
  9: ['message ids', ['events'], 'an actor receives a message id once, as long as it has to remember it'],
  10: ['intent before effect', ['events'], 'what an effect says, and what is decided about it, follows its intent'],
  11: ['at least once', ['ended', 'machines'], 'no actor that still runs waits for a promise that has no outcome'],
  12: ['stable keys', ['events'], 'no event begins two effects at one address, which would share a key'],
  13: ['one outcome', ['events'], 'an effect has one outcome'],
  14: [
    'incarnations',
    ['events', 'machines'],
    'an address names one life; nothing is said by an effect that is over, decided about it, or fired for another actor; with machines also where a transition ended it',
  ],
  15: [
    'attempt bound',
    ['events'],
    'attempts of a step only grow, within the maximum that facts tell, and end with RetryExhausted',
  ],
  16: ['backoff', ['events'], 'a step calls again no earlier than the RetryScheduled before says'],
  17: [
    'open breaker',
    ['events'],
    'a breaker half-opens no earlier than it said, admits probes only while it is half-open, and no more than its permits',
  ],
  18: [
    'breaker liveness',
    ['events', 'ended'],
    'a half-open breaker whose probe is overdue, or that has a free permit, admits who asks; at the end none has an overdue probe',
  ],
  19: ['never early', ['events'], 'a timer fires at or after the time it was armed for, which nothing changes'],
  20: [
    'exactly once',
    ['events', 'ended'],
    'a timer fires only while it is armed, once, in the order of due time and arming; at the end none is overdue',
  ],
  21: ['finality', ['events'], 'a cancelled timer does not fire, and no child moves or speaks after its end'],
  24: [
    'causality',
    ['events'],
    'every event names a cause that is before it in the log and has its correlation id; facts, outcomes and timers name the very event that they come from',
  ],
  26: ['snapshots', ['machines'], 'a snapshot that would be used is the fold of its revision'],
  27: ['values', ['events'], 'every value decodes'],
  28: ['upcasting', ['upcasters'], 'every fact reaches the current version of its type'],
  29: ['changed machines', ['machines'], 'a machine other than the recorded one agrees with the history'],
  30: [
    'torn tail',
    ['events'],
    'every event is what was sealed, where it was sealed for; in a log, every record can be read and the tail is there',
  ],
  33: ['terminal states', ['events'], 'nothing happens to an actor after its end, unless it is resumed or rewound'],
} as const satisfies Readonly<Record<number, readonly [string, readonly AuditNeed[], string]>>;

/** Number of an invariant that is audited. */
export type AuditedNumber = keyof typeof table;

/** The invariants that {@link audit} judges, in order of their numbers. */
export const auditedInvariants: readonly AuditedInvariant[] = Object.entries(table).map(
  ([number, [name, needs, sees]]) => ({ number: Number(number), name, needs, sees }),
);

/** The name of an invariant. */
export function nameOf(number: AuditedNumber): string {
  return table[number][0];
}
