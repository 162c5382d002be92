/**
 * A process of its own that runs guarded steps on a SQLite file which others use at the same time. Owns what one process
 * does in the race for probes; who may pass is decided on the file. Node 20 runs no TypeScript: compiled by its test.
 *
 * PP1  Every call hangs, as a slow probe does: what was let through stays in flight until the process is killed.
 */
import type { AnyStateMachine } from 'xstate';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { breaker } from '../../machines/breaker.ts';
import { CircuitBreakerOpenError } from '../../machines/recovery-errors.ts';
import { step } from '../../machines/step.ts';

/** What the parent asks for when it starts the process. */
export interface ProbeTask {
  readonly path: string;
  readonly host: string;
  /** Of the breakers that are raced for, one after the other. */
  readonly keys: readonly string[];
  /** How many steps each process runs at once. */
  readonly steps: number;
}

/** What the process reports; `called` and `refused` of each step one. */
export type ProbeReport =
  | { readonly at: 'ready' }
  | { readonly at: 'called'; readonly key: string }
  | { readonly at: 'refused'; readonly key: string; readonly why: string };

const report = (message: ProbeReport) => void process.send!(message);
const { path, host, keys, steps } = JSON.parse(process.argv[2]!) as ProbeTask;

const guarded = (key: string) =>
  step('work', () => (report({ at: 'called', key }), new Promise(() => {})), { breaker: key }) as AnyStateMachine;

const runtime = await createRuntime({
  log: sqliteLog(path),
  machines: { ...Object.fromEntries(keys.map((key) => [key, guarded(key)])), breaker },
  lease: false,
  resume: false,
});

process.on('message', (key: string) => {
  for (let n = 0; n < steps; n++) void run(key, `${host}${n}`);
});
report({ at: 'ready' });

async function run(key: string, id: string): Promise<void> {
  try {
    await (await runtime.start(key as never, { id } as never)).output();
  } catch (error) {
    report({ at: 'refused', key, why: error instanceof CircuitBreakerOpenError ? error.state : String(error) });
  }
}
