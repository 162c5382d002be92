/**
 * Answers without payloads. Owns which parts of a frame, a blame and the handlers are payloads; how a value is masked is mask.ts's.
 *
 * MV1  Whatever carries values of the person's program passes through here, or through maskData.
 */
import type { HandlerHistory } from '../../projections/handler-history.ts';
import { plainValue } from '../kernel/plain-value.ts';
import type { Json } from '../log/json.ts';
import type { Blame } from '../replay/blame.ts';
import type { Frame, FrameActor } from '../replay/frame.ts';
import { maskEvent, maskPatch, maskValue, type PayloadMode } from '../replay/mask.ts';

export function maskFrame(frame: Frame, mode: PayloadMode): Frame {
  if (mode === 'full') return frame;
  const { payload, facts, changes, actors, divergence } = frame;
  return {
    ...frame,
    payload: frame.type === 'EventReceived' ? maskEvent(payload, mode) : maskValue(payload, mode),
    facts: facts.map((fact) => ({ ...fact, data: maskEvent(fact.data, mode) })),
    changes: changes.map(({ actor, patch }) => ({ actor, patch: maskPatch(patch, mode) })),
    actors: actors.map((actor) => maskActor(actor, mode)),
    // It quotes what was recorded.
    divergence: divergence === null ? null : 'The code at hand does something else than was recorded.',
  };
}

function maskActor(actor: FrameActor, mode: PayloadMode): FrameActor {
  const { context, output, error } = actor;
  return {
    ...actor,
    context: maybe(context, mode),
    ...(output !== undefined && { output: maskValue(output, mode) }),
    ...(error !== undefined && { error: maskValue(error, mode) }),
  };
}

export function maskBlame(blame: Blame, mode: PayloadMode): Blame {
  // States are no payload.
  if (mode === 'full' || /^\/(?:state|status)\b/.test(blame.path)) return blame;
  const change = <Change extends { readonly from: Json | undefined; readonly to: Json | undefined }>(each: Change) => ({
    ...each,
    from: maybe(each.from, mode),
    to: maybe(each.to, mode),
  });
  const { value, changed, earlier } = blame;
  return { ...blame, value: maybe(value, mode), changed: changed && change(changed), earlier: earlier.map(change) };
}

/** What an error is called is no payload; what it says is. */
export function maskHandlers({ runs, ...rest }: HandlerHistory, mode: PayloadMode): Json {
  const masked = (error: HandlerHistory['runs'][number]['failure']) =>
    error && { ...error, code: maskValue(error.code, mode), message: maskValue(error.message, mode) };
  const hidden = runs.map((run) => ({ ...run, error: masked(run.error), failure: masked(run.failure) }));
  return plainValue({ ...rest, runs: hidden });
}

function maybe(value: Json | undefined, mode: PayloadMode): Json | undefined {
  return value === undefined ? undefined : maskValue(value, mode);
}
