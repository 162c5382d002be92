/** The inspector page: finds its token, and shows the app. */
import { render } from 'preact';
import { App } from './app.tsx';
import { apiBaseOf, httpApi, takeToken } from './shell/api.ts';
import { createNavigation } from './shell/navigation.ts';
import { pageClock } from './shell/page-clock.ts';
import { startTheme } from './shell/theme.ts';

const tokenPlace = 'rewake.token';

/** From the address, of which it is then no part; on a reload, from the tab. */
function tokenOfTab(): string | undefined {
  const { token, rest } = takeToken(location.search);
  try {
    if (token === undefined) return sessionStorage.getItem(tokenPlace) ?? undefined;
    sessionStorage.setItem(tokenPlace, token);
  } catch {
    // A browser that keeps nothing: the token lives as long as the page.
  }
  if (token !== undefined) history.replaceState(null, '', location.pathname + rest + location.hash);
  return token;
}

startTheme();
const api = httpApi({ base: apiBaseOf(location.pathname), token: tokenOfTab() });
render(<App api={api} navigation={createNavigation(window, pageClock)} />, document.getElementById('app')!);
