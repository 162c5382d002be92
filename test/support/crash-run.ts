/**
 * One run of a scenario whose process dies where it is told to. Owns lives, the scripted world, and what is seen of a run;
 * which runs must look alike is crash-sweep.test.ts's.
 *
 * CR1  The world answers a repeated key as it answered the first time, and goes on working while its caller is dead. What
 *      it answered to an attempt that was lost it answers to the next one: a loss takes nothing from the script.
 * CR2  A life begins at the very time at which the one before it ended, so that times can be compared, too.
 * CR3  What was not acknowledged is said again in the next life: a start, and a message with its id.
 */
import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { createRuntime, EffectLostError, memoryLog, VirtualClock, type EffectArguments, type EventLog } from 'rewake';
import { forgetFlights } from '../../machines/flights.ts';
import { forgetSlots } from '../../machines/slots.ts';
import type { ActorRef } from '../../src/runtime/actor-ref.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { FaultyLog, type LogFault } from '../../src/testing/faulty-log.ts';
import { quiet } from './two-lives.ts';

/** Where in the how-many-th append of its life, from 0, a host dies. */
export interface Crash {
  readonly append: number;
  readonly phase: 'before' | 'after';
}

/** A crash as the plan of a log that counts one life. */
export function planOf(crash: Crash | undefined): LogFault[] {
  return crash ? [{ fault: 'crash', append: crash.append, phase: `${crash.phase}Append` }] : [];
}

/** What the world does with one call, and how long it takes: no time when omitted. It hangs where neither is given. */
export interface Answer {
  readonly output?: unknown;
  readonly error?: () => Error;
  readonly afterMs?: number;
}

/** A machine in a world of scripted answers. One entry of the table of crash-scenarios.ts. */
export interface CrashScenario {
  readonly name: string;
  /** The machines of one life; the one of the first name is run. */
  readonly machines: (world: ScriptedWorld) => Readonly<Record<string, AnyStateMachine>>;
  readonly input?: unknown;
  /** By the name of the call, in the order of the calls. */
  readonly answers?: Readonly<Record<string, readonly Answer[]>>;
  /** What it is sent, at which time after its start in ms. */
  readonly messages?: readonly (readonly [atMs: number, event: AnyEventObject])[];
  /** What all streams tell without a crash, each in its order, so that no scenario is empty. */
  readonly tells: readonly string[];
  /** How many calls of a name its policy allows, lost ones included. */
  readonly atMost?: Readonly<Record<string, number>>;
}

/** Attempts that are lost, by step: number of the attempt, and how long it had run, in ms. */
export type Losses = Readonly<Record<string, Readonly<Record<number, number>>>>;

/** Where a run is disturbed: its lives die, one after the other, or the answer to one append is lost. */
export interface Disturbance {
  readonly crashes?: readonly Crash[];
  readonly answerLost?: number;
}

interface Asked {
  readonly name: string;
  readonly index: number;
  readonly dueAt: number;
  /** In how many lives it was asked for. */
  runs: number;
  isLost: boolean;
}

/** The outside world of one run, over all its lives. */
export class ScriptedWorld {
  readonly #clock: VirtualClock;
  readonly #answers: NonNullable<CrashScenario['answers']>;
  readonly #losses: Losses;
  readonly #asked = new Map<string, Asked>();
  /** By step: the index of the answer that its lost attempt did not hear. */
  readonly #unheard = new Map<string, number>();
  readonly #attempts = new Set<string>();
  #life = 0;

  constructor(clock: VirtualClock, answers: NonNullable<CrashScenario['answers']> = {}, losses: Losses = {}) {
    this.#clock = clock;
    this.#answers = answers;
    this.#losses = losses;
  }

  /** A call that runs again under its key when its host died. */
  call(name: string | ((input: never) => string)) {
    return ({ input, context }: EffectArguments<unknown>): Promise<unknown> =>
      this.#answer(typeof name === 'string' ? name : name(input as never), context);
  }

  /** An attempt of the step of this name: where its host died it is lost, and the next one has a key of its own. */
  attempt(name: string) {
    return async ({ context }: EffectArguments<unknown>): Promise<unknown> => {
      this.#attempts.add(name);
      const lostAfterMs = this.#losses[name]?.[this.keysOf(name) + 1];
      if (lostAfterMs === undefined) return this.#answer(name, context);
      this.#asked.set(context.idempotencyKey, { name, index: -1, dueAt: 0, runs: 1, isLost: true });
      await this.#until(this.#clock.now() + lostAfterMs);
      const why = "its host stopped before the outcome was recorded, and its options say onLost: 'fail'";
      throw new EffectLostError(context.stream, context.actor, 0, why);
    };
  }

  /** How many calls of this name were begun, repeated ones once. */
  keysOf(name: string): number {
    return this.#of(name).length;
  }

  /** Calls that were begun more often than they may be: in a life twice, or although they were lost. */
  get excess(): readonly Asked[] {
    const mayRun = (name: string) => (this.#attempts.has(name) ? 1 : this.#life + 1);
    return [...this.#asked.values()].filter(({ name, runs }) => runs > mayRun(name));
  }

  die(): void {
    this.#life++;
  }

  /** CR1. A retry comes later than what it follows, so that this is said in time. @param lost addresses of attempts */
  lose(lost: ReadonlySet<string>): void {
    for (const [key, asked] of this.#asked) {
      if (asked.isLost || !this.#attempts.has(asked.name) || !lost.has(key.slice(key.indexOf('/')))) continue;
      asked.isLost = true;
      this.#unheard.set(asked.name, asked.index);
    }
  }

  async #answer(name: string, { idempotencyKey: key }: EffectArguments<unknown>['context']): Promise<unknown> {
    const asked = this.#asked.get(key) ?? this.#begin(name, key);
    asked.runs++;
    const { output, error, afterMs = 0 } = this.#answers[name]![asked.index]!;
    if (output === undefined && !error) return new Promise(() => {});
    if (afterMs > 0) await this.#until(asked.dueAt);
    if (error) throw error();
    return output;
  }

  #begin(name: string, key: string): Asked {
    const index = this.#unheard.get(name) ?? this.#heardOf(name);
    this.#unheard.delete(name);
    const answer = this.#answers[name]?.[index];
    if (!answer) throw new Error(`Nobody expects a call ${index + 1} of '${name}'.`);
    const asked = { name, index, dueAt: this.#clock.now() + (answer.afterMs ?? 0), runs: 0, isLost: false };
    this.#asked.set(key, asked);
    return asked;
  }

  /** The index of the next answer of the script. */
  #heardOf(name: string): number {
    return Math.max(-1, ...this.#of(name).map(({ index }) => index)) + 1;
  }

  #of(name: string): Asked[] {
    return [...this.#asked.values()].filter((each) => each.name === name);
  }

  /** Nobody of a life that has ended hears of it. */
  #until(at: number): Promise<void> {
    const life = this.#life;
    return new Promise((resolve) => this.#clock.setTimer(at, () => life === this.#life && resolve()));
  }
}

/** What is seen of a run. Ids are numbered as they appear; `r` is drawn from an id, so it is left out. */
export interface Seen {
  /** State and context of an actor that is active, else what came of it. */
  readonly end: unknown;
  /** By stream, in order: the time after the start, and the fact. */
  readonly facts: Readonly<Record<string, readonly unknown[]>>;
}

export interface Run {
  readonly seen: Seen;
  readonly world: ScriptedWorld;
  /** Lives that died. */
  readonly deaths: number;
  /** Appends of the first life. */
  readonly appends: number;
  /** Attempts that were lost. */
  readonly losses: Losses;
  /** What runtimes complained of. */
  readonly complaints: readonly string[];
  /** Effects with more than one outcome on the log. */
  readonly twice: readonly string[];
  /** What it wrote. */
  readonly log: EventLog;
}

/** Virtual time in which every scenario ends. */
const limitMs = 3_600_000;
/** Less than there is between any two things that happen, and enough for what the log is asked for again after 25 ms. */
const patienceMs = 50;

/** Plays a scenario to its end. */
export async function play(
  scenario: CrashScenario,
  { crashes = [], answerLost }: Disturbance = {},
  losses: Losses = {},
): Promise<Run> {
  return new Play(scenario, crashes, answerLost, losses).run();
}

class Play {
  readonly #scenario: CrashScenario;
  readonly #clock = new VirtualClock();
  readonly #startMs = this.#clock.now();
  readonly #below = memoryLog({ clock: this.#clock });
  readonly #world: ScriptedWorld;
  readonly #complaints: string[] = [];
  #crashes: readonly Crash[];
  #log!: FaultyLog;
  #firstLog!: FaultyLog;
  #answerLost: number | undefined;
  #runtime: Runtime | undefined;
  #name = '';
  #deaths = 0;
  /** The last thing that was said and not acknowledged. */
  #saying: ((runtime: Runtime) => Promise<unknown>) | undefined;

  constructor(scenario: CrashScenario, crashes: readonly Crash[], answerLost: number | undefined, losses: Losses) {
    this.#scenario = scenario;
    this.#crashes = crashes;
    this.#world = new ScriptedWorld(this.#clock, scenario.answers, losses);
    this.#answerLost = answerLost;
  }

  async run(): Promise<Run> {
    forgetProcess();
    await this.#live();
    this.#firstLog = this.#log;
    const { messages = [], input } = this.#scenario;
    await this.#say((runtime) => runtime.start(this.#name, { id: '1', input } as never));
    for (const [index, [atMs, event]] of messages.entries()) {
      await this.#advance(this.#startMs + atMs);
      await this.#say((runtime) => runtime.send(this.#stream, event, { messageId: `m${index}` }));
    }
    for (let due = this.#clock.nextDue(); due !== undefined && !(await this.#isOver()); due = this.#clock.nextDue()) {
      if (due > this.#startMs + limitMs) break;
      await this.#advance(due);
    }
    await this.#advance(this.#clock.now() + patienceMs);
    const events = await this.#read();
    const run: Run = {
      seen: { end: await this.#end(), facts: factsOf(events, this.#startMs) },
      world: this.#world,
      deaths: this.#deaths,
      appends: this.#firstLog.appends,
      losses: lossesOf(events),
      complaints: this.#complaints,
      twice: twiceIn(events),
      log: this.#below,
    };
    // What hangs is waited for by a clock that stands still.
    void this.#runtime!.close();
    return run;
  }

  get #stream(): `${string}-${string}` {
    return `${this.#name}-1`;
  }

  /** Chance that is no chance, and another one in each life: so no id is given twice. */
  #random(): () => number {
    const deaths = this.#deaths;
    return () => deaths / 64;
  }

  async #live(): Promise<void> {
    const [crash, ...later] = this.#crashes;
    this.#crashes = later;
    const machines = this.#scenario.machines(this.#world);
    this.#name = Object.keys(machines)[0]!;
    const lost: LogFault[] = this.#answerLost === undefined ? [] : [{ fault: 'ackLost', append: this.#answerLost }];
    this.#answerLost = undefined;
    this.#log = new FaultyLog(this.#below, [...planOf(crash), ...lost]);
    const complain = (fields: object, message: string) => void this.#complaints.push(`${message} ${inspect(fields)}`);
    const opening = createRuntime({
      ...{ log: this.#log, clock: this.#clock, machines, random: this.#random() },
      ...{ lease: false, passivate: false, keepLogOpen: true },
      logger: { debug() {}, info() {}, warn() {}, error: complain },
    });
    this.#runtime = undefined;
    void opening.then((runtime) => (this.#runtime = runtime as unknown as Runtime));
    await quiet(this.#log);
    this.#world.lose(lostIn(await this.#read()));
    if (this.#log.death) await this.#liveAgain();
  }

  async #liveAgain(): Promise<void> {
    this.#deaths++;
    forgetProcess();
    this.#world.die();
    await this.#live();
    const saying = this.#saying;
    if (saying) await this.#say(saying);
  }

  async #say(what: (runtime: Runtime) => Promise<unknown>): Promise<void> {
    this.#saying = what;
    let acknowledged = false;
    void what(this.#runtime!).then(() => (acknowledged = true));
    await quiet(this.#log);
    if (!acknowledged && !this.#log.death) await this.#clock.advance(patienceMs, () => quiet(this.#log));
    if (acknowledged) this.#saying = undefined;
    if (this.#log.death) return this.#liveAgain();
    if (!acknowledged) throw new Error(`What was said to '${this.#scenario.name}' was not heard.`);
  }

  async #advance(to: number): Promise<void> {
    await this.#clock.advance(Math.max(0, to - this.#clock.now()), async () => {
      await quiet(this.#log);
      if (this.#log.death) await this.#liveAgain();
    });
  }

  async #isOver(): Promise<boolean> {
    return (await this.#below.actor(this.#stream))?.status !== 'active';
  }

  async #end(): Promise<unknown> {
    const ref = (await this.#runtime!.get(this.#stream)) as unknown as ActorRef;
    const snapshot = ref.getSnapshot() as AnyMachineSnapshot;
    if (snapshot.status === 'active') return { value: snapshot.value as unknown, context: shape(snapshot.context) };
    return ref.output().then(
      (output: unknown) => ({ output: shape(output) }),
      (error: unknown) => ({ error: shape(error) }),
    );
  }

  async #read(): Promise<ReadEvent[]> {
    const events: ReadEvent[] = [];
    for await (const { stream, type, data, meta } of this.#below.readAll()) {
      events.push({ stream, type, isFact: meta.actor !== undefined, data: JSON.parse(data) as ReadEvent['data'] });
    }
    return events;
  }
}

/** What machines keep in their process and on no log. */
function forgetProcess(): void {
  forgetSlots();
  forgetFlights();
}

interface ReadEvent {
  readonly stream: string;
  readonly type: string;
  readonly isFact: boolean;
  readonly data: { readonly [key: string]: unknown };
}

const hasOutcome = ({ type }: ReadEvent) => type === 'EffectSucceeded' || type === 'EffectFailed';

/** Addresses of the effects that a resumed runtime let fail. */
function lostIn(events: readonly ReadEvent[]): Set<string> {
  type Resumed = readonly { readonly actor: string; readonly decision: string }[];
  const decided = events.flatMap(({ type, data }) => (type === 'ActorResumed' ? (data.effects as Resumed) : []));
  return new Set(decided.filter(({ decision }) => decision === 'fail').map(({ actor }) => actor));
}

function twiceIn(events: readonly ReadEvent[]): string[] {
  const ended = events.filter(hasOutcome).map(({ stream, data }) => `${stream} ${data.actor as string}`);
  return ended.filter((each, index) => ended.indexOf(each) !== index);
}

function lossesOf(events: readonly ReadEvent[]): Losses {
  const losses: Record<string, Record<number, number>> = {};
  for (const { type, data } of events) {
    if (type !== 'AttemptFailed' || (data.error as { class: string }).class !== 'lost') continue;
    (losses[data.step as string] ??= {})[data.attempt as number] = data.durationMs as number;
  }
  return losses;
}

function factsOf(events: readonly ReadEvent[], startMs: number): Record<string, unknown[]> {
  const facts: Record<string, unknown[]> = {};
  const ids = new Map<string, string>();
  const number = (id: string) => ids.get(id) ?? (ids.set(id, `id ${ids.size + 1}`), ids.get(id)!);
  let at = 0;
  for (const { stream, isFact, data } of events.toSorted((a, b) =>
    a.stream < b.stream ? -1 : Number(a.stream > b.stream),
  )) {
    if (!isFact) at = (data.at as number) - startMs;
    else {
      const { r: _, ...fact } = data;
      (facts[stream] ??= []).push({ at, ...(JSON.parse(JSON.stringify(fact).replaceAll(uuids, number)) as object) });
    }
  }
  return facts;
}

const uuids = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Errors by what they say and carry; without what is drawn from ids. */
function shape(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(shape);
  const entries = Object.entries(value).filter(([key]) => key !== 'r');
  const fields = Object.fromEntries(entries.map(([key, each]) => [key, shape(each)]));
  return value instanceof Error ? { name: value.name, message: value.message, ...fields } : fields;
}

/** What was seen, without any time: where an answer of the log was lost, everything after it comes later. */
export function timeless(seen: Seen): unknown {
  const text = JSON.stringify(seen, (key, value: unknown) => (times.has(key) ? undefined : value));
  return JSON.parse(text.replaceAll(/\d+ ms\b/g, 'some ms'));
}

const times = new Set(
  'at dueAt durationMs openUntil leaseUntil until closedAt timeoutRemaining startedAt attemptAt answeredMs delayMs retryAfterMs freshUntil ageMs'.split(
    ' ',
  ),
);

function inspect(fields: object): string {
  return JSON.stringify(shape(fields));
}
