/** The filter that is applied while another one is typed: the last one without a fault. */
import { useRef } from 'preact/hooks';
import { complaintOf, type Term } from './filter-text.ts';

export interface TypedFilter {
  readonly terms: readonly Term[];
}

export interface ValidFilter<T> {
  readonly applied: T;
  /** What is wrong with what was typed. */
  readonly complaint: string | undefined;
}

/** @param filter of what was typed, and `empty` where nothing valid was typed yet */
export function useValidFilter<T extends TypedFilter>(filter: T, empty: T): ValidFilter<T> {
  const last = useRef(empty);
  const complaint = complaintOf(filter.terms);
  if (complaint === undefined) last.current = filter;
  return { applied: last.current, complaint };
}
