/**
 * At which appends the faults of a run struck. Owns how a fault is placed in the log that the run left; what was reached there is
 * coverage.ts's.
 *
 * RC1  What struck an append that was not written is placed at the append that came in its place.
 */
import type { RecordedEvent } from '../log/event-log.ts';
import type { CrashMark } from './coverage-report.ts';
import type { LogFault, Strike } from './faulty-log.ts';
import type { Recovery, Run } from './run.ts';

/**
 * Where the faults of a run struck, for the matrix of a coverage: by the phases of a sweep, and `tornTail`, `lostTail` and
 * `operation` for what a sweep does not do. A fault that struck where nothing was written before and nothing came after is left
 * out, and so is an append that was only refused.
 *
 * @example
 * await sweep(scenario, { onRun: (run) => void runs.push(run) });
 * for (const run of runs) await coverage.add(run.events, crashesOf(run));
 */
export function crashesOf(run: Run): CrashMark[] {
  return run.strikes.flatMap((strike) => {
    const phase = phaseOf(strike, run.recoveries);
    const event = phase === undefined ? undefined : struckIn(strike, run.events);
    return phase !== undefined && event ? [{ stream: event.stream, revision: event.revision, phase }] : [];
  });
}

function phaseOf({ fault, events }: Strike, recoveries: readonly Recovery[]): string | undefined {
  if (fault.fault === 'storeError') return undefined;
  if (fault.fault !== 'crash') return fault.fault;
  if (recoveries.some((recovery) => isIn(recovery, fault))) return 'recovery';
  if ('snapshot' in fault) return 'snapshot';
  if ('operation' in fault) return 'operation';
  if (fault.phase === 'afterAppend') return 'afterAppend';
  const type = events[0]?.type;
  return type === 'EffectSucceeded' || type === 'EffectFailed' ? 'beforeResult' : 'beforeAppend';
}

function isIn({ from, to, appends }: Recovery, fault: LogFault): boolean {
  if ('operation' in fault) return fault.operation >= from && fault.operation < to;
  return 'append' in fault && fault.append >= appends[0] && fault.append < appends[1];
}

/** RC1. A life after the fault says the same again under the same id. */
function struckIn({ events, stream, after }: Strike, log: readonly RecordedEvent[]): RecordedEvent | undefined {
  const before = log.findIndex(({ id }) => id === after);
  const [first] = events;
  if (!first) return log[before];
  const again = log.find(({ id }) => id === first.id);
  return again ?? log.find((event, index) => index > before && event.stream === stream);
}
