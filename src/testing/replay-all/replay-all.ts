/**
 * Every actor of a log under other machines. Owns the way through the log; what becomes of one stream is
 * stream-replay.ts's, what is said of all of them replay-summary.ts's.
 *
 * RA1  Nothing is written, no effect and no custom action runs, and no lease is taken: the log may be in use.
 * RA2  One stream that stops hides no other.
 * RA3  Memory does not grow with the log.
 */
import { InvalidArgumentError, StreamDeletedError } from '../../errors.ts';
import type { ActorQuery, ActorRow, EventLog } from '../../log/event-log.ts';
import { noUpcasters, type Upcasters } from '../../log/upcast.ts';
import { FeatureSet } from '../../runtime/features.ts';
import type { Logger } from '../../runtime/logger.ts';
import { MachineRegistry, type Machines } from '../../runtime/machines.ts';
import { LogReading } from './log-reading.ts';
import { ReplayCount, type ReplaySummary } from './replay-summary.ts';
import { replayStream, type StreamReplay } from './stream-replay.ts';

/** How far it has come. */
export interface ReplayAllProgress {
  readonly streams: number;
  readonly events: number;
  /** Streams whose actor would be blocked. */
  readonly blocked: number;
  /** The stream that is folded. */
  readonly stream: string;
}

/** How the streams of a log are replayed. */
export interface ReplayAllOptions {
  /** `live` (default): those of actors that have not ended; `all`: the ended ones, too. */
  readonly streams?: 'live' | 'all';
  /** Only actors of this machine. */
  readonly machine?: string;
  /** As those of the runtime. */
  readonly upcasters?: Upcasters;
  /** Called with what became of each stream; the next one is not begun before it has resolved. */
  readonly onStream?: (replayed: StreamReplay) => void | Promise<void>;
  /** Called with every stream, and within long ones every 1,024 events. */
  readonly onProgress?: (progress: ReplayAllProgress) => void;
  /** Ends it: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Folds the history of every actor through these machines, as a runtime would do with them, and says which actors could not
 * go on: a gate for a deployment. Reads only, also beside a host that runs.
 *
 * @param machines those that are to be deployed, as `createRuntime` takes them
 * @throws InvalidArgumentError a machine or an option that is none
 * @throws LogClosedError | LogUnavailableError the log cannot be read at all
 *
 * @example
 * const summary = await replayAll(log, { order });
 * console.log(String(summary));
 * if (!summary.ok) process.exitCode = 1;
 */
export async function replayAll(
  log: EventLog,
  machines: Machines,
  options: ReplayAllOptions = {},
): Promise<ReplaySummary> {
  const { upcasters = noUpcasters, onStream, onProgress, signal } = options;
  const count = new ReplayCount(log.name);
  let stream = '';
  const tell = () => onProgress?.({ streams: count.streams, events: reading.events, blocked: count.blocked, stream });
  const reading = new LogReading(log, signal, tell);
  const registry = new MachineRegistry(machines);
  requireOptions(options, registry);
  const services = { log: reading, machines: registry, upcasters, features: new FeatureSet(), logger: quiet };
  for await (const row of log.actors(queryOf(options))) {
    signal?.throwIfAborted();
    stream = row.stream;
    tell();
    const replayed = await unlessDeleted(row, () => replayStream(row, { ...services, snapshotEvery: undefined }));
    if (!replayed) continue;
    count.push(replayed);
    await onStream?.(replayed);
  }
  return count.summary(reading.events);
}

function requireOptions({ streams = 'live', machine }: ReplayAllOptions, { names }: MachineRegistry): void {
  if (streams !== 'live' && streams !== 'all')
    throw InvalidArgumentError.of('replayAll({ streams })', "'live' or 'all'", streams);
  // Otherwise nothing would be replayed, and all be well.
  if (machine !== undefined && !names.includes(machine))
    throw InvalidArgumentError.of('replayAll({ machine })', `one of the machines given (${names.join(', ')})`, machine);
}

function queryOf({ streams = 'live', machine }: ReplayAllOptions): ActorQuery {
  return { ...(streams === 'live' && { status: 'active' }), ...(machine !== undefined && { machine }) };
}

/** What becomes of a stream; undefined where it was deleted meanwhile. */
async function unlessDeleted<T>({ stream }: ActorRow, replay: () => Promise<T>): Promise<T | undefined> {
  try {
    return await replay();
  } catch (error) {
    if (error instanceof StreamDeletedError && error.stream === stream) return undefined;
    throw error;
  }
}
