/**
 * Places in the log: the transaction that wrote an append, its number, and the index of an event in it. Owns how that is written
 * as a position; positions of one log are ordered as these numbers are.
 */
import { InvalidArgumentError } from '../../errors.ts';
import type { Position } from '../../log/event-log.ts';

export interface Place {
  readonly tx: number;
  readonly place: number;
  readonly index: number;
}

export function positionOf({ tx, place, index }: Place): Position {
  return `${tx}.${place}.${index}` as Position;
}

/** Before everything where `position` is undefined. @throws InvalidArgumentError when it is no position of such a log */
export function placeOf(position: Position | undefined): Place {
  if (position === undefined) return { tx: 0, place: 0, index: 0 };
  const parts = /^(\d{1,16})\.(\d{1,16})\.(\d{1,9})$/.exec(position)?.slice(1).map(Number);
  if (parts?.every(Number.isSafeInteger)) return { tx: parts[0]!, place: parts[1]!, index: parts[2]! };
  throw new InvalidArgumentError(
    `Not a position of a PostgreSQL log: expected three whole numbers with dots, found ${JSON.stringify(position)}. Pass a position that this log gave.`,
  );
}
