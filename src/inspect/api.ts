/**
 * What the inspector's server says to its page: the shapes of every answer, as JSON. Owns the types; holds no logic. The page
 * imports types from here and nothing else.
 *
 * All under `/api`, with `Authorization: Bearer <token>` (an EventSource passes `?token=`). An error is answered with an
 * ApiError and the status 400, 401, 403, 404, 405, 409, 413 or 500.
 *
 *   GET  /log                                            → LogView
 *   GET  /actors?machine=&status=&correlation=&q=&not.machine=&not.status=&failed=1&after=&limit=   → ActorsView
 *        (machine, status and not.… may be repeated; q is a part of the name, or /a regular expression/)
 *   GET  /streams/:stream                                → StreamView
 *   GET  /streams/:stream/rows?from=&limit=              → RowsView
 *   GET  /streams/:stream/frames/:revision               → FrameView
 *   GET  /streams/:stream/charts/:address                → ChartView         (address URL-encoded: %2F, %2Fpay%3A3; ?at= revision)
 *   GET  /streams/:stream/blame?path=&actor=&at=         → Blame
 *   GET  /streams/:stream/effects                        → EffectsView
 *   GET  /streams/:stream/handlers                       → HandlersView
 *   GET  /streams/:stream/explain                        → ExplainView
 *   GET  /streams/:stream/events/:revision               → RawEvent
 *   GET  /streams/:stream/export                         → JSON Lines, as an attachment
 *   GET  /traces/:correlationId                          → CorrelationTrace
 *   POST /streams/:stream/what-if     WhatIfOptions      → WhatIf
 *   POST /streams/:stream/fork        ForkRequest        → { stream }        (403 unless --allow-write)
 *   GET  /tail?stream=                                   → text/event-stream: `row` events (Row with its stream), `beat` to keep alive
 */
import type { CorrelationTrace } from '../../projections/correlation-trace.ts';
import type { MachineChart } from '../kernel/chart.ts';
import type { ActorStatus, Revision } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import type { Blame } from '../replay/blame.ts';
import type { Frame, FrameSource } from '../replay/frame.ts';
import type { Lit } from '../replay/lit.ts';
import type { PayloadMode } from '../replay/mask.ts';
import type { PastEdit, WhatIf, WhatIfOptions } from '../replay/past-edit.ts';

export type { Blame, CorrelationTrace, Frame, Json, MachineChart, PastEdit, WhatIf, WhatIfOptions };

export interface ApiError {
  readonly error: { readonly code: string; readonly message: string };
}

export interface LogView {
  readonly name: string;
  readonly rewake: string;
  readonly payloads: PayloadMode;
  readonly allowWrite: boolean;
  /** Names of the machines whose code is at hand. */
  readonly machines: readonly string[];
  /** True for an exported file: nothing is appended to it while it is looked at. */
  readonly isFile: boolean;
}

export interface ActorSummary {
  readonly stream: string;
  readonly machine: string;
  readonly version: string | null;
  readonly status: ActorStatus;
  readonly correlationId: string;
  readonly revision: Revision;
  /** Ms since the epoch. */
  readonly wakeAt: number | null;
  readonly effects: number;
}

export interface ActorsView {
  readonly actors: readonly ActorSummary[];
  /** To be given as `after` for the next page; null at the end. */
  readonly next: string | null;
}

export interface StreamView {
  readonly stream: string;
  readonly machine: string;
  readonly version: string | null;
  readonly source: FrameSource;
  readonly first: Revision;
  readonly last: Revision;
  readonly correlationId: string;
  readonly startedAt: number;
  readonly damaged: readonly { readonly revision: Revision; readonly message: string }[];
  /** Whether a chart can be drawn. */
  readonly hasChart: boolean;
}

/** A line of the timeline: one event, facts too. */
export interface Row {
  readonly stream: string;
  readonly revision: Revision;
  readonly type: string;
  /** As Frame.label; of a fact its type. */
  readonly label: string;
  readonly at: number;
  /** Address of whom it is about; of a fact, who told it. */
  readonly actor: string;
  readonly isFact: boolean;
  /** Where the root went, if it moved: its state value in one line (`paying.card`). */
  readonly to: string | null;
  readonly kind:
    | 'start'
    | 'event'
    | 'done'
    | 'failed'
    | 'progress'
    | 'timer'
    | 'resumed'
    | 'stopped'
    | 'rebased'
    | 'fact'
    | 'damaged';
  /** Of a damaged record. */
  readonly message?: string;
}

export interface RowsView {
  readonly rows: readonly Row[];
  /** Revision to go on from; null at the end. */
  readonly next: Revision | null;
}

export interface FrameView {
  readonly frame: Frame;
  readonly previous: Revision | null;
  readonly next: Revision | null;
  /** By the address of a machine, what is active in its chart, and which arrows were just taken. */
  readonly lit: { readonly [address: string]: Lit };
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A chart and how it can be laid out: what suits depends on the form of the window. */
export interface ChartView {
  readonly chart: MachineChart;
  readonly layouts: readonly [ChartPlaces, ...ChartPlaces[]];
}

/** A chart that is laid out. */
export interface LaidOutChart extends ChartPlaces {
  readonly chart: MachineChart;
}

/**
 * The places of what is in a chart, in px. Boxes are absolute, and large enough for the text that chart-text.ts puts into them; an arrow without
 * a target is a line in the box of its state, and has no place of its own.
 */
export interface ChartPlaces {
  readonly width: number;
  readonly height: number;
  /** By id of the state. */
  readonly states: { readonly [id: string]: Box };
  /** By id of the arrow. Points are of an orthogonal polyline. `label` is the box of its text; null where there is none. */
  readonly arrows: {
    readonly [id: string]: { readonly points: readonly (readonly [number, number])[]; readonly label: Box | null };
  };
  /** From the dot of a compound state to what it starts in, by id of the compound state. */
  readonly initials: { readonly [id: string]: { readonly points: readonly (readonly [number, number])[] } };
}

/** One run of an effect, as a bar over time. */
export interface EffectBar {
  readonly actor: string;
  readonly src: string;
  readonly startedRevision: Revision;
  readonly startedAt: number;
  readonly endedRevision: Revision | null;
  readonly endedAt: number | null;
  readonly outcome: 'succeeded' | 'failed' | 'stopped' | 'lost' | 'running';
  readonly error: string | null;
  /** Of a retried step: 1 for the first. */
  readonly attempt: number;
}

export interface EffectsView {
  /** In the order in which they began; of very many the newest. */
  readonly bars: readonly EffectBar[];
  /** What breakers said to this actor, and facts of retries (RetryScheduled, AttemptFailed, CircuitOpened, …), as marks. */
  readonly marks: readonly {
    readonly revision: Revision;
    readonly at: number;
    readonly type: string;
    readonly actor: string;
  }[];
  /** How many bars and marks before these are left out. */
  readonly left: number;
}

export interface HandlersView {
  /** As handlerHistory(stream) of rewake/projections gives it. */
  readonly history: Json;
}

export interface ExplainView {
  /** Without what to do next. */
  readonly sentences: readonly string[];
  readonly next: readonly Advice[];
}

/** What can be done next. */
export interface Advice {
  readonly text: string;
  /** A command line that does it, to be copied; null where there is none. */
  readonly command: string | null;
}

/** An event as it stands in the log. */
export interface RawEvent {
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly stream: string;
  readonly revision: Revision;
  readonly position: string;
  readonly recordedAt: number;
  readonly meta: { readonly [name: string]: string };
  readonly data: Json;
}

export interface ForkRequest {
  readonly at: Revision;
  readonly id: string;
  readonly edits?: readonly PastEdit[];
}
