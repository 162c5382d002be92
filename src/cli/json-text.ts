/**
 * JSON for people. Owns how a value is laid out: on one line where it fits, else an entry a line.
 *
 * JT1  What is printed is the JSON itself, coloured: it can be copied.
 */
import type { Json } from '../log/json.ts';
import { shown, widthOf, type Painter } from './terminal.ts';

/**
 * A value over as many lines as it takes.
 * @param columns width of a line, as far as that can be kept
 * @param most so many lines, and then how many are left out
 */
export function jsonLines(value: Json, { color, columns, most = Infinity }: JsonManner): string[] {
  const lines = laidOut(value, 0, columns, color);
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), color.dim(`… ${lines.length - most + 1} lines more; --json has all of it`)];
}

export interface JsonManner {
  readonly color: Painter;
  readonly columns: number;
  readonly most?: number;
}

/** @param left columns that are taken by what stands before it on its first line */
function laidOut(value: Json, left: number, columns: number, color: Painter): string[] {
  if (typeof value !== 'object' || value === null) return [leaf(value, color)];
  const flat = flatText(value, color);
  if (left + widthOf(flat) <= columns) return [flat];
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const entries = Object.entries(value).map(([key, inner]) => ({
    name: Array.isArray(value) ? '' : `${keyText(key)}: `,
    inner: inner as Json,
  }));
  const body = entries.flatMap(({ name, inner }, at) => {
    const [first, ...rest] = laidOut(inner, widthOf(name) + 1, columns - 2, color);
    const lines = [`  ${name}${first}`, ...rest.map((line) => `  ${line}`)];
    return at === entries.length - 1 ? lines : [...lines.slice(0, -1), `${lines.at(-1)},`];
  });
  return [open, ...body, close];
}

function flatText(value: Json, color: Painter): string {
  if (typeof value !== 'object' || value === null) return leaf(value, color);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map((each) => flatText(each, color)).join(', ')}]`;
  const entries = Object.entries(value).map(([key, inner]) => `${keyText(key)}: ${flatText(inner as Json, color)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

function keyText(key: string): string {
  return shown(JSON.stringify(key));
}

function leaf(value: Json, { green, yellow, dim }: Painter): string {
  const text = shown(JSON.stringify(value));
  if (typeof value === 'string') return green(text);
  return value === null ? dim(text) : yellow(text);
}
