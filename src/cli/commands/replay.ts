/** `rewake replay`: a stream frame by frame. */
import type { Revision } from '../../log/event-log.ts';
import { DamagedRecordError } from '../../errors.ts';
import type { Frame } from '../../replay/frame.ts';
import { framePredicate, predicateNames } from '../../replay/predicate.ts';
import type { Replay } from '../../replay/replay.ts';
import type { CommandSpec } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { changeLines, divergenceText, frameCells, frameHeadings, frameWidths } from '../frame-text.ts';
import { openStream, sourceOption, tellDamage } from '../looking.ts';
import { numberOption, textOption } from '../options.ts';
import { UsageError } from '../usage-error.ts';

const framesPerTurn = 256;

export const replay: CommandSpec = {
  name: 'replay',
  group: 'look',
  about: 'Walk an actor frame by frame: each stimulus, and where it led',
  detail:
    'Nothing is run: no effect and no custom action. An expression of --until is JavaScript over ' +
    `${Object.keys(predicateNames).join(', ')}. The exit code is 4 where the code at hand does something else than was recorded, ` +
    'or a record is damaged.',
  arguments: [{ name: 'stream', about: 'the actor, such as order-42' }],
  options: [
    { flags: '--from <revision>', about: 'the first one' },
    { flags: '--to <revision>', about: 'the last one' },
    { flags: '--until <expression>', about: 'end with the first frame for which this holds' },
    { flags: '-d, --diff', about: 'what each changed in contexts' },
    sourceOption,
  ],
  examples: [
    ['replay app.db order-42', 'all of it'],
    ['replay app.db order-42 --diff --from 10 --to 20', 'what changed when'],
    ["replay app.db order-42 --until 'context.total > 100'", 'up to where a total was too large'],
  ],
  async run(context, args, options) {
    const { terminal, signal } = context;
    const from = numberOption(options, 'from', { least: 0 });
    const to = numberOption(options, 'to', { least: 0 });
    if (from !== undefined && to !== undefined && to < from) {
      throw new UsageError(`--to: expected a revision from ${from} on, where --from begins, found ${to}.`);
    }
    const until = textOption(options, 'until');
    const holds = until === undefined ? undefined : framePredicate(until);
    const opened = await openStream(context, args['stream'] as string, options);
    const { color } = terminal;
    let before = options['diff'] && from !== undefined ? await beforeOf(opened, from) : undefined;
    let divergence: string | null = null;
    let isDivergent = false;
    let count = 0;
    for await (const frame of framesOf(opened, from, to)) {
      // Signals are heard between turns.
      if (++count % framesPerTurn === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
      if (count === 1) terminal.row(frameHeadings.map(color.dim), frameWidths);
      tell(context, frame, before, options['diff'] === true);
      if (frame.divergence !== null && frame.divergence !== divergence) {
        isDivergent = true;
        terminal.line(`       ${color.red(`≠ ${divergenceText(frame.divergence)}`)}`);
      }
      divergence = frame.divergence;
      before = frame;
      if (!holds?.(frame)) continue;
      terminal.note(`This is the first frame for which '${until}' holds.`);
      return isDivergent ? exitCodes.found : exitCodes.ok;
    }
    if (holds) terminal.note(`There is no frame for which '${until}' holds.`);
    const isDamaged = (to === undefined || to > opened.last) && tellDamage(context, opened);
    if (isDivergent || isDamaged) return exitCodes.found;
    return holds ? exitCodes.notFound : exitCodes.ok;
  },
};

/** Frames up to the first damage, which is told afterwards. */
async function* framesOf(
  opened: Replay,
  from: Revision | undefined,
  to: Revision | undefined,
): AsyncGenerator<Frame, undefined> {
  try {
    yield* opened.frames({ ...(from !== undefined && { from }), ...(to !== undefined && { to }) });
  } catch (error) {
    if (!(error instanceof DamagedRecordError) || (from !== undefined && from > opened.last)) throw error;
  }
}

async function beforeOf(opened: Replay, from: Revision): Promise<Frame | undefined> {
  return from <= opened.first ? undefined : opened.previous(await opened.at(from));
}

function tell({ terminal }: CommandContext, frame: Frame, before: Frame | undefined, isDiff: boolean): void {
  terminal.record('frame', frame);
  if (terminal.isJson) return;
  const { color } = terminal;
  terminal.row(frameCells(frame, before, color), frameWidths);
  if (!isDiff) return;
  for (const line of changeLines(frame, before, color)) terminal.line(`       ${line}`);
}
