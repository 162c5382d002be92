/**
 * A process of its own that uses one SQLite log, for tests that kill, race or outwait it. Owns the tasks; the parent says
 * which one and when to go. Node 20 runs no TypeScript: compiled by child-processes.ts.
 */
import { realClock, realRandom, uuidv7Source } from '../../../src/clock.ts';
import { ConflictError } from '../../../src/errors.ts';
import { sealEvent } from '../../../src/log/envelope.ts';
import type { EventLog, NewEvent } from '../../../src/log/event-log.ts';
import { sqliteLog } from '../../../src/stores/sqlite/index.ts';

/** What the parent asks for. */
export type Task =
  | { readonly do: 'race'; readonly path: string; readonly stream: string; readonly untilRevision: number }
  | { readonly do: 'write'; readonly path: string; readonly stream: string }
  | { readonly do: 'follow'; readonly path: string; readonly untilId: string }
  | { readonly do: 'close'; readonly path: string };

/** What the child reports. */
export type Report =
  | { readonly at: 'ready' }
  | { readonly at: 'acknowledged'; readonly id: string; readonly revision: number }
  | { readonly at: 'caughtUp' }
  | { readonly at: 'event'; readonly id: string }
  | { readonly at: 'done' };

const nextId = uuidv7Source(() => realClock.now(), realRandom);

function event(): NewEvent {
  return sealEvent({ id: nextId(), type: 'Raced', schemaVersion: 1, data: `{"pid":${process.pid}}`, meta: {} });
}

/** Resolves when the parent has it: what was reported is known even if this process is killed right after. */
function report(message: Report): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(message, undefined, undefined, (error) => (error ? reject(error) : resolve()));
  });
}

async function race(log: EventLog, stream: string, untilRevision: number): Promise<void> {
  let revision = -1;
  while (revision < untilRevision) {
    const next = event();
    try {
      ({ revision } = await log.append(stream, revision < 0 ? 'no-stream' : revision, [next]));
      await report({ at: 'acknowledged', id: next.id, revision });
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      revision = error.actual!;
    }
  }
}

async function write(log: EventLog, stream: string): Promise<never> {
  for (let revision = -1; ; revision++) {
    const next = event();
    await log.append(stream, revision < 0 ? 'no-stream' : revision, [next]);
    await report({ at: 'acknowledged', id: next.id, revision: revision + 1 });
  }
}

async function follow(log: EventLog, untilId: string): Promise<void> {
  for await (const item of log.subscribe()) {
    if (item.type === 'caughtUp') await report({ at: 'caughtUp' });
    if (item.type === 'event') await report({ at: 'event', id: item.event.id });
    if (item.type === 'event' && item.event.id === untilId) return;
  }
}

/** Closes while a subscription waits and an append is queued; the process must end by itself. */
async function closeBusy(log: EventLog): Promise<void> {
  const items = log.subscribe()[Symbol.asyncIterator]();
  await items.next();
  const waiting = items.next();
  const queued = log.append('queued-1', 'no-stream', [event()]);
  await log.close();
  const { revision } = await queued;
  await waiting;
  await report({ at: 'acknowledged', id: 'queued', revision });
}

const task = JSON.parse(process.argv[2]!) as Task;
await report({ at: 'ready' });
// The listener stays: it keeps the process alive, which a waiting subscription does not.
await new Promise((resolve) => process.on('message', resolve));
const log = sqliteLog(task.path);
if (task.do === 'race') await race(log, task.stream, task.untilRevision);
else if (task.do === 'write') await write(log, task.stream);
else if (task.do === 'follow') await follow(log, task.untilId);
else await closeBusy(log);
await log.close();
await report({ at: 'done' });
process.disconnect();
