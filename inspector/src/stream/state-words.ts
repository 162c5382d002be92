/** A state value in one line: `paying.card`, and regions of a parallel state with commas: `paying.card, shipping`. */
import type { Json } from '../../../src/inspect/api.ts';

export function stateWords(value: Json): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return '';
  return Object.entries(value)
    .map(([key, inner]) => {
      const words = stateWords(inner);
      if (words === '') return key;
      return words.includes(', ') ? `${key}.(${words})` : `${key}.${words}`;
    })
    .join(', ');
}
