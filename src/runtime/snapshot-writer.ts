/**
 * Writing snapshots. Owns when a cached fold is renewed; a snapshot that cannot be made or saved is only a slower load.
 */
import { describeTree } from '../kernel/tree-state.ts';
import { sealText } from '../log/envelope.ts';
import type { EventLog } from '../log/event-log.ts';
import { InvalidArgumentError } from '../errors.ts';
import type { ActorHost } from './actor-host.ts';
import type { Logger } from './logger.ts';
import type { SnapshotData } from './snapshot-reader.ts';

export class SnapshotWriter {
  readonly #log: EventLog;
  readonly #every: number;
  readonly #features: readonly string[];
  readonly #logger: Logger;
  /** Revision of the newest snapshot, or of the newest attempt, by actor in memory. */
  readonly #newest = new WeakMap<ActorHost, number>();

  /**
   * @param every renew a snapshot after this many events
   * @param features names of those that this host knows
   */
  constructor(log: EventLog, every: number, features: readonly string[], logger: Logger) {
    if (!(Number.isInteger(every) && every > 0)) {
      throw new InvalidArgumentError(`snapshots.every is a whole number of events above 0, found ${String(every)}.`);
    }
    this.#log = log;
    this.#every = every;
    this.#features = features;
    this.#logger = logger;
  }

  /** Called when everything applied to the tree is durable and nothing else is. */
  consider(host: ActorHost): void {
    const newest = this.#newest.get(host) ?? host.loadedAt;
    if (host.revision - newest < this.#every || host.tree?.status !== 'active') return;
    this.#newest.set(host, host.revision);
    try {
      const { stream, revision, info, correlationId, lastEventId, tree } = host;
      const { machine, version, definition } = info;
      const recorded = { machine, version, definition, environment: host.environment };
      const features = this.#features;
      const content: SnapshotData = { recorded, features, correlationId, lastEventId, tree: describeTree(tree!) };
      const data = JSON.stringify(content);
      const snapshot = { revision, definition, data, checksum: sealText(data) };
      this.#log.snapshots.save(stream, snapshot).catch((error: unknown) => this.#skip(stream, error));
    } catch (error) {
      this.#skip(host.stream, error);
    }
  }

  #skip(stream: string, error: unknown): void {
    this.#logger.debug({ stream, err: error }, 'no snapshot was taken; the history will be folded');
  }
}
