/**
 * The replays that are open. Owns how many there are, and that each has taken in what was appended.
 *
 * IR1  The ones that were used last are kept.
 * IR2  One that is asked for frames walks to its end by itself, so that seeks become short; one that is only looked at does not.
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
  readonly #walked = new WeakSet<Replay>();

  constructor(log: EventLog, options: ReplaysOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** IR2. A stream whose frames are asked for. @throws NotFoundError | StreamDeletedError */
  async of(stream: string): Promise<Replay> {
    const replay = await this.glance(stream);
    if (this.#walked.has(replay)) return replay;
    this.#walked.add(replay);
    // What goes wrong on the way is said to who asks for a frame there.
    replay.prepare().catch(() => {});
    return replay;
  }

  /** A stream of which only its beginning and its charts are looked at. @throws NotFoundError | StreamDeletedError */
  async glance(stream: string): Promise<Replay> {
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
      return await opening;
    } catch (error) {
      this.#open.delete(stream);
      throw error;
    }
  }
}
