/** Amounts of money as receipts print them. Owns how one is read. */

/** The cents of an amount such as `12,40`. */
export function centsOf(printed: string): number {
  return Math.round(Number.parseFloat(printed.replace(',', '.')) * 100);
}
