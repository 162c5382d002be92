/**
 * The effects of a stream as bars over time. Owns where a bar begins and ends, which facts are marks beside it, and what is kept
 * of streams that were asked for.
 *
 * EF1  Every run of an effect is one bar: one that was lost with its host ends where it was taken up, and another one begins there.
 * EF2  Attempts are counted by the place of the effect in the tree: its parent, its id.
 * EF3  A stream is walked once, and from there on when it has grown. Of very many bars and marks the newest are kept.
 */
import type { Revision } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import type { Frame } from '../replay/frame.ts';
import type { PayloadMode } from '../replay/mask.ts';
import type { Replay } from '../replay/replay.ts';
import { Turns } from '../replay/turns.ts';
import type { EffectBar, EffectsView } from './api.ts';

/** Facts of the machines of rewake that say something about an effect's fate. */
const marked =
  /^(?:Attempt|Retry|Retries|Circuit|Fallback|Hedge|Timeout|TimedOut|Deadline|RateLimit|Bulkhead|Cache|Handler|Heal|Diagnos|Remed|Permit)/;

const shownMax = 2_000;
const keptMax = 16;
/** Others get their turn after so many frames. */
const framesPerTurn = 500;

type OpenBar = { -readonly [Key in keyof EffectBar]: EffectBar[Key] };
type Mark = EffectsView['marks'][number];

/** The effects of the streams that were asked for last. */
export class EffectViews {
  readonly #mode: PayloadMode;
  readonly #followed = new Map<Replay, Followed>();

  constructor(mode: PayloadMode) {
    this.#mode = mode;
  }

  /** @throws DamagedRecordError where nothing can be shown */
  async of(replay: Replay, signal: AbortSignal): Promise<EffectsView> {
    const followed = this.#followed.get(replay) ?? new Followed();
    this.#followed.delete(replay);
    this.#followed.set(replay, followed);
    const [oldest] = this.#followed.keys();
    if (this.#followed.size > keptMax) this.#followed.delete(oldest!);
    const { bars, marks, left } = await followed.upTo(replay, signal);
    return { bars: this.#mode === 'full' ? bars : bars.map(withoutMessage), marks, left };
  }
}

/** The name of an error is no payload; what it says is. */
function withoutMessage({ error, ...bar }: EffectBar): EffectBar {
  return { ...bar, error: error && error.replace(/:[^]*/, '') };
}

/** EF3. One stream, as far as it was walked. */
class Followed {
  readonly #turns = new Turns();
  #bars = new Bars();
  #first: Revision = -1;
  #next: Revision = 0;

  upTo(replay: Replay, signal: AbortSignal): Promise<EffectsView> {
    return this.#turns.take(async () => {
      // A compaction has removed what was walked.
      if (replay.first !== this.#first || this.#next > replay.last + 1) this.#begin(replay.first);
      let count = 0;
      if (this.#next <= replay.last) {
        for await (const frame of replay.frames({ from: this.#next })) {
          this.#bars.take(frame);
          this.#next = frame.lastRevision + 1;
          if (++count % framesPerTurn !== 0) continue;
          await new Promise<void>((resolve) => setImmediate(resolve));
          signal.throwIfAborted();
        }
      }
      return this.#bars.view();
    });
  }

  #begin(first: Revision): void {
    this.#bars = new Bars();
    this.#first = first;
    this.#next = first;
  }
}

class Bars {
  readonly #bars: OpenBar[] = [];
  readonly #marks: Mark[] = [];
  readonly #open = new Map<string, OpenBar>();
  readonly #restarts = new Map<string, number>();
  readonly #attempts = new Map<string, number>();
  #left = 0;

  view(): EffectsView {
    this.#forget(shownMax);
    return { bars: this.#bars.map((bar) => ({ ...bar })), marks: [...this.#marks], left: this.#left };
  }

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
    for (const { revision, type, actor } of frame.facts) {
      if (marked.test(type)) this.#marks.push({ revision, at: frame.at, type, actor });
    }
    if (this.#bars.length + this.#marks.length > 4 * shownMax) this.#forget(shownMax);
  }

  #forget(max: number): void {
    for (const list of [this.#bars, this.#marks]) this.#left += list.splice(0, Math.max(0, list.length - max)).length;
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
    this.#bars.push(bar);
  }

  #end(actor: string, { revision, at, payload }: Frame, outcome: EffectBar['outcome']): void {
    const bar = this.#open.get(actor);
    if (!bar) return;
    this.#open.delete(actor);
    this.#restarts.delete(actor);
    Object.assign(bar, { endedRevision: revision, endedAt: at, outcome });
    if (outcome === 'failed') bar.error = errorText(payload);
  }
}

function errorText(payload: Json): string {
  const error = (payload as { readonly $error?: { readonly name?: string; readonly message?: string } } | null)?.$error;
  return error ? `${error.name ?? 'Error'}: ${error.message ?? ''}` : JSON.stringify(payload);
}
