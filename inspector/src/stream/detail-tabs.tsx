/** The panels as tabs. Owns which is drawn: the chosen one alone. */
import { useRef } from 'preact/hooks';
import type { PanelProps } from '../panel-props.ts';
import type { Panel } from '../panels/index.ts';
import { Guarded } from '../shell/guarded.tsx';

export interface DetailTabsProps {
  readonly panels: readonly Panel[];
  readonly chosen: string | undefined;
  readonly props: PanelProps;
  readonly isLate: boolean;
  readonly onChoose: (id: string) => void;
}

export function DetailTabs({ panels, chosen, props, isLate, onChoose }: DetailTabsProps) {
  const list = useRef<HTMLDivElement>(null);
  const panel = panels.find(({ id }) => id === chosen) ?? panels[0];
  if (!panel) return null;
  const choose = (index: number) => {
    const next = panels[(index + panels.length) % panels.length];
    if (!next) return;
    onChoose(next.id);
    list.current?.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus();
  };
  const index = panels.indexOf(panel);
  const moves: { readonly [key: string]: number } = {
    ArrowRight: index + 1,
    ArrowLeft: index - 1,
    Home: 0,
    End: panels.length - 1,
  };
  const Shown = panel.component;
  return (
    <section class="detail" aria-label="Details">
      <div
        ref={list}
        class="tabs"
        role="tablist"
        aria-label="Panels"
        onKeyDown={(event) => {
          const to = moves[event.key];
          if (to === undefined) return;
          event.preventDefault();
          choose(to);
        }}
      >
        {panels.map(({ id, title }) => (
          <button
            key={id}
            type="button"
            id={`tab-${id}`}
            class="tab"
            role="tab"
            aria-selected={id === panel.id}
            aria-controls="panel"
            tabIndex={id === panel.id ? 0 : -1}
            onClick={() => onChoose(id)}
          >
            {title}
          </button>
        ))}
      </div>
      <div
        id="panel"
        class={`panel ${isLate ? 'late' : ''}`}
        role="tabpanel"
        aria-labelledby={`tab-${panel.id}`}
        aria-busy={isLate}
        tabIndex={0}
      >
        <Guarded key={panel.id} what={`The panel ${panel.title} broke`} of={props.view}>
          <Shown {...props} />
        </Guarded>
      </div>
    </section>
  );
}
