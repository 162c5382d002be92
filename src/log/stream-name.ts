/**
 * Names of streams. Owns how a stream name is made from a machine name and an actor id, and taken apart again.
 *
 * N1  A stream is called `<machine>-<id>`; machine names carry no '-', so the first '-' divides, and
 *     readStreamName(streamName(machine, id)) gives machine and id back.
 */
import { InvalidArgumentError } from '../errors.ts';

/** An actor id has at most this many UTF-16 code units. */
const idLengthMax = 200;

const machineName = /^[A-Za-z][A-Za-z0-9_.]*$/;
// Control characters, and halves of surrogate pairs, which no store can write as UTF-8.
const unstorable = /[\p{Cc}\p{Cs}]/u;

/**
 * The stream of an actor.
 * @param machine letters, digits, '_' and '.', beginning with a letter
 * @param id 1 to 200 characters without control characters
 * @throws InvalidArgumentError when one of them has another form
 */
export function streamName(machine: string, id: string): string {
  checkMachineName(machine);
  checkId(id);
  return `${machine}-${id}`;
}

/**
 * Machine name and actor id of a stream.
 * @throws InvalidArgumentError when it is not the name of an actor's stream
 */
export function readStreamName(stream: string): { readonly machine: string; readonly id: string } {
  const at = typeof stream === 'string' ? stream.indexOf('-') : -1;
  if (at < 0) {
    throw new InvalidArgumentError(
      `Not the name of an actor's stream: expected <machine>-<id>, for example 'order-42', found ${show(stream)}. ` +
        'Give the machine name, a hyphen and the id.',
    );
  }
  const machine = stream.slice(0, at);
  const id = stream.slice(at + 1);
  checkMachineName(machine);
  checkId(id);
  return { machine, id };
}

/** @throws InvalidArgumentError when `machine` cannot be the name of a machine */
export function checkMachineName(machine: string): void {
  if (typeof machine === 'string' && machineName.test(machine)) return;
  throw new InvalidArgumentError(
    `Not a machine name: expected a letter, then letters, digits, '_' or '.', found ${show(machine)}. ` +
      "Rename the machine; a '-' is not allowed, because it divides machine and id in the name of a stream.",
  );
}

function checkId(id: string): void {
  const found = faultOfId(id);
  if (found === undefined) return;
  throw new InvalidArgumentError(
    `Not an actor id: expected 1 to ${idLengthMax} characters without control characters, found ${found}. ` +
      'Use a shorter or cleaner id, for example a UUID or the key of the thing the actor is about.',
  );
}

function faultOfId(id: unknown): string | undefined {
  if (typeof id !== 'string') return show(id);
  if (id === '') return 'an empty string';
  if (id.length > idLengthMax) return `${id.length} characters`;
  return unstorable.test(id) ? `an unprintable character in ${show(id)}` : undefined;
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : value === null ? 'null' : typeof value;
}
