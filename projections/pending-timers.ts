/**
 * Which timers are armed: the projection `pendingTimers`. Owns nothing but the list; what arms and disarms a timer is in
 * fold-kit.ts.
 *
 * PT1  The earliest due time of a stream is the one of the actor index.
 */
import type { ArmedTimer, FoldKit, Shelves } from './fold-kit.ts';
import { portableProjection, type Fold, type PortableProjection } from './projection.ts';

/** A timer that will fire unless it is cancelled first. */
export interface PendingTimer extends ArmedTimer {
  readonly stream: string;
}

/** The armed timers of each stream, by their number. */
export type PendingTimersState = Shelves<Readonly<Record<string, ArmedTimer>>>;

/** All armed timers, the earliest first; then in order of stream and number. */
export const pendingTimers: PortableProjection<PendingTimersState, readonly PendingTimer[]> = portableProjection(
  'pendingTimers',
  1,
  pendingTimersFold,
);

function pendingTimersFold(kit: FoldKit): Fold<PendingTimersState, readonly PendingTimer[]> {
  return {
    initial: {},
    apply(state, event) {
      const before = kit.get(state, event.stream) ?? {};
      const after = kit.timersAfter(before, event);
      if (kit.isSame(before, after)) return state;
      return kit.put(state, event.stream, Object.keys(after).length > 0 ? after : undefined);
    },
    result: (state) =>
      kit
        .entries(state)
        .flatMap(([stream, timers]) => Object.values(timers).map((timer) => ({ stream, ...timer })))
        .sort((a, b) => a.dueAt - b.dueAt || kit.compare(a.stream, b.stream) || a.timer - b.timer),
  };
}
