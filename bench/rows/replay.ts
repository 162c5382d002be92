/**
 * Seeking in a long stream: any frame of it, by code, after the replay has walked it once.
 */
import { join } from 'node:path';
import { createRuntime, seededRandom, type EventLog } from '../../src/index.ts';
import { openReplay, type Replay } from '../../src/replay/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { withDirectory } from '../disk.ts';
import { fulfilment, fulfilmentEvents, fulfilmentInput } from '../machines/fulfilment.ts';
import { timeMs } from '../measure.ts';
import type { Aside, Row, Samples } from '../row.ts';

const wanted = 100_000;
const seeks = 400;
const steps = 400;

export const replay: Row = {
  name: 'replay',
  what: `Seeking a frame at random in a stream of ${wanted.toLocaleString('en-US')} events on SQLite, with code: p95`,
  reference: '-',
  goal: { atMost: 50 },
  async run() {
    return withDirectory(async (directory) => {
      const log = sqliteLog(join(directory, 'replay.db'));
      const { stream, recorded } = await record(log);
      const open = async (source: 'code' | 'log') => openReplay(log, stream, { machines: { fulfilment }, source });
      const samples = await measured(() => open('code'));
      const bare = await measured(() => open('log'));
      await log.close();
      const also: Aside[] = [
        aside('The same, p50', quantile(samples.seeks, 0.5), { atMost: 50 }),
        aside('The same without code: p95', quantile(bare.seeks, 0.95), { atMost: 50 }),
        aside('Stepping back, frame by frame, with code: p95', quantile(samples.back, 0.95), { atMost: 50 }),
        aside('Opening the replay', samples.open, { atMost: 50 }),
        aside('Walking all of it once, with code: the first seek to the end', samples.walk),
        aside('Walking all of it once, without code', bare.walk),
      ];
      const note = `${recorded.toLocaleString('en-US')} events, facts included; ${seeks} seeks, ${steps} steps.`;
      return { unit: 'ms', measured: [quantile(samples.seeks, 0.95)], note, also };
    });
  },
};

function aside(what: string, ms: number, goal?: Aside['goal']): Aside {
  const samples: Samples = { unit: 'ms', measured: [ms] };
  return { what, against: '-', ...samples, ...(goal && { goal }) };
}

async function measured(open: () => Promise<Replay>) {
  let walked!: Replay;
  const openMs = await timeMs(async () => void (walked = await open()));
  const walk = await timeMs(() => walked.prepare());
  const random = seededRandom(1);
  const times = async (count: number, one: () => Promise<unknown>) => {
    const ms: number[] = [];
    for (let n = 0; n < count; n++) ms.push(await timeMs(async () => void (await one())));
    return ms;
  };
  const sought = await times(seeks, () => walked.at(Math.floor(random() * (walked.last + 1))));
  let frame = await walked.at(walked.last >> 1);
  const back = await times(steps, async () => (frame = (await walked.previous(frame))!));
  return { open: openMs, walk, seeks: sought, back };
}

/** Fills a stream until it has so many events. */
async function record(log: EventLog): Promise<{ readonly stream: string; readonly recorded: number }> {
  await using runtime = await createRuntime({ log, machines: { fulfilment }, snapshots: false, keepLogOpen: true });
  const ref = await runtime.start('fulfilment', { id: '1', input: fulfilmentInput });
  const events = fulfilmentEvents(wanted);
  for (let at = 0; at < events.length; at += 200) {
    await Promise.all(events.slice(at, at + 200).map((event) => ref.send(event)));
    const head = await log.head(ref.stream);
    const recorded = head.state === 'live' ? head.revision + 1 : 0;
    if (recorded >= wanted) return { stream: ref.stream, recorded };
  }
  throw new Error(`The stream has not come to ${wanted} events.`);
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}
