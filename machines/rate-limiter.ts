/**
 * A rate limiter: the calls of one dependency, over all its callers, are at most so many in a time. Owns the bucket, the
 * turns it gave and the facts; when a token is there is token-bucket.ts's. It calls nothing: callers ask for a turn.
 *
 * RL1  In every time [t, t + per) at most `burst` + `limit` turns begin, and as many as the bucket has tokens for.
 * RL2  A turn that is given ahead of time is the asker's: its beginning is known, and who asks later gets a later one.
 * RL3  Who asks again with the same id gets the same turn and pays once, until its token is refilled; of very many the
 *      newest 1,000 are known. Who is forgotten pays again: never more are let through.
 * RL4  Refusing changes nothing, and what is answered without a record changes nothing when it is sent anyway.
 * RL5  The clock is the limiter's own. One that goes back neither mints nor loses tokens (TB3).
 * RL6  A question that makes no sense changes nothing: no tokens go to who does not say who they are or how long they wait.
 */
import { assertEvent, assign, emit, setup } from 'xstate';
import { now, type TimeMs } from 'rewake';
import { rateLimitSettings, type RateLimit, type RateLimitSettings } from './rate-limit-options.ts';
import { fullBucket, nextTokenAt, tokensMissing, withSettings, withTokenTaken, type Bucket } from './token-bucket.ts';

/** What a rate limiter is started with. */
export interface RateLimiterInput {
  /** Names the dependency; facts carry it. */
  readonly key: string;
  readonly options: RateLimit;
}

/** A question for one turn. */
export interface TurnAsked {
  readonly type: 'turn.asked';
  /** Names the call: unique among the calls of a dependency. */
  readonly id: string;
  /** How long the call may wait for its turn, in ms. */
  readonly waitMs: number;
}

/** What a rate limiter understands. */
export type RateLimiterEvent = TurnAsked | { readonly type: 'rateLimiter.configured'; readonly options: RateLimit };

/** What a rate limiter says of itself. Turns are in its stream as the events that asked for them. */
export type RateLimiterFact =
  | ({ readonly type: 'RateLimitChanged'; readonly key: string } & RateLimitSettings)
  | { readonly type: 'RateLimitOptionsRefused'; readonly key: string; readonly problem: string };

/** Leave to make one call. */
interface Turn {
  readonly id: string;
  /** When the call may begin, in ms since the Unix epoch. */
  readonly startAt: TimeMs;
}

/** What a rate limiter remembers; plain JSON. */
export interface RateLimiterContext {
  readonly key: string;
  readonly settings: RateLimitSettings;
  readonly bucket: Bucket;
  /** Whose tokens are not refilled yet, the newest last (RL3). */
  readonly turns: readonly Turn[];
}

/** Of a snapshot of the limiter machine, what the questions below need. */
export interface RateLimiterSnapshot {
  readonly context: RateLimiterContext;
}

/** The answer to `turn.asked`: when the call may begin, or in how many ms a token is there if nobody else takes it. */
export type RateLimitAnswer =
  | { readonly startAt: TimeMs; readonly retryAfterMs?: never }
  | { readonly retryAfterMs: number; readonly startAt?: never };

const turnsMax = 1_000;

/**
 * The answer to `turn.asked` when giving it changes nothing (RL4); undefined when the event has to be sent: for a turn
 * that costs a token.
 */
export function answerWithoutRecord(
  { context }: RateLimiterSnapshot,
  asked: Pick<TurnAsked, 'id' | 'waitMs'>,
  nowMs: TimeMs,
): RateLimitAnswer | undefined {
  const isCharged = turnOf(context, asked.id) === undefined && startOf(context, asked.waitMs, nowMs) !== undefined;
  return isCharged ? undefined : answerOf({ context }, asked.id, nowMs);
}

/** The answer to `turn.asked` from the snapshot right after it. */
export function answerOf({ context }: RateLimiterSnapshot, id: string, nowMs: TimeMs): RateLimitAnswer {
  const turn = turnOf(context, id);
  if (turn) return { startAt: turn.startAt };
  // At least 1: where another was faster there was a token when it was asked for.
  return { retryAfterMs: Math.max(1, nextTokenAt(context.bucket, context.settings, nowMs) - nowMs) };
}

/**
 * Whether these options differ from those the limiter has, so that `rateLimiter.configured` is worth sending.
 * @throws InvalidArgumentError when the options are wrong
 */
export function needsConfiguring({ context }: RateLimiterSnapshot, options: RateLimit): boolean {
  return !isAlike(context.settings, rateLimitSettings(options));
}

function turnOf({ turns }: RateLimiterContext, id: string): Turn | undefined {
  return turns.find((turn) => turn.id === id);
}

/** When a call that asks now may begin; undefined where that is later than it waits. */
function startOf({ bucket, settings }: RateLimiterContext, waitMs: number, nowMs: TimeMs): TimeMs | undefined {
  const startAt = Math.max(nowMs, nextTokenAt(bucket, settings, nowMs));
  return startAt - nowMs <= waitMs ? startAt : undefined;
}

/** The context after a question; the same object where that changes nothing. */
function afterAsking(context: RateLimiterContext, { id, waitMs }: TurnAsked, nowMs: TimeMs): RateLimiterContext {
  if (typeof id !== 'string' || !Number.isFinite(waitMs)) return context;
  const startAt = startOf(context, waitMs, nowMs);
  if (startAt === undefined || turnOf(context, id)) return context;
  const bucket = withTokenTaken(context.bucket, context.settings, nowMs);
  const known = Math.min(turnsMax, tokensMissing(bucket, context.settings, nowMs));
  return { ...context, bucket, turns: [...context.turns, { id, startAt }].slice(-known) };
}

function asked(event: RateLimiterEvent): TurnAsked {
  assertEvent(event, 'turn.asked');
  return event;
}

/** The settings of `rateLimiter.configured`, or what is wrong with its options. */
function configured(event: RateLimiterEvent): RateLimitSettings | string {
  assertEvent(event, 'rateLimiter.configured');
  try {
    return rateLimitSettings(event.options);
  } catch (error) {
    return (error as Error).message;
  }
}

function isAlike(a: RateLimitSettings, b: RateLimitSettings): boolean {
  return a.limit === b.limit && a.perMs === b.perMs && a.burst === b.burst;
}

const chart = setup({
  types: {
    input: {} as RateLimiterInput,
    context: {} as RateLimiterContext,
    events: {} as RateLimiterEvent,
    emitted: {} as RateLimiterFact,
  },
  guards: {
    givesTurn: ({ context, event }) => afterAsking(context, asked(event), now()) !== context,
    hasBadOptions: ({ event }) => typeof configured(event) === 'string',
    changesOptions: ({ context, event }) => {
      const settings = configured(event);
      return typeof settings === 'object' && !isAlike(settings, context.settings);
    },
  },
  actions: {
    giveTurn: assign(({ context, event }) => afterAsking(context, asked(event), now())),
    configure: assign(({ context, event }) => {
      const settings = configured(event);
      if (typeof settings === 'string') return {};
      return { settings, bucket: withSettings(context.bucket, context.settings, settings, now()) };
    }),
    announceChange: emit(({ context: { key, settings } }) => ({ type: 'RateLimitChanged', key, ...settings }) as const),
    announceBadOptions: emit(({ context: { key }, event }) => {
      const problem = configured(event);
      return { type: 'RateLimitOptionsRefused', key, problem: typeof problem === 'string' ? problem : '' } as const;
    }),
  },
}).createMachine({
  id: 'rateLimiter',
  context: ({ input: { key, options } }) => ({
    key,
    settings: rateLimitSettings(options, `rateLimiter '${key}'`),
    bucket: fullBucket(now()),
    turns: [],
  }),
  on: {
    'turn.asked': { guard: 'givesTurn', actions: 'giveTurn' },
    'rateLimiter.configured': [
      { guard: 'hasBadOptions', actions: 'announceBadOptions' },
      { guard: 'changesOptions', actions: ['configure', 'announceChange'] },
    ],
  },
});

type Chart = typeof chart;

/** The type of {@link rateLimiter}: a name for it in hovers and declarations. */
export interface RateLimiterMachine extends Chart {}

/** The machine of a rate limiter. One per dependency, under its key as id: its stream is `rateLimiter-<key>`. */
export const rateLimiter: RateLimiterMachine = chart;
