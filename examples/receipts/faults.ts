/**
 * How the example service misbehaves. Owns the kinds of fault, how often each is drawn, and when the service is down; the
 * service carries them out.
 *
 * U1  Deterministic: the nth request of one receipt to one path always meets the same fault, whatever order requests
 *     arrive in.
 * U2  A receipt meets at most `faultsMax` faults in a row on one path, so that a patient client gets through.
 * U3  An outage is tied to progress: it begins with the nth request to its path, and is over after a time.
 */
import { createHash } from 'node:crypto';
import { seededRandom } from 'rewake';

export type FaultKind =
  /** No fault. */
  | 'none'
  /** The right answer, late. */
  | 'slow'
  /** No answer at all: the client must give up by itself. */
  | 'hang'
  /** The connection is reset before the request was looked at. */
  | 'reset'
  /** The request is carried out, then the connection is reset: the client cannot know. */
  | 'done-then-reset'
  /** 429 with Retry-After: 1. */
  | 'throttled'
  /** 500 or 503. */
  | 'broken'
  | 'overloaded'
  /** 200, and a line of the receipt is missing. */
  | 'misread'
  /** 503 at once, like every other request until the outage is over. */
  | 'down';

export interface Fault {
  readonly kind: FaultKind;
  /** How long the service thinks before it does it. */
  readonly delayMs: number;
}

/** The fault for the nth (from 1) request under `key` to `path`. */
export type DrawFault = (path: string, key: string, nth: number) => Fault;

const faultsMax = 5;

const weights: readonly (readonly [FaultKind, number])[] = [
  ['hang', 0.04],
  ['reset', 0.07],
  ['done-then-reset', 0.06],
  ['throttled', 0.05],
  ['broken', 0.06],
  ['overloaded', 0.04],
  ['slow', 0.08],
];

/** The mini model is the cheaper one. */
const miniWeights = [...weights, ['misread', 0.15]] as typeof weights;

/** A time in which every request to a path fails. */
export interface Outage {
  readonly path: string;
  /** It begins with this request, counted from 1. */
  readonly nth: number;
  readonly forMs: number;
}

/** The outages of a run. In the second one of the vision model the mini model goes down too. */
export const outages: readonly Outage[] = [
  { path: '/vision', nth: 80, forMs: 1_200 },
  { path: '/ledger', nth: 120, forMs: 800 },
  { path: '/vision', nth: 240, forMs: 1_500 },
  { path: '/mini', nth: 50, forMs: 800 },
];

const hashOf = (text: string) => createHash('sha256').update(text).digest().readUInt32BE();

/** Faults drawn from a seed: about a third of all requests fail. */
export function seededFaults(seed: number): DrawFault {
  return (path, key, nth) => {
    const random = seededRandom(hashOf(`${seed} ${path} ${key} ${nth}`));
    let drawn = random();
    const kind = (path === '/mini' ? miniWeights : weights).find(([, weight]) => (drawn -= weight) < 0)?.[0] ?? 'none';
    if (nth > faultsMax || kind === 'none') return { kind: 'none', delayMs: 15 + Math.floor(random() * 60) };
    if (kind === 'slow') return { kind, delayMs: 250 + Math.floor(random() * 250) };
    return { kind, delayMs: 5 + Math.floor(random() * 40) };
  };
}
