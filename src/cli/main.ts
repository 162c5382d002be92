#!/usr/bin/env node
/**
 * The process behind `rewake`. Owns its signals and its exit.
 *
 * MN1  A reader of stdout that leaves ends the process quietly.
 * MN2  The first signal asks the command to end, the second one ends the process.
 * MN3  The process lives as long as the command: it does not end before, and nothing that a config has opened keeps it.
 */
import { stayAlive } from '../clock.ts';
import { exitCodes } from './exit-code.ts';
import { main } from './program.ts';

const interruption = new AbortController();
let code: number | undefined;

for (const [signal, exit] of [
  ['SIGINT', exitCodes.interrupted],
  ['SIGTERM', exitCodes.terminated],
] as const) {
  process.on(signal, () => {
    if (interruption.signal.aborted) process.exit(exit);
    code = exit;
    interruption.abort(new Error(signal));
  });
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // MN1.
    if (error.code === 'EPIPE') process.exit(code ?? exitCodes.ok);
    throw error;
  });
}

const { stdin, stdout, stderr, env } = process;
const rest = stayAlive();
const found = await main(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  cwd: process.cwd(),
  signal: interruption.signal,
});
process.exitCode = found === exitCodes.interrupted ? (code ?? found) : found;
// MN3. What was written to a pipe is on its way still.
rest();
stdout.write('', () => stderr.write('', () => process.exit()));
