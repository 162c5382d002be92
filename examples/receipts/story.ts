/**
 * The story of one receipt: what its machines told, in order. Owns which receipt is worth telling and how a fact is put
 * into a line; the facts are run-report.ts's.
 */
import type { Diagnosis, ErrorSignature } from 'rewake/machines';
import type { RunReport, Told } from './run-report.ts';
import { seconds, type Terminal } from './terminal.ts';

const linesMax = 16;
const detailMax = 90;

/** The posted receipt whose recovery was the most varied: that of the most kinds of facts, among those told in few lines. */
export function findStory({ stories }: RunReport): string | undefined {
  const kindsOf = (told: readonly Told[]) => new Set(told.map(({ fact }) => fact.type)).size;
  return [...stories]
    .filter(([, told]) => told.length <= linesMax && told.at(-1)!.fact.type === 'ReceiptPosted')
    .sort((a, b) => kindsOf(b[1]) - kindsOf(a[1]) || (a[0] < b[0] ? -1 : 1))[0]?.[0];
}

/** Prints the facts of a receipt. */
export function showStory(terminal: Terminal, { stories }: RunReport, receipt: string): void {
  const told = stories.get(receipt);
  terminal.line();
  terminal.line(`  ${terminal.paint('bold', `What the log tells of ${receipt}`)}`);
  if (!told) return terminal.line('  Nothing: there is no such receipt.');
  const width = Math.max(...told.map(({ fact }) => fact.type.length));
  for (const { at, fact } of told) {
    const time = seconds(at - told[0]!.at, 2);
    terminal.line(
      `  ${time.padStart(7)}  ${fact.type.padEnd(width)}  ${terminal.paint('dim', wordsOf(fact))}`.trimEnd(),
    );
  }
}

/** Fields that do not matter to people, or were told just before. */
const unsaid = ['type', 'batch', 'r', 'dueAt', 'parked', 'durationMs', 'errorClass'];
const unsaidOf: Readonly<Record<string, readonly string[]>> = { Diagnosed: ['error'] };

/** A fact as words, its fields in the order in which it has them. */
function wordsOf(fact: Told['fact']): string {
  const words = Object.entries(fact)
    .filter(([name]) => !unsaid.includes(name) && !unsaidOf[fact.type]?.includes(name))
    .map(([name, value]) => wordOf(name, value))
    .join(', ');
  return words.length > detailMax ? `${words.slice(0, detailMax - 1)}…` : words;
}

function wordOf(name: string, value: unknown): string {
  if (name === 'step') return String(value);
  if (name === 'error') return errorWords(value as ErrorSignature);
  if (name === 'diagnosis') return Object.values(value as Diagnosis).join(': ');
  return `${name} ${Array.isArray(value) ? value.join(' + ') || 'none' : String(value)}`;
}

/** The errors of rewake say it with their names. */
function errorWords({ class: errorClass, name, code = errorClass, message }: ErrorSignature): string {
  return code.startsWith('REWAKE_') ? name : `${code} (${message})`;
}
