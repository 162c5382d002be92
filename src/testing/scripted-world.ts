/**
 * The outside world of one run: it answers effects from a script, over all lives of the process. Owns which answer belongs to
 * which effect, and when it is given; how lives begin and end is play.ts's.
 *
 * SW1  An effect is known by its idempotency key: one that is run again gets the answer it got before, at the time at which
 *      it would have come. The world works on while its caller is dead.
 * SW2  One answer is given at a time, when everything that the one before it caused has come to rest: the one that is due
 *      first, of several the one that was asked for first, unless choices say otherwise.
 * SW3  What an effect that is lost would have been answered, the next one of its name is: a loss takes nothing from a script.
 * SW4  A choice whose answer is lost with the process is made once more, and not the next one.
 */
import { fromPromise, type AnyActorLogic, type AnyStateMachine } from 'xstate';
import type { VirtualClock } from '../clock.ts';
import { EffectLostError } from '../errors.ts';
import { sourceOf, type PendingEffect } from '../kernel/actor-tree.ts';
import { readStreamName } from '../log/stream-name.ts';
import { effect as effectLogic, effectOptions, type EffectArguments, type EffectContext } from '../runtime/effect.ts';
import { EffectNotScriptedError } from './failures.ts';
import { requireAnswer, type Answer, type EffectCall, type EffectScript, type StreamItem } from './effect-script.ts';
import { dueTimes, isStream, itemsOf, streamLogic, type StreamKind } from './scripted-stream.ts';

/** An effect that a host let fail because another one died. */
export interface Loss {
  readonly key: string;
  /** How many stimuli were recorded before, without those that tell of a resume. */
  readonly afterAppends: number;
  /** When, in ms since the epoch. */
  readonly at: number;
}

/** An effect that was begun. */
export interface Call {
  readonly name: string;
  readonly key: string;
  readonly stream: string;
  readonly actor: string;
  readonly input: unknown;
  /** Among those of its name. */
  readonly index: number;
  /** Ms after the start at which it was begun first. */
  readonly at: number;
  /** How often it was run. */
  readonly runs: number;
  readonly answer: Answer;
  readonly isLost: boolean;
}

interface Asked extends Call {
  readonly sequence: number;
  readonly dueAt: number;
  runs: number;
  runsInLife: number;
  life: number;
  isLost: boolean;
}

interface Place {
  readonly key: string;
  readonly stream: string;
  readonly actor: string;
}

interface Waiting {
  readonly asked: Asked;
  readonly life: number;
  /** Which of the hosts that live at once runs it. */
  readonly host: number;
  readonly dueAt: number;
  readonly isStopped: () => boolean;
  readonly settle: () => void;
}

/** What a plan of faults changes about the world's answers. */
export interface Disturbances {
  /** By name and index of the answer, with a space between: how many ms it comes later. */
  readonly late: ReadonlyMap<string, number>;
  /** Which of several answers that could be given is given: one number for each such moment. */
  readonly choices: readonly number[];
  readonly losses: readonly Loss[];
  /** Whether the last answer of a list is given again where more is asked than the scenario expects. */
  readonly repeatsLast: boolean;
}

/** What the log of the run says. */
export interface Recorded {
  /** How many stimuli are recorded, as {@link Loss.afterAppends} counts them. */
  stimuli(): number;
  /** How many of them are in the log. */
  durable(): number;
  /** How many things an effect told are recorded. */
  told(stream: string, actor: string): number;
  /** Whether it is durable that an effect shall run. */
  isIntended(key: string, stream: string, actor: string): boolean;
}

/** The world of one run. */
export class ScriptedWorld {
  readonly #clock: VirtualClock;
  readonly #startMs: number;
  readonly #script: Readonly<Record<string, EffectScript>>;
  readonly #world: unknown;
  readonly #disturbances: Disturbances;
  readonly #asked = new Map<string, Asked>();
  /** By name: indexes of answers that a lost effect did not hear. */
  readonly #unheard = new Map<string, number[]>();
  readonly #lost: ReadonlyMap<string, Loss>;
  readonly #recorded: Recorded;
  /** Names by which an effect could have been named, of all that were begun. */
  readonly names = new Set<string>();
  /** Effects that will be lost, by key: what lets them. */
  readonly #doomed = new Map<string, () => void>();
  #waiting: Waiting[] = [];
  #life = 0;
  #isShared = false;
  #host = 0;
  /** By how many stimuli were recorded then: which of the choices was made. */
  readonly #moments = new Map<number, number>();
  /** Why the run is no use: the first one counts. */
  failure: Error | undefined;
  /** Effects that ran twice in one life, by key. */
  readonly twice: string[] = [];
  /** Effects that began before their intent was durable, by key. */
  readonly unintended: string[] = [];
  /** Effects whose key was another one before, or that of another effect: in words. */
  readonly rekeyed: string[] = [];
  /** By the intent of an effect: its key; and the other way round. */
  readonly #keyOf = new Map<string, string>();
  readonly #intentOf = new Map<string, string>();

  constructor(
    clock: VirtualClock,
    script: Readonly<Record<string, EffectScript>>,
    world: unknown,
    disturbances: Disturbances,
    recorded: Recorded,
  ) {
    this.#clock = clock;
    this.#startMs = clock.now();
    this.#script = script;
    this.#world = world;
    this.#disturbances = disturbances;
    this.#lost = new Map(disturbances.losses.map((loss) => [loss.key, loss]));
    this.#recorded = recorded;
  }

  /** Every effect that was begun, in order. */
  get calls(): readonly Call[] {
    return [...this.#asked.values()];
  }

  /** What is run in the place of an effect in this life; undefined for the effect itself. */
  readonly standIn = (pending: PendingEffect, address: string, stream: string): AnyActorLogic | undefined => {
    const { actor } = pending;
    const options = effectOptions(actor.logic);
    const key = `${pending.cause.eventId}${address}`;
    if (!this.#recorded.isIntended(key, stream, address)) this.unintended.push(key);
    if (options.internal) return undefined;
    const names = namesOf(pending, stream);
    for (const each of names) this.names.add(each);
    const name = names.find((each) => Object.hasOwn(this.#script, each));
    if (name !== undefined && this.#lost.has(key)) return this.#losing(name, pending, { key, stream, actor: address });
    if (name !== undefined && this.#script[name] === 'live') return undefined;
    const life = this.#life;
    const { kind } = actor;
    if (name === undefined) {
      const form = isStream(kind)
        ? `{ tells: [{ ${itemsOf[kind][0]}: … }] }`
        : kind === 'promise'
          ? '{ output: … }'
          : "'live'";
      return this.#failing(EffectNotScriptedError.nameless(stream, address, names, form));
    }
    if (isStream(kind)) return this.#stream(name, kind, { key, stream, actor: address });
    if (kind !== 'promise') {
      const found = `an answer for '${name}', and this is logic of its own kind, which no script can stand for`;
      return this.#failing(EffectNotScriptedError.unfit(stream, address, name, found, "'live'"));
    }
    return effectLogic(({ input, context }) => {
      this.#noteKey(key, context.idempotencyKey);
      return this.#answer(name, life, input, context);
    }, options);
  };

  /** The process has died: nobody of it hears of anything any more. */
  die(): void {
    this.#life++;
    this.#waiting = [];
  }

  /**
   * Another host runs effects from now on, at the same time: the same one may run in each of them.
   * @returns the number of the host before it
   */
  share(): number {
    this.#isShared = true;
    return this.#host++;
  }

  /** A host has noticed that a stream is not its own. @returns keys of effects of that stream that it did not stop */
  leave(host: number, stream: string): string[] {
    const left = this.#waiting.filter((each) => each.host === host && each.asked.stream === stream);
    this.#waiting = this.#waiting.filter((each) => each.host !== host);
    return left.filter(({ isStopped }) => !isStopped()).map(({ asked }) => asked.key);
  }

  /** SW3. Takes note of effects that were let fail. */
  lose(keys: Iterable<string>): void {
    for (const key of keys) {
      const asked = this.#asked.get(key);
      if (!asked || asked.isLost) continue;
      asked.isLost = true;
      this.#leave(asked);
    }
  }

  /** How an effect would have been answered, for a person who is asked about it. */
  answerOf(key: string): Answer | undefined {
    return this.#asked.get(key)?.answer;
  }

  /** SW2. Gives one answer that is due, if there is one. */
  release(): boolean {
    const ready = this.#waiting.filter(({ dueAt, isStopped }) => dueAt <= this.#clock.now() && !isStopped());
    if (ready.length === 0) return false;
    ready.sort((a, b) => a.dueAt - b.dueAt || a.asked.sequence - b.asked.sequence);
    const choice = ready.length > 1 ? this.#choose() : 0;
    const next = ready[choice % ready.length]!;
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    next.settle();
    return true;
  }

  /** SW4. */
  #choose(): number {
    const moment = this.#recorded.durable();
    const index = this.#moments.get(moment) ?? this.#moments.size;
    this.#moments.set(moment, index);
    return this.#disturbances.choices[index] ?? 0;
  }

  /** Whether all that was recorded before a loss is recorded. */
  isLossDue({ afterAppends, at }: Loss): boolean {
    return this.#recorded.stimuli() >= afterAppends && this.#clock.now() >= at;
  }

  /** Lets an effect fail as a host does that comes after a dead one. */
  loseNow(key: string): void {
    this.lose([key]);
    this.#waiting = this.#waiting.filter(({ asked }) => asked.key !== key);
    this.#doomed.get(key)?.();
    this.#doomed.delete(key);
  }

  /**
   * One that is lost in the run that this one is compared with. It does what it did there until its host died, and nothing
   * after; then it fails, and what is around its call hears of nothing.
   */
  #losing(name: string, { restarts, actor }: PendingEffect, place: Place): AnyActorLogic {
    const { key } = place;
    const { around, ...options } = effectOptions(actor.logic);
    const loss = this.#lost.get(key)!;
    const isOver = () => this.isLossDue(loss);
    const life = this.#life;
    // A live effect would do its work a second time in the same world.
    const call = ({ input, context }: EffectArguments<unknown>) =>
      this.#script[name] === 'live' ? never : this.#answer(name, life, input, context);
    const run = (around?.(call) ?? call) as typeof call;
    return effectLogic((args: EffectArguments<unknown>) => {
      const lost = new Promise<never>((_, reject) => {
        this.#doomed.set(key, () => reject(lossOf(place.stream, place.actor, restarts)));
      });
      const done = run({ ...args, context: untilOver(args.context, isOver) });
      return Promise.race([lost, untilThen(done, isOver)]);
    }, options);
  }

  /** One intent, one key: whatever an effect talks to knows it by nothing else. */
  #noteKey(intent: string, key: string): void {
    const before = this.#keyOf.get(intent) ?? key;
    const other = this.#intentOf.get(key) ?? intent;
    if (before !== key) this.rekeyed.push(`effect ${intent} has the key ${key}, and had ${before} before`);
    if (other !== intent) this.rekeyed.push(`the effects ${other} and ${intent} share the key ${key}`);
    this.#keyOf.set(intent, before);
    this.#intentOf.set(key, other);
  }

  #failing(error: Error): AnyActorLogic {
    this.failure ??= error;
    return fromPromise(() => Promise.reject(error));
  }

  async #answer(name: string, life: number, input: unknown, context: EffectContext): Promise<unknown> {
    const { idempotencyKey: key } = context;
    const { stream, actor } = context;
    const asked = this.#run(name, life, { key, stream, actor, input });
    const again = asked.runs > 1 ? this.#say(asked, context) : asked.answer;
    if ('tells' in again) {
      const found = `{ tells } for '${name}', and this is a promise, which comes to one thing`;
      throw (this.failure ??= EffectNotScriptedError.unfit(stream, actor, name, found, '{ output: … }'));
    }
    await new Promise<void>((settle) => {
      const isStopped = () => context.signal.aborted;
      this.#wait({ asked, life, dueAt: asked.dueAt, isStopped, settle }, 'never' in again);
    });
    if ('error' in again) throw errorOf(again.error);
    return (again as { output: unknown }).output;
  }

  /** What tells one thing after the other, from the first one on that is not recorded. */
  #stream(name: string, kind: StreamKind, place: Place): AnyActorLogic {
    const life = this.#life;
    const begin = (input: unknown, tell: (item: StreamItem) => void) => {
      const asked = this.#run(name, life, { ...place, input });
      const items = this.#told(asked, kind);
      const dueAt = dueTimes(items, asked.dueAt);
      let isStopped = false;
      const next = (index: number) => {
        const item = items[index];
        if (!item || isStopped) return;
        const settle = () => {
          if (!isStopped) tell(item);
          next(index + 1);
        };
        this.#wait({ asked, life, dueAt: dueAt[index]!, isStopped: () => isStopped, settle });
      };
      next(this.#recorded.told(place.stream, place.actor));
      return () => void (isStopped = true);
    };
    return streamLogic(kind, begin, errorOf);
  }

  #told({ answer, name, stream, actor }: Asked, kind: StreamKind): readonly StreamItem[] {
    const fields = itemsOf[kind];
    const items = 'tells' in answer ? answer.tells : 'never' in answer ? [] : undefined;
    const wrong = items?.flatMap(Object.keys).find((field) => field !== 'afterMs' && !fields.includes(field));
    if (items && wrong === undefined) return items;
    const forms = fields.map((field) => `{ ${field} }`).join(', ');
    const given = wrong === undefined ? Object.keys(answer)[0]! : `tells: [{ ${wrong} }]`;
    const found = `{ ${given} } for '${name}', and this is ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}, which tells ${forms}`;
    const form = `{ tells: [{ ${fields[0]}: … }] }`;
    this.failure ??= EffectNotScriptedError.unfit(stream, actor, name, found, form);
    return [];
  }

  /** Counts a run of an effect, which may be its first. */
  #run(name: string, life: number, place: Place & { readonly input: unknown }): Asked {
    const { key } = place;
    const asked = this.#asked.get(key) ?? this.#begin(name, place);
    asked.runs++;
    if (asked.life !== life) asked.runsInLife = 0;
    asked.life = life;
    if (++asked.runsInLife > 1 && !this.#isShared) this.twice.push(key);
    return asked;
  }

  /** SW2. Until it is given; what never comes is not waited for by the clock. */
  #wait(waiting: Omit<Waiting, 'host'>, isNever = false): void {
    if (waiting.life !== this.#life) return;
    this.#waiting.push({ ...waiting, host: this.#host });
    if (!isNever && waiting.dueAt > this.#clock.now()) this.#clock.setTimer(waiting.dueAt, () => {});
  }

  #begin(name: string, place: Place & { readonly input: unknown }): Asked {
    const sequence = this.#asked.size;
    const unheard = this.#unheard.get(name)?.shift();
    const index = unheard ?? this.#heard(name);
    const nowMs = this.#clock.now();
    const base = { ...place, name, index, sequence, at: nowMs - this.#startMs };
    const counts = { runs: 0, runsInLife: 0, life: this.#life, isLost: false };
    const answer = this.#scripted(base, 1);
    const lateMs = this.#disturbances.late.get(`${name} ${index}`) ?? 0;
    const afterMs = ('afterMs' in answer ? (answer.afterMs ?? 0) : 0) + lateMs;
    const dueAt = 'never' in answer ? Infinity : nowMs + afterMs;
    const asked: Asked = { ...base, ...counts, answer, dueAt };
    this.#asked.set(place.key, asked);
    return asked;
  }

  #leave({ name, index }: Asked): void {
    const unheard = this.#unheard.get(name) ?? [];
    this.#unheard.set(name, unheard);
    unheard.push(index);
    unheard.sort((a, b) => a - b);
  }

  #heard(name: string): number {
    let count = 0;
    for (const asked of this.#asked.values()) if (asked.name === name) count = Math.max(count, asked.index + 1);
    return count;
  }

  /** A function is asked every time; a list has one answer for each effect. */
  #say(asked: Asked, context: EffectContext): Answer {
    return typeof this.#script[asked.name] === 'function' ? this.#scripted(asked, context.attempt) : asked.answer;
  }

  #scripted(
    { name, key, input, index, stream, actor }: Pick<Call, 'name' | 'key' | 'input' | 'index' | 'stream' | 'actor'>,
    attempt: number,
  ): Answer {
    const script = this.#script[name]!;
    const call: EffectCall = { name, input, key, index, attempt, world: this.#world };
    try {
      const answer =
        typeof script === 'function' ? script(call) : this.#listed(script as Answer | readonly Answer[], index);
      if (answer === undefined && typeof script !== 'function')
        throw EffectNotScriptedError.exhausted(stream, actor, name, (script as Answer[]).length, index + 1);
      requireAnswer(answer, `scenario.effects.${name}, call ${index + 1}`);
      return answer;
    } catch (error) {
      // A machine would take it for a failure of its effect.
      this.failure ??= error as Error;
      return { never: true };
    }
  }

  #listed(script: Answer | readonly Answer[], index: number): Answer | undefined {
    if (!isList(script)) return script;
    const last = script.at(-1);
    return script[index] ?? (this.#disturbances.repeatsLast || (last && 'never' in last) ? last : undefined);
  }
}

const never = new Promise<never>(() => {});

/** What a promise comes to, unless it is over by then. */
async function untilThen<T>(done: Promise<T>, isOver: () => boolean): Promise<T> {
  const [settled] = await Promise.allSettled([done]);
  return isOver() ? never : settled.status === 'fulfilled' ? settled.value : Promise.reject(settled.reason as Error);
}

/** The context of an effect that does nothing any more once it is over. */
function untilOver(context: EffectContext, isOver: () => boolean): EffectContext {
  return new Proxy(context, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function' || key === 'now' || key === 'standby') return member;
      return (...args: unknown[]) => (isOver() ? never : (member as (...args: unknown[]) => unknown)(...args));
    },
  });
}

/** From the effect up to its root: its id and source, then those of the actors around it, and how their machines are called. */
export function namesOf({ actor }: Pick<PendingEffect, 'actor'>, stream: string): string[] {
  const names = new Set<string>();
  let at = actor;
  for (; at._parent; at = at._parent) {
    names.add(at.id);
    names.add(sourceOf(at));
    names.add(machineOf(at));
  }
  names.add(machineOf(at));
  names.add(readStreamName(stream).machine);
  return [...names].filter((name) => name !== '' && !name.startsWith('xstate.invoke.'));
}

/** What a machine calls itself; XState has a name for those that do not. */
function machineOf({ kind, logic }: PendingEffect['actor']): string {
  const { id } = logic as AnyStateMachine;
  return kind === 'machine' && id !== '(machine)' ? id : '';
}

function lossOf(stream: string, actor: string, restarts: number): EffectLostError {
  const why = "its host stopped before the outcome was recorded, and its options say onLost: 'fail'";
  return new EffectLostError(stream, actor, restarts, why);
}

/** An error of its own for each call: whoever gets it may write on it. */
export function errorOf(error: unknown): unknown {
  if (typeof error === 'function') return (error as () => unknown)();
  if (!(error instanceof Error)) return error;
  const copy = Object.create(Object.getPrototypeOf(error) as object) as Error;
  return Object.defineProperties(copy, Object.getOwnPropertyDescriptors(error));
}

function isList(script: Answer | readonly Answer[]): script is readonly Answer[] {
  return Array.isArray(script);
}
