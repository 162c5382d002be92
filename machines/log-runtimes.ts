/**
 * The runtimes of logs on which functions were made recoverable. Owns when one is opened and closed; what runs on it is not
 * known here.
 *
 * LR1  A log has one runtime in this process, whatever number of functions use it: it has one owner.
 * LR2  It is opened by the first call and closed, with its log, when the last function that used it is closed.
 * LR3  It wakes no actor by itself: what goes on is what is called again or resumed.
 * LR4  One that ended by itself, because it lost its lease while the process stood still, is replaced at the next call.
 */
import { createRuntime, InvalidArgumentError, Runtime, type Duration, type EventLog, type Machines } from 'rewake';
import type { AnyStateMachine } from 'xstate';
import { breaker } from './breaker.ts';

/** Where the calls of functions are kept. */
export interface CallHost {
  /** @throws InvalidArgumentError for a name that is taken */
  add(name: string, machine: AnyStateMachine): void;
  open(user: object): Promise<Runtime>;
  close(user: object, drain: Duration): Promise<void>;
}

const hosts = new WeakMap<EventLog, CallHost>();

/** The host of a log, or of a runtime that somebody else opens and closes. */
export function hostOf(persistence: EventLog | Runtime): CallHost {
  if (persistence instanceof Runtime) return new GivenRuntime(persistence);
  let host = hosts.get(persistence);
  if (!host) hosts.set(persistence, (host = new LogRuntime(persistence)));
  return host;
}

class GivenRuntime implements CallHost {
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  add(name: string, machine: AnyStateMachine): void {
    this.#runtime.register({ breaker });
    this.#runtime.register({ [name]: machine });
  }

  async open(): Promise<Runtime> {
    return this.#runtime;
  }

  async close(): Promise<void> {}
}

class LogRuntime implements CallHost {
  readonly #log: EventLog;
  readonly #machines: Record<string, AnyStateMachine> = { breaker };
  readonly #users = new Set<object>();
  #runtime: Promise<Runtime> | undefined;
  #isClosed = false;

  constructor(log: EventLog) {
    this.#log = log;
  }

  add(name: string, machine: AnyStateMachine): void {
    if (Object.hasOwn(this.#machines, name)) {
      throw new InvalidArgumentError(
        `recoverable('${name}').name: there is another function of this name on ${this.#log.name}. Give one of them a name of its own.`,
      );
    }
    this.#machines[name] = machine;
    // A closed runtime says so to whoever calls.
    this.#runtime?.then((runtime) => runtime.register({ [name]: machine })).catch(() => {});
  }

  async open(user: object): Promise<Runtime> {
    this.#users.add(user);
    const opened = (this.#runtime ??= this.#create());
    const runtime = await opened;
    if (this.#isClosed || isOpen(runtime)) return runtime;
    // LR4: of several who find out, the first replaces it.
    if (this.#runtime === opened) this.#runtime = undefined;
    return this.open(user);
  }

  async close(user: object, drain: Duration): Promise<void> {
    if (!this.#users.delete(user) || this.#users.size > 0) return;
    this.#isClosed = true;
    await (await this.#runtime)?.close({ drain });
  }

  async #create(): Promise<Runtime> {
    try {
      const options = { machines: { ...this.#machines }, resume: false } as const;
      return await createRuntime<Machines>({ log: this.#log, ...options });
    } catch (error) {
      this.#runtime = undefined;
      throw error;
    }
  }
}

/** Whether it takes work. */
function isOpen(runtime: Runtime): boolean {
  try {
    runtime.register({});
    return true;
  } catch {
    return false;
  }
}
