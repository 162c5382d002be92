/**
 * The main example: 200 receipts from files into a ledger, through a service that fails about a third of its requests,
 * by a worker that is killed with SIGKILL on the way. Owns the command line, the comparison of the log with the
 * service's own books, and the exit code.
 *
 *   npm start -- [--kills 5] [--concurrency 10] [--seed 7] [--log receipts.db]
 *
 * X1  Exit code 0 means: every receipt is posted or rejected, and the ledger has exactly one entry per posted one.
 * X2  Whatever happens, no process that was started here is left behind, and the run ends within `runTimeMaxMs`.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { realClock } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import type { Entry } from './ledger.ts';
import { count, emptyReport, type RunReport } from './run-report.ts';
import type { ServiceStats } from './service.ts';
import { Supervisor } from './supervisor.ts';
import { seconds, standardTerminal, Terminal, type Row } from './terminal.ts';

const runTimeMaxMs = 180_000;

const usage = `Usage: npm start -- [options]

  --kills <n>         how often the worker is killed with SIGKILL (5)
  --concurrency <n>   receipts on their way at the same time (10)
  --seed <n>          seed of the service's faults (7)
  --log <file>        keep the event log in this new SQLite file; without it a temporary one is used and removed
  --help              this text
`;

interface Options {
  readonly kills: number;
  readonly concurrency: number;
  readonly seed: number;
  readonly log: string | undefined;
}

/** Reads the command line. @throws Error that says what is wrong with it */
function readOptions(): Options | 'help' {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '5' },
      concurrency: { type: 'string', default: '10' },
      seed: { type: 'string', default: '7' },
      log: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const whole = (name: 'kills' | 'concurrency' | 'seed', min: number, max: number) => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new Error(`--${name} takes a whole number from ${min} to ${max}, found '${values[name]}'.`);
  };
  if (values.log !== undefined && existsSync(values.log)) {
    throw new Error(`'${values.log}' is there already. Its receipts are done; give the name of a new file.`);
  }
  return {
    kills: whole('kills', 0, 50),
    concurrency: whole('concurrency', 1, 64),
    seed: whole('seed', 0, 2 ** 32 - 1),
    log: values.log,
  };
}

/** The receipts stay next to the sources: the same directory is meant from here and from the compiled file in dist. */
function findData(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const found = [join(here, 'data'), join(here, '../../../examples/receipts/data')].find((path) => existsSync(path));
  if (found === undefined) throw new Error(`No receipts found near ${here}. Run this from a checkout of rewake.`);
  return found;
}

async function readReport(path: string): Promise<RunReport> {
  const log = sqliteLog(path);
  const report = emptyReport();
  for await (const event of log.readAll()) count(report, event);
  await log.close();
  return report;
}

async function get<Answer>(url: string): Promise<Answer> {
  return (await (await fetch(url)).json()) as Answer;
}

interface Evidence {
  readonly report: RunReport;
  readonly stats: ServiceStats;
  readonly ledger: readonly Entry[];
  readonly kills: number;
  readonly receipts: number;
  readonly elapsedMs: number;
}

const reasonNames: Readonly<Record<string, string>> = {
  timeout: 'timeouts',
  reset: 'resets',
  throttled: 'throttled (429)',
  unavailable: 'server errors',
};

function showTable(terminal: Terminal, { report, stats, ledger, kills, elapsedMs }: Evidence): void {
  const failed = [...report.failures].sort((a, b) => b[1] - a[1]);
  const failures = failed.map(([reason, times]) => `${times} ${reasonNames[reason] ?? reason}`).join(', ');
  const failedTotal = failed.reduce((total, [, times]) => total + times, 0);
  const parked = report.parked > 0 ? `, ${report.parked} parked` : '';
  const rerunNote = `were running when the worker died; ${stats.reruns} reached the service again`;
  const rows: Row[] = [
    ['receipts', report.started, `${report.posted} posted, ${report.rejected.length} rejected${parked}`],
    ['attempts', report.attempts, `${failedTotal} failed: ${failures}`],
    ['kills', kills, kills > 0 ? 'SIGKILL to the worker, in the middle of its work' : ''],
    ['effects re-run', report.effectsRerun, kills > 0 ? rerunNote : ''],
    ['ledger entries', ledger.length, `${stats.replays} repeated posts answered with the first entry`],
    ['time', seconds(elapsedMs), `${report.events} events in the log`],
  ];
  terminal.line();
  terminal.table(rows);
  terminal.line();
  terminal.line(`  ${terminal.paint('bold', 'Rejected')}`);
  const width = Math.max(0, ...report.rejected.map(({ receipt }) => receipt.length));
  const codeWidth = Math.max(0, ...report.rejected.map(({ code }) => code.length));
  for (const { receipt, code, detail } of report.rejected.toSorted((a, b) => (a.receipt < b.receipt ? -1 : 1))) {
    const painted = terminal.paint('yellow', code.padEnd(codeWidth));
    terminal.line(`  ${receipt.padEnd(width)}  ${painted}  ${terminal.paint('dim', detail)}`);
  }
  terminal.line();
}

/** Compares what the log says with what the service says. True when everything holds. */
function check(terminal: Terminal, { report, ledger, kills, receipts }: Evidence, killsWanted: number): boolean {
  const keys = new Set(ledger.map(({ key }) => key));
  const checks: readonly (readonly [holds: boolean, statement: string])[] = [
    [
      report.started === receipts && report.posted + report.rejected.length === receipts,
      `all ${receipts} receipts are in a final state`,
    ],
    [
      ledger.length === report.posted && keys.size === ledger.length,
      `the ledger has exactly one entry for each of the ${report.posted} posted receipts`,
    ],
    [kills === killsWanted, `the worker was killed ${killsWanted} times`],
  ];
  for (const [holds, statement] of checks) {
    terminal.line(
      holds
        ? `  ${terminal.paint('green', '✓')} ${statement}`
        : `  ${terminal.paint('red', '✗ not true:')} ${statement}`,
    );
  }
  return checks.every(([holds]) => holds);
}

async function run(options: Options, terminal: Terminal): Promise<boolean> {
  const dataDirectory = findData();
  const receipts = readdirSync(dataDirectory).filter((file) => file.endsWith('.txt')).length;
  const temporary = options.log === undefined ? mkdtempSync(join(tmpdir(), 'rewake-receipts-')) : undefined;
  const log = resolve(options.log ?? join(temporary!, 'receipts.db'));
  const { kills, concurrency, seed } = options;
  const supervisor = new Supervisor({ log, dataDirectory, receipts, kills, concurrency, seed }, terminal);
  try {
    const ended = endOnSignals();
    return await Promise.race([ended, supervise(supervisor, terminal, options, log)]);
  } finally {
    await supervisor.children.end();
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  }
}

async function supervise(supervisor: Supervisor, terminal: Terminal, options: Options, log: string): Promise<boolean> {
  const { total } = supervisor.standing;
  const serviceUrl = await supervisor.startService();
  terminal.line(`${total} receipts on their way into a ledger, ${options.concurrency} at a time.`);
  terminal.line(`The service fails about a third of all requests; the worker is killed ${options.kills} times.`);
  terminal.line();
  await supervisor.work(serviceUrl);
  const { kills, elapsedMs } = supervisor.standing;
  const report = await readReport(log);
  const [stats, ledger] = await Promise.all([
    get<ServiceStats>(`${serviceUrl}/stats`),
    get<Entry[]>(`${serviceUrl}/ledger`),
  ]);
  const evidence: Evidence = { report, stats, ledger, kills, receipts: total, elapsedMs };
  showTable(terminal, evidence);
  const holds = check(terminal, evidence, options.kills);
  if (options.log !== undefined) terminal.line(`\n  The event log is in ${options.log}`);
  return holds;
}

class Interrupted extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Rejects when the run is to end early: on Ctrl-C, on SIGTERM, or when it has taken too long. */
function endOnSignals(): Promise<never> {
  return new Promise((_resolve, reject) => {
    process.once('SIGINT', () => reject(new Interrupted('Interrupted; worker and service are ended.', 130)));
    process.once('SIGTERM', () => reject(new Interrupted('Terminated; worker and service are ended.', 143)));
    realClock.setTimer(realClock.now() + runTimeMaxMs, () =>
      reject(new Interrupted(`Not finished after ${seconds(runTimeMaxMs)}; worker and service are ended.`, 1)),
    );
  });
}

const terminal = new Terminal(standardTerminal());
try {
  const options = readOptions();
  if (options === 'help') process.stdout.write(usage);
  else process.exitCode = (await run(options, terminal)) ? 0 : 1;
} catch (error) {
  terminal.leaveProgress();
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
}
