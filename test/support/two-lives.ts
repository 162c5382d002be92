/**
 * One life again and again, with a crash at another append each time. Owns the two hosts of such a life, the one that dies
 * and the one after it, and where the crashes are; what is lived through, and what must be true of it, is the test's.
 *
 * CW1  Both hosts have the same log and clock; the first one falls silent at its crash, so that nothing more comes of it.
 * CW2  A sweep ends with the first life that is over before its crash. That one is checked like the others.
 */
import { VirtualClock } from '../../src/clock.ts';
import { createRuntime, type Runtime, type RuntimeOptions } from '../../src/index.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import type { Machines } from '../../src/runtime/machines.ts';
import { FaultyLog, type AppendPhase, type LogFault } from '../../src/testing/faulty-log.ts';
import { rest } from './hosted-and-plain.ts';
import { silentLogger } from './silent-logger.ts';

/** A host dies at an append, the how-many-th of the log. */
export type Crash = Extract<LogFault, { readonly fault: 'crash'; readonly append: number }>;

type OtherOptions<M extends Machines> = Partial<Omit<RuntimeOptions<M>, 'machines' | 'log'>>;

/** Two hosts, one after the other. */
export class TwoLives<const M extends Machines> {
  readonly clock = new VirtualClock();
  readonly log: EventLog = memoryLog({ clock: this.clock });
  readonly #dying: FaultyLog;
  readonly #machines: (life: 1 | 2) => M;
  readonly #options: OtherOptions<M>;

  /** @param machines those of each life: functions that count need a new one */
  constructor(crash: Crash | undefined, machines: (life: 1 | 2) => M, options: OtherOptions<M> = {}) {
    this.#dying = new FaultyLog(this.log, crash ? [crash] : []);
    this.#machines = machines;
    this.#options = options;
  }

  get crashed(): boolean {
    return this.#dying.death !== undefined;
  }

  /** The host that dies. */
  first(): Promise<Runtime<M>> {
    return this.#open(this.#dying, 1);
  }

  /** The host after it. */
  second(): Promise<Runtime<M>> {
    return this.#open(this.log, 2);
  }

  #open(log: EventLog, life: 1 | 2): Promise<Runtime<M>> {
    const { clock } = this;
    const quiet = { logger: silentLogger, lease: false, keepLogOpen: true } as const;
    return createRuntime<M>({ log, clock, machines: this.#machines(life), ...quiet, ...this.#options });
  }
}

/**
 * Lives with a crash before and after each append, and checks what came of it; `where` names the crash.
 * @returns how many lives had one
 */
export async function atEveryAppend<Life extends { readonly crashed: boolean }>(
  live: (crash: Crash) => Promise<Life>,
  check: (life: Life, where: string) => void,
): Promise<number> {
  let crashes = 0;
  for (const phase of ['beforeAppend', 'afterAppend'] satisfies AppendPhase[]) {
    for (let append = 0; ; append++) {
      const life = await live({ fault: 'crash', append, phase });
      check(life, `${phase} ${append}`);
      if (!life.crashed) break;
      crashes++;
    }
  }
  return crashes;
}

/** Until nothing was written for a while. */
export async function quiet(log: FaultyLog): Promise<void> {
  for (let before = -1, still = 0; still < 2; still = before === log.appends ? still + 1 : 0) {
    before = log.appends;
    await rest();
  }
}
