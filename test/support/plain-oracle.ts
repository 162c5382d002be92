/**
 * The oracle: a chart under plain XState, createActor on a virtual clock. Owns how XState's timers, facts and ends are
 * read; changes nothing about how it runs.
 *
 * O1  Nothing is patched: XState gets a clock, an inspector and an error observer, as any application may give it.
 * O2  Timers fire in (due, armed) order, each at its due time, and what one caused comes to rest before the next.
 * O3  When the root ends, nothing goes on: XState leaves children of a failed machine running; there a host stops.
 */
import { createActor, type AnyActor, type AnyActorRef, type AnyEventObject, type InspectionEvent } from 'xstate';
import { VirtualClock } from '../../src/clock.ts';
import { buildMachine } from './build-machine.ts';
import type { Chart } from './chart.ts';
import { EffectDesk, type EffectAct, type EffectView } from './effect-desk.ts';
import {
  givenTimerId,
  runScript,
  type FactView,
  type Host,
  type Step,
  type TimerView,
  type Trace,
  type View,
} from './scripts.ts';
import { plain, viewTree } from './tree-view.ts';

export interface PlainOptions {
  /** What the time is read from and timers are set on; one that begins at 1 s when omitted. */
  readonly clock?: VirtualClock;
  /** Sees every inspection event of the system. */
  readonly inspect?: (event: InspectionEvent) => void;
}

/** Runs a script on a chart under plain XState. */
export function runPlain(chart: Chart, script: readonly Step[], options?: PlainOptions): Promise<Trace> {
  return runScript(new PlainHost(chart, options), script);
}

interface ScheduledEvent {
  readonly source: AnyActorRef;
  readonly target: AnyActorRef;
  readonly event: AnyEventObject;
  readonly id: string;
}

interface ArmedTimer {
  readonly dueAt: number;
  readonly scheduled: ScheduledEvent;
  readonly cancel: () => void;
}

/** A chart under plain XState. */
class PlainHost implements Host {
  readonly #clock: VirtualClock;
  readonly #desk = new EffectDesk();
  readonly #facts: FactView[] = [];
  readonly #armed = new Set<ArmedTimer>();
  readonly #known = new WeakSet<ScheduledEvent>();
  readonly #root: AnyActor;
  #ended = false;

  constructor(chart: Chart, options: PlainOptions = {}) {
    const clock = options.clock ?? new VirtualClock(1_000);
    this.#clock = clock;
    const machine = buildMachine(chart, { now: () => clock.now(), effects: this.#desk });
    this.#root = createActor(machine, {
      clock: {
        setTimeout: (fn: () => void, delayMs: number) => this.#arm(fn, delayMs),
        clearTimeout: (timer: ArmedTimer) => this.#disarm(timer),
      },
      inspect: (event) => {
        if (event.type === '@xstate.actor') this.#collectFacts(event.actorRef as AnyActorRef);
        options.inspect?.(event);
      },
    });
  }

  async start(): Promise<void> {
    const end = () => this.#end();
    this.#root.subscribe({ error: end, complete: end });
    this.#root.start();
    await rest();
  }

  async send(event: AnyEventObject): Promise<void> {
    this.#root.send(event);
    await rest();
  }

  async advance(ms: number): Promise<void> {
    await this.#clock.advance(ms, rest);
  }

  async act(index: number, act: EffectAct, n: number): Promise<EffectView | undefined> {
    const effect = this.#desk.act(index, act, n);
    await rest();
    return effect;
  }

  observe(): View {
    return {
      at: this.#clock.now(),
      tree: viewTree(this.#root.getSnapshot()),
      facts: [...this.#facts],
      effects: this.#desk.open,
      timers: [...this.#armed].sort((a, b) => a.dueAt - b.dueAt).map(viewTimer),
      customs: this.#desk.customs,
    };
  }

  async close(): Promise<void> {
    this.#end();
    this.#root.stop();
  }

  #collectFacts(actor: AnyActorRef): void {
    actor.on('*', (event: AnyEventObject) => {
      this.#facts.push({ at: this.#clock.now(), from: pathOf(actor), event: plain(event) });
    });
  }

  /** XState writes the scheduled event down, then asks its clock: the one not seen before is the one to arm. */
  #arm(fn: () => void, delayMs: number): ArmedTimer {
    const all = Object.values(this.#root.system.getSnapshot()._scheduledEvents) as ScheduledEvent[];
    const scheduled = all.find((event) => !this.#known.has(event))!;
    this.#known.add(scheduled);
    const dueAt = this.#clock.now() + delayMs;
    const cancel = this.#clock.setTimer(dueAt, () => {
      this.#armed.delete(timer);
      fn();
    });
    const timer: ArmedTimer = { dueAt, scheduled, cancel };
    this.#armed.add(timer);
    // O3: a child whose message made the root fail goes on with its own step, and may arm one more.
    if (this.#ended) this.#disarm(timer);
    return timer;
  }

  #disarm(timer: ArmedTimer): void {
    timer.cancel();
    this.#armed.delete(timer);
  }

  #end(): void {
    this.#ended = true;
    for (const timer of this.#armed) this.#disarm(timer);
    this.#desk.close();
  }
}

function viewTimer({ dueAt, scheduled }: ArmedTimer): TimerView {
  const { source, target, event, id } = scheduled;
  return { source: pathOf(source), target: pathOf(target), event: event.type, dueAt, ...givenTimerId(id) };
}

/** Ids from below the root down, '/' for the root itself. */
function pathOf(actor: AnyActorRef): string {
  const ids: string[] = [];
  for (let at = actor; at._parent; at = at._parent) ids.unshift(at.id);
  return `/${ids.join('/')}`;
}

/** Every microtask has run: promises and answers have come to rest. */
function rest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
