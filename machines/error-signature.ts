/**
 * What the log keeps of a failure besides the failure itself: short, comparable, without a stack. Owns the fingerprint by
 * which failures of one kind are counted together.
 *
 * ES1  The same kind of failure has the same fingerprint, whatever numbers, ids and quoted values its message holds.
 */
import { messageOf, nameOf, type ErrorClass, type ErrorVerdict } from './classify.ts';

/** A failure in a few words. */
export interface ErrorSignature {
  readonly class: ErrorClass;
  readonly name: string;
  readonly code?: string;
  readonly status?: number;
  /** The first 300 characters. */
  readonly message: string;
  /** Eight hexadecimal digits: FNV-1a (Fowler, Noll and Vo) over name, code, status and the message without its values. */
  readonly fingerprint: string;
}

const messageMax = 300;

/** Describes an error, given what it means. */
export function signatureOf(error: unknown, verdict: ErrorVerdict): ErrorSignature {
  const { class: errorClass, code, status } = verdict;
  const name = nameOf(error) ?? typeof error;
  const message = messageOf(error);
  const kind = [name, code ?? '', status ?? '', withoutValues(message.slice(0, 1_000))].join('\n');
  return {
    class: errorClass,
    name,
    ...(code !== undefined && { code }),
    ...(status !== undefined && { status }),
    message: message.slice(0, messageMax),
    fingerprint: fnv1a(kind).toString(16).padStart(8, '0'),
  };
}

function withoutValues(message: string): string {
  return message
    .replaceAll(/"[^"]*"|'[^']*'|`[^`]*`/g, '<text>')
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>')
    .replaceAll(/\b(?:0x)?(?=[0-9a-f]*\d)[0-9a-f]{6,}\b/gi, '<id>')
    .replaceAll(/\d+(?:\.\d+)?/g, '<n>');
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
