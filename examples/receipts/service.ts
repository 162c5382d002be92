/**
 * The bookkeeping service that the pipeline calls: a real HTTP server that misbehaves on purpose. Owns the routes, the
 * exchange rates and the carrying out of faults; which fault comes when is faults.ts, what was booked is ledger.ts.
 *
 *   POST /categorize   what a receipt is for and what it is worth in euro
 *   POST /ledger       books a receipt, once per Idempotency-Key
 *   GET  /ledger       every entry
 *   GET  /stats        what the service has seen; neither GET is ever faulty
 *
 * H1  A fault happens to one request and leaves no trace in the next, except that `done-then-reset` has done its work.
 * H2  The numbers in /stats are the service's own: they do not depend on what a client believes.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from 'rewake';
import type { DrawFault, FaultKind } from './faults.ts';
import { Ledger, type Booking } from './ledger.ts';
import type { Currency } from './money.ts';

/** What GET /stats answers. */
export interface ServiceStats {
  readonly requests: number;
  /** How often each kind of fault, and 'none', was met. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** Requests of effects that were run again after their host had died. */
  readonly reruns: number;
  readonly entries: number;
  /** Posts under a key that was booked already, answered with the first entry. */
  readonly replays: number;
}

export interface ServiceOptions {
  readonly drawFault: DrawFault;
  readonly clock: Clock;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Makes the server; it listens when it is told to. */
export function createService({ drawFault, clock }: ServiceOptions): Server {
  const ledger = new Ledger();
  const seen = new Map<string, number>();
  const faults: Partial<Record<FaultKind, number>> = {};
  const stats = { requests: 0, faults, reruns: 0 };

  const answer = (path: string, key: string, body: string): Answer => {
    if (path === '/categorize') return { status: 200, body: categorize(JSON.parse(body) as Bill) };
    if (path === '/ledger') return book(ledger, key, JSON.parse(body) as Booking);
    return { status: 404, body: `no such path: ${path}` };
  };

  return createServer((request, response) => {
    const path = request.url ?? '/';
    if (request.method === 'GET') {
      if (path === '/ledger') return send(response, { status: 200, body: ledger.entries });
      const { entries, replays } = ledger;
      return send(response, { status: 200, body: { ...stats, entries: entries.length, replays } });
    }
    const key = String(request.headers['idempotency-key'] ?? '');
    const nth = (seen.get(`${path} ${key}`) ?? 0) + 1;
    seen.set(`${path} ${key}`, nth);
    const { kind, delayMs } = drawFault(path, key, nth);
    stats.requests++;
    faults[kind] = (faults[kind] ?? 0) + 1;
    if (Number(request.headers['effect-restarts'] ?? 0) > 0) stats.reruns++;

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
  }
}

function book(ledger: Ledger, key: string, booking: Booking): Answer {
  if (key === '') return { status: 400, body: 'Idempotency-Key is missing' };
  const posted = ledger.post(key, booking);
  if (posted.result !== 'refused') {
    return { status: posted.result === 'booked' ? 201 : 200, body: { entry: posted.entry.entry } };
  }
  return { status: 409, body: `number ${booking.number} is in the ledger already, as entry ${posted.by.entry}` };
}

interface Bill {
  readonly merchant: string;
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

function categorize({ merchant, currency, total }: Bill) {
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
