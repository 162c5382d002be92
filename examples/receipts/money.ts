/**
 * Amounts as receipts print them, in whole minor units. Owns the number formats and currencies; knows no language.
 *
 * M1  An amount is an integer count of the currency's smallest unit: cents, grosze, öre, whole yen.
 * M2  No floating point anywhere: text goes to digits, digits go to an integer.
 */

export type Currency = 'CHF' | 'EUR' | 'GBP' | 'JPY' | 'PLN' | 'SEK' | 'USD';

/** How many decimals each currency prints. */
const decimalsOf: Readonly<Record<Currency, 0 | 2>> = {
  CHF: 2,
  EUR: 2,
  GBP: 2,
  JPY: 0,
  PLN: 2,
  SEK: 2,
  USD: 2,
};

// Codes before symbols: a Swiss bill quotes '= EUR' figures, a Swedish one says only 'kr'.
const currencySigns: readonly (readonly [Currency, RegExp])[] = [
  ['CHF', /\bCHF\b/],
  ['PLN', /\bPLN\b|zł/],
  ['JPY', /[¥￥円]/],
  ['SEK', /\bSEK\b|\bkr\b/],
  ['GBP', /£|\bGBP\b/],
  ['USD', /\$|\bUSD\b/],
  ['EUR', /€|\bEUR\b/],
];

/** The currency a receipt is in, by the first sign found; undefined when it shows none. */
export function detectCurrency(text: string): Currency | undefined {
  return currencySigns.find(([, sign]) => sign.test(text))?.[0];
}

const grouped = String.raw`(?:\d{1,3}(?:[.,'’\u00a0\u202f]\d{3})+|\d+)`;
const withCents = new RegExp(String.raw`(?<![\d.,])([-−]?)\s?[€$£]?(${grouped}[.,]\d{2})(?![\d.,]*\d)(-?)`, 'g');
const wholeYen = new RegExp(String.raw`([-−]?)[¥￥](${grouped})()`, 'g');

/** Where an amount stands in a line and what it is worth. */
export interface FoundAmount {
  readonly minor: number;
  readonly start: number;
  readonly end: number;
}

/** Every amount of a line, from left to right. Percentages, litres and unit prices with three decimals are none. */
export function findAmounts(line: string, currency: Currency): FoundAmount[] {
  const found: FoundAmount[] = [];
  for (const match of line.matchAll(decimalsOf[currency] === 2 ? withCents : wholeYen)) {
    const end = match.index + match[0].length;
    if (/^\s?%/.test(line.slice(end))) continue;
    const digits = Number(match[2]!.replace(/\D/g, ''));
    const negative = match[1] !== '' || match[3] !== '';
    found.push({ minor: negative ? -digits : digits, start: match.index, end });
  }
  return found;
}

/** An amount for people: `1234.50 EUR`, `980 JPY`. */
export function showMoney(minor: number, currency: Currency): string {
  const decimals = decimalsOf[currency];
  const digits = String(Math.abs(minor)).padStart(decimals + 1, '0');
  const sign = minor < 0 ? '-' : '';
  if (decimals === 0) return `${sign}${digits} ${currency}`;
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)} ${currency}`;
}
