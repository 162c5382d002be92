/**
 * What is seen of a machine while a script is played: traces. Owns the order of steps and observations, and what of a trace
 * outlives a crash; what a host is made of is its own affair.
 *
 * TC1  A host is at rest after each step, and timers due by then have fired.
 * TC2  A trace ends with the step that ended the root.
 * TC3  A trace is plain JSON, and two hosts that behave alike have the same one.
 */
import type { EffectAct, EffectView } from './effect-desk.ts';
import type { ScriptStep } from './scripts.ts';
import { renameSessions, type Json, type TreeView } from './xstate-view.ts';

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
  /** When it fires, in ms. */
  readonly dueAt: number;
  /** The id that the machine gave it; ids that a host makes up are left out. */
  readonly id?: string;
}

/** All that a host shows at rest. */
export interface View {
  /** The time, in ms. */
  readonly at: number;
  /** State, context, history, output and error of every actor, from the root down. */
  readonly tree: TreeView;
  /** Facts of all machines since the start, in order. */
  readonly facts: readonly FactView[];
  /** Effects that run, by path. */
  readonly effects: readonly EffectView[];
  readonly timers: readonly TimerView[];
  /** How often each custom action ran. */
  readonly customs: Readonly<Record<string, number>>;
}

/** What was seen after one step; of the facts, those that are new. */
export interface TraceRow extends View {
  /** What was done, in words. */
  readonly step: string;
}

/** What was seen after the start and after each step, until the machine had ended. */
export type Trace = readonly TraceRow[];

/** Something that runs a machine: plain XState or a runtime. Every method resolves at rest. */
export interface Host {
  start(): Promise<void>;
  send(event: { readonly type: string; readonly n: number }): Promise<void>;
  /** Moves the time on, firing timers one deadline after the other. */
  advance(ms: number): Promise<void>;
  /** Acts on an open effect: see EffectDesk.act. Answers what it acted on. */
  act(index: number, act: EffectAct, n: number): Promise<EffectView | undefined>;
  observe(): View;
}

/** Starts the host, plays the script and writes down what is seen after each step. */
export async function playScript(host: Host, script: readonly ScriptStep[]): Promise<Trace> {
  const rows: TraceRow[] = [];
  await host.start();
  await host.advance(0);
  rows.push({ step: 'start', ...host.observe() });
  for (const next of script) {
    if (rows.at(-1)!.tree.status !== 'active') break;
    const step = await perform(host, next);
    // A timer that was armed without delay is due already.
    await host.advance(0);
    rows.push({ step, ...host.observe() });
  }
  return renameSessions(rows.map(withOwnFacts));
}

function withOwnFacts(row: TraceRow, index: number, rows: readonly TraceRow[]): TraceRow {
  return { ...row, facts: row.facts.slice(rows[index - 1]?.facts.length ?? 0) };
}

async function perform(host: Host, step: ScriptStep): Promise<string> {
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

/** A trace without what a crash may change. */
export type DurableTrace = readonly (Omit<TraceRow, 'customs' | 'effects'> & {
  readonly effects: readonly Omit<EffectView, 'heard'>[];
})[];

/**
 * What of a trace outlives crashes, so that a run with crashes can be compared with one without: everything but how often
 * custom actions ran, which is at most once, and what callbacks have heard, as one that is run again has heard nothing yet.
 */
export function durableTrace(trace: Trace): DurableTrace {
  return trace.map(({ customs: _, effects, ...row }) => ({
    ...row,
    effects: effects.map(({ path, kind }) => ({ path, kind })),
  }));
}
