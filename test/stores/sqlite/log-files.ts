/**
 * Files, events and raw connections for the tests of the SQLite log. Owns making and removing them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { seededRandom, uuidv7Source } from '../../../src/clock.ts';
import { sealEvent } from '../../../src/log/envelope.ts';
import type { NewEvent } from '../../../src/log/event-log.ts';
import { driverFor, openDatabase, type Database, type DriverName } from '../../../src/stores/sqlite/driver.ts';

/** The bindings that can be loaded on this Node. */
export function driversHere(): DriverName[] {
  return driverFor(process.versions.node) === 'node:sqlite' ? ['node:sqlite', 'libsql'] : ['libsql'];
}

/** A folder of its own for one test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rewake-sqlite-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Path of a log that does not exist yet. */
export function logPath(): string {
  return join(testFolder(), 'log.db');
}

const nextId = uuidv7Source(() => 1_767_225_600_000, seededRandom(7));

export function event(overrides: Partial<Omit<NewEvent, 'checksum'>> = {}): NewEvent {
  return sealEvent({ id: nextId(), type: 'Tested', schemaVersion: 1, data: '{"ok":true}', meta: {}, ...overrides });
}

export function events(count: number, overrides?: Partial<Omit<NewEvent, 'checksum'>>): NewEvent[] {
  return Array.from({ length: count }, () => event(overrides));
}

/** Runs `use` on a connection beside the log, which is closed when the test ends. */
export function withRawConnection<T>(path: string, use: (db: Database) => T): T {
  const db = openDatabase(path, driverFor(process.versions.node));
  onTestFinished(() => db.close());
  return use(db);
}

export async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
}

/** The first value a PRAGMA answers with. */
export function pragmaOf(path: string, name: string): unknown {
  return withRawConnection(path, (db) => db.prepare(`PRAGMA ${name}`).get()![0]);
}
