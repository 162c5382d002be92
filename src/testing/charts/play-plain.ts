/**
 * The oracle: a machine under plain XState, createActor on a virtual clock. Owns how XState's timers, facts and ends are
 * read; changes nothing about how it runs.
 *
 * O1  Nothing is patched: XState gets a clock, an inspector and an error observer, as any application may give it.
 * O2  Timers fire in (due, armed) order, each at its due time, and what one caused comes to rest before the next.
 * O3  When the root ends, nothing goes on: XState leaves children of a failed machine running; there a host stops.
 */
import { createActor, type AnyActor, type AnyActorRef, type AnyEventObject, type InspectionEvent } from 'xstate';
import { VirtualClock } from '../../clock.ts';
import { EffectDesk, type EffectAct, type EffectView } from './effect-desk.ts';
import type { GeneratedMachine } from './generated-machine.ts';
import type { ScriptStep } from './scripts.ts';
import { playScript, type FactView, type Host, type TimerView, type Trace, type View } from './trace.ts';
import { givenTimerId, pathOf, plain, scheduledEvents, viewTree, type ScheduledEvent } from './xstate-view.ts';

/** When every run of a machine begins, in ms: timestamps in traces are easy to read. */
export const startMs = 1_000;

/** How a machine is played under plain XState. */
export interface PlainOptions {
  /** What the time is read from and timers are set on; one that begins at 1,000 ms when omitted. */
  readonly clock?: VirtualClock;
  /** Sees every inspection event of the system. */
  readonly inspect?: (event: InspectionEvent) => void;
}

/**
 * Plays a script on a machine under plain XState: what any other host of it has to show.
 *
 * @example
 * const [machine] = fc.sample(machines(), 1);
 * const trace = await playPlain(machine!, [{ type: 'send', event: { type: 'A', n: 1 } }, { type: 'advance', ms: 10 }]);
 */
export async function playPlain(
  machine: GeneratedMachine,
  script: readonly ScriptStep[],
  options: PlainOptions = {},
): Promise<Trace> {
  const host = new PlainHost(machine, options);
  const trace = await playScript(host, script);
  host.close();
  return trace;
}

interface ArmedTimer {
  readonly dueAt: number;
  readonly scheduled: ScheduledEvent;
  readonly cancel: () => void;
}

/** A machine under plain XState. */
class PlainHost implements Host {
  readonly #clock: VirtualClock;
  readonly #desk = new EffectDesk();
  readonly #facts: FactView[] = [];
  readonly #armed = new Set<ArmedTimer>();
  readonly #known = new WeakSet<ScheduledEvent>();
  readonly #root: AnyActor;
  #ended = false;

  constructor(machine: GeneratedMachine, options: PlainOptions) {
    const clock = options.clock ?? new VirtualClock(startMs);
    this.#clock = clock;
    this.#root = createActor(machine.build({ now: () => clock.now(), effects: this.#desk }), {
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

  close(): void {
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
    const scheduled = scheduledEvents(this.#root).find((event) => !this.#known.has(event))!;
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

/** Every microtask has run: promises and answers have come to rest. */
function rest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
