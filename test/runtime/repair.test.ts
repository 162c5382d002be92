/** Who may repair a log, and when. What is repaired is in test/recovery/damage-kinds.test.ts. */
import { describe, expect, it } from 'vitest';
import { emit } from 'xstate';
import { InvalidArgumentError, LogOwnedError } from '../../src/errors.ts';
import { repairLog } from '../../src/index.ts';
import { failureOf, House } from '../support/house.ts';
import { createMachine } from '../support/loose-machine.ts';

const idle = createMachine({ on: { GO: {} } });

describe('repairLog', () => {
  it('is refused while a runtime owns the log, waits for it when asked, and gives the log back (RP2)', async () => {
    const house = new House();
    const { log, clock } = house;
    const runtime = await house.open({ idle }, { lease: { ttl: '10s' } });
    await runtime.start('idle', { id: '1' } as never);
    expect(await failureOf(repairLog(log, { quarantine: true, clock }))).toBeInstanceOf(LogOwnedError);
    // Looking writes nothing, so nobody is in its way.
    expect(await repairLog(log, { quarantine: true, dryRun: true, clock })).toMatchObject({
      dryRun: true,
      streams: [],
    });
    const waiting = repairLog(log, { quarantine: true, wait: '1m', clock });
    await runtime.close();
    await house.advance(5_000);
    expect(await waiting).toMatchObject({ dryRun: false, streams: [], left: [], failed: [] });
    await (await house.open({ idle }, { lease: { ttl: '10s' } })).send('idle-1', { type: 'GO' });
  });

  it('is refused without a word that records may be moved, and on a log that cannot move them', async () => {
    const house = new House();
    const { log, clock } = house;
    for (const quarantine of [undefined, false, ''] as never[]) {
      expect(await failureOf(repairLog(log, { quarantine, clock }))).toBeInstanceOf(InvalidArgumentError);
    }
    const failure = await failureOf(repairLog(house.faulty(), { quarantine: true, clock }));
    expect(failure).toBeInstanceOf(InvalidArgumentError);
    expect(failure.message).toContain('it has no quarantine');
  });

  it('tells what it would lose on a log that only gives events, cut before the stimulus of a damaged fact (CU1)', async () => {
    const house = new House();
    const counter = createMachine({ on: { ADD: { actions: emit({ type: 'Added', by: 1 }) } } });
    const runtime = await house.open({ counter });
    await runtime.start('counter', { id: '1' } as never);
    for (let i = 0; i < 3; i++) await runtime.send('counter-1', { type: 'ADD' });
    await runtime.close();
    const log = house.faulty();
    log.damage = (event) => (event.revision === 2 ? { ...event, data: '{"type":"Added","by":2}' } : event);
    const { streams } = await repairLog(log, { quarantine: true, dryRun: true, clock: house.clock });
    expect(streams).toMatchObject([
      {
        stream: 'counter-1',
        lastGood: 0,
        lostTo: 6,
        lost: [
          { revision: 1, type: 'EventReceived', at: house.clock.now() },
          { revision: 2, type: 'Added', at: undefined },
          ...[3, 4, 5, 6].map((revision) => ({ revision })),
        ],
        actor: { machine: 'counter', status: 'active', effects: 1, wakeAt: null },
      },
    ]);
  });
});
