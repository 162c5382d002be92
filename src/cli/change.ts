/**
 * How a command changes an actor: rehearsed on a log that is only read, agreed to, then done. Owns the order of these and what is
 * said of them; what is done is the command's.
 *
 * CH1  A log that a host runs on is not written to: whoever wants something of its actors asks that host.
 * CH2  What is shown before is what the same code appends to a log that keeps nothing: no second account of it.
 * CH3  No effect begins in this process: what begins is left to the next host as not begun. Custom actions, which happen at most
 *      once, happen here, or nowhere with --skip-actions.
 */
import { LogOwnedError, UnknownMachineError } from '../errors.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { readStreamName } from '../log/stream-name.ts';
import { hostOf } from '../runtime/ownership.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Backstage, Runtime } from '../runtime/runtime.ts';
import { appendedText } from './appended-text.ts';
import type { Options, OptionSpec } from './command.ts';
import type { CommandContext } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { requireStream } from './looking.ts';
import { noting, rehearsal, type Noted } from './noted-log.ts';
import { openRuntime, type Place } from './open-runtime.ts';
import { shown } from './terminal.ts';

/** What is to be done to an actor. */
export interface Change {
  readonly stream: string;
  /** What a person agrees to, as a question. */
  readonly question: string;
  /** Said where there is nothing to append. */
  readonly nothing: string;
  work(runtime: Runtime): Promise<unknown>;
}

/** Of every command that changes an actor. */
export const changeOptions: readonly OptionSpec[] = [
  {
    flags: '--skip-actions',
    about: 'pass custom actions of the machine over, instead of running them here, once',
  },
];

/** A custom action that was passed over. */
interface Skipped {
  readonly stream: string;
  readonly actor: string;
  readonly action: string;
}

/**
 * Does it, or says what it would do.
 * @throws NotFoundError | UnknownMachineError | LogOwnedError, and what the work throws
 */
export async function changeActor(context: CommandContext, options: Options, change: Change): Promise<number | void> {
  const { terminal } = context;
  const log = await context.log('read');
  await requireActor(log, change.stream);
  await requireMachine(context, change.stream);
  await requireNoHost(log);
  const { dryRun = false, yes = false, skipActions = false } = options;
  if (dryRun || !yes) {
    const plan = await rehearsed(context, change, log);
    if (plan.appended.length === 0) return terminal.note(change.nothing);
    if (dryRun) return showPlan(context, plan, skipActions === true);
    terminal.note('Would append:');
    for (const line of linesOf(plan.appended)) terminal.note(line);
    if (!(await terminal.confirm(change.question))) {
      terminal.note('Nothing was written.');
      return exitCodes.failure;
    }
  }
  const appended: Noted[] = [];
  const writable = noting(await context.log('write'), appended);
  // CH3.
  const skipping = skipActions ? { skipAction: () => {} } : {};
  await perform(context, change, { log: writable, lease: { wait: 0 } }, skipping);
  if (appended.length === 0) return terminal.note(change.nothing);
  for (const noted of appended) terminal.record('appended', recordOf(noted));
  for (const line of linesOf(appended)) terminal.line(line);
}

/** CH1. @throws LogOwnedError */
export async function requireNoHost(log: EventLog): Promise<void> {
  const host = await hostOf(log);
  if (!host || host.life === 'dead') return;
  const next =
    'Nothing was written. Ask that host, which is the one to run its actors, or stop it and try again.' +
    (host.life === 'unknown' ? ' If it is dead, wait until its lease has run out.' : '');
  throw new LogOwnedError(log.name, host.owner, host.expiresAt, next);
}

/** What would come of a change. */
interface Plan {
  readonly appended: readonly Noted[];
  readonly skipped: readonly Skipped[];
}

/** CH2. */
async function rehearsed(context: CommandContext, change: Change, log: EventLog): Promise<Plan> {
  const plan = { appended: [] as Noted[], skipped: [] as Skipped[] };
  await perform(
    context,
    change,
    { log: rehearsal(log, plan.appended), lease: false },
    { skipAction: (stream, actor, action) => void plan.skipped.push({ stream, actor, action }) },
  );
  return plan;
}

async function perform(context: CommandContext, change: Change, place: Place, backstage: Backstage): Promise<void> {
  const options = { ...place, logger: loggerFor(context), resume: false };
  const runtime = await openRuntime(context, options, { ...backstage, writesOnly: true });
  try {
    await change.work(runtime);
    await runtime.idle();
  } finally {
    await runtime.close();
  }
}

/** What goes wrong is thrown, and said once. */
function loggerFor({ terminal }: CommandContext): Logger {
  return { debug() {}, info() {}, warn: (_, message) => terminal.note(message), error() {} };
}

/** @throws NotFoundError */
export async function requireActor(log: EventLog, stream: string): Promise<void> {
  readStreamName(stream);
  await requireStream(log, stream);
}

/** @throws UnknownMachineError */
export async function requireMachine(context: CommandContext, stream: string): Promise<void> {
  const { machines = {} } = await context.config();
  const { machine } = readStreamName(stream);
  if (Object.hasOwn(machines, machine)) return;
  const file = await context.configFile();
  const next =
    file === undefined
      ? 'There is no rewake.config.ts here or above: write one that exports its machines, or name one with --config.'
      : `Add it to 'machines' in '${file}'.`;
  throw new UnknownMachineError(machine, Object.keys(machines), stream, next);
}

function showPlan({ terminal }: CommandContext, { appended, skipped }: Plan, skipActions: boolean): void {
  for (const noted of appended) terminal.record('planned', recordOf(noted));
  terminal.line('Would append:');
  for (const line of linesOf(appended)) terminal.line(line);
  for (const action of skipped) {
    terminal.record('action', { ...action, runs: !skipActions });
    const does = skipActions ? 'Would pass over' : 'Would run here';
    terminal.line(
      `${does}: custom action ${shown(action.action)} of ${shown(action.actor)} in ${shown(action.stream)}`,
    );
  }
}

function recordOf({ stream, revision, event }: Noted): object {
  const { id, type: eventType, schemaVersion, meta, data } = event;
  return { stream, revision, id, eventType, schemaVersion, meta, data: JSON.parse(data) as Json };
}

function linesOf(appended: readonly Noted[]): string[] {
  return appended.map((noted) => `  ${shown(noted.stream)} ${noted.revision}  ${appendedText(noted)}`);
}
