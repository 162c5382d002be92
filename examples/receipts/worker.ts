/**
 * The process that gets killed. It opens the log, lets rewake go on with whatever the last worker left behind, and starts
 * the receipts that are not started yet. Owns nothing that matters: everything it knows is in the log.
 *
 * W1  Starting is idempotent: a receipt that has a stream already is attached to, whatever its state.
 * W2  At most `concurrency` receipts are on their way, besides those a killed worker left unfinished.
 */
import { readdirSync } from 'node:fs';
import { createRuntime } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import type { WorkerArguments, WorkerMessage } from './messages.ts';
import { receiptEffects } from './receipt-effects.ts';
import { receiptMachine } from './receipt-machine.ts';

const { log, dataDirectory, serviceUrl, concurrency, reported } = JSON.parse(process.argv[2]!) as WorkerArguments;

type SettledState = 'posted' | 'rejected' | 'failed';

const report = (message: WorkerMessage) => process.send?.(message);

// Ctrl-C reaches the whole process group; the supervisor decides how the worker ends.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(0));

const receipt = receiptMachine.provide({ actors: receiptEffects({ dataDirectory, serviceUrl }) });
const runtime = await createRuntime({ log: sqliteLog(log), machines: { receipt } });

const done = new Set(reported);
const waiting = readdirSync(dataDirectory)
  .filter((file) => file.endsWith('.txt') && !done.has(file))
  .sort();

async function lane(): Promise<void> {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const ref = await runtime.start('receipt', { id: file.replace(/\.txt$/, ''), input: { file } });
    const { value, context } = await ref.waitFor((snapshot) => snapshot.hasTag('settled'));
    report({ type: 'settled', file, state: value as SettledState, attempts: context.attempts });
  }
}

await Promise.all(Array.from({ length: concurrency }, lane));
await runtime.close({ drain: '5s' });
report({ type: 'finished' });
process.disconnect?.();
