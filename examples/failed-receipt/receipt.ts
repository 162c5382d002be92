/**
 * A receipt on its way from a picture into the ledger. Owns the two steps, what is tried when they fail, and what is told.
 *
 * A receipt is a root actor with a stream of its own, because people come back to it: they ask why it failed, and send it on.
 */
import { assign, emit, setup } from 'xstate';
import { effect, type EffectArguments, type ResumeRequested } from 'rewake';
import { step, withFallback } from 'rewake/machines';
import { centsOf } from './amounts.ts';
import type { Outside, Posting, PrintedLine, Reading } from './outside.ts';

export interface ReceiptContext {
  readonly file: string;
  readonly readBy: string | null;
  readonly lines: readonly PrintedLine[];
  readonly totalCents: number | null;
  readonly entry: number | null;
}

export type ReceiptFact =
  | { readonly type: 'ReceiptRead'; readonly readBy: string; readonly lines: number }
  | { readonly type: 'ReceiptPosted'; readonly entry: number };

/** The machine of a receipt; its input is the name of the picture. */
export function receiptMachine(outside: Outside) {
  const vision = step(
    'vision',
    ({ input, context }: EffectArguments<{ file: string }>) => outside.readByModel(input.file, context.signal),
    {
      timeout: '30s',
      retry: { maxRetries: 3, backoff: { initialDelay: '1m', maxDelay: '10m', jitter: 'none' } },
      breaker: { key: 'vision', consecutive: 4, openFor: '15m' },
    },
  );
  const local = effect(({ input, context }: EffectArguments<{ file: string }>) =>
    outside.readHere(input.file, context.signal),
  );
  const post = step(
    'ledger',
    ({ input, context }: EffectArguments<Posting>) => outside.book(input, context.idempotencyKey, context.signal),
    { timeout: '5m', retry: { maxRetries: 5, backoff: { initialDelay: '30s', jitter: 'none' } } },
  );

  return setup({
    types: {
      input: {} as { file: string },
      context: {} as ReceiptContext,
      events: {} as ResumeRequested,
      emitted: {} as ReceiptFact,
      output: {} as { entry: number },
    },
    actors: { read: withFallback([local], { name: 'read' })(vision), post },
    actions: {
      keepReading: assign((_, { readBy, lines }: Reading) => ({ readBy, lines })),
      addUp: assign({
        totalCents: ({ context }) => context.lines.reduce((sum, { amount }) => sum + centsOf(amount), 0),
      }),
      keepEntry: assign((_, { entry }: { entry: number }) => ({ entry })),
      announceRead: emit(({ context: { readBy, lines } }) => {
        return { type: 'ReceiptRead', readBy: readBy!, lines: lines.length } as const;
      }),
      announcePosted: emit(({ context }) => ({ type: 'ReceiptPosted', entry: context.entry! }) as const),
    },
  }).createMachine({
    id: 'receipt',
    context: ({ input }) => ({ file: input.file, readBy: null, lines: [], totalCents: null, entry: null }),
    initial: 'reading',
    states: {
      reading: {
        invoke: {
          id: 'read',
          src: 'read',
          input: ({ context }) => ({ file: context.file }),
          onDone: {
            target: 'posting',
            actions: [{ type: 'keepReading', params: ({ event }) => event.output }, 'addUp', 'announceRead'],
          },
        },
      },
      posting: {
        invoke: {
          id: 'post',
          src: 'post',
          input: ({ context }) => ({ file: context.file, totalCents: context.totalCents! }),
          onDone: { target: 'posted', actions: { type: 'keepEntry', params: ({ event }) => event.output } },
        },
        // A receipt that failed here goes on here, once the cause is gone.
        on: { 'rewake.resume': { target: 'posting', reenter: true } },
      },
      posted: { type: 'final', entry: 'announcePosted' },
    },
    output: ({ context }) => ({ entry: context.entry! }),
  });
}
