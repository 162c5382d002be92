/**
 * The life of one flow on a SQLite file: a host that may die at an append, and one after it that opens the file anew. Owns
 * what is called and what comes of it; which flow it is, and what must be true, is the test's.
 *
 * FL1  A call is known by its idempotency key: one that a dead host has begun, and the next one makes again, is one call.
 * FL2  What the second host knows it has read from the file.
 */
import type { AnyStateMachine } from 'xstate';
import { effect, type EffectArguments, type Runtime } from 'rewake';
import type { ActorRef } from '../../src/runtime/actor-ref.ts';
import type { Machines } from '../../src/runtime/machines.ts';
import type { RuntimeOptions } from '../../src/runtime/runtime-options.ts';
import { FaultyLog } from '../../src/testing/faulty-log.ts';
import type { Crash } from '../support/two-lives.ts';
import { FileHouse } from '../support/file-house.ts';
import { outcomeOf, type ReadEvent } from '../support/house.ts';

/** What a work does with its n-th call: gives something, or throws. */
export type Answer = (input: unknown, call: number) => unknown;

/** What the steps and the handlers of a flow call. */
export class World {
  /** What each work was given, call by call; where one was made again, what it was given then. */
  readonly given: Record<string, unknown[]> = {};
  /** What was begun, in order; calls that were made again twice. */
  readonly begun: string[] = [];
  readonly #keys: Record<string, string[]> = {};

  /** How often it was called, by name. */
  get calls(): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(this.#keys).map(([name, { length }]) => [name, length]));
  }

  /** A logic that gives its name in capitals, or what the answer says. */
  work(name: string, answer: Answer = () => name.toUpperCase()) {
    return effect(async ({ input, context }: EffectArguments<unknown>) => {
      const keys = (this.#keys[name] ??= []);
      if (!keys.includes(context.idempotencyKey)) keys.push(context.idempotencyKey);
      const call = keys.indexOf(context.idempotencyKey) + 1;
      (this.given[name] ??= [])[call - 1] = input;
      this.begun.push(name);
      return answer(input, call);
    });
  }
}

/** Never gives anything, as a call that is slow. */
export const hanging: Answer = () => new Promise(() => {});

/** Fails so often, and then gives this. */
export function failing(times: number, error: () => Error, output: unknown = 'at last'): Answer {
  return (_, call) => {
    if (call <= times) throw error();
    return output;
  };
}

/** Fails the first time. */
export const brokenOnce = failing(1, () => new Error('broken'));

/** How a flow is lived. */
export interface LifeOptions {
  /** Where its first host dies; nowhere when omitted. */
  readonly crash?: Crash | undefined;
  readonly input?: unknown;
  /** How often it is resumed after it ended with an error. */
  readonly resumes?: number;
  /** What is on the log besides. */
  readonly machines?: Machines;
  readonly options?: Partial<Omit<RuntimeOptions, 'machines' | 'log'>>;
}

/** What came of it. */
export interface Lived {
  readonly crashed: boolean;
  readonly world: World;
  readonly house: FileHouse;
  /** The host that was there at the end. */
  readonly runtime: Runtime;
  readonly output: unknown;
  readonly error: unknown;
  readonly events: readonly ReadEvent[];
  readonly facts: readonly ReadEvent['data'][];
}

/** Lives a flow to its end, as `flow-1` with the correlation id `request-1`. */
export async function live(make: (world: World) => unknown, how: LifeOptions = {}): Promise<Lived> {
  const world = new World();
  const house = new FileHouse();
  const machines = { ...how.machines, flow: make(world) as AnyStateMachine };
  const dying = new FaultyLog(house.log, how.crash ? [how.crash] : []);
  let runtime = (await house.open(machines, { ...how.options, log: dying })) as unknown as Runtime;
  const first = livedBy(runtime, house, how);
  first.catch(() => {});
  for (let turn = 0; turn < 60 && !dying.death && (await isOpen(first)); turn++) await house.advance(5_000);
  // FL2.
  house.restart();
  runtime = (await house.open(machines, how.options)) as unknown as Runtime;
  const second = livedBy(runtime, house, how);
  for (let turn = 0; turn < 60 && (await isOpen(second)); turn++) await house.advance(5_000);
  const { output, error } = await second;
  const events = await house.events('flow-1');
  const facts = events.filter(({ meta }) => meta.actor !== undefined).map(({ data }) => data);
  return { crashed: dying.death !== undefined, world, house, runtime, output, error, events, facts };
}

/** Starts the flow or finds it, and resumes it as often as it is to be. */
async function livedBy(runtime: Runtime, house: FileHouse, { input, resumes = 0 }: LifeOptions) {
  let ref: ActorRef = await runtime.start('flow', { id: '1', input, correlationId: 'request-1' } as never);
  for (;;) {
    const ended = await outcomeOf<unknown>(ref.output() as Promise<unknown>);
    if (ended.error === undefined) return ended;
    const resumed = (await house.types('flow-1')).filter((type) => type === 'FlowResumed').length;
    if (resumed >= resumes) return ended;
    ref = await runtime.resume('flow-1');
  }
}

async function isOpen(ended: Promise<unknown>): Promise<boolean> {
  let open = true;
  const close = () => (open = false);
  ended.then(close, close);
  await new Promise((resolve) => setImmediate(resolve));
  return open;
}

/** What handlers told, in order. */
export function handlerStory(facts: readonly ReadEvent['data'][]): readonly string[] {
  return facts.flatMap(({ type, handler, scope, subject, action, reason }) => {
    if (!/^(Handler|ErrorEscalated)/.test(String(type))) return [];
    return [[type, handler, `of ${String(scope)} ${String(subject)}`, action ?? reason].filter(Boolean).join(' ')];
  });
}
