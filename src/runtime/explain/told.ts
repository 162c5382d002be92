/**
 * What the recovery machines have told of failures, waits and people, known by the names of their facts. Owns which of it
 * still holds; who told it is the recovery machines' business, and they are not imported here.
 *
 * XT1  A failure no longer counts once what failed has succeeded: the same call, or the machine around it.
 * XT2  An approval or intervention waits until its end is told; whether its actor is still there, the history says.
 */
import type { TimeMs } from '../../clock.ts';
import type { Revision } from '../../log/event-log.ts';
import { short } from './words.ts';
import type { AwaitedPerson, ExplainedError, Moment } from './explained.ts';

/** A fact as it was emitted. */
export interface ToldFact {
  readonly type: string;
  readonly actor: string;
  readonly fields: unknown;
}

/** A retry that was announced; it waits while a timer of its actor that was armed with it does. */
export interface ToldRetry {
  readonly step: string;
  readonly attempt: number;
  readonly errorClass: string | null;
  readonly dueAt: TimeMs;
  readonly since: Moment;
  /** The stimulus it was announced with. */
  readonly stimulus: Revision;
}

/** A refusal by a breaker that no permit has followed. */
export interface ToldRefusal {
  readonly key: string;
  readonly step: string | null;
  readonly told: string;
  readonly since: Moment;
}

/** What a breaker said of itself last. */
export interface ToldCircuit {
  readonly openUntil: TimeMs | null;
  readonly holds: readonly string[];
  readonly lastFailure: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

const failures = new Set([
  'AttemptFailed',
  'HandlerFailed',
  'FlowStepFailed',
  'PhaseFailed',
  'FlowFailed',
  'FlowAborted',
  'SagaStepFailed',
  'ItemFailed',
  'RunFailed',
]);
const approvalEnds = new Set(['ApprovalGranted', 'ApprovalRejected', 'ApprovalTimedOut']);
const breakerOpenCode = 'REWAKE_BREAKER_OPEN';

/** What was told, as far as it holds. */
export class Told {
  /** Time and revision of the stimulus that facts follow. */
  newest: { readonly at: TimeMs; readonly stimulus: Revision } = { at: 0, stimulus: -1 };
  readonly #retries = new Map<string, ToldRetry>();
  readonly #refusals = new Map<string, ToldRefusal>();
  readonly #people = new Map<string, AwaitedPerson>();
  /** By the place of what failed. */
  readonly #errors = new Map<string, ExplainedError>();
  /** Everything that was heard, to be heard again up to where an actor was rewound. */
  readonly #heard: { readonly revision: Revision; readonly hear: (told: Told) => void }[] = [];
  circuit: ToldCircuit = { openUntil: null, holds: [], lastFailure: null };

  get retries(): ReadonlyMap<string, ToldRetry> {
    return this.#retries;
  }

  get refusals(): ReadonlyMap<string, ToldRefusal> {
    return this.#refusals;
  }

  get people(): readonly AwaitedPerson[] {
    return [...this.#people.values()];
  }

  /** The newest failure that nothing has made good. */
  get error(): ExplainedError | null {
    const all = [...this.#errors.values()];
    return all.reduce<ExplainedError | null>(
      (newest, error) => ((error.when?.revision ?? -1) > (newest?.when?.revision ?? -1) ? error : newest),
      null,
    );
  }

  /** What was told up to a revision, as an actor knows it that was rewound to there. */
  upTo(revision: Revision): Told {
    const told = new Told();
    for (const { revision: heardAt, hear } of this.#heard) if (heardAt <= revision) hear(told);
    return told;
  }

  /** The actor was revived after its failure: what failed before is not what holds it now. */
  startAnew(): void {
    this.#errors.clear();
    this.#refusals.clear();
    this.#retries.clear();
  }

  /** An effect or a machine ended well. */
  succeeded(actor: string): void {
    this.#note((told) => told.#onSuccess(actor));
  }

  /** An effect failed. */
  failed(actor: string, error: unknown, when: Moment): void {
    this.#note((told) => told.#onFailure(actor, error, when));
  }

  /** @param stimulus the revision of the event that it follows */
  fact(fact: ToldFact, when: Moment, stimulus: Revision): void {
    this.#note((told) => told.#onFact(fact, when, stimulus), when.revision);
  }

  #note(hear: (told: Told) => void, revision = this.newest.stimulus): void {
    this.#heard.push({ revision, hear });
    hear(this);
  }

  #onSuccess(actor: string): void {
    const place = placeOf(actor);
    this.#forget(place);
    // A permit was given, or what had been refused is over.
    this.#refusals.delete(actor);
    this.#refusals.delete(parentAddress(actor));
  }

  #onFailure(actor: string, error: unknown, when: Moment): void {
    const fields = fieldsOf(error);
    if (fields.code === breakerOpenCode && typeof fields.key === 'string') {
      const told = textOr(fields.state, 'open');
      this.#refusals.set(parentAddress(actor), { key: fields.key, step: null, told, since: when });
    } else {
      this.#errors.set(placeOf(actor), errorOf('EffectFailed', actor, error, null, when));
    }
  }

  #onFact({ type, actor, fields: raw }: ToldFact, when: Moment, stimulus: Revision): void {
    const fields = fieldsOf(raw);
    if (failures.has(type)) this.#errors.set(placeOf(actor), errorOf(type, actor, fields.error, fields.attempt, when));
    if (type === 'AttemptFailed') this.#refusals.delete(actor);
    if (type === 'AttemptRejected') this.#reject(actor, fields);
    if (type === 'FlowResumed') this.#forget(placeOf(actor));
    if (type === 'RetryScheduled') this.#retries.set(actor, retryOf(fields, when, stimulus));
    if (type.startsWith('Approval')) this.#onApproval(type, actor, fields, when);
    if (type.startsWith('Intervention')) this.#onIntervention(type, actor, fields, when);
    if (type.startsWith('Circuit')) this.#onCircuit(type, fields);
  }

  #reject(actor: string, fields: Fields): void {
    const refusal = this.#refusals.get(actor);
    if (refusal && fieldsOf(fields.error).code === breakerOpenCode) {
      this.#refusals.set(actor, { ...refusal, step: textOr(fields.step, null) });
    }
  }

  #onApproval(type: string, actor: string, fields: Fields, since: Moment): void {
    if (approvalEnds.has(type)) this.#people.delete(actor);
    const waiting = this.#people.get(actor);
    if (type === 'ApprovalRequested') {
      const { title, choices } = fieldsOf(fields.request);
      this.#people.set(actor, {
        kind: 'approval',
        actor,
        approval: textOr(fields.approval, ''),
        title: textOr(title, ''),
        choices: textsOf(choices),
        approvers: Array.isArray(fields.approvers) ? textsOf(fields.approvers) : null,
        missing: numberOr(fields.quorum, 1),
        timeoutAt: numberOr(fields.timeoutAt, null),
        since,
      });
    } else if (waiting?.kind === 'approval' && type === 'ApprovalVoted') {
      this.#people.set(actor, { ...waiting, missing: numberOr(fields.missing, waiting.missing) });
    } else if (waiting?.kind === 'approval' && type === 'ApprovalEscalated' && waiting.approvers) {
      this.#people.set(actor, { ...waiting, approvers: [...waiting.approvers, textOr(fields.to, '')] });
    }
  }

  #onIntervention(type: string, actor: string, fields: Fields, since: Moment): void {
    const [flow, subject, handler] = [fields.flow, fields.subject, fields.handler].map((text) => textOr(text, ''));
    const key = JSON.stringify([actor, flow, subject, handler]);
    if (type === 'InterventionAnswered') this.#people.delete(key);
    if (type !== 'InterventionRequested') return;
    const [message, choices] = [textOr(fields.message, ''), textsOf(fields.choices)];
    const request = { flow: flow!, subject: subject!, handler: handler!, message, choices };
    this.#people.set(key, { kind: 'intervention', actor, ...request, since });
  }

  #onCircuit(type: string, fields: Fields): void {
    const { circuit } = this;
    if (type === 'CircuitOpened') {
      const { message } = fieldsOf(fields.lastFailure);
      this.circuit = { openUntil: numberOr(fields.openUntil, null), holds: [], lastFailure: textOr(message, null) };
    } else if (type === 'CircuitIsolated') {
      this.circuit = { ...circuit, openUntil: null, holds: textsOf(fields.holds) };
    } else {
      this.circuit = { ...circuit, openUntil: null, holds: [] };
    }
  }

  /** XT1. */
  #forget(place: string): void {
    for (const failed of this.#errors.keys()) {
      if (place === '/' || failed === place || failed.startsWith(`${place}/`)) this.#errors.delete(failed);
    }
  }
}

/** An address without the numbers of lives: the next call of the same step is at the same place. */
function placeOf(address: string): string {
  return address.replaceAll(/:\d+(?=\/|$)/g, '');
}

/** The address of the actor that an actor is a child of. */
export function parentAddress(address: string): string {
  return address.slice(0, address.lastIndexOf('/')) || '/';
}

function retryOf(fields: Fields, since: Moment, stimulus: Revision): ToldRetry {
  return {
    step: textOr(fields.step, ''),
    attempt: numberOr(fields.attempt, 0),
    errorClass: textOr(fields.errorClass, null),
    dueAt: numberOr(fields.dueAt, since.at),
    since,
    stimulus,
  };
}

/** An error, or the signature of one, in a few words. */
export function errorOf(
  told: string,
  actor: string,
  error: unknown,
  attempt: unknown,
  when: Moment | null,
): ExplainedError {
  const fields = fieldsOf(error);
  const isObject = typeof error === 'object' && error !== null;
  return {
    told,
    actor,
    name: textOr(fields.name, isObject ? 'Error' : typeof error),
    message: textOr(fields.message, typeof error === 'string' ? error : isObject ? '' : short(error)),
    class: textOr(fields.class, null),
    code: textOr(fields.code, null),
    attempt: numberOr(attempt, null),
    when,
  };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function textOr<Other extends string | null>(value: unknown, other: Other): string | Other {
  return typeof value === 'string' ? value : other;
}

function numberOr<Other extends number | null>(value: unknown, other: Other): number | Other {
  return typeof value === 'number' ? value : other;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
