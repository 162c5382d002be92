/**
 * How the actors of a log stand: as a runtime shows them, and as their events tell. Owns the two ways of looking.
 *
 * RE1  What cannot be looked at is a complaint, and hides nothing else.
 */
import type { EventLog, RecordedEvent } from '../log/event-log.ts';
import { noUpcasters } from '../log/upcast.ts';
import { FeatureSet } from '../runtime/features.ts';
import { loadActor } from '../runtime/load.ts';
import { MachineRegistry, type Machines } from '../runtime/machines.ts';
import type { RuntimeOptions } from '../runtime/runtime-options.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { silentLogger } from './host-life.ts';
import { viewOf, type ActorView } from './outcome.ts';

type Complain = (what: string) => void;
type Ends = Record<string, ActorView>;

/** Names of all actors, in order. */
export async function streamsOf(log: EventLog): Promise<string[]> {
  const streams: string[] = [];
  for await (const { stream } of log.actors()) streams.push(stream);
  return streams;
}

/** The whole log, in order. */
export async function eventsOf(log: EventLog): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of log.readAll()) events.push(event);
  return events;
}

/** By stream: how an actor stands in a runtime. */
export async function endsIn(runtime: Runtime, streams: readonly string[], complain: Complain): Promise<Ends> {
  const ends: Ends = {};
  for (const stream of streams) {
    try {
      ends[stream] = viewOf((await runtime.get(stream)).getSnapshot());
    } catch (error) {
      complain(`${stream} cannot be loaded: ${String(error)}`);
    }
  }
  return ends;
}

/** By stream: how an actor stands when its events are folded. */
export async function foldsOf(
  log: EventLog,
  streams: readonly string[],
  machines: Machines,
  { upcasters = noUpcasters, features }: Pick<Partial<RuntimeOptions>, 'upcasters' | 'features'>,
  complain: Complain,
): Promise<Ends> {
  const reading = { upcasters, features: new FeatureSet(features), logger: silentLogger, snapshotEvery: undefined };
  const services = { ...reading, log, machines: new MachineRegistry(machines) };
  const folds: Ends = {};
  for (const stream of streams) {
    const folded = await loadActor(stream, services).catch((error: unknown) => {
      complain(`${stream} cannot be folded: ${String(error)}`);
    });
    if (folded) folds[stream] = viewOf(folded.tree.rootActor.getSnapshot());
  }
  return folds;
}
