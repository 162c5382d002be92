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
/** How much of a message, and of what is left of it without its values, counts for a fingerprint. */
const textMax = 8_192;
const kindMax = 512;

/** Describes an error, given what it means. */
export function signatureOf(error: unknown, verdict: ErrorVerdict): ErrorSignature {
  const { class: errorClass, code, status } = verdict;
  const name = nameOf(error) ?? typeof error;
  const message = messageOf(error);
  return {
    class: errorClass,
    name,
    ...(code !== undefined && { code }),
    ...(status !== undefined && { status }),
    message: cut(message),
    fingerprint: fingerprintOf(`${name}\n${code ?? ''}\n${status ?? ''}\n`, message.slice(0, textMax)),
  };
}

/** Most errors of a program come again and again, word by word. */
const fingerprints = new Map<string, string>();
const fingerprintsMax = 500;

function fingerprintOf(head: string, text: string): string {
  const key = head + text;
  let fingerprint = fingerprints.get(key);
  if (fingerprint === undefined) {
    fingerprint = fnv1a(head + withoutValues(text).slice(0, kindMax))
      .toString(16)
      .padStart(8, '0');
    if (fingerprints.size >= fingerprintsMax) fingerprints.clear();
    fingerprints.set(key, fingerprint);
  }
  return fingerprint;
}

/** Between two UTF-16 halves there is no cut: a half is no text. */
function cut(message: string): string {
  return message.slice(0, messageMax).replace(/[\uD800-\uDBFF]$/, '');
}

/** One mark for whatever is a value: a number may be an id that happens to hold no letter. An apostrophe is no quote. */
function withoutValues(message: string): string {
  return message
    .replaceAll(/"[^"]*"|(?<!\w)'[^']*'(?!\w)|`[^`]*`/g, '#')
    .replaceAll(/(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])/gi, '#')
    .replaceAll(/(?<![0-9a-z])(?:0x[0-9a-f]+|(?=[a-f]*\d)[0-9a-f]{6,})(?![0-9a-z])/gi, '#')
    .replaceAll(/\d+(?:\.\d+)?/g, '#');
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
