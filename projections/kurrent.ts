/**
 * A portable projection as the source of one that runs inside KurrentDB. Owns the text around its functions: what KurrentDB
 * hands to a handler becomes what a fold is shown.
 *
 * KU1  The source gives what the projection gives on the same events: it has the same functions in it, by their text.
 * KU2  It uses only what KurrentDB's engine has: no modules, no clock, no eval, and a state that is JSON.
 */
import { InvalidArgumentError } from 'rewake';
import { foldKit } from './fold-kit.ts';
import type { PortableSource, Projection } from './projection.ts';
import type { LastStimulus } from './reading.ts';

/** Which events the projection reads in KurrentDB, and how its state is kept. */
export interface KurrentOptions {
  /** A category, which is the name of a machine; all streams when omitted. */
  readonly category?: string;
  /** One state for each stream, or one of all together, the default. Large logs need the first. */
  readonly partition?: 'stream' | 'none';
  /** Whether KurrentDB emits each new result to a stream; it does not when omitted. */
  readonly outputState?: boolean;
}

/**
 * The source text of a projection for KurrentDB: `fromAll().when({ … })` and so on. Its state is `{ last, state }`; its
 * result, where the engine of the server makes one (engine version 1), is what the projection gives.
 *
 * @example
 * await client.createProjection('executions', toKurrentSource(executions, { category: 'order', partition: 'stream' }));
 * @throws InvalidArgumentError for a projection that was not made by `portableProjection`
 */
export function toKurrentSource(
  projection: Pick<Projection<unknown>, 'name' | 'version'> & { readonly portable?: PortableSource },
  options: KurrentOptions = {},
): string {
  const { name, version, portable } = projection;
  if (!portable) {
    throw InvalidArgumentError.of(
      `toKurrentSource of projection '${name}'`,
      'one that was made by portableProjection: what a function remembers from outside cannot be carried',
      projection,
    );
  }
  const { make, params } = portable;
  const { category, partition = 'none', outputState = false } = options;
  const selector = category === undefined ? 'fromAll()' : `fromCategory(${JSON.stringify(category)})`;
  return [
    `// ${name.replaceAll(/[\r\n\u2028\u2029]/g, ' ')}, version ${version}`,
    `var kit = (${foldKit.toString()})();`,
    `var fold = (${make.toString()})(kit, ${params});`,
    `var eventOf = ${kurrentEvent.toString()};`,
    `${selector}${partition === 'stream' ? '.foreachStream()' : ''}.when({`,
    `  $init: function () { return { last: { at: 0, stimulus: -1, isCopy: false }, state: fold.initial }; },`,
    `  $any: function (before, raw) {`,
    `    var event = eventOf(raw, before.last);`,
    `    if (!event) return before;`,
    `    var last = { at: event.at, stimulus: event.stimulus, isCopy: event.isCopy };`,
    `    return { last: last, state: fold.apply(before.state, event) };`,
    `  },`,
    `}).transformBy(function (after) { return { result: fold.result(after.state) }; })${outputState ? '.outputState()' : ''};`,
    '',
  ].join('\n');
}

/** What KurrentDB shows a handler of an event. */
export interface KurrentEvent {
  readonly streamId: string;
  readonly sequenceNumber: number;
  readonly eventType: string;
  readonly eventId: string;
  readonly isJson: boolean;
  readonly bodyRaw: string;
  readonly metadataRaw: string | null;
}

/** Stands on its own, as the folds do. */
function kurrentEvent(raw: KurrentEvent, before: LastStimulus): unknown {
  type Node = unknown[];

  /** One value in the notation of devalue: an index into its table, or a negative number for what JSON has not. */
  function valueAt(table: Node, index: number, seen: number): unknown {
    if (index < 0) return undefined;
    const node = table[index];
    if (typeof node !== 'object' || node === null || seen > 100) return node;
    const inner = (key: unknown) => valueAt(table, key as number, seen + 1);
    if (!Array.isArray(node))
      return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, inner(value)]));
    if (typeof node[0] !== 'string') return node.map(inner);
    // A kind of value that JSON has not. Of an error its properties say it all; of the others a projection asks nothing.
    return typeof node[1] === 'number' ? inner(node[1]) : (node[1] ?? null);
  }

  function decoded(json: unknown): unknown {
    if (typeof json !== 'object' || json === null || !Object.hasOwn(json, '$devalue')) return json;
    const table = (json as { readonly $devalue: unknown }).$devalue;
    return Array.isArray(table) ? valueAt(table, 0, 0) : undefined;
  }

  // Events of KurrentDB's own begin with a dollar sign.
  if (!raw.isJson || raw.eventType.startsWith('$')) return undefined;
  const json = JSON.parse(raw.bodyRaw) as unknown;
  const meta = (raw.metadataRaw ? JSON.parse(raw.metadataRaw) : {}) as Record<string, string>;
  const isFact = meta.actor !== undefined;
  const whole = isFact ? decoded(json) : json;
  const isRecord = typeof whole === 'object' && whole !== null && !Array.isArray(whole);
  const fields = Object.entries(isRecord ? (whole as Record<string, unknown>) : {});
  const data = Object.fromEntries(fields.map(([key, value]) => [key, isFact ? value : decoded(value)]));
  const own = isFact ? undefined : data.at;
  return {
    id: raw.eventId,
    type: raw.eventType,
    schemaVersion: 1,
    stream: raw.streamId,
    revision: raw.sequenceNumber,
    meta,
    data,
    at: typeof own === 'number' ? own : before.at,
    stimulus: isFact ? before.stimulus : raw.sequenceNumber,
    isCopy: isFact ? before.isCopy : meta.$seed !== undefined,
  };
}
