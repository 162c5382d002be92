/**
 * Heap of loaded actors that wait for an event.
 */
import { createActor } from 'xstate';
import { createRuntime, memoryLog, type EventLog } from '../../src/index.ts';
import { order, orderEvents, orderInput } from '../machines/order.ts';
import { heapUsedBytes, interleave } from '../measure.ts';
import { inPool } from '../pool.ts';
import type { Row } from '../row.ts';

const actors = 10_000;
const events = orderEvents(2);

export const heap: Row = {
  name: 'heap',
  what: 'Heap per loaded idle actor of five states, passivation off',
  reference: '-',
  goal: { atMost: 1_500 },
  async run() {
    const log = memoryLog();
    await record(log);
    const samples = await interleave(
      {
        actor: () => held(plainActor),
        snapshot: () => held(() => plainActor().getSnapshot()),
        loaded: () => loaded(log),
      },
      { rounds: 5, warmups: 1 },
    );
    const aside = (what: string, measured: number[]) => ({ what, against: '-', unit: 'bytes' as const, measured });
    return {
      unit: 'bytes',
      measured: samples.loaded,
      also: [aside('Heap per plain started actor', samples.actor), aside('Heap per snapshot of one', samples.snapshot)],
      note: `${actors.toLocaleString('en-US')} actors that have had two events, loaded from a memory log whose own events are not counted; garbage collected before each reading.`,
    };
  },
};

async function record(log: EventLog): Promise<void> {
  await using runtime = await createRuntime({ log, machines: { order }, keepLogOpen: true });
  await inPool(actors, 100, async (index) => {
    const ref = await runtime.start('order', { id: String(index), input: orderInput });
    for (const event of events) await ref.send(event);
  });
}

async function loaded(log: EventLog): Promise<number> {
  await using runtime = await createRuntime({ log, machines: { order }, keepLogOpen: true, passivate: false });
  const before = heapUsedBytes();
  await inPool(actors, 100, (index) => runtime.get(`order-${index}`));
  const bytes = (heapUsedBytes() - before) / actors;
  // Used after the reading, so that nothing of it can have been collected before.
  await runtime.get('order-0');
  return bytes;
}

async function held(make: () => unknown): Promise<number> {
  const before = heapUsedBytes();
  const all = Array.from({ length: actors }, make);
  const bytes = (heapUsedBytes() - before) / all.length;
  if (all.includes(undefined)) throw new Error('Nothing was held.');
  return bytes;
}

function plainActor() {
  const actor = createActor(order, { input: orderInput }).start();
  for (const event of events) actor.send(event);
  return actor;
}
