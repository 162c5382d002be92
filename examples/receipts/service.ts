/**
 * The service that the pipeline calls: a real HTTP server that misbehaves on purpose. Owns the routes, the exchange rates
 * and the carrying out of faults; which fault comes when is faults.ts, what was booked is ledger.ts.
 *
 *   POST /vision   reads the text of a receipt, in place of a model that reads its picture
 *   POST /mini     the same for less money, and not always right
 *   POST /ledger   books a receipt, once per Idempotency-Key
 *   GET  /ledger   every entry
 *   GET  /stats    what the service has seen; neither GET is ever faulty
 *
 * H1  A fault happens to one request and leaves no trace in the next, except that `done-then-reset` has done its work.
 * H2  The numbers in /stats are the service's own: they do not depend on what a client believes.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from 'rewake';
import type { DrawFault, FaultKind, Outage } from './faults.ts';
import { Ledger, type Booking } from './ledger.ts';
import type { Currency } from './money.ts';
import { parseReceipt, type Receipt } from './parse-receipt.ts';

/** What GET /stats answers. */
export interface ServiceStats {
  readonly requests: number;
  readonly entries: number;
  /** Posts under a key that was booked already, answered with the first entry. */
  readonly replays: number;
}

export interface ServiceOptions {
  readonly drawFault: DrawFault;
  readonly outages?: readonly Outage[];
  readonly clock: Clock;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Makes the server; it listens when it is told to. */
export function createService({ drawFault, outages = [], clock }: ServiceOptions): Server {
  const ledger = new Ledger();
  const requestsTo = new Map<string, number>();
  const downUntil = new Map<string, number>();
  let requests = 0;

  const answer = (path: string, key: string, body: string): Answer => {
    if (path === '/vision' || path === '/mini') return readText(JSON.parse(body) as { text: string });
    if (path === '/ledger') return book(ledger, key, JSON.parse(body) as Bill);
    return { status: 404, body: `no such path: ${path}` };
  };

  /** How many requests this one makes under its name. */
  const countUp = (name: string) => {
    const nth = (requestsTo.get(name) ?? 0) + 1;
    requestsTo.set(name, nth);
    return nth;
  };

  const isDown = (path: string, nth: number) => {
    const outage = outages.find((each) => each.path === path && each.nth === nth);
    if (outage) downUntil.set(path, clock.now() + outage.forMs);
    return clock.now() < (downUntil.get(path) ?? 0);
  };

  return createServer((request, response) => {
    const path = request.url ?? '/';
    if (request.method === 'GET') {
      if (path === '/ledger') return send(response, { status: 200, body: ledger.entries });
      const stats: ServiceStats = { requests, entries: ledger.entries.length, replays: ledger.replays };
      return send(response, { status: 200, body: stats });
    }
    const key = String(request.headers['idempotency-key'] ?? '');
    requests++;
    const { kind, delayMs } = isDown(path, countUp(path))
      ? ({ kind: 'down', delayMs: 0 } as const)
      : drawFault(path, key, countUp(`${path} ${key}`));
    readBody(request, (body) => {
      after(clock, delayMs, () => carryOut(kind, response, () => answer(path, key, body)));
    });
  });
}

function carryOut(kind: FaultKind, response: ServerResponse, work: () => Answer): void {
  switch (kind) {
    case 'none':
    case 'slow':
      return send(response, work());
    case 'hang':
      return;
    case 'done-then-reset':
      work();
      response.socket?.resetAndDestroy();
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'throttled':
      response.setHeader('retry-after', '1');
      return send(response, { status: 429, body: 'slow down' });
    case 'broken':
      return send(response, { status: 500, body: 'something broke' });
    case 'overloaded':
      return send(response, { status: 503, body: 'try again later' });
    case 'down':
      return send(response, { status: 503, body: 'out of service' });
    case 'misread':
      return send(response, misread(work()));
  }
}

function readText({ text }: { readonly text: string }): Answer {
  const parsed = parseReceipt(text);
  return parsed.ok ? { status: 200, body: parsed.value } : { status: 422, body: parsed.problem };
}

/** The last line was overlooked. */
function misread({ status, body }: Answer): Answer {
  if (status !== 200) return { status, body };
  const receipt = body as Receipt;
  return { status, body: { ...receipt, lines: receipt.lines.slice(0, -1) } };
}

function book(ledger: Ledger, key: string, { currency, total, ...bill }: Bill): Answer {
  if (key === '') return { status: 400, body: 'Idempotency-Key is missing' };
  const posted = ledger.post(key, { ...bill, ...valuation(bill.merchant, currency, total) });
  if (posted.result !== 'refused') {
    const { entry, eurCents } = posted.entry;
    return { status: posted.result === 'booked' ? 201 : 200, body: { entry, eurCents } };
  }
  const detail = `number ${bill.number} is in the ledger already, as entry ${posted.by.entry}`;
  return { status: 422, body: { code: 'duplicate', detail } };
}

interface Bill extends Omit<Booking, 'category' | 'eurCents'> {
  readonly currency: Currency;
  readonly total: number;
}

/** Euro cents per 10,000 minor units, on the day the example was written. */
const eurCentsPer10000: Readonly<Record<Currency, number>> = {
  CHF: 10_640,
  EUR: 10_000,
  GBP: 11_450,
  JPY: 6_120,
  PLN: 2_350,
  SEK: 910,
  USD: 8_620,
};

const categories: readonly (readonly [string, RegExp])[] = [
  ['groceries', /markt|kaufhalle|eck|grocer|stores|larder|sklep|delikatesy|market|マート|ストア|便/i],
  ['meals', /diner|grill|smokehouse|bœuf|bistrot|zinc|trattoria|osteria/i],
  ['travel', /taxi|gasolinera|estación|hotel|gasthof/i],
  ['health', /pharmacie/i],
];

/** What a bill is for, and what it is worth in euro cents. */
function valuation(merchant: string, currency: Currency, total: number) {
  const category = categories.find(([, names]) => names.test(merchant))?.[0] ?? 'equipment';
  return { category, eurCents: Math.round((total * eurCentsPer10000[currency]) / 10_000) };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response
    .writeHead(status, { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' })
    .end(text);
}

function readBody(request: IncomingMessage, then: (body: string) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => then(Buffer.concat(chunks).toString('utf8')));
}

function after(clock: Clock, delayMs: number, fn: () => void): void {
  if (delayMs === 0) fn();
  else clock.setTimer(clock.now() + delayMs, fn);
}
