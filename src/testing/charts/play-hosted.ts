/**
 * A machine in a runtime, on any log, whose process may die on the way. Owns crash and recovery as a client sees them; shows
 * what the plain oracle shows, read from the log by a fold.
 *
 * PH1  Every observation folds the log and finds the live snapshot (invariants 1 and 2 of docs/explanation/invariants.md).
 * PH2  A step that a crash interrupted is repeated the way a client would: the same message id, the same outcome.
 * PH3  What goes wrong takes no time: a life begins when the one before it ended, and a refused append is tried again at once.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AnyEventObject } from 'xstate';
import { seededRandom, VirtualClock } from '../../clock.ts';
import { InvalidArgumentError, RewakeError } from '../../errors.ts';
import type { EventLog, Revision } from '../../log/event-log.ts';
import { memoryLog } from '../../log/memory-log.ts';
import type { ActorRef } from '../../runtime/actor-ref.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Machines } from '../../runtime/machines.ts';
import { checkNames } from '../../runtime/runtime-options.ts';
import { Runtime } from '../../runtime/runtime.ts';
import { FaultyLog, type LogFault, type Strike } from '../faulty-log.ts';
import { EffectDesk, type EffectAct, type EffectView } from './effect-desk.ts';
import type { GeneratedMachine } from './generated-machine.ts';
import { LogView } from './log-view.ts';
import { startMs } from './play-plain.ts';
import type { ScriptStep } from './scripts.ts';
import { playScript, type Host, type Trace, type View } from './trace.ts';
import { viewTree, type TreeView } from './xstate-view.ts';

/** The stream that a generated machine is hosted under. */
const stream = 'chart-1';
const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** What nobody may notice. A log that tears or loses what it was given is damaged, and a host on it has to say so. */
export type HiddenFault = Exclude<LogFault, { readonly fault: 'tornTail' | 'lostTail' }>;

/** How a machine is played in a runtime. */
export interface HostedOptions {
  /** An empty log on the given clock; the memory log when omitted. It is closed at the end. */
  readonly log?: (clock: VirtualClock) => EventLog | Promise<EventLog>;
  /** What goes wrong; nothing when omitted. */
  readonly faults?: readonly HiddenFault[];
  /** Keep a snapshot of the actor, renewed after `every` events; none when omitted. */
  readonly snapshots?: { readonly every: number };
  /** Called when the script is over, before the log is closed. Throws where something does not hold. */
  readonly check?: (run: HostedRun) => void | Promise<void>;
}

/** What came of a run besides its trace. Counts are over all lives of the process. */
export interface HostedRun {
  /** The log itself, without faults. The actor is `chart-1`. */
  readonly log: EventLog;
  readonly appends: number;
  readonly snapshots: number;
  readonly operations: number;
  /** Every fault that struck, in order. */
  readonly strikes: readonly Strike[];
}

/** A live actor does not show what a fold of its log gives. */
export class LiveStateDiffersError extends RewakeError {
  readonly code = 'REWAKE_LIVE_STATE_DIFFERS';
  readonly live: TreeView;
  readonly folded: TreeView;

  constructor(revision: Revision, live: TreeView, folded: TreeView) {
    super(
      `The actor '${stream}' does not show the state of its log at revision ${revision} (invariant 1): expected ` +
        `${JSON.stringify(folded)}, found ${JSON.stringify(live)}. Look for a log that gives back other events than it was ` +
        'given, or in another order.',
    );
    this.live = live;
    this.folded = folded;
  }
}

/**
 * Plays a script on a machine in a runtime, through whatever crashes it is told to. What it shows has to be what
 * {@link playPlain} shows; with crashes it has to be the same as far as {@link durableTrace} tells.
 * @throws InvalidArgumentError for a fault that cannot be hidden
 * @throws LiveStateDiffersError, and what a runtime throws on a log that is damaged
 *
 * @example
 * const faults = [{ fault: 'crash', append: 1, phase: 'afterAppend' }] as const;
 * const trace = await playHosted(machine, script, { log: (clock) => sqliteLog(path, { clock }), faults });
 */
export async function playHosted(
  machine: GeneratedMachine,
  script: readonly ScriptStep[],
  options: HostedOptions = {},
): Promise<Trace> {
  checkNames('playHosted()', options, ['log', 'faults', 'snapshots', 'check']);
  const { faults = [], check } = options;
  for (const [index, { fault }] of faults.entries()) requireHidden(fault, `playHosted().faults[${index}].fault`);
  const clock = new VirtualClock(startMs);
  const log = (await options.log?.(clock)) ?? memoryLog({ clock });
  try {
    const host = new HostedHost(machine, clock, log, options);
    const trace = await playScript(host, script);
    await host.close();
    await check?.(host.run);
    return trace;
  } finally {
    await log.close();
  }
}

const hidden: readonly LogFault['fault'][] = ['crash', 'ackLost', 'storeError'];

function requireHidden(fault: LogFault['fault'], where: string): void {
  if (!hidden.includes(fault)) throw InvalidArgumentError.of(where, `one of ${hidden.join(', ')}`, fault);
}

/** One process, from its start to its death. */
interface Life {
  readonly runtime: Runtime;
  readonly desk: EffectDesk;
  readonly ref: ActorRef | undefined;
}

class HostedHost implements Host {
  readonly #machine: GeneratedMachine;
  readonly #clock: VirtualClock;
  readonly #random = seededRandom(1);
  readonly #below: EventLog;
  readonly #view: LogView;
  readonly #snapshots: { readonly every: number } | false;
  /** Whether an append may be tried again, which waits for a timer that is due at once. */
  readonly #retries: boolean;
  #log: FaultyLog;
  #life: Life | undefined;
  /** The last revision that each life has left. */
  readonly #left: Revision[] = [];
  #messages = 0;

  constructor(machine: GeneratedMachine, clock: VirtualClock, log: EventLog, options: HostedOptions) {
    const { faults = [], snapshots = false } = options;
    this.#machine = machine;
    this.#clock = clock;
    this.#below = log;
    this.#log = new FaultyLog(log, faults);
    this.#snapshots = snapshots;
    this.#retries = faults.some(({ fault }) => fault === 'ackLost' || fault === 'storeError');
    this.#view = new LogView(stream, machine.build());
  }

  get run(): HostedRun {
    const { appends, snapshotsBegun: snapshots, operations, strikes } = this.#log;
    return { log: this.#below, appends, snapshots, operations, strikes };
  }

  async start(): Promise<void> {
    await this.#live();
    await this.#untilHeard(async ({ runtime }) => {
      const ref = await runtime.start('chart', { id: '1' });
      this.#life = { ...this.#living, ref };
    });
  }

  async send(event: AnyEventObject): Promise<void> {
    const messageId = `m${this.#messages++}`;
    await this.#untilHeard(async ({ ref }) => void (await ref!.send(event, { messageId })));
  }

  async advance(ms: number): Promise<void> {
    await this.#settle();
    await this.#clock.advance(ms, () => this.#settle());
    await this.#settle();
  }

  async act(index: number, act: EffectAct, n: number): Promise<EffectView | undefined> {
    const life = this.#left.length;
    const { last } = this.#view;
    const effect = this.#living.desk.act(index, act, n);
    await this.#settle();
    // It died before the outcome was written: the effect runs again and comes to the same outcome.
    return this.#left[life] === last ? this.act(index, act, n) : effect;
  }

  observe(): View {
    const { ref, desk } = this.#living;
    const { tree, timers, facts, last } = this.#view;
    const live = viewTree(ref!.getSnapshot());
    if (!isDeepStrictEqual(live, tree)) throw new LiveStateDiffersError(last, live, tree);
    const effects = tree.status === 'active' ? desk.open : [];
    return { at: this.#clock.now(), tree, facts: [...facts], effects, timers, customs: desk.customs };
  }

  /** Ends the last life; where that one dies as it closes, another one has to find everything. */
  async close(): Promise<void> {
    for (;;) {
      const { desk, runtime } = this.#living;
      desk.close();
      await this.#unlessDead(runtime.close());
      if (!this.#log.death) return;
      await this.#settle();
      this.observe();
    }
  }

  get #living(): Life {
    return this.#life!;
  }

  /** Lives again and again until it is not dead at once. */
  async #live(): Promise<void> {
    while (!(this.#life = await this.#begin())) await this.#bury();
  }

  async #begin(): Promise<Life | undefined> {
    const desk = new EffectDesk();
    const machines: Machines = { chart: this.#machine.build({ effects: desk }) };
    const runtime = new Runtime(
      {
        ...{ log: this.#log, clock: this.#clock, random: this.#random, logger: silentLogger, machines },
        ...{ snapshots: this.#snapshots, lease: false, passivate: false, keepLogOpen: true },
      },
      { pauses: false },
    );
    await this.#unlessDead(runtime.open());
    const exists = (await this.#below.head(stream)).state === 'live';
    const ref = exists ? await this.#unlessDead(runtime.get(stream)) : undefined;
    if (!this.#log.death) return { runtime, desk, ref };
    desk.close();
    return undefined;
  }

  /** What a dead process leaves behind: whatever it was writing is written by now, and the next one opens the log. */
  async #bury(): Promise<void> {
    this.#life?.desk.close();
    await this.#log.lastWrite;
    const head = await this.#below.head(stream);
    this.#left.push(head.state === 'live' ? head.revision : -1);
    this.#log = this.#log.reborn();
  }

  /** Says something that a crash may interrupt, again in the next life until it is acknowledged. */
  async #untilHeard(say: (life: Life) => Promise<void>): Promise<void> {
    for (let heard = false; !heard;) {
      await this.#unlessDead(say(this.#living).then(() => (heard = true)));
      await this.#settle();
    }
  }

  /** At rest, alive, and everything durable folded. */
  async #settle(): Promise<void> {
    for (;;) {
      await this.#rest();
      if (!this.#log.death) break;
      await this.#bury();
      await this.#live();
    }
    await this.#view.read(this.#below);
  }

  async #rest(): Promise<void> {
    for (let turn = 0; turn < 3 && !this.#log.death; turn++) {
      await anotherTurn();
      await this.#unlessDead(this.#living.runtime.idle());
    }
  }

  /** What the promise gives, or undefined once the process has died and everything is quiet. */
  async #unlessDead<T>(promise: Promise<T>): Promise<T | undefined> {
    let settled: { value: T } | { error: unknown } | undefined;
    promise.then(
      (value) => (settled = { value }),
      (error: unknown) => (settled = { error }),
    );
    for (let quiet = 0; !settled && quiet < 3;) {
      await anotherTurn();
      if (this.#log.death) quiet++;
      else if (!settled && this.#retries) await this.#clock.advance(0);
    }
    if (settled && 'error' in settled && !this.#log.death) throw settled.error;
    return settled && 'value' in settled ? settled.value : undefined;
  }
}

function anotherTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
