/** `rewake show`: how an actor stands, now or at a revision. */
import type { Revision } from '../../log/event-log.ts';
import { rawEvent } from '../../inspect/rows-view.ts';
import type { Frame } from '../../replay/frame.ts';
import type { Replay } from '../../replay/replay.ts';
import type { CommandSpec, Options } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { divergenceText, frameCells, frameWidths, momentLines, rootText, standingLines } from '../frame-text.ts';
import { jsonLines } from '../json-text.ts';
import { lastFrame, openStream, requireStream, sourceOption, tellDamage } from '../looking.ts';
import { chartText } from '../mermaid.ts';
import { numberOption, textOption } from '../options.ts';
import { shown, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { fromNow, timeText } from '../words.ts';

const framesShown = 6;

export const show: CommandSpec = {
  name: 'show',
  group: 'look',
  about: 'Show how an actor stands, now or at any revision',
  detail:
    'Works without the code of the machine, from what the log holds. The exit code is 4 where a record of the stream is damaged.',
  arguments: [{ name: 'stream', about: 'the actor, such as order-42' }],
  options: [
    { flags: '--at <revision>', about: 'as it stood after this revision, and what happened there' },
    { flags: '-a, --actor <address>', about: 'the context of this actor in the tree, such as /pay:3' },
    { flags: '--contexts', about: 'the contexts of all of them' },
    { flags: '--raw <revision>', about: 'the event as it is on record' },
    { flags: '--chart', about: 'the chart of the machine as Mermaid text, its active states marked' },
    sourceOption,
  ],
  examples: [
    ['show app.db order-42', 'how it stands now'],
    ['show app.db order-42 --at 17', 'how it stood after revision 17'],
    ['show app.db order-42 --chart > order.mmd', 'its chart, to be drawn'],
  ],
  async run(context, args, options) {
    const stream = args['stream'] as string;
    const at = numberOption(options, 'at', { least: 0 });
    const raw = numberOption(options, 'raw', { least: 0 });
    if (raw !== undefined) return showRaw(context, stream, raw);
    const replay = await openStream(context, stream, options);
    if (options['chart']) return showChart(context, replay, at);
    if (at !== undefined) return showFrame(context, replay, await replay.at(at), options);
    return showStanding(context, replay, options);
  },
};

async function showRaw(context: CommandContext, stream: string, revision: Revision): Promise<void> {
  const { terminal } = context;
  const log = await context.log('read');
  await requireStream(log, stream);
  const event = await rawEvent(log, stream, revision, 'full');
  terminal.record('event', event);
  const { color, columns } = terminal;
  for (const line of jsonLines({ ...event }, { color, columns })) terminal.line(line);
}

async function showChart({ terminal }: CommandContext, replay: Replay, at: Revision | undefined): Promise<void> {
  const frame = at === undefined ? await lastFrame(replay) : await replay.at(at);
  const chart = frame ? replay.chartFor('/', frame) : replay.chart;
  if (!chart) {
    throw new UsageError(
      `No chart of machine '${replay.machine}' is known: the log holds none, and rewake.config.ts has no such machine.`,
    );
  }
  terminal.record('chart', { stream: replay.stream, chart });
  if (!terminal.isJson) terminal.raw(chartText(chart, frame?.actors[0]?.value ?? null));
}

async function showFrame({ terminal }: CommandContext, replay: Replay, frame: Frame, options: Options): Promise<void> {
  const contexts = wantedContexts(frame, options);
  terminal.record('frame', frame);
  if (terminal.isJson) return;
  const before = await replay.previous(frame);
  const { color, columns } = terminal;
  const facts = frame.lastRevision > frame.revision ? `-${frame.lastRevision}` : '';
  terminal.line(
    `${color.bold(shown(frame.stream))}  revision ${frame.revision}${facts} of ${replay.last}  ${color.cyan(shown(frame.label))}`,
  );
  for (const line of momentLines(frame, before, { color, columns })) terminal.line(line);
  for (const line of standingLines(frame, { color, columns, contexts })) terminal.line(line);
  tellDivergence(terminal, frame);
}

async function showStanding(context: CommandContext, replay: Replay, options: Options): Promise<number | void> {
  const { terminal } = context;
  const { color, columns } = terminal;
  const frame = await lastFrame(replay);
  const contexts = frame && wantedContexts(frame, options);
  const log = await context.log('read');
  const row = await log.actor(replay.stream);
  const { stream, machine, version, source, first, last, damaged } = replay;
  const about = { stream, machine, version, source: frame?.source ?? source, first, last };
  terminal.record('stream', {
    ...about,
    ...{ status: row?.status ?? null, correlationId: row?.correlationId ?? null, damaged },
  });
  if (frame) terminal.record('frame', frame);
  const state = frame ? rootText(frame, color) : '';
  const versionText = version === null ? '' : ` version ${shown(version)}`;
  terminal.line([color.bold(shown(stream)), color.bold(state)].filter((part) => part).join('  '));
  const line = (name: string, text: string) => terminal.line(`  ${color.dim(name.padEnd(12))} ${text}`);
  const isCodeless = source === 'log' ? color.dim('  without its code') : '';
  line('machine', `${shown(machine)}${versionText}${isCodeless}`);
  line('revision', first === 0 ? String(last) : `${last}, ${first} is the first that is kept`);
  if (frame) line('last moved', `${timeText(frame.at)}  ${color.dim(fromNow(frame.at))}`);
  if (row) line('correlation', shown(row.correlationId));
  if (frame && contexts && !terminal.isJson) {
    for (const each of standingLines(frame, { color, columns, contexts })) terminal.line(each);
    await showFrames(context, replay, frame);
  }
  if (frame) tellDivergence(terminal, frame);
  const isDamaged = tellDamage(context, replay);
  return isDamaged ? exitCodes.found : exitCodes.ok;
}

async function showFrames({ terminal }: CommandContext, replay: Replay, last: Frame): Promise<void> {
  const { color } = terminal;
  const frames = [last];
  for (let frame = await replay.previous(last); frame && frames.length < framesShown;) {
    frames.unshift(frame);
    frame = await replay.previous(frame);
  }
  terminal.line();
  terminal.line(color.bold('Last events'));
  for (const [at, frame] of frames.entries()) terminal.row(frameCells(frame, frames[at - 1], color), frameWidths);
}

function tellDivergence(terminal: Terminal, { divergence }: Frame): void {
  if (divergence !== null) terminal.note(`≠ ${divergenceText(divergence)}`, terminal.noteColor.red);
}

/** @throws UsageError for an actor that there is not */
function wantedContexts({ actors }: Frame, options: Options): (address: string) => boolean {
  const wanted = textOption(options, 'actor');
  if (wanted === undefined) return options['contexts'] ? () => true : (address) => address === '/';
  if (actors.some(({ address }) => address === wanted)) return (address) => address === wanted;
  const known = actors.map(({ address }) => address).join(', ');
  throw new UsageError(`--actor: there is no '${shown(wanted)}' in the tree. There is ${shown(known)}.`);
}
