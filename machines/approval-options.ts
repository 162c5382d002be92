/**
 * What an approval may be told: its options when it is made, its request when it starts. Owns their checks; what follows
 * from them is approval.ts.
 */
import { InvalidArgumentError, type Duration } from 'rewake';
import type { AnyActorLogic } from 'xstate';
import { durationMs, oneOf, requireBoolean, requireKnown, requireLogic, requireName, wholeNumber } from './options.ts';

/** What a person is asked: the input of an approval. Plain data. */
export interface ApprovalRequest {
  /** The question in one line. */
  readonly title: string;
  /** Whatever a person needs to decide. */
  readonly details?: unknown;
  /** The answers to choose from; without them the question is yes or no. */
  readonly choices?: readonly string[];
  /** Who is asked first: a person, a group, a channel. */
  readonly to?: string;
  /** Who may answer, in the place of the option of that name. */
  readonly approvers?: readonly string[];
}

/** Who is asked next when nobody has decided by then. */
export interface Escalation {
  /** From the start of the approval; more than the one before, less than the timeout. */
  readonly after: Duration;
  /** A person, a group, a channel. */
  readonly to: string;
}

/** What the logic `notify` is told: the whole of its input. */
export interface ApprovalNotice {
  /** Name of the approval. */
  readonly approval: string;
  readonly request: ApprovalRequest;
  /** Whom to tell; null where the request names nobody. */
  readonly to: string | null;
  /** 0 for the request, 1 for the first escalation. */
  readonly level: number;
}

/** Who decides, how long it may take, and what happens then. */
export interface ApprovalOptions {
  /** How long people may take; for ever when omitted. */
  readonly timeout?: Duration;
  /** What it comes to when nobody decided: an error (`fail`, when omitted), or the answer of nobody. */
  readonly onTimeout?: 'fail' | 'reject' | 'approve';
  /** Who is asked next, in order of time. */
  readonly escalation?: readonly Escalation[];
  /** Tells a person that a decision is asked for: an effect, whose failure is a fact and nothing more. */
  readonly notify?: AnyActorLogic;
  /** Who may answer, besides those it went to; anybody when omitted. */
  readonly approvers?: readonly string[];
  /** How many people must give the same answer; 1 when omitted. One rejection rejects. */
  readonly quorum?: number;
  /** Whether a rejection is an ApprovalRejectedError in the place of an output; no when omitted. */
  readonly failOnReject?: boolean;
}

/** The options, checked and in ms. */
export interface ApprovalPolicy {
  readonly timeoutMs: number | undefined;
  readonly onTimeout: 'fail' | 'reject' | 'approve';
  readonly escalation: readonly { readonly afterMs: number; readonly to: string }[];
  readonly approvers: readonly string[] | undefined;
  readonly quorum: number;
  readonly failOnReject: boolean;
}

/** @throws InvalidArgumentError for options that cannot work */
export function approvalPolicy(name: string, options: ApprovalOptions): ApprovalPolicy {
  const path = `approval(${JSON.stringify(requireName(name, 'approval(name)'))})`;
  requireKnown(options, ['timeout', 'onTimeout', 'escalation', 'notify', 'approvers', 'quorum', 'failOnReject'], path);
  const { timeout, onTimeout, escalation = [], notify, approvers, quorum = 1, failOnReject = false } = options;
  if (onTimeout !== undefined) oneOf(onTimeout, ['fail', 'reject', 'approve'], `${path}.onTimeout`);
  if (onTimeout !== undefined && timeout === undefined) {
    throw InvalidArgumentError.of(`${path}.timeout`, "a duration, since 'onTimeout' is given", timeout);
  }
  if (notify !== undefined) requireLogic(notify, `${path}.notify`);
  if (approvers !== undefined) requireNames(approvers, `${path}.approvers`);
  wholeNumber(quorum, `${path}.quorum`, 1);
  if (approvers !== undefined) requireEnough(approvers, quorum, `${path}.quorum`);
  const timeoutMs = timeout === undefined ? undefined : durationMs(timeout, `${path}.timeout`, 1);
  return {
    timeoutMs,
    onTimeout: onTimeout ?? 'fail',
    escalation: escalationOf(escalation, timeoutMs, `${path}.escalation`),
    approvers,
    quorum,
    failOnReject: requireBoolean(failOnReject, `${path}.failOnReject`),
  };
}

/** @throws InvalidArgumentError for a request that nobody could answer */
export function requireRequest(name: string, request: ApprovalRequest, { quorum }: ApprovalPolicy): ApprovalRequest {
  const path = `input of approval '${name}'`;
  requireKnown(request, ['title', 'details', 'choices', 'to', 'approvers'], path);
  requireName(request.title, `${path}.title`);
  if (request.to !== undefined) requireName(request.to, `${path}.to`);
  if (request.choices !== undefined) requireNames(request.choices, `${path}.choices`);
  if (request.approvers !== undefined) {
    requireNames(request.approvers, `${path}.approvers`);
    requireEnough(request.approvers, quorum, `${path}.approvers`);
  }
  return request;
}

function escalationOf(steps: readonly Escalation[], timeoutMs: number | undefined, path: string) {
  if (!Array.isArray(steps)) throw InvalidArgumentError.of(path, 'a list of { after, to }', steps);
  let beforeMs = 0;
  return steps.map((step: Escalation, index) => {
    requireKnown(step, ['after', 'to'], `${path}[${index}]`);
    const afterMs = durationMs(step.after, `${path}[${index}].after`, 1);
    if (afterMs <= beforeMs) {
      throw InvalidArgumentError.of(`${path}[${index}].after`, `more than the ${beforeMs} ms before it`, step.after);
    }
    if (timeoutMs !== undefined && afterMs >= timeoutMs) {
      throw InvalidArgumentError.of(`${path}[${index}].after`, `less than the timeout of ${timeoutMs} ms`, step.after);
    }
    beforeMs = afterMs;
    return { afterMs, to: requireName(step.to, `${path}[${index}].to`) };
  });
}

function requireNames(names: readonly string[], path: string): void {
  if (!Array.isArray(names) || names.length === 0) {
    throw InvalidArgumentError.of(path, 'a list of at least one name', names);
  }
  names.forEach((name: string, index) => {
    requireName(name, `${path}[${index}]`);
    if (names.indexOf(name) !== index) throw InvalidArgumentError.of(`${path}[${index}]`, 'each name once', name);
  });
}

function requireEnough(approvers: readonly string[], quorum: number, path: string): void {
  if (quorum > approvers.length) {
    throw new InvalidArgumentError(
      `${path}: ${quorum} people must agree and only ${approvers.length} may answer; nobody could ever approve.`,
    );
  }
}
