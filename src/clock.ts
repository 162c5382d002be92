/**
 * Time and chance as ports, real and virtual. The only file that reads the real clock, sets real timers or draws real
 * random bytes; everything else is handed a Clock and a Random.
 *
 * C1  A timer never fires before its due time, whatever the clock does.
 * C2  Timers with the same due time fire in the order they were set.
 * C3  Delays above 2^31-1 ms are chunked: Node would fire them at once.
 * C4  A real timer does not keep the process alive.
 */
import { webcrypto } from 'node:crypto';
import { InvalidArgumentError } from './errors.ts';

/** A point in time: milliseconds since the Unix epoch. */
export type TimeMs = number;

/** Milliseconds, or a string such as `'250ms'`, `'30s'`, `'5m'`, `'2h'`, `'1d'`. For any other string there is {@link toMs}. */
export type Duration = number | `${number}${DurationUnit}` | `${number} ${DurationUnit}`;

type DurationUnit = 'ms' | 's' | 'm' | 'h' | 'd';

/** Where rewake gets the time from and sets its timers. */
export interface Clock {
  now(): TimeMs;
  /** Calls `fn` once when `now() >= dueAt`; returns a function that cancels it. */
  setTimer(dueAt: TimeMs, fn: () => void): () => void;
}

/** Where rewake gets chance from: a number in [0, 1). */
export type Random = () => number;

const unitMs: Record<DurationUnit, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Turns a duration into milliseconds, and so a string of which the compiler knows nothing, such as one of a configuration,
 * into a duration.
 * @throws InvalidArgumentError if it is neither a non-negative number nor a string such as `'30s'`.
 */
export function toMs(duration: number | string): number {
  if (typeof duration === 'number' && duration >= 0) return duration;
  const match = typeof duration === 'string' ? /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(duration.trim()) : null;
  if (!match) {
    const expected =
      "milliseconds as a number that is not negative, or a string such as '250ms', '30s', '5m', '2h' or '1d'";
    throw InvalidArgumentError.of('duration', expected, duration);
  }
  return Number(match[1]) * unitMs[match[2] as DurationUnit];
}

const timeoutMsMax = 2 ** 31 - 1;

/** The machine's clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  setTimer(dueAt, fn) {
    let handle: NodeJS.Timeout;
    const arm = () => {
      const delayMs = dueAt - Date.now();
      if (delayMs <= 0) {
        handle = setTimeout(fn, 0);
      } else {
        // Node rounds down, so a timer may come back a fraction early: arm() looks at the clock again.
        handle = setTimeout(() => (Date.now() >= dueAt ? fn() : arm()), Math.min(Math.ceil(delayMs), timeoutMsMax));
      }
      handle.unref();
    };
    arm();
    return () => clearTimeout(handle);
  },
};

/** Keeps the process from ending because nothing is left to do, until the function it gives is called: timers above do not. */
export function stayAlive(): () => void {
  const handle = setInterval(() => {}, timeoutMsMax);
  return () => clearInterval(handle);
}

const randomPool = new Uint32Array(1024);
let randomAt = randomPool.length;

/** The machine's cryptographic random source, drawn in blocks. */
export const realRandom: Random = () => {
  if (randomAt === randomPool.length) {
    webcrypto.getRandomValues(randomPool);
    randomAt = 0;
  }
  return randomPool[randomAt++]! / 2 ** 32;
};

/**
 * A reproducible random source: mulberry32 (Tommy Ettinger, public domain), 2^32 states.
 * Two sources with the same seed give the same numbers.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A 32-bit hash of a string (FNV-1a, Fowler, Noll and Vo), used to seed {@link seededRandom}. */
export function hashSeed(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * Makes a source of UUIDv7 strings (RFC 9562, 5.7): 48 bits of time in ms, a 12-bit counter that keeps ids of one
 * millisecond in order, 62 bits drawn anew every millisecond. Ids of one source are strictly increasing, also when the
 * clock goes back.
 */
export function uuidv7Source(now: () => TimeMs, random: Random): () => string {
  let lastMs = 0;
  let counter = 0;
  let prefix = '';
  let tail = '';
  const begin = (ms: number, first: number) => {
    lastMs = ms;
    counter = first;
    prefix = timePrefix(ms);
    tail = randomTail(random);
  };
  return () => {
    const nowMs = now();
    if (nowMs > lastMs) begin(nowMs, Math.floor(random() * 0x400));
    else if (++counter > 0xfff) begin(lastMs + 1, 0);
    const middle = `7${hex[counter >>> 8]![1]}${hex[counter & 0xff]}-`;
    return prefix + middle + tail;
  };
}

function randomTail(random: Random): string {
  const a = (random() * 2 ** 32) >>> 0;
  const b = (random() * 2 ** 32) >>> 0;
  return (
    `${hex[0x80 | (a >>> 26)]}${hex[(a >>> 16) & 0xff]}-${hex[(a >>> 8) & 0xff]}${hex[a & 0xff]}` +
    `${hex[b >>> 24]}${hex[(b >>> 16) & 0xff]}${hex[(b >>> 8) & 0xff]}${hex[b & 0xff]}`
  );
}

function timePrefix(ms: TimeMs): string {
  const text = ms.toString(16).padStart(12, '0');
  return `${text.slice(0, 8)}-${text.slice(8)}-`;
}

interface VirtualTimer {
  readonly dueAt: TimeMs;
  readonly sequence: number;
  readonly fn: () => void;
}

/**
 * A clock that stands still until it is told to move. Timers fire in (due, set) order, each at exactly its due time.
 */
export class VirtualClock implements Clock {
  #nowMs: TimeMs;
  #sequence = 0;
  #timers: VirtualTimer[] = [];

  /** @param startMs the first reading, 2026-01-01T00:00:00Z unless told */
  constructor(startMs: TimeMs = 1_767_225_600_000) {
    this.#nowMs = startMs;
  }

  now(): TimeMs {
    return this.#nowMs;
  }

  setTimer(dueAt: TimeMs, fn: () => void): () => void {
    const timer = { dueAt, sequence: this.#sequence++, fn };
    this.#timers.push(timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  /** When the next timer is due, or undefined when none is set. */
  nextDue(): TimeMs | undefined {
    return this.#next()?.dueAt;
  }

  /** Moves the time without firing anything: forwards or, as real clocks do, backwards. */
  jump(byMs: number): void {
    this.#nowMs += byMs;
  }

  /**
   * Fires every timer due by `now() + byMs`, one deadline at a time, calling `settle` after each so that what a timer
   * caused can come to rest before the next one; then stands at the target time.
   */
  async advance(byMs: number, settle: () => Promise<void> = async () => {}): Promise<void> {
    const targetMs = this.#nowMs + byMs;
    await settle();
    for (let timer = this.#next(); timer && timer.dueAt <= targetMs; timer = this.#next()) {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      this.#nowMs = Math.max(this.#nowMs, timer.dueAt);
      timer.fn();
      await settle();
    }
    this.#nowMs = Math.max(this.#nowMs, targetMs);
  }

  #next() {
    let best: VirtualTimer | undefined;
    for (const timer of this.#timers) {
      if (!best || timer.dueAt < best.dueAt || (timer.dueAt === best.dueAt && timer.sequence < best.sequence))
        best = timer;
    }
    return best;
  }
}

let holders = 0;
let held: NodeJS.Timeout | undefined;

/** Keeps the process alive until the returned function is called: for someone who waits where timers alone would not. */
export function holdProcess(): () => void {
  held ??= setInterval(() => {}, timeoutMsMax);
  if (holders++ === 0) held.ref();
  let holding = true;
  return () => {
    if (!holding) return;
    holding = false;
    if (--holders === 0) held!.unref();
  };
}

/** Waits by the given clock; keeps the process alive meanwhile. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  const release = holdProcess();
  return new Promise<void>((resolve) => void clock.setTimer(clock.now() + ms, resolve)).finally(release);
}
