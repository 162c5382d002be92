/**
 * The two things that are done with a receipt, and everything that may be tried when they fail: it is read, and it is
 * posted to the ledger. Owns who is asked in which order, how often, and what is mended; the outside is handed in.
 *
 *   read = mend( vision, else mini, else local ), each model with timeout, retries and a breaker of its own
 *   post = the ledger, with timeout, retries, breaker and a deadline: nothing else will do in its place, so it is waited for
 *
 * F1  The mini model is believed only where its figures add up: where not, it is the model that failed. What the other two
 *     readers say about a receipt is final.
 * F2  The ledger is called under the receipt's own key, whichever attempt it is, in whichever process: it books once.
 */
import { effect, type EffectArguments } from 'rewake';
import { step, withFallback, withHealing, type Patient, type PolicyOptions } from 'rewake/machines';
import { findMend, mendedText, mendNames, type MendName } from './mend-receipt.ts';
import { checkReceipt, readReceipt, type Parsed, type Problem, type Receipt } from './parse-receipt.ts';
import { ReceiptProblemError, type LedgerEntry, type Posting, type Reading, type Scan } from './receipt-facts.ts';
import type { Request } from './service-client.ts';

/** What the steps need of the world. */
export interface Outside {
  /** The bytes of a receipt file. */
  readonly readFile: (file: string, signal: AbortSignal) => Promise<Uint8Array>;
  /** One call to the service. */
  readonly call: (request: Request, signal: AbortSignal) => Promise<unknown>;
}

/** What the mini model read does not add up. */
class MisreadError extends Error {}

const backoff = { initialDelay: '200ms', maxDelay: '2s', jitter: 'equal' } as const;
// The service is never down for long; and where a third of all calls fail anyway, one probe says little.
const breaker = { consecutive: 5, openFor: '400ms', openMax: '1s', halfOpen: { permits: 3 } } as const;

const visionPolicy = {
  timeout: '2s',
  retry: { maxRetries: 2, backoff },
  breaker: { key: 'vision', ...breaker },
} as const satisfies PolicyOptions;

const miniPolicy = {
  timeout: '2s',
  retry: { maxRetries: 1, backoff },
  breaker: { key: 'mini', ...breaker },
  // It may read better the second time; that it misreads does not mean that it is down.
  classify: [{ match: 'MisreadError', breaker: 'ignored' }],
} as const satisfies PolicyOptions;

const ledgerPolicy = {
  timeout: '2s',
  // It is waited for, its open breaker too. A day, because the time in which no worker runs counts.
  deadline: '1d',
  retry: { maxRetries: 11, backoff },
  breaker: { key: 'ledger', ...breaker, consecutive: 8 },
} as const satisfies PolicyOptions;

/** How a receipt is read, and how it is posted. */
export function receiptSteps({ readFile, call }: Outside) {
  const textOf = async ({ file, mends }: Scan, signal: AbortSignal) =>
    orProblem(mendedText(await readFile(file, signal), mends));

  const model = (reader: 'vision' | 'mini', policy: PolicyOptions, errorOf: (problem: Problem) => Error) =>
    step(
      reader,
      async ({ input, context: { signal } }: EffectArguments<Scan>): Promise<Reading> => {
        const text = await textOf(input, signal);
        const receipt = (await call({ path: `/${reader}`, key: keyOf(input), body: { text } }, signal)) as Receipt;
        const problem = checkReceipt(receipt);
        if (problem) throw errorOf(problem);
        return { reader, mends: input.mends, receipt };
      },
      policy,
    );
  const vision = model('vision', visionPolicy, (problem) => new ReceiptProblemError(problem));
  const mini = model('mini', miniPolicy, ({ detail }) => new MisreadError(detail));

  const local = effect(async ({ input, context: { signal } }: EffectArguments<Scan>): Promise<Reading> => ({
    reader: 'local',
    mends: input.mends,
    receipt: orProblem(readReceipt(await textOf(input, signal))),
  }));

  const diagnose = effect(async ({ input, context: { signal } }: EffectArguments<Patient<Scan>>) => {
    const { error, input: scan } = input;
    if (!(error instanceof ReceiptProblemError))
      return { remedy: null, finding: 'it is not the receipt that is wrong' };
    return findMend(await readFile(scan.file, signal), scan.mends, error.code);
  });

  /** A remedy changes how the file is read, never the file. */
  const remedy = (mend: MendName) =>
    effect(({ input: { input: scan } }: EffectArguments<Patient<Scan>>): Scan => ({
      ...scan,
      mends: [...scan.mends, mend],
    }));
  const remedies = Object.fromEntries(mendNames.map((mend) => [mend, remedy(mend)]));

  const read = withHealing({ name: 'mend', diagnose, remedies })(withFallback([mini, local], { name: 'read' })(vision));

  const post = step(
    'ledger',
    async ({ input, context: { signal } }: EffectArguments<Posting>) => {
      const { merchant, number, issuedOn, currency, total } = input.receipt;
      const body = { merchant, number, issuedOn, currency, total };
      return (await call({ path: '/ledger', key: keyOf(input), body }, signal)) as LedgerEntry;
    },
    ledgerPolicy,
  );

  return { read, post };
}

function keyOf({ file }: { readonly file: string }): string {
  return `receipt:${file}`;
}

function orProblem<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new ReceiptProblemError(parsed.problem);
  return parsed.value;
}
