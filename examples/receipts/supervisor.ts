/**
 * One run: a service, a worker, and the kill -9 that the worker gets again and again. Owns the processes and the reading of
 * the log, from which alone it knows how far the worker is; what a person sees is terminal.ts.
 *
 * S1  A kill is tied to progress, not to time: the nth of k comes when n/(k+1) of the receipts are settled.
 * S2  A worker that ends on its own without having finished is an error, not a reason to start another.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { realClock, type Position, type RecordedEvent } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import { Children, errorOutput } from './children.ts';
import type { ServiceArguments, ServiceReady, WorkerArguments } from './messages.ts';
import { count, emptyReport } from './run-report.ts';
import { seconds, type Standing, type Terminal } from './terminal.ts';

export interface RunOptions {
  readonly log: string;
  readonly dataDirectory: string;
  readonly receipts: number;
  readonly kills: number;
  readonly batches: number;
  readonly seed: number;
}

const plainLineEvery = 25;

export class Supervisor {
  readonly children = new Children();
  /** What the log says so far. */
  readonly report = emptyReport();
  readonly #options: RunOptions;
  readonly #terminal: Terminal;
  readonly #startedAt = realClock.now();
  #worker: ChildProcess | undefined;
  #kills = 0;

  constructor(options: RunOptions, terminal: Terminal) {
    this.#options = options;
    this.#terminal = terminal;
  }

  get standing(): Standing {
    const { posted, rejected, givenUp, readBy, healed } = this.report;
    return {
      total: this.#options.receipts,
      posted,
      rejected: rejected.length + givenUp.length,
      fallbacks: (readBy.get('mini') ?? 0) + (readBy.get('local') ?? 0),
      healed,
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
    const { log, dataDirectory, batches } = this.#options;
    const reading = new AbortController();
    const followed = this.#follow(log, reading.signal);
    const redraw = setRedraw(() => this.#terminal.progress(this.standing));
    const worked = async () => {
      while (!(await this.#runWorker({ log, dataDirectory, serviceUrl, batches })));
    };
    try {
      await Promise.race([worked(), followed]);
    } finally {
      redraw();
      reading.abort();
    }
    await followed;
  }

  /** True when the worker finished, false when it was killed. */
  async #runWorker(worker: WorkerArguments): Promise<boolean> {
    const child = this.children.start('./worker.js', worker);
    const errors = errorOutput(child);
    this.#worker = child;
    await once(child, 'exit');
    if (child.exitCode === 0) return true;
    if (child.killed) return false;
    throw new Error(`The worker ended with ${child.exitCode ?? child.signalCode} before it had finished.\n${errors()}`);
  }

  /** Reads the log as it grows, and what is left of it at the end. */
  async #follow(path: string, signal: AbortSignal): Promise<void> {
    await using log = sqliteLog(path);
    let last: Position | undefined;
    for await (const item of log.subscribe({ signal })) {
      if (item.type !== 'event') continue;
      last = item.event.position;
      this.#take(item.event);
    }
    for await (const event of log.readAll(last === undefined ? {} : { after: last })) this.#take(event);
  }

  #take(event: RecordedEvent): void {
    const before = this.#settled;
    count(this.report, event);
    if (this.#settled > before) this.#onSettled();
  }

  get #settled(): number {
    const { posted, rejected } = this.standing;
    return posted + rejected;
  }

  #onSettled(): void {
    this.#announce();
    const { kills, receipts } = this.#options;
    const dueAt = Math.round((receipts * (this.#kills + 1)) / (kills + 1));
    const worker = this.#worker;
    if (this.#kills < kills && worker && !worker.killed && this.#settled >= dueAt) this.#kill(worker);
  }

  #kill(worker: ChildProcess): void {
    worker.kill('SIGKILL');
    this.#kills++;
    const { elapsedMs } = this.standing;
    const what = this.#terminal.paint('red', 'kill -9');
    this.#terminal.line(
      `${seconds(elapsedMs).padStart(7)}  ${what} worker ${worker.pid}, ${this.#settled} receipts settled`,
    );
  }

  #announce(): void {
    if (this.#terminal.isInteractive || this.#settled % plainLineEvery !== 0) return;
    const { total, posted, rejected, fallbacks, healed, elapsedMs } = this.standing;
    this.#terminal.line(
      `${seconds(elapsedMs).padStart(7)}  ${this.#settled}/${total} receipts: ` +
        `${posted} posted, ${rejected} rejected, ${fallbacks} fallbacks, ${healed} healed`,
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
