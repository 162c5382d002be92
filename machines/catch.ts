/**
 * Errors that are expected: one that matches ends the step without failing it. Owns the match and what is kept; the other
 * errors pass unchanged.
 *
 * CA1  A caught error ends the machine as done. What a wrapped machine had in its context by then is kept: it may be
 *      incomplete, and whoever reads it knows that from `caught`.
 * CA2  A class catches its subclasses too; a name catches exactly that name, also of an error that comes from a log.
 */
import { assign, emit, sendTo, setup, type AnyActorLogic, type InputFrom, type OutputFrom } from 'xstate';
import { classify, matches, type ErrorMatch } from './classify.ts';
import { requireMatches } from './error-rules.ts';
import { signatureOf, type ErrorSignature } from './error-signature.ts';
import { requireKnown, requireLogic, requireName } from './options.ts';
import {
  contextOfCall,
  errorOf,
  failing,
  holds,
  orThrown,
  outputOf,
  toldWhy,
  type Ended,
  type Failed,
  type PolicyMachine,
} from './policy-machine.ts';

/** An expected error ended a step. */
export interface ErrorCaught {
  readonly type: 'ErrorCaught';
  readonly step: string;
  readonly error: ErrorSignature;
}

/** The output where an error was caught. */
export interface Caught {
  readonly caught: unknown;
  /** The context of the wrapped machine when it failed; undefined for other logic. */
  readonly partial: unknown;
}

/** What a catch remembers. */
export interface CatchContext {
  readonly input: unknown;
  readonly output: unknown;
  readonly failure: unknown;
}

/**
 * Catches errors of these classes, names or predicates.
 *
 * @example
 * const read = withCatch(NotFoundError)(load); // its output is what `load` gives, or { caught, partial }
 * @throws InvalidArgumentError when nothing is to be caught
 */
export function withCatch(match: ErrorMatch | readonly ErrorMatch[], options: { readonly name?: string } = {}) {
  requireKnown(options, ['name'], 'withCatch');
  const { name = 'catch' } = options;
  requireName(name, 'withCatch.name');
  const all = (Array.isArray(match) ? match : [match]) as readonly ErrorMatch[];
  requireMatches(all, 'withCatch(match)');
  const isExpected = (error: unknown) => all.some((one) => matches(error, one));
  return <Logic extends AnyActorLogic>(
    logic: Logic,
  ): PolicyMachine<CatchContext, InputFrom<Logic>, OutputFrom<Logic> | Caught, ErrorCaught> => {
    requireLogic(logic, 'withCatch(…)(logic)');
    const machine = setup({
      types: {} as { context: CatchContext; input: unknown; output: unknown; emitted: ErrorCaught },
      actors: { call: logic as AnyActorLogic },
      guards: { isExpected: (_, { error }: Failed) => holds(() => isExpected(error)) },
      actions: {
        keepOutput: assign({ output: (_, { output }: Ended) => output }),
        keepCaught: assign({
          output: ({ self }, { error }: Failed): Caught => ({ caught: error, partial: contextOfCall(self) }),
        }),
        keepFailure: assign({ failure: (_, { error }: Failed) => orThrown(error, () => isExpected(error)) }),
        tellCaught: emit((_, { error }: Failed) => {
          return { type: 'ErrorCaught', step: name, error: signatureOf(error, classify(error)) } as const;
        }),
        fail: sendTo(({ self }) => self, toldWhy),
        throwFailure: assign(({ context }) => {
          throw context.failure;
        }),
      },
    }).createMachine({
      id: name,
      context: ({ input }) => ({ input, output: undefined, failure: undefined }),
      initial: 'calling',
      states: {
        calling: {
          invoke: {
            id: 'call',
            src: 'call',
            input: ({ context }: { context: CatchContext }) => context.input,
            onDone: { target: 'succeeded', actions: { type: 'keepOutput', params: outputOf } },
            onError: [
              {
                guard: { type: 'isExpected', params: errorOf },
                target: 'caught',
                actions: [
                  { type: 'keepCaught', params: errorOf },
                  { type: 'tellCaught', params: errorOf },
                ],
              },
              { target: 'failed', actions: { type: 'keepFailure', params: errorOf } },
            ],
          },
        },
        succeeded: { type: 'final' },
        caught: { type: 'final' },
        failed: failing,
      },
      output: ({ context }: { context: CatchContext }) => context.output,
    });
    return machine as unknown as PolicyMachine<CatchContext, InputFrom<Logic>, OutputFrom<Logic> | Caught, ErrorCaught>;
  };
}
