/**
 * A run as a person reads it. Owns the form of the timeline and of a failure's text.
 *
 * TL1  A line per event, with its revision and its time after the start; what went wrong stands where it did.
 */
import type { RecordedEvent } from '../log/event-log.ts';
import type { Fault } from './fault-plan.ts';
import type { Run } from './run.ts';

interface Data {
  readonly at?: number;
  readonly actor?: string;
  readonly event?: { readonly type?: string };
  readonly id?: string;
  readonly type?: string;
  readonly error?: unknown;
  readonly effects?: readonly { readonly actor: string; readonly decision: string }[];
  readonly transitions?: readonly { readonly actor: string; readonly to: unknown }[];
}

/** The log of a run, with what went wrong in it. */
export function timelineOf({ events, startMs, strikes, marks }: Run): string {
  const wrong = new Map<string | undefined, string[]>();
  const add = (after: string | undefined, what: string) =>
    wrong.set(after, [...(wrong.get(after) ?? []), `     ✗ ${what}`]);
  for (const { fault, after, stream } of strikes) add(after, `${describeFault(fault)}${stream ? ` (${stream})` : ''}`);
  for (const { after, what } of marks) add(after, what);
  const rows = events.map((event) => [event, rowOf(event, startMs)] as const);
  const widths = [0, 1, 2].map((column) => Math.max(4, ...rows.map(([, row]) => row[column]!.length)));
  const lines = [...(wrong.get(undefined) ?? [])];
  for (const [{ id }, row] of rows) {
    const cells = row.map((cell, column) => (column < 3 ? cell.padEnd(widths[column]!) : cell));
    lines.push(`  ${cells.join('  ')}`.trimEnd(), ...(wrong.get(id) ?? []));
  }
  return lines.join('\n');
}

function rowOf({ stream, revision, type, data, meta }: RecordedEvent, startMs: number): string[] {
  const read = JSON.parse(data) as Data;
  const place = `${stream}@${revision}`;
  if (meta.actor !== undefined) return [place, '', type, `fact of ${meta.actor}`];
  const time = read.at === undefined ? '' : `+${read.at - startMs} ms`;
  const states = (read.transitions ?? []).map(({ actor, to }) => `${actor} → ${stateOf(to)}`);
  return [place, time, type, [about(read), ...states].filter(Boolean).join('  ')];
}

function about({ actor, event, id, effects }: Data): string {
  if (event) return String(event.type);
  if (effects) return effects.map((each) => `${each.actor} ${each.decision}`).join(', ');
  return id ?? actor ?? '';
}

function stateOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A fault in a few words. */
function describeFault(fault: Fault): string {
  switch (fault.fault) {
    case 'crash': {
      if ('append' in fault) {
        const when = fault.phase === 'beforeAppend' ? 'before append' : 'after append';
        return `the process dies ${when} ${fault.append}`;
      }
      if ('snapshot' in fault) {
        const when = fault.phase === 'beforeSnapshot' ? 'before' : 'after';
        return `the process dies ${when} snapshot ${fault.snapshot} is stored`;
      }
      return `the process dies at call ${fault.operation} of the log`;
    }
    case 'tornTail':
      return `the process dies in append ${fault.append}, and ${fault.events} of its events are there, the last one torn`;
    case 'lostTail':
      return `the process dies after append ${fault.append}, and the newest ${fault.appends} are lost`;
    case 'ackLost':
      return `append ${fault.append} is written, and its answer is lost`;
    case 'storeError':
      return 'append' in fault
        ? `append ${fault.append} is refused ${fault.times} times`
        : `from read ${fault.read} of a stream on ${fault.times} are refused`;
    case 'duplicate':
      return `event ${fault.event} is sent again`;
    case 'stealOwner':
      return `another host takes the actors up after append ${fault.append}`;
    case 'late':
      return `answer ${fault.index} of '${fault.effect}' comes ${fault.byMs} ms later`;
    case 'reorder':
      return `answers come in another order`;
    case 'clockJump':
      return `the clock is set by ${fault.byMs} ms, ${fault.atMs} ms after the start`;
  }
}
