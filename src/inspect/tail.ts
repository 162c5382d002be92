/**
 * What is appended, as server-sent events. Owns the stream of one listener.
 *
 * TA1  A listener that does not read is not buffered for without bound: it waits, and the log with it.
 * TA2  It begins with what comes after it was asked for, and ends with the connection or the server.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { EventLog } from '../log/event-log.ts';
import { endOfLog } from '../log/log-end.ts';
import type { SourceOf } from '../replay/label.ts';
import { rowOf } from './rows-view.ts';

const beatMs = 15_000;

/** Resolves when the listener or the server has left. */
export async function tail(
  log: EventLog,
  stream: string | null,
  {
    response,
    clock,
    signal,
    sourceOf,
  }: {
    readonly response: ServerResponse;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    /** Names the effects of a stream, as its rows do. */
    readonly sourceOf: (stream: string) => Promise<SourceOf>;
  },
): Promise<void> {
  // TA2. Who hears that it has begun asks for what is there, and is told of all that comes after this.
  const after = await endOfLog(log, signal);
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    connection: 'keep-alive',
  });
  response.write('event: beat\ndata: {}\n\n');
  const beat = () => {
    response.write('event: beat\ndata: {}\n\n');
    cancel = clock.setTimer(clock.now() + beatMs, beat);
  };
  let cancel = clock.setTimer(clock.now() + beatMs, beat);
  let source: SourceOf | undefined;
  try {
    const filter = stream === null ? {} : { filter: { streamPrefix: stream } };
    for await (const item of log.subscribe({ signal, ...filter, ...(after !== undefined && { after }) })) {
      if (item.type !== 'event' || (stream !== null && item.event.stream !== stream)) continue;
      if (stream !== null) source ??= await sourceOf(stream);
      const isFull = !response.write(`event: row\ndata: ${JSON.stringify(rowOf(item.event, source))}\n\n`);
      // TA1.
      if (isFull) await once(response, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    cancel();
    response.end();
  }
}
