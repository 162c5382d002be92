/** Logs as files and back: what an export holds (EX1 to EX4), and what an import makes of it (IM1 to IM4). */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { assign, createMachine, emit, setup } from 'xstate';
import { createRuntime, memoryLog, type EventLog, type RecordedEvent } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import { sealEvent } from '../../src/log/envelope.ts';
import { exportItems, exportLines } from '../../src/replay/export-format.ts';
import { readExport } from '../../src/cli/exported-log.ts';
import { importInto, planImport } from '../../src/cli/import-log.ts';
import { withCalls } from '../../src/cli/noted-log.ts';
import { openReplay } from '../../src/replay/open-replay.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { call, emptyFolder, records } from './command-line.ts';

const order = setup({
  types: {
    context: {} as { notes: string[] },
    events: {} as { type: 'NOTE'; text: string } | { type: 'END' },
    emitted: {} as { type: 'Noted'; text: string },
  },
}).createMachine({
  id: 'order',
  context: { notes: [] },
  initial: 'open',
  states: {
    open: {
      on: {
        NOTE: {
          actions: [
            assign({ notes: ({ context, event }) => [...context.notes, event.text] }),
            emit(({ event }) => ({ type: 'Noted' as const, text: event.text })),
          ],
        },
        END: 'ended',
      },
    },
    ended: { type: 'final' },
  },
});

async function hosted(log: EventLog) {
  const runtime = await createRuntime({ log, machines: { order }, logger: silentLogger, keepLogOpen: true });
  onTestFinished(() => void runtime.close());
  return runtime;
}

/** A folder with a log of three orders whose events are between one another. */
async function folderWithLog(): Promise<string> {
  const folder = emptyFolder();
  await using log = sqliteLog(join(folder, 'app.db'));
  const runtime = await hosted(log);
  for (const id of ['1', '2', '3']) await runtime.start('order', { id });
  for (const text of ['secret tea', 'secret cup']) {
    for (const id of ['1', '2']) await runtime.send(`order-${id}`, { type: 'NOTE', text });
  }
  await runtime.send('order-2', { type: 'END' });
  await runtime.compact('order-3');
  await runtime.close();
  return folder;
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function eventsOf(log: EventLog): Promise<RecordedEvent[]> {
  return all(log.readAll());
}

/** What a copy keeps. */
function kept({ stream, revision, id, type, schemaVersion, data, meta, checksum }: RecordedEvent) {
  return { stream, revision, id, type, schemaVersion, data, meta, checksum };
}

async function* linesOf(text: string): AsyncGenerator<string> {
  yield* text.trimEnd().split('\n');
}

it('an exported log is looked at as the log is, event by event', async () => {
  const folder = await folderWithLog();
  expect(await call(folder, ['export', 'app.db', '-o', 'app.jsonl'])).toMatchObject({ code: 0, out: '' });
  expect(existsSync(join(folder, 'app.jsonl.part'))).toBe(false);
  const [live, file] = [await call(folder, ['ls', 'app.db']), await call(folder, ['ls', 'app.jsonl'])];
  expect(file).toEqual(live);
  await using log = sqliteLog(join(folder, 'app.db'), { readOnly: true });
  const read = await readExport(linesOf(readFileSync(join(folder, 'app.jsonl'), 'utf8')), 'app.jsonl');
  const withTime = (event: RecordedEvent) => ({ ...kept(event), recordedAt: event.recordedAt });
  expect((await eventsOf(read)).map(withTime)).toEqual((await eventsOf(log)).map(withTime));
  await expect(read.append('order-1', 'any', [])).rejects.toThrow("exported file 'app.jsonl' was opened to be read");
});

it('an import gives the events, their order and the actors again, and the actors go on', async () => {
  const folder = await folderWithLog();
  await call(folder, ['export', 'app.db', '-o', 'app.jsonl']);
  expect(await call(folder, ['import', 'app.jsonl', 'new.db', '--dry-run'])).toMatchObject({
    code: 0,
    out: 'Would import 12 events of 3 streams into new.db; 0 events are there already.\n',
  });
  expect(existsSync(join(folder, 'new.db'))).toBe(false);
  expect(await call(folder, ['import', 'app.jsonl', 'new.db', '--yes'])).toMatchObject({
    code: 0,
    out: 'Imported 12 events of 3 streams into new.db.\n',
  });
  await using from = sqliteLog(join(folder, 'app.db'));
  await using to = sqliteLog(join(folder, 'new.db'));
  expect((await eventsOf(to)).map(kept)).toEqual((await eventsOf(from)).map(kept));
  expect(await all(to.actors())).toEqual(await all(from.actors()));
  expect(await to.head('order-3')).toEqual(await from.head('order-3'));
  const [started] = await eventsOf(to);
  const { definition } = JSON.parse(started!.data) as { definition: string };
  expect(await to.definitions!.load(definition)).toBe(await from.definitions!.load(definition));
  const runtime = await hosted(to);
  const snapshot = await runtime.send('order-1', { type: 'NOTE', text: 'more' });
  expect(snapshot.context).toEqual({ notes: ['secret tea', 'secret cup', 'more'] });
});

it('an import of one stream says so', async () => {
  const folder = await folderWithLog();
  await call(folder, ['export', 'app.db', 'order-3', '-o', 'one.jsonl']);
  const argv = ['import', 'one.jsonl', 'new.db'];
  expect((await call(folder, [...argv, '--dry-run'])).out).toMatch(
    /^Would import \d+ events? of 1 stream into new\.db;/,
  );
  expect((await call(folder, [...argv, '--yes'])).out).toMatch(/^Imported \d+ events? of 1 stream into new\.db\.\n$/);
});

it('is imported from stdin, too, with the same result', async () => {
  const folder = await folderWithLog();
  const { out } = await call(folder, ['export', 'app.db']);
  expect(await call(folder, ['import', '-', 'new.db', '--dry-run'], out)).toEqual({
    ...{ code: 0, err: '' },
    out: 'Would import 12 events of 3 streams into new.db; 0 events are there already.\n',
  });
  expect((await call(folder, ['import', '-', 'new.db'], out)).err).toContain('Nobody can be asked here: say --yes');
  expect(existsSync(join(folder, 'new.db'))).toBe(false);
  expect(await call(folder, ['import', '-', 'new.db', '--yes'], out)).toMatchObject({ code: 0, err: '' });
  await using from = sqliteLog(join(folder, 'app.db'));
  await using to = sqliteLog(join(folder, 'new.db'));
  expect((await eventsOf(to)).map(kept)).toEqual((await eventsOf(from)).map(kept));
  const cut = await call(folder, ['import', '-', 'other.db', '--yes'], out.slice(0, -20));
  expect([cut.code, cut.err]).toEqual([4, expect.stringMatching(/^rewake: 'stdin', line /)]);
  expect(existsSync(join(folder, 'other.db'))).toBe(false);
});

it('an import that was stopped goes on, and one that is repeated changes nothing', async () => {
  const folder = await folderWithLog();
  await call(folder, ['export', 'app.db', '-o', 'app.jsonl']);
  const text = readFileSync(join(folder, 'app.jsonl'), 'utf8');
  const items = () => exportItems(linesOf(text), 'app.jsonl');
  await using source = sqliteLog(join(folder, 'app.db'));
  const whole = await all(source.actors());
  for (let appends = 0; appends < 10; appends++) {
    const file = `stopped-${appends}.db`;
    await using log = sqliteLog(join(folder, file));
    let left = appends;
    const dying = withCalls(log, {
      append: async (...call) => {
        if (left-- <= 0) throw new Error('killed');
        return log.append(...call);
      },
    });
    const { lasts } = await planImport(items(), log);
    await importInto(dying, items(), lasts).catch((error: Error) => expect(error.message).toBe('killed'));
    // Nobody takes up half of an actor.
    for await (const row of log.actors()) expect(whole).toContainEqual(row);
    await log.close();
    expect(await call(folder, ['import', 'app.jsonl', file, '--yes'])).toMatchObject({ code: 0 });
    const again = await call(folder, ['import', 'app.jsonl', file, '--yes']);
    expect(again).toMatchObject({
      code: 0,
      err: `All 12 events of the file are in ${file} already. Nothing was written.\n`,
    });
    expect((await call(folder, ['ls', file, '--json'])).out).toBe((await call(folder, ['ls', 'app.db', '--json'])).out);
  }
});

it('an import over another history is refused as a whole', async () => {
  const folder = await folderWithLog();
  await call(folder, ['export', 'app.db', '-o', 'app.jsonl']);
  {
    await using log = sqliteLog(join(folder, 'other.db'));
    const runtime = await hosted(log);
    await runtime.start('order', { id: '2' });
    await runtime.close();
  }
  expect(await call(folder, ['import', 'app.jsonl', 'other.db', '--yes'])).toEqual({
    code: 5,
    out: '',
    err:
      "rewake: Actor 'order-2' exists already with another event at revision 0 than the file. Nothing was written. " +
      'Import into another log, or export without this stream.\n',
  });
  expect(records((await call(folder, ['ls', 'other.db', '--json'])).out)).toMatchObject([
    { stream: 'order-2', revision: 0 },
  ]);
});

it.each<[what: string, change: (log: EventLog) => Promise<unknown>, difference: string]>([
  ['was compacted since', (log) => log.truncate('order-2', 2), 'another history: it was compacted since'],
  ['was deleted', (log) => log.delete('order-2', 'any'), 'another history: it was deleted'],
])('an import over a stream that %s is refused', async (_, change, difference) => {
  const folder = await folderWithLog();
  await call(folder, ['export', 'app.db', '-o', 'app.jsonl']);
  {
    await using log = sqliteLog(join(folder, 'app.db'));
    await change(log);
  }
  const said = await call(folder, ['import', 'app.jsonl', 'app.db', '--yes']);
  expect([said.code, said.out]).toEqual([5, '']);
  expect(said.err).toContain(difference);
});

it('an import of an event that is there with other data is refused', async () => {
  const folder = await folderWithLog();
  await call(folder, ['export', 'app.db', '-o', 'app.jsonl']);
  const lines = readFileSync(join(folder, 'app.jsonl'), 'utf8').trimEnd().split('\n');
  const other = lines.map((line) => {
    if (!line.includes('"eventType":"Noted"') || !line.includes('tea')) return line;
    const {
      stream,
      revision,
      id,
      eventType: type,
      schemaVersion,
      meta,
      ...rest
    } = JSON.parse(line) as RecordedEvent & {
      readonly eventType: string;
    };
    const data = { type: 'Noted', text: 'secret pea' };
    const event = { id, type, schemaVersion, meta, data: JSON.stringify(data) };
    const { checksum } = sealEvent(event, { stream, revision });
    return JSON.stringify({ ...rest, stream, revision, id, eventType: type, schemaVersion, meta, data, checksum });
  });
  writeFileSync(join(folder, 'other.jsonl'), `${other.join('\n')}\n`);
  expect((await call(folder, ['ls', 'other.jsonl'])).code).toBe(0);
  const said = await call(folder, ['import', 'other.jsonl', 'app.db', '--yes']);
  expect(said.code).toBe(5);
  expect(said.err).toContain("'order-1' exists already with another event at revision 2 than the file");
});

it('EX1: data comes back letter for letter, also where JSON could be written otherwise', async () => {
  const log = memoryLog();
  const data = ['{"n":1.0}', '{ "a": 1 }', '{"a":1,"a":2}', '{"a":1}'];
  for (const [revision, text] of data.entries()) {
    const event = { id: `${revision}`, type: 'EventReceived', schemaVersion: 1, data: text, meta: {} };
    await log.append('order-1', 'any', [sealEvent(event, { stream: 'order-1', revision })]);
  }
  const copy = await readExport(linesOf((await all(exportLines(log))).join('\n')), 'copy');
  expect((await eventsOf(copy)).map(kept)).toEqual((await eventsOf(log)).map(kept));
});

it('an export has the chart of every version that took an actor over', async () => {
  const log = memoryLog();
  const door = (states: object) =>
    createMachine({ id: 'door', initial: 'open', states: { open: {}, ...states } }) as unknown as typeof order;
  for (const states of [{}, { shut: {} }]) {
    const runtime = await createRuntime({
      log,
      machines: { door: door(states) },
      logger: silentLogger,
      keepLogOpen: true,
    });
    if (Object.keys(states).length === 0) await runtime.start('door', { id: '1' });
    await runtime.send('door-1', { type: 'END' });
    await runtime.close();
  }
  const items = await all(exportItems(linesOf((await all(exportLines(log))).join('\n')), 'copy'));
  const defined = items.flatMap((item) => (item.type === 'definition' ? [item.hash] : []));
  expect(new Set(defined).size).toBe(2);
});

it('a file that is cut or changed is refused, with the line', async () => {
  const folder = await folderWithLog();
  await call(folder, ['export', 'app.db', '-o', 'app.jsonl']);
  const lines = readFileSync(join(folder, 'app.jsonl'), 'utf8').trimEnd().split('\n');
  const noted = lines.findIndex((line) => line.includes('"Noted"'));
  const damages: readonly (readonly [lines: readonly string[], message: string, code?: number])[] = [
    [
      lines.slice(0, -1),
      `was cut after line ${lines.length - 1}: its last line, which says how much there is, is missing. Export it again.`,
    ],
    [lines.toSpliced(noted, 1, lines[noted]!.slice(0, 40)), `line ${noted + 1}: expected a JSON object, found `],
    [lines.toSpliced(noted, 1), "expected revision 2 of 'order-1', which follows, found 3. Export it again."],
    [
      lines.toSpliced(noted, 1, lines[noted]!.replace('tea', 'pea')),
      `line ${noted + 1}: expected an event that its checksum `,
    ],
    [['{"type":"event"}'], 'line 1: expected the head of an export of rewake, found ', 2],
    [
      lines.toSpliced(0, 1, lines[0]!.replace('"v":1', '"v":2')),
      'line 1: expected version 1 of the format: this version of rewake reads no other, found 2. Export it again.',
      2,
    ],
    [[...lines, lines[1]!], `line ${lines.length + 1}: expected nothing after the end, found `],
  ];
  for (const [damaged, message, code = 4] of damages) {
    writeFileSync(join(folder, 'damaged.jsonl'), damaged.map((line) => `${line}\n`).join(''));
    for (const argv of [
      ['import', 'damaged.jsonl', 'new.db', '--yes'],
      ['ls', 'damaged.jsonl'],
    ]) {
      const said = await call(folder, argv);
      expect(said).toMatchObject({ code, out: '' });
      expect(said.err).toContain(message);
      expect(said.err).toContain('damaged.jsonl');
    }
  }
  expect(existsSync(join(folder, 'new.db'))).toBe(false);
});

it('a masked file says nothing of payloads, can be replayed without code, and is imported only on request', async () => {
  const folder = await folderWithLog();
  await call(folder, ['export', 'app.db', 'order-1', '--payloads', 'masked', '-o', 'order-1.jsonl']);
  const text = readFileSync(join(folder, 'order-1.jsonl'), 'utf8');
  expect(text).not.toContain('secret');
  const log = await readExport(linesOf(text), 'order-1.jsonl');
  const replay = await openReplay(log, 'order-1');
  const frames = await all(replay.frames());
  expect(frames.map(({ label, actors }) => [label, actors[0]!.value, actors[0]!.context])).toEqual([
    [expect.any(String), 'open', { notes: [] }],
    ['NOTE', 'open', { notes: ['•••'] }],
    ['NOTE', 'open', { notes: ['•••', '•••'] }],
  ]);
  const refused = await call(folder, ['import', 'order-1.jsonl', 'new.db', '--yes']);
  expect(refused).toMatchObject({ code: 2, out: '' });
  expect(refused.err).toContain(
    'was exported with --payloads masked: its actors can be looked at, and not go on. Nothing was written.',
  );
  expect(await call(folder, ['import', 'order-1.jsonl', 'new.db', '--yes', '--masked'])).toMatchObject({ code: 0 });
});

it('reads no further than is written, and leaves out what is written meanwhile', async () => {
  const log = memoryLog();
  const runtime = await hosted(log);
  for (let id = 0; id < 500; id++) await runtime.start('order', { id: `${id}` });
  let read = 0;
  const counted = withCalls(log, {
    async *readAll(options) {
      for await (const event of log.readAll(options)) {
        read++;
        yield event;
      }
    },
  });
  const lines: string[] = [];
  for await (const line of exportLines(counted)) {
    lines.push(line);
    expect(read).toBeLessThanOrEqual(lines.length);
    // The head and every actor.
    if (lines.length !== 501) continue;
    await runtime.start('order', { id: 'late' });
    await runtime.send('order-7', { type: 'NOTE', text: 'late' });
  }
  const copy = await readExport(linesOf(lines.join('\n')), 'copy');
  expect(await eventsOf(copy)).toHaveLength(500);
  expect(await copy.actor('order-late')).toBeUndefined();
  expect(await copy.actor('order-7')).toMatchObject({ revision: 0 });
});

it('hears a signal while it writes', async () => {
  const log = memoryLog();
  for (let at = 0; at < 2_000; at++) {
    const event = { id: `${at}`, type: 'Noted', schemaVersion: 1, data: '{}', meta: {} };
    await log.append(`order-${at}`, 'any', [sealEvent(event)]);
  }
  const ended = new AbortController();
  setImmediate(() => ended.abort(new Error('SIGINT')));
  await expect(all(exportLines(log, { signal: ended.signal }))).rejects.toThrow('SIGINT');
});

it('writes over no file that is there, and exports no stream that is not', async () => {
  const folder = await folderWithLog();
  writeFileSync(join(folder, 'app.jsonl'), 'mine');
  const refused = await call(folder, ['export', 'app.db', '-o', 'app.jsonl']);
  expect(refused).toEqual({
    ...{ code: 2, out: '' },
    err: `rewake: --output: '${join(folder, 'app.jsonl')}' is there already. Nothing was written. Say --force to write over it.\n`,
  });
  expect(readFileSync(join(folder, 'app.jsonl'), 'utf8')).toBe('mine');
  expect(await call(folder, ['export', 'app.db', 'order-9'])).toEqual({
    ...{ code: 3, out: '' },
    err: "rewake: Nothing found under stream 'order-9'. Did you mean 'order-1' or 'order-2' or 'order-3'? 'rewake ls' lists what is in SQLite log 'app.db'.\n",
  });
});
