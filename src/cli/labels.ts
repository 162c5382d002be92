/**
 * What events are called, with the effects by their own names. Owns the names of effects that events have told.
 *
 * LB1  Memory does not grow without bound while a log is followed: the newest names are kept.
 */
import { DamagedRecordError } from '../errors.ts';
import type { IntentRecord } from '../kernel/stimulus.ts';
import type { EventLog, RecordedEvent, Revision } from '../log/event-log.ts';
import { isFact } from '../log/runtime-events.ts';
import type { EventData } from '../replay/entries.ts';
import { labelOf, type SourceOf } from '../replay/label.ts';
import { listOf } from '../replay/logged-values.ts';

const namesMax = 50_000;

/** Names of effects by stream and address. */
export class EffectNames {
  readonly #names = new Map<string, string>();

  /** Takes in what an event begins. */
  learn(event: RecordedEvent): void {
    // Most events begin nothing, and need not be parsed.
    if (!event.data.includes('"intents":') || isFact(event)) return;
    const { intents } = JSON.parse(event.data) as EventData;
    for (const { actor, src } of listOf<IntentRecord>(intents)) this.#names.set(keyOf(event.stream, actor), src);
    for (const [key] of this.#names) {
      if (this.#names.size <= namesMax) break;
      this.#names.delete(key);
    }
  }

  in(stream: string): SourceOf {
    return (address) => this.#names.get(keyOf(stream, address));
  }
}

function keyOf(stream: string, address: string): string {
  return `${stream} ${address}`;
}

/** By revision. */
export type Labels = ReadonlyMap<Revision, string>;

/** What the stimuli of a stream are called, up to damage or a revision. */
export async function labelsOf(log: Pick<EventLog, 'readStream'>, stream: string, last: Revision): Promise<Labels> {
  const labels = new Map<Revision, string>();
  const names = new EffectNames();
  await upToDamage(log.readStream(stream), (event) => {
    if (event.revision > last) return false;
    if (!isFact(event)) labels.set(event.revision, labelOf(event, names.in(stream)));
    names.learn(event);
    return true;
  });
  return labels;
}

/** Learns what is begun in a stretch of a stream. */
export async function learnFrom(
  names: EffectNames,
  log: Pick<EventLog, 'readStream'>,
  stream: string,
  range: { readonly from: Revision; readonly limit: number },
): Promise<void> {
  await upToDamage(log.readStream(stream, range), (event) => {
    names.learn(event);
    return true;
  });
}

async function upToDamage(
  events: AsyncIterable<RecordedEvent>,
  take: (event: RecordedEvent) => boolean,
): Promise<void> {
  try {
    for await (const event of events) if (!take(event)) return;
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
  }
}
