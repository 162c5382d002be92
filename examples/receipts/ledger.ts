/**
 * The ledger of the example service, in memory. Owns the entries and the proof that no receipt was booked twice.
 *
 * G1  One idempotency key, one entry: posting again under the same key gives the first entry back and counts a replay.
 * G2  One receipt number of one merchant, one entry: another key with the same number is refused.
 */

/** What is booked. */
export interface Booking {
  readonly merchant: string;
  readonly number: string;
  readonly issuedOn: string;
  readonly category: string;
  readonly eurCents: number;
}

export interface Entry extends Booking {
  readonly entry: number;
  readonly key: string;
}

export type Posted =
  | { readonly result: 'booked' | 'replayed'; readonly entry: Entry }
  | { readonly result: 'refused'; readonly by: Entry };

export class Ledger {
  readonly #byKey = new Map<string, Entry>();
  readonly #byNumber = new Map<string, Entry>();
  /** How often a key that was booked already was posted again. */
  replays = 0;

  post(key: string, booking: Booking): Posted {
    const known = this.#byKey.get(key);
    if (known) {
      this.replays++;
      return { result: 'replayed', entry: known };
    }
    const receipt = JSON.stringify([booking.merchant, booking.number]);
    const other = this.#byNumber.get(receipt);
    if (other) return { result: 'refused', by: other };
    const entry = { ...booking, entry: this.#byKey.size + 1, key };
    this.#byKey.set(key, entry);
    this.#byNumber.set(receipt, entry);
    return { result: 'booked', entry };
  }

  get entries(): Entry[] {
    return [...this.#byKey.values()];
  }
}
