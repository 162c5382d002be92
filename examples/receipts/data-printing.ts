/**
 * What every layout draws and prints with: chosen wares, amounts in the writing of a country, columns of equal width.
 * Owns no receipt of its own.
 *
 * B1  Everything is drawn from the Random that is handed in.
 * B2  Columns count a wide character as two, so Japanese receipts stay straight.
 */
import type { Random } from 'rewake';
import type { Shop, Ware } from './data-shops.ts';

/** What a layout is given to print one receipt. */
export interface Slip {
  readonly random: Random;
  /** Unique over all receipts; layouts dress it up. */
  readonly serial: number;
}

/** One line of a receipt. */
export interface Bought {
  readonly name: string;
  readonly count: number;
  readonly price: number;
  readonly amount: number;
}

export const between = (random: Random, min: number, max: number) => min + Math.floor(random() * (max - min + 1));
export const oneOf = <T>(random: Random, from: readonly T[]) => from[Math.floor(random() * from.length)]!;
export const two = (value: number) => String(value).padStart(2, '0');

export const visit = (random: Random, { names, places }: Shop) => {
  const nth = Math.floor(random() * names.length);
  return { name: names[nth]!, place: places[nth]! };
};

export function buy(random: Random, shop: Shop, linesMin: number, linesMax: number): Bought[] {
  const left: Ware[] = [...shop.wares];
  return Array.from({ length: Math.min(between(random, linesMin, linesMax), left.length) }, () => {
    const [name, priceMin, priceMax] = left.splice(Math.floor(random() * left.length), 1)[0]!;
    const price = Math.floor(between(random, priceMin, priceMax) / shop.step) * shop.step + shop.ending;
    const count = random() < 0.25 ? between(random, 2, 3) : 1;
    return { name, count, price, amount: price * count };
  });
}

export const sum = (bought: readonly Bought[]) => bought.reduce((total, { amount }) => total + amount, 0);

export function cents(minor: number, group: string, decimal: string): string {
  const digits = String(Math.abs(minor)).padStart(3, '0');
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, group);
  return `${minor < 0 ? '-' : ''}${whole}${decimal}${digits.slice(-2)}`;
}

export const comma = (minor: number) => cents(minor, '.', ',');
export const spaced = (minor: number) => cents(minor, '\u00a0', ',');
export const point = (minor: number) => cents(minor, ',', '.');
export const apostrophe = (minor: number) => cents(minor, '’', '.');
export const yen = (minor: number) =>
  `${minor < 0 ? '-' : ''}¥${String(Math.abs(minor)).replace(/\B(?=(\d{3})+$)/g, ',')}`;

const widthOf = (text: string) => [...text].reduce((width, char) => width + (char > '\u2e80' ? 2 : 1), 0);
export const row = (left: string, right: string, width: number) =>
  left + ' '.repeat(Math.max(1, width - widthOf(left) - widthOf(right))) + right;
export const centred = (text: string, width: number) => ' '.repeat(Math.max(0, (width - widthOf(text)) >> 1)) + text;
export const text = (...lines: readonly (string | readonly string[])[]) => `${lines.flat().join('\n')}\n`;

export const taxOf = (gross: number, rate: number) => Math.round((gross * rate) / (100 + rate));
export const day = (random: Random) => ({ d: two(between(random, 1, 28)), m: two(between(random, 1, 9)), y: '2026' });
export const time = (random: Random) => `${two(between(random, 8, 21))}:${two(between(random, 0, 59))}`;
