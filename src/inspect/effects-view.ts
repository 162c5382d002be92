/**
 * The effects of a stream as bars over time. Owns where a bar begins and ends, and which facts are marks beside it.
 *
 * EF1  Every run of an effect is one bar: one that was lost with its host ends where it was taken up, and another one begins there.
 * EF2  Attempts are counted by the place of the effect in the tree: its parent, its id.
 */
import type { Revision } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import type { Frame } from '../replay/frame.ts';
import type { Replay } from '../replay/replay.ts';
import type { EffectBar, EffectsView } from './api.ts';

/** Facts of the machines of rewake that say something about an effect's fate. */
const marked =
  /^(?:Attempt|Retry|Retries|Circuit|Fallback|Hedge|Timeout|TimedOut|Deadline|RateLimit|Bulkhead|Cache|Handler|Heal|Diagnos|Remed|Permit)/;

type OpenBar = { -readonly [Key in keyof EffectBar]: EffectBar[Key] };

export async function effectsView(replay: Replay, signal: AbortSignal): Promise<EffectsView> {
  const bars = new Bars();
  const marks: { revision: Revision; at: number; type: string; actor: string }[] = [];
  for await (const frame of replay.frames()) {
    signal.throwIfAborted();
    bars.take(frame);
    for (const { revision, type, actor } of frame.facts) {
      if (marked.test(type)) marks.push({ revision, at: frame.at, type, actor });
    }
  }
  return { bars: bars.all, marks };
}

class Bars {
  readonly all: OpenBar[] = [];
  readonly #open = new Map<string, OpenBar>();
  readonly #restarts = new Map<string, number>();
  readonly #attempts = new Map<string, number>();

  take(frame: Frame): void {
    const { settled, started, effects } = frame;
    if (settled) this.#end(settled.actor, frame, settled.outcome);
    const pending = new Map(effects.map((effect) => [effect.actor, effect]));
    for (const [actor, bar] of this.#open) {
      const effect = pending.get(actor);
      if (!effect) {
        this.#end(actor, frame, 'stopped');
      } else if (effect.restarts > (this.#restarts.get(actor) ?? 0)) {
        // EF1.
        this.#end(actor, frame, 'lost');
        this.#begin(actor, bar.src, frame, bar.attempt, effect.restarts);
      }
    }
    for (const { actor, src, restarts } of started) this.#begin(actor, src, frame, this.#count(actor), restarts);
    // A fork, or what a compaction left, begins with effects that run already.
    for (const { actor, src, restarts } of effects) {
      if (!this.#open.has(actor)) this.#begin(actor, src, frame, this.#count(actor), restarts);
    }
  }

  /** EF2. */
  #count(actor: string): number {
    const place = actor.replace(/:\d+$/, '');
    const attempt = (this.#attempts.get(place) ?? 0) + 1;
    this.#attempts.set(place, attempt);
    return attempt;
  }

  #begin(actor: string, src: string, { revision, at }: Frame, attempt: number, restarts: number): void {
    const bar: OpenBar = {
      ...{ actor, src, startedRevision: revision, startedAt: at, endedRevision: null, endedAt: null },
      ...{ outcome: 'running', error: null, attempt },
    };
    this.#open.set(actor, bar);
    this.#restarts.set(actor, restarts);
    this.all.push(bar);
  }

  #end(actor: string, { revision, at, payload }: Frame, outcome: EffectBar['outcome']): void {
    const bar = this.#open.get(actor);
    if (!bar) return;
    this.#open.delete(actor);
    Object.assign(bar, { endedRevision: revision, endedAt: at, outcome });
    if (outcome === 'failed') bar.error = errorText(payload);
  }
}

function errorText(payload: Json): string {
  const error = (payload as { readonly $error?: { readonly name?: string; readonly message?: string } } | null)?.$error;
  return error ? `${error.name ?? 'Error'}: ${error.message ?? ''}` : JSON.stringify(payload);
}
