/**
 * The chart of a logic with error handlers around it: call, handle what it fails with, do what was decided. Owns what can be
 * done in this place: call again, do something else, go without. Anything else is a RecoveryDirective for who stands outside.
 *
 * HD1  A retry is counted for the handler that decided on it, and that count is on disk before the wait begins.
 * HD2  What somebody inside has decided about is not handled again: a RecoveryDirective passes as it is.
 * HD3  A fallback that fails is a failure of its handler: both errors go on.
 * HD4  Where a step counts the calls, one that was lost with its host is that step's business: no handler is asked.
 * HD5  What a call saved for the machine around it is the checkpoint of the next call, also of the next attempt of a step.
 */
import { assign, emit, sendTo, setup, type AnyActorLogic } from 'xstate';
import type { CheckpointSaved } from 'rewake';
import type { ErrorRule } from './classify.ts';
import type { HandlerFact, HandlerScope } from './handler-facts.ts';
import type { Handler } from './handler.ts';
import { callsBy, handlerFacts, type Decision, type HandlingInput } from './handling-state.ts';
import type { HandlingMachine } from './handling-chart.ts';
import { attemptInput, type AttemptInput } from './lost-attempts.ts';
import {
  contextOfCall,
  errorOf,
  failing,
  outputOf,
  savedOf,
  toldWhy,
  type Ended,
  type Failed,
  type PolicyMachine,
  type Saved,
} from './policy-machine.ts';
import { inputAgain } from './progress.ts';
import type { FallbackAction, LogicName, RetryAction, SkipAction } from './recovery-actions.ts';
import { RecoveryDirective } from './recovery-directive.ts';
import { HandlerFailedError } from './recovery-errors.ts';
import { isLost } from './step-state.ts';

/** What a logic with handlers remembers. */
export interface HandledContext {
  readonly input: unknown;
  readonly output: unknown;
  /** What the newest call failed with. */
  readonly error: unknown;
  readonly failure: unknown;
  /** Calls so far, by the handler that decided on them; one that is not there has decided on none. */
  readonly calls: Readonly<Record<string, number>>;
  /** Calls of what is inside, its own retries included. */
  readonly attempts: number;
  readonly decision: Decision | undefined;
  /** What a call saved last, for the next one. */
  readonly checkpoint: unknown;
}

/** A logic with handlers around it. */
export type HandledMachine<Input, Output> = PolicyMachine<HandledContext, Input, Output, HandlerFact>;

/** What a chart with handlers is made of. */
export interface HandledParts {
  readonly name: string;
  readonly scope: HandlerScope;
  readonly logic: AnyActorLogic;
  readonly handling: HandlingMachine;
  readonly handlers: readonly Handler[];
  /** Logics that a fallback may name. */
  readonly paths: Readonly<Record<string, AnyActorLogic>>;
  readonly rules: readonly ErrorRule[];
  readonly tells: boolean;
  /** What of the input the handlers see. */
  readonly sees: (input: unknown) => Pick<HandlingInput, 'input' | 'results'>;
  /** What of the input the logic is given. */
  readonly gives: (input: unknown) => unknown;
  /** How many calls the logic made, by what it remembers. */
  readonly attemptsOf: (context: unknown) => number;
  /** Whether the whole is one attempt of a step, which counts it where it is lost and keeps what it saves. */
  readonly isAttempt: boolean;
}

type To = { readonly to: string };

/** The chart of handlers around a logic. */
export function handledChart(parts: HandledParts): HandledMachine<unknown, unknown> {
  const { name, scope, logic, handling, handlers, paths, sees, gives, attemptsOf, tells, isAttempt } = parts;
  const facts = handlerFacts(parts);
  const alternatives = alternativesOf(handlers, paths);
  const machine = setup({
    types: {} as { context: HandledContext; input: unknown; output: unknown; emitted: HandlerFact },
    actors: { call: logic, handling: handling as AnyActorLogic, ...alternatives },
    delays: { retryDelay: ({ context }) => (context.decision!.action as RetryAction).delayMs },
    guards: {
      isOthers: (_, { error }: Failed) => error instanceof RecoveryDirective || (isAttempt && isLost(error)),
      isRetry: ({ context }) => context.decision!.action.type === 'retry',
      isRetryAtOnce: ({ context: { decision } }) => decision!.action.type === 'retry' && decision!.action.delayMs === 0,
      isSkip: ({ context }) => context.decision!.action.type === 'skip',
      isFallback: ({ context }, { to }: To) => fallbackOf(context) === to,
    },
    actions: {
      keepOutput: assign({ output: (_, { output }: Ended) => output }),
      keepError: assign({ error: (_, { error }: Failed) => error }),
      keepOthers: assign({ failure: (_, { error }: Failed) => error }),
      keepDecision: assign({ decision: (_, { output }: Ended) => output as Decision }),
      keepCheckpoint: assign({ checkpoint: (_, { value }: Saved) => value }),
      passCheckpoint: sendTo(
        ({ self }) => self._parent!,
        (_, { value }: Saved) => ({ type: 'checkpoint.saved', value }) satisfies CheckpointSaved,
      ),
      countAttempts: assign({
        attempts: ({ context, self }) => context.attempts + attemptsOf(contextOfCall(self)),
      }),
      countCall: assign({
        calls: ({ context: { calls, decision } }) => ({
          ...calls,
          [decision!.handler!]: callsBy(calls, decision!.handler!) + 1,
        }),
      }),
      keepSkipped: assign({ output: ({ context }) => (context.decision!.action as SkipAction<unknown>).value }),
      keepRefusal: assign({ failure: ({ context }) => refusalOf(context.decision!, name, scope) }),
      keepFallbackFailure: assign({
        failure: ({ context: { decision, error: original } }, { error }: Failed) =>
          new HandlerFailedError(decision!.handler!, scope, name, original, error),
      }),
      tellFallbackFailed: emit(({ context: { decision, error: original } }, { error }: Failed) =>
        facts.failed(decision!.handler!, name, error, original, decision!.attempts),
      ),
      tellEscalated: emit(({ context }) => facts.escalated(name, context.failure, 'handlerFailed')),
      fail: sendTo(({ self }) => self, toldWhy),
      throwFailure: assign(({ context }) => {
        throw context.failure;
      }),
    },
  }).createMachine({
    id: name,
    context: ({ input }) => begun(isAttempt ? (input as AttemptInput) : { input }),
    initial: 'calling',
    states: {
      calling: {
        invoke: {
          id: 'call',
          src: 'call',
          // What was finished before it failed is not done again.
          input: ({ context: { input, error, checkpoint } }: { context: HandledContext }) => {
            return attemptInput(logic, { input: inputAgain(logic, gives(input), error), checkpoint });
          },
          onDone: { target: 'succeeded', actions: [{ type: 'keepOutput', params: outputOf }, 'countAttempts'] },
          onError: [
            {
              guard: { type: 'isOthers', params: errorOf },
              target: 'failed',
              actions: [{ type: 'keepOthers', params: errorOf }, 'countAttempts'],
            },
            { target: 'handling', actions: [{ type: 'keepError', params: errorOf }, 'countAttempts'] },
          ],
        },
        on: {
          'checkpoint.saved': {
            actions: [
              { type: 'keepCheckpoint', params: savedOf },
              ...(isAttempt ? ([{ type: 'passCheckpoint', params: savedOf }] as const) : []),
            ],
          },
        },
      },
      handling: {
        invoke: {
          src: 'handling',
          input: ({ context: { error, input, calls } }: { context: HandledContext }): HandlingInput => {
            return { error, subject: name, calls, ...sees(input) };
          },
          onDone: { target: 'recovering', actions: { type: 'keepDecision', params: outputOf } },
        },
      },
      recovering: {
        always: [
          { guard: 'isRetryAtOnce', target: 'calling', actions: 'countCall' },
          { guard: 'isRetry', target: 'waiting', actions: 'countCall' },
          { guard: 'isSkip', target: 'succeeded', actions: 'keepSkipped' },
          ...Object.keys(alternatives).map((to) => ({
            guard: { type: 'isFallback', params: { to } } as const,
            target: to,
          })),
          { target: 'failed', actions: 'keepRefusal' },
        ],
      },
      waiting: { after: { retryDelay: 'calling' } },
      ...Object.fromEntries(Object.keys(alternatives).map((to) => [to, fallingBack(to)])),
      succeeded: { type: 'final' },
      failed: failing,
    },
    output: ({ context }: { context: HandledContext }) => context.output,
  });
  return machine as unknown as HandledMachine<unknown, unknown>;

  /** The state in which a fallback runs; it has the name of its logic. */
  function fallingBack(to: string) {
    const tell = tells ? ([{ type: 'tellFallbackFailed', params: errorOf }, 'tellEscalated'] as const) : [];
    return {
      invoke: {
        src: to,
        input: ({ context }: { context: HandledContext }) => gives(context.input),
        onDone: { target: 'succeeded', actions: { type: 'keepOutput', params: outputOf } as const },
        onError: {
          target: 'failed',
          actions: [{ type: 'keepFallbackFailure', params: errorOf } as const, ...tell],
        },
      },
    };
  }
}

function begun({ input, checkpoint }: AttemptInput): HandledContext {
  const none = { output: undefined, error: undefined, failure: undefined, decision: undefined };
  return { input, ...none, calls: {}, attempts: 0, checkpoint };
}

/** What a fallback may lead to, by the name of its logic and of its state. */
function alternativesOf(
  handlers: readonly Handler[],
  paths: Readonly<Record<string, AnyActorLogic>>,
): Record<string, AnyActorLogic> {
  const own = handlers.flatMap(({ action, logics }) => {
    if (action?.type !== 'fallback' || typeof action.to === 'string') return [];
    const { logic } = action.to;
    return [[logic, logics[logic]!] as const];
  });
  return Object.fromEntries([
    ...own,
    ...Object.entries(paths).map(([path, logic]) => [pathName(path), logic] as const),
  ]);
}

function fallbackOf({ decision }: HandledContext): string | undefined {
  if (decision!.action.type !== 'fallback') return undefined;
  const { to } = decision!.action as FallbackAction<LogicName | string>;
  return typeof to === 'string' ? pathName(to) : to.logic;
}

function pathName(path: string): string {
  return `path ${path}`;
}

/** What it fails with: the error that goes on, or what somebody else is to do. */
function refusalOf({ handler, action, error }: Decision, subject: string, scope: HandlerScope): unknown {
  return action.type === 'escalate'
    ? error
    : new RecoveryDirective({ handler: handler!, scope, subject }, action, error);
}
