/** `rewake metrics`: how well steps and tools recover. */
import { recoveryMetrics, type Recovery } from '../../../projections/recovery-metrics.ts';
import type { CommandSpec } from '../command.ts';
import { requireStream } from '../looking.ts';
import { projected } from '../projected.ts';
import { shown, type Painter } from '../terminal.ts';
import { span } from '../words.ts';

export const metrics: CommandSpec = {
  name: 'metrics',
  group: 'look',
  about: 'Count how often steps and tools fail, retry and recover',
  detail:
    'RATE is the share of the runs that ended which succeeded; RECOVERED those that did although something had failed in them.',
  arguments: [{ name: 'stream', about: 'only this one; the whole log when omitted', optional: true }],
  options: [],
  examples: [
    ['metrics app.db', 'of the whole log'],
    ['metrics app.db --json', 'for programs'],
  ],
  async run(context, args) {
    const { terminal } = context;
    const { color } = terminal;
    const stream = args['stream'] as string | undefined;
    if (stream !== undefined) await requireStream(await context.log('read'), stream);
    const { result, code } = await projected(context, recoveryMetrics, stream);
    for (const step of result.steps) terminal.record('step', step);
    for (const tool of result.tools) terminal.record('tool', tool);
    const table = (heading: string, rows: readonly (readonly [name: string, recovery: Recovery])[]) =>
      terminal.table(
        [heading, ...headings],
        rows.map(([name, recovery]) => [color.bold(shown(name)), ...cellsOf(recovery, color)]),
      );
    table(
      'STEP',
      result.steps.map((recovery) => [recovery.step, recovery]),
    );
    if (result.steps.length > 0 && result.tools.length > 0) terminal.line();
    table(
      'TOOL',
      result.tools.map((recovery) => [recovery.tool, recovery]),
    );
    if (result.steps.length === 0 && result.tools.length === 0)
      terminal.note('No step has told of a failure, a retry or a result yet.');
    return code;
  },
};

const headings = ['RUNS', 'OK', 'FAILED', 'RATE', 'RETRIED', 'FALLBACK', 'RECOVERED'];

function cellsOf(recovery: Recovery, { green, red, dim }: Painter): string[] {
  const { runs, succeeded, failed, retried, fallbacks, recovered, successRate, averageRecoveryMs } = recovery;
  const count = (n: number, width: number, paint = (text: string) => text) =>
    n === 0 ? dim('0'.padStart(width)) : paint(String(n).padStart(width));
  const ended = succeeded + failed;
  return [
    count(runs, 4),
    count(succeeded, 2, green),
    count(failed, 6, red),
    ended === 0 ? '' : `${Math.round(successRate * 100)}%`.padStart(4),
    count(retried, 7),
    count(fallbacks, 8),
    `${count(recovered, 9)}${averageRecoveryMs === null ? '' : dim(`, in ${span(averageRecoveryMs)}`)}`,
  ];
}
