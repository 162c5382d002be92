/**
 * An event of a list in one line. Owns its columns: stream, revision, time, what it is, and where that led.
 */
import type { Row } from '../inspect/api.ts';
import { shown, type Painter } from './terminal.ts';
import { timeText } from './words.ts';

/** Widths of the cells; what is longer moves what follows to the right. */
export const rowWidths: readonly number[] = [14, 5, 23, 22, 0];

export function rowCells({ stream, revision, at, label, to, isFact, kind, message }: Row, color: Painter): string[] {
  const { bold, dim, magenta, red, cyan } = color;
  const what = isFact ? magenta(`· ${shown(label)}`) : kind === 'failed' ? red(shown(label)) : cyan(shown(label));
  const led = message !== undefined ? red(`✗ ${shown(message)}`) : to === null ? '' : `→ ${shown(to)}`;
  return [bold(shown(stream)), String(revision).padStart(5), dim(at > 0 ? timeText(at) : ''), what, led];
}
