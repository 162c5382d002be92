/** Effects that a closing host cut off, and migrations beside snapshots: what is counted, and what is done once. */
import { expect, test } from 'vitest';
import { createMachine, assign } from 'xstate';
import { createRuntime, effect, memoryLog, type EffectContext, type EventLog } from '../../src/index.ts';
import { silentLogger } from '../support/silent-logger.ts';

const quiet = (log: EventLog) => ({ log, logger: silentLogger, keepLogOpen: true }) as const;
const turns = async (n = 10) => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
};

test('15: a run that an orderly close cut off is not counted as a restart; one that a crash cut off is', async () => {
  const log = memoryLog();
  const runs: EffectContext[] = [];
  const work = effect(({ context }) => new Promise(() => void runs.push(context)), { maxRestarts: 1 });
  const machine = createMachine({
    initial: 'working',
    states: { working: { invoke: { src: work, onError: 'failed' } }, failed: {} },
  });
  const open = () => createRuntime({ ...quiet(log), machines: { machine }, lease: false });
  const first = await open();
  await first.start('machine', { id: '1' });
  await turns();
  await first.close();
  for (let i = 0; i < 3; i++) {
    const next = await open();
    await turns();
    await next.close();
  }
  expect(runs.map(({ restarts }) => restarts)).toEqual([0, 0, 0, 0]);
  // From here on each host is abandoned as if killed.
  await open();
  await turns();
  await open();
  await turns();
  const last = await open();
  await turns();
  expect(runs.map(({ restarts }) => restarts)).toEqual([0, 0, 0, 0, 0, 1]);
  expect((await last.get('machine-1')).getSnapshot().value).toBe('failed');
});

test('26, 29: an actor is migrated once, also with snapshots', async () => {
  const log = memoryLog();
  const version = (label: string) =>
    createMachine({
      id: 'm',
      version: label,
      context: { total: 4 },
      on: { TOUCH: { actions: assign({}) } },
    });
  const [v1, v2] = [version('1'), version('2')];
  const first = await createRuntime({ ...quiet(log), machines: { m: v1 }, snapshots: { every: 2 } });
  const ref = await first.start('m', { id: '1' });
  for (let i = 0; i < 5; i++) await ref.send({ type: 'TOUCH' });
  await first.close();
  const migrate = ({ value, context }: { value: unknown; context: unknown }) => ({
    value,
    context: { total: (context as { total: number }).total * 100 },
  });
  const totals: number[] = [];
  for (let i = 0; i < 3; i++) {
    const machines = { m: { versions: [v2, v1], migrate } } as const;
    const next = await createRuntime({ ...quiet(log), machines, snapshots: { every: 2 } });
    const again = await next.get('m-1');
    await again.send({ type: 'TOUCH' });
    totals.push((again.getSnapshot().context as { total: number }).total);
    await next.close();
  }
  expect(totals).toEqual([400, 400, 400]);
});
