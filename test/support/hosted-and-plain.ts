/**
 * One machine and one script, played twice: under plain XState and in a runtime. Owns what is seen of both and in which
 * form it is compared; what is played is the test's.
 *
 * H1  Both hosts get the same machine factory, the same script and a clock of their own that starts at the same time.
 * H2  A row is written after every step, at rest: the tree, and what custom actions, effects, `log` and `emit` left.
 * H3  After the script the stream is folded anew: the fold must show the tree that the live runtime shows.
 */
import { expect } from 'vitest';
import { createActor, type AnyActor, type AnyEventObject, type AnyStateMachine } from 'xstate';
import { VirtualClock } from '../../src/clock.ts';
import { ActorTree } from '../../src/kernel/actor-tree.ts';
import { Folder } from '../../src/kernel/fold.ts';
import type { RecordedEvent } from '../../src/log/event-log.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import type { ActorRef } from '../../src/runtime/actor-ref.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { plain, renameSessions, viewTree, type Json, type TreeView } from '../../src/testing/charts/xstate-view.ts';

/** What a machine under test may touch outside of itself. */
export interface World {
  /** Writes a line that both hosts must write alike. */
  note(line: string): void;
  /** A promise that the script settles by name; the newest one under a name counts. */
  promise(name: string): Promise<unknown>;
  /** The host's time in ms since the epoch. */
  now(): number;
}

export interface Row {
  readonly step: string;
  readonly tree: TreeView;
  readonly notes: readonly string[];
  readonly facts: readonly Json[];
}

/** What a script drives. Every method resolves at rest. */
export interface Player {
  send(event: AnyEventObject): Promise<void>;
  advance(ms: number): Promise<void>;
  resolve(name: string, value?: unknown): Promise<void>;
  reject(name: string, error: unknown): Promise<void>;
  stop(): Promise<void>;
}

export interface Scenario {
  readonly machine: (world: World) => AnyStateMachine;
  readonly input?: unknown;
  readonly script?: (player: Player) => Promise<void>;
}

export interface Played {
  readonly rows: readonly Row[];
  readonly events: readonly RecordedEvent[];
}

/** Plays a scenario in both hosts, sees that they agree and that the fold does too, and answers with what was seen. */
export async function playBoth(scenario: Scenario): Promise<Played> {
  const plainRows = await playPlain(scenario);
  const hosted = await playHosted(scenario);
  expect(hosted.rows, 'hosted is what plain XState does').toEqual(plainRows);
  return hosted;
}

/** Plays a scenario in both hosts that they are known to play differently; the fold still has to agree. */
export async function playApart(scenario: Scenario): Promise<{ plain: Row; hosted: Row }> {
  const plainRows = await playPlain(scenario);
  const { rows } = await playHosted(scenario);
  return { plain: plainRows.at(-1)!, hosted: rows.at(-1)! };
}

/** Every microtask and everything it queued has run. */
export async function rest(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The same, and what a SQLite log commits in a turn of the event loop of its own. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await rest();
}

/** A logger that keeps nothing; `lines` gets what `log` actions write. */
export function quietLogger(lines: string[] = []): Logger {
  return { debug() {}, info: (_, message) => void lines.push(message), warn() {}, error() {} };
}

const startMs = 1_000_000;

class Stage implements World {
  readonly clock = new VirtualClock(startMs);
  readonly notes: string[] = [];
  readonly facts: Json[] = [];
  readonly rows: Row[] = [];
  readonly #waiting = new Map<string, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>();

  note(line: string): void {
    this.notes.push(line);
  }

  promise(name: string): Promise<unknown> {
    this.note(`${name} starts`);
    return new Promise((resolve, reject) => this.#waiting.set(name, { resolve, reject }));
  }

  now(): number {
    return this.clock.now();
  }

  settle(name: string, how: 'resolve' | 'reject', value: unknown): void {
    const waiting = this.#waiting.get(name);
    if (!waiting) throw new Error(`No promise '${name}' was started.`);
    waiting[how](value);
  }

  row(step: string, snapshot: unknown): void {
    this.rows.push({ step, tree: viewTree(snapshot), notes: this.notes.splice(0), facts: this.facts.splice(0) });
  }
}

abstract class StagePlayer implements Player {
  readonly stage: Stage;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  abstract deliver(event: AnyEventObject): Promise<void>;
  abstract halt(): Promise<void>;
  abstract settled(): Promise<void>;
  abstract snapshot(): unknown;

  async send(event: AnyEventObject): Promise<void> {
    await this.deliver(event);
    await this.#write(`send ${event.type}`);
  }

  async advance(ms: number): Promise<void> {
    await this.stage.clock.advance(ms, () => this.settled());
    await this.#write(`advance ${ms}`);
  }

  async resolve(name: string, value?: unknown): Promise<void> {
    this.stage.settle(name, 'resolve', value);
    await this.#write(`resolve ${name}`);
  }

  async reject(name: string, error: unknown): Promise<void> {
    this.stage.settle(name, 'reject', error);
    await this.#write(`reject ${name}`);
  }

  async stop(): Promise<void> {
    await this.halt();
    await this.#write('stop');
  }

  async begin(): Promise<void> {
    await this.#write('start');
  }

  async #write(step: string): Promise<void> {
    await this.settled();
    this.stage.row(step, this.snapshot());
  }
}

class PlainPlayer extends StagePlayer {
  readonly actor: AnyActor;

  constructor(stage: Stage, scenario: Scenario) {
    super(stage);
    this.actor = createActor(scenario.machine(stage), {
      id: '1',
      input: scenario.input,
      logger: (...args: unknown[]) => stage.note(`log ${args.map(String).join(' ')}`),
      clock: {
        setTimeout: (fn: () => void, ms: number) => stage.clock.setTimer(stage.now() + ms, fn),
        clearTimeout: (cancel: () => void) => cancel(),
      },
    });
    this.actor.on('*', (event: AnyEventObject) => void stage.facts.push(plain(event)));
    this.actor.subscribe({ error: () => {} });
    this.actor.start();
  }

  async deliver(event: AnyEventObject): Promise<void> {
    this.actor.send(event);
  }

  async halt(): Promise<void> {
    this.actor.stop();
  }

  settled(): Promise<void> {
    return rest();
  }

  snapshot(): unknown {
    return this.actor.getSnapshot();
  }
}

async function playPlain(scenario: Scenario): Promise<readonly Row[]> {
  const stage = new Stage();
  const player = new PlainPlayer(stage, scenario);
  await player.begin();
  await scenario.script?.(player);
  player.actor.stop();
  return renameSessions(stage.rows);
}

class HostedPlayer extends StagePlayer {
  readonly idle: () => Promise<void>;
  readonly ref: ActorRef;

  constructor(stage: Stage, idle: () => Promise<void>, ref: ActorRef) {
    super(stage);
    this.idle = idle;
    this.ref = ref;
  }

  async deliver(event: AnyEventObject): Promise<void> {
    // Plain XState drops an event to an actor that has ended; a runtime tells the sender.
    await this.ref.send(event).catch((error: Error) => {
      if (error.name !== 'ActorFinishedError') throw error;
    });
  }

  halt(): Promise<void> {
    return this.ref.stop();
  }

  async settled(): Promise<void> {
    await rest();
    await this.idle();
    await rest();
  }

  snapshot(): unknown {
    return this.ref.getSnapshot();
  }
}

async function playHosted(scenario: Scenario): Promise<Played> {
  const stage = new Stage();
  const machine = scenario.machine(stage);
  const log = memoryLog({ clock: stage.clock });
  const logger: Logger = { ...quietLogger(), info: (_, message) => stage.note(`log ${message}`) };
  const options = { log, clock: stage.clock, logger, lease: false, passivate: false, keepLogOpen: true } as const;
  const runtime = await createRuntime({ ...options, machines: { machine } });
  const facts = (stream: string) => runtime.log.readStream(stream);
  const ref = await runtime.start('machine', { id: '1', input: scenario.input });
  const player = new HostedPlayer(stage, () => runtime.idle(), ref);
  await collectFirstFacts(facts(ref.stream), stage);
  ref.on('*', (event: AnyEventObject) => void stage.facts.push(plain(event)));
  await player.begin();
  await scenario.script?.(player);
  const events: RecordedEvent[] = [];
  for await (const event of log.readStream(ref.stream)) events.push(event);
  expectFoldToAgree(events, machine, viewTree(ref.getSnapshot()));
  await runtime.close();
  return { rows: renameSessions(stage.rows), events };
}

/** Facts of the very first step are durable before anyone can listen. */
async function collectFirstFacts(events: AsyncIterable<RecordedEvent>, stage: Stage): Promise<void> {
  for await (const { meta, data } of events) {
    if (meta.actor === '/') stage.facts.push(plain(JSON.parse(data)));
  }
}

/** H3, invariant 1. */
function expectFoldToAgree(events: readonly RecordedEvent[], machine: AnyStateMachine, live: TreeView): void {
  const folder = new Folder(new ActorTree(machine, '1'), 'the same');
  for (const event of events) folder.push({ ...event, data: JSON.parse(event.data) as never });
  expect(viewTree(folder.tree.rootActor.getSnapshot()), 'invariant 1: the fold is the live tree').toEqual(live);
}
