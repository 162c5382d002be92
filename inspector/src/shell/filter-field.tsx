/**
 * Where a filter is typed. Owns what is typed until it is a filter.
 *
 * FF1  What is typed filters a moment after the last key, and at once with Enter.
 */
import type { Ref } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { pageClock } from './page-clock.ts';

export interface FilterFieldProps {
  readonly value: string;
  readonly label: string;
  readonly placeholder: string;
  readonly complaint: string | undefined;
  readonly field: Ref<HTMLInputElement>;
  readonly onValue: (value: string) => void;
  /** Enter, or the arrow down: on to what was found. */
  readonly onLeave: () => void;
}

const settleMs = 200;

export function FilterField({ value, label, placeholder, complaint, field, onValue, onLeave }: FilterFieldProps) {
  const [typed, setTyped] = useState(value);
  const callOff = useRef<(() => void) | undefined>(undefined);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => () => callOff.current?.(), []);
  const settle = (text: string) => {
    callOff.current?.();
    callOff.current = undefined;
    if (text !== value) onValue(text);
  };
  return (
    <span class="filter-field">
      <input
        ref={field}
        class="field mono"
        type="search"
        spellcheck={false}
        autocomplete="off"
        aria-label={label}
        aria-invalid={complaint !== undefined}
        title={complaint ?? placeholder}
        placeholder={placeholder}
        value={typed}
        onInput={({ currentTarget }) => {
          const text = currentTarget.value;
          setTyped(text);
          callOff.current?.();
          callOff.current = pageClock.after(settleMs, () => settle(text));
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' || event.key === 'ArrowDown') {
            event.preventDefault();
            settle(event.currentTarget.value);
            onLeave();
          } else if (event.key === 'Escape' && typed === '') event.currentTarget.blur();
        }}
      />
      {complaint === undefined ? null : (
        <span class="complaint bad" role="status">
          {complaint}
        </span>
      )}
    </span>
  );
}
