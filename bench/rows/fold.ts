/**
 * Folding a long history: loading an actor that is not in memory.
 */
import { createActor } from 'xstate';
import { createRuntime, memoryLog, type EventLog } from '../../src/index.ts';
import { fulfilment, fulfilmentEvents, fulfilmentInput } from '../machines/fulfilment.ts';
import { interleave, timeMs } from '../measure.ts';
import type { Row } from '../row.ts';

const count = 10_000;
const events = fulfilmentEvents(count);

export const fold: Row = {
  name: 'fold',
  what: `Folding ${count.toLocaleString('en-US')} received events, decode included: runtime.get on a fresh runtime, memory log`,
  reference: 'plain XState re-running the events',
  goal: { atMost: 2 },
  async run() {
    const log = memoryLog();
    const recorded = await record(log);
    const { plain: reference, folded: measured } = await interleave(
      { plain, folded: () => folded(log) },
      { rounds: 9, warmups: 3 },
    );
    const note = `a machine of 14 states, nested and parallel, with a delay; the stream holds ${recorded.toLocaleString('en-US')} events, facts included. Every transition and fact is compared with what was recorded.`;
    return { unit: 'ms', measured, reference, note };
  },
};

/** Writes the history; gives the number of events in the stream. */
async function record(log: EventLog): Promise<number> {
  await using runtime = await createRuntime({ log, machines: { fulfilment }, snapshots: false, keepLogOpen: true });
  const ref = await runtime.start('fulfilment', { id: '1', input: fulfilmentInput });
  for (let at = 0; at < count; at += 100) {
    await Promise.all(events.slice(at, at + 100).map((event) => ref.send(event)));
  }
  const head = await log.head(ref.stream);
  return head.state === 'live' ? head.revision + 1 : 0;
}

async function plain(): Promise<number> {
  const ms = await timeMs(() => {
    const actor = createActor(fulfilment, { input: fulfilmentInput }).start();
    for (const event of events) actor.send(event);
    expectEnd(actor.getSnapshot().context.parcels);
    actor.stop();
  });
  return ms;
}

async function folded(log: EventLog): Promise<number> {
  await using runtime = await createRuntime({
    log,
    machines: { fulfilment },
    snapshots: false,
    keepLogOpen: true,
    resume: false,
  });
  return await timeMs(async () => {
    const ref = await runtime.get('fulfilment-1');
    expectEnd(ref.getSnapshot().context.parcels);
  });
}

function expectEnd(parcels: number): void {
  if (parcels !== count / 10) throw new Error(`Expected ${count / 10} parcels at the end, found ${parcels}.`);
}
