/**
 * A hosted breaker and one who uses it as a step does: it asks, reports, and sends only what changes the breaker. Owns
 * how a scenario is played; what it shows is the test's.
 *
 * G1  The user sends nothing that the pure questions answer; a scenario therefore plays through them as well.
 * G2  Facts are read from the log, so what is seen is durable.
 */
import type { BreakerEvent, BreakerFact } from '../../machines/breaker-facts.ts';
import type { BreakerOptions } from '../../machines/breaker-options.ts';
import {
  answerOf,
  answerWithoutRecord,
  breakerState,
  changesNothing,
  type BreakerAnswer,
  type BreakerContext,
  type BreakerState,
  type CallReport,
  type Permit,
} from '../../machines/breaker-permit.ts';
import { breaker } from '../../machines/breaker.ts';
import type { ActorRef } from '../../src/runtime/actor-ref.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { House } from '../support/house.ts';

/** Letters of a script: success, failure, ignored. */
const outcomes = { S: 'success', F: 'failure', I: 'ignored' } as const;

export class BreakerStage {
  readonly house: House;
  readonly #options: BreakerOptions;
  #crash = () => {};
  #ref!: ActorRef<typeof breaker>;
  #runtime!: Runtime<{ breaker: typeof breaker }>;
  #calls = 0;
  #read = 0;

  private constructor(house: House, options: BreakerOptions) {
    this.house = house;
    this.#options = options;
  }

  static async open(options: BreakerOptions = {}, house = new House()): Promise<BreakerStage> {
    const stage = new BreakerStage(house, options);
    await stage.#start();
    return stage;
  }

  get nowMs(): number {
    return this.house.clock.now();
  }

  get context(): BreakerContext {
    return this.#ref.getSnapshot().context;
  }

  get snapshot() {
    return this.#ref.getSnapshot();
  }

  get state(): BreakerState {
    return breakerState(this.#ref.getSnapshot());
  }

  /** The host dies, and another one takes over after this time. */
  async reload(downMs = 0): Promise<void> {
    this.#crash();
    this.house.clock.jump(downMs);
    await this.#start();
    await this.#runtime.idle();
  }

  close(): Promise<void> {
    return this.#runtime.close();
  }

  async send(event: BreakerEvent): Promise<void> {
    await this.#ref.send(event);
  }

  /** Asks for a permit as a step does. */
  async ask(id = `call-${++this.#calls}`): Promise<BreakerAnswer> {
    const answer = answerWithoutRecord(this.snapshot, id, this.nowMs);
    if (answer) return answer;
    await this.send({ type: 'permit.asked', id });
    return answerOf(this.snapshot, id, this.nowMs);
  }

  /** Asks for a permit that it is known to get. */
  async admitted(id?: string): Promise<Permit> {
    const { permit, refused } = await this.ask(id);
    if (!permit) throw new Error(`Expected a permit, was refused: ${JSON.stringify(refused)}`);
    return permit;
  }

  /** Reports an outcome as a step does. */
  async report(permit: Permit, outcome: keyof typeof outcomes, report: Omit<CallReport, 'outcome'> = {}) {
    const whole = { ...report, outcome: outcomes[outcome] };
    if (changesNothing(this.snapshot, permit, whole, this.nowMs)) return;
    await this.send({ type: 'outcome.reported', permit, ...whole });
  }

  /** Makes one call after the other, one a letter of `script`: each asks and reports. Blanks are for reading. */
  async calls(script: string, report: Omit<CallReport, 'outcome'> = {}): Promise<void> {
    for (const letter of script.replaceAll(' ', '')) {
      await this.report(await this.admitted(), letter as keyof typeof outcomes, report);
    }
  }

  async advance(ms: number): Promise<void> {
    await this.house.advance(ms);
  }

  /** Facts since the last time, without the key. */
  async facts(): Promise<Omit<BreakerFact, 'key'>[]> {
    const facts = await this.house.facts('breaker-db');
    const fresh = facts.slice(this.#read);
    this.#read = facts.length;
    return fresh.map(({ key: _, ...fact }) => fact as unknown as Omit<BreakerFact, 'key'>);
  }

  /** Types of the facts since the last time. */
  async factTypes(): Promise<string[]> {
    return (await this.facts()).map(({ type }) => type);
  }

  /** How many events the breaker's stream has. */
  async length(): Promise<number> {
    return (await this.house.events('breaker-db')).length;
  }

  async #start(): Promise<void> {
    const { runtime, crash } = await this.house.openToCrash({ breaker });
    this.#crash = crash;
    this.#runtime = runtime;
    this.#ref = await runtime.start('breaker', { id: 'db', input: { key: 'db', options: this.#options } });
  }
}
