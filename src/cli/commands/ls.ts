/** `rewake ls`: which actors there are. */
import type { ActorQuery, ActorRow, ActorStatus } from '../../log/event-log.ts';
import type { CommandSpec, Options } from '../command.ts';
import { listOption, numberOption, patternOption, textOption } from '../options.ts';
import { shown, type Painter } from '../terminal.ts';
import { statusText, waitText } from '../words.ts';

const statuses: readonly ActorStatus[] = ['active', 'done', 'error', 'stopped'];

export const ls: CommandSpec = {
  name: 'ls',
  group: 'look',
  about: 'List the actors of a log',
  detail:
    'Filters are combined: an actor is shown that passes all of them. One that is repeated lets any of its values pass.',
  arguments: [],
  options: [
    { flags: '-m, --machine <name...>', about: 'only actors of these machines' },
    { flags: '--not-machine <name...>', about: 'none of these machines' },
    {
      flags: '-s, --status <status...>',
      about: 'only actors that are active, done, error or stopped',
      choices: statuses,
    },
    { flags: '--not-status <status...>', about: 'none that are', choices: statuses },
    { flags: '-f, --failed', about: 'only those that ended in error' },
    { flags: '-w, --waiting', about: 'only those that a timer will wake' },
    { flags: '-c, --correlation <id>', about: 'only those of one correlation' },
    { flags: '--match <regex>', about: 'only streams whose name matches' },
    { flags: '--not-match <regex>', about: 'only streams whose name does not' },
    { flags: '-n, --limit <n>', about: 'at most so many' },
  ],
  examples: [
    ['ls app.db --failed', 'which actors ended in error'],
    ['ls app.db -m order --not-status done', 'orders that are not done'],
    ["ls app.db --match '^order-2026' --json", 'for programs'],
  ],
  async run(context, _args, options) {
    const { terminal } = context;
    const log = await context.log('read');
    const passes = filterOf(options);
    const limit = numberOption(options, 'limit', { least: 1 }) ?? Infinity;
    let count = 0;
    const rows = async function* () {
      for await (const row of log.actors(queryOf(options))) {
        if (!passes(row)) continue;
        if (count++ === limit) return;
        terminal.record('actor', row);
        if (!terminal.isJson) yield cellsOf(row, terminal.color);
      }
    };
    await terminal.tableFrom(['STREAM', 'STATUS', 'REV', 'WAITS', 'CORRELATION'], rows());
    if (count > limit) terminal.note(`There are more than ${limit}.`);
    if (count === 0) terminal.note('No actor is like that.');
  },
};

function cellsOf({ stream, status, revision, wakeAt, effects, correlationId }: ActorRow, color: Painter): string[] {
  return [
    color.bold(shown(stream)),
    statusText(status, color),
    String(revision),
    waitText({ wakeAt, effects, status }),
    color.dim(shown(correlationId)),
  ];
}

/** What the index of the log can find by itself. */
function queryOf(options: Options): ActorQuery {
  const machines = listOption(options, 'machine');
  const wanted = options.failed ? ['error'] : listOption(options, 'status');
  const correlationId = textOption(options, 'correlation');
  return {
    ...(machines.length === 1 && { machine: machines[0]! }),
    ...(wanted.length === 1 && { status: wanted[0] as ActorStatus }),
    ...(correlationId !== undefined && { correlationId }),
  };
}

function filterOf(options: Options): (row: ActorRow) => boolean {
  const machines = listOption(options, 'machine');
  const notMachines = listOption(options, 'notMachine');
  const wanted = listOption(options, 'status');
  const notWanted = listOption(options, 'notStatus');
  const match = patternOption(options, 'match');
  const notMatch = patternOption(options, 'notMatch');
  return ({ machine, status, stream, wakeAt }) =>
    (machines.length === 0 || machines.includes(machine)) &&
    !notMachines.includes(machine) &&
    (wanted.length === 0 || wanted.includes(status)) &&
    !notWanted.includes(status) &&
    (!options.failed || status === 'error') &&
    (!options.waiting || (status === 'active' && wakeAt !== null)) &&
    (!match || match.test(stream)) &&
    !notMatch?.test(stream);
}
