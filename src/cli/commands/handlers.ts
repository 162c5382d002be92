/** `rewake handlers`: which error handlers ran, and what came of it. */
import { handlerHistory, type HandlerRun } from '../../../projections/handler-history.ts';
import type { CommandSpec } from '../command.ts';
import { requireStream } from '../looking.ts';
import { projected } from '../projected.ts';
import { shown, type Painter } from '../terminal.ts';
import { span, timeText } from '../words.ts';

export const handlers: CommandSpec = {
  name: 'handlers',
  group: 'explain',
  about: 'List the error handlers that ran for an actor',
  arguments: [{ name: 'stream', about: 'the actor; the whole log when omitted', optional: true }],
  options: [],
  examples: [
    ['handlers app.db order-42', 'which handler ran for which error'],
    ['handlers app.db --json', 'those of all actors'],
  ],
  async run(context, args) {
    const { terminal } = context;
    const stream = args['stream'] as string | undefined;
    if (stream !== undefined) await requireStream(await context.log('read'), stream);
    const { result, code } = await projected(context, handlerHistory, stream);
    const { runs, rewinds } = result;
    for (const run of runs) terminal.record('handler', run);
    for (const rewind of rewinds) terminal.record('rewind', rewind);
    if (runs.length === 0) terminal.note('No handler has run.');
    const { color } = terminal;
    const withStream = stream === undefined;
    terminal.table(
      [...(withStream ? ['STREAM'] : []), 'REV', 'TIME (UTC)', 'OF', 'ERROR', 'HANDLER', 'OUTCOME'],
      runs.map((run) => [...(withStream ? [color.bold(shown(run.stream))] : []), ...cellsOf(run, color)]),
    );
    for (const { stream: of, revision, to } of rewinds) {
      terminal.line(color.dim(`${shown(of)} was set back to revision ${to} at revision ${revision}.`));
    }
    return code;
  },
};

function cellsOf(run: HandlerRun, color: Painter): string[] {
  const { revision, startedAt, scope, subject, error, handler, attempt } = run;
  const again = attempt > 1 ? color.dim(` (${attempt}.)`) : '';
  return [
    String(revision).padStart(3),
    color.dim(timeText(startedAt)),
    `${shown(scope)} ${shown(subject)}`,
    shown(error.name),
    handler === null ? color.dim('none') : `${shown(handler)}${again}`,
    outcomeText(run, color),
  ];
}

function outcomeText({ outcome, action, startedAt, endedAt, rewound }: HandlerRun, color: Painter): string {
  const { green, red, yellow, blue, dim } = color;
  const paint = { completed: green, failed: red, escalated: yellow, running: blue, cutOff: yellow }[outcome];
  const word = { completed: '✓ completed', failed: '✗ failed', escalated: '↑ escalated', running: '● running' };
  const said = outcome === 'cutOff' ? '■ cut off' : word[outcome];
  const took = endedAt === null || endedAt === startedAt ? '' : dim(` in ${span(endedAt - startedAt)}`);
  return `${paint(said)}${action === null ? '' : `: ${shown(action)}`}${took}${rewound ? dim(', taken back') : ''}`;
}
