/**
 * Logs and stores for projections that are kept. Owns how a process that keeps one dies, and the events that are kept.
 *
 * KP1  A process that has died is silent: no call of it is answered, and nothing of it reaches log or store any more.
 */
import { sealEvent } from '../../src/log/envelope.ts';
import {
  memoryLog,
  VirtualClock,
  type EventLog,
  type ProjectionStore,
  type RecordedEvent,
  type StoredProjection,
} from 'rewake';
import { memoryProjections } from 'rewake/projections';
import { sqliteLog, type SqliteLog } from 'rewake/sqlite';
import { onTestFinished } from 'vitest';
import { settled } from '../support/hosted-and-plain.ts';
import { logPath } from '../stores/sqlite/log-files.ts';
import { allLives } from './lived.ts';

/** A log and a store that outlive their processes. */
export interface Place {
  readonly clock: VirtualClock;
  readonly log: EventLog;
  readonly store: ProjectionStore;
  /** What the next process finds: a SQLite file is closed and opened again. */
  next(): Promise<void>;
}

class MemoryPlace implements Place {
  readonly clock = new VirtualClock();
  readonly log = memoryLog({ clock: this.clock });
  readonly store = memoryProjections();
  async next(): Promise<void> {}
}

/** A SQLite file that is closed and opened again. */
export class FilePlace implements Place {
  readonly clock = new VirtualClock();
  readonly path = logPath();
  #log: SqliteLog = sqliteLog(this.path, { clock: this.clock });

  constructor() {
    onTestFinished(() => this.#log.close());
  }

  get log(): EventLog {
    return this.#log;
  }

  get store(): ProjectionStore {
    return this.#log.projections;
  }

  async next(): Promise<void> {
    await this.#log.close();
    this.#log = sqliteLog(this.path, { clock: this.clock });
  }
}

/** The places in which something is kept: each makes a new one. */
export const places: readonly (readonly [name: string, build: () => Place])[] = [
  ['in memory', () => new MemoryPlace()],
  ['in a SQLite file', () => new FilePlace()],
];

/** Everything that is ready runs, what SQLite commits in turns of its own, too. */
export const calm = settled;

/** Moves the time on and lets everything it causes come to rest. */
export async function wait(place: Place, ms: number): Promise<void> {
  await place.clock.advance(ms, calm);
}

/** Appends of some lives, each stream with a name of its own, one life after the other. */
export async function someAppends(count: number): Promise<RecordedEvent[][]> {
  const lives = await allLives();
  const step = Math.max(1, Math.floor(lives.length / count));
  const appends: RecordedEvent[][] = [];
  lives
    .filter((_, index) => index % step === 0)
    .forEach(({ events }, life) => {
      for (const event of events) {
        const stream = `${event.stream}.${life}`;
        const own = { ...event, ...sealEvent(event, { stream, revision: event.revision }), stream };
        if (event.meta.actor === undefined) appends.push([own]);
        else appends.at(-1)!.push(own);
      }
    });
  return appends;
}

/** Writes appends as their runtime has written them. */
export async function write(log: EventLog, appends: readonly (readonly RecordedEvent[])[]): Promise<void> {
  for (const append of appends) {
    const events = append.map(({ stream: _, revision: __, position: ___, recordedAt: ____, ...event }) => event);
    await log.append(append[0]!.stream, 'any', events);
  }
}

/** Where a process dies: at which save of it, before it is written or after it and before anyone hears. */
export interface SaveCrash {
  readonly save: number;
  readonly phase: 'before' | 'after';
}

/** A process that keeps projections until it dies. */
export class DyingProcess {
  readonly log: EventLog;
  readonly store: ProjectionStore;
  saves = 0;
  dead = false;
  readonly #crash: SaveCrash | undefined;

  constructor({ log, store }: Place, crash?: SaveCrash) {
    this.#crash = crash;
    const own = this.#guarded(log);
    const lease: EventLog['lease'] = async (...args) => {
      const claimed = await own.lease(...args);
      return claimed && this.#guarded(claimed);
    };
    this.log = new Proxy(own, {
      get: (target, key) => (key === 'lease' ? lease : (Reflect.get(target, key) as unknown)),
    });
    const guarded = this.#guarded(store);
    this.store = new Proxy(guarded, {
      get: (target, key) => (key === 'save' ? this.#save(store) : (Reflect.get(target, key) as unknown)),
    });
  }

  die(): void {
    this.dead = true;
  }

  #save(store: ProjectionStore): ProjectionStore['save'] {
    return async (name, version, slot, stored: StoredProjection) => {
      if (this.dead) return silence();
      const isLast = this.#crash !== undefined && this.saves === this.#crash.save;
      this.saves++;
      if (!isLast) return store.save(name, version, slot, stored);
      this.dead = true;
      if (this.#crash!.phase === 'after') await store.save(name, version, slot, stored);
      return silence();
    };
  }

  #guarded<T extends object>(whole: T): T {
    return new Proxy(whole, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) =>
          this.dead ? silence() : (member as (...args: unknown[]) => unknown).apply(target, args);
      },
    });
  }
}

function silence<T>(): Promise<T> {
  return new Promise<T>(() => {});
}
