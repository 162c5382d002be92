/**
 * A chart as a log keeps it, looked at before it is believed: a log may come from anywhere. Owns what has to hold so that nobody
 * who reads it stumbles.
 *
 * KC1  It has the form of kernel/chart.ts, and no two of its states, nor of its arrows, share an id.
 */
import type { MachineChart } from '../kernel/chart.ts';

/** How deep states and machines may be in each other. */
const depthMax = 100;

type Fields = { readonly [field: string]: unknown };
type Check = (value: unknown) => boolean;

/** The chart in a text; undefined where it holds none. */
export function keptChart(text: string): MachineChart | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isChart(value, 0) ? (value as MachineChart) : undefined;
}

function isChart(value: unknown, depth: number): boolean {
  if (!isObject(value) || depth > depthMax) return false;
  const { form, id, version, root, actors } = value;
  const ids = new Set<unknown>();
  return (
    form === 1 &&
    isText(id) &&
    (version === null || isText(version)) &&
    isState(root, ids, depth) &&
    isObject(actors) &&
    Object.values(actors).every((actor) => isChart(actor, depth + 1))
  );
}

function isState(value: unknown, ids: Set<unknown>, depth: number): boolean {
  if (!isObject(value) || depth > depthMax) return false;
  const { id, key, type, initial, entry, exit, invoke, tags, states, transitions } = value;
  return (
    [id, key, type].every(isText) &&
    isNew(id, ids) &&
    [initial, entry, exit, tags].every(listOf(isText)) &&
    listOf((each) => isObject(each) && isText(each.id) && isText(each.src))(invoke) &&
    listOf((each) => isArrow(each, ids))(transitions) &&
    listOf((each) => isState(each, ids, depth + 1))(states)
  );
}

function isArrow(value: unknown, ids: Set<unknown>): boolean {
  if (!isObject(value)) return false;
  const { id, event, kind, label, targets, actions } = value;
  return [id, event, kind, label].every(isText) && isNew(id, ids) && [targets, actions].every(listOf(isText));
}

/** KC1. */
function isNew(id: unknown, ids: Set<unknown>): boolean {
  return !ids.has(id) && ids.add(id).has(id);
}

const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
