/**
 * How a damaged receipt file is mended. Pure: no I/O, no clock. Owns the mends, which problem each may cure, and how the
 * one that helps is found; what a problem is says parse-receipt.ts.
 *
 * Q1  A file is never changed. A mend is a name: whoever reads the file applies the names it is given, in their order, so
 *     that the log says in a word what was done.
 * Q2  Money is not guessed. A total is put in only where the receipt says twice what it is: as the sum of its lines and as
 *     what was paid.
 * Q3  A diagnosis names a mend only if the problem is gone, or is another one, once it is applied.
 */
import { detectLanguage } from './receipt-languages.ts';
import { decodeReceipt, readReceipt, type Parsed, type Problem } from './parse-receipt.ts';

interface Mend {
  readonly cures: readonly Problem['code'][];
  /** What a diagnosis says it has found where this mend helps. */
  readonly finding: string;
  readonly apply: (text: string) => string;
}

const figures = ['total-missing', 'sum-mismatch'] as const;

const mends = {
  decodeWindows1252: { cures: ['not-utf8'], finding: 'the bytes are Windows-1252', apply: (text) => text },
  encodeAgain: { cures: ['mojibake'], finding: 'UTF-8 was read as Windows-1252', apply: encodeAgain },
  joinLines: { cures: figures, finding: 'an amount was wrapped into the next line', apply: joinLines },
  restoreCommas: { cures: figures, finding: 'semicolons stand where decimal commas were', apply: restoreCommas },
  restoreTotal: { cures: ['total-missing'], finding: 'what was paid is what the lines come to', apply: restoreTotal },
} as const satisfies Record<string, Mend>;

/** The name of a mend. */
export type MendName = keyof typeof mends;

export const mendNames = Object.keys(mends) as readonly MendName[];

/** The text of a receipt file with these mends applied. */
export function mendedText(bytes: Uint8Array, names: readonly MendName[]): Parsed<string> {
  const decoded: Parsed<string> = names.includes('decodeWindows1252')
    ? { ok: true, value: Array.from(bytes, windows1252CharOf).join('') }
    : decodeReceipt(bytes);
  if (!decoded.ok) return decoded;
  return { ok: true, value: names.reduce((text, name) => mends[name].apply(text), decoded.value) };
}

/** Which mend helps a receipt that has this problem although `names` are applied already; null where none does. */
export function findMend(
  bytes: Uint8Array,
  names: readonly MendName[],
  problem: string,
): { readonly remedy: MendName | null; readonly finding: string } {
  for (const remedy of mendNames) {
    const { cures, finding }: Mend = mends[remedy];
    if (!(cures as readonly string[]).includes(problem)) continue;
    const text = mendedText(bytes, [...names, remedy]);
    const read = text.ok ? readReceipt(text.value) : text;
    if (read.ok || read.problem.code !== problem) return { remedy, finding };
  }
  return { remedy: null, finding: 'nothing here can be mended without a guess' };
}

// Spelled out, because Node versions differ in what their windows-1252 decoder does with these bytes.
const windows1252From0x80 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** The character that a byte is in Windows-1252. */
export function windows1252CharOf(byte: number): string {
  return windows1252From0x80[byte - 0x80] ?? String.fromCharCode(byte);
}

/** The byte that a character is in Windows-1252, where it is one. */
export function windows1252ByteOf(char: string): number {
  const index = windows1252From0x80.indexOf(char);
  return index < 0 ? char.charCodeAt(0) : index + 0x80;
}

function encodeAgain(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(text, windows1252ByteOf));
}

/** A label without a figure, and under it nothing but an amount. */
function joinLines(text: string): string {
  return text.replaceAll(/^([^\d\n]*\p{L}[^\d\n]*)\n[ \t]*([€$£¥]?\d[\d.,’\u00a0]*(?: (?:€|kr))?)[ \t]*$/gmu, '$1 $2');
}

function restoreCommas(text: string): string {
  return text.replaceAll(/(?<=\d);(?=\d\d(?!\d))/g, ',');
}

/** From below, because the amount that was paid comes after all that it was paid for (Q2). */
function restoreTotal(text: string): string {
  const lines = text.split('\n');
  const label = detectLanguage(text)?.totalLabel;
  for (let at = lines.length - 1; at > 0; at--) {
    const amount = /\S*\d[.,]\d\d\b.*$/.exec(lines[at]!)?.[0];
    const candidate = lines.toSpliced(at, 0, `${label} ${amount}`).join('\n');
    if (amount !== undefined && readReceipt(candidate).ok) return candidate;
  }
  return text;
}
