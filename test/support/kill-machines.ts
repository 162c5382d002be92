/**
 * The machines that the killing test hosts: promise effects with retries, timers, messages, nested, spawned and parallel
 * actors. Owns what they do and what they give; who kills them is elsewhere.
 *
 * KM1  Machines are the same in every life: they read time and chance from the stimulus only.
 * KM2  Every effect is seen by the witness when it begins and when it ends by itself.
 * KM3  An effect that its machine gives up on leaves a CallAbandoned fact; every other one ends with an outcome, or with
 *      its root.
 */
import { assign, emit, sendParent, setup, spawnChild } from 'xstate';
import { hashSeed, realClock } from '../../src/clock.ts';
import { now, random } from '../../src/kernel/determinism.ts';
import { effect, type EffectArguments } from '../../src/runtime/effect.ts';
import type { Machines } from '../../src/runtime/machines.ts';
import type { Witness } from './kill-witness.ts';

/** The one actor that every charge reports to. */
export const journalStream = 'journal-1';

export interface PaymentInput {
  readonly calls: number;
  /** Patience of the first attempt, doubled by every failure. */
  readonly patienceMs: number;
}

export interface Ring {
  readonly dueAt: number;
  readonly firedAt: number;
}

export interface AlarmInput {
  readonly rings: number;
  readonly delayMsMax: number;
}

const keyOf = ({ event }: { event: { output: string } }) => ({ key: event.output });

const pause = (ms: number) =>
  new Promise<void>((resolve) => void realClock.setTimer(realClock.now() + ms, () => resolve()));

/** Calls an outside service again and again; a failed or slow call is repeated after a backoff. */
function paymentMachine(witness: Witness) {
  const charge = effect(async ({ context }: EffectArguments<unknown>) => {
    const { idempotencyKey: key } = context;
    witness('began', context);
    await pause(1 + (hashSeed(key) % 12));
    await context.send(journalStream, { type: 'noted', key }, { messageId: key });
    witness('ended', context);
    if (hashSeed(key) % 7 === 0) throw new Error(`The charge ${key} was declined.`);
    return key;
  });
  return setup({
    types: {
      input: {} as PaymentInput,
      context: {} as PaymentInput & { receipts: string[]; failures: number },
      events: {} as { type: 'nudged' },
      emitted: {} as { type: 'CallAbandoned'; failures: number },
      output: {} as string[],
    },
    actors: { charge },
    delays: {
      patience: ({ context }) => context.patienceMs * 2 ** context.failures,
      backoff: ({ context }) => 2 ** Math.min(context.failures, 4),
    },
    guards: { isLastCall: ({ context }) => context.receipts.length + 1 >= context.calls },
    actions: {
      countFailure: assign({ failures: ({ context }) => context.failures + 1 }),
      abandonCall: emit(({ context }) => ({ type: 'CallAbandoned' as const, failures: context.failures })),
      keepReceipt: assign(({ context }, { key }: { key: string }) => ({
        failures: 0,
        receipts: [...context.receipts, key],
      })),
    },
  }).createMachine({
    context: ({ input }) => ({ ...input, receipts: [], failures: 0 }),
    initial: 'calling',
    states: {
      calling: {
        invoke: {
          src: 'charge',
          id: 'charge',
          onDone: [
            { guard: 'isLastCall', target: 'paid', actions: { type: 'keepReceipt', params: keyOf } },
            { target: 'calling', reenter: true, actions: { type: 'keepReceipt', params: keyOf } },
          ],
          onError: { target: 'backingOff', actions: 'countFailure' },
        },
        after: { patience: { target: 'backingOff', actions: ['abandonCall', 'countFailure'] } },
      },
      backingOff: { after: { backoff: 'calling' } },
      paid: { type: 'final' },
    },
    output: ({ context }) => context.receipts,
  });
}

/** Rings a few times after delays of its own choice, and keeps when each was due and when it rang. */
function alarmMachine() {
  return setup({
    types: {
      input: {} as AlarmInput,
      context: {} as AlarmInput & { delayMs: number; dueAt: number; rung: Ring[] },
      emitted: {} as { type: 'Rang' } & Ring,
      output: {} as Ring[],
    },
    delays: { delay: ({ context }) => context.delayMs },
    guards: { isLastRing: ({ context }) => context.rung.length + 1 >= context.rings },
    actions: {
      setDelay: assign(({ context }) => {
        const delayMs = Math.floor(random() * context.delayMsMax);
        return { delayMs, dueAt: now() + delayMs };
      }),
      announceRing: emit(({ context }) => ({ type: 'Rang' as const, dueAt: context.dueAt, firedAt: now() })),
      keepRing: assign({ rung: ({ context }) => [...context.rung, { dueAt: context.dueAt, firedAt: now() }] }),
    },
  }).createMachine({
    context: ({ input }) => ({ ...input, delayMs: 0, dueAt: 0, rung: [] }),
    initial: 'set',
    states: {
      set: {
        entry: 'setDelay',
        after: {
          delay: [
            { guard: 'isLastRing', target: 'over', actions: ['announceRing', 'keepRing'] },
            { target: 'set', reenter: true, actions: ['announceRing', 'keepRing'] },
          ],
        },
      },
      over: { type: 'final' },
    },
    output: ({ context }) => context.rung,
  });
}

const seal = setup({ delays: { drying: 4 } }).createMachine({
  initial: 'wet',
  states: { wet: { after: { drying: 'dry' } }, dry: { type: 'final' } },
});

/** A child of the ledger: a nested machine, then an effect that must not run twice and is tried again under a new key. */
function postingMachine(witness: Witness) {
  const wire = effect(
    async ({ context }: EffectArguments<unknown>) => {
      witness('began', context);
      await pause(1 + (hashSeed(context.idempotencyKey) % 5));
      witness('ended', context);
      return context.idempotencyKey;
    },
    { onLost: 'fail' },
  );
  return setup({
    types: { input: {} as { entry: string }, context: {} as { entry: string } },
    actors: { seal, wire },
    delays: { pause: 3 },
    actions: { tellLedger: sendParent(({ context }) => ({ type: 'posted', entry: context.entry })) },
  }).createMachine({
    context: ({ input }) => input,
    initial: 'sealing',
    states: {
      sealing: { invoke: { src: 'seal', id: 'seal', onDone: 'wiring' } },
      wiring: { invoke: { src: 'wire', id: 'wire', onDone: 'posted', onError: 'waiting' } },
      waiting: { after: { pause: 'wiring' } },
      posted: { type: 'final', entry: 'tellLedger' },
    },
  });
}

type LedgerEvent =
  { type: 'add'; entry: string; post: boolean } | { type: 'posted'; entry: string } | { type: 'close' };

/** Takes entries from a client in one region, waits for a lull in another, and for its children in a third. */
function ledgerMachine(witness: Witness) {
  return setup({
    types: {
      context: {} as { entries: string[]; posted: string[]; open: number; lulls: number; closed: boolean },
      events: {} as LedgerEvent,
      output: {} as { entries: string[]; posted: string[] },
    },
    actors: { posting: postingMachine(witness) },
    delays: { lull: 6 },
    guards: {
      mustPost: ({ event }) => event.type === 'add' && event.post,
      isSettled: ({ context }) => context.closed && context.open === 0,
    },
    actions: {
      keepEntry: assign(({ context }, { entry }: { entry: string }) => ({ entries: [...context.entries, entry] })),
      countPosting: assign({ open: ({ context }) => context.open + 1 }),
      post: spawnChild('posting', {
        id: ({ event }) => `posting ${entryOf({ event }).entry}`,
        input: ({ event }) => entryOf({ event }),
      }),
      keepPosted: assign(({ context }, { entry }: { entry: string }) => ({
        open: context.open - 1,
        posted: [...context.posted, entry],
      })),
      countLull: assign({ lulls: ({ context }) => context.lulls + 1 }),
      close: assign({ closed: true }),
    },
  }).createMachine({
    context: { entries: [], posted: [], open: 0, lulls: 0, closed: false },
    type: 'parallel',
    states: {
      intake: {
        initial: 'open',
        states: {
          open: {
            on: {
              add: [
                { guard: 'mustPost', actions: [{ type: 'keepEntry', params: entryOf }, 'countPosting', 'post'] },
                { actions: { type: 'keepEntry', params: entryOf } },
              ],
              close: { target: 'closed', actions: 'close' },
            },
          },
          closed: { type: 'final' },
        },
      },
      pace: {
        initial: 'quiet',
        on: { add: '.busy', close: '.over' },
        states: {
          quiet: {},
          busy: { after: { lull: { target: 'quiet', actions: 'countLull' } } },
          over: { type: 'final' },
        },
      },
      settlement: {
        initial: 'open',
        states: {
          open: {
            on: { posted: { actions: { type: 'keepPosted', params: entryOf } } },
            always: { guard: 'isSettled', target: 'settled' },
          },
          settled: { type: 'final' },
        },
      },
    },
    output: ({ context: { entries, posted } }) => ({ entries, posted }),
  });
}

function entryOf({ event }: { event: LedgerEvent }): { entry: string } {
  return { entry: 'entry' in event ? event.entry : '' };
}

/** Hears of every charge from the effect itself, which may tell it twice. */
function journalMachine() {
  return setup({
    types: {
      context: {} as { keys: string[] },
      events: {} as { type: 'noted'; key: string } | { type: 'close' },
      output: {} as string[],
    },
    actions: { keepKey: assign(({ context }, { key }: { key: string }) => ({ keys: [...context.keys, key] })) },
  }).createMachine({
    context: { keys: [] },
    initial: 'open',
    states: {
      open: {
        on: { noted: { actions: { type: 'keepKey', params: ({ event }) => ({ key: event.key }) } }, close: 'closed' },
      },
      closed: { type: 'final' },
    },
    output: ({ context }) => context.keys,
  });
}

/** The machines by durable name. */
export function killMachines(witness: Witness) {
  return {
    payment: paymentMachine(witness),
    alarm: alarmMachine(),
    ledger: ledgerMachine(witness),
    journal: journalMachine(),
  } satisfies Machines;
}
