/** The memory log against the contract, and what is its own. */
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError, NotFoundError } from '../../src/errors.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import { sealEvent } from '../../src/log/envelope.ts';
import type { Position } from '../../src/log/event-log.ts';
import { logContract } from '../../src/testing/contract/log-contract.ts';

const contract = await logContract((clock) => memoryLog({ clock, maxEventBytes: 2 ** 21 }));

describe('the memory log', () => {
  for (const { number, title, run } of contract.cases) it(`${number}. ${title}`, run);

  it('has no answer to the cases that need a store which outlives it or breaks', () => {
    expect(contract.notApplicable.map(({ number, missing }) => [number, ...missing])).toEqual([
      [23, 'reopen'],
      [29, 'kill'],
      [39, 'reopen'],
      [44, 'shared'],
      [46, 'reopen'],
      [48, 'faults'],
      [54, 'reopen'],
    ]);
  });

  it('refuses a position that it did not give', async () => {
    const log = memoryLog();
    for (const position of ['', 'x', '-1', '1.5'] as Position[]) {
      await expect(log.readAll({ after: position })[Symbol.asyncIterator]().next()).rejects.toThrow(
        InvalidArgumentError,
      );
      await expect(log.subscribe({ after: position })[Symbol.asyncIterator]().next()).rejects.toThrow(
        InvalidArgumentError,
      );
    }
  });

  it('refuses to truncate or delete a stream that is not there, and deletes twice like once', async () => {
    const log = memoryLog();
    await expect(log.truncate('order-1', 1)).rejects.toThrow(NotFoundError);
    await expect(log.delete('order-1', 'any')).rejects.toThrow(NotFoundError);
    const event = sealEvent({ id: '1', type: 'Tested', schemaVersion: 1, data: '{}', meta: {} });
    await log.append('order-1', 'no-stream', [event]);
    await log.delete('order-1', 0);
    await log.delete('order-1', 0);
    expect(await log.head('order-1')).toEqual({ state: 'deleted' });
  });

  it('refuses a lease that would not last', async () => {
    const log = memoryLog();
    for (const ttlMs of [0, -1, NaN]) {
      await expect(log.lease('runner', { owner: 'a', ttlMs })).rejects.toThrow(InvalidArgumentError);
    }
  });

  it('lets a read end although the log goes on growing', async () => {
    const log = memoryLog();
    let written = 0;
    const append = () =>
      log.append('order-1', 'any', [
        sealEvent({ id: `e-${written++}`, type: 'Tested', schemaVersion: 1, data: '{}', meta: {} }),
      ]);
    await append();
    await append();
    for (const read of [() => log.readAll(), () => log.readStream('order-1')]) {
      const before = written;
      let seen = 0;
      for await (const _ of read()) {
        seen++;
        await append();
      }
      expect(seen).toBe(before);
    }
  });
});
