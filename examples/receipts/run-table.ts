/**
 * The end of a run for people: the table, the rejected receipts, whether all is as it must be, and what to do next. Owns
 * the words; the numbers are run-report.ts's and the service's.
 */
import type { Entry } from './ledger.ts';
import type { RunReport, Tally } from './run-report.ts';
import type { ServiceStats } from './service.ts';
import { seconds, type Row, type Terminal } from './terminal.ts';

/** What a run left behind. */
export interface Evidence {
  readonly report: RunReport;
  readonly stats: ServiceStats;
  readonly ledger: readonly Entry[];
  readonly kills: number;
  readonly receipts: number;
  readonly elapsedMs: number;
}

const failureNames: Readonly<Record<string, string>> = {
  throttled: 'throttled',
  timeout: 'timeouts',
  transient: 'resets',
  server: 'server errors',
  lost: 'lost',
  permanent: 'malformed',
  unknown: 'misread',
};

const readerNames = { vision: 'by the vision model', mini: 'by the mini model', local: 'by the local parser' };

const total = (tally: Tally) => [...tally.values()].reduce((sum, times) => sum + times, 0);

const listed = (tally: Tally, names: Readonly<Record<string, string>> = {}) =>
  [...tally]
    .sort((a, b) => b[1] - a[1])
    .map(([name, times]) => `${times} ${names[name] ?? name}`)
    .join(', ');

const percent = (share: number) => `${Math.round(share * 100)} %`;

/** Success rates of the batches, the lowest first. */
function successRates({ batches, rejected, givenUp }: RunReport): number[] {
  const failed = [...rejected, ...givenUp];
  return [...batches]
    .map(([stream, receipts]) => 1 - failed.filter(({ batch }) => batch === stream).length / receipts.length)
    .sort((a, b) => a - b);
}

/** Prints the numbers of a run. */
export function showTable(terminal: Terminal, { report, stats, ledger, kills, elapsedMs }: Evidence): void {
  const { receipts, posted, rejected, givenUp, readBy, lost } = report;
  const givenUpNote = givenUp.length > 0 ? `, ${givenUp.length} given up` : '';
  const rates = successRates(report);
  const ratesNote = `${percent(posted / receipts)} posted, in the worst batch ${percent(rates[0]!)}`;
  const lostNames = { fail: 'counted as failed attempts', rerun: 'run again' };
  const lostNote = `effects that ran when the worker was killed: ${listed(lost, lostNames)}`;
  const rows: Row[] = [
    ['receipts', receipts, `${posted} posted, ${rejected.length} rejected${givenUpNote}; ${ratesNote}`],
    ['attempts', report.attempts, `${total(report.failures)} failed: ${listed(report.failures, failureNames)}`],
    ['retries', report.retries, 'each after a wait that is in the log'],
    ['breaker openings', total(report.openings), listed(report.openings)],
    ['fallbacks', total(readBy) - (readBy.get('vision') ?? 0), `read ${listed(readBy, readerNames)}`],
    ['healed', report.healed, listed(report.mends)],
    ['kills', kills, kills > 0 ? 'SIGKILL to the worker, in the middle of its work' : ''],
    ['work cut off', total(lost), total(lost) > 0 ? lostNote : ''],
    ['ledger entries', ledger.length, `${stats.replays} repeated posts answered with the first entry`],
    ['time', seconds(elapsedMs), `${report.events} events in the log`],
  ];
  terminal.line();
  terminal.table(rows);
  showFailed(terminal, 'Rejected', report.rejected);
  showFailed(terminal, 'Given up', report.givenUp);
}

function showFailed(terminal: Terminal, title: string, failed: RunReport['rejected']): void {
  if (failed.length === 0) return;
  terminal.line();
  terminal.line(`  ${terminal.paint('bold', title)}`);
  const width = Math.max(...failed.map(({ receipt }) => receipt.length));
  const codeWidth = Math.max(...failed.map(({ code }) => code.length));
  for (const { receipt, code, detail } of failed.toSorted((a, b) => (a.receipt < b.receipt ? -1 : 1))) {
    const painted = terminal.paint('yellow', code.padEnd(codeWidth));
    terminal.line(`  ${receipt.padEnd(width)}  ${painted}  ${terminal.paint('dim', detail)}`);
  }
}

/** Compares what the log says with what the service says. True when everything holds. */
export function check(terminal: Terminal, { report, ledger, kills, receipts }: Evidence, killsWanted: number): boolean {
  const keys = new Set(ledger.map(({ key }) => key));
  const bills = new Set(ledger.map(({ merchant, number }) => JSON.stringify([merchant, number])));
  const checks: readonly (readonly [holds: boolean, statement: string])[] = [
    [
      report.receipts === receipts && report.posted + report.rejected.length === receipts,
      `all ${receipts} receipts are in a final state`,
    ],
    [
      ledger.length === report.posted && keys.size === ledger.length && bills.size === ledger.length,
      `the ledger has exactly one entry for each of the ${report.posted} posted receipts`,
    ],
    [kills === killsWanted, `the worker was killed ${killsWanted} times`],
  ];
  terminal.line();
  for (const [holds, statement] of checks) {
    terminal.line(
      holds
        ? `  ${terminal.paint('green', '✓')} ${statement}`
        : `  ${terminal.paint('red', '✗ not true:')} ${statement}`,
    );
  }
  return checks.every(([holds]) => holds);
}

/** Says where the log is, and what to look at after this. `log` is the file, if it was kept. */
export function showNext(terminal: Terminal, { rejected }: Pick<RunReport, 'rejected'>, log: string | undefined): void {
  const rows: [label: string, text: string][] = [
    ['the log', log ?? 'was a temporary file; npm start -- --log receipts.db keeps it'],
    ['to read it', 'docs/how-to/find-out-why-it-failed.md'],
    ['the code', 'examples/receipts: what recovers is in receipt-steps.ts'],
    ['for yours', 'docs/how-to/choose-a-recovery-strategy.md'],
  ];
  if (rejected[0]) rows.splice(1, 0, ['a failure', `npm start -- --story ${rejected[0].receipt}`]);
  terminal.line();
  terminal.line(`  ${terminal.paint('bold', 'What to look at next')}`);
  for (const [label, text] of rows) terminal.line(`  ${label.padEnd(10)}  ${text}`);
}
