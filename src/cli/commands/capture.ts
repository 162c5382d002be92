/** `rewake capture`: a story as a test. */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { CommandSpec } from '../command.ts';
import { requireStream } from '../looking.ts';
import { listOption, numberOption, textOption } from '../options.ts';
import { idsIn } from '../../replay/addresses.ts';
import type { Story } from '../../testing/story.ts';
import { shown } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

const expectations = ['recorded', 'success'] as const;

export const capture: CommandSpec = {
  name: 'capture',
  group: 'explain',
  about: 'Take the story of an actor home as a test',
  detail:
    'The test plays what happened again by your machines: effects answer as they did, time passes as it did. Of an actor that failed it ' +
    'fails, for the same reason, until that is mended; of any other it says that the story ends as it did. It runs under vitest, and needs fast-check beside it.',
  arguments: [{ name: 'stream', about: 'the actor, such as order-42' }],
  options: [
    { flags: '-o, --output <file>', about: 'write the test there; to stdout when omitted' },
    { flags: '--machines <module>', about: 'the module that exports the machines; rewake.config.ts when omitted' },
    { flags: '--name <name>', about: 'with --machines: the name it exports them under', default: 'machines' },
    {
      flags: '--live <src...>',
      about: 'effects that the test runs for real, by src or by the id of an actor they are in',
    },
    { flags: '--expect <end>', about: 'the end as recorded, or success', choices: expectations },
    { flags: '--at <revision>', about: 'the story up to there' },
    { flags: '--force', about: 'write over a file that is there' },
  ],
  examples: [
    ['capture app.db receipt-44 > receipt-44.test.ts', 'a test that fails until its cause is mended'],
    ['capture app.db receipt-44 --live parse -o receipt-44.test.ts', "the parser's own code is run again"],
  ],
  async run(context, args, options) {
    const { terminal, io } = context;
    const output = textOption(options, 'output');
    const file = output === undefined ? undefined : resolve(io.cwd, output);
    if (file !== undefined && existsSync(file) && options['force'] !== true) {
      throw new UsageError(`There is a file '${output}' already. Nothing was written. Give --force to write over it.`);
    }
    const log = await context.log('read');
    const stream = args['stream'] as string;
    await requireStream(log, stream);
    const at = numberOption(options, 'at', { least: 0 });
    const live = listOption(options, 'live');
    const expect = textOption(options, 'expect') as (typeof expectations)[number] | undefined;
    const { captureTest, storyOf } = await import('../../testing/capture.ts');
    const text = await captureTest(log, stream, {
      machines: await machinesFrom(
        context,
        textOption(options, 'machines'),
        options,
        file ?? resolve(io.cwd, 'a.test.ts'),
      ),
      live,
      ...(expect !== undefined && { expect }),
      ...(at !== undefined && { at }),
    });
    terminal.record('capture', { file: file ?? null, text });
    if (!terminal.isJson && file === undefined) terminal.raw(text);
    if (!terminal.isJson && file !== undefined) writeFileSync(file, text);
    const { sources } = await storyOf(log, stream, at);
    for (const name of live) if (!isIn(sources, name)) terminal.note(unknownLive(name, sources));
    if (options['machines'] === undefined && (await context.configFile()) === undefined) {
      terminal.note(
        'There is no rewake.config.ts here or above, and the test imports the machines from one: write it, or name with --machines the module that exports them.',
      );
    }
    if (terminal.isJson || file === undefined) return;
    terminal.note(`Written: ${output}. Run it with 'npx vitest run ${output}'; it needs vitest and fast-check.`);
  },
};

/** Whether an effect was begun that is called so, or is in an actor with that id. */
function isIn(sources: Story['sources'], name: string): boolean {
  return Object.entries(sources).some(([address, src]) => src === name || idsIn(address).includes(name));
}

/** No error: a test may name an effect that only the mended machine has. */
function unknownLive(name: string, sources: Story['sources']): string {
  const names = [...new Set(Object.values(sources))].map((src) => `'${shown(src)}'`);
  const known = names.length === 0 ? 'it ran no effect' : `it ran ${names.join(', ')}`;
  return `--live: no effect of the story is called '${shown(name)}' or is in an actor with that id: ${known}.`;
}

/** Where the test finds the machines, from the place it is written to. */
async function machinesFrom(
  context: Parameters<CommandSpec['run']>[0],
  given: string | undefined,
  options: Parameters<CommandSpec['run']>[2],
  file: string,
): Promise<{ readonly from: string; readonly name?: string }> {
  const pathTo = (target: string) => {
    const path = relative(dirname(file), target).replaceAll('\\', '/');
    return path.startsWith('.') ? path : `./${path}`;
  };
  if (given !== undefined) return { from: pathTo(resolve(context.io.cwd, given)), name: String(options['name']) };
  const config = await context.configFile();
  return { from: config === undefined ? './rewake.config.ts' : pathTo(config) };
}
