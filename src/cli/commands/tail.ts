/** `rewake tail`: what is appended, as it comes. */
import { history, live } from '../../../projections/feed.ts';
import { damagedRow, rowOf, rowsView } from '../../inspect/rows-view.ts';
import type { Row } from '../../inspect/api.ts';
import type { EventLog, Position, Revision } from '../../log/event-log.ts';
import { endOfLog } from '../../log/log-end.ts';
import type { CommandSpec, Options } from '../command.ts';
import { EffectNames, learnFrom } from '../labels.ts';
import { requireStream } from '../looking.ts';
import { listOption, numberOption, patternOption } from '../options.ts';
import { rowCells, rowWidths } from '../row-text.ts';
import type { Terminal } from '../terminal.ts';

const linesBefore = 10;
const eventsPerTurn = 2_000;

export const tail: CommandSpec = {
  name: 'tail',
  group: 'look',
  about: 'Follow what is appended to a log, or to one stream',
  detail:
    'Goes on until it is interrupted. Of one stream the last events come first; of the whole log those that -n asks for, for which ' +
    'it is read from its beginning.',
  arguments: [{ name: 'stream', about: 'only this one', optional: true }],
  options: [
    { flags: '-n, --lines <n>', about: `so many of the events before; of one stream ${linesBefore} when omitted` },
    {
      flags: '-t, --type <type...>',
      about: 'only events of these types: EffectFailed, or a fact such as CircuitOpened',
    },
    { flags: '--not-type <type...>', about: 'none of these types' },
    { flags: '-m, --machine <name...>', about: 'only actors of these machines' },
    { flags: '--match <regex>', about: 'only streams whose name matches' },
  ],
  examples: [
    ['tail app.db', 'everything, as it happens'],
    ['tail app.db order-42 -n 100', 'one actor'],
    ['tail app.db -t EffectFailed CircuitOpened --json', 'what goes wrong, for programs'],
  ],
  async run(context, args, options) {
    const { terminal, signal } = context;
    const stream = args['stream'] as string | undefined;
    const passes = filterOf(options, stream);
    const before = numberOption(options, 'lines', { least: 0 }) ?? (stream === undefined ? 0 : linesBefore);
    const log = await context.log('read');
    if (stream !== undefined) await requireStream(log, stream);
    // What is appended from here on is followed; what is before is told first.
    const after = await endOfLog(log, signal);
    const names = new EffectNames();
    const known = stream === undefined ? -1 : await lastRevision(log, stream);
    const rows =
      stream === undefined
        ? await lastOfLog(log, { count: before, until: after, passes, names, signal })
        : await lastOfStream(log, stream, { last: known, count: before, names });
    for (const row of rows) if (passes(row)) tell(terminal, row);
    terminal.flush();
    for await (const item of live(log, { signal, stream, after, onDamage: 'skip' })) {
      if (item.type === 'damaged' && passes(item.error)) tell(terminal, damagedRow(item.error));
      terminal.flush();
      if (item.type !== 'event') continue;
      const { event } = item;
      names.learn(event);
      if (!passes(event) || (stream !== undefined && event.revision <= known)) continue;
      tell(terminal, rowOf(event, names.in(event.stream)));
      terminal.flush();
    }
    signal.throwIfAborted();
  },
};

function tell(terminal: Terminal, row: Row): void {
  terminal.record('row', row);
  terminal.row(rowCells(row, terminal.color), rowWidths);
}

/** Damage has no type: it is told whatever types are asked for. */
type Passes = (event: { readonly stream: string; readonly type?: string }) => boolean;

function filterOf(options: Options, only: string | undefined): Passes {
  const types = listOption(options, 'type');
  const notTypes = listOption(options, 'notType');
  const machines = listOption(options, 'machine');
  const match = patternOption(options, 'match');
  return ({ stream, type }) =>
    (only === undefined || stream === only) &&
    (!type || types.length === 0 || types.includes(type)) &&
    (!type || !notTypes.includes(type)) &&
    (machines.length === 0 || machines.includes(stream.split('-', 1)[0]!)) &&
    (!match || match.test(stream));
}

async function lastRevision(log: EventLog, stream: string): Promise<Revision> {
  const head = await log.head(stream);
  return 'revision' in head ? head.revision : -1;
}

/** Effects that were begun so many events before are called by their names. */
const eventsLearned = 200;

async function lastOfStream(
  log: EventLog,
  stream: string,
  { last, count, names }: { readonly last: Revision; readonly count: number; readonly names: EffectNames },
): Promise<readonly Row[]> {
  const head = await log.head(stream);
  const first = head.state === 'truncated' ? head.before : 0;
  await learnFrom(names, log, stream, {
    from: Math.max(first, last - count - eventsLearned),
    limit: count + eventsLearned,
  });
  if (count === 0 || last < 0) return [];
  const from = Math.max(first, last - count + 1);
  return (await rowsView(log, stream, { from, limit: count, sourceOf: names.in(stream) })).rows;
}

interface Wanted {
  readonly count: number;
  readonly until: Position | undefined;
  readonly passes: Passes;
  readonly names: EffectNames;
  readonly signal: AbortSignal;
}

async function lastOfLog(log: EventLog, { count, until, passes, names, signal }: Wanted): Promise<readonly Row[]> {
  if (count === 0 || until === undefined) return [];
  const last: Row[] = [];
  let read = 0;
  for await (const item of history(log, { signal, onDamage: 'skip' })) {
    if (item.type === 'damaged' && passes(item.error)) last.push(damagedRow(item.error));
    if (last.length > 2 * count) last.splice(0, count);
    if (item.type !== 'event') continue;
    // Signals are heard between turns.
    if (++read % eventsPerTurn === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    const { event } = item;
    names.learn(event);
    if (passes(event)) last.push(rowOf(event, names.in(event.stream)));
    if (event.position === until) break;
  }
  return last.slice(-count);
}
