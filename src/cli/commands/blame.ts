/** `rewake blame`: which event set a value, and what led to it. */
import { keysOf, valueAt } from '../../kernel/json-patch.ts';
import type { Json } from '../../log/json.ts';
import type { Blame, BlameLink } from '../../replay/blame.ts';
import { DamagedRecordError } from '../../errors.ts';
import type { Frame } from '../../replay/frame.ts';
import type { Replay } from '../../replay/replay.ts';
import type { CommandSpec } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { lastFrame, openStream, revisionOf, sourceOption, tellDamage } from '../looking.ts';
import { nearestTo } from '../nearest.ts';
import { textOption } from '../options.ts';
import { shown, type Painter, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { fromNow, timeText, valueText } from '../words.ts';

const earlierShown = 10;

export const blame: CommandSpec = {
  name: 'blame',
  group: 'explain',
  about: 'Find the event that set a value, and what led to it',
  detail:
    "The path is a JSON Pointer: /context/total, /context/items/0, /state, /status, /output, /error. A '/' in a name is written ~1, a " +
    "'~' ~0.",
  arguments: [
    { name: 'stream', about: 'the actor, such as order-42' },
    { name: 'path', about: 'of the value' },
  ],
  options: [
    { flags: '--at <revision>', about: 'the value as it was then; the last one when omitted' },
    { flags: '-a, --actor <address>', about: 'of an actor in the tree, such as /pay:3; the root when omitted' },
    sourceOption,
  ],
  examples: [
    ['blame app.db order-42 /context/total', 'who set the total'],
    ['blame app.db order-42 /state --at 17', 'who brought it where it was then'],
  ],
  async run(context, args, options) {
    const { terminal } = context;
    const path = args['path'] as string;
    if (!path.startsWith('/')) throw new UsageError(`blame: <path> begins with '/'. ${meantBy(path)}`);
    const actor = textOption(options, 'actor') ?? '/';
    const replay = await openStream(context, args['stream'] as string, options);
    const end = await lastFrame(replay);
    const answer = await answerOf(replay, path, { actor, at: revisionOf(options, 'at', replay) });
    terminal.record('blame', answer);
    if (!answer.changed) {
      terminal.note(missingText(answer, end));
      return exitCodes.notFound;
    }
    tell(terminal, answer);
    if (options['at'] === undefined && tellDamage(context, replay)) return exitCodes.found;
  },
};

const places = ['context', 'state', 'status', 'output', 'error'];

function meantBy(path: string): string {
  const keys = path.split(/[./]/).filter((key) => key !== '');
  const pointer = (places.includes(keys[0] ?? '') ? keys : ['context', ...keys]).join('/');
  return keys.length === 0 ? "A value of the context is '/context/total'." : `Did you mean '/${shown(pointer)}'?`;
}

/** Up to the damage that there is. */
async function answerOf(replay: Replay, path: string, question: { actor: string; at: number }): Promise<Blame> {
  try {
    return await replay.blame(path, question);
  } catch (error) {
    if (!(error instanceof DamagedRecordError) || question.at <= replay.last) throw error;
    return replay.blame(path, { ...question, at: replay.last });
  }
}

function tell(terminal: Terminal, { path, actor, at, value, changed, earlier, causes }: Blame): void {
  const { color } = terminal;
  const { bold, dim } = color;
  const of = actor === '/' ? '' : ` of ${shown(actor)}`;
  terminal.line(`${bold(shown(path))}${of} at revision ${at} is ${valueText(value)}`);
  terminal.line();
  const { by, from, to } = changed!;
  terminal.line(`${dim('set by'.padEnd(10))} ${linkText(by, color)}`);
  terminal.line(`${''.padEnd(10)} ${dim(`${valueText(from, 60)} →`)} ${valueText(to, 60)}`);
  for (const [index, cause] of causes.entries()) {
    terminal.line(`${dim((index === 0 ? 'caused by' : '').padEnd(10))} ${linkText(cause, color)}`);
  }
  for (const [index, change] of earlier.slice(0, earlierShown).entries()) {
    if (index === 0) terminal.line();
    terminal.line(
      `${dim((index === 0 ? 'before' : '').padEnd(10))} ${linkText(change.by, color)}  ${dim('→')} ${valueText(change.to, 40)}`,
    );
  }
  if (earlier.length > earlierShown) terminal.line(dim(`${''.padEnd(10)} … and ${earlier.length - earlierShown} more`));
}

function linkText({ stream, revision, label, at }: BlameLink, { bold, cyan, dim }: Painter): string {
  return `${bold(`${shown(stream)} ${revision}`)}  ${cyan(shown(label))}  ${dim(`${timeText(at)}, ${fromNow(at)}`)}`;
}

/** What is there instead. */
function missingText({ stream, path, actor, at }: Blame, end: Frame | undefined): string {
  const root = end?.actors.find(({ address }) => address === actor);
  const nothing = `Nothing has set '${path}' of ${actor === '/' ? stream : `${actor} in ${stream}`} up to revision ${at}.`;
  if (!root) {
    const actors = end?.actors.map(({ address }) => address) ?? [];
    return `${nothing} It has no such actor; there are ${actors.join(', ') || 'none'}.`;
  }
  const keys = keysOf(path);
  const around: Json | undefined =
    keys[0] === 'context' ? valueAt({ context: root.context ?? null }, `/${keys.slice(0, -1).join('/')}`) : undefined;
  const names = typeof around === 'object' && around !== null ? Object.keys(around) : [];
  if (names.length === 0) return nothing;
  const near = nearestTo(keys.at(-1)!, names);
  const there = near.length > 0 ? `Did you mean ${near.map((name) => `'${name}'`).join(' or ')}?` : '';
  return `${nothing} ${there || `There is ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}.`}`;
}
