/**
 * One receipt on its way from a file to the ledger, and the batch in which twenty of them go. Owns the order of the two
 * steps and what is announced; what each tries when it fails is in receipt-steps.ts. Plain XState machines: they run under
 * `createActor` as they run under rewake.
 *
 * A batch is one root actor, and its receipts are children in it: they come together, are reported on together, and nobody
 * talks to one of them alone. So a batch is one stream that tells everything in order, is loaded once, and is over when its
 * receipts are. That is also why batches are small: all that happens in one is written to one stream, one append after the
 * other. A receipt that people come back to, to approve it or to try it again, would be a root actor of its own.
 *
 * T1  A receipt ends posted, or fails with what could neither be mended nor waited for. The batch keeps both and goes on.
 */
import { assign, emit, setup } from 'xstate';
import { batch } from 'rewake/machines';
import type { LedgerEntry, Posting, Reading, ReceiptFact, Scan } from './receipt-facts.ts';
import { receiptSteps, type Outside } from './receipt-steps.ts';

/** How many receipts go in one batch, and how many of them at the same time. */
export const batchSize = 20;
const concurrency = 5;
/** Where most receipts of a batch are refused it is not the receipts that are wrong. */
const minSuccessRate = 0.5;

interface ReceiptContext {
  readonly file: string;
  readonly reading: Reading | undefined;
  readonly posted: LedgerEntry | undefined;
}

/** How a receipt ended that was posted. */
export interface ReceiptOutput {
  readonly entry: number;
}

/** The machine of one receipt; its input is the name of the file. */
export function receiptMachine(outside: Outside) {
  const { read, post } = receiptSteps(outside);
  return setup({
    types: {
      input: {} as string,
      context: {} as ReceiptContext,
      emitted: {} as ReceiptFact,
      output: {} as ReceiptOutput,
    },
    actors: { read, post },
    actions: {
      keepReading: assign((_, { reading }: { reading: Reading }) => ({ reading })),
      keepEntry: assign((_, { posted }: { posted: LedgerEntry }) => ({ posted })),
      announceRead: emit((_, { reading: { reader, mends, receipt } }: { reading: Reading }) => {
        const { merchant, lines, language } = receipt;
        return { type: 'ReceiptRead', reader, mends, merchant, lines: lines.length, language } as const;
      }),
      announcePosted: emit(({ context }) => ({ type: 'ReceiptPosted', ...context.posted! }) as const),
    },
  }).createMachine({
    id: 'receipt',
    context: ({ input }) => ({ file: input, reading: undefined, posted: undefined }),
    initial: 'reading',
    states: {
      reading: {
        invoke: {
          src: 'read',
          input: ({ context }): Scan => ({ file: context.file, mends: [] }),
          onDone: {
            target: 'posting',
            actions: [
              { type: 'keepReading', params: ({ event }) => ({ reading: event.output }) },
              { type: 'announceRead', params: ({ event }) => ({ reading: event.output }) },
            ],
          },
        },
      },
      posting: {
        invoke: {
          src: 'post',
          input: ({ context }): Posting => ({ file: context.file, receipt: context.reading!.receipt }),
          onDone: {
            target: 'posted',
            actions: { type: 'keepEntry', params: ({ event }) => ({ posted: event.output }) },
          },
        },
      },
      posted: { type: 'final', entry: 'announcePosted' },
    },
    output: ({ context }) => ({ entry: context.posted!.entry }),
  });
}

/** The machine of a batch; its input is a list of file names. */
export function receiptBatch(outside: Outside) {
  return batch({ name: 'receipts', concurrency, minSuccessRate })(receiptMachine(outside));
}
