/**
 * A schedule: a logic that runs whenever a cron expression comes due, for as long as the log lives. Owns the chart: the
 * wait for the next due time, the one run at a time, and what waits behind it. Which due times were missed is
 * schedule-plan.ts.
 *
 * SC1  Every due time is decided once: run, left out, or missed; there are never two runs for one of them.
 * SC2  When the next run is due is worked out in an effect and kept; a fold never asks a time zone.
 * SC3  One run at a time. What it comes to is a fact; no failure ends the schedule.
 * SC4  The state is bounded: `maxQueued` runs wait at most, and nothing is kept of a run that is over.
 * SC5  A wait that plain XState's timer cannot hold is made in parts: whoever looks too early plans the rest.
 */
import { effect, now, type EffectArguments, type TimeMs } from 'rewake';
import { assign, emit, enqueueActions, setup, type AnyActorLogic, type AnyEventObject, type InputFrom } from 'xstate';
import { classify } from './classify.ts';
import { signatureOf } from './error-signature.ts';
import { requireLogic, timerMsMax } from './options.ts';
import { errorOf, outputOf, type Ended, type Failed, type PolicyMachine } from './policy-machine.ts';
import type { ScheduledRun, ScheduleEvent, ScheduleFact, ScheduleSummary } from './schedule-facts.ts';
import { scheduleRules, type ScheduleOptions } from './schedule-options.ts';
import { planOf, type DueRun, type Plan, type PlanFrom } from './schedule-plan.ts';

/** What a schedule knows. */
export interface ScheduleContext extends ScheduleSummary {
  readonly input: unknown;
  /** Every due time up to here is decided. */
  readonly after: TimeMs;
  readonly next: TimeMs | null;
  readonly isExhausted: boolean;
  readonly isPaused: boolean;
  readonly waiting: readonly DueRun[];
  readonly running: (DueRun & { readonly startedAt: TimeMs }) | null;
}

/** What is given to a schedule: what its runs find under `input`. */
type InputOfRuns<Logic extends AnyActorLogic> = InputFrom<Logic> extends ScheduledRun<infer Input> ? Input : unknown;

/** A schedule: what is given to its runs, and what came of them once it is at its end. */
export type ScheduleMachine<Input> = PolicyMachine<
  ScheduleContext,
  Input,
  ScheduleSummary,
  ScheduleFact,
  ScheduleEvent
>;

/**
 * Runs a logic whenever a cron expression comes due. Host it as an actor of its own; it ends by `until` or `maxRuns`, or
 * never.
 *
 * @example
 * const nightly = schedule('nightly', { cron: '0 3 * * *', timeZone: 'Europe/Berlin', missed: 'once' })(report);
 * // input of each run: { dueAt, missed, triggered, input }, with the schedule's own input
 * @throws InvalidArgumentError for options that cannot work
 */
export function schedule(name: string, options: ScheduleOptions) {
  const rules = scheduleRules(name, options);
  const { missed: policy, overlap, maxQueued, maxRuns } = rules;
  // It is never what kills its host, however often it was running when the host died.
  const plan = effect(({ input, context }: EffectArguments<PlanFrom>) => planOf(rules, input, context.now()), {
    maxRestarts: Number.MAX_SAFE_INTEGER,
    internal: true,
  });
  return <Logic extends AnyActorLogic>(logic: Logic): ScheduleMachine<InputOfRuns<Logic>> => {
    requireLogic(logic, `schedule(${JSON.stringify(name)})(logic)`);
    const skipReason = ({ waiting, running, isPaused }: ScheduleContext, { triggered }: { triggered: boolean }) => {
      const isBusy = running !== null || (waiting.length > 0 && !(triggered && isPaused));
      if (isBusy && overlap === 'skip') return 'overlap' as const;
      return waiting.length >= maxQueued ? ('queueFull' as const) : undefined;
    };
    const machine = setup({
      types: {} as {
        context: ScheduleContext;
        input: unknown;
        output: ScheduleSummary;
        events: AnyEventObject;
        emitted: ScheduleFact;
      },
      actors: { plan, run: logic as AnyActorLogic },
      delays: {
        untilDue: ({ context }) => Math.min(Math.max(0, context.next! - now()), timerMsMax),
      },
      guards: {
        isExhausted: ({ context }) => context.isExhausted,
        isGoing: ({ context }) => !context.isPaused,
        isPaused: ({ context }) => context.isPaused,
        isOver: ({ context: { runs, isExhausted, waiting } }) =>
          runs >= maxRuns || (isExhausted && waiting.length === 0),
        mayRun: ({ context: { waiting, isPaused } }) => waiting.length > 0 && (!isPaused || waiting[0]!.triggered),
      },
      actions: {
        takePlan: enqueueActions(({ context, enqueue }, { output }: Ended) => {
          const { after, missed, makeUp, onTime, next } = output as Plan;
          const skipped = onTime === null ? undefined : skipReason(context, { triggered: false });
          const isMade = onTime !== null && skipped === undefined;
          const room = maxQueued - context.waiting.length - (isMade ? 1 : 0);
          const made = room > 0 ? makeUp.slice(-room) : [];
          const waiting = [...context.waiting, ...made.map((dueAt) => dueRun(dueAt, true))];
          if (isMade) waiting.push(dueRun(onTime, false));
          if (missed) enqueue.emit({ type: 'RunsMissed', schedule: name, ...missed, policy, made: made.length });
          if (skipped) {
            enqueue.emit({ type: 'RunSkipped', schedule: name, dueAt: onTime!, triggered: false, reason: skipped });
          }
          enqueue.assign({ after, next, isExhausted: next === null, waiting });
        }),
        takeTrigger: enqueueActions(({ context, enqueue }) => {
          const triggered = { dueAt: now(), triggered: true } as const;
          const reason = skipReason(context, triggered);
          if (reason !== undefined) enqueue.emit({ type: 'RunSkipped', schedule: name, ...triggered, reason });
          else enqueue.assign({ waiting: [{ ...triggered, missed: false }, ...context.waiting] });
        }),
        takeRun: assign(({ context: { waiting, runs } }) => ({
          running: { ...waiting[0]!, startedAt: now() },
          waiting: waiting.slice(1),
          runs: runs + 1,
        })),
        endRun: assign({ running: null }),
        countFailure: assign({ failures: ({ context }) => context.failures + 1 }),
        pause: assign({ isPaused: true }),
        resume: assign({ isPaused: false }),
        passOver: assign({ after: ({ context }) => Math.max(context.after, now()), next: null }),
        tellStarted: emit(({ context }) => {
          const { dueAt, missed, triggered } = context.running!;
          return { type: 'RunStarted', schedule: name, dueAt, missed, triggered } as const;
        }),
        tellSucceeded: emit(({ context: { running } }) => {
          const { dueAt, startedAt } = running!;
          return { type: 'RunSucceeded', schedule: name, dueAt, durationMs: now() - startedAt } as const;
        }),
        tellFailed: emit(({ context: { running } }, { error }: Failed) => {
          const { dueAt, startedAt } = running!;
          const [durationMs, signature] = [now() - startedAt, signatureOf(error, classify(error))];
          return { type: 'RunFailed', schedule: name, dueAt, durationMs, error: signature } as const;
        }),
        tellPaused: emit(({ event }) => ({ type: 'SchedulePaused', schedule: name, by: sender(event) }) as const),
        tellResumed: emit(({ event }) => ({ type: 'ScheduleResumed', schedule: name, by: sender(event) }) as const),
      },
    }).createMachine({
      id: name,
      context: ({ input }) => ({
        ...{ input, after: now(), next: null, isExhausted: false, isPaused: false },
        ...{ waiting: [], running: null, runs: 0, failures: 0 },
      }),
      initial: 'active',
      states: {
        active: {
          type: 'parallel',
          on: { 'schedule.triggered': { actions: 'takeTrigger' } },
          states: {
            clock: {
              initial: 'planning',
              on: {
                'schedule.paused': { guard: 'isGoing', actions: ['pause', 'tellPaused'] },
                'schedule.resumed': { guard: 'isPaused', actions: ['resume', 'tellResumed'] },
              },
              states: {
                planning: {
                  invoke: {
                    src: 'plan',
                    input: ({ context }: { context: ScheduleContext }) => fromOf(context),
                    onDone: { target: 'waiting', actions: { type: 'takePlan', params: outputOf } },
                  },
                },
                waiting: {
                  always: [
                    { guard: 'isPaused', target: 'paused' },
                    { guard: 'isExhausted', target: 'exhausted' },
                  ],
                  after: { untilDue: 'planning' },
                },
                paused: {
                  on: { 'schedule.resumed': { target: 'planning', actions: ['resume', 'passOver', 'tellResumed'] } },
                },
                exhausted: {},
              },
            },
            work: {
              initial: 'idle',
              states: {
                idle: {
                  always: [
                    { guard: 'isOver', target: '#ended' },
                    { guard: 'mayRun', target: 'running', actions: ['takeRun', 'tellStarted'] },
                  ],
                },
                running: {
                  invoke: {
                    src: 'run',
                    input: ({ context }: { context: ScheduleContext }) => runOf(context),
                    onDone: { target: 'idle', actions: ['tellSucceeded', 'endRun'] },
                    onError: {
                      target: 'idle',
                      actions: [{ type: 'tellFailed', params: errorOf }, 'countFailure', 'endRun'],
                    },
                  },
                },
              },
            },
          },
        },
        ended: { id: 'ended', type: 'final' },
      },
      output: ({ context: { runs, failures } }) => ({ runs, failures }),
    });
    return machine as unknown as ScheduleMachine<InputOfRuns<Logic>>;
  };
}

function dueRun(dueAt: TimeMs, missed: boolean): DueRun {
  return { dueAt, missed, triggered: false };
}

function fromOf({ after, next }: ScheduleContext): PlanFrom {
  return { after, next };
}

function runOf({ running, input }: ScheduleContext): ScheduledRun {
  const { dueAt, missed, triggered } = running!;
  return { dueAt, missed, triggered, input };
}

function sender({ by }: AnyEventObject): string | null {
  return typeof by === 'string' ? by : null;
}
