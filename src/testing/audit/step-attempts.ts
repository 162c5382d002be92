/**
 * 15 and 16: a step makes no more attempts than its policy allows, and none before the backoff is over. Owns what the facts
 * of `step` and its relatives tell of that; other facts of the same names are left alone.
 *
 * ST1  Calls that a host interrupted in order do not count, so after a lost attempt a number may come again.
 */
import { parentOf } from './addresses.ts';
import type { AuditedEvent, StreamJudge } from './stream-judge.ts';
import { evidenceOf, none, violation, type Evidence, type Violation } from './violation.ts';

interface Step {
  /** Calls made, as told last. */
  attempt: number;
  told: Evidence | undefined;
  /** Calls in all that it may make; undefined where no fact says it. */
  max: number | undefined;
  exhausted: Evidence | undefined;
  waits: { readonly until: number; readonly since: Evidence } | undefined;
}

type Fields = AuditedEvent['fields'];

const shapes: Readonly<Record<string, (fields: Fields) => boolean>> = {
  AttemptFailed: (fields) => areNumbers(fields, 'attempt', 'durationMs') && typeof classOf(fields) === 'string',
  RetryScheduled: (fields) =>
    areNumbers(fields, 'attempt', 'delayMs', 'r', 'dueAt') && typeof fields.errorClass === 'string',
  RetryExhausted: (fields) => areNumbers(fields, 'attempts') && typeof fields.reason === 'string',
  NestedRetryDetected: (fields) => areNumbers(fields, 'maxAttempts') && Array.isArray(fields.inner),
};

export class StepAttempts implements StreamJudge {
  /** By the address of the machine that tells, which is one life of one step. */
  #steps = new Map<string, Step>();
  #ended: readonly string[] = [];

  push(event: AuditedEvent): readonly Violation[] {
    if (event.isFact) return shapes[event.type]?.(event.fields) ? this.#told(event) : none;
    if (event.type === 'ActorRebased') this.forget();
    // The last facts of a machine come after the stimulus that ended it.
    for (const actor of this.#ended) this.#steps.delete(actor);
    this.#ended = event.transitions.flatMap(({ actor, status }) => (status === undefined ? [] : [actor]));
    return this.#steps.size === 0 ? none : this.#early(event);
  }

  forget(): void {
    this.#steps = new Map();
  }

  /** Its last facts follow. */
  end(): void {}

  overdue(): [] {
    return [];
  }

  #told(event: AuditedEvent): readonly Violation[] {
    const { type, fields } = event;
    const step = this.#stepOf(event);
    if (type === 'NestedRetryDetected') {
      step.max = fields.maxAttempts as number;
      return none;
    }
    const attempt = (fields.attempt ?? fields.attempts) as number;
    const found = this.#countFaults(event, step, attempt);
    step.attempt = attempt;
    step.told = evidenceOf(event);
    if (type === 'RetryExhausted') step.exhausted = evidenceOf(event);
    step.waits = type === 'RetryScheduled' ? { until: fields.dueAt as number, since: evidenceOf(event) } : undefined;
    return found;
  }

  /** 15. */
  #countFaults(event: AuditedEvent, step: Step, attempt: number): readonly Violation[] {
    const { exhausted, max, told } = step;
    if (exhausted) return [violation(15, event, 'it is told by a step that was exhausted before', exhausted)];
    if (max !== undefined && attempt > max) {
      // Told once.
      step.max = undefined;
      return [violation(15, event, `${attempt} attempts were made, and no more than ${max} are allowed`)];
    }
    // ST1.
    const isNew = event.type === 'AttemptFailed' && classOf(event.fields) !== 'lost';
    const least = isNew ? step.attempt + 1 : step.attempt;
    if (!told || attempt >= least) return none;
    return [
      violation(15, event, `attempt ${attempt} comes after attempt ${step.attempt}: they were counted anew`, told),
    ];
  }

  /** 16. */
  #early(event: AuditedEvent): readonly Violation[] {
    const calls = [...event.intents, ...event.transitions.filter(({ event: type }) => type === 'xstate.init')];
    return calls.flatMap(({ actor }) => {
      const step = this.#steps.get(parentOf(actor));
      const waits = step?.waits;
      if (!step || !waits) return none;
      step.waits = undefined;
      if (!(event.at < waits.until)) return none;
      return [
        violation(16, event, `${actor} begins ${waits.until - event.at} ms before the backoff is over`, waits.since),
      ];
    });
  }

  #stepOf({ meta }: AuditedEvent): Step {
    const address = meta.actor!;
    let step = this.#steps.get(address);
    if (!step) {
      step = { attempt: 0, told: undefined, max: undefined, exhausted: undefined, waits: undefined };
      this.#steps.set(address, step);
    }
    return step;
  }
}

function areNumbers(fields: Fields, ...names: readonly string[]): boolean {
  return typeof fields.step === 'string' && names.every((name) => typeof fields[name] === 'number');
}

function classOf({ error }: Fields): unknown {
  return typeof error === 'object' && error !== null ? (error as { class?: unknown }).class : undefined;
}
