/** A failure, said where it happened. */
import type { ApiFailure } from './api.ts';

export interface FailureNoticeProps {
  readonly failure: ApiFailure;
  /** What could not be done: `The frame cannot be shown`. */
  readonly what: string;
  readonly retry?: (() => void) | undefined;
}

export function FailureNotice({ failure, what, retry }: FailureNoticeProps) {
  return (
    <div class="notice bad-notice" role="alert">
      <p>
        <strong>{what}.</strong> <code class="muted">{failure.code}</code>
      </p>
      <p class="notice-text">{failure.message}</p>
      {retry ? (
        <button type="button" class="button" onClick={retry}>
          Try again
        </button>
      ) : null}
    </div>
  );
}
