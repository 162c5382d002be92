/** An actor in the list. */
import type { ActorSummary } from '../../../src/inspect/api.ts';
import { formatRoute, streamRoute } from '../shell/route.ts';
import { StatusMark } from '../shell/status-mark.tsx';
import { exactWords, relativeWords } from '../shell/time-words.ts';

export function ActorRow({ actor, now }: { readonly actor: ActorSummary | undefined; readonly now: number }) {
  if (!actor) return null;
  const { stream, machine, version, status, correlationId, revision, wakeAt, effects } = actor;
  return (
    <div class="actor-row">
      <StatusMark status={status} />
      <a
        class="mono cut actor-name"
        href={formatRoute(streamRoute(stream))}
        tabIndex={-1}
        title={stream}
        onClick={leaveToRow}
      >
        {stream}
      </a>
      <span class="cut wide">
        {machine}
        {version === null ? '' : <span class="muted"> {version}</span>}
      </span>
      <a
        class="mono cut wide muted"
        href={formatRoute({ page: 'trace', correlationId })}
        tabIndex={-1}
        title={`Everything that ${correlationId} caused`}
        onClick={(event) => event.stopPropagation()}
      >
        {correlationId}
      </a>
      <span class="number mono">{(revision + 1).toLocaleString('en')}</span>
      <span class="number mono">{effects === 0 ? <span class="muted">–</span> : effects}</span>
      <span
        class={`number ${wakeAt !== null && wakeAt < now ? 'warn' : ''}`}
        title={wakeAt === null ? '' : exactWords(wakeAt)}
      >
        {wakeAt === null ? <span class="muted">–</span> : relativeWords(wakeAt, now)}
      </span>
    </div>
  );
}

/** A plain click is the row's; one for a new tab is the browser's. */
function leaveToRow(event: MouseEvent): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey) event.stopPropagation();
  else event.preventDefault();
}
