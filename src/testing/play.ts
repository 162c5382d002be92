/**
 * One run of a scenario: lives of a process one after the other, until it is over. Owns when something happens and how a life
 * ends and the next begins; what the world answers is scripted-world.ts's, what a run must be like judge.ts's.
 *
 * PL1  Nothing waits for real time: the clock moves when everything has come to rest, from one due time to the next.
 * PL2  A life begins at the very time at which the one before it ended, so that times can be compared, too.
 * PL3  What was not acknowledged is said again in the next life: a start, and an event with its message id.
 * PL4  Events get ids that come from what they record (stimulus-id.ts), so that machines draw the same random numbers with and
 *      without faults.
 */
import { toMs, VirtualClock, type Clock } from '../clock.ts';
import { ActorFinishedError, NotFoundError, NotSerializableError } from '../errors.ts';
import { memoryLog } from '../log/memory-log.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Stimulus } from '../kernel/stimulus.ts';
import type { Machines } from '../runtime/machines.ts';
import { repairLog } from '../runtime/repair.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { canHave } from './fault-check.ts';
import { EndlessScenarioError } from './failures.ts';
import { disturbancesOf, faultsOf, logFaults, losesEvents, type FaultPlan } from './fault-plan.ts';
import { FaultyLog } from './faulty-log.ts';
import { literal } from './literal.ts';
import { History, observed } from './history.ts';
import { HostLife } from './host-life.ts';
import type { Mark, Recovery, Run } from './run.ts';
import { endsIn, eventsOf, foldsOf, streamsOf } from './run-ends.ts';
import { difference, factsOf, seen, type ActorView } from './outcome.ts';
import { forgetProcess } from './process-memory.ts';
import { requireMachine, timed, type Scenario, type ScenarioEvent } from './scenario.ts';
import { ScriptedWorld, type Loss, type Recorded } from './scripted-world.ts';
import { idOf, messageIdOf, stimulusId } from './stimulus-id.ts';

/** How a scenario is played. */
export interface PlayOptions {
  /** In the place of those of the scenario. */
  readonly events?: readonly ScenarioEvent[] | undefined;
  readonly faults?: FaultPlan;
  /** Effects that fail as if their host had died, to compare with a run in which it did. */
  readonly losses?: readonly Loss[];
  /** Where the scenario says nothing of snapshots: after every event. */
  readonly snapshots?: boolean;
  /** Only the log of the run is asked for: nobody looks how the actors of it stand. */
  readonly onlyLog?: boolean;
}

/** Plays a scenario to its end. @throws what the scenario itself throws */
export async function play(scenario: Scenario, options: PlayOptions = {}): Promise<Run> {
  const clock = new VirtualClock();
  const inner = await (scenario.log?.(clock) ?? memoryLog({ clock }));
  try {
    return await new Play(scenario, options, clock, inner).run();
  } finally {
    forgetProcess();
    await inner.close();
  }
}

const untilDefault = '1000d';
const timersMax = 20_000;
const correlationId = 'scenario';

class Play {
  readonly #scenario: Scenario;
  readonly #options: PlayOptions;
  readonly #clock: VirtualClock;
  readonly #startMs: number;
  readonly #inner: EventLog;
  readonly #plan: FaultPlan;
  readonly #outside: unknown;
  readonly #world: ScriptedWorld;
  readonly #complaints: string[] = [];
  readonly #complain = (what: string) => void this.#complaints.push(what);
  readonly #acknowledged: string[] = [];
  readonly #recoveries: Recovery[] = [];
  readonly #jumps: { atMs: number; byMs: number }[];
  readonly #thefts: { append: number }[];
  readonly #marks: Mark[] = [];
  readonly #history: History;
  /** Hosts that do not know that another one took their actors. */
  #stale: { readonly log: FaultyLog; readonly host: number }[] = [];
  readonly #unstopped: string[] = [];
  #deaths = 0;
  #wasRefused = false;
  #log: FaultyLog;
  #life!: HostLife;
  #name = '';
  #machines: Machines = {};
  #lives = 0;
  /** Losses of the run that this one is compared with, which have not happened yet. */
  readonly #losing: Loss[];
  /** The last thing that was said and not acknowledged. */
  #saying: ((runtime: Runtime) => Promise<unknown>) | undefined;

  constructor(scenario: Scenario, options: PlayOptions, clock: VirtualClock, inner: EventLog) {
    const { faults = [], losses = [] } = options;
    this.#scenario = scenario;
    this.#options = options;
    this.#clock = clock;
    this.#startMs = clock.now();
    this.#inner = inner;
    this.#plan = faults;
    this.#history = new History((keys) => this.#world.lose(keys));
    this.#log = new FaultyLog(observed(inner, this.#history), logFaults(faults));
    this.#outside = scenario.world?.();
    const disturbances = disturbancesOf(faults, losses);
    const recorded: Recorded = {
      stimuli: () => this.#log.appends,
      durable: () => this.#history.stimuli,
      told: (stream, actor) => this.#history.told(stream, actor),
      isIntended: (key, stream, actor) => this.#history.intends(key, stream, actor),
    };
    this.#world = new ScriptedWorld(clock, scenario.effects ?? {}, this.#outside, disturbances, recorded);
    this.#losing = losses.toSorted((a, b) => a.afterAppends - b.afterAppends);
    // Set before any other, they come first of what is due at the same time.
    for (const { at } of losses) clock.setTimer(at, () => void this.#loseNext());
    this.#jumps = faultsOf(faults, 'clockJump').toSorted((a, b) => a.atMs - b.atMs);
    this.#thefts = faultsOf(faults, 'stealOwner').toSorted((a, b) => a.append - b.append);
  }

  async run(): Promise<Run> {
    await this.#live();
    const { input } = this.#scenario;
    const said = this.#options.events ?? this.#scenario.events ?? [];
    await this.#say('start', (runtime) => runtime.start(this.#name, { id: '1', input, correlationId } as never));
    const duplicates = new Set(faultsOf(this.#plan, 'duplicate').map(({ event }) => event));
    for (const [index, each] of said.entries()) {
      if (this.#world.failure) break;
      const [afterMs, event] = timed(each);
      await this.#advance(afterMs);
      await this.#send(event, index);
      if (duplicates.has(index - 1)) await this.#sendAgain(said, index - 1);
    }
    if (duplicates.has(said.length - 1)) await this.#sendAgain(said, said.length - 1);
    await this.#goOn();
    return this.#collect(said);
  }

  /** Until nothing is due any more, the root is over, or it has been watched for long enough. */
  async #goOn(): Promise<void> {
    const endMs = this.#startMs + toMs(this.#scenario.until ?? untilDefault);
    for (let timers = 0; !this.#world.failure && !(await this.#isOver()); timers++) {
      const due = this.#nextDue();
      if (due === undefined || due > endMs) return;
      if (timers > timersMax) {
        throw this.#endless('20,000 timers fired, and more are due');
      }
      await this.#advance(Math.max(0, due - this.#clock.now()));
    }
  }

  #endless(found: string): EndlessScenarioError {
    const faults = this.#plan.length > 0 ? ` with the faults ${literal(this.#plan)}` : '';
    return new EndlessScenarioError(this.#scenario.name ?? this.#name, `${found}${faults}`);
  }

  #nextDue(): number | undefined {
    const due = this.#clock.nextDue();
    const jump = this.#jumps[0];
    return jump && (due === undefined || this.#startMs + jump.atMs < due) ? this.#startMs + jump.atMs : due;
  }

  async #isOver(): Promise<boolean> {
    return (await this.#inner.actor(this.#stream))?.status !== 'active';
  }

  get #runtime(): Runtime {
    return this.#life.runtime;
  }

  get #stream(): string {
    return `${this.#name}-1`;
  }

  // ── lives ────────────────────────────────────────────────────────────────────────────────────────

  async #live(): Promise<void> {
    forgetProcess();
    const { operations: from, appends } = this.#log;
    this.#history.begin(await eventsOf(this.#inner));
    await this.#open(`host-${++this.#lives}`);
    await this.#rest();
    const { operations: to, appends: toAppend } = this.#log;
    if (this.#lives > 1) this.#recoveries.push({ from, to, appends: [appends, toAppend] });
    if (this.#log.death) await this.#liveAgain();
  }

  async #open(host: string): Promise<void> {
    const { machines, runtime: options } = this.#scenario;
    const log = this.#log;
    const clock = clockOfLife(this.#clock, () => log.death !== undefined);
    this.#machines = typeof machines === 'function' ? machines(this.#outside, clock) : machines;
    this.#name = this.#scenario.machine ?? Object.keys(this.#machines)[0]!;
    requireMachine(this.#machines, this.#name);
    this.#life = new HostLife({
      ...{ log, clock: this.#clock, machines: this.#machines, host, seed: this.#lives, complain: this.#complain },
      runtime: { snapshots: this.#options.snapshots ? { every: 1 } : false, ...options },
      backstage: { standIn: this.#world.standIn, stimulusId: this.#stimulusIds(), pauses: false },
    });
  }

  /** PL4, for one host: what an effect tells is numbered from what is recorded of it. */
  #stimulusIds(): (stream: string, stimulus: Stimulus) => string | undefined {
    const told = new Map<string, number>();
    return (stream, stimulus) => {
      if (stimulus.type !== 'EffectProgressed' || stimulus.channel === 'checkpoint')
        return stimulusId(stream, stimulus);
      const effect = `${stream} ${stimulus.actor}`;
      const number = told.get(effect) ?? this.#history.told(stream, stimulus.actor);
      told.set(effect, number + 1);
      return idOf(stream, `progress ${stimulus.actor} ${number}`);
    };
  }

  async #liveAgain(): Promise<void> {
    this.#deaths++;
    this.#world.die();
    const torn = this.#log.death?.fault.fault === 'tornTail';
    await this.#log.lastWrite;
    this.#log = this.#log.reborn();
    // What an operator does before the next process is started.
    if (torn) await repairLog(this.#inner, { quarantine: 'a torn append', clock: this.#clock });
    await this.#live();
    const saying = this.#saying;
    if (saying) this.#speak(saying);
  }

  /** Another host, which does not know of the first one. */
  async #steal(): Promise<void> {
    this.#mark('another host takes the actors up');
    this.#log.endOnConflict();
    this.#stale.push({ log: this.#log, host: this.#world.share() });
    this.#log = this.#log.beside();
    this.#lives++;
    // It is another process, which knows nothing of what this one keeps in memory.
    forgetProcess();
    await this.#open('rival');
    await this.#rest();
    const saying = this.#saying;
    if (saying) this.#speak(saying);
  }

  /** Hosts that have noticed that their actors are not their own any more, and what they should have stopped. */
  #dismiss(): void {
    for (const { log, host } of this.#stale.filter((each) => each.log.conflict !== undefined)) {
      this.#stale = this.#stale.filter((each) => each.log !== log);
      this.#unstopped.push(...this.#world.leave(host, log.conflict!));
    }
  }

  /** Answers for the person who is asked about an effect that was lost. */
  async #decide(): Promise<void> {
    for (const { stream, actor, key } of this.#history.takeAsked()) {
      const answer = this.#world.answerOf(key);
      if (!answer || 'never' in answer || 'tells' in answer) continue;
      const ref = await this.#runtime.get(stream);
      await ref.settle(actor, 'error' in answer ? { error: answer.error } : { output: answer.output });
    }
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────

  #speak(what: (runtime: Runtime) => Promise<unknown>): void {
    const heard = () => {
      if (this.#saying === what) this.#saying = undefined;
      this.#wasRefused = false;
    };
    const log = this.#log;
    what(this.#runtime).then(heard, (error: unknown) => {
      if (log.death || log !== this.#log) return;
      heard();
      this.#wasRefused = true;
      if (error instanceof NotSerializableError) this.#world.failure ??= error;
      const isGone = error instanceof NotFoundError && losesEvents(this.#plan);
      if (!isGone && !(error instanceof ActorFinishedError))
        this.#complaints.push(`what was said is refused: ${String(error)}`);
    });
  }

  async #say(messageId: string, what: (runtime: Runtime) => Promise<unknown>): Promise<void> {
    this.#saying = what;
    this.#speak(what);
    await this.#settle();
    if (this.#isSaying()) this.#complaints.push(`'${messageId}' is not acknowledged`);
    else if (!this.#wasRefused) this.#acknowledged.push(messageId);
    this.#saying = undefined;
  }

  #isSaying(): boolean {
    return this.#saying !== undefined;
  }

  #send(event: Parameters<Runtime['send']>[1], index: number): Promise<void> {
    const messageId = messageIdOf(index);
    return this.#say(messageId, (runtime) => runtime.send(this.#stream, event, { messageId }));
  }

  #sendAgain(said: readonly ScenarioEvent[], index: number): Promise<void> {
    this.#mark(`event ${index} is sent again`);
    return this.#send(timed(said[index]!)[1], index);
  }

  #mark(what: string): void {
    this.#marks.push({ after: this.#log.newest, what });
  }

  /** Moves the time on, with every jump of the clock on the way. */
  async #advance(byMs: number): Promise<void> {
    let targetMs = this.#clock.now() + byMs;
    for (;;) {
      const [jump] = this.#jumps;
      const jumpMs = jump ? this.#startMs + jump.atMs : Infinity;
      await this.#step(Math.min(targetMs, jumpMs));
      if (!jump || jumpMs > targetMs) return;
      this.#jumps.shift();
      this.#clock.jump(jump.byMs);
      this.#mark(`the clock is set by ${jump.byMs} ms`);
      targetMs += jump.byMs;
      await this.#settle();
    }
  }

  /** PL1: from one due time to the next. */
  async #step(targetMs: number): Promise<void> {
    for (let due = this.#clock.nextDue(); due !== undefined && due <= targetMs; due = this.#clock.nextDue()) {
      await this.#clock.advance(Math.max(0, due - this.#clock.now()), () => this.#rest());
      await this.#settle();
    }
    await this.#clock.advance(Math.max(0, targetMs - this.#clock.now()));
    await this.#settle();
  }

  /** Until nothing goes on without time: timers that are due before answers, which come one after the other. */
  async #settle(): Promise<void> {
    while (!this.#world.failure) {
      await this.#rest();
      this.#dismiss();
      if (this.#log.death) await this.#liveAgain();
      else if (this.#thefts[0] && this.#log.appends > this.#thefts[0].append) {
        this.#thefts.shift();
        await this.#steal();
      } else if (this.#isDue()) await this.#clock.advance(0, () => this.#rest());
      else if (this.#history.isAsked) await this.#decide();
      else if (!this.#loseNext() && !this.#world.release()) return;
    }
  }

  /** Lets the next effect be lost that is lost in the run that this one is compared with, if it is time. */
  #loseNext(): boolean {
    const [next] = this.#losing;
    if (!next || !this.#world.isLossDue(next)) return false;
    this.#losing.shift();
    this.#world.loseNow(next.key);
    return true;
  }

  #isDue(): boolean {
    const due = this.#clock.nextDue();
    return due !== undefined && due <= this.#clock.now();
  }

  /** Until nothing goes on by itself. */
  async #rest(): Promise<void> {
    if (!(await this.#life.rest(() => this.#isDue()))) throw this.#endless('it never comes to rest');
  }

  // ── what came of it ──────────────────────────────────────────────────────────────────────────────

  async #collect(said: readonly ScenarioEvent[]): Promise<Run> {
    this.#log.calm();
    const { appends, snapshotsBegun: snapshots, operations, strikes } = this.#log;
    const events = await eventsOf(this.#inner);
    const streams = await streamsOf(this.#inner);
    // What two hosts write to is newer in the log than in either of them.
    const isShared = this.#plan.some(({ fault }) => fault === 'stealOwner');
    const isUseless = this.#world.failure !== undefined || this.#options.onlyLog === true;
    const ends = isUseless
      ? {}
      : isShared
        ? await this.#folds(streams)
        : await endsIn(this.#runtime, streams, this.#complain);
    const appendsOfSecondResume = isUseless || isShared ? 0 : await this.#resumeAgain();
    const blocked: string[] = [];
    for await (const { stream, reason } of this.#runtime.list({ status: 'blocked' })) {
      blocked.push(`${stream}: ${String(reason)}`);
    }
    const outside = seen(this.#outside);
    // The runtime has folded what is over, since it keeps none of it.
    const live = isShared ? [] : streams.filter((stream) => !ends[stream] || ends[stream].status === 'active');
    const folds = isUseless ? {} : { ...ends, ...(await this.#folds(live)) };
    const changedByFold = difference(outside, seen(this.#outside));
    this.#world.die();
    this.#log.silence();
    return {
      ...{ world: this.#outside, ends, folds, facts: factsOf(events, this.#startMs), calls: this.#world.calls, events },
      ...{ strikes: [...strikes], marks: this.#marks, deaths: this.#deaths },
      ...{ plan: this.#plan, root: this.#stream, said, startMs: this.#startMs, appends, snapshots, operations },
      ...{ recoveries: this.#recoveries, losses: this.#history.losses, complaints: this.#complaints, blocked },
      ...{
        unstopped: this.#unstopped,
        unintended: this.#world.unintended,
        rekeyed: this.#world.rekeyed,
        changedByFold,
        twice: this.#world.twice,
        acknowledged: this.#acknowledged,
        appendsOfSecondResume,
      },
      canHave: (fault) => canHave(this.#inner, fault),
      named: [...this.#world.names],
      failure: this.#world.failure,
    };
  }

  async #resumeAgain(): Promise<number> {
    const before = this.#log.appends;
    await this.#runtime.resume().catch((error: unknown) => void this.#complaints.push(String(error)));
    await this.#rest();
    return this.#log.appends - before;
  }

  #folds(streams: readonly string[]): Promise<Record<string, ActorView>> {
    return foldsOf(this.#inner, streams, this.#machines, this.#scenario.runtime ?? {}, this.#complain);
  }
}

/** The clock of one process: with it, its timers are gone. */
function clockOfLife(clock: Clock, isOver: () => boolean): Clock {
  return {
    now: () => clock.now(),
    setTimer: (dueAt, fn) => clock.setTimer(dueAt, () => void (isOver() || fn())),
  };
}
