/**
 * Something that is asked of the server: on its way, there, or failed.
 *
 * LD1  An answer that nobody waits for any more is thrown away.
 */
import { useEffect, useState } from 'preact/hooks';
import { failureFrom, wasCalledOff, type ApiFailure, type PageApi } from './api.ts';

export interface Loaded<T> {
  /** What was there last, while the next one of the same path is on its way. */
  readonly value: T | undefined;
  readonly failure: ApiFailure | undefined;
  readonly again: () => void;
}

/** @param version asks again when it changes, and keeps what is there meanwhile */
export function useLoaded<T>(api: PageApi, path: string, version: unknown = 0): Loaded<T> {
  const [state, setState] = useState<{ path: string; value?: T; failure?: ApiFailure }>({ path });
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    api.get<T>(path, controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setState({ path, value });
      },
      (error: unknown) => {
        if (!controller.signal.aborted && !wasCalledOff(error)) setState({ path, failure: failureFrom(error) });
      },
    );
    return () => controller.abort();
  }, [api, path, version, tries]);
  const isOfPath = state.path === path;
  return {
    value: isOfPath ? state.value : undefined,
    failure: isOfPath ? state.failure : undefined,
    again: () => setTries((count) => count + 1),
  };
}
