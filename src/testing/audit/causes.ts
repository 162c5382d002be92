/**
 * 24 within one stream: what comes from an event names it as its cause, and carries its correlation. Owns facts; who knows
 * where an effect or a timer comes from asks here. Causes in other streams are cause-chain.ts's.
 */
import { sourceOf, type AuditedEvent, type Source, type StreamJudge } from './stream-judge.ts';
import { none, violation, type Violation } from './violation.ts';

/**
 * What is wrong with the cause of an event that comes from another one.
 * @param source undefined where that one is not known
 */
export function causeFaults(event: AuditedEvent, source: Source | undefined): readonly Violation[] {
  if (!source) return none;
  const { $causationId: cause, $correlationId: correlationId, $seed } = event.meta;
  const { event: origin } = source;
  // What was copied may name what caused the one that it was copied from.
  if (cause !== origin.id && $seed === undefined) {
    return [
      violation(
        24,
        event,
        `it names ${String(cause)} as its cause, expected ${origin.id}, which it comes from`,
        origin,
      ),
    ];
  }
  if (correlationId === source.correlationId) return none;
  const message = `its correlation is '${String(correlationId)}', that of its cause '${String(source.correlationId)}'`;
  return [violation(24, event, message, origin)];
}

export class FactCauses implements StreamJudge {
  #stimulus: { readonly source: Source; readonly seed: string | undefined } | undefined;

  push(event: AuditedEvent): readonly Violation[] {
    const { $causationId: cause, $correlationId: correlation, $seed: seed } = event.meta;
    if (cause === undefined || correlation === undefined) {
      this.forget();
      return [violation(24, event, 'it names no cause, or no correlation')];
    }
    if (!event.isFact) {
      this.#stimulus = { source: sourceOf(event), seed };
      return none;
    }
    const stimulus = this.#stimulus;
    if (!stimulus || (stimulus.seed !== undefined && cause === stimulus.seed)) return none;
    return causeFaults(event, stimulus.source);
  }

  forget(): void {
    this.#stimulus = undefined;
  }

  /** Its last facts follow. */
  end(): void {}

  overdue(): [] {
    return [];
  }
}
