/**
 * A log that dies at a chosen append, as a killed process does: from then on nobody is answered. Owns the moment of
 * death; what is written stays in the log below, which the next life opens.
 */
import type { AppendResult, EventLog } from '../../src/log/event-log.ts';
import { rest } from './hosted-and-plain.ts';

/** Where in the k-th append a process dies: before it is written, or after it is durable and before anyone hears. */
export type CrashPhase = 'before' | 'after';

export interface Crash {
  /** The how-many-th append of this life, from 0. */
  readonly append: number;
  readonly phase: CrashPhase;
}

export interface CrashingLog {
  readonly log: EventLog;
  readonly appends: number;
  readonly crashed: Crash | undefined;
}

/** No answer, to whoever awaits it and to whoever iterates over it. */
function silence<T>(): Promise<T> {
  const never = new Promise<T>(() => {});
  return Object.assign(never, { [Symbol.asyncIterator]: () => ({ next: () => never }) });
}

/** Wraps a log; without a crash it only counts appends. */
export function crashingLog(below: EventLog, crash: Crash | undefined): CrashingLog {
  let appends = 0;
  let crashed: Crash | undefined;
  const append = (...args: Parameters<EventLog['append']>): Promise<AppendResult> => {
    if (crashed) return silence();
    const isLast = crash !== undefined && appends++ === crash.append;
    if (!crash) appends++;
    if (!isLast) return below.append(...args);
    crashed = crash;
    if (crash.phase === 'before') return silence();
    return below.append(...args).then(() => silence<AppendResult>());
  };
  const log = new Proxy(below, {
    get(target, key) {
      if (key === 'append') return append;
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (crashed) return silence();
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return {
    log,
    get appends() {
      return appends;
    },
    get crashed() {
      return crashed;
    },
  };
}

/** Until nothing was written for a while. */
export async function quiet(log: CrashingLog): Promise<void> {
  for (let before = -1, still = 0; still < 2; still = before === log.appends ? still + 1 : 0) {
    before = log.appends;
    await rest();
  }
}
