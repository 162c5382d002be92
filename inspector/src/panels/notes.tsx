/** What stands where something is on its way, is not there, or failed. */
import type { ComponentChildren } from 'preact';
import { FailureNotice } from '../shell/failure-notice.tsx';
import type { Loaded } from '../shell/loaded.ts';

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="panel-empty muted">{children}</p>;
}

/** In the place of a frame. */
export function NoFrame({ isFailed }: { readonly isFailed: boolean }) {
  return <Empty>{isFailed ? 'There is no frame to show.' : 'Loading…'}</Empty>;
}

export interface AwaitedProps<T> {
  readonly loaded: Loaded<T>;
  /** What could not be done: `The effects cannot be shown`. */
  readonly what: string;
  readonly children: (value: T) => ComponentChildren;
}

/** What was asked for, once it is there. */
export function Awaited<T>({ loaded, what, children }: AwaitedProps<T>) {
  if (loaded.failure) return <FailureNotice failure={loaded.failure} what={what} retry={loaded.again} />;
  if (loaded.value === undefined) return <Empty>Loading…</Empty>;
  return <>{children(loaded.value)}</>;
}
