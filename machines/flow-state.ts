/**
 * What a flow remembers, and how it changes: pure functions that the chart of flow-chart.ts calls by name. Owns the context,
 * and which step may run, is held, or is done again.
 *
 * FS1  A step is ready when all it needs is done or skipped, and runs when fewer than `concurrency` do; in order.
 * FS2  Once a step failed no other one begins, until the failure is recovered.
 * FS3  What is finished stays finished, with its result, until somebody goes back to it or to what it needs.
 * FS4  What a function of the user throws is what its step fails with (PM2).
 */
import { InvalidArgumentError, type ResumeRequested } from 'rewake';
import { dependentsOf, type FlowPlan, type PlannedPhase, type PlannedStep } from './flow-plan.ts';
import type { HandlerScope } from './handler-facts.ts';
import { callsBy } from './handling-state.ts';
import { openedProgress, progressOf } from './progress.ts';
import type { RecoveryActionData } from './recovery-actions.ts';

/** How far a step is. Waiting means for a person, or until its next try. */
export type FlowStepStatus = 'pending' | 'ready' | 'running' | 'waiting' | 'done' | 'skipped' | 'failed' | 'undone';

/** What is to be done about an error, and who decided so. */
export interface FlowDecision {
  readonly scope: HandlerScope;
  /** Name of the step, the phase or the flow. */
  readonly subject: string;
  readonly handler: string;
  readonly action: RecoveryActionData;
  /** What was handled. */
  readonly error: unknown;
  /** Calls that were made of what the handler runs, where that is known. */
  readonly attempts: number;
  /** A person chose it. */
  readonly isChosen?: true;
}

/** What is known of a step. Plain data. */
export interface FlowStepState {
  readonly status: FlowStepStatus;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
  /** What was finished of it before it failed; of a sub-flow, and of a step for each item. */
  readonly progress?: unknown;
  /** What its handlers decided that the flow carries out. */
  readonly decision?: FlowDecision;
  /** The fallback of its phase stands for it. */
  readonly replaced?: true;
}

/** What is known of a phase. */
export interface FlowPhaseState {
  readonly status: 'pending' | 'begun' | 'completed';
  /** What stands for it, where a handler of the phase fell back on something. */
  readonly fallback?: { readonly output: unknown };
}

/** What a flow remembers. Plain data. */
export interface FlowContext {
  readonly input: unknown;
  readonly steps: Readonly<Record<string, FlowStepState>>;
  readonly phases: Readonly<Record<string, FlowPhaseState>>;
  /** Steps that are done, in the order in which they were. */
  readonly completed: readonly string[];
  /** What goes outward at the moment. */
  readonly failure: { readonly step: string; readonly error: unknown } | null;
  /** What is being carried out about it. */
  readonly decision: FlowDecision | null;
  /** Calls by handlers' count: of each scope, by handler. */
  readonly calls: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Cleanups that were begun. */
  readonly cleanups: number;
  readonly notUndone: readonly { readonly step: string; readonly error: unknown }[];
  /** What the flow gives, once that is known. */
  readonly output: { readonly value: unknown } | null;
}

/** What is finished of a flow. Plain data. */
export type FlowProgress = Pick<FlowContext, 'steps' | 'phases' | 'completed'>;

const pending: FlowStepState = { status: 'pending' };

/** A flow begins; where it is called again, with what is finished. */
export function flowBegun(plan: FlowPlan, given: unknown): FlowContext {
  const { input, progress } = openedProgress(given);
  const known = progress as FlowProgress | undefined;
  return {
    input,
    steps: Object.fromEntries(plan.steps.map(({ id }) => [id, ownOf(known?.steps, id) ?? pending])),
    phases: Object.fromEntries(plan.phases.map(({ id }) => [id, ownOf(known?.phases, id) ?? { status: 'pending' }])),
    completed: known?.completed ?? [],
    ...{ failure: null, decision: null, calls: {}, cleanups: 0, notUndone: [], output: null },
  };
}

/** What there is under a name, also under one that every object knows. */
function ownOf<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** What is finished of a flow, and of the steps that are not. */
export function progressOfFlow({ steps, phases, completed }: FlowContext): FlowProgress {
  const kept = Object.entries(steps).flatMap(([id, step]) => {
    if (isFinished(step)) return [[id, step] as const];
    return step.progress === undefined ? [] : [[id, { ...pending, progress: step.progress }] as const];
  });
  return { steps: Object.fromEntries(kept), phases, completed };
}

/** What the steps gave so far, by name; and by the name of a phase what stands for it. */
export function resultsOf({ steps, phases }: FlowContext): Readonly<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  for (const [id, step] of Object.entries(steps)) if (isFinished(step)) results[id] = step.output;
  for (const [id, { fallback }] of Object.entries(phases)) if (fallback) results[id] = fallback.output;
  return results;
}

function isFinished({ status }: FlowStepState): boolean {
  return status === 'done' || status === 'skipped';
}

export function isSettled({ steps }: FlowContext, { needs }: PlannedStep): boolean {
  return needs.every((need) => isFinished(steps[need]!));
}

/** Whether the step is wanted. @throws what the user's function throws */
export function isWanted(context: FlowContext, { when }: PlannedStep): boolean {
  return when === undefined || Boolean(when({ input: context.input, results: resultsOf(context) }));
}

/** What the step is to be given; of one with `forEach` the list of it. @throws what the user's function throws */
export function inputFor(context: FlowContext, { id, input: map, forEach }: PlannedStep): unknown {
  const { input } = context;
  const results = resultsOf(context);
  if (forEach === undefined) return map ? map({ input, results, item: undefined, index: 0 }) : input;
  // A step that was skipped gave no list.
  const items = results[forEach] ?? [];
  if (!Array.isArray(items))
    throw InvalidArgumentError.of(`result of '${forEach}', for each of which '${id}' is done`, 'a list', items);
  return items.map((item: unknown, index) => (map ? map({ input, results, item, index }) : item));
}

/** Whether it is its turn (FS1). */
export function hasTurn({ steps }: FlowContext, plan: FlowPlan, id: string): boolean {
  let turns = turnsOf.get(steps);
  if (!turns) {
    const withStatus = (status: FlowStepStatus) => plan.steps.filter((step) => steps[step.id]!.status === status);
    const free = Math.max(0, plan.concurrency - withStatus('running').length);
    turns = new Set(
      withStatus('ready')
        .slice(0, free)
        .map((step) => step.id),
    );
    turnsOf.set(steps, turns);
  }
  return turns.has(id);
}

/** Every step that is ready asks for the same state; with hundreds of them it counts that they are counted once. */
const turnsOf = new WeakMap<FlowContext['steps'], ReadonlySet<string>>();

function withStep({ steps }: FlowContext, id: string, change: Partial<FlowStepState>): Pick<FlowContext, 'steps'> {
  return { steps: { ...steps, [id]: { ...steps[id]!, ...change } } };
}

function stepAs({ steps }: FlowContext, id: string, step: FlowStepState): Pick<FlowContext, 'steps'> {
  return { steps: { ...steps, [id]: step } };
}

export function stepPrepared(context: FlowContext, step: PlannedStep): Partial<FlowContext> {
  return withStep(context, step.id, { status: 'ready', input: inputFor(context, step) });
}

export function stepBegun(context: FlowContext, id: string): Partial<FlowContext> {
  return withStep(context, id, { status: 'running' });
}

/** It could have begun, and does not (FS2). */
export function stepPutBack(context: FlowContext, id: string): Partial<FlowContext> {
  const { progress } = context.steps[id]!;
  return stepAs(context, id, progress === undefined ? pending : { ...pending, progress });
}

export function stepDone(context: FlowContext, id: string, output: unknown): Partial<FlowContext> {
  const { input } = context.steps[id]!;
  return { ...stepAs(context, id, { status: 'done', input, output }), completed: [...context.completed, id] };
}

export function stepSkipped(context: FlowContext, id: string, value: unknown): Partial<FlowContext> {
  return stepAs(context, id, { status: 'skipped', output: value });
}

/** A step failed. The first one that did is what goes outward, unless handlers of another have decided about it. */
export function stepFailed(
  context: FlowContext,
  id: string,
  error: unknown,
  decision?: FlowDecision,
): Partial<FlowContext> {
  const { input } = context.steps[id]!;
  const progress = progressOf(error);
  const failed: FlowStepState = { status: 'failed', input, error, ...(progress !== undefined && { progress }) };
  const takesOver = decision !== undefined && context.decision === null;
  return {
    ...stepAs(context, id, failed),
    ...((takesOver || context.failure === null) && { failure: { step: id, error } }),
    ...(takesOver && { decision }),
  };
}

/** Handlers of a step decided on something that the flow carries out. */
export function stepDecided(context: FlowContext, id: string, decision: FlowDecision): Partial<FlowContext> {
  const progress = progressOf(decision.error) ?? context.steps[id]!.progress;
  return withStep(context, id, { status: 'waiting', decision, ...(progress !== undefined && { progress }) });
}

/** What a person chose takes the place of the question; the error goes on where nobody did. */
export function chosen(decision: FlowDecision, choice: string | null): FlowDecision {
  const { choices } = decision.action as RecoveryActionData & { readonly type: 'intervene' };
  const action = choice !== null && Object.hasOwn(choices, choice) ? choices[choice]! : ({ type: 'escalate' } as const);
  return { ...decision, action, isChosen: true };
}

/** The calls of a scope, by handler. */
export function callsOf(
  { calls }: FlowContext,
  { scope, subject }: Pick<FlowDecision, 'scope' | 'subject'>,
): Readonly<Record<string, number>> {
  return calls[`${scope} ${subject}`] ?? {};
}

export function callCounted(
  context: FlowContext,
  { scope, subject, handler }: FlowDecision,
): Pick<FlowContext, 'calls'> {
  const counted = callsOf(context, { scope, subject });
  return {
    calls: { ...context.calls, [`${scope} ${subject}`]: { ...counted, [handler]: callsBy(counted, handler) + 1 } },
  };
}

/** Steps that failed begin anew; where the whole flow is called again, its phases count their calls anew, too. */
export function failedAgain(context: FlowContext, plan: FlowPlan, scope: HandlerScope): Partial<FlowContext> {
  const { calls } = context;
  const outer = Object.entries(calls).filter(([key]) => scope !== 'workflow' || !key.startsWith('phase '));
  return { ...again(context, plan, new Set()), calls: Object.fromEntries(outer) };
}

/** A step and all that depends on it begin anew, and what failed. */
export function goneBack(context: FlowContext, plan: FlowPlan, from: string): Partial<FlowContext> {
  return again(context, plan, dependentsOf(plan, from));
}

/** Steps that failed are left out, with this value in the place of what they did not give. */
export function failedSkipped(context: FlowContext, value: unknown): Partial<FlowContext> {
  const steps = Object.entries(context.steps).map(([id, step]): [string, FlowStepState] => [
    id,
    step.status === 'failed' ? { status: 'skipped', output: value } : step,
  ]);
  return { steps: Object.fromEntries(steps), failure: null, decision: null };
}

/** Something stands for a phase: what is not finished of it is left out. */
export function phaseReplaced(
  context: FlowContext,
  plan: FlowPlan,
  phase: string,
  output: unknown,
): Partial<FlowContext> {
  const left = new Set(unfinishedOf(context, plan, phase));
  const steps = Object.entries(context.steps).map(([id, step]): [string, FlowStepState] => [
    id,
    left.has(id) ? { status: 'skipped', output: undefined, replaced: true } : step,
  ]);
  return {
    steps: Object.fromEntries(steps),
    phases: { ...context.phases, [phase]: { ...context.phases[phase]!, fallback: { output } } },
    failure: null,
    decision: null,
  };
}

/** Steps that are not finished, in order. */
export function unfinishedOf({ steps }: FlowContext, plan: FlowPlan, phase?: string): string[] {
  const own = plan.steps.filter((step) => phase === undefined || step.phase === phase);
  return own.filter(({ id }) => !isFinished(steps[id]!)).map(({ id }) => id);
}

export function phaseAs(
  { phases }: FlowContext,
  id: string,
  status: FlowPhaseState['status'],
): Pick<FlowContext, 'phases'> {
  return { phases: { ...phases, [id]: { ...phases[id]!, status } } };
}

/** The first phase that is not over; undefined where all are. */
export function nextPhase({ phases }: FlowContext, plan: FlowPlan): string | undefined {
  return plan.phases.find(({ id }) => phases[id]!.status !== 'completed')?.id;
}

/** Whether a resume makes sense: an ended flow goes on where it stopped, or from a step that it has. */
export function canResume(event: ResumeRequested, plan: FlowPlan): boolean {
  return event.from === undefined || plan.steps.some(({ id }) => id === event.from);
}

/** A flow that ended goes on: all counts begin anew. */
export function flowResumed(
  context: FlowContext,
  plan: FlowPlan,
  { from, input }: ResumeRequested,
): Partial<FlowContext> {
  const goesOn = again(context, plan, from === undefined ? new Set() : dependentsOf(plan, from));
  const steps = { ...goesOn.steps };
  // Another input may make another list.
  if (input !== undefined)
    for (const { id, forEach } of plan.steps) if (forEach && !isFinished(steps[id]!)) steps[id] = pending;
  return { ...goesOn, steps, ...(input !== undefined && { input }), calls: {}, cleanups: 0, notUndone: [] };
}

/** The newest step that is done and can be taken back, and was not tried yet. */
export function nextToUndo({ completed, notUndone }: FlowContext, plan: FlowPlan): string | undefined {
  const canBe = (id: string) =>
    plan.steps.find((step) => step.id === id)!.hasUndo && !notUndone.some(({ step }) => step === id);
  return completed.findLast(canBe);
}

export function stepUndone(context: FlowContext, id: string): Partial<FlowContext> {
  return { ...stepAs(context, id, { status: 'undone' }), completed: context.completed.filter((each) => each !== id) };
}

/**
 * Steps of this set forget what they gave, and so does what stood for their phases; the others that are not finished begin
 * anew. A phase begins again where it was over, or where one before it does.
 */
function again(context: FlowContext, plan: FlowPlan, redone: ReadonlySet<string>): Partial<FlowContext> {
  const { steps, phases } = context;
  const reopened = plan.phases.filter((phase) => phase.steps.some(({ id }) => redone.has(id))).map(({ id }) => id);
  const stepAgain = ({ id, phase }: PlannedStep): FlowStepState => {
    const step = steps[id]!;
    if (redone.has(id) || (step.replaced && reopened.includes(phase))) return pending;
    if (isFinished(step)) return step;
    return step.progress === undefined ? pending : { ...pending, progress: step.progress };
  };
  const next = Object.fromEntries(plan.steps.map((step) => [step.id, stepAgain(step)]));
  const phaseAgain = ({ id, steps: own }: PlannedPhase): FlowPhaseState => {
    const { status, ...rest } = phases[id]!;
    if (reopened.includes(id)) return { status: status === 'begun' && id === reopened[0] ? 'begun' : 'pending' };
    const isOver = status === 'completed' && own.every((step) => isFinished(next[step.id]!));
    return { ...rest, status: status === 'completed' && !isOver ? 'pending' : status };
  };
  return {
    steps: next,
    phases: Object.fromEntries(plan.phases.map((phase) => [phase.id, phaseAgain(phase)])),
    completed: context.completed.filter((id) => !redone.has(id)),
    ...{ failure: null, decision: null, output: null },
  };
}
