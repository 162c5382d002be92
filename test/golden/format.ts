/**
 * How a golden log is kept: one event per line with all its fields, and beside it the state in which each of its actors ends.
 * Owns the form of both files, and reading and writing them.
 *
 * GF1  A version that is there is never written again.
 * GF2  A state is told without rewake's own forms: what XState shows of it, and what stands: timers, effects, message ids.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ActorTree } from '../../src/kernel/actor-tree.ts';
import { encode } from '../../src/log/codec.ts';
import type { RecordedEvent } from '../../src/log/event-log.ts';
import type { Json } from '../../src/log/json.ts';
import { addressOf } from '../../src/kernel/actor-tree.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** Where each of its actors ends, by stream. */
export type EndStates = Readonly<Record<string, Json>>;

export interface GoldenLog {
  readonly events: readonly RecordedEvent[];
  readonly ends: EndStates;
}

/** The versions there are, oldest first. */
export function goldenVersions(): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

/** Names of the logs of a version. */
export function goldenNames(version: string): string[] {
  return readdirSync(`${folder}${version}`).flatMap((file) =>
    file.endsWith('.jsonl') ? [file.slice(0, -'.jsonl'.length)] : [],
  );
}

export function readGolden(version: string, name: string): GoldenLog {
  const path = `${folder}${version}/${name}`;
  const lines = readFileSync(`${path}.jsonl`, 'utf8').trimEnd().split('\n');
  return {
    events: lines.map((line) => JSON.parse(line) as RecordedEvent),
    ends: JSON.parse(readFileSync(`${path}.ends.json`, 'utf8')) as EndStates,
  };
}

/** GF1. */
export function writeGolden(version: string, logs: ReadonlyMap<string, GoldenLog>): void {
  if (existsSync(`${folder}${version}`)) {
    throw new Error(`test/golden/${version} is there already and is never written again: choose another version.`);
  }
  mkdirSync(`${folder}${version}`);
  for (const [name, { events, ends }] of logs) {
    const path = `${folder}${version}/${name}`;
    writeFileSync(`${path}.jsonl`, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    writeFileSync(`${path}.ends.json`, `${JSON.stringify(ends, null, 2)}\n`);
  }
}

/** GF2. */
export function endOf(tree: ActorTree): Json {
  const end = {
    tree: shapeOf(tree.rootActor.getSnapshot()),
    timers: [...(tree.timers?.values() ?? [])].map(({ source, id, seq, dueAt }) => {
      return { actor: addressOf(source), id, timer: seq, dueAt };
    }),
    effects: [...(tree.effects?.values() ?? [])].map(
      ({ actor, restarts, checkpoint, asked, interrupted, untouched }) => {
        return { actor: addressOf(actor), restarts, checkpoint, asked, interrupted, untouched };
      },
    ),
    messageIds: [...(tree.messageIds ?? [])],
  };
  return JSON.parse(JSON.stringify(end)) as Json;
}

interface SnapshotLike {
  readonly status: string;
  readonly value?: unknown;
  readonly context?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly historyValue?: Readonly<Record<string, readonly { readonly id: string }[]>>;
  readonly children?: Readonly<Record<string, { getSnapshot(): unknown } | undefined>>;
}

/** Values are told as the codec writes them: with their classes, and with what is no JSON. */
function shapeOf(snapshot: unknown): object {
  const { status, value, context, output, error, historyValue = {}, children = {} } = snapshot as SnapshotLike;
  return {
    status,
    value,
    ...{ context: valueOf(context), output: valueOf(output), error: valueOf(error) },
    history: Object.entries(historyValue).map(([id, nodes]) => [id, nodes.map((node) => node.id)]),
    children: Object.entries(children).map(([id, child]) => [id, child && shapeOf(child.getSnapshot())]),
  };
}

function valueOf(value: unknown): Json | undefined {
  return value === undefined ? undefined : encode(value, 'a value of a golden log').json;
}
