/**
 * The state that a stream ends in, as it is kept beside a recording, and how two of them differ. Owns its form.
 *
 * ES1  A state is told without rewake's own forms: what XState shows of it, and what stands: timers, effects, message ids.
 */
import { isDeepStrictEqual } from 'node:util';
import { addressOf, type ActorTree } from '../../kernel/actor-tree.ts';
import { encode } from '../../log/codec.ts';
import type { Json } from '../../log/json.ts';

/** ES1. */
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
  return value === undefined ? undefined : encode(value, 'a value of a recording').json;
}

/** One place at which a state is another. */
export interface StateDifference {
  /** For example `.tree.context.sum`. */
  readonly path: string;
  /** As it was recorded; undefined where nothing was. */
  readonly expected: Json | undefined;
  readonly found: Json | undefined;
}

/** Where two states differ, the innermost places, in order; none where they are equal. */
export function differencesOf(expected: Json | undefined, found: Json | undefined, path = ''): StateDifference[] {
  if (isDeepStrictEqual(expected, found)) return [];
  if (!isContainer(expected) || !isContainer(found) || Array.isArray(expected) !== Array.isArray(found))
    return [{ path, expected, found }];
  const keys = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...keys].flatMap((key) =>
    differencesOf(at(expected, key), at(found, key), `${path}${stepTo(expected, key)}`),
  );
}

type Container = Readonly<Record<string, Json>> | readonly Json[];

function isContainer(value: Json | undefined): value is Container & Json {
  return typeof value === 'object' && value !== null;
}

function at(container: Container, key: string): Json | undefined {
  return Object.hasOwn(container, key) ? (container as Readonly<Record<string, Json>>)[key] : undefined;
}

function stepTo(container: Container, key: string): string {
  if (Array.isArray(container)) return `[${key}]`;
  return /^[\w$]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
