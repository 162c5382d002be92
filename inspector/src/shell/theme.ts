/** Light or dark: as the system says, or as was chosen in this browser. */
import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const place = 'rewake.theme';
const themes: readonly Theme[] = ['system', 'light', 'dark'];

export const theme = signal<Theme>('system');

export function startTheme(): void {
  const kept = themes.find((name) => name === remembered());
  apply(kept ?? 'system');
}

export function nextTheme(): void {
  const next = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? 'system';
  apply(next);
  try {
    localStorage.setItem(place, next);
  } catch {
    // A browser that keeps nothing still shows the page.
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(place);
  } catch {
    return null;
  }
}

function apply(next: Theme): void {
  theme.value = next;
  if (next === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
}
