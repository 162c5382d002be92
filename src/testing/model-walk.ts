/**
 * A walk through a machine as a model: no runtime, no log and no effect, only the kernel's tree and a clock that it moves.
 * Owns which steps are possible where the walk stands, what they lead to, and how the walk is written as a script for a run.
 *
 * MW1  The same steps lead to the same place: time, chance and session numbers follow from the steps alone.
 * MW2  A step that is not possible here changes nothing and says so.
 * MW3  After a step the walk is at rest: answers and timers that are due by then have come, in order of their time.
 * MW4  An outcome that is chosen after something else has happened comes 1 ms later, so that a script of the walk, whose
 *      effects say after which time they answer, puts it in its place, too.
 */
import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { VirtualClock, type TimeMs } from '../clock.ts';
import { InvalidArgumentError, NotSerializableError } from '../errors.ts';
import { acceptedEvents } from '../kernel/accepted-events.ts';
import { addressOf, type PendingEffect } from '../kernel/actor-tree.ts';
import { withAmbient } from '../kernel/determinism.ts';
import { describeTree, restoreTree } from '../kernel/tree-state.ts';
import type { Stimulus } from '../kernel/stimulus.ts';
import { canTake } from '../kernel/xstate-internals.ts';
import type { Answer } from './effect-script.ts';
import { UnboundedModelError } from './failures.ts';
import { answerTo, nearest, outcomesOf, type ModelEffects, type ModelOutcomes } from './model-outcomes.ts';
import { pathOf, streamOf, type ModelScript, type ModelStep } from './model-step.ts';
import { ModelTree, type TakenTransition } from './model-tree.ts';
import type { ScenarioEvent } from './scenario.ts';
import { errorOf, namesOf } from './scripted-world.ts';
import { messageIdOf, stimulusId } from './stimulus-id.ts';

/** What a walk is given from outside: a {@link Scenario} has it. */
export interface WalkOptions {
  /** Durable name of the machine, where it is not its id: chance is drawn from it. */
  readonly machine?: string;
  /** What the machine starts with. */
  readonly input?: unknown;
  /** What effects answer, as in the run that the walk stands for. */
  readonly effects?: ModelEffects;
  /** Handed to answers that are computed; made anew for every walk. */
  readonly world?: () => unknown;
  /** What effects may come to about which `effects` says nothing; no output, and an error, when omitted. */
  readonly outcomes?: ModelOutcomes;
}

/** An effect that waits for the walk to say what it comes to. */
export interface OpenEffect {
  readonly path: string;
  readonly outcomes: readonly Answer[];
}

interface Called {
  /** By which a script names it. */
  readonly name: string;
  readonly path: string;
  readonly address: string;
  readonly startedAt: TimeMs;
  /** Number of the step that it began in; 0 for the start. */
  readonly began: number;
  /** What it came to, or will. */
  answer: Answer | undefined;
  readonly dueAt: TimeMs | undefined;
  readonly outcomes: readonly Answer[];
}

/** How much may follow from one step without anything from outside. */
const followingMax = 1_000;
/** When every walk begins; a hosted run that starts then gives the same times. */
export const walkStartMs: TimeMs = new VirtualClock().now();

/** The steps of a walk, the newest first: walks that part go on with the same beginning. */
interface Trail {
  readonly step: ModelStep;
  readonly before: Trail | undefined;
  readonly length: number;
}

/** What a script is written from: only a walk from the start has it. */
interface Told {
  readonly sent: ScenarioEvent[];
  readonly called: Called[];
}

/** A machine, and how far a walk has come in it. */
export class ModelWalk {
  readonly #machine: AnyStateMachine;
  readonly #options: WalkOptions;
  readonly #stream: string;
  readonly #tree: ModelTree;
  readonly #world: unknown;
  #trail: Trail | undefined;
  /** Number of the newest step. */
  #step = 0;
  /** Calls that may be without an outcome, in order. */
  #called: Called[] = [];
  #calls = new Map<string, number>();
  #told: Told | undefined = { sent: [], called: [] };
  #at = walkStartMs;
  #sentAt = walkStartMs;
  /** How many events were sent. */
  #sent = 0;
  /** The tree as text, once somebody copied it. */
  #described: string | undefined;

  /**
   * @param steps taken at once, as far as they are possible
   * @param copied a walk through the same machine, to go on from where it stands
   */
  constructor(
    machine: AnyStateMachine,
    options: WalkOptions = {},
    steps: readonly ModelStep[] = [],
    copied?: ModelWalk,
  ) {
    this.#machine = machine;
    this.#options = options;
    this.#stream = streamOf(machine, options.machine);
    this.#world = options.world?.();
    this.#tree = new ModelTree(machine, '1');
    this.#tree.surroundings = { relay() {}, log() {} };
    if (copied) {
      this.#goOnFrom(copied);
      return;
    }
    this.#apply({ type: 'ActorStarted', input: options.input });
    this.#settle();
    for (const step of steps) this.take(step);
  }

  /** Another walk that stands where this one does. */
  copy(): ModelWalk {
    try {
      this.#described ??= describeTree(this.#tree);
    } catch (error) {
      // One that cannot be described is walked to anew (MW1).
      if (error instanceof InvalidArgumentError || error instanceof NotSerializableError) return this.#again();
      throw error;
    }
    return new ModelWalk(this.#machine, this.#options, [], this);
  }

  #again(): ModelWalk {
    return new ModelWalk(this.#machine, this.#options, this.steps);
  }

  #goOnFrom(copied: ModelWalk): void {
    restoreTree(this.#tree, copied.#described!);
    this.#trail = copied.#trail;
    this.#called = copied.#pending.map((called) => ({ ...called }));
    this.#calls = new Map(copied.#calls);
    this.#told = undefined;
    this.#at = copied.#at;
    this.#sentAt = copied.#sentAt;
    this.#sent = copied.#sent;
  }

  /** The root's snapshot. */
  get snapshot(): AnyMachineSnapshot {
    return this.#tree.rootActor.getSnapshot() as AnyMachineSnapshot;
  }

  get isOver(): boolean {
    return this.#tree.status !== 'active';
  }

  /** The walk as a run can repeat it. */
  get script(): ModelScript {
    if (!this.#told) return this.#again().script;
    const effects: Record<string, Answer[]> = {};
    for (const { name, answer } of this.#told.called) (effects[name] ??= []).push(answer ?? { never: true });
    for (const answers of Object.values(effects)) answers.push({ never: true });
    return { events: [...this.#told.sent], effects, until: this.#at - walkStartMs };
  }

  /** Types and patterns of the events that somebody outside may send now, but for those that a guard rules out anyway. */
  get eventTypes(): string[] {
    if (this.isOver) return [];
    const open = acceptedEvents(this.snapshot, this.#at).filter(
      ({ event, guard }) => event !== '' && !event.startsWith('xstate.') && guard?.gives !== false,
    );
    return [...new Set(open.map(({ event }) => event))];
  }

  /** Effects that the walk may bring to an end now. */
  get openEffects(): OpenEffect[] {
    if (this.isOver) return [];
    return this.#pending
      .filter(({ answer, outcomes }) => !answer && outcomes.length > 0)
      .map(({ path, outcomes }) => ({ path, outcomes }));
  }

  /** The steps that were taken. */
  get steps(): readonly ModelStep[] {
    const steps: ModelStep[] = [];
    for (let trail = this.#trail; trail; trail = trail.before) steps.push(trail.step);
    return steps.reverse();
  }

  get #length(): number {
    return this.#trail?.length ?? 0;
  }

  get #pending(): readonly Called[] {
    return this.#called.filter(({ address }) => this.#tree.effects?.has(address));
  }

  /** Type of the event that a timer brings next. */
  get nextTimerType(): string | undefined {
    return this.#tree.nextTimer()?.event.type;
  }

  /** In how many ms something comes by itself; undefined where nothing does. */
  get nextDueMs(): number | undefined {
    const dueAt = this.#nextDue();
    return dueAt === undefined ? undefined : Math.max(0, dueAt - this.#at);
  }

  /** Whether the machine would do anything with this event. */
  accepts(event: AnyEventObject): boolean {
    if (this.isOver) return false;
    let takes = false;
    withAmbient(
      { at: this.#at, seed: this.#idOf(this.#received(event)) },
      () => (takes = canTake(this.snapshot, event)),
    );
    return takes;
  }

  /**
   * Takes a step (MW2). Answers with the transitions that the machines took, or with undefined where it was not possible.
   * @throws UnboundedModelError where no end of what follows from it is in sight
   */
  take(step: ModelStep): readonly TakenTransition[] | undefined {
    if (this.isOver) return undefined;
    this.#described = undefined;
    this.#tree.taken = [];
    this.#step = this.#length + 1;
    const taken =
      step.kind === 'event'
        ? this.#send(step.event)
        : step.kind === 'outcome'
          ? this.#comeTo(step.effect, step.answer)
          : this.#pass();
    if (!taken) return undefined;
    this.#settle();
    this.#trail = { step, before: this.#trail, length: this.#length + 1 };
    return this.#tree.taken;
  }

  /** Where the walk stands, but for contexts and times. */
  get place(): string {
    return this.#tree.place;
  }

  /** Where the walk stands: see {@link ModelTree.describe}. */
  describe(root?: string): string {
    return this.#tree.describe(root);
  }

  #send(event: AnyEventObject): boolean {
    if (!this.accepts(event)) return false;
    const afterMs = this.#at - this.#sentAt;
    this.#told?.sent.push(afterMs > 0 ? [afterMs, event] : event);
    this.#sentAt = this.#at;
    this.#apply(this.#received(event));
    // None comes twice.
    this.#tree.messageIds = undefined;
    this.#sent++;
    return true;
  }

  #received(event: AnyEventObject): Stimulus {
    return { type: 'EventReceived', to: '/', event, messageId: messageIdOf(this.#sent) };
  }

  #comeTo(path: string, answer: Answer): boolean {
    const open = this.#pending.find((each) => each.path === path && !each.answer);
    if (!open || open.outcomes.length === 0 || 'never' in answer || 'tells' in answer) return false;
    if (open.began < this.#length) {
      this.#advance(this.#at + 1);
      // What was due meanwhile may have ended it.
      if (!this.#tree.effects?.has(open.address)) return true;
    }
    const { afterMs: _, ...bare } = answer;
    const tookMs = this.#at - open.startedAt;
    open.answer = tookMs > 0 ? { ...bare, afterMs: tookMs } : bare;
    this.#answer(open.address, open.answer);
    return true;
  }

  #pass(): boolean {
    const dueAt = this.#nextDue();
    if (dueAt === undefined) return false;
    this.#at = Math.max(this.#at, dueAt);
    return true;
  }

  #advance(to: TimeMs): void {
    for (let dueAt = this.#nextDue(); dueAt !== undefined && dueAt <= to; dueAt = this.#nextDue()) {
      this.#at = Math.max(this.#at, dueAt);
      this.#settle();
    }
    this.#at = to;
  }

  #nextDue(): TimeMs | undefined {
    if (this.isOver) return undefined;
    const times = [this.#tree.nextTimer()?.dueAt, this.#nextAnswer()?.dueAt];
    const [first] = times.filter((time) => time !== undefined).sort((a, b) => a - b);
    return first;
  }

  #nextAnswer(): Called | undefined {
    let next: Called | undefined;
    for (const called of this.#pending) {
      if (called.dueAt === undefined) continue;
      if (!next || called.dueAt < next.dueAt!) next = called;
    }
    return next;
  }

  /** MW3. As in a run, timers come before answers that are due at the same time. */
  #settle(): void {
    for (let count = 0; !this.isOver; count++) {
      const timer = this.#tree.nextTimer();
      const next = this.#nextAnswer();
      const isTimer = timer !== undefined && timer.dueAt <= this.#at;
      if (!isTimer && !(next && next.dueAt! <= this.#at)) return;
      if (count === followingMax) throw UnboundedModelError.ofOneStep(followingMax, this.place);
      if (isTimer) this.#apply({ type: 'TimerFired', timer: timer.seq });
      else this.#answer(next!.address, next!.answer!);
    }
  }

  #answer(actor: string, answer: Answer): void {
    if ('error' in answer) this.#apply({ type: 'EffectFailed', actor, error: errorOf(answer.error) });
    else if ('output' in answer) this.#apply({ type: 'EffectSucceeded', actor, output: answer.output });
  }

  #idOf(stimulus: Stimulus): string {
    return stimulusId(this.#stream, stimulus)!;
  }

  #apply(stimulus: Stimulus): void {
    const cause = { eventId: this.#idOf(stimulus), correlationId: 'walk' };
    const { operations } = this.#tree.apply(stimulus, this.#at, cause);
    for (const operation of operations) if (operation.type === 'start') this.#begin(operation.effect);
  }

  #begin({ actor, cause }: PendingEffect): void {
    const { effects = {}, outcomes = {} } = this.#options;
    const names = namesOf({ actor }, this.#stream);
    const name = nearest(effects, names) ?? names[0]!;
    const index = this.#calls.get(name) ?? 0;
    this.#calls.set(name, index + 1);
    const address = addressOf(actor);
    const { input } = actor.getSnapshot() as { input?: unknown };
    const key = `${cause.eventId}${address}`;
    const answer = answerTo(effects, names, { input, key, index, attempt: 1, world: this.#world });
    const mayEnd = actor.kind !== 'callback' && actor.kind !== 'custom';
    const called: Called = {
      ...{ name, path: pathOf(address), address, startedAt: this.#at, began: this.#step, answer },
      dueAt: answer && !('never' in answer || 'tells' in answer) ? this.#at + (answer.afterMs ?? 0) : undefined,
      outcomes: !answer && mayEnd ? outcomesOf(outcomes, names, actor.id) : [],
    };
    this.#called = [...this.#pending, called];
    this.#told?.called.push(called);
  }
}
