/**
 * `flow`: steps that need each other, in phases, with error handlers at every scope, and a resume that does nothing twice.
 * Owns how a definition becomes a machine; the chart is flow-chart.ts, the options flow-options.ts.
 */
import type { AnyActorLogic } from 'xstate';
import { approval } from './approval.ts';
import { approvalPolicy, type ApprovalOptions } from './approval-options.ts';
import { flowChart } from './flow-chart.ts';
import type { FlowEvent, FlowFact } from './flow-facts.ts';
import type { FlowOptions, FlowResults, FlowRun } from './flow-options.ts';
import { handlingKey, interventionKey, logicKey, pathKey, undoKey, type OfScope } from './flow-names.ts';
import { flowPlan, type FlowDefinition, type FlowPlan } from './flow-plan.ts';
import { requireReferences } from './flow-references.ts';
import type { FlowContext } from './flow-state.ts';
import { stepLogic, type StepLogic } from './flow-step.ts';
import type { HandlerFact } from './handler-facts.ts';
import type { Handler } from './handler.ts';
import { handling, logicsOf } from './handling.ts';
import type { PolicyMachine } from './policy-machine.ts';
import { noteProgress, takesProgress } from './progress.ts';

/** A flow: an XState machine from its input to its output. */
export type FlowMachine<Input, Output> = PolicyMachine<FlowContext, Input, Output, FlowFact | HandlerFact, FlowEvent>;

/**
 * Makes a machine of steps: each begins when those it needs are done, as many side by side as `concurrency` allows. What
 * fails goes to the handlers of the step, of its phase, of the flow; what ended is resumed where it stopped.
 *
 * @example
 * const order = flow('order', {
 *   input: type<{ sku: string; amount: number }>(),
 *   steps: {
 *     reserve: { run: reserveStock, input: ({ input }) => input.sku, undo: releaseStock },
 *     charge: { run: chargeCard, needs: ['reserve'], input: ({ input }) => input.amount, retry: 3 },
 *   },
 *   onFailure: [handler({ id: 'declined', when: 'CardDeclinedError', then: abort() })],
 *   output: ({ results }) => results.charge,
 * });
 * @throws InvalidArgumentError for a cycle, a need that is not there, a step in two phases or in none, and wrong options
 */
export function flow<
  Input,
  Runs extends Readonly<Record<string, FlowRun>>,
  Needs extends Readonly<Record<string, unknown>>,
  Lists extends Readonly<Record<string, unknown>>,
  Handled extends Readonly<Record<string, unknown>>,
  Output = FlowResults<Runs, Lists, Handled>,
>(name: string, options: FlowOptions<Input, Runs, Needs, Lists, Handled, Output>): FlowMachine<Input, Output> {
  const definition = options as unknown as FlowDefinition;
  const plan = flowPlan(name, definition);
  if (definition.interventions !== undefined) approvalPolicy(interventionName(name), definition.interventions);
  const around = { path: `flow('${name}')`, paths: plan.paths, facts: plan.facts };
  const steps = Object.fromEntries(
    plan.steps.map(({ id }) => [id, stepLogic(id, definition.steps[id]!, around)] as const),
  );
  const there = { steps: plan.steps.map(({ id }) => id), paths: Object.keys(plan.paths) };
  requireReferences(plan.handlers, there, `${around.path}.onFailure`);
  for (const [index, { handlers }] of plan.phases.entries())
    requireReferences(handlers, there, `${around.path}.phases[${index}].onFailure`);
  for (const { id } of plan.steps) {
    requireReferences(steps[id]!.handlers.command, there, `${around.path}.steps.${id}.onCommandFailure`);
    requireReferences(steps[id]!.handlers.step, there, `${around.path}.steps.${id}.onFailure`);
  }
  const inner = plan.steps.flatMap(({ id }) => Object.values(steps[id]!.handlers).filter((each) => each.length > 0));
  const handled = inner.length + plan.handlers.length + plan.phases.flatMap(({ handlers }) => handlers).length > 0;
  const asks = handled || Object.values(steps).some(({ logic }) => takesProgress(logic));
  const actors = actorsOf(plan, steps, handled ? (definition.interventions ?? {}) : undefined);
  const machine = flowChart({ plan, steps, actors, handled, asks }) as unknown as FlowMachine<Input, Output>;
  noteProgress(machine as unknown as AnyActorLogic);
  return machine;
}

/** What a flow invokes: its steps, their undos, what handlers run and fall back on, and the question to a person. */
function actorsOf(
  plan: FlowPlan,
  steps: Readonly<Record<string, StepLogic>>,
  interventions: ApprovalOptions | undefined,
): Readonly<Record<string, AnyActorLogic>> {
  const { name, facts, paths } = plan;
  const options = { facts, paths };
  const named = (of: OfScope, handlers: readonly Handler[]) =>
    Object.entries(logicsOf(handlers)).map(([logic, each]) => [logicKey(of, logic), each] as const);
  const actors: (readonly [string, AnyActorLogic])[] = Object.entries(steps).flatMap(
    ([id, { logic, handlers, undo }]) => [
      [id, logic] as const,
      ...named({ scope: 'command', subject: id }, handlers.command),
      ...named({ scope: 'step', subject: id }, handlers.step),
      ...(undo ? [[undoKey(id), undo] as const] : []),
    ],
  );
  for (const { id, handlers } of plan.phases) {
    if (handlers.length === 0) continue;
    actors.push([handlingKey(id), handling('phase', handlers, options) as AnyActorLogic]);
    actors.push(...named({ scope: 'phase', subject: id }, handlers));
  }
  if (plan.handlers.length > 0) {
    actors.push([handlingKey(), handling('workflow', plan.handlers, options) as AnyActorLogic]);
    actors.push(...named({ scope: 'workflow', subject: name }, plan.handlers));
  }
  if (interventions) {
    for (const [path, logic] of Object.entries(paths)) actors.push([pathKey(path), logic]);
    actors.push([interventionKey, approval(interventionName(name), interventions) as AnyActorLogic]);
  }
  return Object.fromEntries(actors);
}

/** What a question to a person is called. */
function interventionName(flowName: string): string {
  return `intervention of ${flowName}`;
}
