/**
 * The paths through a machine, as scripts for a run. Owns their form; they are found by xstate/graph on the graph of
 * model-graph.ts.
 */
import { getShortestPaths, getSimplePaths } from 'xstate/graph';
import type { AnyStateMachine, SnapshotFrom } from 'xstate';
import { InvalidArgumentError } from '../errors.ts';
import { ModelGraph, type GraphOptions } from './model-graph.ts';
import { describeStep, type ModelScript, type ModelStep } from './model-step.ts';

/** Which paths there are to be, and over which graph. */
export interface PathsOptions<Machine extends AnyStateMachine = AnyStateMachine> extends GraphOptions<Machine> {
  /** One shortest path to each state (`shortest`, when omitted), or all that visit no state twice (`simple`). */
  readonly kind?: 'shortest' | 'simple';
}

/** A path from the start of a machine to a state of it. It is a script, too: what is sent when, and what effects answer. */
export interface ModelPath<Machine extends AnyStateMachine = AnyStateMachine> extends ModelScript {
  /** Where it leads. */
  readonly state: SnapshotFrom<Machine>;
  readonly steps: readonly ModelStep[];
  /** Its steps in words. */
  readonly description: string;
}

/**
 * Paths to all states of a machine: events, outcomes of its effects, and delays.
 * @throws UnboundedModelError where there are too many states or paths
 * @throws InvalidArgumentError for options that cannot work
 *
 * @example
 * for (const { events, effects, state } of paths(order, { outcomes: { charge: [{ output: 'ok' }, { error: declined }] } })) …
 */
export function paths<Machine extends AnyStateMachine>(
  machine: Machine,
  options: PathsOptions<Machine> = {},
): ModelPath<Machine>[] {
  const { kind = 'shortest' } = options;
  const where = `paths(${machine.id})`;
  if (kind !== 'shortest' && kind !== 'simple') {
    throw InvalidArgumentError.of(`${where}.kind`, "'shortest' or 'simple'", kind);
  }
  const graph = new ModelGraph(machine, options, where);
  const find = kind === 'simple' ? getSimplePaths : getShortestPaths;
  const found = graph.search(() => find(graph.logic, graph.traversal));
  return found.flatMap((path) => {
    const walk = graph.walkAlong(path) ?? (kind === 'shortest' ? graph.walkTo(path.state) : undefined);
    if (!walk) return [];
    const { steps } = walk;
    const description = steps.map(describeStep).join(', ') || 'nothing';
    return { state: walk.snapshot as SnapshotFrom<Machine>, steps, description, ...walk.script };
  });
}
