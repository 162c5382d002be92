/** How two JSON values differ, place by place. For values of two pasts, between which there is no patch. */
import type { Json } from '../../../src/inspect/api.ts';
import { childPointer } from './json-pointer.ts';
import type { Change } from './patch-marks.ts';
import { isObject } from './value-words.ts';

/** A value this deep is compared as a whole. */
const levelsMax = 60;

export function differenceOf(from: Json | undefined, to: Json | undefined): readonly Change[] {
  const found: Change[] = [];
  compare(from, to, '', found, levelsMax);
  return found;
}

function compare(
  from: Json | undefined,
  to: Json | undefined,
  path: string,
  found: Change[],
  levelsLeft: number,
): void {
  if (from === to) return;
  if (from === undefined || to === undefined) {
    found.push({ path, mark: from === undefined ? 'added' : 'removed', from, to });
    return;
  }
  const areLists = Array.isArray(from) && Array.isArray(to);
  if (levelsLeft > 0 && (areLists || (isObject(from) && isObject(to)))) {
    const [was, is] = [from, to] as readonly { readonly [key: string]: Json }[];
    for (const key of new Set([...Object.keys(was!), ...Object.keys(is!)])) {
      const own = (object: { readonly [key: string]: Json }) => (Object.hasOwn(object, key) ? object[key] : undefined);
      compare(own(was!), own(is!), childPointer(path, key), found, levelsLeft - 1);
    }
    return;
  }
  if (JSON.stringify(from) !== JSON.stringify(to)) found.push({ path, mark: 'changed', from, to });
}
