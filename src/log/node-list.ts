/**
 * The list of nodes that devalue makes, checked before it is built into a value. Owns the node types that may occur and
 * what a reference to a node is; building is devalue's.
 *
 * N1  Only node types that the codec writes are let through; a list with another one was not written by it.
 * N2  Every reference points into the list or is one of devalue's constants.
 */
import { DecodeError } from '../errors.ts';

// devalue writes a few values as negative references: undefined, NaN, Infinity, -Infinity, -0.
const constants = new Set<unknown>([-1, -3, -4, -5, -6]);

/** Whether this stands for a value by itself, without a node. */
export function isConstant(reference: unknown): boolean {
  return constants.has(reference);
}

const hole = -2;
const sparse = -7;

const textTypes = new Set(['Date', 'RegExp', 'BigInt', 'ArrayBuffer', 'URL', 'URLSearchParams']);
const errorTypes = new Set(['Error', 'DOMException']);
const viewType = /^(Big)?(Int|Uint|Float)(8|16|32|64)(Clamped)?Array$|^DataView$/;

/**
 * How deeply the value behind a list is nested. Exact for a list in devalue's own order, where a node comes after the
 * node it is first reached from.
 * @throws DecodeError when the list breaks N1 or N2
 */
export function countLevels(nodes: readonly unknown[]): number {
  const levels = new Array<number>(nodes.length).fill(1);
  let deepest = 1;
  for (let at = 0; at < nodes.length; at++) {
    const below = levels[at]! + 1;
    for (const reference of referencesOf(nodes[at], at)) {
      if (isConstant(reference)) continue;
      if (!Number.isInteger(reference) || (reference as number) < 0 || (reference as number) >= nodes.length)
        throw new DecodeError(`node ${at} refers to ${JSON.stringify(reference)}, and there are ${nodes.length} nodes`);
      if ((reference as number) <= at) continue;
      levels[reference as number] = Math.max(levels[reference as number]!, below);
      deepest = Math.max(deepest, below);
    }
  }
  return deepest;
}

function referencesOf(node: unknown, at: number): readonly unknown[] {
  if (typeof node !== 'object' || node === null) return [];
  if (!Array.isArray(node)) return Object.values(node);
  const [head, ...rest] = node as readonly unknown[];
  if (typeof head === 'string') return typedReferences(head, rest, at);
  if (head === sparse) return rest.filter((_, i) => i % 2 === 0 && i > 0);
  return node.filter((reference) => reference !== hole);
}

function typedReferences(type: string, rest: readonly unknown[], at: number): readonly unknown[] {
  if (type === 'Set' || (type === 'Map' && rest.length % 2 === 0)) return rest;
  if (errorTypes.has(type) && rest.length === 1 && !isConstant(rest[0])) return rest;
  if (viewType.test(type)) return rest.slice(0, 1);
  if (textTypes.has(type) && rest.length > 0 && rest.every((part) => typeof part === 'string')) return [];
  throw new DecodeError(`node ${at} has the type ${JSON.stringify(type)} in a form that is never written`);
}
