/** What verifyLog finds on a log that gives only events: every record that is spoiled on its way, and no sound one. */
import { describe, expect, it } from 'vitest';
import { assign, emit, fromPromise, raise } from 'xstate';
import { memoryLog, verifyLog, type Finding } from '../../src/index.ts';
import { sealEvent } from '../../src/log/envelope.ts';
import type { RecordedEvent } from '../../src/log/event-log.ts';
import { runtimeEventTypes } from '../../src/log/runtime-events.ts';
import { decodeStimulus } from '../../src/kernel/records.ts';
import { House } from '../support/house.ts';
import { createMachine } from '../support/loose-machine.ts';

const counter = createMachine({
  context: { n: 0 },
  on: {
    ADD: { actions: [assign({ n: ({ context }) => (context.n as number) + 1 }), emit({ type: 'Added', by: 1 })] },
    WAIT: { actions: raise({ type: 'ADD' }, { delay: 60_000 }) },
    STOP: { actions: raise({ type: 'ADD' }, { delay: 30_000, id: 'soon' }) },
  },
  invoke: { id: 'work', src: fromPromise(() => new Promise(() => {})) },
});

async function all(findings: AsyncIterable<Finding>): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const each of findings) found.push(each);
  return found;
}

/** Two counters with a start, three deposits and an effect that was cut off: stimuli at 0, 1, 3, 5 and 7, facts at 2, 4 and 6. */
async function history() {
  const house = new House();
  const runtime = await house.open({ counter });
  for (const id of ['bad', 'good']) {
    await runtime.start('counter', { id } as never);
    for (let i = 0; i < 3; i++) await runtime.send(`counter-${id}`, { type: 'ADD' });
  }
  await runtime.close();
  return house;
}

type Change = (event: RecordedEvent) => Partial<RecordedEvent> | undefined;

/** The findings when the events of one stream are changed as they are read. */
async function spoiled(change: Change, reseal = false): Promise<Finding[]> {
  const log = (await history()).faulty();
  log.damage = (event) => {
    if (event.stream !== 'counter-bad') return event;
    const changed = change(event);
    if (!changed) return undefined;
    const whole = { ...event, ...changed };
    return reseal ? { ...whole, ...sealEvent(whole, whole) } : whole;
  };
  return all(verifyLog(log));
}

const at =
  (revision: number, change: Change): Change =>
  (event) =>
    event.revision === revision ? change(event) : {};
const later = (event: RecordedEvent, ms: number) => ({
  data: event.data.replace(/"at":(\d+)/, (_, t) => `"at":${Number(t) + ms}`),
});

describe('verifyLog', () => {
  it.each<[string, Change, boolean, [code: string, severity: string, revision?: number][]]>([
    ['a changed event', at(3, () => ({ data: '{}' })), false, [['checksum', 'damage', 3]]],
    ['a missing record', at(3, () => undefined), false, [['gap', 'damage', 3]]],
    ['a missing end', (event) => (event.revision < 3 ? {} : undefined), false, [['cutTail', 'damage', 3]]],
    ['a stream of which nothing is there', () => undefined, false, [['cutTail', 'damage', 0]]],
    ['a missing beginning', (event) => (event.revision > 2 ? {} : undefined), false, [['gap', 'damage', 0]]],
    ['data that is no JSON', at(3, () => ({ data: '{' })), true, [['undecodable', 'damage', 3]]],
    ['data that is no object', at(3, () => ({ data: '7' })), true, [['undecodable', 'damage', 3]]],
    [
      'an event without a time',
      at(3, (e) => ({ data: e.data.replace('"at"', '"ta"') })),
      true,
      [['undecodable', 'damage', 3]],
    ],
    [
      'a value that cannot be decoded',
      at(3, (e) => ({ data: e.data.replace('{"type":"ADD"}', '{"$devalue":[[9]]}') })),
      true,
      [['undecodable', 'damage', 3]],
    ],
    [
      'an event of an unknown type',
      at(3, () => ({ type: 'ActorTeleported' })),
      true,
      [
        ['foreignType', 'suspect', 3],
        ['causation', 'suspect', 4],
      ],
    ],
    [
      'a fact of another cause',
      at(4, (e) => ({ meta: { ...e.meta, $causationId: 'x' } })),
      true,
      [['causation', 'suspect', 4]],
    ],
    [
      'a time that runs backwards',
      at(1, (e) => later(e, 5)),
      true,
      [
        ['time', 'suspect', 3],
        ['time', 'suspect', 5],
        ['time', 'suspect', 7],
      ],
    ],
    ['a history without a start', at(0, () => ({ type: 'EventReceived' })), true, [['noStart', 'damage', 0]]],
  ])('finds %s, and nothing in other streams', async (_, change, reseal, expected) => {
    const findings = await spoiled(change, reseal);
    const found = findings.filter(({ code }) => code !== 'index');
    expect(found.map(({ code, severity, revision }) => [code, severity, revision])).toEqual(expected);
    for (const { stream, message, next } of findings) {
      expect(stream).toBe('counter-bad');
      expect(message).toContain("Stream 'counter-bad'");
      expect(next).not.toBe('');
    }
  });

  it('names the path of a value that cannot be decoded', async () => {
    const [found] = await spoiled(
      at(3, (e) => ({ data: e.data.replace('{"type":"ADD"}', '{"$devalue":[[9]]}') })),
      true,
    );
    expect(found!.message).toContain('the value at .event');
  });

  it('finds nothing in a sound log whose actors wait, work, have ended, or were written by others', async () => {
    const house = await history();
    const runtime = await house.open({ counter });
    const ref = await runtime.get('counter-good');
    for (const type of ['WAIT', 'STOP', 'WAIT']) await ref.send({ type });
    await house.advance(40_000);
    await (await runtime.get('counter-bad')).stop();
    await house.log.append('notes-1', 'any', [
      sealEvent({ id: 'n', type: 'Noted', schemaVersion: 1, data: 'null', meta: {} }),
    ]);
    await house.log.append('notes-1', 'any', [
      sealEvent({ id: 'm', type: 'Noted', schemaVersion: 1, data: '"x"', meta: {} }),
    ]);
    await house.log.truncate('notes-1', 1);
    await runtime.close();
    expect(await all(verifyLog(house.log))).toEqual([]);
  });

  it('finds nothing missing that a runtime removes meanwhile by compacting', async () => {
    const house = new House();
    const machine = createMachine({ on: { GO: { actions: emit({ type: 'Went' }) } } });
    const runtime = await house.open({ machine });
    const ref = await runtime.start('machine', { id: '1' });
    for (let n = 0; n < 50; n++) await ref.send({ type: 'GO' });
    let compacting: Promise<void> | undefined;
    const onProgress = () => void (compacting ??= runtime.compact('machine-1'));
    const findings: Finding[] = [];
    for await (const found of verifyLog(house.log, { onProgress })) findings.push(found);
    await compacting;
    expect(await house.types('machine-1')).toEqual(['ActorRebased']);
    expect(findings).toEqual([]);
  });

  it('says how far it has come, looks at one stream when asked, and ends when it is told to', async () => {
    const { log } = await history();
    const seen: string[] = [];
    const whole = verifyLog(log, { onProgress: ({ stream, streams }) => void seen.push(`${streams} ${stream}`) });
    expect(await whole.next()).toMatchObject({ value: { streams: 2, events: 16, findings: 0 } });
    expect(seen).toEqual(['1 counter-bad', '2 counter-good']);
    expect(await verifyLog(log, { stream: 'counter-bad' }).next()).toMatchObject({ value: { streams: 1, events: 8 } });
    const reason = new Error('enough');
    await expect(verifyLog(log, { signal: AbortSignal.abort(reason) }).next()).rejects.toBe(reason);
  });

  it('hears that it is to end between short streams', async () => {
    const log = memoryLog();
    const event = (id: string) => sealEvent({ id, type: 'Tested', schemaVersion: 1, data: '{}', meta: {} });
    for (let at = 0; at < 300; at++) await log.append(`counter-${at}`, 'any', [event(`${at}`)]);
    const ended = new AbortController();
    const reason = new Error('SIGINT');
    setImmediate(() => ended.abort(reason));
    const findings = async () => {
      for await (const _ of verifyLog(log, { signal: ended.signal })) continue;
    };
    await expect(findings()).rejects.toBe(reason);
  });

  it('knows every event of the runtime, and no other', () => {
    for (const type of runtimeEventTypes) expect(decodeStimulus(type, { at: 0 })?.type).toBe(type);
    expect(decodeStimulus('ActorTeleported', { at: 0 })).toBeUndefined();
    const known = [...decodeStimulus.toString().matchAll(/case ["'](\w+)["']:/g)].map(([, type]) => type);
    expect(new Set(known)).toEqual(runtimeEventTypes);
  });
});
