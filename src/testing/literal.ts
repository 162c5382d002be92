/**
 * Values as TypeScript text. Owns how a plan, an event or an answer is written into a test that is left behind.
 *
 * LI1  What is written reads as the value that was: what has no literal is refused, not guessed.
 */
import { InvalidArgumentError } from '../errors.ts';
import { property } from './failures.ts';

/** @throws InvalidArgumentError for what has no literal, such as a function or a class of the user's */
export function literal(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (value === null || ['undefined', 'number', 'boolean'].includes(typeof value)) return String(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  if (value instanceof Map) return `new Map(${literal([...value])})`;
  if (value instanceof Set) return `new Set(${literal([...value])})`;
  if (value instanceof Uint8Array) return `new Uint8Array(${literal([...value])})`;
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== Object.prototype && prototype !== null)
    throw InvalidArgumentError.of('a value of a test that is written', 'plain data', value);
  const fields = Object.entries(value as object).map(([key, each]) => `${property(key)}: ${literal(each)}`);
  return fields.length > 0 ? `{ ${fields.join(', ')} }` : '{}';
}

function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner}'`;
}
