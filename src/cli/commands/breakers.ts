/** `rewake breakers`: how the circuit breakers stand. */
import { breakerStatus, type BreakerReport } from '../../../projections/breaker-status.ts';
import { realClock } from '../../clock.ts';
import type { CommandSpec } from '../command.ts';
import { projected } from '../projected.ts';
import { shown, type Painter } from '../terminal.ts';
import { fromNow } from '../words.ts';

export const breakers: CommandSpec = {
  name: 'breakers',
  group: 'look',
  about: 'List the circuit breakers, how each stands and why',
  arguments: [],
  options: [{ flags: '--open', about: 'only those that are not closed' }],
  examples: [
    ['breakers app.db', 'all of them'],
    ['breakers app.db --open', 'those that let no call through, or few'],
  ],
  async run(context, _args, options) {
    const { terminal } = context;
    const { color } = terminal;
    const { result, code } = await projected(context, breakerStatus);
    const found = result.filter(({ state }) => !options['open'] || (state !== 'closed' && state !== 'unknown'));
    for (const breaker of found) terminal.record('breaker', breaker);
    if (found.length === 0) terminal.note(options['open'] ? 'No breaker is open.' : 'There is no breaker on the log.');
    terminal.table(
      ['BREAKER', 'STATE', 'SINCE', 'OPENED', 'REJECTED', 'LAST FAILURE'],
      found.map((breaker) => cellsOf(breaker, color)),
    );
    return code;
  },
};

const signs = {
  closed: ['green', '✓ closed'],
  open: ['red', '✗ open'],
  halfOpen: ['yellow', '◐ half-open'],
  isolated: ['red', '■ isolated'],
  disabled: ['yellow', '○ disabled'],
  metricsOnly: ['yellow', '○ metrics only'],
  unknown: ['dim', '? unknown'],
} as const;

function cellsOf(
  { key, state, since, openUntil, opened, rejected, lastFailure }: BreakerReport,
  color: Painter,
): string[] {
  const [paint, sign] = signs[state];
  const probed = openUntil !== null && openUntil > realClock.now() ? fromNow(openUntil) : 'now';
  const until = openUntil === null ? '' : color.dim(`, may be probed ${probed}`);
  return [
    color.bold(shown(key)),
    color[paint](sign),
    `${since === null ? '' : fromNow(since)}${until}`,
    String(opened).padStart(6),
    String(rejected).padStart(8),
    shown(failureText(lastFailure)),
  ];
}

function failureText(failure: unknown): string {
  if (failure === null || failure === undefined) return '';
  const { message } = failure as { readonly message?: unknown };
  return typeof message === 'string' ? message : (JSON.stringify(failure) ?? '');
}
