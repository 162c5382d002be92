/** The page as a whole: its bar, and what the route leads to. */
import { useEffect, useState } from 'preact/hooks';
import type { LogView } from '../../src/inspect/api.ts';
import { ActorsPage } from './actors/actors-page.tsx';
import type { PageApi } from './shell/api.ts';
import { FailureNotice } from './shell/failure-notice.tsx';
import { Glyph, type GlyphName } from './shell/glyph.tsx';
import { Guarded } from './shell/guarded.tsx';
import { KeyHelp } from './shell/key-help.tsx';
import { useKeys } from './shell/keys.ts';
import { useLoaded } from './shell/loaded.ts';
import type { Navigation } from './shell/navigation.ts';
import { actorsRoute, formatRoute, type Route } from './shell/route.ts';
import { nextTheme, theme, type Theme } from './shell/theme.ts';
import { TracePage } from './shell/trace-page.tsx';
import { StreamPage } from './stream/stream-page.tsx';

export interface AppProps {
  readonly api: PageApi;
  readonly navigation: Navigation;
}

export function App({ api, navigation }: AppProps) {
  const route = navigation.route.value;
  const { value: log, failure, again } = useLoaded<LogView>(api, '/log');
  const [isHelpOpen, setHelpOpen] = useState(false);
  useEffect(() => {
    document.title = titleOf(route, log?.name);
  }, [route, log]);
  useKeys((key) => {
    if (key !== '?') return false;
    setHelpOpen(true);
  });
  return (
    <>
      <TopBar log={log} route={route} onHelp={() => setHelpOpen(true)} />
      {failure ? <FailureNotice failure={failure} what="The log cannot be looked at" retry={again} /> : null}
      {failure?.status === 401 ? null : (
        <Guarded what="This page broke" of={route}>
          <Shown api={api} navigation={navigation} log={log} route={route} />
        </Guarded>
      )}
      <KeyHelp isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
    </>
  );
}

function Shown({ route, ...context }: AppProps & { readonly log: LogView | undefined; readonly route: Route }) {
  switch (route.page) {
    case 'actors':
      return <ActorsPage {...context} route={route} />;
    case 'stream':
      return <StreamPage key={route.stream} {...context} route={route} />;
    case 'trace':
      return <TracePage {...context} route={route} />;
    case 'unknown':
      return (
        <main class="notice">
          <p>
            <code>{route.hash}</code> leads nowhere.
          </p>
          <p>
            <a href={formatRoute(actorsRoute)}>To the actors of the log</a>
          </p>
        </main>
      );
  }
}

function titleOf(route: Route, log: string | undefined): string {
  const what = route.page === 'stream' ? route.stream : route.page === 'trace' ? route.correlationId : log;
  return what === undefined ? 'rewake' : `${what} · rewake`;
}

interface TopBarProps {
  readonly log: LogView | undefined;
  readonly route: Route;
  readonly onHelp: () => void;
}

const payloadWords = { masked: 'values hidden', none: 'without payloads' } as const;

function TopBar({ log, route, onHelp }: TopBarProps) {
  return (
    <nav class="top-bar" aria-label="rewake">
      <a class="brand" href={formatRoute(actorsRoute)} aria-current={route.page === 'actors' ? 'page' : undefined}>
        rewake
      </a>
      <span class="top-log mono cut muted" title={log?.name}>
        {log?.name}
      </span>
      {log && log.payloads !== 'full' ? (
        <span class="badge" title="How the server was told to show payloads">
          {payloadWords[log.payloads]}
        </span>
      ) : null}
      {log?.isFile ? <span class="badge">file</span> : null}
      <span class="grow" />
      <ThemeButton />
      <button type="button" class="button plain" title="Keys (?)" aria-label="Keys" onClick={onHelp}>
        ?
      </button>
    </nav>
  );
}

const themeGlyphs: { readonly [name in Theme]: GlyphName } = { system: 'half', light: 'sun', dark: 'moon' };

function ThemeButton() {
  const words = `Theme: ${theme.value === 'system' ? 'as the system' : theme.value}`;
  return (
    <button type="button" class="button plain" title={words} aria-label={words} onClick={nextTheme}>
      <Glyph name={themeGlyphs[theme.value]} />
    </button>
  );
}
