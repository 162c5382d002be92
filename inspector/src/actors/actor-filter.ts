/**
 * The filter of the list of actors. Owns what its fields mean, and which part of it the server does.
 *
 * AF1  The server narrows down, the page decides: what the server cannot ask its index is done here, with the same words.
 */
import type { ActorSummary } from '../../../src/inspect/api.ts';
import { parseFilter, predicateOf, type Term } from '../shell/filter-text.ts';

const actorFields: readonly string[] = ['machine', 'status', 'correlation', 'is'];
export const statuses: readonly ActorSummary['status'][] = ['active', 'done', 'error', 'stopped'];

export interface ActorFilter {
  readonly terms: readonly Term[];
  /** Of `GET /actors`, without `after` and `limit`. */
  readonly params: URLSearchParams;
  readonly keeps: (actor: ActorSummary) => boolean;
}

export function actorFilter(text: string): ActorFilter {
  const terms = parseFilter(text, actorFields);
  const params = new URLSearchParams();
  for (const field of ['machine', 'status'] as const) {
    const own = terms.filter((term) => term.field === field);
    const only = own.filter(({ isNot }) => !isNot);
    if (only.every(({ isPattern }) => !isPattern)) for (const { value } of only) params.append(field, value);
    for (const { value, isNot, isPattern } of own) if (isNot && !isPattern) params.append(`not.${field}`, value);
  }
  const correlations = terms.filter(({ field, isNot }) => field === 'correlation' && !isNot);
  const [correlation] = correlations;
  if (correlations.length === 1 && correlation && !correlation.isPattern) {
    params.set('correlation', correlation.value);
  }
  const failed = terms.find(({ field, value }) => field === 'is' && value === 'failed');
  if (failed?.isNot) params.append('not.status', 'error');
  else if (failed) params.set('failed', '1');
  const named = terms.find(({ field, isNot }) => field === 'text' && !isNot);
  if (named) params.set('q', named.isPattern ? `/${named.value}/` : named.value);
  const decided = terms.filter((term) => term.field !== 'is');
  return { terms, params, keeps: predicateOf(decided, textOf, ['machine', 'status', 'correlation']) };
}

function textOf(actor: ActorSummary, field: string): string {
  switch (field) {
    case 'machine':
      return actor.machine;
    case 'status':
      return actor.status;
    case 'correlation':
      return actor.correlationId;
    default:
      return actor.stream;
  }
}
