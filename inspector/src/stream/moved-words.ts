/**
 * Where a step of the root has led, in as few words as a row has room for. Owns what of it is left out.
 *
 * MW1  Regions of a parallel state that stayed where they were are not named again.
 * MW2  Of more than two regions the first is named, and the others are counted.
 * MW3  The innermost states are kept whole as long as there is room for them: `…packing.sealing`.
 */

/**
 * @param to the paths of the innermost states, `paying.card, shipping.packing`; before it, where that is known
 * @returns undefined where it stayed
 */
export function movedWords(to: string, before: string | undefined, columns = 23): string | undefined {
  const stayed = new Set(before?.split(separator));
  const moved = to.split(separator).filter((path) => !stayed.has(path));
  const [first, second, ...others] = moved;
  if (first === undefined) return undefined;
  if (second === undefined) return shortened(first, columns);
  const end = others.length === 0 ? undefined : `+${others.length + 1}`;
  const room =
    end === undefined ? Math.floor((columns - separator.length) / 2) : columns - separator.length - end.length;
  return [shortened(first, room), end ?? shortened(second, room)].join(separator);
}

const separator = ', ';

function shortened(path: string, room: number): string {
  if (path.length <= room) return path;
  const keys = path.split('.');
  do keys.shift();
  while (keys.length > 1 && keys.join('.').length + 1 > room);
  return keys.length === 0 ? path : `…${keys.join('.')}`;
}
