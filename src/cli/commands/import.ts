/** `rewake import`: an exported file becomes a log. */
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import type { CommandSpec } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { exportItems, type ExportItem } from '../../replay/export-format.ts';
import { isExport } from '../open-log.ts';
import { planned, taken } from '../take-in.ts';
import { counted, type Io } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

export const importCommand: CommandSpec = {
  name: 'import',
  group: 'change',
  about: 'Take an exported file into a log',
  detail:
    'Streams keep their ids, revisions, metadata and actors; what the log has already is left as it is, so a stopped import can be ' +
    'repeated. A stream that is there with other content is refused, and then nothing is written.',
  arguments: [
    { name: 'into', about: 'the log it goes to, new or not; that of the config when omitted', optional: true },
  ],
  options: [{ flags: '--masked', about: 'also a file without payloads: its actors can be looked at, and not go on' }],
  examples: [
    ['import app.jsonl restored.db --dry-run', 'what is in it, and what of it is there already'],
    ['import app.jsonl restored.db --yes', 'into a new log, or an existing one'],
    ['export app.db order-42 | rewake import - copy.db --yes', 'from one log to another'],
  ],
  writes: true,
  async run(context, args, options) {
    const { terminal, io } = context;
    await using source = await sourceOf(context);
    const place = (args['into'] as string | undefined) ?? (await context.config()).log;
    if (place === undefined)
      throw new UsageError("import: <into> is missing. Name the log, as in 'rewake import app.jsonl restored.db'.");
    const { name: file } = source;
    const items = () => itemsOf(source);
    const plan = await planned(items, place, io);
    if (plan.payloads !== 'full' && !options['masked']) {
      throw new UsageError(
        `'${file}' was exported with --payloads ${plan.payloads}: its actors can be looked at, and not go on. Nothing was written. ` +
          `Every command that reads takes the file itself, as in 'rewake ls ${file}'; or say --masked.`,
      );
    }
    const missing = plan.events - plan.present;
    const about = { file, into: place, streams: plan.streams, events: plan.events, present: plan.present };
    if (options['dryRun']) {
      terminal.record('import', { ...about, dryRun: true });
      return terminal.line(
        `Would import ${counted(missing, 'event')} of ${counted(plan.missing, 'stream')} into ${place}; ${counted(plan.present, 'event')} ${plan.present === 1 ? 'is' : 'are'} there already.`,
      );
    }
    if (missing === 0) {
      terminal.record('import', { ...about, written: 0 });
      return terminal.note(
        `${plan.events === 1 ? 'The one event' : `All ${plan.events} events`} of the file ${plan.events === 1 ? 'is' : 'are'} in ${place} already. Nothing was written.`,
      );
    }
    if (
      !(await terminal.confirm(
        `Import ${counted(missing, 'event')} of ${counted(plan.missing, 'stream')} into ${place}?`,
      ))
    ) {
      terminal.note('Nothing was written.');
      return exitCodes.failure;
    }
    const written = await taken(items, place, plan, context);
    terminal.record('import', { ...about, written });
    terminal.line(`Imported ${counted(written, 'event')} of ${counted(plan.missing, 'stream')} into ${place}.`);
  },
};

/** What is imported, as often as it has to be read. */
interface Source extends AsyncDisposable {
  /** For messages. */
  readonly name: string;
  readonly path: string;
}

/** The file comes where other commands have the log. */
async function sourceOf(context: CommandContext): Promise<Source> {
  const place = await context.logPlace();
  if (place === '-') return spooled(context.io);
  const path = resolve(context.io.cwd, place);
  if (!existsSync(path)) throw new UsageError(`There is no file '${path}'. Name one that 'rewake export' has written.`);
  if (await isExport(path)) return { name: path, path, async [Symbol.asyncDispose]() {} };
  throw new UsageError(`'${path}' is no exported file. 'rewake export' writes one.`);
}

/** What is on stdin comes once, and is kept in a file until it has been read twice. */
async function spooled({ stdin, signal }: Pick<Io, 'stdin' | 'signal'>): Promise<Source> {
  const folder = await mkdtemp(join(tmpdir(), 'rewake-import-'));
  const path = join(folder, 'stdin.jsonl');
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await pipeline(stdin, createWriteStream(path, { mode: 0o600 }), { signal });
  } catch (error) {
    await remove();
    signal.throwIfAborted();
    throw error;
  }
  return { name: 'stdin', path, [Symbol.asyncDispose]: remove };
}

function itemsOf({ path, name }: Source): AsyncGenerator<ExportItem, undefined> {
  return exportItems(createInterface({ input: createReadStream(path), crlfDelay: Infinity }), name);
}
