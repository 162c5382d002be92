/**
 * A call whose results are cached, and that is made once for all who ask for the same at the same time. Owns the chart of
 * one caller; the results are in cache.ts, who makes the call is in flights.ts.
 *
 * WC1  A fresh result is the answer, and the wrapped logic is not run at all: no breaker, limiter or retry hears of it.
 * WC2  What was found is on disk before it is used, and what a call gave before it is stored: a fold reads no cache.
 * WC3  A failure is never stored. Those who wait for the same call in the same process fail with it; who asks later calls.
 * WC4  Storing never fails a call, and a cache that cannot be reached is a cache without the result.
 * WC5  In one process there is one call for a key at a time; after a restart there may be one more, and each process makes
 *      its own. Nobody waits longer than `patience` for one of the others.
 */
import { assign, emit, sendTo, setup, type AnyActorLogic, type InputFrom, type OutputFrom } from 'xstate';
import { now, uuid, type TimeMs } from 'rewake';
import { cacheGate, lookUp, seat, store, type Found } from './cache-effects.ts';
import { cacheSettings, keyOf, type CacheOptions } from './cache-options.ts';
import type { ValueStored } from './cache.ts';
import type { FlightNews, FlightReport } from './flights.ts';
import { letsPass, problemOf } from './keyed-gate.ts';
import { requireKey, requireLogic } from './options.ts';
import { errorOf, failing, outputOf, toldWhy, type Ended, type Failed, type PolicyMachine } from './policy-machine.ts';

/** A result of an earlier call is the answer. */
export interface CacheHit {
  readonly type: 'CacheHit';
  readonly cache: string;
  readonly key: string;
  /** How long ago that call was answered. */
  readonly ageMs: number;
}

/** The result is in the cache. */
export interface CacheStored {
  readonly type: 'CacheStored';
  readonly cache: string;
  readonly key: string;
  /** Until when it is fresh, in ms since the Unix epoch. */
  readonly freshUntil: TimeMs;
}

/** The same call of another caller was waited for, and what came of it is the answer. */
export interface CallShared {
  readonly type: 'CallShared';
  readonly cache: string;
  readonly key: string;
  readonly outcome: 'success' | 'failure';
}

/** The cache could not be asked, and the call is made without it. */
export interface CacheUnavailable {
  readonly type: 'CacheUnavailable';
  readonly cache: string;
  readonly key: string;
  /** What kept it from answering. */
  readonly problem: string;
}

/** What a caller with a cache says. */
export type CacheFact = CacheHit | CacheStored | CallShared | CacheUnavailable;

/** What a cached call remembers. */
export interface CachingContext {
  readonly input: unknown;
  readonly key: string;
  /** Of the calls that are the same. */
  readonly flight: string;
  readonly answeredAt: TimeMs;
  readonly output: unknown;
  readonly failure: unknown;
}

/**
 * Keeps the results of a call, for all callers with the same cache on the log.
 *
 * @example
 * const price = withCache('prices', { key: ({ sku }: { sku: string }) => sku, ttl: '5m' })(lookUpPrice);
 * @throws InvalidArgumentError for a name that cannot be the id of an actor, or options that cannot work
 */
export function withCache<Input>(name: string, options: CacheOptions<Input>) {
  const path = `withCache(${JSON.stringify(requireKey(name, 'withCache(name)'))})`;
  const { ttlMs, max, patienceMs } = cacheSettings(options, path);
  const gate = cacheGate(name);
  return <Logic extends AnyActorLogic>(
    logic: Logic,
  ): PolicyMachine<CachingContext, Input & InputFrom<Logic>, OutputFrom<Logic>, CacheFact> => {
    requireLogic(logic, `${path}(logic)`);
    const machine = setup({
      types: {} as { context: CachingContext; input: unknown; output: unknown; emitted: CacheFact },
      actors: { call: logic as AnyActorLogic, lookUp: lookUp(gate), store: store(gate), flight: seat() },
      delays: { patience: patienceMs },
      guards: {
        isHit: (_, { output }: Ended) => hitOf(output) !== undefined,
        passesUnseen: (_, { error }: Failed) => letsPass('allow', error),
        isStored: (_, { output }: Ended) => output === true,
      },
      actions: {
        keepHit: assign({ output: (_, { output }: Ended) => hitOf(output)?.value }),
        keepFlight: assign({ flight: (_, { output }: Ended) => (output as { flight: string }).flight }),
        // No other call is the same.
        callAlone: assign({ flight: () => uuid() }),
        keepOutput: assign({ output: (_, { output }: Ended) => output, answeredAt: () => now() }),
        keepFailure: assign({ failure: (_, { error }: Failed) => error }),
        keepNews: assign(({ event }) => {
          const news = event as FlightNews;
          if (news.type === 'flight.landed') return { output: news.value };
          return news.type === 'flight.failed' ? { failure: news.error } : {};
        }),
        tellHit: emit(({ context: { key } }, { output }: Ended) => {
          return { type: 'CacheHit', cache: name, key, ageMs: hitOf(output)?.ageMs ?? 0 } as const;
        }),
        tellStored: emit(({ context: { key, answeredAt } }) => {
          return { type: 'CacheStored', cache: name, key, freshUntil: answeredAt + ttlMs } as const;
        }),
        tellUnavailable: emit(({ context: { key } }, { error }: Failed) => {
          return { type: 'CacheUnavailable', cache: name, key, problem: problemOf(error) } as const;
        }),
        tellShared: emit(({ context: { key }, event }) => {
          const outcome = event.type === 'flight.landed' ? 'success' : 'failure';
          return { type: 'CallShared', cache: name, key, outcome } as const;
        }),
        landFlight: sendTo('flight', ({ context: { output } }): FlightReport => {
          return { type: 'call.answered', value: output };
        }),
        failFlight: sendTo('flight', ({ context: { failure } }): FlightReport => {
          return { type: 'call.failed', error: failure };
        }),
        endPatience: sendTo('flight', { type: 'patience.ended' } satisfies FlightReport),
        fail: sendTo(({ self }) => self, toldWhy),
        throwFailure: assign(({ context }) => {
          throw context.failure;
        }),
      },
    }).createMachine({
      id: `cache.${name}`,
      context: ({ input }) => ({
        input,
        key: keyOf(options, input as Input, path),
        ...{ flight: '', answeredAt: 0, output: undefined, failure: undefined },
      }),
      initial: 'looking',
      states: {
        looking: {
          invoke: {
            src: 'lookUp',
            input: ({ context }: { context: CachingContext }) => context.key,
            onDone: [
              {
                guard: { type: 'isHit', params: outputOf },
                target: 'succeeded',
                actions: [
                  { type: 'keepHit', params: outputOf },
                  { type: 'tellHit', params: outputOf },
                ],
              },
              { target: 'sharing', actions: { type: 'keepFlight', params: outputOf } },
            ],
            onError: [
              {
                guard: { type: 'passesUnseen', params: errorOf },
                target: 'sharing',
                actions: ['callAlone', { type: 'tellUnavailable', params: errorOf }],
              },
              { target: 'failed', actions: { type: 'keepFailure', params: errorOf } },
            ],
          },
        },
        sharing: {
          invoke: {
            id: 'flight',
            src: 'flight',
            input: ({ context }: { context: CachingContext }) => context.flight,
          },
          initial: 'boarding',
          states: {
            boarding: {
              on: {
                'flight.led': 'calling',
                'flight.landed': { target: '#succeeded', actions: ['keepNews', 'tellShared'] },
                'flight.failed': { target: '#failed', actions: ['keepNews', 'tellShared'] },
              },
              after: { patience: { target: 'boarding', reenter: true, actions: 'endPatience' } },
            },
            calling: {
              invoke: {
                src: 'call',
                input: ({ context }: { context: CachingContext }) => context.input,
                onDone: { target: 'storing', actions: { type: 'keepOutput', params: outputOf } },
                onError: { target: 'fallen', actions: { type: 'keepFailure', params: errorOf } },
              },
            },
            storing: {
              invoke: {
                src: 'store',
                input: ({ context: { key, output, answeredAt } }: { context: CachingContext }): ValueStored => ({
                  ...{ type: 'value.stored', key, value: output, answeredAt, ttlMs, max },
                }),
                onDone: [
                  { guard: { type: 'isStored', params: outputOf }, target: 'landed', actions: 'tellStored' },
                  { target: 'landed' },
                ],
                onError: 'landed',
              },
            },
            landed: { entry: 'landFlight', always: '#succeeded' },
            fallen: { entry: 'failFlight', always: '#failed' },
          },
        },
        succeeded: { id: 'succeeded', type: 'final' },
        failed: { id: 'failed', ...failing },
      },
      output: ({ context }: { context: CachingContext }) => context.output,
    });
    return machine as unknown as PolicyMachine<CachingContext, Input & InputFrom<Logic>, OutputFrom<Logic>, CacheFact>;
  };
}

function hitOf(output: unknown) {
  return 'hit' in (output as Found) ? (output as Extract<Found, { hit: unknown }>).hit : undefined;
}
