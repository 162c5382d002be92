/**
 * What receipts and orders talk to: a reading model, a ledger, a bank, a carrier. Owns how each answers, how long it takes, and
 * when it is down. Everything happens by a clock that is handed in, so that a log can be written in virtual time, and the
 * same program goes on with it in real time.
 *
 * OS1  Answers depend on the question and on the time alone.
 */
import { sleep, type Clock, type TimeMs } from 'rewake';

/** A line of a receipt as it is printed. */
export interface PrintedLine {
  readonly text: string;
  /** Euros, as printed: `12,40`. */
  readonly amount: string;
}

export interface Reading {
  readonly readBy: string;
  readonly lines: readonly PrintedLine[];
}

/** What the ledger is given. */
export interface Posting {
  readonly file: string;
  readonly totalCents: number;
}

/** When the demo begins: Monday, 2 March 2026, 08:00 UTC. */
export const beginsAt: TimeMs = Date.UTC(2026, 2, 2, 8);

const minute = 60_000;

interface Outage {
  readonly service: string;
  readonly from: TimeMs;
  readonly to: TimeMs;
  readonly error: () => Error;
}

const failing = (status: number, message: string) => () => Object.assign(new Error(message), { status });

const outages: readonly Outage[] = [
  outage('vision', 20, 21.5, failing(503, 'the model is overloaded')),
  outage('vision', 40, 70, failing(502, 'bad gateway')),
  outage('ledger', 62, 63.2, failing(500, 'the ledger has no connection to its database')),
  outage('bank', 12, 13, failing(503, 'the bank does not answer')),
  outage('payouts', 90, 91, failing(401, 'the token has expired')),
];

function outage(service: string, fromMinute: number, toMinute: number, error: () => Error): Outage {
  return { service, from: beginsAt + fromMinute * minute, to: beginsAt + toMinute * minute, error };
}

/** The pictures, and the payments on the bank account that belong to them, in cents. */
const receipts: { readonly [file: string]: { readonly lines: readonly PrintedLine[]; readonly paidCents: number } } = {
  'bakery.jpg': { lines: lines(['Rye bread', '4,20'], ['Coffee', '2,80']), paidCents: 700 },
  'train.jpg': { lines: lines(['Berlin to Hamburg', '59,90']), paidCents: 5_990 },
  'hotel.jpg': { lines: lines(['Two nights', '238,00'], ['Breakfast', '32,00']), paidCents: 27_000 },
  'laptop.jpg': { lines: lines(['Laptop 14"', '1.249,00'], ['Sleeve', '29,90']), paidCents: 127_890 },
  'taxi.jpg': { lines: lines(['Airport to office', '41,50']), paidCents: 4_150 },
  'lunch.jpg': { lines: lines(['Menu of the day', '13,50'], ['Water', '3,10']), paidCents: 1_660 },
  'paper.jpg': { lines: lines(['Paper A4', '24,95'], ['Pens', '7,49']), paidCents: 3_244 },
  'phone.jpg': { lines: lines(['Phone bill, February', '19,99']), paidCents: 1_999 },
  'flowers.jpg': { lines: lines(['Tulips', '14,00']), paidCents: 1_400 },
};

function lines(...rows: readonly (readonly [text: string, amount: string])[]): PrintedLine[] {
  return rows.map(([text, amount]) => ({ text, amount }));
}

const euros = (cents: number) => `${(cents / 100).toFixed(2)} EUR`;

/** The world outside of the machines. */
export class Outside {
  readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  async readByModel(file: string, signal: AbortSignal): Promise<Reading> {
    await this.#answer('vision', 4_000, signal);
    return { readBy: 'vision', lines: receiptOf(file).lines };
  }

  async readHere(file: string, signal: AbortSignal): Promise<Reading> {
    await this.#answer('local', 9_000, signal);
    return { readBy: 'local', lines: receiptOf(file).lines };
  }

  /** Books under the key of the effect: asked again with it, the answer is the first one. */
  async book({ file, totalCents }: Posting, _key: string, signal: AbortSignal): Promise<{ entry: number }> {
    await this.#answer('ledger', 1_500, signal);
    const { paidCents } = receiptOf(file);
    if (totalCents !== paidCents) {
      const message = `${euros(paidCents)} were paid, but the receipt adds up to ${euros(totalCents)}`;
      throw Object.assign(new Error(message), { status: 422, code: 'AMOUNT_MISMATCH' });
    }
    return { entry: 1_001 + Object.keys(receipts).indexOf(file) };
  }

  async charge(amountCents: number, signal: AbortSignal): Promise<{ authorization: string }> {
    await this.#answer('bank', 2_500, signal);
    return { authorization: `A-${amountCents}` };
  }

  async reserve(items: readonly string[], signal: AbortSignal): Promise<{ shelf: string }> {
    await this.#answer('stock', 1_000, signal);
    return { shelf: `S${items.length}` };
  }

  async orderLabel(address: string, signal: AbortSignal): Promise<{ label: string }> {
    await this.#answer('carrier', 3_000, signal);
    return { label: `L-${address.length}` };
  }

  async pay(iban: string, signal: AbortSignal): Promise<{ transfer: string }> {
    await this.#answer('payouts', 2_000, signal);
    return { transfer: `T-${iban.slice(-4)}` };
  }

  /** Answers after its time, or fails when the service is down. */
  async #answer(service: string, takesMs: number, signal: AbortSignal): Promise<void> {
    await sleep(this.clock, takesMs);
    signal.throwIfAborted();
    const now = this.clock.now();
    const down = outages.find((each) => each.service === service && each.from <= now && now < each.to);
    if (down) throw down.error();
  }
}

function receiptOf(file: string) {
  const found = receipts[file];
  if (!found) throw Object.assign(new Error(`there is no picture '${file}'`), { status: 404 });
  return found;
}
