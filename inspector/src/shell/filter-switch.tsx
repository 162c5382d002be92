/** A switch of a filter with three positions: off, only these, not these. */
import type { ComponentChildren } from 'preact';
import { stateOf, withTerm, type Term } from './filter-text.ts';

export interface FilterSwitchProps {
  readonly terms: readonly Term[];
  readonly field: string;
  readonly value: string;
  readonly onTerms: (terms: readonly Term[]) => void;
  readonly children: ComponentChildren;
}

const following = { off: 'only', only: 'not', not: 'off' } as const;
const words = { off: 'off', only: 'only these', not: 'all but these' } as const;

export function FilterSwitch({ terms, field, value, onTerms, children }: FilterSwitchProps) {
  const state = stateOf(terms, field, value);
  return (
    <button
      type="button"
      class={`button switch switch-${state}`}
      aria-pressed={state === 'only' ? 'true' : state === 'not' ? 'mixed' : 'false'}
      title={`${field}: ${value}: ${words[state]}. Press for: ${words[following[state]]}`}
      onClick={() => onTerms(withTerm(terms, field, value, following[state]))}
    >
      {state === 'not' ? <span class="switch-not">not</span> : null}
      {children}
    </button>
  );
}
