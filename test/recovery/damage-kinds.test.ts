/**
 * Every kind of damage to a SQLite log, done to the file through a connection of its own: it is found by verifyLog, no
 * actor folds it silently, repairLog moves it aside and says what is lost, and the actor goes on from what is left.
 */
import { describe, expect, it } from 'vitest';
import { assign, emit, raise } from 'xstate';
import { VirtualClock } from '../../src/clock.ts';
import { ActorBlockedError } from '../../src/errors.ts';
import { createRuntime, repairLog, verifyLog, type Finding, type FindingCode } from '../../src/index.ts';
import { sealEvent } from '../../src/log/envelope.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import type { Database } from '../../src/stores/sqlite/driver.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { all, logPath, withRawConnection } from '../stores/sqlite/log-files.ts';
import { createMachine } from '../support/loose-machine.ts';

const account = createMachine({
  context: { sum: 0 },
  on: {
    ADD: {
      actions: [
        assign({ sum: ({ context, event }) => (context.sum as number) + (event.by as number) }),
        emit(({ event }) => ({ type: 'Added', by: event.by as number })),
      ],
    },
    WAIT: { actions: raise({ type: 'ADD', by: 1000 }, { delay: 60_000 }) },
  },
});

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

function open(log: EventLog, clock: VirtualClock) {
  return createRuntime({ log, clock, machines: { account }, logger: quiet, lease: { ttl: '1h' }, keepLogOpen: true });
}

/** Two accounts of six events each: a start, a wait, and four deposits of 1, 2, 4, 8 with a fact for each. */
async function accounts() {
  const path = logPath();
  const clock = new VirtualClock();
  const log = sqliteLog(path, { clock });
  const runtime = await open(log, clock);
  for (const id of ['bad', 'good']) {
    await runtime.start('account', { id } as never);
    await runtime.send(`account-${id}`, { type: 'WAIT' });
    for (const by of [1, 2, 4, 8]) {
      await clock.advance(10);
      await runtime.send(`account-${id}`, { type: 'ADD', by });
    }
  }
  await runtime.close();
  await log.close();
  return { path, clock };
}

/** The sum after so many events of the history. */
const sumAt = (revision: number) => [0, 0, 0, 1, 1, 3, 3, 7, 7, 15][revision] ?? 15;

const ofBad = `stream_id = (SELECT id FROM streams WHERE name = 'account-bad')`;

/** A record whose seal is right and whose content is garbage. */
function reseal(db: Database, revision: number, data: (old: string) => string): void {
  const [position, heads, old] = db
    .prepare(`SELECT position, heads, data FROM appends WHERE ${ofBad} AND revision = ?`)
    .get(revision) as [number, string, string];
  const [[id, type, schemaVersion, , meta], ...rest] = JSON.parse(heads) as [
    [string, string, number, number, Record<string, string>],
    ...[string, string, number, number][],
  ];
  const factsLength = rest.reduce((sum, head) => sum + head[3], 0);
  const changed = data(old.slice(0, old.length - factsLength));
  const sealed = sealEvent({ id, type, schemaVersion, data: changed, meta }, { stream: 'account-bad', revision });
  const head = [id, type, schemaVersion, changed.length, meta, sealed.checksum];
  db.prepare('UPDATE appends SET heads = ?, data = ? WHERE position = ?').run(
    JSON.stringify([head, ...rest]),
    changed + old.slice(old.length - factsLength),
    position,
  );
}

interface Damage {
  readonly what: string;
  readonly spoil: string | ((db: Database) => void);
  readonly finds: readonly FindingCode[];
  /** What is left after the repair. */
  readonly lastGood: number;
}

// Appends of account-bad are at revisions 0, 1, 2-3, 4-5, 6-7, 8-9.
const damages: readonly Damage[] = [
  {
    what: 'a flipped bit in an event',
    spoil: `UPDATE appends SET data = replace(data, '"by":2', '"by":3') WHERE ${ofBad} AND revision = 4`,
    finds: ['checksum', 'checksum'],
    lastGood: 3,
  },
  {
    what: 'a flipped bit in a fact',
    spoil: `UPDATE appends SET data = replace(data, '"Added","by":2', '"Added","by":3') WHERE ${ofBad} AND revision = 4`,
    finds: ['checksum'],
    lastGood: 3,
  },
  {
    what: 'a wrong checksum',
    spoil: `UPDATE appends SET heads = replace(heads, ']]', '1]]') WHERE ${ofBad} AND revision = 4`,
    finds: ['checksum'],
    lastGood: 3,
  },
  {
    what: 'a cut tail',
    spoil: `DELETE FROM appends WHERE ${ofBad} AND revision >= 6`,
    finds: ['cutTail'],
    lastGood: 5,
  },
  {
    what: 'a record that is cut short',
    spoil: `UPDATE appends SET data = substr(data, 1, 9) WHERE ${ofBad} AND revision = 8`,
    finds: ['unreadable'],
    lastGood: 7,
  },
  {
    what: 'a deleted row',
    spoil: `DELETE FROM appends WHERE ${ofBad} AND revision = 4`,
    finds: ['gap'],
    lastGood: 3,
  },
  {
    what: 'a deleted first row',
    spoil: `DELETE FROM appends WHERE ${ofBad} AND revision = 0`,
    finds: ['gap'],
    lastGood: -1,
  },
  {
    what: 'a row that is there twice',
    spoil: `INSERT INTO appends SELECT 1000, stream_id, 10, count, recorded_at, heads, data FROM appends WHERE ${ofBad} AND revision = 4;
            UPDATE streams SET revision = 11 WHERE name = 'account-bad'`,
    finds: ['duplicate', 'duplicate'],
    lastGood: 9,
  },
  {
    what: 'rows that have changed places',
    spoil: `UPDATE appends SET revision = -1 WHERE ${ofBad} AND revision = 4;
            UPDATE appends SET revision = 4 WHERE ${ofBad} AND revision = 6;
            UPDATE appends SET revision = 6 WHERE ${ofBad} AND revision = -1`,
    finds: ['checksum', 'checksum', 'order', 'checksum', 'checksum'],
    lastGood: 3,
  },
  {
    what: 'a row of another stream',
    spoil: `DELETE FROM appends WHERE ${ofBad} AND revision = 4;
            INSERT INTO appends SELECT 1000, (SELECT id FROM streams WHERE name = 'account-bad'), revision, count, recorded_at, heads, data
            FROM appends WHERE stream_id = (SELECT id FROM streams WHERE name = 'account-good') AND revision = 4`,
    finds: ['checksum', 'checksum', 'order', 'order'],
    lastGood: 3,
  },
  {
    what: 'garbage in the place of a record',
    spoil: `UPDATE appends SET heads = x'00ff', data = x'a5a5' WHERE ${ofBad} AND revision = 4`,
    finds: ['unreadable'],
    lastGood: 3,
  },
  {
    what: 'a value that was sealed and cannot be decoded',
    spoil: (db) => reseal(db, 4, (data) => data.replace('{"type":"ADD","by":2}', '{"$devalue":[[9]]}')),
    finds: ['undecodable'],
    lastGood: 3,
  },
  {
    what: 'data that was sealed and is not JSON',
    spoil: (db) => reseal(db, 4, (data) => data.slice(1)),
    finds: ['undecodable'],
    lastGood: 3,
  },
  {
    what: 'an end that is stated too late',
    spoil: `UPDATE streams SET revision = 4000000000000 WHERE name = 'account-bad'`,
    finds: ['cutTail'],
    lastGood: 9,
  },
  {
    what: 'a record whose number of events is wrong',
    spoil: `UPDATE appends SET count = 7 WHERE ${ofBad} AND revision = 4`,
    finds: ['unreadable'],
    lastGood: 3,
  },
];

async function findingsOf(log: EventLog): Promise<Finding[]> {
  return all(verifyLog(log));
}

const codes = (findings: readonly Finding[]) => findings.map(({ code }) => code);

describe('a sound log', () => {
  it('gives no findings, counts what was looked at, and is not changed by a repair', async () => {
    const { path, clock } = await accounts();
    await using log = sqliteLog(path, { clock });
    const seen = verifyLog(log);
    expect(await seen.next()).toEqual({
      done: true,
      value: { streams: 2, events: 20, findings: 0, stream: 'account-good' },
    });
    const { streams, left, failed } = await repairLog(log, { quarantine: true, clock });
    expect([streams, left, failed]).toEqual([[], [], []]);
  });
});

describe.each(damages)('$what', ({ spoil, finds, lastGood }) => {
  it('is found, blocks its actor, is moved aside, and the actor goes on', async () => {
    const { path, clock } = await accounts();
    withRawConnection(path, (db) => (typeof spoil === 'string' ? db.exec(spoil) : spoil(db)));
    await using log = sqliteLog(path, { clock });

    // Found: in its stream, and nothing in the other one.
    const findings = await findingsOf(log);
    expect(codes(findings)).toEqual(finds);
    for (const { stream, severity, next } of findings) {
      expect(stream).toBe('account-bad');
      expect(severity).toBe('damage');
      expect(next).toContain('repairLog');
    }

    // Never folded silently: the other one runs on.
    const blocked = await open(log, clock);
    const failure = await blocked.send('account-bad', { type: 'ADD', by: 16 }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ActorBlockedError);
    expect((failure as ActorBlockedError).cause).toMatchObject({
      code: 'REWAKE_DAMAGED_RECORD',
      stream: 'account-bad',
    });
    await blocked.send('account-good', { type: 'ADD', by: 16 });
    await blocked.close();

    // Repaired, as the dry run said, with the loss stated.
    const before = await all(log.readStream('account-good'));
    const planned = await repairLog(log, { quarantine: 'a test', dryRun: true, clock });
    const report = await repairLog(log, { quarantine: 'a test', clock });
    expect({ ...report, dryRun: true }).toEqual(planned);
    const [repair] = report.streams;
    expect(report.streams.length).toBe(1);
    expect(repair).toMatchObject({ stream: 'account-bad', lastGood });
    expect(repair!.lostTo).toBeGreaterThanOrEqual(lastGood);
    const aside = await all(log.quarantined());
    expect(aside.every(({ stream, reason }) => stream === 'account-bad' && reason === 'a test')).toBe(true);
    expect(repair!.lost.filter(({ type }) => type !== undefined).map(({ revision }) => revision)).toEqual(
      aside.flatMap(({ events }) => events.map(({ revision }) => revision)),
    );
    expect(await findingsOf(log)).toEqual([]);
    expect(await all(log.readStream('account-good'))).toEqual(before);

    // And the actor goes on from the last good revision, its timer included.
    const runtime = await open(log, clock);
    if (lastGood < 0) {
      expect(await log.head('account-bad')).toEqual({ state: 'absent' });
      await runtime.start('account', { id: 'bad' } as never);
    } else {
      expect((await runtime.get('account-bad')).getSnapshot().context).toEqual({ sum: sumAt(lastGood) });
    }
    await runtime.send('account-bad', { type: 'ADD', by: 100 });
    await clock.advance(100_000, () => runtime.idle());
    const { context } = (await runtime.get('account-bad')).getSnapshot();
    expect(context).toEqual({ sum: lastGood < 0 ? 100 : sumAt(lastGood) + 1100 });
    await runtime.close();
    expect(await findingsOf(log)).toEqual([]);
    const positions = [...aside.map(({ position }) => Number(position)).filter((p) => p !== 1000), 0];
    for await (const { stream, position, recordedAt } of log.readAll()) {
      if (stream === 'account-bad' && recordedAt === clock.now()) {
        expect(Number(position)).toBeGreaterThan(Math.max(...positions));
      }
    }
  });
});

describe('what the store states wrongly', () => {
  it.each<[string, string, FindingCode, boolean]>([
    [
      'an end that is stated too early',
      `UPDATE streams SET revision = 5 WHERE name = 'account-bad'`,
      'beyondEnd',
      true,
    ],
    [
      'a beginning that is stated too late',
      `UPDATE streams SET first_revision = 4 WHERE name = 'account-bad'`,
      'index',
      true,
    ],
    ['a stream that is marked as deleted', `UPDATE streams SET deleted = 1 WHERE name = 'account-bad'`, 'index', true],
    [
      'an actor that is marked as done',
      `UPDATE streams SET status = 'done' WHERE name = 'account-bad'`,
      'index',
      false,
    ],
    ['a wake-up that is lost', `UPDATE streams SET wake_at = NULL WHERE name = 'account-bad'`, 'index', false],
    [
      'an actor that is not in the index',
      `UPDATE streams SET machine = NULL WHERE name = 'account-bad'`,
      'index',
      false,
    ],
    ['a machine that is another', `UPDATE streams SET machine = 'other' WHERE name = 'account-bad'`, 'index', false],
  ])('%s is set right without a loss', async (_, spoil, code, isHistory) => {
    const { path, clock } = await accounts();
    withRawConnection(path, (db) => db.exec(spoil));
    await using log = sqliteLog(path, { clock });
    const findings = await findingsOf(log);
    expect(codes(findings)).toContain(code);
    expect(findings.every(({ severity, stream }) => severity === 'mendable' && stream === 'account-bad')).toBe(true);
    // What the index says of an actor is no history; where the stream begins or ends is.
    const before = await open(log, clock);
    const folded = await before.get('account-bad').then(
      (ref) => ref.getSnapshot().context as unknown,
      (error: unknown) => error,
    );
    if (isHistory) expect(folded).toBeInstanceOf(ActorBlockedError);
    else expect(folded).toEqual({ sum: 15 });
    await before.close();
    const { streams } = await repairLog(log, { quarantine: true, clock });
    expect(streams).toMatchObject([{ stream: 'account-bad', lastGood: 9, lostTo: 9, lost: [] }]);
    expect(await all(log.quarantined())).toEqual([]);
    expect(await findingsOf(log)).toEqual([]);
    const runtime = await open(log, clock);
    await clock.advance(100_000, () => runtime.idle());
    expect((await runtime.get('account-bad')).getSnapshot().context).toEqual({ sum: 1015 });
    await runtime.close();
  });

  it('a row of a stream that is gone leaves records without a name, which are kept aside', async () => {
    const { path, clock } = await accounts();
    withRawConnection(path, (db) => db.exec(`DELETE FROM streams WHERE name = 'account-bad'`));
    await using log = sqliteLog(path, { clock });
    expect(codes(await findingsOf(log))).toContain('lostStream');
    const { streams } = await repairLog(log, { quarantine: true, clock });
    expect(streams).toMatchObject([{ stream: '(lost stream 1)', lastGood: -1, lostTo: 9 }]);
    expect(streams[0]!.lost.length).toBe(10);
    expect((await all(log.quarantined('(lost stream 1)'))).flatMap(({ events }) => events).length).toBe(10);
    expect(await findingsOf(log)).toEqual([]);
    const runtime = await open(log, clock);
    await runtime.start('account', { id: 'bad' } as never);
    await runtime.close();
  });

  it('a stream whose name is damaged is kept aside, too', async () => {
    const { path, clock } = await accounts();
    withRawConnection(path, (db) =>
      db.exec(`UPDATE streams SET name = CAST(x'61ff62' AS TEXT) WHERE name = 'account-bad'`),
    );
    await using log = sqliteLog(path, { clock });
    expect((await findingsOf(log)).map(({ code, stream }) => [code, stream])).toContainEqual([
      'lostStream',
      '(lost stream 1)',
    ]);
    const { streams, failed } = await repairLog(log, { quarantine: true, clock });
    expect([streams.length, streams[0]!.lost.length, failed]).toEqual([1, 10, []]);
    expect(await findingsOf(log)).toEqual([]);
  });

  it('damage below a state that the actor was taken back to is left where it is, and the actor runs', async () => {
    const { path, clock } = await accounts();
    const log = sqliteLog(path, { clock });
    const runtime = await open(log, clock);
    await runtime.rewind('account-bad', { to: 5 });
    await runtime.send('account-bad', { type: 'ADD', by: 32 });
    await runtime.fork('account-bad', { at: 7, id: 'copy' });
    await runtime.close();
    expect(await findingsOf(log)).toEqual([]);
    await log.close();
    withRawConnection(path, (db) => db.exec(`DELETE FROM appends WHERE ${ofBad} AND revision = 8`));
    await using again = sqliteLog(path, { clock });
    expect(codes(await findingsOf(again))).toEqual(['gap']);
    const { streams, left } = await repairLog(again, { quarantine: true, clock });
    expect([streams, codes(left)]).toEqual([[], ['gap']]);
    const next = await open(again, clock);
    expect((await next.get('account-bad')).getSnapshot().context).toEqual({ sum: 35 });
    await next.close();
  });

  it('a snapshot that is damaged is harmless', async () => {
    const { path, clock } = await accounts();
    await using log = sqliteLog(path, { clock });
    await log.snapshots.save('account-bad', { revision: 3, definition: 'x', data: '{}', checksum: 1 });
    const findings = await findingsOf(log);
    expect(findings).toMatchObject([{ code: 'snapshot', severity: 'harmless', stream: 'account-bad' }]);
    const { streams, left } = await repairLog(log, { quarantine: true, clock });
    expect([streams, left]).toEqual([[], findings]);
  });
});
