/**
 * `rewake/rx`: live projections as observables of RxJS. Owns only the bridge; what is given out and when is follow.ts's.
 *
 * RX1  Unsubscribing ends the subscription to the log at once, also while it waits.
 */
import type { EventLog } from 'rewake';
import { Observable } from 'rxjs';
import { follow } from './follow.ts';
import type { ProjectOptions } from './project.ts';
import type { Projection } from './projection.ts';

/**
 * What `follow` gives, as a cold observable: each subscriber has a fold of its own. Completes when the log closes.
 *
 * @example
 * observe(executions, runtime.log).pipe(map((actors) => actors.length), distinctUntilChanged()).subscribe(show);
 */
export function observe<State, Result>(
  projection: Projection<State, Result>,
  log: EventLog,
  options: ProjectOptions = {},
): Observable<Result> {
  return new Observable<Result>((subscriber) => {
    const ending = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, ending.signal]) : ending.signal;
    const run = async () => {
      for await (const result of follow(projection, log, { ...options, signal })) subscriber.next(result);
    };
    run().then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
    return () => ending.abort();
  });
}
