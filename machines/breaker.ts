/**
 * A circuit breaker: it sees how the calls of one dependency end and refuses further calls while that one is down. Owns
 * the states, generations, holds and facts; what is counted is in breaker-counts.ts, what can be asked of a snapshot in
 * breaker-permit.ts. It makes no calls: callers ask for a permit and report the outcome.
 *
 * K1  Only a report with a current permit moves it; a late one emits StaleOutcomeIgnored and changes nothing.
 * K2  However many failures arrive together, a crossing opens once: the opening ends the generation of their permits.
 * K3  While it is open nobody passes before `opening.until`; while isolated nobody passes until every hold is released.
 * K4  Half-open, probes in flight + successes + failures never exceed the permits; it closes at `successes` and opens
 *     as soon as they are out of reach. A probe that never reports frees its permit when its lease is asked over.
 * K5  Opening k in a row lasts min(openFor · growthᵏ, openMax) from k = 0, or the hint of the failure that opened it,
 *     capped at `hintMax`, if that is longer. k outlives a close that was shorter than the opening before it.
 * K6  Leaving a named state ends its generation. A change of options while half-open begins half-open anew.
 * K7  Options move it only when their mode was changed; what its own events chose holds otherwise. Isolated it stays
 *     isolated, and is where its mode says once the last hold is released.
 * K8  An event that its state does not know changes nothing and emits nothing.
 * K9  A call counts once, a probe too: who reports it again, because its host died before it knew, is ignored. The newest
 *     100 reports that counted are known, in the context and not by message ids, which an actor keeps for ever.
 * K10 A report that makes no sense is ignored.
 */
import { assertEvent, assign, emit, enqueueActions, setup } from 'xstate';
import { now } from 'rewake';
import { crossings, noCounts } from './breaker-counts.ts';
import type { BreakerEvent, BreakerFact, BreakerInput, OutcomeReported } from './breaker-facts.ts';
import { breakerOptions, type BreakerMode, type BreakerSettings } from './breaker-options.ts';
import {
  afterProbe,
  countsAfter,
  expiredProbes,
  hasFreePermit,
  holdsProbe,
  isDue,
  isKnown,
  isLiveProbe,
  isProbeFailure,
  isStaleCall,
  makesSense,
  nextOpening,
  withReport,
  type BreakerContext,
  type Permit,
} from './breaker-permit.ts';

const nobody: Permit = { gen: -1, id: '', probe: false };

/** A report as it counts (K9, K10). */
function reported(context: BreakerContext, event: BreakerEvent): OutcomeReported {
  assertEvent(event, 'outcome.reported');
  if (!makesSense(event)) return { type: event.type, permit: nobody, outcome: 'ignored' };
  return isKnown(context, event.permit) ? { ...event, outcome: 'ignored' } : event;
}

function askedBy(event: BreakerEvent): string {
  assertEvent(event, 'permit.asked');
  return event.id;
}

function leaseOf(event: BreakerEvent): number | undefined {
  assertEvent(event, 'permit.asked');
  return event.leaseMs;
}

function holdOf(event: BreakerEvent): string {
  assertEvent(event, ['breaker.isolated', 'breaker.released']);
  return event.hold;
}

/** The settings of `breaker.configured`, or what is wrong with its options. */
function configured(event: BreakerEvent): BreakerSettings | string {
  assertEvent(event, 'breaker.configured');
  try {
    return breakerOptions(event.options);
  } catch (error) {
    return (error as Error).message;
  }
}

function problemOf(event: BreakerEvent): string {
  const problem = configured(event);
  return typeof problem === 'string' ? problem : '';
}

/** Options move a breaker only when their mode was changed: else the newest event of its own holds. */
function switchesMode({ settings: { mode: before }, mode }: BreakerContext, settings: BreakerSettings | string) {
  return typeof settings === 'object' && settings.mode !== before && settings.mode !== mode;
}

function countsAlike(a: BreakerSettings, b: BreakerSettings): boolean {
  return JSON.stringify([a.consecutive, a.window]) === JSON.stringify([b.consecutive, b.window]);
}

const chart = setup({
  types: {
    input: {} as BreakerInput,
    context: {} as BreakerContext,
    events: {} as BreakerEvent,
    emitted: {} as BreakerFact,
  },
  delays: {
    openTime: ({ context }) => Math.max(0, context.opening!.until - now()),
  },
  guards: {
    isSwitchedOff: ({ context }) => context.mode === 'disabled',
    isOnlyMeasured: ({ context }) => context.mode === 'metricsOnly',
    halfOpensByItself: ({ context }) => context.settings.autoHalfOpen,
    halfOpensWhenAsked: ({ context }) => !context.settings.autoHalfOpen,
    isCounted: ({ context, event }) => reported(context, event).outcome !== 'ignored',
    isStale: ({ context, event }) =>
      reported(context, event).outcome !== 'ignored' && isStaleCall(context, reported(context, event).permit),
    isStaleProbe: ({ context, event }) =>
      reported(context, event).outcome !== 'ignored' && !isLiveProbe(context, reported(context, event).permit, now()),
    isLive: ({ context, event }) => isLiveProbe(context, reported(context, event).permit, now()),
    crossesThreshold: ({ context, event }) =>
      reported(context, event).outcome !== 'ignored' &&
      crossings(countsAfter(context, reported(context, event), now()), context.settings, now()).length > 0,
    isDue: ({ context }) => isDue(context, now()),
    holdsProbe: ({ context, event }) => holdsProbe(context, askedBy(event), now()),
    takesOver: ({ context }) => expiredProbes(context, now()).length > 0,
    hasFreePermit: ({ context }) => hasFreePermit(context),
    succeedsOften: ({ context, event }) =>
      afterProbe(context, reported(context, event).permit, reported(context, event)).probeSuccesses >=
      context.settings.halfOpen.successes,
    failsOften: ({ context, event }) =>
      isProbeFailure(context, reported(context, event)) &&
      context.probeFailures + 1 > context.settings.halfOpen.permits - context.settings.halfOpen.successes,
    isLastHold: ({ context, event }) => context.holds.every((hold) => hold === holdOf(event)),
    hasBadOptions: ({ event }) => typeof configured(event) === 'string',
    switchesMode: ({ context, event }) => switchesMode(context, configured(event)),
    changesOptions: ({ context, event }) => {
      const settings = configured(event);
      return !switchesMode(context, settings) && JSON.stringify(settings) !== JSON.stringify(context.settings);
    },
  },
  actions: {
    startCounting: assign({ counts: ({ context }) => noCounts(context.settings), crossed: [] }),
    noteClosing: assign({ closedAt: () => now() }),
    endGeneration: assign({ gen: ({ context }) => context.gen + 1 }),
    endProbing: assign({ probes: [], probeSuccesses: 0, probeFailures: 0 }),
    setMode: assign({ mode: (_, { mode }: { mode: BreakerMode }) => mode }),
    countOutcome: assign(({ context, event }) => {
      const report = reported(context, event);
      const counts = countsAfter(context, report, now());
      return counts === context.counts ? {} : { counts, reports: withReport(context, report.permit) };
    }),
    keepFailure: assign({
      lastFailure: ({ context, event }) =>
        reported(context, event).outcome === 'failure'
          ? (reported(context, event).failure ?? null)
          : context.lastFailure,
    }),
    openByCounts: assign(({ context, event }) =>
      nextOpening(
        context,
        crossings(context.counts, context.settings, now())[0]!,
        reported(context, event).retryAfterMs ?? 0,
        now(),
      ),
    ),
    openByProbe: assign(({ context, event }) =>
      nextOpening(context, { reason: 'probe' }, reported(context, event).retryAfterMs ?? 0, now()),
    ),
    admitProbe: assign({
      probes: ({ context: { probes, gen, settings }, event }) => [
        ...probes,
        { id: askedBy(event), gen, leaseUntil: now() + (leaseOf(event) ?? settings.halfOpen.leaseMs) },
      ],
    }),
    expireProbes: enqueueActions(({ context, enqueue }) => {
      const expired = expiredProbes(context, now());
      for (const probe of expired) enqueue.emit({ type: 'ProbeExpired', key: context.key, ...probe });
      enqueue.assign({ probes: context.probes.filter((probe) => !expired.includes(probe)) });
    }),
    settleProbe: assign(({ context, event }) =>
      afterProbe(context, reported(context, event).permit, reported(context, event)),
    ),
    noteReport: assign(({ context, event }) => {
      const { outcome, permit } = reported(context, event);
      return outcome === 'ignored' ? {} : { reports: withReport(context, permit) };
    }),
    noteCrossings: enqueueActions(({ context, enqueue }) => {
      const reached = crossings(context.counts, context.settings, now());
      for (const crossing of reached) {
        if (context.crossed.includes(crossing.reason)) continue;
        enqueue.emit({ type: 'WouldHaveOpened', key: context.key, ...crossing });
      }
      enqueue.assign({ crossed: reached.map(({ reason }) => reason) });
    }),
    hold: assign({
      holds: ({ context: { holds }, event }) => (holds.includes(holdOf(event)) ? holds : [...holds, holdOf(event)]),
    }),
    release: assign({ holds: ({ context, event }) => context.holds.filter((hold) => hold !== holdOf(event)) }),
    configure: assign(({ context, event }) => {
      const settings = configured(event);
      if (typeof settings === 'string') return {};
      const mode = switchesMode(context, settings) ? settings.mode : context.mode;
      if (countsAlike(settings, context.settings)) return { settings, mode };
      return { settings, mode, counts: noCounts(settings), crossed: [] };
    }),
    announceOpened: emit(({ context: { key, gen, openings, opening, lastFailure } }) => {
      const { forMs, until, ...crossing } = opening!;
      return {
        type: 'CircuitOpened' as const,
        ...{ key, gen, openUntil: until, openForMs: forMs, openings, ...crossing, lastFailure },
      };
    }),
    announceHalfOpened: emit(({ context: { key, gen } }) => ({ type: 'CircuitHalfOpened' as const, key, gen })),
    announceClosed: emit(({ context: { key, gen } }) => ({ type: 'CircuitClosed' as const, key, gen })),
    announceIsolated: emit(({ context: { key, gen, holds } }) => ({
      type: 'CircuitIsolated' as const,
      ...{ key, gen, holds },
    })),
    announceReleased: emit(({ context: { key, gen } }) => ({ type: 'CircuitReleased' as const, key, gen })),
    announceMode: emit(({ context: { key, gen, mode } }) =>
      mode === 'normal'
        ? { type: 'CircuitEnabled' as const, key, gen }
        : { type: 'CircuitDisabled' as const, key, gen, mode },
    ),
    announceProbe: emit(({ context }) => ({
      type: 'ProbeAdmitted' as const,
      key: context.key,
      ...context.probes.at(-1)!,
    })),
    announceStale: emit(({ context, event }) => {
      const { key, gen } = context;
      const { permit, outcome } = reported(context, event);
      return { type: 'StaleOutcomeIgnored' as const, key, gen, permitGen: permit.gen, id: permit.id, outcome };
    }),
    announceBadOptions: emit(({ context, event }) => ({
      type: 'BreakerOptionsRefused' as const,
      key: context.key,
      problem: problemOf(event),
    })),
  },
}).createMachine({
  id: 'breaker',
  context: ({ input: { key, options } }) => {
    const settings = breakerOptions(options, `breaker '${key}'`);
    return {
      key,
      settings,
      mode: settings.mode,
      gen: 0,
      counts: noCounts(settings),
      crossed: [],
      probes: [],
      probeSuccesses: 0,
      probeFailures: 0,
      reports: [],
      openings: 0,
      opening: null,
      closedAt: null,
      holds: [],
      lastFailure: null,
    };
  },
  initial: 'closed',
  on: {
    'breaker.isolated': { target: '.isolated', actions: ['hold', 'announceIsolated'] },
    'breaker.disabled': {
      target: '.disabled',
      actions: [{ type: 'setMode', params: { mode: 'disabled' } }, 'announceMode'],
    },
    'breaker.metricsOnly': {
      target: '.metricsOnly',
      actions: [{ type: 'setMode', params: { mode: 'metricsOnly' } }, 'announceMode'],
    },
    'breaker.configured': [
      { guard: 'hasBadOptions', actions: 'announceBadOptions' },
      { guard: 'switchesMode', target: '.closed', actions: ['configure', 'announceMode'] },
      { guard: 'changesOptions', actions: 'configure' },
    ],
  },
  states: {
    closed: {
      entry: ['startCounting', 'noteClosing'],
      exit: 'endGeneration',
      always: [
        { guard: 'isSwitchedOff', target: 'disabled' },
        { guard: 'isOnlyMeasured', target: 'metricsOnly' },
      ],
      on: {
        'outcome.reported': [
          { guard: 'isStale', actions: 'announceStale' },
          {
            guard: 'crossesThreshold',
            target: 'open',
            actions: ['keepFailure', 'countOutcome', 'openByCounts', 'announceOpened'],
          },
          { guard: 'isCounted', actions: ['keepFailure', 'countOutcome'] },
        ],
      },
    },
    open: {
      exit: 'endGeneration',
      on: {
        'permit.asked': {
          guard: 'isDue',
          target: 'halfOpen',
          actions: ['announceHalfOpened', 'admitProbe', 'announceProbe'],
        },
        'outcome.reported': { guard: 'isCounted', actions: 'announceStale' },
      },
      initial: 'untilAsked',
      states: {
        untilAsked: { always: { guard: 'halfOpensByItself', target: 'untilDue' } },
        untilDue: {
          always: { guard: 'halfOpensWhenAsked', target: 'untilAsked' },
          after: { openTime: { target: '#breaker.halfOpen', actions: 'announceHalfOpened' } },
        },
      },
    },
    halfOpen: {
      exit: ['endGeneration', 'endProbing'],
      on: {
        'permit.asked': [
          { guard: 'holdsProbe' },
          { guard: 'takesOver', actions: ['endGeneration', 'expireProbes', 'admitProbe', 'announceProbe'] },
          { guard: 'hasFreePermit', actions: ['admitProbe', 'announceProbe'] },
        ],
        'outcome.reported': [
          { guard: 'isStaleProbe', actions: 'announceStale' },
          { guard: 'succeedsOften', target: 'closed', actions: ['noteReport', 'announceClosed'] },
          {
            guard: 'failsOften',
            target: 'open',
            actions: ['keepFailure', 'openByProbe', 'noteReport', 'announceOpened'],
          },
          { guard: 'isLive', actions: ['settleProbe', 'keepFailure', 'noteReport'] },
        ],
        'breaker.configured': { guard: 'changesOptions', target: 'halfOpen', reenter: true, actions: 'configure' },
      },
    },
    isolated: {
      exit: 'endGeneration',
      on: {
        'outcome.reported': { guard: 'isCounted', actions: 'announceStale' },
        'breaker.isolated': { actions: 'hold' },
        'breaker.released': [
          { guard: 'isLastHold', target: 'closed', actions: ['release', 'announceReleased'] },
          { actions: 'release' },
        ],
        'breaker.configured': { guard: 'switchesMode', actions: 'configure' },
        'breaker.disabled': {},
        'breaker.metricsOnly': {},
      },
    },
    disabled: {
      exit: 'endGeneration',
      on: {
        'breaker.enabled': {
          target: 'closed',
          actions: [{ type: 'setMode', params: { mode: 'normal' } }, 'announceMode'],
        },
        'breaker.disabled': {},
      },
    },
    metricsOnly: {
      entry: 'startCounting',
      exit: 'endGeneration',
      on: {
        'outcome.reported': [
          { guard: 'isStale', actions: 'announceStale' },
          { guard: 'isCounted', actions: ['keepFailure', 'countOutcome', 'noteCrossings'] },
        ],
        'breaker.enabled': {
          target: 'closed',
          actions: [{ type: 'setMode', params: { mode: 'normal' } }, 'announceMode'],
        },
        'breaker.metricsOnly': {},
      },
    },
  },
});

type Chart = typeof chart;

/** The type of {@link breaker}: a name for it in hovers and declarations. */
export interface BreakerMachine extends Chart {}

/** The machine of a circuit breaker. Start one per dependency, under its key as id. */
export const breaker: BreakerMachine = chart;
