/** The live tail of a part of the page: on while it is wanted and the page is seen. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Row } from '../../../src/inspect/api.ts';
import type { PageApi } from './api.ts';
import { pageClock } from './page-clock.ts';
import { createTail, type Tail } from './tail.ts';

export interface TailUse {
  readonly onRow: (row: Row) => void;
  readonly onOpen: () => void;
}

/** @param stream undefined for all streams */
export function useTail(api: PageApi, stream: string | undefined, isWanted: boolean, use: TailUse): Tail {
  const latest = useRef(use);
  latest.current = use;
  const isSeen = useSeen();
  const tail = useMemo(() => {
    const path = stream === undefined ? '/tail' : `/tail?stream=${encodeURIComponent(stream)}`;
    return createTail({
      open: () => new EventSource(api.url(path)),
      clock: pageClock,
      onRow: (row) => latest.current.onRow(row),
      onOpen: () => latest.current.onOpen(),
    });
  }, [api, stream]);
  useEffect(() => {
    if (!isWanted || !isSeen) return;
    tail.start();
    return () => tail.stop();
  }, [tail, isWanted, isSeen]);
  return tail;
}

function useSeen(): boolean {
  const [isSeen, setSeen] = useState(!document.hidden);
  useEffect(() => {
    const listener = () => setSeen(!document.hidden);
    document.addEventListener('visibilitychange', listener);
    return () => document.removeEventListener('visibilitychange', listener);
  }, []);
  return isSeen;
}
