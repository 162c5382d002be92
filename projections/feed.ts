/**
 * What projections read, over damage where the caller has chosen so. Owns how a reader goes on behind a damaged record; what
 * an event says is reading.ts's.
 *
 * FE1  A damaged record is an error, or an item that names it: a reader never passes over one by itself.
 * FE2  `caughtUp` comes once, however often the reading began anew.
 */
import { DamagedRecordError, type EventLog, type Position, type RecordedEvent, type SubscriptionItem } from 'rewake';

/** An item of the log's own feed, or a record that cannot be read. */
export type FeedItem = SubscriptionItem | { readonly type: 'damaged'; readonly error: DamagedRecordError };

/** What is to be read. */
export interface FeedOptions {
  readonly after?: Position | undefined;
  readonly stream?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onDamage?: 'stop' | 'skip' | undefined;
}

/** What is on the log now. */
export async function* history(log: EventLog, options: FeedOptions): AsyncGenerator<FeedItem, void> {
  const { stream, onDamage, signal } = options;
  const reading = signal ? { signal } : {};
  if (stream === undefined) {
    yield* behindDamage((after) => items(log.readAll({ ...reading, ...(after !== undefined && { after }) })), options);
    return;
  }
  try {
    for await (const event of log.readStream(stream, reading)) yield { type: 'event', event };
  } catch (error) {
    // What follows in this stream is not looked at: it is left out from here on.
    if (onDamage !== 'skip' || !(error instanceof DamagedRecordError)) throw error;
    yield { type: 'damaged', error };
  }
}

/** What is on the log now, `caughtUp`, and then what is written. */
export function live(log: EventLog, options: FeedOptions): AsyncGenerator<FeedItem, void> {
  const { stream, signal } = options;
  const filter = stream === undefined ? {} : { filter: { streamPrefix: stream } };
  const from = (after: Position | undefined) =>
    log.subscribe({ ...filter, ...(after !== undefined && { after }), ...(signal && { signal }) });
  return behindDamage(from, options);
}

async function* items(events: AsyncIterable<RecordedEvent>): AsyncGenerator<SubscriptionItem, void> {
  for await (const event of events) yield { type: 'event', event };
}

async function* behindDamage(
  from: (after: Position | undefined) => AsyncIterable<SubscriptionItem>,
  { after, stream, onDamage }: FeedOptions,
): AsyncGenerator<FeedItem, void> {
  let place = after;
  let caughtUp = false;
  for (;;) {
    try {
      for await (const item of from(place)) {
        if (item.type === 'event') place = item.event.position;
        if (item.type === 'checkpoint') place = item.position;
        if (item.type === 'caughtUp' && caughtUp) continue;
        caughtUp ||= item.type === 'caughtUp';
        if (item.type === 'event' && stream !== undefined && item.event.stream !== stream) continue;
        yield item;
      }
      return;
    } catch (error) {
      const isKnown = error instanceof DamagedRecordError && error.position !== undefined;
      if (onDamage !== 'skip' || !isKnown || error.position === place) throw error;
      place = error.position as Position;
      yield { type: 'damaged', error };
    }
  }
}
