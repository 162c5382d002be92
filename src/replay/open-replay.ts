/**
 * Opens a stream for walking. Owns what is checked and read before the first frame: the options, the head and the beginning.
 */
import { DamagedRecordError, InvalidArgumentError } from '../errors.ts';
import type { Json } from '../log/json.ts';
import { noUpcasters } from '../log/upcast.ts';
import { readStreamName } from '../log/stream-name.ts';
import { FeatureSet } from '../runtime/features.ts';
import { rootIdOf } from '../runtime/fold-history.ts';
import { MachineRegistry } from '../runtime/machines.ts';
import { checkNames } from '../runtime/runtime-options.ts';
import { Charts } from './charts.ts';
import { definitionIn, type DefinitionInForce } from './definition-in.ts';
import { EntryReader } from './entries.ts';
import type { Replay, ReplayedLog, ReplayOptions } from './replay.ts';
import { DefinitionsInForce, StreamReplay } from './stream-replay.ts';
import { Walk } from './walk.ts';

const everyDefault = 100;

/**
 * Opens a stream to be walked, forwards and backwards. Reads its head and its first events; frames are made when they are asked
 * for. With the machines that the stream was written by frames come from them, otherwise from what the log says.
 *
 * @example
 * const replay = await openReplay(log, 'order-42', { machines: { order } });
 * const end = await replay.at(replay.last);
 * console.log(end.label, end.actors[0]?.value, await replay.previous(end));
 * @throws NotFoundError | StreamDeletedError | InvalidArgumentError
 */
export async function openReplay(log: ReplayedLog, stream: string, options: ReplayOptions = {}): Promise<Replay> {
  checkNames('openReplay()', options, ['machines', 'upcasters', 'source', 'every']);
  const { upcasters = noUpcasters, every = everyDefault } = options;
  if (!Number.isInteger(every) || every < 1) {
    throw InvalidArgumentError.of('openReplay({ every })', 'a whole number from 1', every);
  }
  const machines = new MachineRegistry(options.machines ?? {});
  const source = sourceOf(options, machines, stream);
  const { machine } = readStreamName(stream);
  const services = { log, machines, upcasters, features: new FeatureSet() };
  const charts = new Charts(log.definitions, machines);
  const definitions = new DefinitionsInForce();
  const { inForce, rootId } = await beginning(log, stream, new EntryReader(stream, services));
  const walk = new Walk({
    ...{ ...services, stream, machine, rootId, charts, every, usesCode: source === 'code' },
    onDefinition: (from, definition) => definitions.add(from, { definition }),
  });
  const version = inForce?.version ?? null;
  const replay = new StreamReplay({ log, stream, machine, version, source, charts, every, definitions, walk });
  await replay.takeHead();
  if (inForce) {
    await charts.look(inForce.definition, machine, version);
    definitions.add(replay.first, inForce);
  }
  return replay;
}

function sourceOf({ source = 'code' }: ReplayOptions, machines: MachineRegistry, stream: string): 'code' | 'log' {
  if (source !== 'code' && source !== 'log') {
    throw InvalidArgumentError.of('openReplay({ source })', "'code' or 'log'", source);
  }
  return machines.names.includes(readStreamName(stream).machine) ? source : 'log';
}

/** What the first event says of the actor, where it can be read. */
async function beginning(
  log: ReplayedLog,
  stream: string,
  reader: EntryReader,
): Promise<{ readonly inForce: DefinitionInForce | undefined; readonly rootId: string }> {
  const otherwise = { inForce: undefined, rootId: readStreamName(stream).id };
  const head = await log.head(stream);
  if (head.state === 'absent' || head.state === 'deleted') return otherwise;
  try {
    const first = await reader.read(head.state === 'truncated' ? head.before : 0, head.revision);
    if (!first) return otherwise;
    const data = first.stimulus.data as Json;
    return { inForce: definitionIn(first.stimulus), rootId: rootIdOf({ data, stream }) };
  } catch (error) {
    if (error instanceof DamagedRecordError) return otherwise;
    throw error;
  }
}
