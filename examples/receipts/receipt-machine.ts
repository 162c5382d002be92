/**
 * One receipt on its way from a file to the ledger. Owns the order of the steps, the retry policy and the reasons for a
 * rejection. A plain XState machine: it runs under `createActor` as it runs under rewake, and it does no I/O itself;
 * its four actors are provided from outside (receipt-effects.ts).
 *
 * T1  A receipt ends in exactly one of posted and rejected, or is parked in failed after `attemptsMax` attempts of one
 *     call; a parked receipt goes on when it is told `receipt.retry`.
 * T2  The ledger key is the receipt's, not the attempt's: whoever retries or re-runs the call, the ledger sees one key.
 * T3  The wait before an attempt is never shorter than what the other side asked for in Retry-After.
 */
import { assign, emit, fromPromise, setup } from 'xstate';
import { random } from 'rewake';
import { failureOf, type CallFailure } from './call-error.ts';
import { checkReceipt, parseReceipt, type Parsed } from './parse-receipt.ts';
import type {
  CallInput,
  Enrichment,
  LedgerEntry,
  PostInput,
  ReceiptContext,
  ReceiptEvent,
  ReceiptFact,
  ReceiptInput,
  ReceiptOutput,
  Step,
} from './receipt-facts.ts';

/** Attempts of one call before a receipt is parked. */
export const attemptsMax = 10;
/** How long one attempt may take. */
export const attemptTimeoutMs = 2_000;
const backoffMs = { base: 60, max: 2_000 };

/** Exponential backoff with equal jitter: half of the step is certain, half is drawn. */
function backoffOf(attempt: number, drawn: number): number {
  const stepMs = Math.min(backoffMs.max, backoffMs.base * 2 ** (attempt - 1));
  return Math.round(stepMs / 2 + (stepMs / 2) * drawn);
}

const timedOut: CallFailure = { reason: 'timeout', detail: `no answer within ${attemptTimeoutMs} ms` };

/** The context after a failed attempt; used from an error event and from the timeout. */
function afterFailure(context: ReceiptContext, failure: CallFailure) {
  return { lastFailure: failure, delayMs: Math.max(backoffOf(context.attempt, random()), failure.retryAfterMs ?? 0) };
}

function callInput(context: ReceiptContext): CallInput {
  return { receipt: context.receipt!, ledgerKey: `receipt:${context.file}`, attempt: context.attempt };
}

/** XState types the event of a named action as the machine's own events; what an effect sends has one of these. */
const errorIn = (event: object) => ('error' in event ? event.error : undefined);

function unprovided<Output, Input>(name: string) {
  return fromPromise<Output, Input>(() =>
    Promise.reject(new Error(`Provide the actor '${name}' of the receipt machine`)),
  );
}

/** The machine. Give it its actors with `receiptMachine.provide({ actors: receiptEffects(…) })`. */
export const receiptMachine = setup({
  types: {
    input: {} as ReceiptInput,
    context: {} as ReceiptContext,
    events: {} as ReceiptEvent,
    emitted: {} as ReceiptFact,
    output: {} as ReceiptOutput,
    tags: {} as 'settled',
  },
  actors: {
    readReceipt: unprovided<Parsed<string>, { readonly file: string }>('readReceipt'),
    enrich: unprovided<Enrichment, CallInput>('enrich'),
    post: unprovided<LedgerEntry, PostInput>('post'),
  },
  delays: {
    attemptTimeout: attemptTimeoutMs,
    backoff: ({ context }) => context.delayMs,
  },
  guards: {
    isReadable: (_, params: { reading: Parsed<string> }) => params.reading.ok,
    isParsed: ({ context }) => context.receipt !== undefined,
    isBookable: ({ context }) => checkReceipt(context.receipt!) === undefined,
    attemptsAreSpent: ({ context }) => context.attempt >= attemptsMax,
    isEnriched: ({ context }) => context.enrichment !== undefined,
    isRefused: ({ event }) => failureOf(errorIn(event)).reason === 'refused',
  },
  actions: {
    keepText: assign((_, { reading }: { reading: Parsed<string> }) => (reading.ok ? { text: reading.value } : {})),
    rejectReading: assign((_, { reading }: { reading: Parsed<string> }) =>
      reading.ok ? {} : { rejection: reading.problem },
    ),
    rejectUnreadable: assign({
      rejection: ({ event }) => ({ code: 'unreadable', detail: failureOf(errorIn(event)).detail }),
    }),
    parse: assign(({ context }) => {
      const parsed = parseReceipt(context.text);
      return parsed.ok ? { receipt: parsed.value, text: '' } : { rejection: parsed.problem, text: '' };
    }),
    rejectProblem: assign({ rejection: ({ context }) => checkReceipt(context.receipt!) }),
    rejectRefused: assign({
      rejection: ({ event }) => {
        const { code = 'refused', detail } = failureOf(errorIn(event));
        return { code, detail };
      },
    }),
    beginCall: assign({ attempt: 0, lastFailure: undefined, delayMs: 0 }),
    countAttempt: assign({
      attempt: ({ context }) => context.attempt + 1,
      attempts: ({ context }) => context.attempts + 1,
    }),
    noteFailure: assign(({ context, event }) => afterFailure(context, failureOf(errorIn(event)))),
    noteTimeout: assign(({ context }) => afterFailure(context, timedOut)),
    keepEnrichment: assign((_, { enrichment }: { enrichment: Enrichment }) => ({ enrichment })),
    keepEntry: assign((_, { entry }: LedgerEntry) => ({ entry })),
    announceParsed: emit(({ context }) => ({
      type: 'ReceiptParsed' as const,
      merchant: context.receipt!.merchant,
      lines: context.receipt!.lines.length,
      language: context.receipt!.language,
    })),
    announceFailure: emit(({ context }, { step }: { step: Step }) => ({
      type: 'AttemptFailed' as const,
      step,
      attempt: context.attempt,
      reason: context.lastFailure!.reason,
      delayMs: context.delayMs,
    })),
    announcePosted: emit(({ context }) => ({
      type: 'ReceiptPosted' as const,
      entry: context.entry!,
      attempts: context.attempts,
      eurCents: context.enrichment!.eurCents,
    })),
    announceRejected: emit(({ context }) => ({
      type: 'ReceiptRejected' as const,
      ...context.rejection!,
      attempts: context.attempts,
    })),
    announceParked: emit(({ context }) => ({
      type: 'ReceiptParked' as const,
      attempts: context.attempts,
      reason: context.lastFailure!.reason,
    })),
  },
}).createMachine({
  id: 'receipt',
  context: ({ input }) => ({
    file: input.file,
    text: '',
    receipt: undefined,
    rejection: undefined,
    enrichment: undefined,
    entry: undefined,
    attempt: 0,
    attempts: 0,
    lastFailure: undefined,
    delayMs: 0,
  }),
  initial: 'reading',
  states: {
    reading: {
      invoke: {
        src: 'readReceipt',
        input: ({ context }) => ({ file: context.file }),
        onDone: [
          {
            guard: { type: 'isReadable', params: ({ event }) => ({ reading: event.output }) },
            target: 'parsing',
            actions: { type: 'keepText', params: ({ event }) => ({ reading: event.output }) },
          },
          {
            target: 'rejected',
            actions: { type: 'rejectReading', params: ({ event }) => ({ reading: event.output }) },
          },
        ],
        onError: { target: 'rejected', actions: 'rejectUnreadable' },
      },
    },
    parsing: {
      entry: 'parse',
      always: [{ guard: 'isParsed', target: 'validating', actions: 'announceParsed' }, { target: 'rejected' }],
    },
    validating: {
      always: [
        { guard: 'isBookable', target: 'enriching' },
        { target: 'rejected', actions: 'rejectProblem' },
      ],
    },
    enriching: {
      entry: 'beginCall',
      initial: 'calling',
      states: {
        calling: {
          entry: 'countAttempt',
          invoke: {
            src: 'enrich',
            input: ({ context }) => callInput(context),
            onDone: {
              target: '#receipt.posting',
              actions: { type: 'keepEnrichment', params: ({ event }) => ({ enrichment: event.output }) },
            },
            onError: [
              { guard: 'isRefused', target: '#receipt.rejected', actions: 'rejectRefused' },
              { target: 'waiting', actions: 'noteFailure' },
            ],
          },
          after: { attemptTimeout: { target: 'waiting', actions: 'noteTimeout' } },
        },
        waiting: {
          entry: { type: 'announceFailure', params: { step: 'enrich' } },
          always: { guard: 'attemptsAreSpent', target: '#receipt.failed' },
          after: { backoff: 'calling' },
        },
      },
    },
    posting: {
      entry: 'beginCall',
      initial: 'calling',
      states: {
        calling: {
          entry: 'countAttempt',
          invoke: {
            src: 'post',
            input: ({ context }) => ({ ...callInput(context), enrichment: context.enrichment! }),
            onDone: {
              target: '#receipt.posted',
              actions: { type: 'keepEntry', params: ({ event }) => event.output },
            },
            onError: [
              { guard: 'isRefused', target: '#receipt.rejected', actions: 'rejectRefused' },
              { target: 'waiting', actions: 'noteFailure' },
            ],
          },
          after: { attemptTimeout: { target: 'waiting', actions: 'noteTimeout' } },
        },
        waiting: {
          entry: { type: 'announceFailure', params: { step: 'post' } },
          always: { guard: 'attemptsAreSpent', target: '#receipt.failed' },
          after: { backoff: 'calling' },
        },
      },
    },
    posted: { type: 'final', tags: 'settled', entry: 'announcePosted' },
    rejected: { type: 'final', tags: 'settled', entry: 'announceRejected' },
    failed: {
      tags: 'settled',
      entry: 'announceParked',
      on: { 'receipt.retry': [{ guard: 'isEnriched', target: 'posting' }, { target: 'enriching' }] },
    },
  },
  output: ({ context }) =>
    context.rejection
      ? { outcome: 'rejected', rejection: context.rejection, attempts: context.attempts }
      : { outcome: 'posted', entry: context.entry!, attempts: context.attempts },
});
