/**
 * A place for runtimes under test: one clock, one log, quiet loggers. Owns how runtimes come, crash and go in a test.
 *
 * P1  Runtimes of one place share the log and the clock, hold no lease unless asked to, and do not close the log.
 * P2  A crashed runtime's log never answers again, so nothing of it reaches the log or the test any more.
 */
import { onTestFinished } from 'vitest';
import { VirtualClock } from '../../src/clock.ts';
import type { EventLog, RecordedEvent } from '../../src/log/event-log.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Machines } from '../../src/runtime/machines.ts';
import { createRuntime, type Runtime, type RuntimeOptions } from '../../src/index.ts';
import { FaultyLog } from './faulty-log.ts';
import { rest } from './hosted-and-plain.ts';

/** A line that a runtime logged. */
export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: object;
}

/** An event of a stream with its data parsed. */
export interface ReadEvent extends Omit<RecordedEvent, 'data'> {
  readonly data: { readonly [key: string]: unknown };
}

/** Where runtimes of one test live. */
export class House {
  readonly clock = new VirtualClock();
  log: EventLog;
  readonly lines: LogLine[] = [];
  readonly logger: Logger;

  constructor(logOn: (clock: VirtualClock) => EventLog = (clock) => memoryLog({ clock })) {
    this.log = logOn(this.clock);
    const line = (level: keyof Logger) => (fields: object, message: string) =>
      void this.lines.push({ level, message, fields });
    this.logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }

  /** A log of its own view on the shared events, to be spoiled. */
  faulty(): FaultyLog {
    return new FaultyLog(this.log);
  }

  /** Opens a runtime that is closed at the end of the test. */
  async open<const M extends Machines>(
    machines: M,
    options: Partial<Omit<RuntimeOptions<M>, 'machines'>> = {},
  ): Promise<Runtime<M>> {
    const { clock, log, logger } = this;
    const runtime = await createRuntime<M>({
      log,
      clock,
      logger,
      machines,
      lease: false,
      passivate: false,
      keepLogOpen: true,
      ...options,
    });
    // A crashed runtime never gets to the end of its close.
    onTestFinished(() => void runtime.close().catch(() => {}));
    return runtime;
  }

  /** Opens a runtime that the returned function crashes. */
  async openToCrash<const M extends Machines>(
    machines: M,
    options: Partial<Omit<RuntimeOptions<M>, 'machines' | 'log'>> = {},
  ): Promise<{ runtime: Runtime<M>; crash: () => void }> {
    const log = this.faulty();
    const runtime = await this.open(machines, { ...options, log });
    return { runtime, crash: () => log.silence() };
  }

  async events(stream: string): Promise<ReadEvent[]> {
    const events: ReadEvent[] = [];
    for await (const event of this.log.readStream(stream)) {
      events.push({ ...event, data: JSON.parse(event.data) as ReadEvent['data'] });
    }
    return events;
  }

  /** The data of what its actors emitted. */
  async facts(stream: string): Promise<ReadEvent['data'][]> {
    return (await this.events(stream)).filter(({ meta }) => meta.actor !== undefined).map(({ data }) => data);
  }

  async types(stream: string): Promise<string[]> {
    return (await this.events(stream)).map(({ type }) => type);
  }

  /** Lets everything that is under way come to rest, without asking the runtimes. */
  rest(): Promise<void> {
    return rest();
  }

  /** Moves the time on and lets everything it causes come to rest. */
  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms, () => this.rest());
  }
}

/** What came of an actor: the other one of the two is undefined. */
export function outcomeOf<Output>(ended: Promise<Output>): Promise<{ output: Output | undefined; error: unknown }> {
  return ended.then(
    (output) => ({ output, error: undefined }),
    (error: unknown) => ({ output: undefined, error }),
  );
}

/** The error a promise rejects with; fails when it resolves. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  const settled = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in settled) return settled.error as Error;
  throw new Error(`Expected a rejection, got ${JSON.stringify(settled.value)}.`);
}

/** Whether a promise has settled once everything that is ready has run. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const settle = () => (pending = false);
  promise.then(settle, settle);
  await rest();
  return pending;
}
