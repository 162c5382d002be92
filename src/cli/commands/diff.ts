/** `rewake diff`: how two states of actors differ. */
import { diff as patchOf, type JsonPatch } from '../../kernel/json-patch.ts';
import type { Json } from '../../log/json.ts';
import type { Frame, FrameActor } from '../../replay/frame.ts';
import type { Replay } from '../../replay/replay.ts';
import type { Arguments, CommandSpec, Options } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { lastFrame, openStream, sourceOption, tellDamage } from '../looking.ts';
import { textOption, wholeNumber } from '../options.ts';
import { patchLines } from '../patch-text.ts';
import { shown } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { stateText } from '../words.ts';

/** How one actor of a tree stands otherwise. */
interface Difference {
  readonly actor: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly state?: { readonly from: Json; readonly to: Json };
  readonly status?: { readonly from: string; readonly to: string };
  readonly before: Json | undefined;
  /** Of the context. */
  readonly patch: JsonPatch;
}

export const diff: CommandSpec = {
  name: 'diff',
  group: 'look',
  about: 'Show how an actor differs between two revisions, or from another actor',
  detail:
    'Without revisions: what the last event changed. With one: what changed from it to the end. The exit code is 0, whether there ' +
    'are differences or none, and 4 where damage hides the end.',
  arguments: [
    { name: 'stream', about: 'the actor, such as order-42' },
    { name: 'from', about: 'a revision', optional: true },
    { name: 'to', about: 'another one; the last when omitted', optional: true },
  ],
  options: [{ flags: '--with <stream>', about: 'the second revision is of this actor' }, sourceOption],
  examples: [
    ['diff app.db order-42 3 17', 'what changed between them'],
    ['diff app.db order-42', 'what the last event changed'],
    ['diff app.db order-42 --with order-43', 'how two actors stand'],
  ],
  async run(context, args, options) {
    const { terminal } = context;
    const { color } = terminal;
    const { from, to, cutOff } = await framesOf(context, args, options);
    const differences = differencesOf(from, to);
    terminal.record('diff', {
      ...{ stream: from.stream, from: from.revision, with: to.stream, to: to.revision },
      actors: differences.map(({ before: _, ...rest }) => rest),
    });
    const place = ({ stream, revision }: Frame) => `${shown(stream)} at ${revision}`;
    const second = to.stream === from.stream ? String(to.revision) : place(to);
    terminal.line(color.bold(`${place(from)} → ${second}`));
    if (differences.length === 0) terminal.line(color.dim('  No difference.'));
    for (const difference of differences) {
      for (const line of linesOf(difference, context)) terminal.line(`  ${line}`);
    }
    const damaged = cutOff.filter((each) => tellDamage(context, each));
    return damaged.length > 0 ? exitCodes.found : exitCodes.ok;
  },
};

interface Compared {
  readonly from: Frame;
  readonly to: Frame;
  /** What was looked at up to its end: damage cuts it off. */
  readonly cutOff: readonly Replay[];
}

async function framesOf(context: CommandContext, args: Arguments, options: Options): Promise<Compared> {
  const stream = args['stream'] as string;
  const other = textOption(options, 'with');
  const one = await openStream(context, stream, options);
  const two = other === undefined ? one : await openStream(context, other, options);
  const revision = (name: 'from' | 'to') => {
    const given = args[name] as string | undefined;
    return given === undefined ? undefined : wholeNumber(given, `diff: <${name}>`);
  };
  const [first, second] = [revision('from'), revision('to')];
  const to = second === undefined ? await lastFrame(two) : await two.at(second);
  const from =
    first !== undefined
      ? await one.at(first)
      : other !== undefined
        ? await lastFrame(one)
        : to && ((await one.previous(to)) ?? to);
  if (from && to) {
    const ends = [...(second === undefined ? [two] : []), ...(first === undefined && two !== one ? [one] : [])];
    return { from, to, cutOff: ends };
  }
  throw new UsageError(`Nothing of '${stream}' can be shown: it is damaged from its beginning.`);
}

function differencesOf(from: Frame, to: Frame): Difference[] {
  const before = new Map(from.actors.map((actor) => [actor.address, actor]));
  const after = new Map(to.actors.map((actor) => [actor.address, actor]));
  const addresses = [...new Set([...before.keys(), ...after.keys()])];
  return addresses.flatMap((address) => differenceOf(address, before.get(address), after.get(address)) ?? []);
}

function differenceOf(actor: string, was: FrameActor | undefined, is: FrameActor | undefined): Difference | undefined {
  const patch = patchOf(was?.context, is?.context);
  if (!was) return { actor, change: 'added', before: undefined, patch, state: { from: null, to: is!.value } };
  if (!is) return { actor, change: 'removed', before: was.context, patch: [], state: { from: was.value, to: null } };
  const isMoved = patchOf(was.value, is.value).length > 0;
  if (!isMoved && was.status === is.status && patch.length === 0) return undefined;
  return {
    ...{ actor, change: 'changed', before: was.context, patch },
    ...(isMoved && { state: { from: was.value, to: is.value } }),
    ...(was.status !== is.status && { status: { from: was.status, to: is.status } }),
  };
}

function linesOf({ actor, change, state, status, before, patch }: Difference, { terminal }: CommandContext): string[] {
  const { color } = terminal;
  const name = shown(actor);
  if (change === 'removed') return [color.red(`- ${name}  ${stateText(state!.from)}`.trimEnd())];
  const moved = state && `${stateText(state.from) || '·'} → ${stateText(state.to) || '·'}`;
  const title =
    change === 'added'
      ? color.green(`+ ${name}  ${stateText(state!.to)}`.trimEnd())
      : [color.bold(name), moved, status && `${status.from} → ${status.to}`].filter((part) => part).join('  ');
  return [title, ...patchLines(patch, before, color).map((line) => `  ${line}`)];
}
