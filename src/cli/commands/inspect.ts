/** `rewake inspect`: the inspector's page of a log. */
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import type { PayloadMode } from '../../replay/mask.ts';
import { commandIn, inCommands } from '../advice.ts';
import type { CommandSpec } from '../command.ts';
import { commandLine } from '../command-line.ts';
import { requireStream } from '../looking.ts';
import { numberOption, textOption, wholeNumber } from '../options.ts';
import { UsageError } from '../usage-error.ts';

const portMax = 65_535;
const modes: readonly PayloadMode[] = ['full', 'masked', 'none'];

export const inspect: CommandSpec = {
  name: 'inspect',
  group: 'look',
  about: 'Look at a log in the browser',
  detail:
    'The page is served on 127.0.0.1, to whoever has the URL that is printed. Nothing is written to the log, unless --allow-write lets the page fork.',
  arguments: [],
  options: [
    { flags: '-p, --port <port>', about: 'listen there; any free port when omitted' },
    { flags: '--stream <stream>', about: 'open this stream' },
    { flags: '--at <revision>', about: 'with --stream: at this revision' },
    { flags: '--payloads <mode>', about: 'show payloads in full, masked, or none', choices: modes, default: 'full' },
    { flags: '--allow-write', about: 'let the page fork actors' },
    { flags: '--no-open', about: 'only print the URL' },
  ],
  examples: [
    ['inspect app.db', 'look at it'],
    ['inspect app.db --stream order-42 --at 17', 'at one moment of one actor'],
    ['inspect export.jsonl --payloads masked', 'an exported file, values hidden'],
  ],
  async run(context, _args, options) {
    const { terminal, signal } = context;
    const at = numberOption(options, 'at', { least: 0 });
    const stream = textOption(options, 'stream');
    if (at !== undefined && stream === undefined)
      throw new UsageError('--at says where in a stream: give --stream, too.');
    const port = wholeNumber(String(options.port ?? 0), '--port');
    if (port > portMax) throw new UsageError(`--port: expected a port from 0 to ${portMax}, found ${port}.`);
    const log = await context.log(options.allowWrite ? 'write' : 'read');
    if (stream !== undefined) await requireStream(log, stream);
    const { machines, upcasters } = await context.config();
    const { startInspector } = await import('../../inspect/server.ts');
    const inspector = await startInspector({
      ...{ log, port, payloads: options.payloads as PayloadMode, allowWrite: options.allowWrite === true },
      advise: (advice) => {
        const words = commandIn(advice);
        return { text: inCommands(advice), command: words ? commandLine(words, context.logGiven) : null };
      },
      isFile: log.name.startsWith('exported file'),
      ...(machines && { machines }),
      ...(upcasters && { upcasters }),
    });
    try {
      const place =
        stream === undefined ? '' : `#/streams/${encodeURIComponent(stream)}${at === undefined ? '' : `@${at}`}`;
      const url = `${inspector.url}${place}`;
      terminal.record('inspector', { url });
      terminal.line(url);
      terminal.flush();
      terminal.note(`The inspector of ${log.name} runs until you press Ctrl-C.`);
      if (options.open !== false && terminal.isInteractive) openBrowser(url);
      if (!signal.aborted) await once(signal, 'abort');
    } finally {
      await inspector.close();
    }
  },
};

/** Where there is no browser, the URL is printed all the same. */
function openBrowser(url: string): void {
  const [command, ...words] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['cmd', '/c', 'start', ''] : ['xdg-open'];
  spawn(command!, [...words, url], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}
