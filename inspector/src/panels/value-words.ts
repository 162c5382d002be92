/**
 * Values as a person reads them, and what is in them. Owns the words for what JSON has no word for: objects with one `$` key,
 * as the server gives them.
 *
 * VA1  Every value has words in one line; what is not known by name is shown as it is.
 * VA2  The children of a value have the JSON Pointers that the server knows them by.
 */
import type { Json } from '../../../src/inspect/api.ts';
import { childPointer } from './json-pointer.ts';

/** Of the theme: a string, a number, a word, and what has something in it. */
export type ValueTone = 'ok' | 'info' | 'warn' | 'muted';

export interface ValueWords {
  readonly text: string;
  readonly tone: ValueTone;
}

export interface Child {
  /** As it is shown; the text of the key of a Map. */
  readonly name: string;
  readonly path: string;
  readonly value: Json;
}

type JsonObject = { readonly [key: string]: Json };

/** What an object with one `$` key stands for. */
interface Special {
  readonly name: string;
  readonly content: Json;
}

function specialOf(value: Json): Special | undefined {
  if (!isObject(value)) return undefined;
  const keys = Object.keys(value);
  const [key] = keys;
  if (key === undefined || key.length < 2 || !key.startsWith('$')) return undefined;
  if (keys.length > 1 && !(key === '$instance' && keys.length === 2 && keys[1] === 'value')) return undefined;
  return { name: key.slice(1), content: value[key] as Json };
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value in one line. Of what has children it says how many. */
export function wordsOf(value: Json | undefined): ValueWords {
  if (value === undefined) return { text: 'nothing', tone: 'warn' };
  if (typeof value === 'string') return { text: JSON.stringify(value), tone: 'ok' };
  if (typeof value === 'number') return { text: String(value), tone: 'info' };
  if (value === null || typeof value === 'boolean') return { text: String(value), tone: 'warn' };
  const special = specialOf(value);
  if (special) return specialWords(special, value);
  return { text: Array.isArray(value) ? listText(value) : objectText(value as JsonObject), tone: 'muted' };
}

function specialWords({ name, content }: Special, value: Json): ValueWords {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const special = (words: string): ValueWords => ({ text: words, tone: 'warn' });
  switch (name) {
    case 'date':
      return special(text.replace('T', ' ').replace(/Z$/, ' UTC'));
    case 'map':
    case 'set': {
      const size = Array.isArray(content) ? content.length : 0;
      return { text: `${name === 'map' ? 'Map' : 'Set'} (${size})`, tone: 'muted' };
    }
    case 'error': {
      const { name: kind, message } = isObject(content) ? content : ({} as JsonObject);
      return special(`${typeof kind === 'string' ? kind : 'Error'}: ${typeof message === 'string' ? message : ''}`);
    }
    case 'actor':
      return special(`actor ${text}`);
    case 'bigint':
      return { text: `${text}n`, tone: 'info' };
    case 'number':
      return { text, tone: 'info' };
    case 'undefined':
      return { text: 'undefined', tone: 'warn' };
    case 'function':
      return special(`function ${text}`);
    case 'symbol':
      return special(`Symbol(${text})`);
    case 'bytes':
      return special(`${Math.floor((text.replace(/=+$/, '').length * 3) / 4)} bytes`);
    case 'cycle':
      return special(`itself, ${text} ${content === 1 ? 'level' : 'levels'} up`);
    case 'instance':
      return { text: `${text} ${objectText((value as JsonObject).value as JsonObject)}`, tone: 'muted' };
    case 'promise':
      return special('a promise');
    case 'regexp':
    case 'url':
      return special(text);
    default:
      return special(`${name}: ${text}`);
  }
}

function listText(list: readonly Json[]): string {
  return list.length === 0 ? '[]' : `[${list.length}]`;
}

function objectText(object: JsonObject): string {
  const keys = Object.keys(object);
  return keys.length === 0 ? '{}' : `{${keys.length}}`;
}

/** How many children a value has, without making them. */
export function childCount(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) return value.length;
  const special = specialOf(value);
  if (!special) return Object.keys(value).length;
  if (special.name === 'instance') return childCount((value as JsonObject).value as Json);
  return special.name === 'map' || special.name === 'set' || special.name === 'error' ? childCount(special.content) : 0;
}

/** The first children of a value. */
export function childrenOf(value: Json, path: string, limit = Infinity): readonly Child[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    return value
      .slice(0, limit)
      .map((item: Json, at) => ({ name: String(at), path: childPointer(path, at), value: item }));
  }
  const special = specialOf(value);
  if (!special) return entriesOf(value as JsonObject, path, limit);
  const inside = `${path}/$${special.name}`;
  switch (special.name) {
    case 'instance':
      return childrenOf((value as JsonObject).value as Json, `${path}/value`, limit);
    case 'error':
    case 'set':
      return childrenOf(special.content, inside, limit);
    case 'map':
      return (special.content as readonly (readonly [Json, Json])[]).slice(0, limit).map(([key, item], at) => ({
        name: typeof key === 'string' ? key : wordsOf(key).text,
        path: `${inside}/${at}/1`,
        value: item,
      }));
    default:
      return [];
  }
}

function entriesOf(object: JsonObject, path: string, limit: number): readonly Child[] {
  return Object.keys(object)
    .slice(0, limit)
    .map((key) => ({ name: key, path: childPointer(path, key), value: object[key] as Json }));
}
