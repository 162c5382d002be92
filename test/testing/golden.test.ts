/** A user's own recorded streams as regression tests (GF1, GO1, GO2). */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { assign, type AnyStateMachine } from 'xstate';
import {
  InvalidArgumentError,
  memoryLog,
  ReplayDivergedError,
  UnknownMachineError,
  type Machines,
} from '../../src/index.ts';
import { golden, GoldenFileError, GoldenMismatchError } from '../../src/testing/index.ts';
import { testFolder } from '../stores/sqlite/log-files.ts';
import { failureOf, House } from '../support/house.ts';
import { createMachine } from '../support/loose-machine.ts';

interface Chart {
  readonly cents?: number;
  readonly paid?: string;
  readonly version?: string;
  readonly more?: object;
}

function order({ cents = 100, paid = 'paid', version, more = {} }: Chart = {}): AnyStateMachine {
  const add = assign({ sum: ({ context, event }) => (context.sum as number) + (event.euros as number) * cents });
  return createMachine({
    id: 'order',
    ...(version !== undefined && { version }),
    context: { sum: 0 },
    initial: 'open',
    states: { open: { on: { ADD: { actions: add }, PAY: paid } }, [paid]: {}, ...more },
  });
}

/** order-1 is paid, order-2 is open. */
async function lived(machine = order()): Promise<House> {
  const house = new House();
  const runtime = await house.open({ order: machine });
  for (const id of ['1', '2']) {
    await runtime.start('order', { id } as never);
    await runtime.send(`order-${id}`, { type: 'ADD', euros: 2 });
  }
  await runtime.send('order-1', { type: 'PAY' });
  await runtime.close();
  return house;
}

/** The same two orders, recorded. */
async function recorded(machine = order()) {
  const folder = join(testFolder(), 'golden');
  const files = await golden(folder, { machines: { order: machine } }).record((await lived(machine)).log);
  return { folder, files };
}

/** What the recordings say of machines: the error of each, by its name. */
async function failuresWith(folder: string, machines: Machines): Promise<Record<string, Error>> {
  const failures: Record<string, Error> = {};
  for (const { name, run } of golden(folder, { machines }).cases()) {
    await run().catch((error: Error) => (failures[name] = error));
  }
  return failures;
}

describe('golden', () => {
  it('keeps the events of each stream, one on a line, and beside them the state it ends in', async () => {
    const house = await lived();
    const { folder, files } = await recorded();
    expect(files.map((file) => file.slice(folder.length + 1))).toEqual([
      ...['order-1.ends.json', 'order-1.jsonl', 'order-2.ends.json', 'order-2.jsonl'],
    ]);
    const lines = readFileSync(join(folder, 'order-1.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(await house.types('order-1'));
    expect(JSON.parse(readFileSync(join(folder, 'order-1.ends.json'), 'utf8'))).toMatchObject({
      'order-1': { tree: { status: 'active', value: 'paid', context: { sum: 200 } }, timers: [], effects: [] },
    });
  });

  it('agrees with the machines that it was recorded with, and with those that only have more', async () => {
    const { folder } = await recorded();
    for (const machine of [order(), order({ more: { archived: {} } })])
      expect(await failuresWith(folder, { order: machine })).toEqual({});
    const cases = golden(pathToFileURL(folder), { machines: { order: order() } }).cases();
    expect(cases.map(({ title }) => title)).toEqual([
      'order-1 ends as it was recorded',
      'order-2 ends as it was recorded',
    ]);
  });

  it('names file, stream, revision and place where a machine computes another value, which no replay notices', async () => {
    const { folder } = await recorded();
    const failures = await failuresWith(folder, { order: order({ cents: 1 }) });
    expect(Object.keys(failures)).toEqual(['order-1', 'order-2']);
    const error = failures['order-1']!;
    expect(error).toBeInstanceOf(GoldenMismatchError);
    expect(error).toMatchObject({
      ...{ file: join(folder, 'order-1.jsonl'), stream: 'order-1', revision: 2 },
      differences: [{ path: '.tree.context.sum', expected: 200, found: 2 }],
    });
    expect(error.message).toContain(
      'ends at revision 2, otherwise than it was recorded: .tree.context.sum was 200 and is 2.',
    );
  });

  it('names the revision where a machine takes another way, and what the log says', async () => {
    const { folder } = await recorded();
    const failures = await failuresWith(folder, { order: order({ paid: 'settled' }) });
    expect(Object.keys(failures)).toEqual(['order-1']);
    expect(failures['order-1']).toMatchObject({ stream: 'order-1', revision: 2, differences: [] });
    expect(failures['order-1']!.cause).toBeInstanceOf(ReplayDivergedError);
    expect(failures['order-1']!.message).toMatch(
      /cannot be folded any more beyond revision 2: .*"to":"paid".*"to":"settled"/,
    );
  });

  it('folds with the version that was recorded, where it stands beside the current one', async () => {
    const { folder } = await recorded(order({ version: '1' }));
    const current = order({ version: '2', paid: 'settled' });
    expect(await failuresWith(folder, { order: [current, order({ version: '1' })] })).toEqual({});
    expect(Object.keys(await failuresWith(folder, { order: current }))).toEqual(['order-1']);
    expect((await failuresWith(folder, {}))['order-2']!.cause).toBeInstanceOf(UnknownMachineError);
  });

  it('GF1: writes nothing where one of its files is there, and names it', async () => {
    const { folder, files } = await recorded();
    rmSync(join(folder, 'order-2.jsonl'));
    const before = readdirSync(folder);
    const house = await lived(order({ cents: 1 }));
    const error = await failureOf(golden(folder, { machines: { order: order({ cents: 1 }) } }).record(house.log));
    expect(error).toBeInstanceOf(GoldenFileError);
    expect(error).toMatchObject({ file: files[0] });
    expect(error.message).toContain('it is there already, and is never written again. Record into another directory');
    expect(readdirSync(folder)).toEqual(before);
    expect(readFileSync(join(folder, 'order-1.ends.json'), 'utf8')).toContain('"sum": 200');
  });

  it('records the streams it is told to, also several in one recording, in the order of the log', async () => {
    const house = await lived();
    const folder = testFolder();
    const recording = golden(folder, { machines: { order: order() } });
    await recording.record(house.log, { streams: ['order-2'] });
    await recording.record(house.log, { streams: ['order-2', 'order-1', 'order-1'], name: 'orders' });
    expect(readdirSync(folder)).toEqual(['order-2.ends.json', 'order-2.jsonl', 'orders.ends.json', 'orders.jsonl']);
    const { events, ends } = recording.read('orders');
    expect(events.map(({ stream, revision }) => `${stream}@${revision}`)).toEqual([
      ...['order-1@0', 'order-1@1', 'order-2@0', 'order-2@1', 'order-1@2'],
    ]);
    expect(Object.keys(ends)).toEqual(['order-2', 'order-1']);
    expect(await failuresWith(folder, { order: order() })).toEqual({});
    expect(Object.keys(await failuresWith(folder, { order: order({ cents: 1 }) }))).toEqual(['order-2', 'orders']);
  });

  it('records a stream whose beginning a compaction has removed', async () => {
    const house = await lived();
    const runtime = await house.open({ order: order() });
    await runtime.compact('order-1');
    await runtime.close();
    const folder = testFolder();
    await golden(folder, { machines: { order: order() } }).record(house.log, { streams: ['order-1'] });
    expect(await failuresWith(folder, { order: order() })).toEqual({});
    expect(Object.keys(await failuresWith(folder, { order: order({ paid: 'settled' }) }))).toEqual(['order-1']);
  });

  it('calls a recording after any stream', async () => {
    const house = new House();
    const runtime = await house.open({ order: order() });
    const ids = ['../a', 'b*?:"<>|', 'ü 🧭', 'long '.repeat(40), `${'long '.repeat(39)}other`];
    for (const id of ids) await runtime.start('order', { id } as never);
    await runtime.close();
    const folder = testFolder();
    const files = await golden(folder, { machines: { order: order() } }).record(house.log);
    expect(readdirSync(folder)).toHaveLength(2 * ids.length);
    for (const file of files) expect(file.slice(folder.length + 1)).toMatch(/^[\w%.!~'()-]{1,220}$/);
    expect(await failuresWith(folder, { order: order() })).toEqual({});
  });

  it('records nothing that cannot be folded', async () => {
    const house = await lived();
    const folder = join(testFolder(), 'golden');
    const recording = golden(folder, { machines: { order: order({ paid: 'settled' }) } });
    expect(await failureOf(recording.record(house.log))).toBeInstanceOf(ReplayDivergedError);
    expect(await failureOf(recording.record(memoryLog()))).toBeInstanceOf(InvalidArgumentError);
    expect(() => readdirSync(folder)).toThrow('ENOENT');
  });

  it.each<[what: string, spoil: (text: string) => string, message: string]>([
    [
      'an event that was changed',
      (text) => text.replace('\\"euros\\":2', '\\"euros\\":3'),
      "stream 'order-1' is not as it was recorded, at revision 1: event 'EventReceived'",
    ],
    [
      'an event that is missing',
      (text) => text.split('\n').toSpliced(1, 1).join('\n'),
      "stream 'order-1' is not as it was recorded, at revision 1: the record is missing; the next one is 2",
    ],
    ['no events', () => '', 'line 1 is no JSON. Restore it from version control.'],
    ['something else', () => '{"stream":"order-1"}\n', 'line 1 is no event. Restore it from version control.'],
    ['half a line', (text) => text.slice(0, -9), 'line 3 is no JSON. Restore it from version control.'],
  ])('tells a file with %s from a machine that does otherwise', async (_, spoil, message) => {
    const { folder, files } = await recorded();
    writeFileSync(files[1]!, spoil(readFileSync(files[1]!, 'utf8')));
    const failures = await failuresWith(folder, { order: order() });
    expect(Object.keys(failures)).toEqual(['order-1']);
    expect(failures['order-1']).toBeInstanceOf(GoldenFileError);
    expect(failures['order-1']!.message).toContain(`${files[1]}: ${message}`);
  });

  it('finds that the end of a stream is not there', async () => {
    const { folder, files } = await recorded();
    writeFileSync(files[1]!, readFileSync(files[1]!, 'utf8').split('\n').toSpliced(2).join('\n'));
    const failures = await failuresWith(folder, { order: order() });
    expect(failures['order-1']).toMatchObject({
      revision: 1,
      differences: [{ path: '.tree.value', expected: 'paid', found: 'open' }],
    });
  });

  it('says which file is missing', async () => {
    const { folder, files } = await recorded();
    rmSync(files[2]!);
    const failures = await failuresWith(folder, { order: order() });
    expect(Object.keys(failures)).toEqual(['order-2']);
    expect(failures['order-2']).toMatchObject({ code: 'REWAKE_GOLDEN_FILE', file: files[2] });
    expect(failures['order-2']!.message).toContain('it cannot be read. Restore it from version control, or');
  });

  it('is no test where there is nothing to test', () => {
    const folder = testFolder();
    const cases = (directory: string) => () => golden(directory, { machines: {} }).cases();
    expect(cases(folder)).toThrow('there is no recording in it. Record something into it first.');
    expect(cases(join(folder, 'missing'))).toThrow(GoldenFileError);
    for (const wrong of ['', undefined, new URL('https://example.org')])
      expect(() => golden(wrong as string, { machines: {} })).toThrow(InvalidArgumentError);
  });
});
