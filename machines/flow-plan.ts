/**
 * A flow as it was defined, checked: which steps there are, in which phase, and which need which. Owns the checks and the
 * questions about the order; what runs is flow-chart.ts.
 *
 * FP1  A wrong flow is an InvalidArgumentError that names the path, when it is defined: a cycle, a need that is not there or
 *      comes in a later phase, a step in two phases or in none.
 * FP2  Steps are counted in the order in which they are written, phase by phase.
 */
import { InvalidArgumentError } from 'rewake';
import type { AnyActorLogic } from 'xstate';
import { requireHandlers, type Handler } from './handler.ts';
import {
  requireBoolean,
  requireChartName,
  requireFunction,
  requireKnown,
  requireLogic,
  requireName,
  wholeNumber,
} from './options.ts';

/** A step as its definition says, without types. */
export interface StepDefinition {
  readonly run: unknown;
  readonly needs?: readonly string[];
  readonly forEach?: string;
  readonly when?: (args: never) => unknown;
  readonly input?: (args: never) => unknown;
  readonly concurrency?: number;
  readonly onCommandFailure?: readonly Handler[];
  readonly onFailure?: readonly Handler[];
  readonly undo?: unknown;
}

/** The options of a flow, without types. */
export interface FlowDefinition {
  readonly input?: unknown;
  readonly steps: Readonly<Record<string, StepDefinition>>;
  readonly phases?: readonly {
    readonly id: string;
    readonly steps: readonly string[];
    readonly onFailure?: readonly Handler[];
  }[];
  readonly onFailure?: readonly Handler[];
  readonly concurrency?: number;
  readonly output?: (args: never) => unknown;
  readonly paths?: Readonly<Record<string, AnyActorLogic>>;
  readonly interventions?: object;
  readonly facts?: boolean;
  readonly version?: string;
}

/** A step and its place. */
export interface PlannedStep {
  readonly id: string;
  readonly phase: string;
  /** What it needs, the list it goes through included. */
  readonly needs: readonly string[];
  readonly forEach: string | undefined;
  readonly when: ((args: unknown) => unknown) | undefined;
  readonly input: ((args: unknown) => unknown) | undefined;
  readonly hasUndo: boolean;
}

/** A phase and its handlers. */
export interface PlannedPhase {
  readonly id: string;
  readonly steps: readonly PlannedStep[];
  readonly handlers: readonly Handler[];
}

/** A flow that can be run. */
export interface FlowPlan {
  readonly name: string;
  readonly phases: readonly PlannedPhase[];
  /** All of them, in order (FP2). */
  readonly steps: readonly PlannedStep[];
  readonly handlers: readonly Handler[];
  readonly concurrency: number;
  readonly output: ((args: unknown) => unknown) | undefined;
  readonly paths: Readonly<Record<string, AnyActorLogic>>;
  readonly facts: boolean;
  readonly version: string | undefined;
}

/** States of a flow that no phase can be called like. */
const ownStates = [
  ...[
    'resuming',
    'deciding',
    'escalating',
    'waiting',
    'fallingBack',
    'intervening',
    'cleaning',
    'undoing',
    'finishing',
  ],
  ...['succeeded', 'failed', 'aborted'],
];

/** The state in which the handlers of a phase run, or those of the flow. */
export function handlingState(phase?: string): string {
  return phase === undefined ? 'handling workflow' : `handling phase ${phase}`;
}

function isReserved(id: string): boolean {
  return ownStates.includes(id) || id.startsWith('handling ');
}

const optionNames = [
  'input',
  'steps',
  'phases',
  'onFailure',
  'concurrency',
  'output',
  'paths',
  'interventions',
  'facts',
  'version',
];
const phaseNames = ['id', 'steps', 'onFailure'];

/** @throws InvalidArgumentError for a flow that cannot work (FP1) */
export function flowPlan(name: string, options: FlowDefinition): FlowPlan {
  const path = `flow('${requireName(name, 'flow(name)')}')`;
  requireKnown(options, optionNames, path);
  const { steps, onFailure = [], concurrency = 10, output, paths = {}, facts = true, version } = options;
  requireKnown(steps, Object.keys(steps ?? {}), `${path}.steps`);
  if (Object.keys(steps).length === 0) throw InvalidArgumentError.of(`${path}.steps`, 'at least one step', steps);
  requireHandlers(onFailure, `${path}.onFailure`);
  requireFunction(output, `${path}.output`);
  requireKnown(paths, Object.keys(paths), `${path}.paths`);
  for (const [each, logic] of Object.entries(paths)) requireLogic(logic, `${path}.paths.${each}`);
  const phases = phasesOf(options, path);
  const plan = {
    ...{ name, phases, steps: phases.flatMap((phase) => phase.steps), handlers: onFailure, output, paths },
    concurrency: wholeNumber(concurrency, `${path}.concurrency`, 1),
    facts: requireBoolean(facts, `${path}.facts`),
    version: version === undefined ? undefined : requireName(version, `${path}.version`),
  };
  requireOrder(plan.phases, path);
  return Object.freeze(plan) as FlowPlan;
}

function phasesOf({ steps, phases }: FlowDefinition, path: string): PlannedPhase[] {
  const ids = Object.keys(steps);
  for (const id of ids) checkStep(id, steps, `${path}.steps.${id}`);
  if (phases === undefined) return [planned({ id: 'main', steps: ids }, steps)];
  if (!Array.isArray(phases) || phases.length === 0) {
    throw InvalidArgumentError.of(`${path}.phases`, 'a list of at least one phase', phases);
  }
  const placed = new Map<string, string>();
  const seen = new Set<string>();
  for (const [index, phase] of phases.entries()) {
    const at = `${path}.phases[${index}]`;
    requireKnown(phase, phaseNames, at);
    const { id, steps: own, onFailure = [] } = phase as NonNullable<FlowDefinition['phases']>[number];
    requireChartName(id, `${at}.id`);
    if (seen.has(id) || ids.includes(id) || isReserved(id)) {
      throw InvalidArgumentError.of(`${at}.id`, 'an id that no other phase, no step and no state of a flow has', id);
    }
    seen.add(id);
    if (!Array.isArray(own) || own.length === 0)
      throw InvalidArgumentError.of(`${at}.steps`, 'a list of at least one step', own);
    requireHandlers(onFailure, `${at}.onFailure`);
    for (const [place, step] of (own as readonly string[]).entries()) {
      if (!ids.includes(step))
        throw InvalidArgumentError.of(`${at}.steps[${place}]`, `one of the steps ${ids.join(', ')}`, step);
      if (placed.has(step)) {
        throw InvalidArgumentError.of(
          `${at}.steps[${place}]`,
          `each step once, and '${step}' is in ${placed.get(step)}`,
          step,
        );
      }
      placed.set(step, `phase '${id}'`);
    }
  }
  const left = ids.find((id) => !placed.has(id));
  if (left !== undefined)
    throw InvalidArgumentError.of(`${path}.phases`, `every step in a phase, and '${left}' is in none`, phases);
  return phases.map((phase) => planned(phase, steps));
}

function planned(
  { id, steps: own, onFailure = [] }: NonNullable<FlowDefinition['phases']>[number],
  steps: FlowDefinition['steps'],
): PlannedPhase {
  const inPhase = own.map((step): PlannedStep => {
    const { needs = [], forEach, when, input, undo } = steps[step]!;
    const all = forEach === undefined || needs.includes(forEach) ? needs : [...needs, forEach];
    return {
      id: step,
      phase: id,
      needs: all,
      forEach,
      when: when as never,
      input: input as never,
      hasUndo: undo !== undefined,
    };
  });
  return { id, steps: inPhase, handlers: onFailure };
}

/** What concerns the order; what a step runs is checked where it is made. */
function checkStep(id: string, steps: FlowDefinition['steps'], path: string): void {
  requireChartName(id, path);
  const step = steps[id]!;
  if (typeof step !== 'object' || step === null) throw InvalidArgumentError.of(path, 'a step, such as { run }', step);
  const { needs = [], forEach, when, input, concurrency } = step;
  if (!Array.isArray(needs)) throw InvalidArgumentError.of(`${path}.needs`, 'a list of steps', needs);
  for (const [index, need] of (needs as readonly string[]).entries())
    requireOther(need, id, steps, `${path}.needs[${index}]`);
  if (new Set(needs).size < needs.length) throw InvalidArgumentError.of(`${path}.needs`, 'each step once', needs);
  if (forEach !== undefined) requireOther(forEach, id, steps, `${path}.forEach`);
  if (concurrency !== undefined) {
    wholeNumber(concurrency, `${path}.concurrency`, 1);
    if (forEach === undefined)
      throw InvalidArgumentError.of(`${path}.forEach`, "a step, because 'concurrency' is given", forEach);
  }
  requireFunction(when, `${path}.when`);
  requireFunction(input, `${path}.input`);
}

function requireOther(need: string, id: string, steps: FlowDefinition['steps'], path: string): void {
  if (typeof need === 'string' && need !== id && Object.hasOwn(steps, need)) return;
  const others = Object.keys(steps).filter((other) => other !== id);
  throw InvalidArgumentError.of(
    path,
    others.length > 0 ? `one of the steps ${others.join(', ')}` : 'nothing, for there is no other step',
    need,
  );
}

/** No step waits for itself, and none for what comes in a later phase. */
function requireOrder(phases: readonly PlannedPhase[], path: string): void {
  const steps = new Map(phases.flatMap((phase) => phase.steps.map((step) => [step.id, step] as const)));
  const done = new Set<string>();
  const visit = (id: string, way: readonly string[]): void => {
    if (done.has(id)) return;
    if (way.includes(id)) {
      const cycle = [...way.slice(way.indexOf(id)), id];
      throw new InvalidArgumentError(
        `${path}.steps.${id}.needs: expected steps that do not wait for each other; these do: ${cycle.join(' needs ')}.`,
      );
    }
    for (const need of steps.get(id)!.needs) visit(need, [...way, id]);
    done.add(id);
  };
  for (const id of steps.keys()) visit(id, []);
  const placeOf = (id: string) => phases.findIndex((phase) => phase.id === steps.get(id)!.phase);
  for (const { id, phase, needs } of steps.values()) {
    const late = needs.find((need) => placeOf(need) > placeOf(id));
    if (late === undefined) continue;
    throw new InvalidArgumentError(
      `${path}.steps.${id}.needs: expected steps of phase '${phase}' or an earlier one; '${late}' is in the later phase ` +
        `'${steps.get(late)!.phase}'.`,
    );
  }
}

/** A step, those that depend on it, and those of the phases after its own: what is done again with it. */
export function dependentsOf({ steps, phases }: FlowPlan, from: string): ReadonlySet<string> {
  const placeOf = (phase: string) => phases.findIndex(({ id }) => id === phase);
  const place = placeOf(steps.find(({ id }) => id === from)!.phase);
  const found = new Set([from, ...steps.filter(({ phase }) => placeOf(phase) > place).map(({ id }) => id)]);
  for (let size = 0; size < found.size;) {
    size = found.size;
    for (const { id, needs } of steps) if (needs.some((need) => found.has(need))) found.add(id);
  }
  return found;
}
