/**
 * Which page is shown. Owns the route and the address bar's hash.
 *
 * NV1  The route changes at once; the address bar follows. What is only a step replaces its entry in the history, a little
 *      later: browsers refuse more than a few changes of an address per second.
 * NV2  Back and forward lead to what was shown.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import type { PageClock } from './page-clock.ts';
import { formatRoute, parseRoute, type Route } from './route.ts';

export interface Navigation {
  readonly route: ReadonlySignal<Route>;
  /** Shows a page that one may want to come back from. */
  go(route: Route): void;
  /** The same page a little further on. */
  step(route: Route): void;
  /** The whole permalink of what is shown. */
  permalink(): string;
}

/** The part of a window that is needed. */
export interface AddressBar {
  readonly location: { readonly hash: string; readonly href: string };
  readonly history: {
    pushState(data: null, unused: string, url: string): void;
    replaceState(data: null, unused: string, url: string): void;
  };
  addEventListener(type: 'popstate' | 'hashchange', listener: () => void): void;
}

const settleMs = 250;

export function createNavigation(bar: AddressBar, clock: PageClock): Navigation {
  const route = signal(parseRoute(bar.location.hash));
  let settle: (() => void) | undefined;
  const write = () => {
    settle = undefined;
    const hash = formatRoute(route.peek());
    if (hash !== bar.location.hash) bar.history.replaceState(null, '', hash);
  };
  const writeNow = () => {
    settle?.();
    if (settle) write();
  };
  const follow = () => {
    settle?.();
    settle = undefined;
    if (bar.location.hash !== formatRoute(route.peek())) route.value = parseRoute(bar.location.hash);
  };
  bar.addEventListener('popstate', follow);
  bar.addEventListener('hashchange', follow);
  return {
    route,
    go(next) {
      const hash = formatRoute(next);
      writeNow();
      if (hash !== formatRoute(route.peek())) bar.history.pushState(null, '', hash);
      route.value = next;
    },
    step(next) {
      route.value = next;
      settle ??= clock.after(settleMs, write);
    },
    permalink: () => bar.location.href.replace(/#.*$/, '') + formatRoute(route.peek()),
  };
}
