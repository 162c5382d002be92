/**
 * An explanation in plain English. Owns the sentences and their order: how it stands, what it waits for, what failed, who
 * hosts it, what to do. Sees the data alone.
 *
 * XS1  A sentence says one thing and names where it is: an address, a stream, a revision.
 */
import { acceptance } from './acceptance.ts';
import { waits } from './waits.ts';
import { moment, since, state, time, timeFrom } from './words.ts';
import type { ExplainedError, ExplanationData } from './explained.ts';

/** The sentences about an actor, what to do next at the end. */
export function sentencesOf(data: ExplanationData, next: readonly string[]): string[] {
  const isBlocked = data.blocked !== null;
  const waited = waits(data);
  return [
    ...heading(data),
    ...data.machines.slice(1).map(({ actor, value, since: when }) => {
      return `Inside it, ${actor} is in state ${state(value)}${since(when, data.at)}.`;
    }),
    ...(isBlocked && waited.length > 0 ? ['As long as it is blocked, none of the following goes on.'] : []),
    ...waited,
    ...(isBlocked ? [] : data.machines.flatMap(acceptance)),
    ...failures(data),
    ...hosting(data),
    ...next.map((step) => `Next: ${step}`),
  ];
}

function heading(data: ExplanationData): string[] {
  const { stream, blocked } = data;
  if (!blocked) return [`${stream} ${standing(data)}.`];
  const { revision, name, message, foldsTo, isFoldable } = blocked;
  const where = revision === null ? '' : ` at revision ${revision}`;
  const why = `${isFoldable ? 'This runtime says' : `Its history cannot be folded${where}`}: ${name}: ${message}`;
  const lines = [`${stream} is blocked: nothing is appended to it; every other actor runs on.`, why];
  if (isFoldable) lines.push('Its history can be folded.');
  if (data.machines.length === 0) return [...lines, 'Nothing of it can be read.'];
  const known =
    foldsTo === null
      ? 'By its records, without its machine, it'
      : `At revision ${foldsTo}, up to which it can be folded, it`;
  return [...lines, `${known} ${standing(data)}.`];
}

/** How the root stands: `is active: …`. */
function standing({ machines, machine, version, stopReason, at }: ExplanationData): string {
  const root = machines[0];
  const name = version === null ? `its machine ${machine}` : `its machine ${machine} (version ${version})`;
  if (!root) return `is there, but ${name} has not started`;
  const { status, value, since: when } = root;
  const ended = when ? ` at ${moment(when, at)}` : '';
  switch (status) {
    case 'active':
      return `is active: ${name} is in state ${state(value)}${since(when, at)}`;
    case 'done':
      return `is done: ${name} ended in state ${state(value)}${ended}`;
    case 'error':
      return `has failed: ${name} ended with an error in state ${state(value)}${ended}`;
    default:
      return `was stopped${ended}: ${name} was in state ${state(value)}${stopReason === null ? '' : `; the reason given is "${stopReason}"`}`;
  }
}

function failures({ error, cause, at }: ExplanationData): string[] {
  const said: string[] = [];
  if (error)
    said.push(
      error.told === 'state'
        ? `It failed with ${inWords(error)}.`
        : `The newest failure that nothing has made good: ${told(error, at)}.`,
    );
  if (cause) said.push(`Before that: ${told(cause, at)}.`);
  return said;
}

function told(error: ExplainedError, at: number): string {
  const { told: type, actor, attempt, class: errorClass, when } = error;
  const details = [attempt !== null && `attempt ${attempt}`, errorClass !== null && `class ${errorClass}`].filter(
    Boolean,
  );
  const more = details.length > 0 ? ` (${details.join(', ')})` : '';
  return `${type} of ${actor}${more}${when ? ` at ${moment(when, at)}` : ''}: ${inWords(error)}`;
}

function inWords({ name, message }: ExplainedError): string {
  return message === '' ? name : `${name}: ${message.replace(/\.$/, '')}`;
}

function hosting(data: ExplanationData): string[] {
  const { owner, isHosted, inMemory, at } = data;
  const said: string[] = [];
  if (!owner) {
    const lease = 'Nobody holds the lease on the log';
    said.push(
      isHosted
        ? `${lease}: this runtime hosts it without one.`
        : `${lease}: no host runs its actors, unless one does so without a lease.`,
    );
  } else if (owner.life === 'this') said.push('This runtime owns the log.');
  else {
    const process = {
      alive: 'whose process runs on this machine',
      dead: 'whose process is gone',
      unknown: 'on another machine or in another thread',
    };
    said.push(
      `The log is owned by ${owner.owner}, ${process[owner.life]}; the lease lasts until ${timeFrom(owner.expiresAt, at)}.`,
    );
  }
  if (inMemory === false && data.status === 'active') said.push(`It is not in memory: ${dormant(data)}`);
  return said;
}

function dormant({ timers: [timer] }: ExplanationData): string {
  const wakes = timer ? `when its next timer is due, at ${time(timer.dueAt)}, or ` : '';
  return `it is loaded ${wakes}when an event for it arrives.`;
}
