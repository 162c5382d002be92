/** What one correlation id caused, across all streams: what the panel `trace` shows, as a page of its own. */
import { Trace } from '../panels/trace-panel.tsx';
import { Guarded } from './guarded.tsx';
import type { PageContext } from './page-context.ts';
import { streamRoute, type TraceRoute } from './route.ts';

export interface TracePageProps extends PageContext {
  readonly route: TraceRoute;
}

export function TracePage({ route, api, navigation }: TracePageProps) {
  const { correlationId } = route;
  return (
    <main class="trace-page">
      <header class="stream-header">
        <div class="stream-title">
          <h1 class="cut">
            Trace <span class="mono">{correlationId}</span>
          </h1>
        </div>
      </header>
      <div class="panel panel-body">
        <Guarded what="The trace broke" of={correlationId}>
          <Trace
            api={api}
            correlationId={correlationId}
            goTo={(stream, revision) => navigation.go(streamRoute(stream, { revision }))}
          />
        </Guarded>
      </div>
    </main>
  );
}
