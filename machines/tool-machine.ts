/**
 * The chart of a tool's call: the tool, and after it the ones that its policy names, each a step. Owns the order of what
 * follows a failure; what a call remembers is in tool-call.ts, which tools are tried in tool-options.ts.
 *
 * TL1  Which tool runs is a state of the chart: after a crash the running one goes on, never an earlier one.
 * TL2  What a tool's call came to and cost is on the log before the next tool is called.
 * TL3  With fallbacks: an error that leads to no other tool is the machine's own, unchanged; when all failed, the error lists
 *      what each failed with, in order. Without: the error of the tool is the machine's own.
 */
import { now } from 'rewake';
import { assign, emit, sendTo, setup } from 'xstate';
import { errorOf, failing, outputOf, toldWhy, type Ended, type Failed, type PolicyMachine } from './policy-machine.ts';
import { FallbackExhaustedError } from './recovery-errors.ts';
import {
  attemptsOf,
  callAnswered,
  callBegun,
  callFailed,
  callSkipped,
  leadsToNext,
  type ToolContext,
  type ToolPlan,
} from './tool-call.ts';
import type { ToolFact } from './tool-facts.ts';

/** A tool as a machine: from its parameters to its answer, or to a {@link ToolResult}. */
export type ToolMachine<Params, Output> = PolicyMachine<ToolContext, Params, Output, ToolFact>;

/** The chart of a plan. @param outputFrom what the machine gives */
export function toolMachine<Output>(
  plan: ToolPlan,
  outputFrom: (context: ToolContext) => Output,
): ToolMachine<unknown, Output> {
  const { tools, policy } = plan;
  const asked = tools[0].name;
  const machine = setup({
    types: {} as { context: ToolContext; input: unknown; output: unknown; emitted: ToolFact },
    actors: Object.fromEntries(tools.map(({ name, step }) => [name, step])),
    guards: { leadsOn: (_, { error }: Failed) => leadsToNext(policy, error) },
    actions: {
      beginCall: assign((_, { index }: { index: number }) => ({ index, calledAt: now() })),
      keepAnswer: assign(({ context, self }, { output }: Ended) =>
        callAnswered(context, plan, attemptsOf(self), output),
      ),
      keepFailure: assign(({ context, self }, { error }: Failed) => callFailed(context, plan, attemptsOf(self), error)),
      skip: assign(({ context }, { error }: Failed) => callSkipped(context, policy, error)),
      refuse: assign({ failure: (_, { error }: Failed) => error }),
      giveUp: assign({ failure: ({ context }) => new FallbackExhaustedError(asked, context.errors) }),
      tellCall: emit(({ context }) => context.called!),
      tellFallback: emit(({ context: { errors, called } }) => {
        return { type: 'FallbackEntered', step: asked, index: errors.length, error: called!.error! } as const;
      }),
      fail: sendTo(({ self }) => self, toldWhy),
      throwFailure: assign(({ context }) => {
        throw context.failure;
      }),
    },
  }).createMachine({
    id: asked,
    context: ({ input }) => callBegun(input),
    initial: stateOf(asked),
    states: {
      ...Object.fromEntries(tools.map(({ name }, index) => [stateOf(name), calling(plan, index)])),
      succeeded: { type: 'final' },
      ...(policy.strategy === 'skip' ? { skipped: { type: 'final' } as const } : { failed: failing }),
    },
    output: ({ context }: { context: ToolContext }) => outputFrom(context),
  });
  return machine as unknown as ToolMachine<unknown, Output>;
}

function stateOf(tool: string): string {
  return `calling ${tool}`;
}

/** The state in which one tool is called. */
function calling({ tools, policy }: ToolPlan, index: number) {
  const keepFailure = { type: 'keepFailure', params: errorOf } as const;
  const refuse = { type: 'refuse', params: errorOf } as const;
  const next = tools[index + 1];
  const refused = { target: 'failed', actions: [keepFailure, 'tellCall', refuse] } as const;
  return {
    entry: { type: 'beginCall', params: { index } } as const,
    invoke: {
      id: 'call',
      src: tools[index]!.name,
      input: ({ context }: { context: ToolContext }) => context.params,
      onDone: { target: 'succeeded', actions: [{ type: 'keepAnswer', params: outputOf }, 'tellCall'] as const },
      onError:
        policy.strategy === 'skip'
          ? { target: 'skipped', actions: [keepFailure, { type: 'skip', params: errorOf }, 'tellCall'] as const }
          : policy.strategy === 'fallback'
            ? [
                {
                  guard: { type: 'leadsOn', params: errorOf } as const,
                  target: next ? stateOf(next.name) : 'failed',
                  actions: [keepFailure, 'tellCall', next ? 'tellFallback' : 'giveUp'] as const,
                },
                refused,
              ]
            : refused,
    },
  };
}
