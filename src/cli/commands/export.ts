/** `rewake export`: a log as JSON Lines. */
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import type { EventLog } from '../../log/event-log.ts';
import type { PayloadMode } from '../../replay/mask.ts';
import type { CommandSpec } from '../command.ts';
import { exportLines } from '../../replay/export-format.ts';
import { requireStream } from '../looking.ts';
import { textOption } from '../options.ts';
import type { Output } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** Characters that are written at once. */
const chunkSize = 2 ** 16;

export const exportCommand: CommandSpec = {
  name: 'export',
  group: 'look',
  about: 'Write a log as JSON Lines, to be looked at elsewhere or imported',
  detail:
    'Every command that reads takes the file in the place of a log. With --payloads masked what actors were told and gave is hidden: ' +
    'texts, numbers and booleans, but not keys, types of events, states and times.',
  arguments: [{ name: 'stream', about: 'only these; the whole log when omitted', optional: true, many: true }],
  options: [
    { flags: '-o, --output <file>', about: 'instead of stdout' },
    { flags: '--payloads <how>', about: 'full, masked or none', choices: ['full', 'masked', 'none'], default: 'full' },
    { flags: '--force', about: 'write over a file that is there' },
  ],
  examples: [
    ['export app.db -o app.jsonl', 'all of it'],
    ['export app.db order-42 --payloads masked -o order-42.jsonl', 'for somebody who may not see what is in it'],
    ['export app.db | gzip > app.jsonl.gz', 'into a pipe'],
  ],
  async run(context, args, options) {
    const { terminal, io, signal } = context;
    const log = await context.log('read');
    const streams = await wanted(log, args['stream'] as readonly string[] | undefined);
    const lines = exportLines(log, {
      ...(streams && { streams }),
      payloads: options['payloads'] as PayloadMode,
      signal,
      onProgress: (count) => terminal.progress(`${count} events`),
    });
    const given = textOption(options, 'output');
    if (given === undefined) return writeLines(lines, io.stdout);
    const file = resolve(io.cwd, given);
    if (existsSync(file) && !options['force']) {
      throw new UsageError(`--output: '${file}' is there already. Nothing was written. Say --force to write over it.`);
    }
    await writeFileWhole(file, lines);
    terminal.note(`Exported ${log.name} to '${file}'.`);
  },
};

/** @throws NotFoundError */
async function wanted(log: EventLog, names: readonly string[] | undefined): Promise<ReadonlySet<string> | undefined> {
  if (!names || names.length === 0) return undefined;
  for (const name of names) await requireStream(log, name);
  return new Set(names);
}

/** Under its name the file is whole, or not there. */
async function writeFileWhole(file: string, lines: AsyncIterable<string>): Promise<void> {
  const part = `${file}.part`;
  const out = createWriteStream(part);
  try {
    await writeLines(lines, out);
    out.end();
    await finished(out);
    await rename(part, file);
  } catch (error) {
    out.destroy();
    await rm(part, { force: true });
    throw error;
  }
}

/** No faster than they are taken. */
async function writeLines(lines: AsyncIterable<string>, out: Output): Promise<void> {
  let chunk = '';
  const write = async () => {
    const isTaken = out.write(chunk);
    chunk = '';
    if (isTaken === false) await once(out as NodeJS.WritableStream, 'drain');
  };
  for await (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length > chunkSize) await write();
  }
  await write();
}
