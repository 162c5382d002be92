/**
 * Alternatives, tried in order until one succeeds. Owns the order and which failures lead to the next one; how often each
 * alternative is itself tried is its own business: give it a step.
 *
 * FB1  What alternative runs is a state of the chart: after a crash the running one goes on, never an earlier one.
 * FB2  An error that `on` does not name is the machine's own; the alternatives after it are not tried. The primary's leaves
 *      unchanged, that of an alternative with the primary's error as the last of its causes.
 * FB3  When all failed, the error lists what each failed with, in order.
 */
import { InvalidArgumentError } from 'rewake';
import { assign, emit, sendTo, setup, type AnyActorLogic, type InputFrom, type OutputFrom } from 'xstate';
import { classify, matches, type ErrorMatch } from './classify.ts';
import { requireMatches } from './error-rules.ts';
import { signatureOf, type ErrorSignature } from './error-signature.ts';
import {
  FallbackExhaustedError,
  RecoveryExhaustedError,
  RetryAfterTooLongError,
  withCause,
} from './recovery-errors.ts';
import { requireKnown, requireLogic, requireName } from './options.ts';
import {
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

/** The next alternative is tried. On disk before it is. */
export interface FallbackEntered {
  readonly type: 'FallbackEntered';
  readonly step: string;
  /** 1 for the first fallback. */
  readonly index: number;
  /** What led to it. */
  readonly error: ErrorSignature;
}

/** When the next alternative is tried. */
export interface FallbackOptions {
  /** Names the whole in facts and errors; `fallback` when omitted. */
  readonly name?: string;
  /**
   * Failures that lead to the next alternative. When omitted: what could have been retried, what was until nothing was
   * left, timeouts and open breakers; not a wrong request, a bug or an abort.
   */
  readonly on?: readonly ErrorMatch[];
}

/** What a fallback remembers. */
export interface FallbackContext {
  readonly input: unknown;
  readonly output: unknown;
  readonly errors: readonly unknown[];
  readonly failure: unknown;
}

/**
 * Tries the alternatives in order when the logic fails.
 *
 * @example
 * const read = withFallback([cheaperModel, localParser])(vision);
 * @throws InvalidArgumentError without alternatives
 */
export function withFallback<Other extends AnyActorLogic>(
  alternatives: readonly Other[],
  options: FallbackOptions = {},
) {
  requireKnown(options, ['name', 'on'], 'withFallback');
  const { name = 'fallback', on } = options;
  requireName(name, 'withFallback.name');
  if (on !== undefined) requireMatches(on, 'withFallback.on');
  if (!Array.isArray(alternatives) || alternatives.length === 0) {
    throw InvalidArgumentError.of('withFallback(alternatives)', 'a list of at least one logic', alternatives);
  }
  alternatives.forEach((logic, index) => requireLogic(logic, `withFallback(alternatives)[${index}]`));
  const handles = (error: unknown) => (on ? on.some((match) => matches(error, match)) : leadsOn(error));
  return <Logic extends AnyActorLogic>(
    primary: Logic,
  ): PolicyMachine<FallbackContext, InputFrom<Logic>, OutputFrom<Logic> | OutputFrom<Other>, FallbackEntered> => {
    requireLogic(primary, 'withFallback(…)(logic)');
    const all: readonly AnyActorLogic[] = [primary, ...alternatives];
    const actors = Object.fromEntries(all.map((logic, index) => [nameOf(index), logic]));
    const machine = setup({
      types: {} as { context: FallbackContext; input: unknown; output: unknown; emitted: FallbackEntered },
      actors,
      guards: { isHandled: (_, { error }: Failed) => holds(() => handles(error)) },
      actions: {
        keepOutput: assign({ output: (_, { output }: Ended) => output }),
        keepError: assign({ errors: ({ context }, { error }: Failed) => [...context.errors, error] }),
        giveUp: assign({ failure: ({ context }) => new FallbackExhaustedError(name, context.errors) }),
        refuse: assign({
          failure: ({ context: { errors } }, { error }: Failed) => {
            const failure = orThrown(error, () => handles(error));
            return errors.length === 0 ? failure : withCause(failure, errors[0]);
          },
        }),
        tellFallback: emit(({ context: { errors } }) => {
          const error = errors.at(-1);
          const signature = signatureOf(error, classify(error));
          return { type: 'FallbackEntered', step: name, index: errors.length, error: signature } as const;
        }),
        fail: sendTo(({ self }) => self, toldWhy),
        throwFailure: assign(({ context }) => {
          throw context.failure;
        }),
      },
    }).createMachine({
      id: name,
      context: ({ input }) => ({ input, output: undefined, errors: [], failure: undefined }),
      initial: nameOf(0),
      states: {
        ...Object.fromEntries(all.map((_, index) => [nameOf(index), trying(index, index === all.length - 1)])),
        succeeded: { type: 'final' },
        failed: failing,
      },
      output: ({ context }: { context: FallbackContext }) => context.output,
    });
    return machine as unknown as PolicyMachine<
      FallbackContext,
      InputFrom<Logic>,
      OutputFrom<Logic> | OutputFrom<Other>,
      FallbackEntered
    >;
  };
}

function nameOf(index: number): string {
  return index === 0 ? 'primary' : `fallback${index}`;
}

/** The state in which one alternative is tried. */
function trying(index: number, isLast: boolean) {
  const keepError = { type: 'keepError', params: errorOf } as const;
  return {
    invoke: {
      src: nameOf(index),
      input: ({ context }: { context: FallbackContext }) => context.input,
      onDone: { target: 'succeeded', actions: { type: 'keepOutput', params: outputOf } as const },
      onError: [
        {
          guard: { type: 'isHandled', params: errorOf } as const,
          target: isLast ? 'failed' : nameOf(index + 1),
          actions: isLast ? ([keepError, 'giveUp'] as const) : ([keepError, 'tellFallback'] as const),
        },
        { target: 'failed', actions: { type: 'refuse', params: errorOf } as const },
      ],
    },
  };
}

/** Whether another alternative is worth a try: the other side, or the way to it, is at fault. */
export function leadsOn(error: unknown): boolean {
  if (error instanceof RecoveryExhaustedError || error instanceof RetryAfterTooLongError) return true;
  return error instanceof FallbackExhaustedError || classify(error).retryable !== false;
}
