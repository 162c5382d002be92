/**
 * The process that gets killed. It opens the log, lets rewake go on with whatever the last worker left behind, and starts
 * the batches that are not started yet. Owns nothing that matters: everything it knows is in the log.
 *
 * W1  Starting is idempotent: a batch that has a stream already is attached to, whatever its state.
 * W2  At most `batches` batches are on their way: they are taken in order, so those that a killed worker left unfinished
 *     come first.
 */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRuntime } from 'rewake';
import { recoveryMachines } from 'rewake/machines';
import { sqliteLog } from 'rewake/sqlite';
import type { WorkerArguments } from './messages.ts';
import { batchSize, receiptBatch } from './receipt-machine.ts';
import { call } from './service-client.ts';

const { log, dataDirectory, serviceUrl, batches } = JSON.parse(process.argv[2]!) as WorkerArguments;

// Ctrl-C reaches the whole process group; the supervisor decides how the worker ends.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(0));

const batch = receiptBatch({
  readFile: (file, signal) => readFile(join(dataDirectory, file), { signal }),
  call: (request, signal) => call(serviceUrl, request, signal),
});
const runtime = await createRuntime({ log: sqliteLog(log), machines: { batch, ...recoveryMachines } });

const files = readdirSync(dataDirectory)
  .filter((file) => file.endsWith('.txt'))
  .sort();
const waiting = Array.from({ length: Math.ceil(files.length / batchSize) }, (_, nth) => ({
  id: String(nth + 1).padStart(2, '0'),
  input: files.slice(nth * batchSize, (nth + 1) * batchSize),
}));

async function lane(): Promise<void> {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    await (await runtime.start('batch', next)).output();
  }
}

await Promise.all(Array.from({ length: batches }, lane));
await runtime.close({ drain: '5s' });
process.disconnect?.();
