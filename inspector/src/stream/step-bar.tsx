/**
 * The bar that steps through a stream: buttons, a slider over its revisions, and the number to jump to. Owns what the hand
 * does to it until it is a step.
 *
 * SB1  The slider follows the hand at once; what it points at is shown a moment later.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Glyph } from '../shell/glyph.tsx';
import { pageClock } from '../shell/page-clock.ts';
import type { StepKind } from './steps.ts';

export interface StepBarProps {
  readonly first: number;
  readonly last: number;
  readonly current: number;
  readonly isNewest: boolean;
  readonly canFollow: boolean;
  readonly onStep: (kind: StepKind, direction: 1 | -1) => void;
  /** Undefined for the newest frame, whichever it is. */
  readonly onRevision: (revision: number | undefined) => void;
  readonly number: { current: HTMLInputElement | null };
}

const settleMs = 60;

export function StepBar(props: StepBarProps) {
  const { first, last, current, isNewest, canFollow, onStep, onRevision, number } = props;
  const [held, setHeld] = useState<number>();
  const [typed, setTyped] = useState<string>();
  const callOff = useRef<(() => void) | undefined>(undefined);
  useEffect(() => () => callOff.current?.(), []);
  const drag = (revision: number) => {
    setHeld(revision);
    callOff.current?.();
    callOff.current = pageClock.after(settleMs, () => {
      onRevision(revision);
      setHeld(undefined);
    });
  };
  const jump = () => {
    const revision = Number(typed);
    if (typed !== undefined && /^\d+$/.test(typed.trim())) onRevision(Math.min(last, Math.max(first, revision)));
    setTyped(undefined);
  };
  const at = held ?? current;
  return (
    <div class="step-bar" role="toolbar" aria-label="Step through the stream">
      <StepButton glyph="first" label="First event (Home)" isOff={at <= first} onPress={() => onRevision(first)} />
      <StepButton glyph="back" label="Previous event (k)" isOff={at <= first} onPress={() => onStep('row', -1)} />
      <StepButton glyph="forth" label="Next event (j)" isOff={at >= last} onPress={() => onStep('row', 1)} />
      <StepButton glyph="last" label="Last event (End)" isOff={at >= last} onPress={() => onRevision(last)} />
      <input
        class="step-slider"
        type="range"
        min={first}
        max={last}
        step={1}
        value={at}
        aria-label="Revision"
        aria-valuetext={`revision ${at} of ${last}`}
        onInput={({ currentTarget }) => drag(Number(currentTarget.value))}
      />
      <label class="step-number mono">
        <span class="hidden-label">Go to revision</span>
        <input
          ref={number}
          class="field mono"
          inputMode="numeric"
          size={Math.max(4, String(last).length)}
          value={typed ?? String(at)}
          title="Go to a revision (g)"
          onFocus={({ currentTarget }) => currentTarget.select()}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          onBlur={() => setTyped(undefined)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') jump();
            if (event.key === 'Enter' || event.key === 'Escape') {
              setTyped(undefined);
              event.currentTarget.blur();
            }
          }}
        />
        <span class="muted"> / {last}</span>
      </label>
      {canFollow ? (
        <button
          type="button"
          class="button"
          aria-pressed={isNewest}
          title="Stay at the newest event as the stream grows (f)"
          onClick={() => onRevision(isNewest ? current : undefined)}
        >
          follow
        </button>
      ) : null}
    </div>
  );
}

interface StepButtonProps {
  readonly glyph: 'first' | 'back' | 'forth' | 'last';
  readonly label: string;
  readonly isOff: boolean;
  readonly onPress: () => void;
}

function StepButton({ glyph, label, isOff, onPress }: StepButtonProps) {
  return (
    <button
      type="button"
      class="button step-button"
      aria-label={label}
      title={label}
      disabled={isOff}
      onClick={onPress}
    >
      <Glyph name={glyph} />
    </button>
  );
}
