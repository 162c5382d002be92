/**
 * A house on a SQLite file. Owns the file's life: where a runtime dies or goes, the file is closed, and the next one opens
 * it anew, as a restarted process does.
 *
 * FH1  What the next life knows it has read from the file.
 */
import type { Machines } from '../../src/runtime/machines.ts';
import type { Runtime, RuntimeOptions } from '../../src/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { logPath } from '../stores/sqlite/log-files.ts';
import { onTestFinished } from 'vitest';
import { House } from './house.ts';
import { settled } from './hosted-and-plain.ts';

/** A house whose log is a file. */
export class FileHouse extends House {
  readonly path: string;
  #closed: Promise<void> = Promise.resolve();

  constructor(path = logPath()) {
    super((clock) => sqliteLog(path, { clock }));
    this.path = path;
    onTestFinished(() => this.log.close());
  }

  override async openToCrash<const M extends Machines>(
    machines: M,
    options: Partial<Omit<RuntimeOptions<M>, 'machines' | 'log'>> = {},
  ): Promise<{ runtime: Runtime<M>; crash: () => void }> {
    const { runtime, crash } = await super.openToCrash(machines, options);
    return { runtime, crash: () => (crash(), this.restart()) };
  }

  override async open<const M extends Machines>(
    machines: M,
    options: Partial<Omit<RuntimeOptions<M>, 'machines'>> = {},
  ): Promise<Runtime<M>> {
    await this.#closed;
    return super.open(machines, options);
  }

  /** Closes the file and opens it again. */
  restart(): void {
    this.#closed = this.log.close();
    this.log = sqliteLog(this.path, { clock: this.clock });
  }

  override rest(): Promise<void> {
    return settled();
  }
}

/** The places in which a durable scenario is played: each makes a new house. */
export const houses: readonly (readonly [name: string, build: () => House])[] = [
  ['on the memory log', () => new House()],
  ['on a SQLite file that is closed and opened again', () => new FileHouse()],
];
