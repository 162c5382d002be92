/**
 * The keys of a stream's page. Owns which key means what; the same list is in shell/key-help.tsx.
 *
 * SK1  The arrows, Home and End step only where nothing else has the focus, or the timeline has it: elsewhere they scroll.
 */
import { useKeys } from '../shell/keys.ts';
import type { StepKind } from './steps.ts';

export interface StreamKeys {
  readonly step: (kind: StepKind, direction: 1 | -1) => void;
  readonly toFirst: () => void;
  readonly toLast: () => void;
  readonly typeNumber: () => void;
  readonly typeFilter: () => void;
  /** Undefined where nothing is appended. */
  readonly toggleFollow: (() => void) | undefined;
  readonly toggleLive: (() => void) | undefined;
  readonly copy: () => void;
  readonly turnPanel: (by: 1 | -1) => void;
  readonly up: () => void;
}

export function useStreamKeys(keys: StreamKeys): void {
  const byKey: { readonly [key: string]: (() => void) | undefined } = {
    j: () => keys.step('row', 1),
    k: () => keys.step('row', -1),
    J: () => keys.step('change', 1),
    K: () => keys.step('change', -1),
    g: keys.typeNumber,
    '/': keys.typeFilter,
    f: keys.toggleFollow,
    t: keys.toggleLive,
    c: keys.copy,
    '[': () => keys.turnPanel(-1),
    ']': () => keys.turnPanel(1),
    u: keys.up,
  };
  const inList: { readonly [key: string]: (() => void) | undefined } = {
    ArrowDown: byKey.j,
    ArrowUp: byKey.k,
    Home: keys.toFirst,
    End: keys.toLast,
  };
  useKeys((key, { target }) => {
    const isInList =
      !(target instanceof HTMLElement) || target === document.body || target.closest('.timeline') !== null;
    const run = byKey[key] ?? (isInList ? inList[key] : undefined);
    if (!run) return false;
    run();
  });
}
