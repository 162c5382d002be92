/**
 * What an address says by itself: parent, id, and where its actor stands among the others. Owns the taking apart; how one is made
 * is the kernel's: see stimulus.ts.
 */

/** The parent's address; null for the root. */
export function parentOf(address: string): string | null {
  if (address === '/') return null;
  const end = address.lastIndexOf('/');
  return end <= 0 ? '/' : address.slice(0, end);
}

/** The id of an actor below the root. */
export function idOf(address: string): string {
  const own = address.slice(address.lastIndexOf('/') + 1);
  const colon = own.lastIndexOf(':');
  return (colon < 0 ? own : own.slice(0, colon)).replaceAll('%2F', '/').replaceAll('%25', '%');
}

/** The ids on the way to an actor, its own last. */
export function idsIn(address: string): string[] {
  return address.split('/').map((part) => idOf(`/${part}`));
}

/** How many actors of the tree were born before it. */
export function birthOf(address: string): number {
  return sessionsOf(address).at(-1) ?? 0;
}

/** What a person calls an actor: its id, and where XState has made that up the name of its logic. */
export function nameOf(address: string, src: string | null | undefined): string {
  const id = idOf(address);
  const madeUp = /^\d+\.(.+)$/s.exec(id);
  if (!madeUp) return id;
  return src !== undefined && src !== null && !isInline(src) ? src : madeUp[1]!;
}

function isInline(src: string): boolean {
  return src === '(inline)' || src.startsWith('xstate.invoke.');
}

/** Sorts a tree: parents before children, brothers in the order of their birth. */
export function byAddress(one: { readonly address: string }, other: { readonly address: string }): number {
  const [a, b] = [sessionsOf(one.address), sessionsOf(other.address)];
  for (let at = 0; at < Math.min(a.length, b.length); at++) if (a[at] !== b[at]) return a[at]! - b[at]!;
  return a.length - b.length;
}

function sessionsOf(address: string): number[] {
  return Array.from(address.matchAll(/:(\d+)(?=\/|$)/g), ([, session]) => Number(session));
}
