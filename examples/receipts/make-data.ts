/**
 * Prints the 200 example receipts into data/: `node dist/examples/receipts/make-data.js [directory]`. Owns which
 * receipts there are and how some of them are broken; how a receipt looks is in data-layouts.ts.
 *
 * D1  Deterministic: the same sources write the same bytes.
 * D2  Every broken receipt was a good one first; `flaws` says which problem it has, and what mends it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from 'rewake';
import { layouts } from './data-layouts.ts';
import { windows1252ByteOf, windows1252CharOf, type MendName } from './mend-receipt.ts';

const seed = 20_260_314;

interface Flaw {
  /** The code of the problem, or `duplicate` where only the ledger can notice. */
  readonly code: string;
  /** What mends it, in order; without these it is hopeless. */
  readonly mends?: readonly MendName[];
  /** Which receipt of this layout is broken, counted from 0. */
  readonly layout: string;
  readonly nth: number;
  readonly spoil: (text: string, before: string) => string | Uint8Array;
}

const cutAt = (share: number) => (text: string) => text.slice(0, Math.floor(text.length * share)).trimEnd();
const without = (line: RegExp) => (text: string) => text.replace(line, '');
const inWindows1252 = (text: string) => Uint8Array.from(text, windows1252ByteOf);
const decodedTwice = (text: string) => Array.from(Buffer.from(text, 'utf8'), windows1252CharOf).join('');
/** The amount of a line goes to the next one. */
const wrapped = (label: RegExp) => (text: string) =>
  text.replace(new RegExp(`^(${label.source}.*?) {2,}(?=\\S+(?: €)?$)`, 'm'), '$1\n    ');
const withSemicolons = (text: string) => text.replaceAll(/(?<=\d),(?=\d\d\b)/g, ';');

/** The broken receipts, in no special order. */
export const flaws: readonly Flaw[] = [
  { code: 'empty', layout: 'en-grocer', nth: 5, spoil: () => '' },
  { code: 'binary', layout: 'de-supermarkt', nth: 9, spoil: () => noise(640) },
  { code: 'not-utf8', mends: ['decodeWindows1252'], layout: 'fr-pharmacie', nth: 3, spoil: inWindows1252 },
  { code: 'not-utf8', mends: ['decodeWindows1252'], layout: 'de-supermarkt', nth: 15, spoil: inWindows1252 },
  {
    code: 'not-utf8',
    mends: ['decodeWindows1252', 'joinLines'],
    layout: 'fr-pharmacie',
    nth: 10,
    spoil: (text) => inWindows1252(wrapped(/TOTAL TTC/)(text)),
  },
  { code: 'mojibake', mends: ['encodeAgain'], layout: 'pl-sklep', nth: 6, spoil: decodedTwice },
  { code: 'mojibake', mends: ['encodeAgain'], layout: 'sv-webshop', nth: 8, spoil: decodedTwice },
  { code: 'total-missing', mends: ['joinLines'], layout: 'it-trattoria', nth: 4, spoil: wrapped(/TOTALE/) },
  { code: 'total-missing', mends: ['joinLines'], layout: 'de-hotel', nth: 5, spoil: wrapped(/Gesamtbetrag/) },
  { code: 'total-missing', mends: ['restoreCommas'], layout: 'es-taxi', nth: 9, spoil: withSemicolons },
  {
    code: 'sum-mismatch',
    mends: ['restoreCommas'],
    layout: 'it-trattoria',
    nth: 11,
    spoil: (text) => text.replace(/^(COPERTO.*),/m, '$1;'),
  },
  { code: 'total-missing', mends: ['restoreTotal'], layout: 'en-grocer', nth: 8, spoil: without(/^TOTAL.*\n/m) },
  { code: 'total-missing', mends: ['restoreTotal'], layout: 'en-grocer', nth: 14, spoil: without(/^TOTAL.*\n/m) },
  { code: 'unknown-layout', layout: 'it-trattoria', nth: 8, spoil: () => shoppingList },
  { code: 'truncated', layout: 'en-diner', nth: 11, spoil: cutAt(0.55) },
  { code: 'truncated', layout: 'sv-webshop', nth: 2, spoil: cutAt(0.5) },
  { code: 'total-missing', layout: 'es-gasolinera', nth: 7, spoil: without(/^TOTAL EUR.*\n/m) },
  { code: 'number-missing', layout: 'es-taxi', nth: 4, spoil: without(/^Recibo n.º.*\n/m) },
  {
    code: 'date-impossible',
    layout: 'it-trattoria',
    nth: 13,
    spoil: (text) => text.replace(/\d\d-\d\d-2026/, '31-02-2026'),
  },
  { code: 'refund', layout: 'en-grocer', nth: 17, spoil: (text) => text.replaceAll(/£(\d)/g, '-£$1') },
  { code: 'sum-mismatch', layout: 'de-supermarkt', nth: 20, spoil: (text) => text.replace(/(SUMME +EUR +)/, '$11') },
  { code: 'sum-mismatch', layout: 'fr-bistrot', nth: 10, spoil: without(/^\d x .*\n/m) },
  { code: 'duplicate', layout: 'de-hotel', nth: 7, spoil: (_text, before) => before },
];

const shoppingList = 'latte\npane (quello buono!)\nuova x6\nchiamare nonna\n... e i fiori\n';

function noise(bytes: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256));
}

/** Every receipt file: its name and its content; without flaws, as they were before they were damaged. */
export function makeReceipts(flawed: readonly Flaw[] = flaws): Map<string, string | Uint8Array> {
  const random = seededRandom(seed);
  const files = new Map<string, string | Uint8Array>();
  // Layouts are dealt like cards, so that every stretch of the run meets many of them.
  const deck = layouts.flatMap(([name, count, layout]) =>
    Array.from({ length: count }, (_, nth) => ({ name, nth, layout, order: (nth + random()) / count })),
  );
  deck.sort((a, b) => a.order - b.order);
  const before = new Map<string, string>();
  deck.forEach(({ name, nth, layout }, index) => {
    const text = layout({ random, serial: 10_000 + index * 37 });
    const flaw = flawed.find((candidate) => candidate.layout === name && candidate.nth === nth);
    const file = `${String(index + 1).padStart(3, '0')}-${name}.txt`;
    files.set(file, flaw ? flaw.spoil(text, before.get(name) ?? text) : text);
    before.set(name, text);
  });
  return files;
}

if (process.argv[1]?.endsWith('make-data.js')) {
  const directory = process.argv[2] ?? 'examples/receipts/data';
  mkdirSync(directory, { recursive: true });
  const files = makeReceipts();
  for (const [name, content] of files) writeFileSync(join(directory, name), content);
  console.log(`${files.size} receipts written to ${directory}`);
}
