/**
 * Keys that work wherever the focus is. Owns when a key is the page's and when it belongs to what has the focus.
 *
 * KY1  What is typed into a field is text, and a key with Ctrl, Alt or Meta is the browser's.
 */
import { useEffect } from 'preact/hooks';

export type KeyHandler = (key: string, event: KeyboardEvent) => boolean | void;

/** @param onKey returns false for a key that it has no use for */
export function useKeys(onKey: KeyHandler): void {
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
      if (takesKeys(event.target, event.key)) return;
      if (onKey(event.key, event) !== false) event.preventDefault();
    };
    document.addEventListener('keydown', listener);
    return () => document.removeEventListener('keydown', listener);
  }, [onKey]);
}

const moving = /^(?:Arrow|Home|End|Page|Enter| )/;

function takesKeys(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  if (target instanceof HTMLInputElement) return target.type !== 'range' || moving.test(key);
  const pressed = key === 'Enter' || key === ' ';
  if (pressed && target.closest('button, a, summary, [role="treeitem"]')) return true;
  return moving.test(key) && target.closest('[data-own-keys], [role="tablist"], [role="tree"], [role="grid"]') !== null;
}
