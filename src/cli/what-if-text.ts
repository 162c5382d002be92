/**
 * Two pasts beside each other, for people and programs. Owns the layout; what would have been is what-if.ts's.
 */
import type { Frame } from '../replay/frame.ts';
import type { Stub, WhatIf } from '../replay/past-edit.ts';
import { parseJson } from './json-argument.ts';
import { shown, type Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { stateText } from './words.ts';

/** Answers of effects, `charge="receipt"`. @throws UsageError */
export function stubsOf(given: readonly string[]): { readonly [src: string]: Stub } {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at <= 0) throw new UsageError(`--stub: expected <src>=<json>, such as 'charge="receipt"', found '${text}'.`);
      return [text.slice(0, at), { output: parseJson(text.slice(at + 1), `--stub ${text.slice(0, at)}`) }];
    }),
  );
}

export function tellWhatIf(
  terminal: Terminal,
  { original, fork, pairs, firstDivergence, unanswered, leftOut, stream }: WhatIf,
): void {
  const { yellow, bold } = terminal.color;
  const rows = pairs.map(([left, right], index) => {
    const [was, would] = [original[left], fork[right]];
    const differs = firstDivergence >= 0 && index >= firstDivergence;
    terminal.record('pair', { original: was ?? null, fork: would ?? null, differs });
    return [differs ? yellow('≠') : ' ', ...cellsOf(was), '│', ...cellsOf(would)];
  });
  terminal.record('whatIf', { stream, firstDivergence, unanswered, leftOut });
  terminal.table(['', 'REV', bold('AS IT WAS'), 'STATE', '│', 'REV', bold('AS IT WOULD BE'), 'STATE'], rows);
  if (firstDivergence < 0) terminal.line('Nothing would have been different.');
  if (leftOut.length > 0)
    terminal.line(`Reaches nobody any more: ${leftOut.map((revision) => `revision ${revision}`).join(', ')}.`);
  for (const { actor, src } of unanswered) {
    terminal.line(
      `${shown(src)} (${shown(actor)}) has no answer there: give it one with --stub '${shown(src)}=<json>'.`,
    );
  }
}

function cellsOf(frame: Frame | undefined): string[] {
  if (!frame) return ['', '', ''];
  const [root] = frame.actors;
  const status = root && root.status !== 'active' ? ` (${root.status})` : '';
  return [String(frame.revision), shown(frame.label), `${stateText(root?.value ?? null)}${status}`];
}
