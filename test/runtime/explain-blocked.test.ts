/** What is said of an actor that cannot be folded: where and why the fold stops, what stood before, what to do (XP3). */
import { describe, expect, it } from 'vitest';
import { emit, type AnyStateMachine } from 'xstate';
import { defineUpcasters } from '../../src/index.ts';
import { LogUnavailableError } from '../../src/errors.ts';
import type { RecordedEvent } from '../../src/log/event-log.ts';
import { explainStream } from '../../src/runtime/explain/explain.ts';
import { failureOf, House } from '../support/house.ts';
import { createMachine } from '../support/loose-machine.ts';

/** Goes round, and tells each step. */
function circle(secondFrom: 'b' | 'c', fact = 'Moved'): AnyStateMachine {
  const tell = emit({ type: fact });
  return createMachine({
    id: 'circle',
    initial: 'a',
    states: {
      a: { on: { GO: { target: 'b', actions: tell } } },
      b: { after: { 60_000: 'a' }, on: { GO: { target: secondFrom === 'b' ? 'c' : 'a', actions: tell } } },
      c: { on: { GO: { target: 'a', actions: tell } } },
    },
  });
}

/** ActorStarted, GO to b (1) with its fact (2), GO to c (3) with its fact (4). */
async function history(): Promise<House> {
  const house = new House();
  const runtime = await house.open({ circle: circle('b') });
  const ref = await runtime.start('circle', { id: '1' } as never);
  for (let i = 0; i < 2; i++) {
    await house.advance(1_000);
    await ref.send({ type: 'GO' });
  }
  await runtime.close();
  return house;
}

/** The events of the log as damage leaves them. */
function damaged(house: House, damage: (event: RecordedEvent) => RecordedEvent | undefined) {
  const log = house.faulty();
  log.damage = damage;
  return log;
}

describe('an actor that is blocked', () => {
  it('by a divergence is explained up to there', async () => {
    const house = await history();
    const runtime = await house.open({ circle: circle('c') });
    await failureOf(runtime.get('circle-1'));
    const said = await runtime.explain('circle-1');
    expect(said.text).toMatchInlineSnapshot(`
      "circle-1 is blocked: nothing is appended to it; every other actor runs on.
      Its history cannot be folded at revision 3: ReplayDivergedError: in actor / the log says {"transitions":{"actor":"/","event":"GO","to":"c"}}, this code does {"transitions":{"actor":"/","event":"GO","to":"a"}}. Likely cause: the machine has changed since the events were written (its definition is now 96db1c2bd91b7296), or a guard, assign or delay reads something outside its context and event.
      At revision 2, up to which it can be folded, it is active: its machine circle is in state "b" since 2026-01-01 00:00:01 UTC (1 s ago, revision 1).
      As long as it is blocked, none of the following goes on.
      The timer xstate.after.60000.circle.b of / fires at 2026-01-01 00:01:01 UTC (in 59 s).
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: register the version of circle that the history was written with, beside the present one, or make the machine agree with the history again; then call runtime.resume().
      Next: or go on from before that: runtime.rewind('circle-1', { to: 2 }); what came later stays on record."
    `);
    expect(said).toMatchObject({
      status: 'blocked',
      revision: 4,
      blocked: { revision: 3, code: 'REWAKE_REPLAY_DIVERGED', foldsTo: 2, isFoldable: false },
      machines: [{ actor: '/', value: 'b', since: { revision: 1 } }],
      timers: [{ dueAt: house.clock.now() - 1_000 + 60_000 }],
    });
  });

  it('by a fact that differs is cut before the append that told it', async () => {
    const house = await history();
    const { blocked, machines } = await explainStream(house.log, 'circle-1', {
      machines: { circle: circle('b', 'Went') },
    });
    expect(blocked).toMatchObject({ revision: 2, foldsTo: 0 });
    expect(machines).toMatchObject([{ value: 'a', since: { revision: 0 } }]);
  });

  it('by a fact that is not on record is cut before the append that lacks it', async () => {
    const house = await history();
    const log = damaged(house, (event) =>
      event.revision === 2
        ? undefined
        : { ...event, revision: event.revision > 2 ? event.revision - 1 : event.revision },
    );
    const { blocked } = await explainStream(log, 'circle-1', { machines: { circle: circle('b') } });
    expect(blocked).toMatchObject({ code: 'REWAKE_REPLAY_DIVERGED', revision: 2, foldsTo: 0 });
  });

  it('for want of its machine is explained by its records', async () => {
    const house = await history();
    const runtime = await house.open({ other: circle('b') });
    expect((await runtime.explain('circle-1')).text).toMatchInlineSnapshot(`
      "circle-1 is blocked: nothing is appended to it; every other actor runs on.
      Its history cannot be folded: UnknownMachineError: No machine 'circle' is registered (needed by stream 'circle-1'). Registered: other. Pass it to createRuntime({ machines }).
      By its records, without its machine, it is active: its machine circle is in state "c" since 2026-01-01 00:00:02 UTC (just now, revision 3).
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: register the machine circle, in createRuntime({ machines }) or by runtime.register({ circle }), then call runtime.resume()."
    `);
  });

  it('by a damaged record is explained up to there, with its machine and without', async () => {
    const house = await history();
    const log = damaged(house, (event) => (event.revision === 3 ? { ...event, data: '{' } : event));
    const said = await explainStream(log, 'circle-1', { machines: { circle: circle('b') }, clock: house.clock });
    expect(said.text).toMatchInlineSnapshot(`
      "circle-1 is blocked: nothing is appended to it; every other actor runs on.
      Its history cannot be folded at revision 3: DamagedRecordError: Stream 'circle-1' is damaged at revision 3: the data of event 'EventReceived' is not JSON. Nothing is appended to this stream until it is repaired. verifyLog(log) lists all damage; restore the record from a backup, or move it aside with repairLog(log, { quarantine: true }), and resume.
      At revision 2, up to which it can be folded, it is active: its machine circle is in state "b" since 2026-01-01 00:00:01 UTC (1 s ago, revision 1).
      As long as it is blocked, none of the following goes on.
      The timer xstate.after.60000.circle.b of / fires at 2026-01-01 00:01:01 UTC (in 59 s).
      Nobody holds the lease on the log: no host runs its actors, unless one does so without a lease.
      Next: restore the record at revision 3 from a backup, or move the damaged end aside with repairLog(log, { quarantine: true, stream: 'circle-1' }); then call runtime.resume()."
    `);
    const runtime = await house.open({ circle: circle('b') }, { log, resume: false });
    expect((await runtime.explain('circle-1')).next).toEqual([
      "restore the record at revision 3 from a backup, then call runtime.resume(); or close this runtime, move the damaged end aside with repairLog(log, { quarantine: true, stream: 'circle-1' }), and open it again.",
    ]);
    const { blocked, machines } = await explainStream(log, 'circle-1', { clock: house.clock });
    expect(blocked).toMatchObject({ code: 'REWAKE_DAMAGED_RECORD', revision: 3, foldsTo: null });
    expect(machines).toMatchObject([{ value: 'b' }]);
  });

  it('by damage inside an append is cut before it', async () => {
    const house = await history();
    const log = damaged(house, (event) => (event.revision === 4 ? { ...event, data: '{"type":' } : event));
    const { blocked, machines } = await explainStream(log, 'circle-1', { machines: { circle: circle('b') } });
    expect(blocked).toMatchObject({ code: 'REWAKE_DAMAGED_RECORD', revision: 4, foldsTo: 2 });
    expect(machines).toMatchObject([{ value: 'b' }]);
  });

  it('by a gap, or at its very beginning, says where', async () => {
    const house = await history();
    const gap = await explainStream(
      damaged(house, (event) => (event.revision === 1 ? undefined : event)),
      'circle-1',
    );
    expect(gap.blocked).toMatchObject({
      revision: 1,
      message: expect.stringContaining('the record is missing') as string,
    });
    const log = damaged(house, (event) => (event.revision === 0 ? { ...event, data: 'x' } : event));
    const said = await explainStream(log, 'circle-1', { machines: { circle: circle('b') } });
    expect(said.sentences.slice(0, 3)).toEqual([
      'circle-1 is blocked: nothing is appended to it; every other actor runs on.',
      expect.stringMatching(/^Its history cannot be folded at revision 0: DamagedRecordError: /) as string,
      'Nothing of it can be read.',
    ]);
  });

  it('by an upcaster says which to correct, and how far it folds', async () => {
    const house = await history();
    const upcasters = defineUpcasters({ Moved: { 1: (data: unknown) => data } });
    const runtime = await house.open({ circle: circle('b') }, { upcasters });
    const at2 = damaged(house, (event) => (event.revision === 4 ? { ...event, schemaVersion: 9 } : event));
    const said = await explainStream(at2, 'circle-1', { machines: { circle: circle('b') }, upcasters });
    expect(said.blocked).toMatchObject({ code: 'REWAKE_UPCAST', revision: 4, foldsTo: 2 });
    expect(said.next).toEqual(['add or correct the upcaster that the message names, then call runtime.resume().']);
    expect((await runtime.explain('circle-1')).blocked).toBe(null);
  });

  it('by what a newer version wrote is told to run that, with its machine and without', async () => {
    const house = await history();
    const ways: ((event: RecordedEvent) => RecordedEvent)[] = [
      (event) => (event.revision === 3 ? { ...event, type: 'ActorDreamt' } : event),
      (event) => (event.revision === 3 ? { ...event, meta: { ...event.meta, $needs: 'dreams@9.0.0' } } : event),
    ];
    for (const [way, code] of [
      [ways[0]!, 'REWAKE_NEWER_VERSION'],
      [ways[1]!, 'REWAKE_UNKNOWN_FEATURE'],
    ] as const) {
      const log = damaged(house, way);
      for (const machines of [{ machines: { circle: circle('b') } }, {}]) {
        const said = await explainStream(log, 'circle-1', machines);
        expect(said).toMatchObject({ blocked: { revision: 3, code }, machines: [{ value: 'b' }] });
        expect(said.next[0]).toContain('run the version of rewake that wrote it');
      }
    }
  });

  it('by another environment is told to accept it', async () => {
    const house = new House();
    const machines = { circle: circle('b') };
    const before = await house.open(machines, { environment: { version: '1' } });
    await before.start('circle', { id: '1' } as never);
    await before.close();
    const runtime = await house.open(machines, { environment: { version: '2' }, onEnvironmentChange: 'block' });
    await failureOf(runtime.get('circle-1'));
    const said = await runtime.explain('circle-1');
    expect(said.blocked).toMatchObject({ code: 'REWAKE_ENVIRONMENT_MISMATCH', isFoldable: true });
    expect(said.next).toEqual([
      "run it under the environment that was recorded, or accept this one: runtime.resume('circle-1').",
    ]);
  });

  it('is not blocked by damage before its newest rebase', async () => {
    const house = await history();
    const runtime = await house.open({ circle: circle('b') });
    await runtime.rewind('circle-1', { to: 2 });
    await runtime.close();
    const log = damaged(house, (event) => (event.revision === 3 ? { ...event, data: '{' } : event));
    for (const machines of [{ machines: { circle: circle('b') } }, {}]) {
      const said = await explainStream(log, 'circle-1', { ...machines, clock: house.clock });
      expect(said).toMatchObject({ status: 'active', blocked: null, machines: [{ value: 'b' }], revision: 5 });
      expect(said.timers.length).toBe(1);
    }
  });

  it('in its runtime only, because the cause is gone, is told to be resumed', async () => {
    const house = await history();
    const log = damaged(house, (event) => (event.revision === 3 ? { ...event, data: '{' } : event));
    const runtime = await house.open({ circle: circle('b') }, { log });
    await failureOf(runtime.get('circle-1'));
    log.damage = (event) => event;
    const said = await runtime.explain('circle-1');
    expect(said.blocked).toMatchObject({ isFoldable: true, foldsTo: 4 });
    expect(said.sentences).toContain('Its history can be folded.');
    await runtime.resume();
    expect(await runtime.explain('circle-1')).toMatchObject({ status: 'active', blocked: null });
  });
});

it('XF2: a log that cannot be read is an error of the log, not of the actor', async () => {
  const house = await history();
  for (const reads of [0, 1]) {
    const log = house.faulty();
    const down = new LogUnavailableError('the disk is away', false);
    log.damage = (event) => {
      if (event.revision === 0 && seen++ === reads) throw down;
      return event;
    };
    let seen = 0;
    expect(await failureOf(explainStream(log, 'circle-1', { machines: { circle: circle('b') } }))).toBe(down);
  }
});
