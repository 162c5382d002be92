/**
 * A rate limit around a call: so many in a time, over all callers with the same key. Owns the chart of one call; the
 * limiter that they share is rate-limiter.ts, asked through rate-limit-gate.ts.
 *
 * WL1  The call begins only with a turn, and not before that turn; that it has one is on disk before.
 * WL2  A wait is a timer of the call's own machine: it survives its host, and is never longer than `wait`.
 * WL3  What is refused is refused at once with a RateLimitedError; it says nothing about the dependency.
 *      Where so many ask at once that the limiter cannot hear all of them, who may wait asks again.
 * WL4  A caller that is stopped while it waits loses its token: a turn is not given back.
 */
import { assign, emit, sendTo, setup, type AnyActorLogic, type InputFrom, type OutputFrom } from 'xstate';
import { effect, now, type EffectArguments, type TimeMs } from 'rewake';
import { problemOf } from './keyed-gate.ts';
import { requireKey, requireLogic } from './options.ts';
import { errorOf, failing, outputOf, toldWhy, type Ended, type Failed, type PolicyMachine } from './policy-machine.ts';
import { RateLimitGate, type GateAnswer, type RateLimitOptions } from './rate-limit-gate.ts';
import { RateLimitedError } from './recovery-errors.ts';

/** The dependency was not called: it was called as often as it may be. */
export interface CallRateLimited {
  readonly type: 'CallRateLimited';
  readonly key: string;
  /** In how many ms a token is there, if nobody else takes it. */
  readonly retryAfterMs: number;
}

/** The call waits for its turn. On disk before it does. */
export interface CallDelayed {
  readonly type: 'CallDelayed';
  readonly key: string;
  readonly delayMs: number;
  /** In ms since the Unix epoch. */
  readonly dueAt: TimeMs;
}

/** The limiter could not be asked, and the call is made without it. */
export interface RateLimiterUnavailable {
  readonly type: 'RateLimiterUnavailable';
  readonly key: string;
  /** What kept it from answering. */
  readonly problem: string;
}

/** What a call behind a rate limit says. */
export type RateLimitFact = CallRateLimited | CallDelayed | RateLimiterUnavailable;

/** After how long a limiter that could not hear a call is asked again. */
const unheardMs = 1_000;

/** What a call behind a rate limit remembers. */
export interface RateLimitContext {
  readonly input: unknown;
  readonly begunAt: TimeMs;
  /** What the limiter said; null where it could not be reached. */
  readonly answer: GateAnswer | null;
  readonly output: unknown;
  readonly failure: unknown;
}

/**
 * Bounds how often calls with this key begin, over all processes on the log.
 *
 * @example
 * const ask = withRateLimit('model', { limit: 60, per: '1m', burst: 10, wait: '30s' })(model);
 * @throws InvalidArgumentError for a key that cannot be the id of an actor, or options that cannot work
 */
export function withRateLimit(key: string, options: RateLimitOptions) {
  const path = `withRateLimit(${JSON.stringify(requireKey(key, 'withRateLimit(key)'))})`;
  const gate = new RateLimitGate(key, options, path);
  const delayMsOf = ({ answer }: RateLimitContext) =>
    Math.min(gate.waitMs, Math.max(0, (answer?.startAt ?? 0) - now()));
  const waitLeftMs = ({ begunAt }: RateLimitContext) => Math.max(0, begunAt + gate.waitMs - now());
  return <Logic extends AnyActorLogic>(
    logic: Logic,
  ): PolicyMachine<RateLimitContext, InputFrom<Logic>, OutputFrom<Logic>, RateLimitFact> => {
    requireLogic(logic, `${path}(logic)`);
    const machine = setup({
      types: {} as {
        context: RateLimitContext;
        input: unknown;
        output: unknown;
        emitted: RateLimitFact;
      },
      actors: {
        call: logic as AnyActorLogic,
        askLimiter: effect(({ input: waitMs, context }: EffectArguments<number>) => gate.ask(context, waitMs), {
          internal: true,
        }),
      },
      delays: {
        untilTurn: ({ context }) => delayMsOf(context),
        untilAskedAgain: ({ context }) => Math.min(unheardMs, waitLeftMs(context)),
      },
      guards: {
        mayAskAgain: ({ context }) => context.answer?.isUnheard === true && waitLeftMs(context) > 0,
        passesUnseen: (_, { error }: Failed) => gate.letsPass(error),
        isRefused: ({ context }) => context.answer?.retryAfterMs !== undefined,
        mustWait: ({ context }) => delayMsOf(context) > 0,
      },
      actions: {
        keepAnswer: assign({ answer: (_, { output }: Ended) => output as GateAnswer }),
        keepOutput: assign({ output: (_, { output }: Ended) => output }),
        keepFailure: assign({ failure: (_, { error }: Failed) => error }),
        refuse: assign({ failure: ({ context }) => new RateLimitedError(key, context.answer?.retryAfterMs ?? 0) }),
        tellRefusal: emit(({ context }) => {
          const retryAfterMs = context.answer?.retryAfterMs ?? 0;
          return { type: 'CallRateLimited', key, retryAfterMs } as const;
        }),
        tellDelay: emit(({ context }) => {
          const delayMs = delayMsOf(context);
          return { type: 'CallDelayed', key, delayMs, dueAt: now() + delayMs } as const;
        }),
        tellUnavailable: emit((_, { error }: Failed) => {
          return { type: 'RateLimiterUnavailable', key, problem: problemOf(error) } as const;
        }),
        fail: sendTo(({ self }) => self, toldWhy),
        throwFailure: assign(({ context }) => {
          throw context.failure;
        }),
      },
    }).createMachine({
      id: `rateLimit.${key}`,
      context: ({ input }) => ({ input, begunAt: now(), answer: null, output: undefined, failure: undefined }),
      initial: 'asking',
      states: {
        asking: {
          invoke: {
            src: 'askLimiter',
            input: ({ context }: { context: RateLimitContext }) => waitLeftMs(context),
            onDone: { target: 'answered', actions: { type: 'keepAnswer', params: outputOf } },
            onError: [
              {
                guard: { type: 'passesUnseen', params: errorOf },
                target: 'calling',
                actions: { type: 'tellUnavailable', params: errorOf },
              },
              { target: 'failed', actions: { type: 'keepFailure', params: errorOf } },
            ],
          },
        },
        answered: {
          always: [
            { guard: 'mayAskAgain', target: 'unheard' },
            { guard: 'isRefused', target: 'failed', actions: ['refuse', 'tellRefusal'] },
            { guard: 'mustWait', target: 'waiting', actions: 'tellDelay' },
            { target: 'calling' },
          ],
        },
        unheard: { after: { untilAskedAgain: 'asking' } },
        waiting: { after: { untilTurn: 'calling' } },
        calling: {
          invoke: {
            src: 'call',
            input: ({ context }: { context: RateLimitContext }) => context.input,
            onDone: { target: 'succeeded', actions: { type: 'keepOutput', params: outputOf } },
            onError: { target: 'failed', actions: { type: 'keepFailure', params: errorOf } },
          },
        },
        succeeded: { type: 'final' },
        failed: failing,
      },
      output: ({ context }: { context: RateLimitContext }) => context.output,
    });
    return machine as unknown as PolicyMachine<RateLimitContext, InputFrom<Logic>, OutputFrom<Logic>, RateLimitFact>;
  };
}
