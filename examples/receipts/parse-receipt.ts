/**
 * From the bytes of a receipt file to a Receipt, or to the reason why not. Pure: no I/O, no clock. Owns the grammar;
 * the words are in receipt-languages.ts, the number formats in money.ts.
 *
 * P1  Never throws, whatever the bytes are: a receipt that cannot be read is a Problem with a code and a detail.
 * P2  Everything above the total that ends in an amount is a line of the receipt, unless its label says otherwise.
 * P3  A Receipt is plain data.
 */
import { detectCurrency, findAmounts, showMoney, type Currency } from './money.ts';
import { detectLanguage, type Language, type LanguageCode } from './receipt-languages.ts';

export interface ReceiptLine {
  readonly text: string;
  /** Minor units; negative for a discount. */
  readonly amount: number;
}

export interface ReceiptTax {
  readonly ratePercent: number;
  /** Minor units. */
  readonly amount: number;
}

/** A receipt as plain data. All amounts are minor units of `currency`. */
export interface Receipt {
  readonly merchant: string;
  readonly number: string;
  /** ISO date, for example `2026-03-14`. */
  readonly issuedOn: string;
  readonly language: LanguageCode;
  readonly currency: Currency;
  readonly lines: readonly ReceiptLine[];
  readonly tip: number;
  readonly taxes: readonly ReceiptTax[];
  /** Whether taxes come on top of the lines, as in the United States, or are part of them. */
  readonly taxesAdded: boolean;
  readonly total: number;
}

/** Why a file is not a receipt that can be booked. */
export interface Problem {
  readonly code:
    | 'empty'
    | 'binary'
    | 'not-utf8'
    | 'mojibake'
    | 'unknown-layout'
    | 'truncated'
    | 'total-missing'
    | 'number-missing'
    | 'date-missing'
    | 'date-impossible'
    | 'refund'
    | 'sum-mismatch';
  readonly detail: string;
}

/** A value, or the reason why there is none. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

const fail = (code: Problem['code'], detail: string) => ({ ok: false, problem: { code, detail } }) as const;

/** Turns the bytes of a file into text, refusing what is not a UTF-8 text file. */
export function decodeReceipt(bytes: Uint8Array): Parsed<string> {
  if (bytes.every((byte) => byte <= 0x20)) return fail('empty', 'the file holds no text');
  const control = bytes.findIndex((byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20));
  if (control >= 0) return fail('binary', `control byte 0x${hex(bytes[control]!)} at offset ${control}`);
  try {
    return { ok: true, value: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    const high = bytes.findIndex((byte) => byte >= 0x80);
    return fail('not-utf8', `byte 0x${hex(bytes[high]!)} at offset ${high} is not UTF-8: another encoding?`);
  }
}

const hex = (byte: number) => byte.toString(16).padStart(2, '0');

// UTF-8 read as Windows-1252 and written as UTF-8 again: 'ü' became 'Ã¼', '€' became 'â‚¬', 'ż' became 'Å¼'.
const mojibake = /[ÃÅÄ][\u0080-\u00bf\u0152-\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]|â‚¬|Â[£§°]/;

/** Reads a receipt. What it cannot find it reports; whether the figures agree is {@link checkReceipt}'s question. */
export function parseReceipt(text: string): Parsed<Receipt> {
  const garbled = mojibake.exec(text);
  if (garbled) return fail('mojibake', `'${garbled[0]}' is a letter decoded twice`);

  const language = detectLanguage(text);
  const currency = detectCurrency(text);
  if (!language || !currency) {
    return fail('unknown-layout', language ? 'no currency sign found' : 'no language with two known labels found');
  }

  const body = readBody(text.split(/\r?\n/), language, currency);
  if (body.total === undefined) {
    return text.endsWith('\n')
      ? fail('total-missing', `${body.lines.length} lines, but no total`)
      : fail('truncated', `the file ends in the middle of line ${text.split('\n').length}`);
  }
  const number = language.number.exec(text)?.[1];
  if (number === undefined) return fail('number-missing', 'no receipt number found');
  const issuedOn = readDate(text, currency === 'USD' ? 'mdy' : language.dateOrder);
  if (!issuedOn.ok) return issuedOn;

  const merchant = text.split('\n').find((line) => /\p{L}{3}/u.test(line))!;
  return {
    ok: true,
    value: {
      merchant: merchant.replace(/[*=#]/g, '').trim(),
      number,
      issuedOn: issuedOn.value,
      language: language.code,
      currency,
      lines: body.lines,
      tip: body.tip,
      taxes: body.taxes,
      taxesAdded: currency === 'USD',
      total: body.total,
    },
  };
}

/** From text to a receipt that can be booked, or to the reason why not. */
export function readReceipt(text: string): Parsed<Receipt> {
  const parsed = parseReceipt(text);
  const problem = parsed.ok ? checkReceipt(parsed.value) : undefined;
  return problem ? { ok: false, problem } : parsed;
}

/** Looks whether a receipt can be booked: its figures agree and it is not a refund. */
export function checkReceipt(receipt: Receipt): Problem | undefined {
  if (receipt.total < 0) {
    return {
      code: 'refund',
      detail: `total is ${showMoney(receipt.total, receipt.currency)}: refunds are booked by hand`,
    };
  }
  const added = receipt.taxesAdded ? sum(receipt.taxes) : 0;
  const expected = sum(receipt.lines) + receipt.tip + added;
  if (expected === receipt.total) return undefined;
  const [lines, total] = [showMoney(expected, receipt.currency), showMoney(receipt.total, receipt.currency)];
  return { code: 'sum-mismatch', detail: `lines come to ${lines}, the total says ${total}` };
}

const sum = (parts: readonly { readonly amount: number }[]) => parts.reduce((total, part) => total + part.amount, 0);

interface Body {
  readonly lines: ReceiptLine[];
  readonly taxes: ReceiptTax[];
  tip: number;
  total: number | undefined;
}

// '2 x 1,49' under an item repeats what the item's own amount says already.
const quantityDetail = /^\s*\d+(?:[.,]\d+)?\s*(?:x|×|\*|@)\s*[€$£¥]?\d+(?:[.,]\d+)*\s*$/;

function readBody(textLines: readonly string[], language: Language, currency: Currency): Body {
  const body: Body = { lines: [], taxes: [], tip: 0, total: undefined };
  for (const raw of textLines) {
    const line = raw.trim();
    const amounts = findAmounts(line, currency);
    const last = amounts.at(-1);
    if (!last) continue;
    if (language.tax.test(line)) readTax(body, line, amounts);
    else if (body.total !== undefined || language.subtotal.test(line) || quantityDetail.test(line)) continue;
    else if (language.total.test(line)) body.total = last.minor;
    else if (language.tip.test(line)) body.tip += last.minor;
    else if (endsInAmount(line, last.end)) {
      body.lines.push({
        text: line.slice(0, amounts.length === 1 ? last.start : amounts[0]!.start).trim(),
        amount: last.minor,
      });
    }
  }
  return body;
}

/** After the amount a line may only name a currency, a tax class or a mark. */
const endsInAmount = (line: string, end: number) =>
  /^\s*(€|EUR|zł|PLN|CHF|SEK|kr|円)?\s*([A-G]|\*|軽|※)?$/.test(line.slice(end));

function readTax(body: Body, line: string, amounts: readonly { readonly minor: number }[]): void {
  const rate = /(\d{1,2}(?:[.,]\d{1,3})?)\s?[%％]/.exec(line)?.[1];
  if (rate === undefined) return;
  // Columns are net, tax, gross or base, tax; alone it is the tax.
  const amount = amounts[Math.min(1, amounts.length - 1)]!.minor;
  body.taxes.push({ ratePercent: Number(rate.replace(',', '.')), amount });
}

const yearFirst = /(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})/;
const yearLast = /(?<!\d)(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?!\d)/;
const monthNamed = /(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* (\d{4})/;
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function readDate(text: string, order: Language['dateOrder']): Parsed<string> {
  const named = monthNamed.exec(text);
  if (named) return isoDate(Number(named[3]), monthNames.indexOf(named[2]!) + 1, Number(named[1]));
  const first = yearFirst.exec(text);
  if (first) return isoDate(Number(first[1]), Number(first[2]), Number(first[3]));
  const last = yearLast.exec(text);
  if (!last) return fail('date-missing', 'no date found');
  const [a, b, year] = [Number(last[1]), Number(last[2]), Number(last[3])];
  const fullYear = year < 100 ? 2000 + year : year;
  return order === 'mdy' ? isoDate(fullYear, a, b) : isoDate(fullYear, b, a);
}

function isoDate(year: number, month: number, day: number): Parsed<string> {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const daysMax = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  if (daysMax === undefined || day < 1 || day > daysMax) return fail('date-impossible', `there is no ${text}`);
  return { ok: true, value: text };
}
