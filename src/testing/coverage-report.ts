/**
 * What a coverage says: its shapes, and how it is read on a terminal. Owns no counting; everything here is plain data.
 *
 * CR1  What was never reached is listed by name. Only what follows from it is not written: the transitions and guards of a
 *      state that was never reached, and that the guard of a transition that is listed never held.
 */
import type { Revision } from '../log/event-log.ts';

/** A crash that struck in a run: at which append of which stream, and where in it. */
export interface CrashMark {
  readonly stream: string;
  /** Of any event of the append, as the log has it in the end: before an append it is the one that came in its place. */
  readonly revision: Revision;
  /** A phase of a sweep, such as `afterAppend`, or a name of your own. */
  readonly phase: string;
}

/** How much of something was reached. */
export interface Covered {
  readonly total: number;
  /** How often, by name, in the order of the definition. */
  readonly reached: Readonly<Record<string, number>>;
  readonly neverReached: readonly string[];
}

/** Error handlers of `rewake/machines`, as far as their facts tell. */
export interface HandlersCovered extends Covered {
  /** How they ended, and why errors went on: `reconnect: retry`, `reconnect: failed`, `(escalated): noHandler`. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** The coverage of one machine. */
export interface MachineCoverage {
  /** Its durable name; of a child machine its parent's, a slash, and its id: `order/packing`. */
  readonly machine: string;
  readonly version: string | null;
  /** Hash of its definition. Machines of one name and different definitions are counted apart. */
  readonly definition: string;
  /** How many actors of it were started. */
  readonly actors: number;
  /** How often a state became active. */
  readonly states: Covered;
  readonly transitions: Covered;
  /** Each guard of a transition as two entries: that it held, and that it did not. */
  readonly guards: Covered;
  /** Those of the transitions that are there for an error. */
  readonly errorTransitions: Covered;
  /** Of the machine and all that it invokes; of a child machine none. */
  readonly handlers: HandlersCovered;
  /** By crash phase: which transitions were in an append at which a crash struck. Empty where no crashes were told of. */
  readonly matrix: Readonly<Record<string, Covered>>;
}

/** A stream that says nothing about what was reached. */
export interface NotFolded {
  readonly stream: string;
  /** The code of the error, such as `REWAKE_UNKNOWN_MACHINE`. */
  readonly code: string;
  readonly reason: string;
}

/** What was reached, and what never was. Plain data: it can be kept as JSON and added to another coverage. */
export interface CoverageReport {
  /** Streams that were folded. */
  readonly streams: number;
  /** Events of these streams. */
  readonly events: number;
  readonly machines: readonly MachineCoverage[];
  /** The first 100 streams that could not be folded. */
  readonly notFolded: readonly NotFolded[];
  /** How many more could not be. */
  readonly unlisted: number;
  /** Crashes at revisions that no folded stream has. */
  readonly unplaced: readonly CrashMark[];
}

/**
 * A report as a table, and under it by name what was never reached.
 *
 * @example
 * console.log(formatCoverage(await coverageOfLog(log, machines)));
 */
export function formatCoverage(report: CoverageReport): string {
  const { streams, events, machines, notFolded, unlisted, unplaced } = report;
  const parts = [
    [`Coverage of ${counted(streams, 'stream')}, ${counted(events, 'event')}`],
    summary(machines),
    ...machines.flatMap((each) => {
      const title = titleOf(each, machines);
      return [neverReached(title, each), handlerRuns(title, each), matrix(title, each)];
    }),
    notFolded.length === 0
      ? []
      : [
          `${counted(notFolded.length + unlisted, 'stream')} could not be folded:`,
          ...notFolded.map(({ stream, code, reason }) => `  ${stream}: ${code}: ${reason.split('\n')[0]!}`),
          ...(unlisted > 0 ? [`  and ${unlisted} more`] : []),
        ],
    unplaced.length === 0
      ? []
      : [
          `${counted(unplaced.length, 'crash', 'crashes')} at revisions that no folded stream has:`,
          ...unplaced.map(({ stream, revision, phase }) => `  ${stream} at revision ${revision}, ${phase}`),
        ],
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function summary(machines: readonly MachineCoverage[]): string[] {
  const head = ['machine', 'actors', 'states', 'transitions', 'guards', 'on error', 'handlers', 'crash cells'];
  const rows = machines.map((each) => {
    const { actors, states, transitions, guards, errorTransitions, handlers } = each;
    const cells = Object.values(each.matrix);
    return [
      titleOf(each, machines),
      String(actors),
      ...[states, transitions, guards, errorTransitions, handlers].map((covered) => share([covered])),
      share(cells),
    ];
  });
  return table([head, ...rows]);
}

function titleOf(one: MachineCoverage, machines: readonly MachineCoverage[]): string {
  const { machine, version, definition } = one;
  const isAlone = machines.filter((each) => each.machine === machine).length === 1;
  return isAlone
    ? machine
    : `${machine} (${version === null ? '' : `version '${version}', `}${definition.slice(0, 6)})`;
}

function share(all: readonly Covered[]): string {
  const total = all.reduce((sum, covered) => sum + covered.total, 0);
  const reached = all.reduce((sum, covered) => sum + Object.keys(covered.reached).length, 0);
  return total === 0 ? '-' : `${reached}/${total}`;
}

/** CR1. Of what never began nothing more is to be said. */
function neverReached(title: string, covered: MachineCoverage): string[] {
  const { actors, states, transitions, guards, handlers } = covered;
  if (actors === 0 && Object.keys(states.reached).length === 0) return [`${title}: never started`];
  const isBehind = (name: string) => states.neverReached.some((state) => name.startsWith(`${state}: `));
  const missed = transitions.neverReached.filter((name) => !isBehind(name));
  const isSaid = (name: string) =>
    isBehind(name) || missed.some((transition) => name === `${transition.split(' → ')[0]!} is true`);
  const outcomes = guards.neverReached.filter((name) => !isSaid(name));
  const lines = Object.entries({
    state: states.neverReached,
    transition: missed,
    guard: outcomes,
    handler: handlers.neverReached,
  }).flatMap(([kind, names]) => names.map((name) => `  ${kind.padEnd(10)}  ${name}`));
  return lines.length === 0 ? [] : [`${title}: never reached`, ...lines];
}

function handlerRuns(title: string, { handlers }: MachineCoverage): string[] {
  const outcomes = Object.entries(handlers.outcomes).map(([name, times]) => `  ${name}, ${counted(times, 'time')}`);
  return outcomes.length === 0 ? [] : [`${title}: what handlers came to`, ...outcomes];
}

/** Only transitions that were taken: at the others no crash can strike. */
function matrix(title: string, { transitions, matrix: phases }: MachineCoverage): string[] {
  const names = Object.keys(phases);
  const taken = Object.keys(transitions.reached);
  if (names.length === 0 || taken.length === 0) return [];
  const rows = taken.map((name) => [`  ${name}`, ...names.map((phase) => String(phases[phase]!.reached[name] ?? '·'))]);
  return table([[`${title}: crashes at`, ...names], ...rows]);
}

/** The first column to the left, the numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
