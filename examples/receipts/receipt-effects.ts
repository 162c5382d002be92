/**
 * The receipt machine's work in the outside world: one file read and two HTTP calls. Owns the requests and how their
 * failures are told apart; when to try again is the machine's business.
 *
 * E1  A call that did not succeed throws a CallError; nothing is retried here.
 * E2  Every request carries two keys. `Idempotency-Key` is the receipt's: the ledger books it once, whichever attempt
 *     arrives. `Effect-Key` is this effect's, the same when it is run again after a crash: it is how the service can
 *     tell a re-run from a new attempt.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { effect, type EffectContext } from 'rewake';
import { CallError, type CallFailure } from './call-error.ts';
import { decodeReceipt, type Parsed } from './parse-receipt.ts';
import type { CallInput, Enrichment, LedgerEntry, PostInput } from './receipt-facts.ts';

export interface Surroundings {
  /** Directory of the receipt files. */
  readonly dataDirectory: string;
  /** For example `http://127.0.0.1:40123`. */
  readonly serviceUrl: string;
}

/** The actors for `receiptMachine.provide`. */
export function receiptEffects({ dataDirectory, serviceUrl }: Surroundings) {
  return {
    readReceipt: effect<Parsed<string>, { readonly file: string }>(async ({ input, signal }) =>
      decodeReceipt(await readFile(join(dataDirectory, input.file), { signal })),
    ),
    enrich: effect<Enrichment, CallInput>(({ input, context }) => {
      const { merchant, language, currency, total } = input.receipt;
      return call(`${serviceUrl}/categorize`, input, context, { merchant, language, currency, total });
    }),
    post: effect<LedgerEntry, PostInput>(({ input, context }) => {
      const { merchant, number, issuedOn } = input.receipt;
      return call(`${serviceUrl}/ledger`, input, context, { merchant, number, issuedOn, ...input.enrichment });
    }),
  };
}

async function call<Answer>(url: string, input: CallInput, context: EffectContext, body: object): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    signal: context.signal,
    headers: {
      'content-type': 'application/json',
      'idempotency-key': input.ledgerKey,
      'effect-key': context.idempotencyKey,
      'effect-restarts': String(context.restarts),
    },
    body: JSON.stringify(body),
  }).catch((error: unknown) => {
    throw new CallError({ reason: 'reset', detail: causeOf(error) });
  });
  if (response.ok) return (await response.json()) as Answer;
  throw new CallError(await failureIn(response));
}

/** fetch says only 'fetch failed'; what happened is in the cause. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message;
  return String(cause);
}

async function failureIn(response: Response): Promise<CallFailure> {
  const detail = (await response.text()).trim();
  const { status } = response;
  if (status === 429 || status >= 500) {
    const retryAfterMs = retryAfterOf(response.headers.get('retry-after'));
    const reason = status === 429 ? 'throttled' : 'unavailable';
    return { reason, detail: `${status} ${detail}`, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
  return { reason: 'refused', code: status === 409 ? 'duplicate' : `http-${status}`, detail };
}

/** Retry-After in seconds, as milliseconds; the date form and nonsense count as absent. */
function retryAfterOf(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}
