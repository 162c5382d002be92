/**
 * One life of a host: a runtime on a log, from its opening to its death. Owns how it is opened and when it has come to rest;
 * when it dies is the log's, and what it is told is play.ts's.
 *
 * HL1  What of a dead host is still under way has no consequence and is no complaint.
 */
import type { Clock } from '../clock.ts';
import { seededRandom } from '../clock.ts';
import type { Machines } from '../runtime/machines.ts';
import { checkOptions, type RuntimeOptions } from '../runtime/runtime-options.ts';
import { Runtime, type Backstage } from '../runtime/runtime.ts';
import type { FaultyLog } from './faulty-log.ts';

/** What a host is opened with. */
export interface HostLifeOptions {
  readonly log: FaultyLog;
  readonly clock: Clock;
  readonly machines: Machines;
  /** Name of the host in events. */
  readonly host: string;
  /** Of its chance: that of another life is another one. */
  readonly seed: number;
  readonly runtime: Partial<RuntimeOptions>;
  readonly backstage: Backstage;
  /** Called with what the runtime complains of. */
  readonly complain: (what: string) => void;
}

const turnsMax = 2_000;
const waitingTurns = 30;
/** Some seconds: a log that does not answer at all is not waited for. */
const busyTurnsMax = 500_000;

export class HostLife {
  readonly log: FaultyLog;
  readonly runtime: Runtime;
  #isOpen = false;

  constructor({ log, clock, machines, host, seed, runtime, backstage, complain }: HostLifeOptions) {
    this.log = log;
    const logger = {
      ...silentLogger,
      error: (fields: object, message: string) => complain(complaint(message, fields)),
    };
    const options = { log, clock, machines, host, logger, random: seededRandom(seed) } as const;
    const alone = { lease: false, passivate: false, keepLogOpen: true } as const;
    this.runtime = new Runtime(checkOptions({ ...runtime, ...options, ...alone }), backstage);
    this.runtime.open().then(
      () => (this.#isOpen = true),
      (error: unknown) => {
        if (!log.death) complain(`the runtime does not open: ${String(error)}`);
        this.#isOpen = true;
      },
    );
  }

  /**
   * Until no promise and no append is under way, or it is dead, or something is due that it may wait for.
   * @returns false where it never comes to rest
   */
  async rest(isDue: () => boolean): Promise<boolean> {
    const { log } = this;
    let before = -1;
    for (let still = 0, turns = 0, busyTurns = 0; still < 2;) {
      if (turns > turnsMax || busyTurns > busyTurnsMax) return false;
      const wasIdle = await this.#turn();
      if (log.death) return true;
      // A log on a server answers in its own time, and the clock stands still until it has.
      if (log.isBusy) {
        busyTurns++;
        still = 0;
        continue;
      }
      // A call of the log that is tried again waits for the clock.
      if (isDue()) return true;
      // A runtime that waits for the clock is not idle, and asks the log nothing.
      const isWaiting = turns > waitingTurns;
      still = (wasIdle || isWaiting) && before === log.operations ? still + 1 : 0;
      before = log.operations;
      turns++;
    }
    return true;
  }

  async #turn(): Promise<boolean> {
    let isIdle = false;
    void this.runtime.idle().then(() => (isIdle = true));
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    return isIdle && this.#isOpen;
  }
}

/** A logger that keeps nothing. */
export const silentLogger = { debug() {}, info() {}, warn() {}, error() {} };

function complaint(message: string, fields: object): string {
  const { err, error = err, ...rest } = fields as { err?: unknown; error?: unknown };
  const what = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
  return `${message}${what}${error === undefined ? '' : `: ${String(error as Error)}`}`;
}
