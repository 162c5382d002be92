/**
 * The file of a fork's edits: a JSON list of `PastEdit`, or one of them. Owns its check; what an edit may ask of a past is
 * past-edits.ts's.
 *
 *   [{ "edit": "replace", "revision": 4, "with": { "event": { "type": "PAY", "amount": 3 } } },
 *    { "edit": "drop", "revision": 6 }]
 */
import type { AnyEventObject } from 'xstate';
import type { Json } from '../log/json.ts';
import type { EditedContent, PastEdit } from '../replay/past-edit.ts';
import { UsageError } from './usage-error.ts';

type JsonObject = { readonly [key: string]: Json };

const contents = ['input', 'event', 'output', 'error', 'value'] as const;

/** @throws UsageError naming the edit that is not one */
export function editsOf(json: Json, file: string): PastEdit[] {
  const list = Array.isArray(json) ? (json as readonly Json[]) : [json];
  return list.map((item, index) => editOf(item, `'${file}', edit ${index + 1}`));
}

function editOf(item: Json, where: string): PastEdit {
  const wrong = (expected: string) =>
    new UsageError(`${where}: expected ${expected}, found ${JSON.stringify(item).slice(0, 120)}.`);
  const fields = isObject(item) ? item : {};
  const { edit, revision, after, event, to } = fields;
  switch (edit) {
    case 'drop':
      if (!isRevision(revision)) throw wrong('the revision to leave out, such as { "edit": "drop", "revision": 4 }');
      return { edit, revision };
    case 'move':
      if (!isRevision(revision) || !isRevision(after)) throw wrong('a revision, and after which one it comes');
      return { edit, revision, after };
    case 'insert':
      if (!isRevision(after) || !isEvent(event)) throw wrong('an event with a type, and after which revision it comes');
      return { edit, after, event, ...(typeof to === 'string' && { to }) };
    case 'replace': {
      const content = contentOf(fields['with']);
      if (!isRevision(revision) || !content) throw wrong(`a revision, and in "with" one of ${contents.join(', ')}`);
      return { edit, revision, with: content };
    }
    default:
      throw wrong('"edit" to be one of drop, replace, insert, move');
  }
}

function contentOf(given: Json | undefined): EditedContent | undefined {
  if (!isObject(given) || Object.keys(given).length !== 1) return undefined;
  const key = contents.find((name) => Object.hasOwn(given, name));
  if (key === undefined || (key === 'event' && !isEvent(given['event']))) return undefined;
  return { [key]: key === 'error' ? errorOf(given['error']!) : given[key] } as unknown as EditedContent;
}

/** An error is told by its message; any other value is thrown as it is. */
function errorOf(json: Json): unknown {
  if (!isObject(json) || typeof json['message'] !== 'string') return json;
  const { message, name, ...rest } = json;
  const error = Object.assign(new Error(message as string), rest);
  if (typeof name === 'string')
    Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  return error;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRevision(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function isEvent(value: Json | undefined): value is Json & AnyEventObject {
  return isObject(value) && typeof value['type'] === 'string';
}
