/**
 * The scenarios of the recovery machines, lived through on a log that is then read. Owns what the runtime said of its actors at
 * each append; what a projection makes of the log is the test's.
 *
 * LV1  With a crash the host dies at an append, and another one goes on to the end.
 */
import { memoryLog, type EventLog, type RecordedEvent } from 'rewake';
import { type AppendPhase, type Scenario } from 'rewake/testing';
import type { ActorHead } from '../../src/log/event-log.ts';
import { play } from '../../src/testing/play.ts';
import { crashScenarios } from '../machines/crash-scenarios.ts';

/** A log with what the runtime wrote into the actor index. */
export interface Lived {
  readonly log: EventLog;
  readonly events: readonly RecordedEvent[];
  /** By `stream@revision` of the last event of an append. */
  readonly heads: ReadonlyMap<string, ActorHead>;
  readonly appends: number;
  /** State value of each actor at the end, as the runtime has it. */
  readonly values: Readonly<Record<string, unknown>>;
}

export const scenarios = crashScenarios.map(({ name, scenario }) => [name, scenario] as const);

/** Plays a scenario to its end, in one life or two. */
export async function lived(
  scenario: Scenario<undefined>,
  crash?: { readonly append: number; readonly phase: AppendPhase },
): Promise<Lived> {
  const heads = new Map<string, ActorHead>();
  let log: EventLog;
  const kept: Scenario<undefined> = {
    ...scenario,
    log: (clock) => keptOpen(noting((log = memoryLog({ clock })), heads)),
  };
  const { events, appends, ends } = await play(
    kept as Scenario,
    crash ? { faults: [{ fault: 'crash', ...crash }] } : {},
  );
  const values = Object.fromEntries(Object.entries(ends).map(([stream, { value }]) => [stream, value]));
  return { log: log!, events, heads, appends, values };
}

/** A run closes its log when it is over. */
function keptOpen(log: EventLog): EventLog {
  return new Proxy(log, {
    get: (target, key) => (key === 'close' ? () => Promise.resolve() : (Reflect.get(target, key) as unknown)),
  });
}

/** Notes what is written into the actor index. */
export function noting(log: EventLog, heads: Map<string, ActorHead>): EventLog {
  const append: EventLog['append'] = async (stream, expected, events, options) => {
    const result = await log.append(stream, expected, events, options);
    if (options?.actor && events.length > 0) heads.set(`${stream}@${result.revision}`, options.actor);
    return result;
  };
  return new Proxy(log, {
    get(target, key) {
      if (key === 'append') return append;
      const member: unknown = Reflect.get(target, key);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

let all: Promise<Lived[]> | undefined;

/** Every scenario, each with and without a crash in its middle; lived through once. To be called inside a test. */
export function allLives(): Promise<Lived[]> {
  all ??= (async () => {
    const lives: Lived[] = [];
    for (const [, scenario] of scenarios) {
      const whole = await lived(scenario);
      const crash = { append: Math.floor(whole.appends / 2), phase: 'afterAppend' as const };
      lives.push(whole, await lived(scenario, crash));
    }
    return lives;
  })();
  return all;
}
