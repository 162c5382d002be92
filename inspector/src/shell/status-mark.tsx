/** The status of an actor: a sign, a colour and a word. */
import type { ActorSummary } from '../../../src/inspect/api.ts';
import { Glyph, type GlyphName } from './glyph.tsx';

type Status = ActorSummary['status'];

const looks: { readonly [status in Status]: { readonly glyph: GlyphName; readonly tone: string } } = {
  active: { glyph: 'circle', tone: 'accent' },
  done: { glyph: 'check', tone: 'ok' },
  error: { glyph: 'cross', tone: 'bad' },
  stopped: { glyph: 'square', tone: 'muted' },
};

export function StatusMark({ status }: { readonly status: Status }) {
  const { glyph, tone } = looks[status];
  return (
    <span class={`status ${tone}`}>
      <Glyph name={glyph} />
      {status}
    </span>
  );
}
