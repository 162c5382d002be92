/**
 * What the events of a stream are called, with the effects by their own names. Owns the names of effects that the stream told.
 */
import type { EventLog, Revision } from '../log/event-log.ts';
import { isFact } from '../log/runtime-events.ts';
import type { IntentRecord } from '../kernel/stimulus.ts';
import type { EventData } from '../replay/entries.ts';
import { labelOf } from '../replay/label.ts';
import { listOf } from '../replay/logged-values.ts';

/** By revision. */
export type Labels = ReadonlyMap<Revision, string>;

/** @throws DamagedRecordError */
export async function labelsOf(log: Pick<EventLog, 'readStream'>, stream: string, last: Revision): Promise<Labels> {
  const labels = new Map<Revision, string>();
  const sources = new Map<string, string>();
  for await (const event of log.readStream(stream)) {
    if (event.revision > last) break;
    if (isFact(event)) continue;
    labels.set(
      event.revision,
      labelOf(event, (address) => sources.get(address)),
    );
    const { intents } = JSON.parse(event.data) as EventData;
    for (const { actor, src } of listOf<IntentRecord>(intents)) sources.set(actor, src);
  }
  return labels;
}
