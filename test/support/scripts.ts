/**
 * What happens to a chart from outside, and what is seen of it: scripts, hosts and traces. Owns the order of steps and
 * observations; what a host is made of is its own affair.
 *
 * S1  Every step is valid in every state: effects are chosen modulo the number of open ones, and a step that finds none
 *     does nothing. So every shrunk script is valid.
 * S2  A host is at rest after each step, and timers due by then have fired.
 * S3  A trace ends with the step that ended the root.
 */
import fc from 'fast-check';
import { externalEvents } from './chart.ts';
import type { EffectAct, EffectView } from './effect-desk.ts';
import { renameSessions, type Json, type TreeView } from './tree-view.ts';

export type Step =
  | { readonly type: 'send'; readonly event: { readonly type: string; readonly n: number } }
  | { readonly type: 'advance'; readonly ms: number }
  /** Resolves or rejects a promise, makes an observable go on or end, or a callback send to its parent. */
  | { readonly type: 'effect'; readonly index: number; readonly act: EffectAct; readonly n: number };

/** A fact that a machine emitted. */
export interface FactView {
  /** When it was emitted, in ms. */
  readonly at: number;
  /** Path of the machine that emitted it. */
  readonly from: string;
  readonly event: Json;
}

/** A timer that has not fired, in order of (due, armed). */
export interface TimerView {
  readonly source: string;
  readonly target: string;
  readonly event: string;
  readonly dueAt: number;
  /** The id that the machine gave it; ids that a host makes up are left out. */
  readonly id?: string;
}

/** A timer's id, if a chart gave it. */
export function givenTimerId(id: string): { id: string } | Record<never, never> {
  return /^t\d$|^xstate\.after\./.test(id) ? { id } : {};
}

/** All that a host shows at rest. */
export interface View {
  readonly at: number;
  readonly tree: TreeView;
  /** Facts of all machines since the start, in order. */
  readonly facts: readonly FactView[];
  readonly effects: readonly EffectView[];
  readonly timers: readonly TimerView[];
  /** How often each custom action ran. */
  readonly customs: Readonly<Record<string, number>>;
}

/** Something that runs a chart: plain XState or a runtime. Every method resolves at rest. */
export interface Host {
  start(): Promise<void>;
  send(event: { readonly type: string; readonly n: number }): Promise<void>;
  /** Moves the time on, firing timers one deadline after the other. */
  advance(ms: number): Promise<void>;
  /** Acts on an open effect: see EffectDesk.act. Answers what it acted on. */
  act(index: number, act: EffectAct, n: number): Promise<EffectView | undefined>;
  observe(): View;
  close(): Promise<void>;
}

/** What was seen after one step. */
export interface TraceRow extends View {
  readonly step: string;
}

export type Trace = readonly TraceRow[];

const n = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('send' as const), event: eventOf() }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('advance' as const), ms: fc.constantFrom(10, 5, 20, 15, 40, 7) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('effect' as const),
      index: fc.nat(7),
      act: fc.constantFrom<EffectAct[]>('value', 'value', 'value', 'error', 'complete'),
      n,
    }),
  },
);

function eventOf() {
  return fc.record({ type: fc.constantFrom(...externalEvents, ...externalEvents, 'a.x', 'b.y'), n });
}

/** Scripts of up to `stepsMax` steps; any script fits any chart. */
export function scripts(stepsMax = 20): fc.Arbitrary<readonly Step[]> {
  return fc.noBias(fc.array(step, { minLength: 1, maxLength: stepsMax, size: 'max' }));
}

/** Starts the host, runs the script and writes down what is seen after each step. */
export async function runScript(host: Host, script: readonly Step[]): Promise<Trace> {
  const rows: TraceRow[] = [];
  await host.start();
  await host.advance(0);
  rows.push({ step: 'start', ...host.observe() });
  for (const next of script) {
    if (rows.at(-1)!.tree.status !== 'active') break;
    const label = await perform(host, next);
    // A timer that was armed without delay is due already.
    await host.advance(0);
    rows.push({ step: label, ...host.observe() });
  }
  await host.close();
  return renameSessions(rows.map(withOwnFacts));
}

/** Facts are told as they come: a row holds those that are new. */
function withOwnFacts(row: TraceRow, index: number, rows: readonly TraceRow[]): TraceRow {
  return { ...row, facts: row.facts.slice(rows[index - 1]?.facts.length ?? 0) };
}

async function perform(host: Host, step: Step): Promise<string> {
  switch (step.type) {
    case 'send':
      await host.send(step.event);
      return `send ${step.event.type} ${step.event.n}`;
    case 'advance':
      await host.advance(step.ms);
      return `advance ${step.ms}`;
    case 'effect': {
      const effect = await host.act(step.index, step.act, step.n);
      return effect ? `${step.act} ${step.n} to ${effect.kind} ${effect.path}` : 'no open effect';
    }
  }
}
