/**
 * The outside of the receipt machines in tests: the real files, and a service that answers by a script. Owns no assertion.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { readReceipt } from '../../examples/receipts/parse-receipt.ts';
import { ReceiptProblemError } from '../../examples/receipts/receipt-facts.ts';
import type { Outside } from '../../examples/receipts/receipt-steps.ts';
import type { Request } from '../../examples/receipts/service-client.ts';

const directory = new URL('../../examples/receipts/data/', import.meta.url);

export const files = readdirSync(directory)
  .filter((file) => file.endsWith('.txt'))
  .sort();

export const bytesOf = (file: string) => readFileSync(new URL(file, directory));

/** What a call does instead of answering: fail, or never come back. */
export type Scripted = Error | 'silence' | { readonly answer: unknown };

export const reset = () => new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) });
export const status = (code: number, retryAfter?: string) =>
  Object.assign(new Error(`status ${code}`), { status: code, ...(retryAfter !== undefined && { retryAfter }) });

/** A service that does what its script says, by path, and then what it is for. */
export class ScriptedService implements Outside {
  readonly calls: Request[] = [];
  readonly script: Readonly<Record<string, Scripted[]>>;

  constructor(script: Readonly<Record<string, Scripted[]>> = {}) {
    this.script = script;
  }

  readonly readFile: Outside['readFile'] = async (file) => bytesOf(file);

  readonly call: Outside['call'] = async (request) => {
    this.calls.push(request);
    const next = this.script[request.path]?.shift();
    if (next instanceof Error) throw next;
    if (next === 'silence') return new Promise(() => {});
    return next ? next.answer : answerTo(request);
  };

  callsTo(path: string): Request[] {
    return this.calls.filter((request) => request.path === path);
  }
}

function answerTo({ path, body }: Request): unknown {
  if (path === '/ledger') return { entry: 5, eurCents: 100 };
  const read = readReceipt((body as { readonly text: string }).text);
  if (read.ok) return read.value;
  throw new ReceiptProblemError(read.problem);
}
