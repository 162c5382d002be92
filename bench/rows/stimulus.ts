/**
 * One stimulus on the memory log: what the host adds to a transition.
 */
import { createActor } from 'xstate';
import { createRuntime, memoryLog, type ActorRef } from '../../src/index.ts';
import { order, orderEvents, orderInput } from '../machines/order.ts';
import { interleave, timeMs } from '../measure.ts';
import type { Row } from '../row.ts';

const count = 20_000;
const batchSize = 100;
type Send = ActorRef<typeof order>['send'];

const events = orderEvents(count);

export const stimulus: Row = {
  name: 'stimulus',
  what: `A stimulus, memory log, five states: ref.send in batches of ${batchSize}, each batch awaited`,
  reference: 'actor.send, plain XState',
  goal: { atMost: 2 },
  async run() {
    const samples = await interleave(
      { plain, pipelined: () => hosted(inBatches), single: () => hosted(oneByOne) },
      { rounds: 7, warmups: 2 },
    );
    const { plain: reference, pipelined: measured, single } = samples;
    const what = 'The same, each ref.send awaited before the next';
    return {
      unit: 'µs',
      measured,
      reference,
      also: [{ what, against: this.reference, unit: 'µs', measured: single, reference }],
      note: `${count.toLocaleString('en-US')} events per run on one actor, payload objects of 30 to 80 bytes; the codec, the event's JSON, checksum and the append are included.`,
    };
  },
};

async function plain(): Promise<number> {
  const actor = createActor(order, { input: orderInput }).start();
  const ms = await timeMs(() => {
    for (const event of events) actor.send(event);
  });
  actor.stop();
  return (ms * 1_000) / count;
}

async function hosted(drive: (send: Send) => Promise<void>): Promise<number> {
  await using runtime = await createRuntime({ log: memoryLog(), machines: { order } });
  const ref = await runtime.start('order', { id: '1', input: orderInput });
  const ms = await timeMs(() => drive((event) => ref.send(event)));
  if (ref.getSnapshot().context.rounds !== count / 5) throw new Error('Not every event has moved the order.');
  return (ms * 1_000) / count;
}

async function inBatches(send: Send): Promise<void> {
  for (let at = 0; at < count; at += batchSize) {
    await Promise.all(events.slice(at, at + batchSize).map((event) => send(event)));
  }
}

async function oneByOne(send: Send): Promise<void> {
  for (const event of events) await send(event);
}
