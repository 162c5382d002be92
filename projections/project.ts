/**
 * A projection run once, over one stream or the whole log. Owns what is read; what an event says is reading.ts's.
 */
import type { EventLog } from 'rewake';
import { requireLog, requireProjection } from './arguments.ts';
import { history } from './feed.ts';
import { resultOf, type Projection } from './projection.ts';
import { advanced, beginning, type ReadingOptions } from './reading.ts';

/** What a projection is run over. */
export interface ProjectOptions extends ReadingOptions {
  /** Only this stream; the whole log when omitted. */
  readonly stream?: string;
  readonly signal?: AbortSignal;
}

/** A log that answers at once would else keep the process to itself: others get their turn after so many events. */
const eventsPerTurn = 2_000;

/**
 * Folds what is on the log now, and gives what that says.
 *
 * @example
 * const [order] = await project(executions, runtime.log, { stream: 'order-42' });
 * console.log(order?.status, order?.waits);
 * @throws DamagedRecordError | UpcastError | ProjectionFailedError see `onDamage`
 */
export async function project<State, Result>(
  projection: Projection<State, Result>,
  log: EventLog,
  options: ProjectOptions = {},
): Promise<Result> {
  requireProjection(projection, 'project');
  requireLog(log, 'project');
  let progress = beginning(projection);
  let count = 0;
  for await (const item of history(log, options)) {
    progress = advanced(progress, item, projection, options);
    if (++count % eventsPerTurn === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return resultOf(projection, progress.state);
}
