/**
 * A projection that stays alive. Owns when a state is given out; history and live events are one feed of the log's.
 *
 * FO1  The first result comes at the seam between history and live events, and then one after every event that changed
 *      the state: none is skipped, none comes twice.
 */
import type { EventLog } from 'rewake';
import { requireLog, requireProjection } from './arguments.ts';
import { live } from './feed.ts';
import { resultOf, type Projection } from './projection.ts';
import { advanced, beginning } from './reading.ts';
import type { ProjectOptions } from './project.ts';

/**
 * Gives what the log says now, and anew whenever that changes, until the signal aborts or the log closes.
 *
 * @example
 * for await (const actors of follow(executions, runtime.log, { signal })) show(actors);
 * @throws DamagedRecordError | UpcastError | ProjectionFailedError see `onDamage`
 */
export async function* follow<State, Result>(
  projection: Projection<State, Result>,
  log: EventLog,
  options: ProjectOptions = {},
): AsyncGenerator<Result, void> {
  requireProjection(projection, 'follow');
  requireLog(log, 'follow');
  let progress = beginning(projection);
  let given: State | undefined;
  let isLive = false;
  for await (const item of live(log, options)) {
    progress = advanced(progress, item, projection, options);
    const isSeam = item.type === 'caughtUp';
    isLive ||= isSeam;
    if (!isLive || (!isSeam && progress.state === given)) continue;
    given = progress.state;
    yield resultOf(projection, progress.state);
  }
}
