/**
 * An audit finds nothing in what rewake writes: logs of every released format, generated charts, and runs of every machine whose
 * host dies at any append. So that what it finds is worth a look.
 */
import fc from 'fast-check';
import { cancel, fromPromise, raise, setup, spawnChild } from 'xstate';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { audit, describeViolation, type AuditOptions, type AuditSource } from 'rewake/audit';
import type { EventLog, Machines, PastStimulus } from 'rewake';
import { breaker, step } from 'rewake/machines';
import { machines as generated, playHosted, scripts, type HiddenFault } from 'rewake/testing';
import { goldenNames, goldenVersions, readGolden } from '../golden/kept.ts';
import { lives } from '../golden/lives.ts';
import { lived, scenarios } from '../projections/lived.ts';
import { House } from '../support/house.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { machines, ordered } from './audited-runs.ts';

async function expectSound(source: AuditSource, options: AuditOptions = {}): Promise<void> {
  expect((await audit(source, options)).map(describeViolation)).toEqual([]);
}

// XState's development build warns of every event that reaches a stopped actor; generated charts send many.
beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterAll(() => void vi.restoreAllMocks());

const golden = goldenVersions().flatMap((version) => goldenNames(version).map((name) => [version, name] as const));

describe('the golden logs', () => {
  it.for(golden)('%s %s are sound, by their events and with their machines', async ([version, name]) => {
    const { events } = readGolden(version, name);
    await expectSound(events);
    await expectSound(events, { machines: lives.find((life) => life.name === name)!.machines });
  });
});

describe('what is written today', () => {
  it.for(lives.map((life) => [life.name, life] as const))('%s is sound', async ([, { live, machines }]) => {
    const house = new House();
    await live(house);
    await expectSound(house.log, { machines });
  });
});

it('an actor is sound that was compacted while it ran, was rewound, and goes on', async () => {
  const house = new House();
  const answers: (() => void)[] = [];
  const answer = async () => {
    answers.pop()!();
    await house.rest();
  };
  const work = fromPromise(() => new Promise<void>((resolve) => void answers.push(resolve)));
  const job = setup({ actors: { work } }).createMachine({
    id: 'job',
    initial: 'idle',
    states: {
      idle: { on: { GO: 'working' } },
      working: { after: { 5_000: 'idle' }, invoke: { id: 'work', src: 'work', onDone: 'resting' } },
      resting: { after: { 1_000: 'idle' } },
    },
  });
  const runtime = await house.open({ job });
  const ref = await runtime.start('job', { id: '1' });
  await ref.send({ type: 'GO' }, { messageId: 'first' });
  await runtime.compact('job-1');
  await answer();
  await house.advance(1_000);
  await ref.send({ type: 'GO' }, { messageId: 'second' });
  await house.rest();
  const { revision } = (await house.log.actor('job-1'))!;
  await answer();
  await house.advance(2_000);
  await runtime.rewind('job-1', { to: revision });
  await house.rest();
  await answer();
  await house.advance(2_000);
  await runtime.rewind('job-1', { to: revision - 1 });
  await runtime.send('job-1', { type: 'GO' }, { messageId: 'second' });
  await house.advance(1_000);
  expect((await house.types('job-1')).filter((type) => type === 'ActorRebased').length).toBe(3);
  for (const source of [house.log, house.log.readAll()]) await expectSound(source, { machines: { job } });
});

it('a copy is sound that names the causes of its past', async () => {
  const { log, open } = await ordered().then((house) => ({ log: house.log, open: house.open.bind(house) }));
  const runtime = await open(machines);
  await runtime.fork('ledger-1', { at: 3, id: 'copy' });
  await expectSound(log, { machines });
});

it('a copy is sound that was edited: its timers fire where their past lets them', async () => {
  const house = new House();
  const bells = setup({}).createMachine({
    id: 'bells',
    on: {
      SET: {
        actions: [raise({ type: 'RING' }, { delay: 500, id: 'a' }), raise({ type: 'RING' }, { delay: 800, id: 'b' })],
      },
      CANCEL: { actions: cancel('a') },
      LATER: { actions: raise({ type: 'RING' }, { delay: 100, id: 'c' }) },
    },
  });
  const runtime = await house.open({ bells });
  const ref = await runtime.start('bells', { id: '1' });
  for (const type of ['LATER', 'LATER']) await ref.send({ type });
  await house.advance(200);
  for (const type of ['SET', 'CANCEL']) await ref.send({ type });
  await house.advance(1_000);
  const { revision: at } = (await house.log.actor('bells-1'))!;
  const isFirst = ({ revision }: PastStimulus) => revision === 1;
  const isCancel = (past: PastStimulus) => past.type === 'EventReceived' && past.event.type === 'CANCEL';
  for (const [id, leavesOut] of [
    ['late', isFirst],
    ['rung', isCancel],
  ] as const) {
    await runtime.fork('bells-1', { at, id, edit: (past) => (leavesOut(past) ? undefined : past) });
  }
  expect((await house.types('bells-late')).length).toBeLessThan(at + 1);
  await expectSound(house.log, { machines: { bells } });
});

it('an effect is sound that outlives its parent, which has another child of its id', async () => {
  const house = new House();
  const answers: (() => void)[] = [];
  const work = fromPromise(() => new Promise<void>((resolve) => void answers.push(resolve)));
  const group = setup({ actors: { work } }).createMachine({
    id: 'group',
    entry: [spawnChild('work', { id: 'x' }), spawnChild('work', { id: 'x' })],
  });
  const boss = setup({ actors: { group } }).createMachine({
    id: 'boss',
    initial: 'busy',
    states: { busy: { invoke: { id: 'group', src: 'group' }, on: { GO: 'idle' } }, idle: {} },
  });
  const runtime = await house.open({ boss });
  await (await runtime.start('boss', { id: '1' })).send({ type: 'GO' });
  for (const answer of answers) answer();
  await house.rest();
  expect(await house.types('boss-1')).toEqual(['ActorStarted', 'EventReceived', 'EffectSucceeded']);
  await expectSound(house.log, { machines: { boss } });
});

it('a step is sound whose attempt a closing host interrupted', async () => {
  const house = new House();
  const busy = () => Promise.reject(Object.assign(new Error('busy'), { status: 503 }));
  let calls = 0;
  const call = () => (++calls === 2 ? new Promise<never>(() => {}) : busy());
  const backoff = { strategy: 'fixed', initialDelay: 1_000, jitter: 'none' } as const;
  const work = step('work', call, { retry: { maxAttempts: 3, backoff } });
  const first = await house.open({ work });
  await first.start('work', { id: '1' } as never);
  await house.advance(1_000);
  await first.close();
  await house.open({ work });
  await house.advance(10_000);
  const attempts = (await house.facts('work-1')).filter(({ type }) => type === 'AttemptFailed');
  expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 1, 2, 3]);
  await expectSound(house.log, { machines: { work }, ended: true });
});

it('a breaker is sound with several probes, of which one is asked for again and one is given back', async () => {
  const house = new House();
  const runtime = await house.open({ breaker });
  const options = { consecutive: 1, openFor: '10s', halfOpen: { permits: 2, successes: 2 } } as const;
  const ref = await runtime.start('breaker', { id: 'api', input: { key: 'api', options } });
  await ref.send({ type: 'outcome.reported', permit: { gen: 0, id: '1', probe: false }, outcome: 'failure' });
  await house.advance(10_000);
  for (const id of ['2', '2', '3', '4']) await ref.send({ type: 'permit.asked', id });
  const report = (id: string, outcome: 'ignored' | 'success') =>
    ref.send({ type: 'outcome.reported', permit: { gen: 2, id, probe: true }, outcome });
  await report('2', 'ignored');
  await ref.send({ type: 'permit.asked', id: '5' });
  await report('3', 'success');
  await ref.send({ type: 'permit.asked', id: '6' });
  await report('5', 'success');
  const told = (await house.facts('breaker-api')).map(({ type }) => type);
  expect(told).toEqual(['CircuitOpened', 'CircuitHalfOpened', ...Array(3).fill('ProbeAdmitted'), 'CircuitClosed']);
  await expectSound(house.log, { machines: { breaker }, ended: true });
});

it('generated machines are sound, whose host dies on the way', async () => {
  let events = 0;
  await fc.assert(
    fc.asyncProperty(generated(), scripts(), fc.nat(8), async (machine, script, append) => {
      const faults: HiddenFault[] = [{ fault: 'crash', append, phase: 'afterAppend' }];
      const check = async ({ log }: { log: EventLog }) => {
        await expectSound(log, { machines: { chart: machine.build() } });
        await expectSound(log.readAll());
        for await (const _ of log.readAll()) events++;
      };
      await playHosted(machine, script, { faults, snapshots: { every: 1 }, check });
    }),
    propertyRuns(40),
  );
  expect(events).toBeGreaterThan(200);
}, 300_000);

describe.each(scenarios)('%s', (_, scenario) => {
  const machines = scenario.machines as Machines;

  it('is sound wherever its host dies', async () => {
    const { appends, log } = await lived(scenario);
    await expectSound(log, { machines, ended: true });
    for (let append = 0; append < appends; append += 3) {
      const phase = (['beforeAppend', 'afterAppend'] as const)[append % 2]!;
      const life = await lived(scenario, { append, phase });
      await expectSound(life.log, { machines });
      await expectSound(life.log.readAll());
    }
  }, 60_000);
});
