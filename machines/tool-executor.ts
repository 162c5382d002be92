/**
 * The executor: a machine that calls a tool which its input names. Owns the choice; the call is the tool's machine, which it
 * runs by its name, so that a snapshot can name it too.
 *
 * TX1  What the input names is looked up in the registry and nowhere else: what is not there is an error that names what is.
 * TX2  The result is the tool's, and so is the error, unchanged.
 */
import { InvalidArgumentError, registerErrorClass, RewakeError } from 'rewake';
import {
  assign,
  enqueueActions,
  sendTo,
  setup,
  type AnyActorLogic,
  type AnyEventObject,
  type EventObject,
} from 'xstate';
import { errorOf, failing, outputOf, toldWhy, type Ended, type Failed, type PolicyMachine } from './policy-machine.ts';

/** There is no tool of this name. */
export class UnknownToolError extends RewakeError {
  readonly code = 'REWAKE_UNKNOWN_TOOL';
  /** Its name; of what is no text its type. */
  readonly tool: string;
  /** The tools that there are. */
  readonly known: readonly string[];

  constructor(tool: unknown, known: readonly string[]) {
    const name = typeof tool === 'string' ? tool : typeof tool;
    super(
      `There is no tool ${JSON.stringify(name)}. The registry has ${known.join(', ')}. Nothing was called. Call one of these, or add it to toolRegistry({ tools }).`,
    );
    this.tool = name;
    this.known = known;
  }
}
registerErrorClass(UnknownToolError, 'REWAKE_UNKNOWN_TOOL');

/** What is called: a tool, with its parameters, under its own policy or another one of the registry. */
export interface ToolCallInput {
  readonly tool: string;
  readonly params: unknown;
  readonly policy?: string;
}

/** What can be called by which name. */
export interface Callable {
  readonly tools: readonly string[];
  readonly policies: readonly string[];
  /** By the name that {@link srcOf} gives. */
  readonly machines: Readonly<Record<string, AnyActorLogic>>;
}

interface ExecutorContext {
  readonly input: ToolCallInput;
  readonly output: unknown;
  readonly failure: unknown;
}

/** The executor of a registry. */
export type ToolExecutor<Input, Output> = PolicyMachine<ExecutorContext, Input, Output, EventObject>;

/** The name of a tool's machine under a policy; without one, under its own. */
export function srcOf(tool: string, policy?: string): string {
  return policy === undefined ? tool : `${tool}.${policy}`;
}

/** The chart of the executor. */
export function toolExecutor(id: string, callable: Callable): ToolExecutor<ToolCallInput, unknown> {
  const machine = setup({
    types: {} as {
      context: ExecutorContext;
      input: ToolCallInput;
      output: unknown;
      events: AnyEventObject;
    },
    actors: callable.machines,
    guards: { isUnknown: ({ context }) => problemOf(callable, context.input) !== undefined },
    actions: {
      call: enqueueActions(({ context: { input }, enqueue }) => {
        enqueue.spawnChild(srcOf(input.tool, input.policy), { id: 'call', input: input.params });
      }),
      refuse: assign({ failure: ({ context }) => problemOf(callable, context.input) }),
      keepOutput: assign({ output: (_, { output }: Ended) => output }),
      keepFailure: assign({ failure: (_, { error }: Failed) => error }),
      fail: sendTo(({ self }) => self, toldWhy),
      throwFailure: assign(({ context }) => {
        throw context.failure;
      }),
    },
  }).createMachine({
    id,
    context: ({ input }) => ({ input, output: undefined, failure: undefined }),
    initial: 'choosing',
    states: {
      choosing: { always: [{ guard: 'isUnknown', target: 'failed', actions: 'refuse' }, { target: 'calling' }] },
      calling: {
        entry: 'call',
        on: {
          'xstate.done.actor.call': { target: 'succeeded', actions: { type: 'keepOutput', params: outputOf } },
          'xstate.error.actor.call': { target: 'failed', actions: { type: 'keepFailure', params: errorOf } },
        },
      },
      succeeded: { type: 'final' },
      failed: failing,
    },
    output: ({ context }: { context: ExecutorContext }) => context.output,
  });
  return machine as unknown as ToolExecutor<ToolCallInput, unknown>;
}

/** TX1: the input comes from outside. */
function problemOf({ tools, policies }: Callable, input: ToolCallInput | null | undefined): Error | undefined {
  if (!tools.includes(input?.tool as string)) return new UnknownToolError(input?.tool, tools);
  const policy = input?.policy;
  if (policy === undefined || policies.includes(policy)) return undefined;
  return InvalidArgumentError.of('input.policy', `one of the policies ${policies.join(', ') || '(none)'}`, policy);
}
