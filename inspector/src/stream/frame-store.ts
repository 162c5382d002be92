/**
 * The frame that is shown, and those beside it. Owns the cache and what is asked for when.
 *
 * FS1  What is shown is the newest frame that was wanted; a frame that comes late never replaces it.
 * FS2  A frame at hand is shown at once. Until one comes, the last one stays, and `isLate` says so after a while.
 * FS3  One wanted frame is on its way at a time: one that was overtaken while young still comes, so that who holds a key down
 *      sees frames go by; an older one is called off.
 * FS4  At most `framesMax` frames are kept.
 */
import { batch, signal, type ReadonlySignal } from '@preact/signals';
import type { FrameView } from '../../../src/inspect/api.ts';
import { failureFrom, wasCalledOff, type ApiFailure, type PageApi } from '../shell/api.ts';
import type { PageClock } from '../shell/page-clock.ts';

export interface FrameStore {
  readonly view: ReadonlySignal<FrameView | undefined>;
  readonly failure: ReadonlySignal<ApiFailure | undefined>;
  readonly isLate: ReadonlySignal<boolean>;
  /** Shows the frame that a revision belongs to. */
  show(revision: number): void;
  /** The frame of a revision, if it is at hand. */
  peek(revision: number): FrameView | undefined;
  /** The stream has grown: what followed nothing may be followed by something. */
  grown(): void;
  /** Asks again after a failure. */
  again(): void;
  close(): void;
}

const framesMax = 80;
const lateMs = 200;
const youngMs = 120;

export function createFrameStore(api: PageApi, stream: string, clock: PageClock): FrameStore {
  const frames = new Map<number, FrameView>();
  const view = signal<FrameView | undefined>();
  const failure = signal<ApiFailure | undefined>();
  const isLate = signal(false);
  const path = `/streams/${encodeURIComponent(stream)}/frames/`;
  let wanted: number | undefined;
  let shown: number | undefined;
  let running: { readonly revision: number; readonly since: number; readonly stop: AbortController } | undefined;
  let ahead: AbortController | undefined;
  let callOffLate: (() => void) | undefined;

  const peek = (revision: number): FrameView | undefined => {
    const own = frames.get(revision);
    if (own) return own;
    for (const one of frames.values()) {
      if (one.frame.revision <= revision && revision <= one.frame.lastRevision) return one;
    }
    return undefined;
  };
  const keep = (one: FrameView): void => {
    frames.delete(one.frame.revision);
    frames.set(one.frame.revision, one);
    const oldest = frames.size > framesMax ? frames.keys().next().value : undefined;
    if (oldest !== undefined) frames.delete(oldest);
  };
  const fetchFrame = (revision: number, signal: AbortSignal) => api.get<FrameView>(path + revision, signal);

  const present = (one: FrameView, isWanted: boolean): void => {
    batch(() => {
      view.value = one;
      failure.value = undefined;
      if (!isWanted) return;
      callOffLate?.();
      callOffLate = undefined;
      isLate.value = false;
    });
    if (isWanted) void fetchAhead(one);
  };
  /** The neighbours, and one more in the direction of the last step. */
  const fetchAhead = async (one: FrameView): Promise<void> => {
    ahead?.abort();
    const stop = new AbortController();
    ahead = stop;
    const isBackwards = shown !== undefined && one.frame.revision < shown;
    shown = one.frame.revision;
    const sides = isBackwards ? (['previous', 'next'] as const) : (['next', 'previous'] as const);
    try {
      for (const side of [...sides, sides[0]]) {
        const beside = side === sides[0] ? furthest(one, side) : one[side];
        if (beside === null || frames.has(beside)) continue;
        keep(await fetchFrame(beside, stop.signal));
      }
    } catch {
      // Asked for in advance: when it is wanted it is asked for again, and then its failure is shown.
    }
  };
  /** Behind what is at hand, at most two frames away. */
  const furthest = (one: FrameView, side: 'next' | 'previous'): number | null => {
    const beside = one[side];
    const at = beside === null ? undefined : frames.get(beside);
    return at ? at[side] : beside;
  };

  const start = (revision: number): void => {
    ahead?.abort();
    const stop = new AbortController();
    running = { revision, since: clock.now(), stop };
    fetchFrame(revision, stop.signal).then(
      (one) => {
        keep(one);
        running = undefined;
        if (wanted === undefined) return;
        const isWanted = wanted === revision || (one.frame.revision <= wanted && wanted <= one.frame.lastRevision);
        const at = isWanted ? one : peek(wanted);
        if (at) present(at, true);
        else {
          present(one, false);
          start(wanted);
        }
      },
      (error: unknown) => {
        running = undefined;
        if (wanted === undefined || peek(wanted)) return;
        if (wanted !== revision || wasCalledOff(error)) {
          start(wanted);
          return;
        }
        batch(() => {
          callOffLate?.();
          callOffLate = undefined;
          isLate.value = false;
          failure.value = failureFrom(error);
        });
      },
    );
  };

  return {
    view,
    failure,
    isLate,
    peek,
    show(revision) {
      if (revision === wanted && (running || view.peek())) return;
      wanted = revision;
      const one = peek(revision);
      if (one) {
        keep(one);
        running?.stop.abort();
        present(one, true);
        return;
      }
      callOffLate ??= clock.after(lateMs, () => (isLate.value = true));
      if (!running) start(revision);
      else if (clock.now() - running.since > youngMs) running.stop.abort();
    },
    grown() {
      for (const [revision, one] of frames) {
        if (one.next === null) frames.delete(revision);
      }
      const current = view.peek();
      if (current?.next === null && wanted !== undefined && !running) start(wanted);
    },
    again() {
      failure.value = undefined;
      if (wanted !== undefined && !running) start(wanted);
    },
    close() {
      wanted = undefined;
      running?.stop.abort();
      ahead?.abort();
      callOffLate?.();
    },
  };
}
