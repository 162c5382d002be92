/**
 * A durable actor that is led along a path of its model, step by step. Owns its runtimes, its log in memory, and effects that
 * come to what the path says; what the steps are is model-walk.ts's.
 *
 * HM1  After a step it is at rest: everything that follows from it is on the log.
 * HM2  A restart kills the host: what it had in memory is gone, and nobody hears what its effects come to.
 * HM3  No host is killed while an effect is open that is not run again after that: that it is lost is an outcome, too.
 */
import {
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  type AnyActorLogic,
  type AnyMachineSnapshot,
  type AnyStateMachine,
} from 'xstate';
import { VirtualClock } from '../clock.ts';
import type { PendingEffect } from '../kernel/actor-tree.ts';
import { memoryLog } from '../log/memory-log.ts';
import { readStreamName } from '../log/stream-name.ts';
import type { ActorRef } from '../runtime/actor-ref.ts';
import { effectOptions } from '../runtime/effect.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Machines } from '../runtime/machines.ts';
import { Runtime } from '../runtime/runtime.ts';
import { ModelMismatchError } from './failures.ts';
import { FaultyLog } from './faulty-log.ts';
import type { Answer } from './effect-script.ts';
import { pathOf, streamOf, type ModelStep } from './model-step.ts';
import { walkStartMs } from './model-walk.ts';
import { forgetProcess } from './process-memory.ts';
import { errorOf } from './scripted-world.ts';
import { messageIdOf, stimulusId } from './stimulus-id.ts';

/** When the host of a durable actor is killed and another one takes over. */
export type Restart = 'never' | 'each step';

/** An effect that waits for the path to say what it comes to. */
interface OpenEffect {
  readonly path: string;
  readonly effect: PendingEffect;
  settle(answer: Answer): void;
}

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** One host after the other of one durable actor. */
export class HostedModel {
  readonly #machine: AnyStateMachine;
  readonly #restart: Restart;
  readonly #stream: string;
  readonly #name: string;
  readonly #clock = new VirtualClock(walkStartMs);
  #log = new FaultyLog(memoryLog({ clock: this.#clock }));
  #runtime: Runtime | undefined;
  #ref: ActorRef | undefined;
  /** By address, of the present host alone. */
  #open = new Map<string, OpenEffect>();
  /** Number of the step that an effect began in first: see MW4. */
  readonly #began = new Map<string, number>();
  readonly #steps: string[] = [];
  #sent = 0;

  constructor(machine: AnyStateMachine, restart: Restart) {
    this.#machine = machine;
    this.#restart = restart;
    this.#stream = streamOf(machine);
    this.#name = readStreamName(this.#stream).machine;
  }

  /** The durable snapshot. */
  get snapshot(): AnyMachineSnapshot {
    return this.#ref!.getSnapshot() as AnyMachineSnapshot;
  }

  /** The steps so far, in words. */
  get told(): string {
    return this.#steps.join(', ') || 'its start';
  }

  async start(input: unknown): Promise<void> {
    await this.#live();
    this.#ref = (await this.#runtime!.start(this.#name, { id: '1', input } as never)) as ActorRef;
    await this.#afterStep();
  }

  /** Takes a step (HM1), then kills the host if it is to be. @throws ModelMismatchError */
  async take(step: ModelStep, words: string): Promise<void> {
    this.#steps.push(words);
    if (step.kind === 'event') await this.#ref!.send(step.event, { messageId: messageIdOf(this.#sent++) });
    else if (step.kind === 'outcome') await this.#settle(step.effect, step.answer);
    else await this.#pass();
    await this.#afterStep();
  }

  /** Nothing is written any more. */
  close(): void {
    this.#log.silence();
  }

  async #afterStep(): Promise<void> {
    await this.#rest();
    if (this.#restart === 'never' || this.#holdsWhatWouldBeLost) return;
    await this.#kill();
  }

  async #settle(path: string, answer: Answer): Promise<void> {
    const [address] = [...this.#open].find(([, open]) => open.path === path) ?? [];
    if (address === undefined) throw this.#mismatch(`that effect '${path}' is open`, 'no such effect');
    if (this.#began.get(address)! < this.#steps.length - 1) await this.#advance(1);
    const open = this.#open.get(address);
    this.#open.delete(address);
    open?.settle(answer);
  }

  async #pass(): Promise<void> {
    const { wakeAt } = (await this.#log.actor(this.#stream))!;
    if (wakeAt === null) throw this.#mismatch('that a timer is armed', 'none');
    await this.#advance(Math.max(0, wakeAt - this.#clock.now()));
  }

  #mismatch(expected: string, found: string): ModelMismatchError {
    return new ModelMismatchError(this.told, expected, found);
  }

  async #advance(ms: number): Promise<void> {
    await this.#clock.advance(ms, () => this.#rest());
  }

  /** HM3. */
  get #holdsWhatWouldBeLost(): boolean {
    return [...this.#open.values()].some(
      ({ effect }) => (effectOptions(effect.actor.logic).onLost ?? 'rerun') !== 'rerun',
    );
  }

  /** HM2. */
  async #kill(): Promise<void> {
    this.#log = this.#log.reborn();
    this.#open = new Map();
    await this.#live();
    this.#ref = (await this.#runtime!.get(this.#stream)) as ActorRef;
    await this.#rest();
  }

  async #live(): Promise<void> {
    const open = this.#open;
    const standIn = (effect: PendingEffect, address: string) => {
      if (!this.#began.has(address)) this.#began.set(address, this.#steps.length);
      return standInFor(effect, (settle) => {
        open.set(address, { path: pathOf(address), effect, settle });
        return () => void open.delete(address);
      });
    };
    // Another process has nothing of what machines keep in theirs.
    forgetProcess();
    const runtime = new Runtime<Machines>(
      {
        ...{ log: this.#log, clock: this.#clock, machines: { [this.#name]: this.#machine }, logger: quiet },
        ...{ lease: false, passivate: false, keepLogOpen: true },
      },
      { standIn, stimulusId },
    );
    this.#runtime = runtime;
    await runtime.open();
  }

  async #rest(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      await this.#runtime!.idle();
    }
  }
}

type Opened = (settle: OpenEffect['settle']) => () => void;

/** What is run in the place of an effect: nothing, until the path says what it comes to. */
function standInFor({ actor }: PendingEffect, open: Opened): AnyActorLogic {
  switch (actor.kind) {
    case 'observable':
      return fromObservable(() => ({ subscribe: (observer) => ({ unsubscribe: open(ending(observer)) }) }));
    case 'eventObservable':
      return fromEventObservable(() => ({ subscribe: (observer) => ({ unsubscribe: open(ending(observer)) }) }));
    case 'callback':
      return fromCallback(() => {});
    case 'promise':
      return fromPromise(
        ({ signal }) =>
          new Promise((resolve, reject) => {
            const close = open((answer) =>
              'error' in answer ? reject(errorOf(answer.error) as Error) : resolve(outputOf(answer)),
            );
            signal.addEventListener('abort', close, { once: true });
          }),
      );
    default:
      return { ...actor.logic, start() {} };
  }
}

function ending(observer: unknown): OpenEffect['settle'] {
  const { error, complete } = observer as { error(error: unknown): void; complete(): void };
  return (answer) => ('error' in answer ? error(errorOf(answer.error)) : complete());
}

function outputOf(answer: Answer): unknown {
  return 'output' in answer ? answer.output : undefined;
}
