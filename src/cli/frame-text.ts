/**
 * A frame for people: its one line, and all of it. Owns the wording and the layout; what is in a frame is the replay's.
 */
import type { Json } from '../log/json.ts';
import type { Frame, FrameActor, FrameEffect } from '../replay/frame.ts';
import { labelOfData } from '../replay/label.ts';
import { jsonLines } from './json-text.ts';
import { patchLines } from './patch-text.ts';
import { counted, shown, type Painter } from './terminal.ts';
import { treeLines, type TreeNode } from './tree-lines.ts';
import { fromNow, span, stateText, statusText, timeText, valueText } from './words.ts';

/** How a frame is shown. */
export interface FrameManner {
  readonly color: Painter;
  readonly columns: number;
  /** Whose context is shown; that of the root when omitted. */
  readonly contexts?: (address: string) => boolean;
}

/** So many lines of one context are shown. */
const contextLinesMax = 60;

/** Where the root is, and how, if it has ended. */
export function rootText({ actors }: Pick<Frame, 'actors'>, color: Painter): string {
  const [root] = actors;
  if (!root) return '';
  const state = stateText(root.value);
  return root.status === 'active' ? state : [state, statusText(root.status, color)].filter((part) => part).join(' ');
}

/** What a stimulus led to besides where the machine is: `begins charge; AttemptFailed; in 30 s backoff`. */
function consequences(frame: Frame, color: Painter): string {
  const started = frame.started.map(({ src }) => `begins ${shown(src)}`);
  const armed = frame.armed.map(({ id }) => `sets ${shown(timerName(id))}`);
  const facts = frame.facts.map(({ type }) => color.magenta(shown(type)));
  return [...started, ...armed, ...facts].join(', ');
}

/** A frame in a line of a list: its widths, its headings, its cells. */
export const frameWidths: readonly number[] = [5, 23, 22, 18, 0];
export const frameHeadings = ['  REV', 'TIME (UTC)', 'EVENT', 'STATE', ''];

/** @param before the frame before it in the list: times count from there, and only what has moved is said to be somewhere */
export function frameCells(frame: Frame, before: Frame | undefined, color: Painter): string[] {
  const { revision, label, at, settled } = frame;
  const time = before ? `+${span(at - before.at)}` : timeText(at);
  const name = settled?.outcome === 'failed' ? color.red(shown(label)) : color.cyan(shown(label));
  const root = rootText(frame, color);
  const moved = before && rootText(before, color) === root ? '' : root;
  return [String(revision).padStart(5), color.dim(time), name, moved, consequences(frame, color)];
}

/** What changed in contexts with a frame, a line each. @param before the frame before it, where that is known */
export function changeLines(frame: Frame, before: Frame | undefined, color: Painter): string[] {
  return frame.changes.flatMap(({ actor, patch }) => {
    const was = before?.actors.find(({ address }) => address === actor)?.context;
    const lines = patchLines(patch, was, color);
    return actor === '/' ? lines : lines.map((line) => `${color.dim(`${shortName(actor)} `)}${line}`);
  });
}

/** What happened at a frame. */
export function momentLines(frame: Frame, before: Frame | undefined, { color, columns }: FrameManner): string[] {
  const { dim } = color;
  const row = (name: string, text: string) => `  ${dim(name.padEnd(9))} ${text}`;
  const payload = frame.payload === null ? [] : jsonLines(frame.payload, { color, columns: columns - 12, most: 20 });
  return [
    row('time', `${timeText(frame.at)}  ${dim(fromNow(frame.at))}`),
    ...payload.map((line, at) => row(at === 0 ? 'with' : '', line)),
    ...frame.transitions.map(({ actor, to, status }) =>
      row('moved', `${shortName(actor)} → ${stateText(to) || '·'}${status === undefined ? '' : ` (${status})`}`),
    ),
    ...frame.facts.map(({ actor, type, data }) =>
      row('told', `${color.magenta(shown(type))} ${dim(`by ${shortName(actor)}`)} ${valueText(data, 60)}`),
    ),
    ...frame.started.map(({ actor, src }) => row('began', `${shown(src)} ${dim(shortName(actor))}`)),
    ...(frame.settled
      ? [row('ended', `${shown(frame.settled.src)} ${dim(shortName(frame.settled.actor))}: ${frame.settled.outcome}`)]
      : []),
    ...frame.armed.map(({ id, dueAt }) => row('set', `${shown(timerName(id))} for ${timeText(dueAt)}`)),
    ...changeLines(frame, before, color).map((line) => row('changed', line)),
  ];
}

/** How the tree stands after a frame: its actors, contexts, effects and timers. */
export function standingLines(frame: Frame, manner: FrameManner): string[] {
  const { color, columns, contexts: isWanted = (address) => address === '/' } = manner;
  const { bold, dim } = color;
  const contexts = frame.actors.flatMap(({ address, kind, context }) => {
    if (kind !== 'machine' || !isWanted(address)) return [];
    const title = bold(address === '/' ? 'Context' : `Context of ${shown(address)}`);
    if (context === undefined) return ['', `${title}  ${dim('is not known: the log does not hold it')}`];
    const lines = jsonLines(context, { color, columns: columns - 2, most: contextLinesMax });
    return ['', title, ...lines.map((line) => `  ${line}`)];
  });
  const others = frame.actors.filter(({ address, kind }) => kind === 'machine' && !isWanted(address)).length;
  const more = others > 0 ? [dim(`  --contexts shows ${counted(others, 'context')} more`)] : [];
  const effects = frame.effects.map(effectText).map((text) => `  ${text}`);
  const timers = frame.timers.map(
    ({ actor, id, dueAt }) =>
      `  ${shown(timerName(id))}${actor === '/' ? '' : ` ${dim(`of ${shortName(actor)}`)}`}  ${timeText(dueAt)}  ${dim(fromNow(dueAt))}`,
  );
  return [
    ...['', bold('Actors'), ...actorLines(frame.actors, color).map((line) => `  ${line}`)],
    ...contexts,
    ...more,
    ...(effects.length > 0 ? ['', bold('Effects without an outcome'), ...effects] : []),
    ...(timers.length > 0 ? ['', bold('Timers'), ...timers] : []),
    ...outputLines(frame, color, columns),
  ];

  function effectText({ actor, src, since, startedAt, restarts }: FrameEffect): string {
    const again = restarts > 0 ? `, run again ${counted(restarts, 'time')}` : '';
    return `${shown(src)} ${dim(shortName(actor))}  since revision ${since}, ${fromNow(startedAt)}${again}`;
  }
}

function outputLines({ actors }: Frame, color: Painter, columns: number): string[] {
  const [root] = actors;
  const section = (title: string, value: Json | undefined) =>
    value === undefined
      ? []
      : [
          '',
          color.bold(title),
          ...jsonLines(value, { color, columns: columns - 2, most: 40 }).map((line) => `  ${line}`),
        ];
  return [...section('Output', root?.output), ...section('Error', root?.error)];
}

function actorLines(actors: readonly FrameActor[], color: Painter): string[] {
  const below = (parent: string | null): TreeNode<FrameActor>[] =>
    actors.filter((actor) => actor.parent === parent).map((value) => ({ value, below: below(value.address) }));
  return [...treeLines(below(null))].map(({ lead, value: { address, kind, src, value, status } }) => {
    const name = shortName(address);
    const logic = src === null ? '' : kind === 'effect' ? `effect ${shown(src)}` : shown(src);
    const parts = [name, stateText(value), logic, status === 'active' ? '' : statusText(status, color)];
    return `${color.dim(lead)}${parts.filter((part) => part !== '').join('  ')}`;
  });
}

/** Why states are not made by the code at hand. */
export function divergenceText(divergence: string): string {
  // It goes on with what a host would do about it.
  const [found] = divergence.split(' Nothing was appended.');
  return `the code at hand does something else: ${shown(found!)}`;
}

/** The last part of an address: the tree shows what is above it. */
function shortName(address: string): string {
  return address === '/' ? '/' : shown(address.slice(address.lastIndexOf('/') + 1));
}

/** `after 30s` for what XState calls `xstate.after.30000.order.waiting`. */
function timerName(id: string): string {
  return labelOfData('TimerFired', { id });
}
