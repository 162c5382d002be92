/** The switch of the live tail, and how its connection is. */
import type { ReadonlySignal } from '@preact/signals';
import type { TailState } from './tail.ts';

export interface LiveButtonProps {
  readonly isOn: boolean;
  readonly state: ReadonlySignal<TailState>;
  readonly onToggle: () => void;
}

const words: { readonly [state in TailState]: string } = {
  off: 'live',
  connecting: 'live',
  live: 'live',
  lost: 'connection lost',
};

export function LiveButton({ isOn, state, onToggle }: LiveButtonProps) {
  const current = isOn ? state.value : 'off';
  return (
    <button
      type="button"
      class={`button live live-${current}`}
      aria-pressed={isOn}
      title={current === 'lost' ? 'The server does not answer: trying again' : 'Show what is appended as it comes (t)'}
      onClick={onToggle}
    >
      <span class="live-dot" aria-hidden="true" />
      <span role="status">{words[current]}</span>
    </button>
  );
}
