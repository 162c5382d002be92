/**
 * How a command gets at a stream to look at it. Owns the replay that it opens, whose code it is made of, and what is said of a
 * stream that is not there.
 *
 * LK1  A machine whose code is not at hand is no error: its stream is looked at as the log tells it.
 */
import { DamagedRecordError, NotFoundError, StreamDeletedError } from '../errors.ts';
import type { EventLog, Revision } from '../log/event-log.ts';
import type { Upcasters } from '../log/upcast.ts';
import { openReplay } from '../replay/open-replay.ts';
import type { Replay } from '../replay/replay.ts';
import type { Machines } from '../runtime/machines.ts';
import type { Options, OptionSpec } from './command.ts';
import type { CommandContext } from './context.ts';
import { nearestTo } from './nearest.ts';
import { numberOption } from './options.ts';
import { shown } from './terminal.ts';

/** Of every command that shows states. */
export const sourceOption: OptionSpec = {
  flags: '--source <source>',
  about: "'code' makes states by the machines of the config, 'log' by what was recorded; 'code' where there is some",
  choices: ['code', 'log'],
};

/** What the config says of reading; nothing where there is none. @throws ConfigError */
export async function readingOptions(
  context: CommandContext,
): Promise<{ readonly machines?: Machines; readonly upcasters?: Upcasters }> {
  const { machines, upcasters } = await context.config();
  return { ...(machines && { machines }), ...(upcasters && { upcasters }) };
}

/** @throws NotFoundError that names streams called alike | StreamDeletedError | ConfigError */
export async function openStream(context: CommandContext, stream: string, options: Options): Promise<Replay> {
  const log = await context.log('read');
  await requireStream(log, stream);
  if (options['source'] === 'log') return openReplay(log, stream, { source: 'log' });
  return openReplay(log, stream, await readingOptions(context));
}

/** @throws NotFoundError that names streams called alike | StreamDeletedError */
export async function requireStream(log: EventLog, stream: string): Promise<void> {
  const { state } = await log.head(stream);
  if (state === 'deleted') throw new StreamDeletedError(stream);
  if (state === 'absent') throw new NotFoundError(stream, await hintFor(log, stream));
}

async function hintFor(log: EventLog, stream: string): Promise<string> {
  const names: string[] = [];
  for await (const row of log.actors()) names.push(row.stream);
  const near = nearestTo(stream, names).map((name) => `'${shown(name)}'`);
  const meant = near.length === 0 ? '' : `Did you mean ${near.join(' or ')}? `;
  return `${meant}'rewake ls' lists what is in ${log.name}.`;
}

/** The revision that an option names, or the last one that can be shown. */
export function revisionOf(options: Options, name: string, replay: Replay): Revision {
  return numberOption(options, name, { least: 0 }) ?? replay.last;
}

/**
 * Says what is damaged of a stream, where it is.
 * @returns whether anything is
 */
export function tellDamage({ terminal }: CommandContext, { stream, damaged, last }: Replay): boolean {
  const { red, dim } = terminal.color;
  for (const { revision, message } of damaged) {
    terminal.record('damaged', { stream, revision, message });
    terminal.line(`${String(revision).padStart(5)}  ${red(`✗ damaged: ${shown(message)}`)}`);
  }
  if (damaged.length === 0) return false;
  terminal.line(
    dim(`       What follows revision ${last} cannot be made of it; 'rewake repair' says what can be done.`),
  );
  return true;
}

/** The newest frame that can be shown; undefined where the very beginning is damaged. */
export async function lastFrame(replay: Replay) {
  for (;;) {
    const { last } = replay;
    if (last < replay.first) return undefined;
    try {
      return await replay.at(last);
    } catch (error) {
      // Damage is known once it is met, and then the stream ends before it.
      if (!(error instanceof DamagedRecordError) || replay.last >= last) throw error;
    }
  }
}
