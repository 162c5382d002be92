/**
 * `rewake run`: a host for the machines of the config.
 *
 * RN1  The first signal lets running effects end for a while, the second one ends the process at once: see main.ts.
 * RN2  What was not finished goes on with the next host, whichever way this one ends.
 */
import { once } from 'node:events';
import { hostname } from 'node:os';
import { toMs } from '../../clock.ts';
import type { RuntimeClosedError } from '../../errors.ts';
import type { ListedActor } from '../../runtime/runtime-options.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { CommandSpec } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { openHealth, type Health } from '../health.ts';
import { openRuntime } from '../open-runtime.ts';
import { numberOption, textOption } from '../options.ts';
import { shown } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { statusText, waitText } from '../words.ts';

/** How many actors people are told of by name. */
const namedMax = 20;

export const run: CommandSpec = {
  name: 'run',
  group: 'serve',
  about: 'Host the machines of rewake.config.ts until it is told to end',
  detail:
    'Every unfinished actor of the log is taken up, and onStart of the config is called. SIGINT or SIGTERM ends it in order: ' +
    'running effects may end for as long as --drain says, and what is left goes on with the next host. The second signal ends it at once.',
  arguments: [],
  options: [
    {
      flags: '--drain <duration>',
      about: "how long running effects may go on when it is to end, such as '30s'",
      default: '10s',
    },
    { flags: '--health <port>', about: 'answer /livez and /readyz on 127.0.0.1; 0 takes any port' },
  ],
  examples: [
    ['run', 'on the log that the config names'],
    ['run app.db --drain 1m', 'on another log, with more patience at the end'],
    ['run --health 8081 --json', 'under a supervisor'],
  ],
  async run(context, _args, options) {
    const drainMs = toMs(textOption(options, 'drain')!);
    const port = numberOption(options, 'health', { least: 0 });
    const { machines = {} } = await context.config();
    if (Object.keys(machines).length === 0) {
      const file = await context.configFile();
      throw new UsageError(
        `run: there is no machine to host: ${file === undefined ? 'there is no rewake.config.ts here or above' : `'${file}' names none`}. Export 'defineConfig({ machines: { … } })' from it.`,
      );
    }
    await using health = port === undefined ? undefined : await openHealth(port);
    return await host(context, health, drainMs);
  },
};

async function host(context: CommandContext, health: Health | undefined, drainMs: number): Promise<number> {
  const { terminal, signal } = context;
  const log = await context.log('create');
  let onLost: (error: RuntimeClosedError) => void;
  const lost = new Promise<RuntimeClosedError>((resolve) => (onLost = resolve));
  const runtime = await openRuntime(context, { log }, { onLost: (error) => onLost(error) });
  try {
    const { machines = {}, onStart } = await context.config();
    const names = Object.keys(machines);
    const name = `${hostname()}/${process.pid}`;
    terminal.record('host', { state: 'up', host: name, log: log.name, machines: names, health: health?.port ?? null });
    terminal.line(`Host ${name} on ${log.name}; machines: ${names.join(', ')}.`);
    if (health) terminal.line(`Health: http://127.0.0.1:${health.port}/livez and /readyz`);
    await onStart?.(runtime);
    await tellActors(context, runtime);
    if (health) health.isReady = true;
    terminal.flush();
    const ended = signal.aborted ? undefined : await Promise.race([once(signal, 'abort').then(() => undefined), lost]);
    if (health) health.isReady = false;
    if (ended) {
      terminal.note(ended.message);
      return exitCodes.conflict;
    }
    terminal.record('host', { state: 'closing', host: name, drainMs });
    terminal.line(`Closing: running effects have ${drainMs} ms to end. Once more ends at once.`);
    terminal.flush();
  } finally {
    await runtime.close({ drain: drainMs });
  }
  terminal.record('host', { state: 'closed' });
  terminal.line('Closed. What was not finished goes on with the next host.');
  return exitCodes.ok;
}

/** Who runs now, and who cannot. */
async function tellActors({ terminal }: CommandContext, runtime: Runtime): Promise<void> {
  const { color } = terminal;
  const named: string[][] = [];
  const counts = { active: 0, blocked: 0 };
  for (const status of ['active', 'blocked'] as const) {
    for await (const actor of runtime.list({ status })) {
      counts[status]++;
      const reason = actor.reason === undefined ? undefined : String((actor.reason as Error).message ?? actor.reason);
      terminal.record('actor', { ...actor, ...(reason !== undefined && { reason }) });
      if (named.length < namedMax)
        named.push([
          color.bold(shown(actor.stream)),
          standing(actor, terminal),
          String(actor.revision),
          reason === undefined ? waitText(actor) : shown(reason),
        ]);
    }
  }
  terminal.table(['STREAM', 'STATUS', 'REV', 'WAITS'], named);
  const more = counts.active + counts.blocked - named.length;
  if (more > 0) terminal.line(`… and ${more} more.`);
  terminal.record('host', { state: 'ready', ...counts });
  terminal.line(`Ready: ${counts.active} active, ${counts.blocked} blocked. Ctrl+C ends it.`);
}

function standing({ status }: ListedActor, { color }: CommandContext['terminal']): string {
  return status === 'blocked' ? color.red('✗ blocked') : statusText(status, color);
}
