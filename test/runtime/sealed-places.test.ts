/** Every event is sealed for the revision it gets (A6), whatever came between its sealing and its append. */
import { describe, expect, it } from 'vitest';
import { assign, emit, fromPromise } from 'xstate';
import { DamagedRecordError } from '../../src/errors.ts';
import { verifyEvent } from '../../src/log/envelope.ts';
import { House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

const counter = createMachine({
  context: { n: 0 },
  on: {
    ADD: { actions: [assign({ n: ({ context }) => (context.n as number) + 1 }), emit({ type: 'Added', by: 1 })] },
    BAD: { actions: emit({ type: 'Bad', fn: () => {} }) },
  },
  invoke: { id: 'work', src: fromPromise(() => Promise.resolve(1)) },
});

/** Asserts that each event is intact where it stands, and would be so nowhere else; gives their number. */
async function placedEvents(house: House, stream = 'counter-1'): Promise<number> {
  let events = 0;
  for await (const event of house.log.readStream(stream)) {
    verifyEvent(event);
    for (const elsewhere of [{ revision: event.revision + 1 }, { stream: 'counter-2' }]) {
      expect(() => verifyEvent({ ...event, ...elsewhere })).toThrow(DamagedRecordError);
    }
    events++;
  }
  return events;
}

async function start() {
  const house = new House();
  const log = house.faulty();
  const runtime = await house.open({ counter }, { log });
  const ref = await runtime.start('counter', { id: '1' });
  await rest();
  return { house, log, runtime, ref };
}

describe('an event that the runtime writes', () => {
  it('is sealed for its place when many wait for one append', async () => {
    const { house, log, ref } = await start();
    const release = log.hold();
    const sent = Array.from({ length: 5 }, () => ref.send({ type: 'ADD' }));
    await rest();
    release();
    await Promise.all(sent);
    expect(await placedEvents(house)).toBe(12);
  });

  it('is sealed anew after another writer was first', async () => {
    const { house, ref } = await start();
    const other = await house.open({ counter });
    await other.send('counter-1', { type: 'ADD' });
    await Promise.all([ref.send({ type: 'ADD' }), ref.send({ type: 'ADD' })]);
    expect(await placedEvents(house)).toBe(8);
  });

  it('is sealed anew after a step before it could not be written', async () => {
    const { house, log, ref } = await start();
    const release = log.hold();
    const first = ref.send({ type: 'ADD' });
    const second = ref.send({ type: 'ADD' });
    const refused = ref.send({ type: 'BAD' }).catch(() => 'refused');
    const last = ref.send({ type: 'ADD' });
    await rest();
    release();
    expect(await refused).toBe('refused');
    await Promise.all([first, second, last]);
    expect(await placedEvents(house)).toBe(8);
  });

  it('keeps its place when the answer of its append is lost', async () => {
    const { house, log, ref } = await start();
    log.faults.push('answerLost', 'bothLost');
    const sent = [ref.send({ type: 'ADD' }), ref.send({ type: 'ADD' })];
    await house.advance(1_000);
    await Promise.all(sent);
    expect(await placedEvents(house)).toBe(6);
  });
});
