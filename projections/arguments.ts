/**
 * What the ways to run a projection are given, checked: a program without types is told what is wrong, and not by what breaks
 * later. Owns the messages.
 */
import { InvalidArgumentError, type EventLog, type ProjectionStore } from 'rewake';
import type { Projection } from './projection.ts';

/** @throws InvalidArgumentError unless it is one */
export function requireProjection(projection: unknown, call: string): void {
  const { name, apply } = (typeof projection === 'object' && projection) as Partial<Projection<unknown>>;
  if (typeof name === 'string' && typeof apply === 'function') return;
  const expected = "a projection, such as executions, correlationTrace('some id') or { name, version, initial, apply }";
  throw InvalidArgumentError.of(`${call}: projection`, expected, projection);
}

/** @throws InvalidArgumentError unless it is one */
export function requireLog(log: EventLog, call: string): void {
  if (typeof (log as Partial<EventLog> | null | undefined)?.readAll === 'function') return;
  throw InvalidArgumentError.of(`${call}: log`, "an event log, such as runtime.log or sqliteLog('orders.db')", log);
}

/** @throws InvalidArgumentError unless it is one; a log in memory has none */
export function requireStore(store: ProjectionStore, call: string): void {
  if (typeof (store as Partial<ProjectionStore> | null | undefined)?.served === 'function') return;
  throw InvalidArgumentError.of(
    `${call}: store`,
    'log.projections of a SQLite log, or memoryProjections() for a log that has none',
    store,
  );
}
