/**
 * The main example: 200 receipts from files into a ledger, through a service that fails about a third of its requests,
 * by a worker that is killed with SIGKILL on the way. Owns the command line, the comparison of the log with the
 * service's own books, and the exit code.
 *
 *   npm start -- [--kills 5] [--batches 4] [--seed 7] [--log receipts.db] [--story 045-fr-pharmacie]
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
import type { Entry } from './ledger.ts';
import { batchSize } from './receipt-machine.ts';
import { check, showNext, showTable, type Evidence } from './run-table.ts';
import type { ServiceStats } from './service.ts';
import { findStory, showStory } from './story.ts';
import { Supervisor } from './supervisor.ts';
import { seconds, standardTerminal, Terminal } from './terminal.ts';

const runTimeMaxMs = 180_000;

const usage = `Usage: npm start -- [options]

  --kills <n>         how often the worker is killed with SIGKILL (5)
  --batches <n>       batches on their way at the same time (4)
  --seed <n>          seed of the service's faults (7)
  --log <file>        keep the event log in this new SQLite file; without it a temporary one is used and removed
  --story <receipt>   tell of this receipt at the end, for example 045-fr-pharmacie
  --help              this text
`;

interface Options {
  readonly kills: number;
  readonly batches: number;
  readonly seed: number;
  readonly log: string | undefined;
  readonly story: string | undefined;
}

/** Reads the command line. @throws Error that says what is wrong with it */
function readOptions(): Options | 'help' {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '5' },
      batches: { type: 'string', default: '4' },
      seed: { type: 'string', default: '7' },
      log: { type: 'string' },
      story: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const whole = (name: 'kills' | 'batches' | 'seed', min: number, max: number) => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new Error(`--${name} takes a whole number from ${min} to ${max}, found '${values[name]}'.`);
  };
  if (values.log !== undefined && existsSync(values.log)) {
    throw new Error(`'${values.log}' is there already. Its receipts are done; give the name of a new file.`);
  }
  return {
    kills: whole('kills', 0, 50),
    batches: whole('batches', 1, 10),
    seed: whole('seed', 0, 2 ** 32 - 1),
    log: values.log,
    story: values.story,
  };
}

/** The receipts stay next to the sources: the same directory is meant from here and from the compiled file in dist. */
function findData(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const found = [join(here, 'data'), join(here, '../../../examples/receipts/data')].find((path) => existsSync(path));
  if (found === undefined) throw new Error(`No receipts found near ${here}. Run this from a checkout of rewake.`);
  return found;
}

async function get<Answer>(url: string): Promise<Answer> {
  return (await (await fetch(url)).json()) as Answer;
}

async function run(options: Options, terminal: Terminal): Promise<boolean> {
  const dataDirectory = findData();
  const receipts = readdirSync(dataDirectory).filter((file) => file.endsWith('.txt')).length;
  const temporary = options.log === undefined ? mkdtempSync(join(tmpdir(), 'rewake-receipts-')) : undefined;
  const log = resolve(options.log ?? join(temporary!, 'receipts.db'));
  const { kills, batches, seed } = options;
  const supervisor = new Supervisor({ log, dataDirectory, receipts, kills, batches, seed }, terminal);
  try {
    const ended = endOnSignals();
    return await Promise.race([ended, supervise(supervisor, terminal, options)]);
  } finally {
    await supervisor.children.end();
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  }
}

async function supervise(supervisor: Supervisor, terminal: Terminal, options: Options): Promise<boolean> {
  const { total } = supervisor.standing;
  const serviceUrl = await supervisor.startService();
  terminal.line(
    `${total} receipts on their way into a ledger, in batches of ${batchSize}, ${options.batches} at a time.`,
  );
  terminal.line(`The service fails about a third of all requests; the worker is killed ${options.kills} times.`);
  terminal.line();
  await supervisor.work(serviceUrl);
  const { kills, elapsedMs } = supervisor.standing;
  const { report } = supervisor;
  const [stats, ledger] = await Promise.all([
    get<ServiceStats>(`${serviceUrl}/stats`),
    get<Entry[]>(`${serviceUrl}/ledger`),
  ]);
  const evidence: Evidence = { report, stats, ledger, kills, receipts: total, elapsedMs };
  showTable(terminal, evidence);
  const story = options.story ?? findStory(report);
  if (story !== undefined) showStory(terminal, report, story);
  const holds = check(terminal, evidence, options.kills);
  showNext(terminal, report, options.log);
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
