/** The filter of a timeline. Owns what its fields mean. */
import type { Row } from '../../../src/inspect/api.ts';
import { parseFilter, predicateOf, type Term } from '../shell/filter-text.ts';

const rowFields: readonly string[] = ['kind', 'type', 'actor', 'to'];

export interface RowFilter {
  readonly terms: readonly Term[];
  readonly keeps: (row: Row) => boolean;
}

export function rowFilter(text: string): RowFilter {
  const terms = parseFilter(text, rowFields);
  return { terms, keeps: predicateOf(terms, textOf, ['kind', 'type', 'actor']) };
}

function textOf(row: Row, field: string): string {
  switch (field) {
    case 'kind':
      return row.kind;
    case 'type':
      return row.type;
    case 'actor':
      return row.actor;
    case 'to':
      return row.to ?? '';
    default:
      return [row.type, row.label, row.actor, row.to ?? '', row.message ?? ''].join('\n');
  }
}
