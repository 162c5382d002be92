/** The kinds of a timeline's rows, each a switch of its filter. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { FilterSwitch } from '../shell/filter-switch.tsx';
import type { Term } from '../shell/filter-text.ts';
import { Glyph } from '../shell/glyph.tsx';
import { kindLooks, rowKinds } from './row-kinds.ts';

export interface KindMenuProps {
  readonly terms: readonly Term[];
  readonly onTerms: (terms: readonly Term[]) => void;
}

export function KindMenu({ terms, onTerms }: KindMenuProps) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const close = ({ target }: Event) => {
      if (!(target instanceof Node && box.current?.contains(target))) setOpen(false);
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('focusin', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('focusin', close);
    };
  }, [isOpen]);
  const used = terms.filter(({ field }) => field === 'kind').length;
  return (
    <div
      class="kind-menu"
      ref={box}
      onKeyDown={(event) => {
        if (event.key === 'Escape') setOpen(false);
      }}
    >
      <button
        type="button"
        class="button"
        aria-expanded={isOpen}
        aria-pressed={used > 0}
        aria-haspopup="true"
        onClick={() => setOpen(!isOpen)}
      >
        kinds{used > 0 ? ` ${used}` : ''}
      </button>
      {isOpen ? (
        <div class="kind-list" role="group" aria-label="Kinds of events">
          {rowKinds.map((kind) => (
            <FilterSwitch key={kind} terms={terms} field="kind" value={kind} onTerms={onTerms}>
              <span class={kindLooks[kind].tone}>
                <Glyph name={kindLooks[kind].glyph} />
              </span>
              {kind}
            </FilterSwitch>
          ))}
        </div>
      ) : null}
    </div>
  );
}
