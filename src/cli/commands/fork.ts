/** `rewake fork`: another past, as an actor of its own. */
import { forkEdit } from '../../replay/past-edits.ts';
import { whatIf } from '../../replay/what-if.ts';
import { changeActor, changeOptions, requireActor, requireMachine } from '../change.ts';
import type { CommandSpec, Options } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { editsOf } from '../edit-file.ts';
import { jsonFile } from '../json-argument.ts';
import { listOption, textOption, wholeNumber } from '../options.ts';
import { UsageError } from '../usage-error.ts';
import { stubsOf, tellWhatIf } from '../what-if-text.ts';

export const fork: CommandSpec = {
  name: 'fork',
  group: 'change',
  about: 'Copy the past of an actor, changed or not, to an actor of its own',
  detail:
    'The original is left as it is. Effects that had no outcome are lost ones of the copy: the next host runs them. With --what-if ' +
    'nothing is written: the past that was, and the one that would have been, are shown beside each other.',
  arguments: [{ name: 'stream', about: 'the original, such as order-42' }],
  options: [
    { flags: '--at <revision>', about: 'the last revision that is copied; the last one of all when omitted' },
    { flags: '--id <id>', about: 'of the copy' },
    { flags: '--edit <file>', about: 'JSON: what is left out of the past, or replaced in it' },
    { flags: '--what-if', about: 'only in memory: also put events in, or move them' },
    { flags: '--stub <src=json...>', about: 'with --what-if: what an effect gives that the log has no answer for' },
    { flags: '--quiet', about: 'with --what-if: go on until nothing moves any more, timers fired' },
    ...changeOptions,
  ],
  examples: [
    ['fork app.db order-42 --at 17 --id 42-again', 'a copy that goes on from revision 17'],
    ['fork app.db order-42 --id 42-free --edit coupon.json', 'with another past'],
    ['fork app.db order-42 --what-if --edit coupon.json', 'what would have been, and nothing is written'],
  ],
  writes: true,
  async run(context, args, options) {
    const stream = args['stream'] as string;
    if (options['whatIf']) return showWhatIf(context, stream, options);
    const id = textOption(options, 'id');
    if (id === undefined)
      throw new UsageError(
        "fork: --id is missing. The copy is an actor of its own: give it an id, as in '--id 42-again'.",
      );
    const at = await revisionOf(context, stream, options);
    const edits = await editsFrom(context, options);
    return changeActor(context, options, {
      stream,
      question: `Copy ${stream} up to revision ${at} to the id ${id}?`,
      nothing: `This copy is there already. Nothing was written.`,
      async work(runtime) {
        const log = await context.log('read');
        const edit = edits.length > 0 ? { edit: await forkEdit(log, stream, at, edits) } : {};
        return runtime.fork(stream, { at, id, ...edit });
      },
    });
  },
};

async function showWhatIf(context: CommandContext, stream: string, options: Options): Promise<void> {
  for (const name of ['id', 'at', 'dryRun']) {
    if (options[name] !== undefined)
      throw new UsageError('--what-if writes no copy: leave --id, --at and --dry-run out, or --what-if.');
  }
  const log = await context.log('read');
  await requireActor(log, stream);
  await requireMachine(context, stream);
  const { machines = {}, upcasters } = await context.config();
  const answer = await whatIf(log, stream, {
    edits: await editsFrom(context, options),
    stubs: stubsOf(listOption(options, 'stub')),
    until: options['quiet'] ? 'quiet' : 'end',
    machines,
    ...(upcasters && { upcasters }),
  });
  tellWhatIf(context.terminal, answer);
}

async function revisionOf(context: CommandContext, stream: string, options: Options): Promise<number> {
  const given = textOption(options, 'at');
  if (given !== undefined) return wholeNumber(given, '--at');
  const head = await (await context.log('read')).head(stream);
  return 'revision' in head ? head.revision : 0;
}

async function editsFrom(context: CommandContext, options: Options) {
  const file = textOption(options, 'edit');
  return file === undefined ? [] : editsOf(await jsonFile(file, '--edit', context.io), file);
}
