/** The panels of the page, in the order of their tabs. The one with the id `chart` is shown beside the tabs. */
import type { ComponentType } from 'preact';
import type { PanelProps } from '../panel-props.ts';
import { ChartPanel } from './chart-panel.tsx';
import { ContextPanel } from './context-panel.tsx';
import { EffectsPanel } from './effects-panel.tsx';
import { ExplainPanel } from './explain-panel.tsx';
import { FactsPanel } from './facts-panel.tsx';
import { FramePanel } from './frame-panel.tsx';
import { HandlersPanel } from './handlers-panel.tsx';
import { RawPanel } from './raw-panel.tsx';
import { TracePanel } from './trace-panel.tsx';
import { WhatIfPanel } from './what-if-panel.tsx';

export interface Panel {
  /** As in a permalink: `?panel=context`. */
  readonly id: string;
  readonly title: string;
  readonly component: ComponentType<PanelProps>;
}

export const panels: readonly Panel[] = [
  { id: 'chart', title: 'Chart', component: ChartPanel },
  { id: 'context', title: 'Context', component: ContextPanel },
  { id: 'frame', title: 'Frame', component: FramePanel },
  { id: 'effects', title: 'Effects', component: EffectsPanel },
  { id: 'trace', title: 'Trace', component: TracePanel },
  { id: 'facts', title: 'Facts', component: FactsPanel },
  { id: 'handlers', title: 'Handlers', component: HandlersPanel },
  { id: 'explain', title: 'Explain', component: ExplainPanel },
  { id: 'what-if', title: 'What if', component: WhatIfPanel },
  { id: 'raw', title: 'Raw', component: RawPanel },
];
