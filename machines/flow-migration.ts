/**
 * A flow that has ended, taken into another version of it. Owns what of the old one counts in the new one.
 *
 * FM1  A step that is finished and is still there under its name stays finished, with its result; everything else is to be done.
 */
import { InvalidArgumentError, type Migrate } from 'rewake';
import type { AnyStateMachine } from 'xstate';
import { progressOfFlow, type FlowContext } from './flow-state.ts';
import { takesProgress, withProgress } from './progress.ts';

const endings: readonly unknown[] = ['failed', 'aborted', 'succeeded'];

/**
 * Takes a flow that failed, was aborted or is done into this version of it, when it is resumed. Steps are known by their
 * names: rename one, and it is done again.
 *
 * @example
 * const runtime = await createRuntime({ log, machines: { order: [orderV2, orderV1] } });
 * await runtime.resume('order-42', { migrate: flowMigration(orderV2) });
 * @throws InvalidArgumentError, when it is used, for what is no flow, or for one that runs
 */
export function flowMigration(flow: unknown): Migrate {
  if (!takesProgress(flow as AnyStateMachine)) throw InvalidArgumentError.of('flowMigration(flow)', 'a flow', flow);
  const begin = (flow as AnyStateMachine).config.context as (args: { input: unknown }) => FlowContext;
  return ({ value, context: old }) => {
    if (!endings.includes(value))
      throw InvalidArgumentError.of('flowMigration(flow)', 'to migrate a flow that has ended', value);
    const was = old as FlowContext;
    const { phases, ...progress } = progressOfFlow(was);
    // A phase that was over may have another step now.
    const open = Object.entries(phases).map(([id, phase]) => [id, { ...phase, status: 'pending' as const }] as const);
    const context = begin({ input: withProgress(was.input, { ...progress, phases: Object.fromEntries(open) }) });
    const completed = context.completed.filter((step) => context.steps[step] !== undefined);
    return { value: 'failed', context: { ...context, completed } };
  };
}
