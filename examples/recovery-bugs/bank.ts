/**
 * The bank that orders charge, as a test sees it: it is outside of every process and counts what it takes.
 *
 * B1  A call with a key that it knows takes nothing and gives the receipt of the first one.
 */
export class Bank {
  readonly charges: number[] = [];
  readonly #receipts = new Map<string, string>();

  async charge(amount: number, key?: string): Promise<string> {
    const known = key === undefined ? undefined : this.#receipts.get(key);
    if (known !== undefined) return known;
    this.charges.push(amount);
    const receipt = `receipt ${this.charges.length}`;
    if (key !== undefined) this.#receipts.set(key, receipt);
    return receipt;
  }
}
