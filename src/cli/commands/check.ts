/** `rewake check`: whether every actor would go on with the machines at hand. */
import { replayAll } from '../../testing/replay-all/replay-all.ts';
import { inCommands } from '../advice.ts';
import type { CommandSpec } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { readingOptions } from '../looking.ts';
import { textOption } from '../options.ts';
import { shown } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

export const check: CommandSpec = {
  name: 'check',
  group: 'check',
  about: 'Say which actors these machines would block: the gate before a deploy',
  detail:
    'Folds the history of every actor that is active through the machines of rewake.config.ts, as a host would, and runs nothing ' +
    'of it. The log may be in use. The exit code is 4 where an actor would be blocked.',
  arguments: [],
  options: [
    { flags: '-a, --all', about: 'actors that have ended, too' },
    { flags: '-m, --machine <name>', about: 'only actors of this machine' },
  ],
  examples: [
    ['check prod.db', 'with the machines of the nearest rewake.config.ts'],
    ['check prod.db --config next/rewake.config.ts && ./deploy.sh', 'deploy only what blocks nobody'],
  ],
  async run(context, _args, options) {
    const { terminal, signal } = context;
    const log = await context.log('read');
    const { machines, upcasters } = await readingOptions(context);
    if (!machines) {
      const file = await context.configFile();
      throw new UsageError(
        file === undefined
          ? 'check: there is no rewake.config.ts here or above. Write one that exports the machines, or name one with --config.'
          : `check: '${file}' has no 'machines'. Add those that are to be deployed.`,
      );
    }
    const machine = textOption(options, 'machine');
    const summary = await replayAll(log, machines, {
      ...{ signal, streams: options['all'] ? 'all' : 'live' },
      ...(machine !== undefined && { machine }),
      ...(upcasters && { upcasters }),
      onProgress: ({ streams, events, blocked, stream }) =>
        terminal.progress(`${streams} streams, ${events} events, ${blocked} would be blocked; ${shown(stream)}`),
    });
    const { ok, streams, events, verdicts, problems, unlisted } = summary;
    for (const { first, ...problem } of problems) {
      const { stream, revision } = first;
      terminal.record('problem', { ...problem, first: { stream, revision: revision ?? null } });
    }
    terminal.record('checked', { ok, streams, events, verdicts, unlisted });
    const [heading, ...rest] = String(summary).split('\n');
    const { color } = terminal;
    terminal.line(`${ok ? color.green('✓') : color.red('✗')} ${shown(heading!)}`);
    for (const line of rest) terminal.line(`  ${shown(inCommands(line))}`);
    return ok ? exitCodes.ok : exitCodes.found;
  },
};
