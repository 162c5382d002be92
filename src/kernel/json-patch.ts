/**
 * JSON Patch (RFC 6902) with the three operations that a difference needs, and JSON Pointer (RFC 6901). Owns the difference of
 * two values and applying it.
 *
 * JP1  applyPatch(plainValue(before), diff(before, after)) equals plainValue(after).
 * JP2  Nothing is changed in place: what a patch does not touch is shared.
 * JP3  What two values share is not looked into, so a difference costs what differs. A value that was changed in place looks
 *      as if it were the same.
 */
import { InvalidArgumentError } from '../errors.ts';
import type { Json } from '../log/json.ts';
import { isPlainPrototype } from '../log/rich-values.ts';
import { plainValue, type NameActor } from './plain-value.ts';

/** One change. `path` is a JSON Pointer; '' is the whole. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

/** What turns one value into another, in order. */
export type JsonPatch = readonly PatchOperation[];

/** Deeper than this a value that differs is replaced as a whole. */
const levelsMax = 50;

/** What turns the plain form of one value into that of another; empty where they are the same. */
export function diff(before: unknown, after: unknown, nameActor?: NameActor): JsonPatch {
  const operations: PatchOperation[] = [];
  compare(before, after, '', { operations, nameActor, levelsLeft: levelsMax });
  return operations;
}

interface Comparison {
  readonly operations: PatchOperation[];
  readonly nameActor: NameActor | undefined;
  levelsLeft: number;
}

function compare(before: unknown, after: unknown, path: string, to: Comparison): void {
  if (Object.is(before, after)) return;
  if (to.levelsLeft > 0 && isContainer(before) && isContainer(after)) {
    to.levelsLeft--;
    if (Array.isArray(before)) {
      if (Array.isArray(after)) compareLists(before, after, path, to);
    } else if (!Array.isArray(after)) compareObjects(before, after, path, to);
    to.levelsLeft++;
    if (Array.isArray(before) === Array.isArray(after)) return;
  }
  to.operations.push({ op: 'replace', path, value: plainValue(after, to.nameActor) });
}

type Container = readonly unknown[] | { readonly [key: string]: unknown };

function isContainer(value: unknown): value is Container {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || isPlainPrototype(Object.getPrototypeOf(value));
}

function compareObjects(before: object, after: object, path: string, to: Comparison): void {
  const was = before as Record<string, unknown>;
  const is = after as Record<string, unknown>;
  for (const key of Object.keys(was)) {
    if (was[key] !== undefined && !has(is, key))
      to.operations.push({ op: 'remove', path: `${path}/${escapeKey(key)}` });
  }
  for (const key of Object.keys(is)) {
    const value = is[key];
    if (value === undefined || (value === was[key] && Object.hasOwn(was, key))) continue;
    const place = `${path}/${escapeKey(key)}`;
    if (has(was, key)) compare(was[key], value, place, to);
    else to.operations.push({ op: 'add', path: place, value: plainValue(value, to.nameActor) });
  }
}

/** What is undefined is not there: see PV3 of plain-value.ts. */
function has(object: Record<string, unknown>, key: string): boolean {
  return object[key] !== undefined && Object.hasOwn(object, key);
}

/** What stands at both ends alike stays; in between item is compared with item, and the rest goes or comes. */
function compareLists(before: readonly unknown[], after: readonly unknown[], path: string, to: Comparison): void {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && Object.is(before[start], after[start])) start++;
  let end = 0;
  while (end < shorter - start && Object.is(before[before.length - 1 - end], after[after.length - 1 - end])) end++;
  const common = shorter - end;
  for (let at = start; at < common; at++) compare(before[at], after[at], `${path}/${at}`, to);
  for (let at = before.length - end - 1; at >= common; at--)
    to.operations.push({ op: 'remove', path: `${path}/${at}` });
  for (let at = common; at < after.length - end; at++) {
    to.operations.push({ op: 'add', path: `${path}/${at}`, value: plainValue(after[at], to.nameActor) });
  }
}

/**
 * The value after a patch. `undefined` stands for a whole that is not there.
 * @throws InvalidArgumentError where the value has no such place
 */
export function applyPatch(value: Json | undefined, patch: JsonPatch): Json | undefined {
  return patch.reduce<Json | undefined>((whole, operation) => applied(whole, keysOf(operation.path), operation), value);
}

function applied(value: Json | undefined, keys: readonly string[], operation: PatchOperation): Json | undefined {
  const [key, ...deeper] = keys;
  if (key === undefined) return operation.op === 'remove' ? undefined : operation.value;
  if (typeof value !== 'object' || value === null) throw misfit(operation, value);
  const isLast = deeper.length === 0;
  if (isList(value)) {
    const at = Number(key);
    const mayBe = isLast && operation.op === 'add' ? value.length : value.length - 1;
    if (!/^(?:0|[1-9]\d*)$/.test(key) || at > mayBe) throw misfit(operation, value);
    if (!isLast) return value.with(at, applied(value[at], deeper, operation) as Json);
    if (operation.op === 'remove') return value.toSpliced(at, 1);
    return value.toSpliced(at, operation.op === 'add' ? 0 : 1, operation.value);
  }
  const object = value as { readonly [key: string]: Json };
  if ((!isLast || operation.op !== 'add') && !Object.hasOwn(object, key)) throw misfit(operation, value);
  if (isLast && operation.op === 'remove') {
    return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
  }
  const changed = isLast && operation.op !== 'remove' ? operation.value : applied(object[key], deeper, operation);
  return { ...object, [key]: changed as Json };
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function misfit({ op, path }: PatchOperation, found: Json | undefined): InvalidArgumentError {
  return InvalidArgumentError.of(`applyPatch: ${op} '${path}'`, 'a value that has this place', found);
}

/** The value at a JSON Pointer; undefined where there is none. @throws InvalidArgumentError for what is no pointer */
export function valueAt(value: Json | undefined, pointer: string): Json | undefined {
  let found: Json | undefined = value;
  for (const key of keysOf(pointer)) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    if (Array.isArray(found) && key === 'length') return undefined;
    found = (found as { readonly [key: string]: Json })[key];
  }
  return found;
}

/** The keys that a JSON Pointer leads along. @throws InvalidArgumentError */
export function keysOf(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) {
    throw InvalidArgumentError.of('JSON Pointer', "'' for the whole, or a path that begins with '/'", pointer);
  }
  return pointer
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A key as a part of a JSON Pointer. */
function escapeKey(key: string): string {
  return key.includes('~') || key.includes('/') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key;
}
