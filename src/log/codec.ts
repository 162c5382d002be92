/** Placeholder for the agreed surface; see the header that replaces this one. */
import type { Json } from './json.ts';
export interface Encoded {
  readonly json: Json;
  readonly value: unknown;
}
export declare function encode(value: unknown, what: string): Encoded;
export declare function decode(json: Json): unknown;
