/**
 * A process of its own that runs a flow with error handlers on a SQLite file, and kills itself where it is told to. Owns the
 * flow and the moments; what must be true of the next process is its test's. Node 20 runs no TypeScript: compiled by it.
 *
 * FP1  It ends with exit code 0 when the flow has come to its output, and only then.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import type { AnyStateMachine } from 'xstate';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { effect } from '../../src/runtime/effect.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { flow } from '../../machines/flow.ts';
import { handler } from '../../machines/handler.ts';
import { fallback, retry, skip } from '../../machines/recovery-actions.ts';

/** What the parent asks for when it starts the process. */
export interface FlowTask {
  readonly path: string;
  /** The file in which each call is noted before it does anything. */
  readonly notes: string;
  /** Dies in the middle of this call: `<work> <which call, from 1>`. */
  readonly dieIn?: string;
  /** Dies when this is on disk: `<type of an event> <which one of these, from 1>`. */
  readonly dieAfter?: string;
  /** Lets everything fail: the flow ends with an error, which no handler recovers. */
  readonly isHopeless?: boolean;
  /** Resumes the flow where it has ended with an error. */
  readonly resumes?: boolean;
}

const task = JSON.parse(process.argv[2]!) as FlowTask;

async function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
}

/** A work whose first calls fail. A call is known by its key: one that is made again after a death is the same. */
function work(name: string, failures = 0) {
  return effect(async ({ context }) => {
    appendFileSync(task.notes, `${name} ${context.idempotencyKey}\n`);
    const lines = readFileSync(task.notes, 'utf8').split('\n');
    const keys = new Set(lines.filter((line) => line.startsWith(`${name} `)));
    const call = [...keys].indexOf(`${name} ${context.idempotencyKey}`) + 1;
    if (task.dieIn === `${name} ${call}`) await die();
    if (task.isHopeless || call <= failures) throw new Error(`${name} failed`);
    return name;
  });
}

const trip = flow('trip', {
  steps: {
    pack: { run: work('pack') },
    book: {
      run: work('book', 1),
      needs: ['pack'],
      onCommandFailure: [handler({ id: 'logIn', run: work('logIn'), then: retry() })],
    },
    fly: {
      run: work('fly', 9),
      needs: ['book'],
      onFailure: [
        handler({
          id: 'rebook',
          run: work('rebook', 1),
          handlers: [handler({ id: 'reconnect', run: work('reconnect'), then: retry() })],
          then: retry({ delay: 20, maxAttempts: 2 }),
        }),
      ],
    },
    sleep: { run: work('sleep', 9) },
  },
  phases: [
    {
      id: 'going',
      steps: ['pack', 'book', 'fly'],
      onFailure: [
        handler({ id: 'byTrain', when: (_, { results }) => 'book' in results, then: fallback(work('train')) }),
      ],
    },
    { id: 'being', steps: ['sleep'] },
  ],
  onFailure: [handler({ id: 'inTheCar', run: work('tell'), then: skip('in the car') })],
} as never) as unknown as AnyStateMachine;

const log = sqliteLog(task.path);
if (task.dieAfter !== undefined) void watch(task.dieAfter);

async function watch(moment: string): Promise<void> {
  const [type, nth] = moment.split(' ') as [string, string];
  let seen = 0;
  for await (const item of log.subscribe()) {
    if ('event' in item && item.event.type === type && ++seen === Number(nth)) await die();
  }
}

const runtime = await createRuntime({ log, machines: { trip } });
let ref = await runtime.start('trip', { id: '1' });
if (task.resumes) {
  await ref.output().catch(() => {});
  ref = await runtime.resume('trip-1');
}
const output: unknown = await ref.output();
await runtime.close();
console.log(JSON.stringify(output));
