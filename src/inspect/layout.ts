/**
 * Charts laid out. Owns the engine, which runs in a thread of its own, and what is kept of its work.
 *
 * LA1  The server goes on answering while a chart is laid out.
 * LA2  A chart is laid out once, however often it is asked for; the ones asked for last are kept.
 * LA3  The engine is loaded with the first chart, and does not keep the process alive.
 * LA4  A chart that takes too long is given up, and with it the thread; the next chart gets a new one.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { realClock, type Clock } from '../clock.ts';
import type { MachineChart } from '../kernel/chart.ts';
import type { LaidOutChart } from './api.ts';
import { graphOf, placesIn, type ChartGraph, type Direction } from './chart-graph.ts';
import { Refusal } from './refusal.ts';

const keptMax = 100;
const patienceMs = 60_000;

/** What runs in the thread. It is JavaScript as it stands, so it runs from sources too, where the rest is still TypeScript. */
const thread = `
const { parentPort, workerData } = require('node:worker_threads');
const Elk = require(workerData);
const elk = new Elk();
parentPort.on('message', ({ id, graph }) => {
  elk.layout(graph).then(
    (placed) => parentPort.postMessage({ id, placed }),
    (error) => parentPort.postMessage({ id, failure: String(error?.message ?? error) }),
  );
});
`;

type Answer = { readonly id: number } & ({ readonly placed: ChartGraph } | { readonly failure: string });

interface Waiting {
  readonly resolve: (placed: ChartGraph) => void;
  readonly reject: (error: Error) => void;
}

export class ChartLayouts {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Promise<LaidOutChart>>();
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;

  constructor({ clock = realClock }: { readonly clock?: Clock } = {}) {
    this.#clock = clock;
  }

  /** LA2. @throws Refusal where the engine fails */
  layout(chart: MachineChart): Promise<LaidOutChart> {
    const key = createHash('sha256').update(JSON.stringify(chart)).digest('base64');
    const laid = this.#kept.get(key) ?? this.#layout(chart);
    this.#kept.delete(key);
    this.#kept.set(key, laid);
    for (const oldest of [...this.#kept.keys()].slice(0, Math.max(0, this.#kept.size - keptMax))) {
      this.#kept.delete(oldest);
    }
    laid.catch(() => this.#kept.delete(key));
    return laid;
  }

  async close(): Promise<void> {
    await this.#end('the inspector closes');
  }

  async #layout(chart: MachineChart): Promise<LaidOutChart> {
    const [down, right] = await Promise.all([this.#place(chart, 'DOWN'), this.#place(chart, 'RIGHT')]);
    return strain(down) <= strain(right) ? down : right;
  }

  async #place(chart: MachineChart, direction: Direction): Promise<LaidOutChart> {
    return placesIn(await this.#ask(graphOf(chart, direction)), chart);
  }

  #ask(graph: ChartGraph): Promise<ChartGraph> {
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#lastId;
    // LA4.
    const cancel = this.#clock.setTimer(this.#clock.now() + patienceMs, () => void this.#end('it takes too long'));
    return new Promise<ChartGraph>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, graph });
    }).finally(cancel);
  }

  #start(): Worker {
    const worker = new Worker(thread, { eval: true, workerData: createRequire(import.meta.url).resolve('elkjs') });
    worker.unref();
    worker.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('placed' in answer) waiting?.resolve(answer.placed);
      else waiting?.reject(failed(answer.failure));
    });
    worker.on('error', (error) => void this.#end(error.message, worker));
    return worker;
  }

  /** Whatever is still asked of the thread is refused. */
  async #end(why: string, ended = this.#worker): Promise<void> {
    if (!ended || ended !== this.#worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(failed(why));
    this.#waiting.clear();
    await ended.terminate();
  }
}

function failed(why: string): Refusal {
  return new Refusal(500, 'REWAKE_NO_LAYOUT', `The chart cannot be laid out: ${why}.`);
}

/** How small a chart becomes in a window of an ordinary form. */
function strain({ width, height }: LaidOutChart): number {
  return Math.max(width / 4, height / 3);
}
