/**
 * One run: a service, a worker, and the kill -9 that the worker gets again and again. Owns the processes and the count of
 * what they report; what a person sees is terminal.ts, what really happened is read from the log by main.ts.
 *
 * S1  A kill is tied to progress, not to time: the nth of k comes when n/(k+1) of the receipts are settled.
 * S2  A worker that ends on its own without having finished is an error, not a reason to start another.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { realClock } from 'rewake';
import { Children, errorOutput } from './children.ts';
import type { ServiceArguments, ServiceReady, WorkerArguments, WorkerMessage } from './messages.ts';
import { seconds, type Standing, type Terminal } from './terminal.ts';

export interface RunOptions {
  readonly log: string;
  readonly dataDirectory: string;
  readonly receipts: number;
  readonly kills: number;
  readonly concurrency: number;
  readonly seed: number;
}

type Settled = Extract<WorkerMessage, { type: 'settled' }>;

const plainLineEvery = 25;

export class Supervisor {
  readonly children = new Children();
  readonly #options: RunOptions;
  readonly #terminal: Terminal;
  readonly #startedAt = realClock.now();
  readonly #settled = new Map<string, string>();
  #attempts = 0;
  #kills = 0;

  constructor(options: RunOptions, terminal: Terminal) {
    this.#options = options;
    this.#terminal = terminal;
  }

  get standing(): Standing {
    const states = [...this.#settled.values()];
    const count = (state: string) => states.filter((candidate) => candidate === state).length;
    return {
      total: this.#options.receipts,
      posted: count('posted'),
      rejected: count('rejected'),
      parked: count('failed'),
      attempts: this.#attempts,
      kills: this.#kills,
      elapsedMs: realClock.now() - this.#startedAt,
    };
  }

  /** Starts the service and resolves with its address. */
  async startService(): Promise<string> {
    const child = this.children.start('./service-process.js', { seed: this.#options.seed } satisfies ServiceArguments);
    const errors = errorOutput(child);
    const gone = once(child, 'exit').then(() => {
      throw new Error(`The service ended before it was ready.\n${errors()}`);
    });
    const [message] = (await Promise.race([once(child, 'message'), gone])) as [ServiceReady];
    gone.catch(() => {});
    return message.url;
  }

  /** Runs workers, one after the other, until one has finished. */
  async work(serviceUrl: string): Promise<void> {
    const { log, dataDirectory, concurrency } = this.#options;
    const redraw = setRedraw(() => this.#terminal.progress(this.standing));
    try {
      while (
        !(await this.#runWorker({ log, dataDirectory, serviceUrl, concurrency, reported: [...this.#settled.keys()] }))
      );
    } finally {
      redraw();
    }
  }

  /** True when the worker finished, false when it was killed. */
  async #runWorker(worker: WorkerArguments): Promise<boolean> {
    const child = this.children.start('./worker.js', worker);
    const errors = errorOutput(child);
    let finished = false;
    child.on('message', (message: WorkerMessage) => {
      if (message.type === 'finished') finished = true;
      else this.#onSettled(child, message);
    });
    // The channel closes after its last message; the process may be reported gone before that.
    await Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
    if (finished) return true;
    if (child.killed) return false;
    throw new Error(`The worker ended with ${child.exitCode ?? child.signalCode} before it had finished.\n${errors()}`);
  }

  #onSettled(child: ChildProcess, { file, state, attempts }: Settled): void {
    if (this.#settled.has(file)) return;
    this.#settled.set(file, state);
    this.#attempts += attempts;
    this.#announce();
    const { receipts, kills } = this.#options;
    const dueAt = Math.round((receipts * (this.#kills + 1)) / (kills + 1));
    if (this.#kills < kills && !child.killed && this.#settled.size >= dueAt) this.#kill(child);
  }

  #kill(child: ChildProcess): void {
    child.kill('SIGKILL');
    this.#kills++;
    const { elapsedMs } = this.standing;
    const what = this.#terminal.paint('red', 'kill -9');
    this.#terminal.line(
      `${seconds(elapsedMs).padStart(7)}  ${what} worker ${child.pid}, ${this.#settled.size} receipts settled`,
    );
  }

  #announce(): void {
    if (this.#terminal.isInteractive || this.#settled.size % plainLineEvery !== 0) return;
    const { total, posted, rejected, attempts, elapsedMs } = this.standing;
    this.#terminal.line(
      `${seconds(elapsedMs).padStart(7)}  ${this.#settled.size}/${total} receipts: ` +
        `${posted} posted, ${rejected} rejected, ${attempts} attempts`,
    );
  }
}

const redrawEveryMs = 80;

/** Calls `draw` again and again until it is told to stop. */
function setRedraw(draw: () => void): () => void {
  let cancel = () => {};
  const next = () => {
    draw();
    cancel = realClock.setTimer(realClock.now() + redrawEveryMs, next);
  };
  next();
  return () => cancel();
}
