/**
 * The replays that are open. Owns how many there are, and that each has taken in what was appended.
 *
 * IR1  The ones that were used last are kept; one that is opened walks to its end by itself, so that seeks become short.
 */
import type { EventLog } from '../log/event-log.ts';
import type { Upcasters } from '../log/upcast.ts';
import { openReplay } from '../replay/open-replay.ts';
import type { Replay } from '../replay/replay.ts';
import type { Machines } from '../runtime/machines.ts';

const keptMax = 16;

export interface ReplaysOptions {
  readonly machines: Machines;
  readonly upcasters?: Upcasters | undefined;
}

export class Replays {
  readonly #log: EventLog;
  readonly #options: ReplaysOptions;
  readonly #open = new Map<string, Promise<Replay>>();

  constructor(log: EventLog, options: ReplaysOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** @throws NotFoundError | StreamDeletedError */
  async of(stream: string): Promise<Replay> {
    const known = this.#open.get(stream);
    if (known) {
      this.#open.delete(stream);
      this.#open.set(stream, known);
      const replay = await known;
      await replay.refresh();
      return replay;
    }
    const { machines, upcasters } = this.#options;
    const opening = openReplay(this.#log, stream, { machines, ...(upcasters && { upcasters }) });
    this.#open.set(stream, opening);
    for (const oldest of [...this.#open.keys()].slice(0, Math.max(0, this.#open.size - keptMax))) {
      this.#open.delete(oldest);
    }
    try {
      const replay = await opening;
      // What goes wrong on the way is said to who asks for a frame there.
      replay.prepare().catch(() => {});
      return replay;
    } catch (error) {
      this.#open.delete(stream);
      throw error;
    }
  }
}
