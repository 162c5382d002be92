/**
 * A chart under rewake, on an in-memory log that may die on the way. Owns crash and recovery as a test sees them; shows
 * what the plain oracle shows, read from the log by a fold.
 *
 * H1  Every observation folds the log and finds the live snapshot (invariants 1 and 2 of docs/explanation/invariants.md).
 * H2  A step that a crash interrupted is repeated the way a client would: the same message id, the same outcome.
 */
import assert from 'node:assert/strict';
import type { AnyEventObject, AnyStateMachine } from 'xstate';
import { VirtualClock, seededRandom } from '../../src/clock.ts';
import { definitionHash } from '../../src/kernel/definition-hash.ts';
import { now } from '../../src/kernel/determinism.ts';
import { Folder } from '../../src/kernel/fold.ts';
import { isFact } from '../../src/log/runtime-events.ts';
import { ActorTree } from '../../src/kernel/actor-tree.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import { noUpcasters } from '../../src/log/upcast.ts';
import type { ActorRef } from '../../src/runtime/actor-ref.ts';
import { FeatureSet } from '../../src/runtime/features.ts';
import { readableEvent } from '../../src/runtime/readable-event.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { createRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { buildMachine } from './build-machine.ts';
import type { Chart } from './chart.ts';
import { crashingLog, type Crash, type CrashingLog } from './crashing-log.ts';
import { EffectDesk, type EffectAct, type EffectView } from './effect-desk.ts';
import { givenTimerId, type FactView, type Host, type TimerView, type View } from './scripts.ts';
import { viewTree, type Json } from './tree-view.ts';

const stream = 'chart-1';
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

export interface HostedOptions {
  readonly startMs?: number;
  /** One crash a life: the first life dies at the first one, the second life at the second. */
  readonly crashes?: readonly Crash[];
  readonly snapshots?: { readonly every: number };
}

interface Life {
  readonly runtime: Runtime;
  readonly desk: EffectDesk;
  readonly log: CrashingLog;
  ref: ActorRef | undefined;
}

export class HostedHost implements Host {
  readonly log: EventLog;
  readonly #chart: Chart;
  readonly #options: HostedOptions;
  readonly #clock: VirtualClock;
  readonly #random = seededRandom(1);
  readonly #facts: FactView[] = [];
  #crashes: readonly Crash[];
  #life: Life | undefined;
  #read = 0;
  #messages = 0;
  /** Folds the log as it grows: every prefix is folded once. */
  readonly #folder: Folder;
  /** Appends of all lives together. */
  appends = 0;
  lives = 0;

  constructor(chart: Chart, options: HostedOptions = {}) {
    this.#chart = chart;
    this.#options = options;
    this.#crashes = options.crashes ?? [];
    this.#clock = new VirtualClock(options.startMs ?? 1_000);
    this.log = memoryLog({ clock: this.#clock });
    const machine = buildMachine(chart, { now, effects: new EffectDesk() });
    this.#folder = new Folder(new ActorTree(machine, '1'), definitionHash(machine));
  }

  async start(): Promise<void> {
    await this.#boot();
    await this.#untilDone(async (life) => {
      life.ref = (await life.runtime.start('chart', { id: '1' })) as ActorRef;
    });
  }

  async send(event: AnyEventObject): Promise<void> {
    const messageId = `m${this.#messages++}`;
    await this.#untilDone(async (life) => void (await life.ref!.send(event, { messageId })));
  }

  async advance(ms: number): Promise<void> {
    const target = this.#clock.now() + ms;
    await this.#settle();
    await this.#clock.advance(ms, () => this.#settle());
    assert.equal(this.#clock.now(), target);
    await this.#settle();
  }

  async act(index: number, act: EffectAct, n: number): Promise<EffectView | undefined> {
    const effect = this.#living.desk.act(index, act, n);
    await this.#rest();
    const crashed = this.#living.log.crashed;
    await this.#settle();
    // Died before the outcome was written: the effect runs again and comes to the same outcome.
    if (crashed?.phase === 'before') return this.act(index, act, n);
    return effect;
  }

  observe(): View {
    const life = this.#living;
    const snapshot = life.ref!.getSnapshot();
    const tree = viewTree(this.#folder.tree.rootActor.getSnapshot());
    assert.deepEqual(viewTree(snapshot), tree, 'the fold of the log is not the live state');
    return {
      at: this.#clock.now(),
      tree,
      facts: [...this.#facts],
      effects: tree.status === 'active' ? life.desk.open : [],
      timers: [...(this.#folder.tree.timers?.values() ?? [])]
        .sort((a, b) => a.dueAt - b.dueAt || a.seq - b.seq)
        .map(({ source, target, event, id, dueAt }): TimerView => ({
          source: pathOf(source),
          target: pathOf(target),
          event: event.type,
          dueAt,
          ...givenTimerId(id),
        })),
      customs: life.desk.customs,
    };
  }

  async close(): Promise<void> {
    const { desk, runtime, log } = this.#living;
    desk.close();
    await untilCrash(runtime.close(), log);
  }

  /** Appends so far, over all lives. */
  total(): number {
    return this.appends + this.#living.log.appends;
  }

  get #living(): Life {
    assert.ok(this.#life);
    return this.#life;
  }

  async #boot(): Promise<void> {
    for (;;) {
      const [crash, ...later] = this.#crashes;
      const desk = new EffectDesk();
      const log = crashingLog(this.log, crash);
      const machine = buildMachine(this.#chart, { now, effects: desk });
      const opening = createRuntime({
        log: log.log,
        machines: { chart: machine as AnyStateMachine },
        clock: this.#clock,
        random: this.#random,
        logger: silentLogger,
        lease: false,
        passivate: false,
        keepLogOpen: true,
        snapshots: this.#options.snapshots ?? false,
      });
      this.lives++;
      const runtime = await untilCrash(opening, log);
      if (runtime) {
        const life: Life = { runtime: runtime as unknown as Runtime, desk, log, ref: undefined };
        const exists = (await this.log.head(stream)).state === 'live';
        const ref = exists ? await untilCrash(runtime.get(stream), log) : undefined;
        if (!log.crashed) {
          life.ref = ref as ActorRef | undefined;
          this.#life = life;
          return;
        }
      }
      desk.close();
      this.appends += log.appends;
      this.#crashes = later;
    }
  }

  /** Does something that a crash may interrupt, again in the next life until it is acknowledged. */
  async #untilDone(what: (life: Life) => Promise<void>): Promise<void> {
    for (;;) {
      const life = this.#living;
      let done = false;
      await untilCrash(
        what(life).then(() => (done = true)),
        life.log,
      );
      await this.#settle();
      if (done) return;
    }
  }

  /** At rest, alive, and everything durable folded. */
  async #settle(): Promise<void> {
    for (;;) {
      await this.#rest();
      const life = this.#living;
      if (!life.log.crashed) break;
      life.desk.close();
      this.appends += life.log.appends;
      this.#crashes = this.#crashes.slice(1);
      await this.#boot();
    }
    await this.#readLog();
  }

  async #rest(): Promise<void> {
    const { runtime, log } = this.#living;
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      await untilCrash(runtime.idle(), log);
      if (log.crashed) return;
    }
  }

  async #readLog(): Promise<void> {
    if ((await this.log.head(stream)).state !== 'live') return;
    for await (const event of this.log.readStream(stream, { from: this.#read })) {
      this.#read = event.revision + 1;
      this.#folder.push(readableEvent(event, { upcasters: noUpcasters, features: new FeatureSet() }));
      if (!isFact(event)) this.#factsAt = (JSON.parse(event.data) as { at: number }).at;
      else
        this.#facts.push({
          at: this.#factsAt,
          from: pathOfAddress(event.meta.actor!),
          event: JSON.parse(event.data) as Json,
        });
    }
  }

  #factsAt = 0;
}

/** What the promise gives, or undefined once the log has crashed and everything is quiet. */
async function untilCrash<T>(promise: Promise<T>, log: CrashingLog): Promise<T | undefined> {
  let settled: { value: T } | { error: unknown } | undefined;
  promise.then(
    (value) => (settled = { value }),
    (error: unknown) => (settled = { error }),
  );
  for (let quiet = 0; !settled && quiet < 3;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (log.crashed) quiet++;
  }
  if (settled && 'error' in settled && !log.crashed) throw settled.error;
  return settled && 'value' in settled ? settled.value : undefined;
}

function pathOf(actor: { id: string; _parent: unknown }): string {
  const ids: string[] = [];
  let at = actor;
  for (; at._parent; at = at._parent as typeof actor) ids.unshift(at.id);
  return `/${ids.join('/')}`;
}

function pathOfAddress(address: string): string {
  if (address === '/') return address;
  const ids = address
    .slice(1)
    .split('/')
    .map((segment) => segment.slice(0, segment.lastIndexOf(':')));
  return `/${ids.map((id) => id.replaceAll('%2F', '/').replaceAll('%25', '%')).join('/')}`;
}
