/**
 * Charts laid out. Owns the engine, which runs in a thread of its own, how long it may take, and what is kept of its work.
 *
 * LA1  The server goes on answering while a chart is laid out.
 * LA2  A chart is laid out once, however often it is asked for; the ones asked for last are kept.
 * LA3  The engine is loaded with the first chart, and does not keep the process alive.
 * LA4  One chart at a time, and each has its own time: one that takes longer is given up with the thread, and disturbs no other.
 * LA5  With care a chart is laid out both ways, to the right and down; what cannot be laid out with care is laid out without, down.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { realClock, type Clock } from '../clock.ts';
import type { MachineChart } from '../kernel/chart.ts';
import type { ChartPlaces, ChartView } from './api.ts';
import { graphOf, placesIn, type ChartGraph, type Manner } from './chart-graph.ts';
import { Refusal } from './refusal.ts';

const keptMax = 100;
/** States and arrows; of more nothing could be read. The engine takes seconds for a thousand. */
const partsMax = 5_000;
/** Care takes time that grows steeply with the arrows: for more than these the difference is seconds. */
const carefulMax = 50;
const patienceMs = { careful: 5_000, plain: 60_000 };

/** What runs in the thread. It is JavaScript as it stands, so it runs from sources too, where the rest is still TypeScript. */
const thread = `
const { parentPort, workerData } = require('node:worker_threads');
const Elk = require(workerData);
const elk = new Elk();
parentPort.on('message', (graph) => {
  elk.layout(graph).then(
    (placed) => parentPort.postMessage({ placed }),
    (error) => parentPort.postMessage({ failure: String(error?.message ?? error) }),
  );
});
`;

type Answer = { readonly placed: ChartGraph } | { readonly failure: string };

export class ChartLayouts {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Promise<ChartView>>();
  #worker: Worker | undefined;
  /** Resolves when the thread has nothing to do. */
  #idle: Promise<unknown> = Promise.resolve();
  /** Gives up what the thread is at. */
  #giveUp: (why: string) => void = () => {};
  #isClosed = false;

  constructor({ clock = realClock }: { readonly clock?: Clock } = {}) {
    this.#clock = clock;
  }

  /** LA2. @throws Refusal where the engine fails */
  layout(chart: MachineChart): Promise<ChartView> {
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
    this.#isClosed = true;
    this.#giveUp('the inspector closes');
    await this.#idle;
    await this.#worker?.terminate();
  }

  /** LA5. */
  async #layout(chart: MachineChart): Promise<ChartView> {
    const [states, arrows] = [statesIn(chart.root), arrowsIn(chart.root)];
    if (states + arrows > partsMax) {
      throw failed(`it has ${states} states and ${arrows} arrows, and at most ${partsMax} of both together are drawn`);
    }
    try {
      if (arrows <= carefulMax) {
        const right = await this.#place(chart, { direction: 'RIGHT', care: 'careful' });
        return { chart, layouts: [right, await this.#place(chart, { direction: 'DOWN', care: 'careful' })] };
      }
    } catch (error) {
      if (this.#isClosed) throw error;
    }
    return { chart, layouts: [await this.#place(chart, { direction: 'DOWN', care: 'plain' })] };
  }

  async #place(chart: MachineChart, manner: Manner): Promise<ChartPlaces> {
    const placed = this.#idle.then(() => this.#ask(graphOf(chart, manner), patienceMs[manner.care]));
    this.#idle = placed.catch(() => {});
    return placesIn(await placed, chart);
  }

  /** LA4. */
  async #ask(graph: ChartGraph, patience: number): Promise<ChartGraph> {
    if (this.#isClosed) throw failed('the inspector closes');
    const worker = (this.#worker ??= this.#start());
    let cancel = () => {};
    try {
      return await new Promise<ChartGraph>((resolve, reject) => {
        this.#giveUp = (why) => reject(failed(why));
        cancel = this.#clock.setTimer(this.#clock.now() + patience, () => this.#giveUp('it takes too long'));
        worker.once('message', (answer: Answer) =>
          'placed' in answer ? resolve(answer.placed) : reject(failed(answer.failure)),
        );
        worker.postMessage(graph);
      });
    } catch (error) {
      // Whatever it is at, or has come to: the next chart gets a new one.
      if (this.#worker === worker) this.#worker = undefined;
      await worker.terminate();
      throw error;
    } finally {
      cancel();
      this.#giveUp = () => {};
    }
  }

  /** LA3. The engine calls itself as deep as a chart is long. */
  #start(): Worker {
    const workerData = createRequire(import.meta.url).resolve('elkjs');
    const worker = new Worker(thread, { eval: true, workerData, resourceLimits: { stackSizeMb: 64 } });
    worker.unref();
    const end = (why: string) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#giveUp(why);
    };
    worker.on('error', ({ message }) => end(message));
    worker.on('exit', () => end('its thread has ended'));
    return worker;
  }
}

function statesIn({ states }: MachineChart['root']): number {
  return states.reduce((sum, state) => sum + statesIn(state), 1);
}

function arrowsIn({ states, transitions }: MachineChart['root']): number {
  return states.reduce((sum, state) => sum + arrowsIn(state), transitions.length);
}

function failed(why: string): Refusal {
  return new Refusal(500, 'REWAKE_NO_LAYOUT', `The chart cannot be laid out: ${why}.`);
}
