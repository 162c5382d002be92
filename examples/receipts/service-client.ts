/**
 * One call to the service. Owns the request and what its answers mean as errors; when to call again is the business of
 * whoever makes the call.
 *
 * E1  What the service said about the receipt is a ReceiptProblemError. Everything else that is no answer keeps its status
 *     and its Retry-After, or is what `fetch` failed with: that is what a step decides by.
 */
import { ReceiptProblemError } from './receipt-facts.ts';

/** Where a call goes, and under which key: the service carries out one key once. */
export interface Request {
  readonly path: string;
  readonly key: string;
  readonly body: object;
}

/** An answer that is none. */
class ServiceError extends Error {
  readonly status: number;
  readonly retryAfter: string | null;

  constructor(response: Response, text: string) {
    super(`${response.status} ${text}`);
    this.status = response.status;
    this.retryAfter = response.headers.get('retry-after');
  }
}

/** @throws ReceiptProblemError | ServiceError, or what `fetch` fails with */
export async function call(url: string, { path, key, body }: Request, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    signal,
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });
  if (response.ok) return response.json();
  const text = await response.text();
  if (response.status === 422) throw new ReceiptProblemError(JSON.parse(text) as { code: string; detail: string });
  throw new ServiceError(response, text);
}
