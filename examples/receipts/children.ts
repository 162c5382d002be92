/**
 * Starting and ending child processes. Owns every process the example starts, and touches no other.
 *
 * C1  Every child is ended with the supervisor: asked first, then killed, always by its own handle.
 * C2  Once they are being ended, no new child starts.
 * C3  A child whose supervisor dies sees its IPC channel close and ends by itself (service-process.ts, worker.ts).
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { realClock } from 'rewake';

const patienceMs = 2_000;

/** The children of one supervisor. */
export class Children {
  readonly #running = new Set<ChildProcess>();
  #ending = false;

  /** Starts a compiled module next to this one, with `argument` as JSON on its command line. */
  start(module: string, argument: object): ChildProcess {
    if (this.#ending) throw new Error(`${module} is not started: the run is being ended.`);
    const path = new URL(module, import.meta.url);
    const child = fork(path, [JSON.stringify(argument)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    return child;
  }

  /** Ends whatever still runs. */
  async end(): Promise<void> {
    this.#ending = true;
    await Promise.all(
      [...this.#running].map(async (child) => {
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        const cancel = realClock.setTimer(realClock.now() + patienceMs, () => child.kill('SIGKILL'));
        await gone;
        cancel();
      }),
    );
  }
}

/** Collects what a child writes to standard error: the last 4,000 characters. */
export function errorOutput(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text = (text + chunk).slice(-4_000)));
  return () => text.trim();
}
