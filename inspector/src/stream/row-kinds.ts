/** What a row of the timeline looks like: its sign, its colour and its word, by kind. */
import type { Row } from '../../../src/inspect/api.ts';
import type { GlyphName } from '../shell/glyph.tsx';

export type RowKind = Row['kind'];

export interface KindLook {
  readonly glyph: GlyphName;
  readonly tone: 'ok' | 'bad' | 'warn' | 'info' | 'accent' | 'muted' | 'plain';
  readonly word: string;
}

export const kindLooks: { readonly [kind in RowKind]: KindLook } = {
  start: { glyph: 'play', tone: 'accent', word: 'started' },
  event: { glyph: 'right', tone: 'plain', word: 'event' },
  done: { glyph: 'check', tone: 'ok', word: 'effect done' },
  failed: { glyph: 'cross', tone: 'bad', word: 'effect failed' },
  progress: { glyph: 'dots', tone: 'info', word: 'effect progressed' },
  timer: { glyph: 'clock', tone: 'warn', word: 'timer fired' },
  resumed: { glyph: 'again', tone: 'warn', word: 'resumed after its host was lost' },
  stopped: { glyph: 'square', tone: 'muted', word: 'stopped' },
  rebased: { glyph: 'swap', tone: 'accent', word: 'rebased: goes on from a state that was put in' },
  fact: { glyph: 'dot', tone: 'muted', word: 'fact' },
  damaged: { glyph: 'warning', tone: 'bad', word: 'damaged: cannot be read' },
};

export const rowKinds = Object.keys(kindLooks) as readonly RowKind[];
