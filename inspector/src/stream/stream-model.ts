/**
 * One stream as the page knows it: what the server says of it, its rows, its frames. Owns how they hang together.
 *
 * SM1  What was appended is taken in once, whoever told of it: a row of the tail, or the stream asked for again.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import type { Row, StreamView } from '../../../src/inspect/api.ts';
import { failureFrom, wasCalledOff, type ApiFailure, type PageApi } from '../shell/api.ts';
import type { PageClock } from '../shell/page-clock.ts';
import { createFrameStore, type FrameStore } from './frame-store.ts';
import { createRowStore, type Extent, type RowStore } from './row-store.ts';

export interface StreamModel {
  readonly stream: string;
  readonly info: ReadonlySignal<StreamView | undefined>;
  readonly failure: ReadonlySignal<ApiFailure | undefined>;
  readonly rows: RowStore;
  readonly frames: FrameStore;
  /** Asks what the stream is like now. */
  reload(): void;
  /** A row that was appended. */
  add(row: Row): void;
  close(): void;
}

const settleMs = 150;

export function createStreamModel(api: PageApi, stream: string, clock: PageClock): StreamModel {
  const closing = new AbortController();
  const info = signal<StreamView | undefined>();
  const failure = signal<ApiFailure | undefined>();
  const extent = (): Extent => info.peek() ?? { first: 0, last: -1 };
  const rows = createRowStore(api, stream, extent);
  const frames = createFrameStore(api, stream, clock);
  let callOffGrown: (() => void) | undefined;

  const growTo = (view: StreamView): void => {
    const before = info.peek();
    info.value = view;
    if (before === undefined || view.last <= before.last) return;
    callOffGrown ??= clock.after(settleMs, () => {
      callOffGrown = undefined;
      frames.grown();
    });
  };
  const reload = (): void => {
    api.get<StreamView>(`/streams/${encodeURIComponent(stream)}`, closing.signal).then(
      (view) => {
        failure.value = undefined;
        growTo({ ...view, last: Math.max(view.last, info.peek()?.last ?? view.last) });
      },
      (error: unknown) => {
        if (!wasCalledOff(error)) failure.value = failureFrom(error);
      },
    );
  };

  return {
    stream,
    info,
    failure,
    rows,
    frames,
    reload,
    add(row) {
      const before = info.peek();
      if (row.stream !== stream || before === undefined || row.revision <= before.last) return;
      rows.add(row);
      growTo({ ...before, last: row.revision });
    },
    close() {
      closing.abort();
      callOffGrown?.();
      rows.close();
      frames.close();
    },
  };
}
