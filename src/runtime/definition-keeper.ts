/**
 * Keeps in the log what the machines of its actors look like, so that a stream can be drawn without their code. Owns when; the
 * chart is the kernel's, where it is kept the store's.
 *
 * DK1  A chart is an aid: nothing waits for it, and nothing fails with it.
 */
import { chartOf } from '../kernel/chart.ts';
import type { Definitions } from '../log/event-log.ts';
import type { Logger } from './logger.ts';
import type { RegisteredMachine } from './machines.ts';

export class DefinitionKeeper {
  readonly #definitions: Definitions | undefined;
  readonly #logger: Logger;
  readonly #kept = new Set<string>();

  constructor(definitions: Definitions | undefined, logger: Logger) {
    this.#definitions = definitions;
    this.#logger = logger;
  }

  /** Called with each machine that an actor starts or goes on with. */
  keep({ machine, definition, logic }: RegisteredMachine): void {
    if (!this.#definitions || this.#kept.has(definition)) return;
    this.#kept.add(definition);
    const skip = (error: unknown) => this.#logger.debug({ machine, err: error }, 'its chart was not kept');
    try {
      this.#definitions.save(definition, JSON.stringify(chartOf(logic))).catch(skip);
    } catch (error) {
      skip(error);
    }
  }
}
