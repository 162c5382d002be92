/**
 * Random damage to a SQLite log, in its rows and in the bytes of its file, more than a thousand times in a run: the
 * process does not crash or hang, whatever goes wrong is a typed error, no actor shows a state that it never had, and
 * what repairLog says it has repaired is sound and goes on.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fc } from '@fast-check/vitest';
import { assign, emit, fromPromise, raise, setup } from 'xstate';
import { VirtualClock } from '../../src/clock.ts';
import { RewakeError } from '../../src/errors.ts';
import { createRuntime, repairLog, verifyLog, type Finding } from '../../src/index.ts';
import { driverFor, openDatabase, type Database, type SqlValue } from '../../src/stores/sqlite/driver.ts';
import { sqliteLog, type SqliteLog } from '../../src/stores/sqlite/index.ts';
import { all } from '../stores/sqlite/log-files.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { propertyRuns } from '../support/property-runs.ts';

const tally = setup({
  types: {} as {
    context: { list: number[] };
    events: { type: 'ADD'; by: number } | { type: 'WAIT' } | { type: 'WORK' };
  },
  actors: { work: fromPromise(() => new Promise<void>(() => {})) },
}).createMachine({
  id: 'tally',
  context: { list: [] },
  initial: 'idle',
  on: {
    ADD: {
      actions: [
        assign({ list: ({ context, event }) => [...context.list, event.by] }),
        emit(({ event }) => ({ type: 'Added', by: event.by })),
      ],
    },
    WAIT: { actions: raise({ type: 'ADD', by: -1 }, { delay: 3_600_000 }) },
  },
  states: { idle: { on: { WORK: 'working' } }, working: { invoke: { id: 'work', src: 'work' } } },
});

const streams = Array.from({ length: 8 }, (_, index) => `tally-${index}`);
const beganAt = new VirtualClock().now();

const folder = mkdtempSync(join(tmpdir(), 'rewake-damage-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

/** Path of a file with this content. */
function fileOf(content: Buffer): string {
  const path = join(folder, `log-${files++}.db`);
  writeFileSync(path, content);
  return path;
}

/** The file of a sound log. */
let sound: Buffer;
/** Every state that an actor had, as text. */
const states = new Map<string, Set<string>>();

function opened(path: string): { log: SqliteLog; clock: VirtualClock } {
  const clock = new VirtualClock();
  clock.jump(100_000 - (clock.now() - beganAt));
  return { log: sqliteLog(path, { clock, durability: 'process' }), clock };
}

function runtimeOn(log: SqliteLog, clock: VirtualClock) {
  const options = { lease: false, passivate: false, keepLogOpen: true, logger: silentLogger } as const;
  return createRuntime({ log, clock, machines: { tally }, snapshots: { every: 6 }, ...options });
}

const shown = ({ value, context }: { value: unknown; context: unknown }) => JSON.stringify([value, context]);

beforeAll(async () => {
  const path = join(folder, 'sound.db');
  const { log, clock } = opened(path);
  const runtime = await runtimeOn(log, clock);
  for (const [index, stream] of streams.entries()) {
    const ref = await runtime.start('tally', { id: String(index) });
    const seen = new Set([shown(ref.getSnapshot())]);
    states.set(stream, seen);
    // Deposits look alike but for their amounts: a fold alone does not notice when they change places.
    for (let n = 0; n < 8; n++) seen.add(shown(await ref.send({ type: 'ADD', by: index * 100 + n })));
    if (index % 2 === 0) seen.add(shown(await ref.send({ type: 'WAIT' })));
    if (index % 3 === 0) seen.add(shown(await ref.send({ type: 'WORK' })));
  }
  await runtime.close();
  await log.close();
  sound = readFileSync(path);
});

// ── what is done to it ───────────────────────────────────────────────────────────────────────────

interface Damage {
  readonly what: string;
  apply(db: Database): void;
}

function sql(what: string): Damage {
  return { what, apply: (db) => tried(db, what) };
}

/** Runs SQL that an index or a constraint may refuse: then nothing is damaged. */
function tried(db: Database, sql: string, ...values: SqlValue[]): void {
  try {
    db.prepare(sql).run(...values);
  } catch {
    // The file is as it was.
  }
}

const rowOf = (seed: number) =>
  `(SELECT position FROM appends ORDER BY position LIMIT 1 OFFSET ${seed} % max(1, (SELECT count(*) FROM appends)))`;
const streamOf = (seed: number) =>
  `(SELECT id FROM streams ORDER BY id LIMIT 1 OFFSET ${seed} % max(1, (SELECT count(*) FROM streams)))`;

/** A text with one character changed. */
const flipped = (column: string, seed: number) => {
  const at = `(${seed} % max(1, length(${column})) + 1)`;
  return `substr(${column}, 1, ${at} - 1) || char(unicode(substr(${column}, ${at}, 1)) + 1) || substr(${column}, ${at} + 1)`;
};

const seed = fc.nat(1_000_000);
const number = fc.oneof(fc.integer({ min: -2, max: 30 }), fc.constantFrom(2 ** 31, 2 ** 52, -(2 ** 40)));

function setting(table: 'appends' | 'streams' | 'snapshots', column: string, value: fc.Arbitrary<string>) {
  const key = { appends: 'position', streams: 'id', snapshots: 'rowid' }[table];
  const place = { appends: rowOf, streams: streamOf, snapshots: (n: number) => `${(n % 8) + 1}` }[table];
  return fc
    .tuple(seed, value)
    .map(([n, text]) => sql(`UPDATE ${table} SET ${column} = ${text} WHERE ${key} = ${place(n)}`));
}

const numeral = number.map(String);
const garbage = fc.constantFrom("x'00ff80'", "''", "'[]'", "'{}'", '7', "'\u{1f4a5}'");

const rowDamage: fc.Arbitrary<Damage> = fc.oneof(
  ...['data', 'heads'].flatMap((column) => [
    setting(
      'appends',
      column,
      seed.map((n) => flipped(column, n)),
    ),
    setting(
      'appends',
      column,
      seed.map((n) => `substr(${column}, 1, ${n} % max(1, length(${column})))`),
    ),
    setting('appends', column, garbage),
    setting(
      'appends',
      column,
      seed.map((n) => `(SELECT b.${column} FROM appends b WHERE b.position = ${rowOf(n)})`),
    ),
  ]),
  setting('appends', 'count', numeral),
  setting('appends', 'revision', numeral),
  setting('appends', 'stream_id', numeral),
  setting('appends', 'position', numeral),
  setting('appends', 'recorded_at', numeral),
  seed.map((n) => sql(`DELETE FROM appends WHERE position = ${rowOf(n)}`)),
  seed.map((n) => sql(`DELETE FROM appends WHERE stream_id = ${streamOf(n)} AND revision >= ${n % 17}`)),
  fc
    .tuple(seed, fc.boolean())
    .map(([n, isStated]): Damage => ({ what: `row ${n} once more`, apply: (db) => doubled(db, n, isStated) })),
  fc
    .tuple(seed, seed)
    .map(([a, b]): Damage => ({ what: `rows ${a} and ${b} swapped`, apply: (db) => swapped(db, a, b) })),
  setting('streams', 'revision', numeral),
  setting('streams', 'first_revision', numeral),
  setting('streams', 'deleted', fc.constantFrom('0', '1', '7')),
  setting('streams', 'status', fc.constantFrom("'done'", "'activf'", "'error'", 'NULL', "x'00'")),
  setting('streams', 'machine', fc.constantFrom("'tallz'", 'NULL')),
  setting('streams', 'wake_at', fc.constantFrom('NULL', '1', '4000000000000')),
  setting('streams', 'effects', fc.constantFrom('0', '9', '-1', "'x'")),
  setting('streams', 'name', fc.constantFrom("'tally-9'", "'tally'", "'a-b'", "x'00ff'")),
  seed.map((n) => sql(`DELETE FROM streams WHERE id = ${streamOf(n)}`)),
  setting(
    'snapshots',
    'data',
    seed.map((n) => flipped('data', n)),
  ),
  setting('snapshots', 'data', garbage),
  setting('snapshots', 'revision', numeral),
  setting(
    'snapshots',
    'stream',
    seed.map((n) => `'tally-${n % 9}'`),
  ),
);

/** A row of a stream once more, behind its end. */
function doubled(db: Database, n: number, isStated: boolean): void {
  tried(
    db,
    `INSERT INTO appends SELECT (SELECT max(position) + 50 FROM appends), stream_id,
       (SELECT max(revision + count) FROM appends b WHERE b.stream_id = a.stream_id), count, recorded_at, heads, data
     FROM appends a WHERE position = ${rowOf(n)}`,
  );
  if (!isStated) return;
  tried(
    db,
    `UPDATE streams SET revision = (SELECT max(revision + count) - 1 FROM appends b WHERE b.stream_id = streams.id)
     WHERE id = (SELECT stream_id FROM appends ORDER BY position DESC LIMIT 1)`,
  );
}

/** Two rows that change places. */
function swapped(db: Database, a: number, b: number): void {
  const [x, y] = [a, b].map((n) =>
    db.prepare(`SELECT position, stream_id, revision FROM appends WHERE position = ${rowOf(n)}`).get(),
  );
  if (!x || !y) return;
  const move = (position: SqlValue, stream: SqlValue, revision: SqlValue) =>
    tried(db, 'UPDATE appends SET stream_id = ?, revision = ? WHERE position = ?', stream, revision, position);
  move(x[0]!, -7, 1_000_000);
  move(y[0]!, x[1]!, x[2]!);
  move(x[0]!, y[1]!, y[2]!);
}

/** Bytes of the file that turn, those of its header among them. */
const byteDamage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 6 });

// ── what must hold ───────────────────────────────────────────────────────────────────────────────

/** Anything that goes wrong is typed; gives the error. */
async function typed<T>(run: () => Promise<T>): Promise<T | RewakeError> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof RewakeError && error.code !== 'REWAKE_INVARIANT') return error;
    throw error;
  }
}

interface Seen {
  /** Actors that could be loaded. */
  readonly loaded: readonly string[];
  readonly failed: ReadonlyMap<string, RewakeError>;
}

/** Loads every actor: it has a state that it once had, or it does not load. */
async function load(log: SqliteLog, clock: VirtualClock, isSound: boolean): Promise<Seen | RewakeError> {
  const runtime = await typed(() => runtimeOn(log, clock));
  if (runtime instanceof RewakeError) return runtime;
  const loaded: string[] = [];
  const failed = new Map<string, RewakeError>();
  for (const stream of streams) {
    const ref = await typed(() => runtime.get(stream));
    if (ref instanceof RewakeError) {
      failed.set(stream, ref);
      continue;
    }
    const snapshot = ref.getSnapshot() as { value: unknown; context: { list: number[] } };
    expect([...states.get(stream)!], `${stream} shows what it never was`).toContain(shown(snapshot));
    loaded.push(stream);
    if (!isSound) continue;
    const after = (await runtime.send(stream, { type: 'ADD', by: 999 })) as unknown as typeof snapshot;
    expect(after.context.list).toEqual([...snapshot.context.list, 999]);
  }
  await typed(() => runtime.close());
  return { loaded, failed };
}

async function survives(path: string): Promise<void> {
  const begun = await typed(async () => opened(path));
  if (begun instanceof RewakeError) return;
  const { log, clock } = begun;
  try {
    const findings = await typed(() => all(verifyLog(log)));
    const first = await load(log, clock, false);
    const report = await typed(() => repairLog(log, { quarantine: 'random damage', clock }));
    const again = await typed(() => all(verifyLog(log)));
    const isSound = !(report instanceof RewakeError) && report.failed.length === 0 && report.left.every(isNoDamage);
    const second = await load(log, clock, isSound);
    if (isSound) soundNow(again, second);
    // What was found damaged is not folded, and what was not found folds.
    if (!(findings instanceof RewakeError) && !(first instanceof RewakeError)) agree(findings, first);
  } finally {
    await typed(() => log.close());
  }
}

const isNoDamage = ({ severity }: Finding) => severity !== 'damage';

function soundNow(findings: Finding[] | RewakeError, seen: Seen | RewakeError): void {
  expect(findings).toBeInstanceOf(Array);
  expect((findings as Finding[]).filter(({ severity }) => severity === 'damage' || severity === 'mendable')).toEqual(
    [],
  );
  expect(seen).not.toBeInstanceOf(RewakeError);
  const { failed } = seen as Seen;
  for (const [stream, error] of failed) {
    // Not there any more: its row was lost or renamed, or nothing of it was left.
    expect(error.code, `${stream}: ${error.message}`).toBe('REWAKE_NOT_FOUND');
  }
}

function agree(findings: Finding[], { loaded }: Seen): void {
  const damaged = new Set(findings.filter(({ severity }) => severity === 'damage').map(({ stream }) => stream));
  if (damaged.has(undefined)) return;
  for (const stream of streams) {
    if (damaged.has(stream) || loaded.includes(stream)) continue;
    expect(findings.length, `${stream} does not load, and nothing was found`).toBeGreaterThan(0);
  }
}

test('800 damages of rows do no harm that is not told', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(rowDamage, { minLength: 1, maxLength: 16 }), async (damages) => {
      const path = fileOf(sound);
      const db = openDatabase(path, driverFor(process.versions.node));
      for (const damage of damages) damage.apply(db);
      db.close();
      await survives(path);
    }),
    { ...propertyRuns(100) },
  );
});

test('400 flipped bytes of the file do no harm that is not told', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(byteDamage, async (flips) => {
      const content = Buffer.from(sound);
      for (const [at, mask] of flips) content[at % content.length]! ^= mask;
      await survives(fileOf(content));
    }),
    { ...propertyRuns(115) },
  );
});
