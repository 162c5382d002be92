/**
 * Names that a person may have meant. Owns how near two names are.
 */

/** The names nearest to one that is not there, all as near as each other; none where nothing is near. */
export function nearestTo(wanted: string, names: Iterable<string>, most = 3): string[] {
  const far = Math.max(2, Math.floor(wanted.length / 4));
  const near: { readonly name: string; readonly distance: number }[] = [];
  const lower = wanted.toLowerCase();
  for (const name of names) {
    const distance = distanceOf(lower, name.toLowerCase(), far);
    if (distance > far) continue;
    near.push({ name, distance });
    if (near.length > most * 20) keepBest(near, most);
  }
  keepBest(near, most);
  return near.filter(({ distance }) => distance === near[0]!.distance).map(({ name }) => name);
}

function keepBest(near: { readonly name: string; readonly distance: number }[], most: number): void {
  near.sort((one, other) => one.distance - other.distance || (one.name < other.name ? -1 : 1));
  near.length = Math.min(near.length, most);
}

/** How many letters have to be put in, taken out, replaced or swapped with the next one; above `most` only that it is more. */
function distanceOf(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return most + 1;
  let [before, last]: [number[], number[]] = [[], Array.from({ length: other.length + 1 }, (_, at) => at)];
  for (let row = 1; row <= one.length; row++) {
    const next = [row];
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      let least = Math.min(last[column]! + 1, next[column - 1]! + 1, last[column - 1]! + (isSame ? 0 : 1));
      const isSwap = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (isSwap) least = Math.min(least, before[column - 2]! + 1);
      next.push(least);
    }
    if (Math.min(...next) > most) return most + 1;
    [before, last] = [last, next];
  }
  return last[other.length]!;
}
