import { beforeAll, describe, expect, it } from 'vitest';
import { centsOf } from '../../examples/failed-receipt/amounts.ts';
import { machinesBy } from '../../examples/failed-receipt/machines.ts';
import { writeLog } from '../../examples/failed-receipt/write-log.ts';
import { VirtualClock } from '../../src/clock.ts';
import { createRuntime, verifyLog, type ActorRow, type RecordedEvent } from '../../src/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { cacheFolder } from '../house/source-tree.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

interface Written {
  readonly actors: readonly ActorRow[];
  readonly events: readonly RecordedEvent[];
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const typesOf = ({ events }: Written, stream: string) =>
  events.filter((event) => event.stream === stream).map(({ type }) => type);

describe('the log of the failed receipt', () => {
  const folder = cacheFolder('failed-receipt-');
  const path = join(folder, 'one.db');
  let written: Written;

  const write = async (to: string): Promise<Written> => {
    await writeLog(to);
    const log = sqliteLog(to);
    const found = { actors: await all(log.actors({})), events: await all(log.readAll()) };
    await log.close();
    return found;
  };

  beforeAll(async () => {
    written = await write(path);
    return () => rmSync(folder, { recursive: true });
  });

  it('WL1 is the same each time, ids and times included', async () => {
    expect(await write(join(folder, 'other.db'))).toEqual(written);
  });

  it('has one failed receipt, and what else a person may want to look into', () => {
    const stands = Object.fromEntries(written.actors.map(({ stream, status }) => [stream, status]));
    expect(Object.entries(stands).filter(([, status]) => status === 'error')).toEqual([['receipt-0044', 'error']]);
    expect(stands).toMatchObject({
      'order-1001': 'done',
      'order-1002': 'active',
      'order-1003': 'stopped',
      'order-1004-again': 'active',
      'approval-laptop': 'active',
      'payout-march': 'done',
    });
    expect(typesOf(written, 'receipt-0043').filter((type) => type === 'RetryScheduled')).toHaveLength(2);
    expect(typesOf(written, 'receipt-0047')).toContain('FallbackEntered');
    expect(typesOf(written, 'receipt-0048')).toContain('ActorResumed');
    expect(typesOf(written, 'breaker-vision')).toEqual(expect.arrayContaining(['CircuitOpened', 'CircuitClosed']));
    expect(typesOf(written, 'payout-march')).toContain('HandlerCompleted');
    expect(typesOf(written, 'order-1004').at(-1)).toBe('ActorRebased');
    const streams = written.events.filter(({ meta }) => meta.$correlationId === 'inbox-0302-3');
    expect(new Set(streams.map(({ stream }) => stream)).size).toBeGreaterThan(3);
  });

  it('is intact, and its machines fold all of it', async () => {
    const log = sqliteLog(path);
    expect(await all(verifyLog(log))).toEqual([]);
    const clock = new VirtualClock(written.events.at(-1)!.recordedAt);
    const machines = machinesBy(clock);
    await using runtime = await createRuntime({ log, machines, clock, logger: silentLogger, resume: false });
    for (const { stream } of written.actors) await runtime.get(stream);
    const blocked = await all(runtime.list({ status: 'blocked' }));
    expect(blocked).toEqual([]);
  });

  it('holds a receipt that failed for a thousand, of which the parser takes one', () => {
    expect(centsOf('29,90')).toBe(2_990);
    expect(centsOf('1.249,00')).toBe(125);
    const [failure] = written.events.filter(({ type, stream }) => type === 'EffectFailed' && stream === 'receipt-0044');
    expect(failure!.data).toContain('1278.90 EUR were paid, but the receipt adds up to 31.15 EUR');
  });
});
