/**
 * The chart of handling one error: choose a handler, run what it runs, decide. Owns the order; what is decided is
 * handling-state.ts's, and it is carried out by whoever invoked this.
 *
 * HG1  Which handler runs, and how far it is, is a state of the chart: after a crash it goes on, and no other is chosen.
 * HG2  The handling never fails: a failure of a handler is a decision, too, with both errors in it.
 * HG3  A timeout bounds all that a handler runs, retries and nested handlers included.
 */
import { assign, emit, setup, type AnyActorLogic } from 'xstate';
import type { HandlerFact } from './handler-facts.ts';
import type { Handler } from './handler.ts';
import {
  decided,
  handlerChosen,
  handlerFacts,
  handlerInputOf,
  handlingBegun,
  type Decision,
  type HandlingContext,
  type HandlingInput,
  type HandlingPlan,
} from './handling-state.ts';
import { errorOf, outputOf, type Ended, type Failed, type PolicyMachine, type Snapshots } from './policy-machine.ts';
import { TimeoutError } from './recovery-errors.ts';

/** The handling of an error: from the error to what is to be done. */
export type HandlingMachine = PolicyMachine<HandlingContext, HandlingInput, Decision, HandlerFact>;

/** What a handler calls. */
export interface HandlerRun {
  readonly logic: AnyActorLogic;
  /** How many calls of it that were, the running one included, by the machine that invoked it as `call`. */
  readonly attemptsOf: (self: Snapshots) => number;
}

type Which = { readonly handler: string };
type Run = { readonly handler: string; readonly index: number };

/** @param runs by handler, in order */
export function handlingChart(
  plan: HandlingPlan,
  runs: Readonly<Record<string, readonly HandlerRun[]>>,
  tells: boolean,
): HandlingMachine {
  const { handlers, scope } = plan;
  const facts = handlerFacts(plan);
  const told = <Action extends string>(...actions: Action[]) => (tells ? actions : []);
  const running = handlers.filter(({ id }) => runs[id]!.length > 0);
  const machine = setup({
    types: {} as { context: HandlingContext; input: HandlingInput; output: Decision; emitted: HandlerFact },
    actors: Object.fromEntries(
      running.flatMap(({ id }) =>
        runs[id]!.map(({ logic }, index) => [runName({ handler: id, index }), logic] as const),
      ),
    ),
    delays: Object.fromEntries(
      running.flatMap(({ id, timeoutMs }) => (timeoutMs === undefined ? [] : [[timeoutName(id), timeoutMs] as const])),
    ),
    guards: {
      isChosen: ({ context }, { handler }: Which) => context.handler === handler && context.problem === undefined,
      isNobodys: ({ context }) => context.handler === null,
      isFailed: ({ context }) => context.reason === 'handlerFailed',
      isEscalated: ({ context }) => context.reason !== undefined,
      isTaken: ({ context }) => context.handler !== null && context.problem === undefined,
    },
    actions: {
      choose: assign(({ context }) => handlerChosen(context, plan)),
      keepOutput: assign({ outputs: ({ context }, { output }: Ended) => [...context.outputs, output] }),
      keepProblem: assign({ problem: (_, { error }: Failed) => ({ error }) }),
      keepTimeout: assign({
        problem: (_, { handler }: Which) => {
          const { timeoutMs } = handlers.find(({ id }) => id === handler)!;
          return { error: new TimeoutError(handler, 'handler', timeoutMs!) };
        },
      }),
      countAttempts: assign({
        attempts: ({ context, self }, { handler, index }: Run) =>
          context.attempts + runs[handler]![index]!.attemptsOf(self),
      }),
      decide: assign(({ context }) => decided(context, plan)),
      tellStarted: emit(({ context }) => facts.started(context)),
      tellCompleted: emit(({ context }) => facts.completed(context)),
      tellFailed: emit(({ context: { handler, subject, problem, error, attempts } }) =>
        facts.failed(handler!, subject, problem!.error, error, attempts),
      ),
      tellEscalated: emit(({ context: { subject, decision, reason } }) =>
        facts.escalated(subject, decision!.error, reason!),
      ),
    },
  }).createMachine({
    id: `handling of ${scope}`,
    // For who asks which handlers there are; no part of what the definition hash sees.
    meta: { 'rewake.handlers': handlers.map(({ id }) => id) },
    context: ({ input }) => handlingBegun(input),
    initial: 'choosing',
    states: {
      choosing: {
        entry: 'choose',
        always: [
          ...running.map(({ id }) => ({
            guard: { type: 'isChosen', params: { handler: id } } as const,
            target: stateName(id),
            actions: told('tellStarted'),
          })),
          { guard: 'isTaken', target: 'deciding', actions: told('tellStarted') },
          { target: 'deciding' },
        ],
      },
      ...Object.fromEntries(
        running.map((handler) => [stateName(handler.id), handlingBy(handler, runs[handler.id]!.length)]),
      ),
      deciding: {
        id: 'deciding',
        entry: 'decide',
        always: [
          { guard: 'isNobodys', target: 'decided', actions: told('tellEscalated') },
          { guard: 'isFailed', target: 'decided', actions: told('tellFailed', 'tellEscalated') },
          { guard: 'isEscalated', target: 'decided', actions: told('tellCompleted', 'tellEscalated') },
          { target: 'decided', actions: told('tellCompleted') },
        ],
      },
      decided: { type: 'final' },
    },
    output: ({ context }) => context.decision!,
  });
  return machine as unknown as HandlingMachine;

  /** One handler: what it runs, one after the other, within its time. */
  function handlingBy({ id, timeoutMs }: Handler, count: number) {
    const indexes = Array.from({ length: count }, (_, index) => index);
    return {
      initial: 'run 1',
      ...(timeoutMs !== undefined && {
        after: {
          [timeoutName(id)]: { target: 'deciding', actions: { type: 'keepTimeout', params: { handler: id } } as const },
        },
      }),
      states: Object.fromEntries(
        indexes.map((index) => {
          const run: Run = { handler: id, index };
          const state = {
            invoke: {
              id: 'call',
              src: runName(run),
              input: ({ context }: { context: HandlingContext }) => handlerInputOf(context, plan),
              onDone: {
                target: index + 1 < count ? `run ${index + 2}` : '#deciding',
                actions: { type: 'keepOutput', params: outputOf } as const,
              },
              onError: { target: '#deciding', actions: { type: 'keepProblem', params: errorOf } as const },
            },
            // On the way out, however it ends: a timeout has been a call, too.
            exit: { type: 'countAttempts', params: run } as const,
          };
          return [`run ${index + 1}`, state];
        }),
      ),
    };
  }
}

function stateName(handler: string): string {
  return `handling ${handler}`;
}

function runName({ handler, index }: Run): string {
  return `${handler} run ${index + 1}`;
}

function timeoutName(handler: string): string {
  return `timeout of ${handler}`;
}
