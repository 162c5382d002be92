/**
 * What `recoveryMetrics` adds up, and how two of its states become one. Owns the merge; it is in no fold, because only what runs here merges.
 *
 * RS1  Merging is associative, and a state that is empty changes nothing. Runs that go on belong to one stream, so those of
 *      streams that were folded apart never meet; where they do, the later ones stand.
 */
import type { TimeMs } from 'rewake';
import { foldKit, type Shelves } from './fold-kit.ts';

/** What is added up of one place. */
export interface RecoverySums {
  readonly succeeded: number;
  readonly failed: number;
  readonly stopped: number;
  readonly failures: number;
  readonly calls: number;
  readonly retried: number;
  readonly fallbacks: number;
  readonly recovered: number;
  readonly recoveryMs: number;
}

/** What a run in which something failed has come to, until it ends. */
export interface OpenRun {
  /** Time of its first failure; null while there is none. */
  readonly since: TimeMs | null;
  readonly retried: boolean;
  readonly fallback: boolean;
  /** Of a step of a flow, its name there. */
  readonly step: string | null;
  readonly flow: string | null;
  /** Of a step of a flow, whether its last call was counted as failed because a handler was there for it. */
  readonly handled: boolean;
}

/** Sums by place and by tool, the names that were told at places, and the runs that go on, by stream. */
export interface RecoveryMetricsState {
  readonly places: Shelves<RecoverySums>;
  readonly tools: Shelves<RecoverySums>;
  readonly names: Shelves<Readonly<Record<string, number>>>;
  readonly open: Shelves<Readonly<Record<string, OpenRun>>>;
}

type Numbers = Readonly<Record<string, number>>;

const { merged } = foldKit();

/** What was folded of two parts of a log, as if folded of both. */
export function mergedMetrics(x: RecoveryMetricsState, y: RecoveryMetricsState): RecoveryMetricsState {
  return {
    places: merged(x.places, y.places, sumOf),
    tools: merged(x.tools, y.tools, sumOf),
    names: merged(x.names, y.names, addUp),
    open: merged(x.open, y.open, (_, later) => later),
  };
}

function sumOf(x: RecoverySums, y: RecoverySums): RecoverySums {
  return addUp({ ...x }, { ...y }) as unknown as RecoverySums;
}

function addUp(x: Numbers, y: Numbers): Numbers {
  const total: Record<string, number> = { ...x };
  for (const [key, value] of Object.entries(y)) total[key] = (total[key] ?? 0) + value;
  return total;
}
