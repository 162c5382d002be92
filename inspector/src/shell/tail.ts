/**
 * What is appended while one looks: the live tail. Owns the connection.
 *
 * TL1  A connection that broke is taken up again, at first soon, then less often; `onOpen` says when rows may have been missed.
 * TL2  A page that nobody sees has no connection: browsers allow only a few to one server.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import type { Row } from '../../../src/inspect/api.ts';
import type { PageClock } from './page-clock.ts';

export type TailState = 'off' | 'connecting' | 'live' | 'lost';

/** The part of an EventSource that is needed. */
export interface RowSource {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  addEventListener(type: 'row', listener: (event: { readonly data: string }) => void): void;
  close(): void;
}

export interface TailOptions {
  readonly open: () => RowSource;
  readonly clock: PageClock;
  readonly onRow: (row: Row) => void;
  readonly onOpen: () => void;
}

export interface Tail {
  readonly state: ReadonlySignal<TailState>;
  start(): void;
  stop(): void;
}

const closed = 2;
const retryMs = [1000, 2000, 5000, 10_000] as const;

export function createTail({ open, clock, onRow, onOpen }: TailOptions): Tail {
  const state = signal<TailState>('off');
  let source: RowSource | undefined;
  let failures = 0;
  let callOff: (() => void) | undefined;

  const connect = (): void => {
    callOff = undefined;
    const own = open();
    source = own;
    own.onopen = () => {
      failures = 0;
      state.value = 'live';
      onOpen();
    };
    own.onerror = () => {
      if (source !== own) return;
      state.value = 'lost';
      if (own.readyState !== closed) return; // the browser tries again by itself
      const delayMs = retryMs[Math.min(failures++, retryMs.length - 1)] ?? 10_000;
      callOff = clock.after(delayMs, connect);
    };
    own.addEventListener('row', ({ data }) => {
      if (source === own) onRow(JSON.parse(data) as Row);
    });
  };

  return {
    state,
    start() {
      if (state.peek() !== 'off') return;
      state.value = 'connecting';
      connect();
    },
    stop() {
      callOff?.();
      callOff = undefined;
      source?.close();
      source = undefined;
      state.value = 'off';
    },
  };
}
