/**
 * What may be wrong around a log and its host. Owns each check and its advice; how they are shown is doctor.ts's.
 *
 * DR1  A check says what was found, and where that is not well, what to do.
 * DR2  Nothing is changed: the log is only read, and what is put beside it to look at the clock is taken away again.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { realClock } from '../clock.ts';
import { missingImplementations } from '../kernel/missing-implementations.ts';
import type { EventLog } from '../log/event-log.ts';
import { explainStream } from '../runtime/explain/explain.ts';
import { MachineRegistry } from '../runtime/machines.ts';
import { hostOf } from '../runtime/ownership.ts';
import { driverFor, openDatabase } from '../stores/sqlite/driver.ts';
import { schemaVersion } from '../stores/sqlite/schema.ts';
import type { RewakeConfig } from './config.ts';

/** What a check came to. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to do; there where it is not ok. */
  readonly next?: string;
}

type Verdict = Omit<Check, 'name'>;

const ok = (found: string): Verdict => ({ status: 'ok', found });
const warn = (found: string, next: string): Verdict => ({ status: 'warn', found, next });
const fail = (found: string, next: string): Verdict => ({ status: 'fail', found, next });

const nodeLeast = [20, 19] as const;

export function checkNode(version: string): Verdict {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > nodeLeast[0] || (major === nodeLeast[0] && minor >= nodeLeast[1]);
  return isEnough
    ? ok(`Node ${version}`)
    : fail(`Node ${version}`, `rewake needs Node ${nodeLeast.join('.')} or newer: update it.`);
}

/** SQLite before this can damage a file that several processes write to; see https://www.sqlite.org/wal.html#walresetbug. */
const sqliteSafe = [3, 51, 3] as const;

export function checkSqlite(nodeVersion: string): Verdict {
  const driver = driverFor(nodeVersion);
  const db = openDatabase(':memory:', driver);
  try {
    return judgeSqlite(driver, String(db.prepare('SELECT sqlite_version()').get()![0]));
  } finally {
    db.close();
  }
}

export function judgeSqlite(driver: string, version: string): Verdict {
  const found = `SQLite ${version} by ${driver}`;
  const parts = version.split('.').map(Number);
  const differing = sqliteSafe.findIndex((part, at) => parts[at] !== part);
  const isSafe = differing < 0 || (parts[differing] ?? 0) > sqliteSafe[differing]!;
  if (isSafe) return ok(found);
  const advice = driver === 'libsql' ? 'Use a Node that has node:sqlite with a newer one' : 'Use a newer Node';
  return warn(
    found,
    `Before ${sqliteSafe.join('.')} a file that several processes write to can be damaged in a rare race. ${advice}, or let one process at a time write.`,
  );
}

export function checkMachines({ machines = {} }: RewakeConfig): Verdict {
  const names = Object.keys(machines);
  if (names.length === 0)
    return warn(
      'the config names no machine',
      "Without machines nothing can be run or sent: export 'defineConfig({ machines: { … } })'.",
    );
  const registry = new MachineRegistry(machines);
  const missing = names.flatMap((name) =>
    missingImplementations(registry.current(name).logic).map((what) => `${what} (${name})`),
  );
  return missing.length > 0
    ? fail(
        `machines ${names.join(', ')}; missing: ${missing.join(', ')}`,
        'Give them in setup() or provide(): actors that need them are blocked.',
      )
    : ok(`machines ${names.join(', ')}`);
}

export function checkSchema(file: string, nodeVersion: string): Verdict {
  const db = openDatabase(file, driverFor(nodeVersion));
  try {
    const found = Number(db.prepare('PRAGMA user_version').get()![0]);
    return found === schemaVersion
      ? ok(`schema version ${found}`)
      : warn(
          `schema version ${found}, this version of rewake writes ${schemaVersion}`,
          'The next host brings it up to date; older versions of rewake cannot open it then.',
        );
  } finally {
    db.close();
  }
}

export async function checkHost(log: EventLog): Promise<Verdict> {
  const host = await hostOf(log);
  if (!host) return ok('no host runs on it');
  const until = `its lease runs until ${new Date(host.expiresAt).toISOString()}`;
  switch (host.life) {
    case 'alive':
      return ok(`host ${host.owner} runs on it; ${until}`);
    case 'dead':
      return warn(
        `host ${host.owner} has died; ${until}`,
        "Start one again: 'rewake run', or your service. Its actors go on where they were.",
      );
    default:
      return warn(
        `host ${host.owner} is said to run on it, on another machine or in another thread; ${until}`,
        'If it is dead, wait until the lease has run out. Two machines must not share a SQLite file.',
      );
  }
}

/** A clock that is further away than this makes times of files, and of another machine's events, hard to compare. */
const clockDifferenceMaxMs = 2_000;

/** Whether a host could write there, and whether the file system's time is that of the process. */
export async function checkFolder(file: string): Promise<Verdict> {
  const folder = dirname(file);
  let made: string;
  try {
    made = await mkdtemp(join(folder, `.${basename(file)}-doctor-`));
  } catch (error) {
    return warn(
      `'${folder}' cannot be written: ${(error as Error).message}`,
      'A host needs to write there. Run it as a user who may.',
    );
  }
  try {
    const differenceMs = Math.round((await stat(made)).mtimeMs - realClock.now());
    return Math.abs(differenceMs) > clockDifferenceMaxMs
      ? warn(
          `the clock of the file system is ${differenceMs} ms off that of this process`,
          'Put the log on a local disk, and let a time service set the clock.',
        )
      : ok('the folder can be written, and its clock is that of this process');
  } finally {
    await rm(made, { recursive: true });
  }
}

const spaceLeast = { fail: 16 * 2 ** 20, warn: 512 * 2 ** 20 };

export async function checkSpace(file: string): Promise<Verdict> {
  const { bavail, bsize } = await statfs(dirname(file));
  return judgeSpace(bavail * bsize);
}

export function judgeSpace(free: number): Verdict {
  const found = `${megabytes(free)} free on its disk`;
  if (free < spaceLeast.fail)
    return fail(found, 'Make room: appends are refused when the disk is full, and their actors wait.');
  return free < spaceLeast.warn ? warn(found, 'Make room before it is full.') : ok(found);
}

const walMost = 64 * 2 ** 20;

export async function checkWal(file: string): Promise<Verdict> {
  const wal = `${file}-wal`;
  const bytes = existsSync(wal) ? (await stat(wal)).size : 0;
  const found = `write-ahead log of ${megabytes(bytes)}`;
  return bytes > walMost
    ? warn(found, 'It grows while somebody reads without an end: look for an open reader, such as a backup or a shell.')
    : ok(found);
}

function megabytes(bytes: number): string {
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 2 ** 10)} KiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** How many actors the log has, by status. */
export async function checkActors(log: EventLog): Promise<Verdict> {
  const counts = { active: 0, done: 0, error: 0, stopped: 0 };
  for await (const { status } of log.actors()) counts[status]++;
  const parts = Object.entries(counts).flatMap(([status, count]) => (count > 0 ? [`${count} ${status}`] : []));
  const failed = counts.error;
  const found = parts.length === 0 ? 'no actors' : `actors: ${parts.join(', ')}`;
  return failed > 0 ? warn(found, "'rewake ls --failed' lists them, 'rewake explain' says why.") : ok(found);
}

/** How many actors are folded to see whether they can be. */
const foldedMax = 1_000;
const namedMax = 5;

/** Actors that cannot go on with the machines at hand. */
export async function checkBlocked(log: EventLog, config: RewakeConfig): Promise<Verdict> {
  const { machines = {}, upcasters } = config;
  const blocked: string[] = [];
  let looked = 0;
  for await (const { stream } of log.actors({ status: 'active', limit: foldedMax })) {
    looked++;
    const told = await explainStream(log, stream, { machines, ...(upcasters && { upcasters }) });
    if (told.blocked && !told.blocked.isFoldable) blocked.push(`${stream} (${told.blocked.name})`);
  }
  if (blocked.length === 0) return ok(`none of ${looked} active actors is blocked`);
  const named = blocked.slice(0, namedMax).join(', ');
  const more = blocked.length > namedMax ? ` and ${blocked.length - namedMax} more` : '';
  return fail(
    `${blocked.length} of ${looked} active actors are blocked: ${named}${more}`,
    "'rewake explain' says of each what it needs.",
  );
}
