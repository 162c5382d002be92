/**
 * What may be sent to an actor, and what a message carries along. Owns the check of events and where correlation comes
 * from.
 */
import { inspect } from 'node:util';
import type { AnyEventObject } from 'xstate';
import { InvalidArgumentError, InvalidEventError } from '../errors.ts';
import { eventReceived, type Prepared } from '../kernel/records.ts';
import type { PendingEffect } from '../kernel/actor-tree.ts';
import { hostedContext } from './effect.ts';

/** Where a message comes from: carried along with everything it causes. */
export interface Origin {
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
}

/** An event that may be sent. @throws InvalidEventError */
export function checkEvent(stream: string, event: unknown): AnyEventObject {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw new InvalidEventError(stream, event === null ? 'null' : Array.isArray(event) ? 'an array' : show(event));
  }
  const { type } = event as { type?: unknown };
  if (typeof type !== 'string' || type === '') throw new InvalidEventError(stream, `an object with type ${show(type)}`);
  if (type === '*' || type === 'xstate.init' || type === 'xstate.stop') {
    throw new InvalidEventError(stream, `the reserved type '${type}'`);
  }
  return event as AnyEventObject;
}

/** An event for a root as a stimulus; checked also as it was read, because a getter can answer twice. */
export function receivable(stream: string, event: unknown, messageId: string | undefined): Prepared {
  if (messageId !== undefined && typeof messageId !== 'string') {
    throw new InvalidArgumentError(
      `messageId for '${stream}': expected a string, found ${show(messageId)}. Nothing was written.`,
    );
  }
  const prepared = eventReceived('/', checkReceived(stream, event), messageId);
  if (prepared.stimulus.type === 'EventReceived') checkReceived(stream, prepared.stimulus.event);
  return prepared;
}

/** What comes from outside is no event of XState's own: that would tell a machine that something of it has ended. */
function checkReceived(stream: string, event: unknown): AnyEventObject {
  const checked = checkEvent(stream, event);
  if (checked.type.startsWith('xstate.')) throw new InvalidEventError(stream, `the reserved type '${checked.type}'`);
  return checked;
}

/** Inside an effect a message carries on the effect's correlation and names it as its cause. */
export function ambientOrigin(correlationId: string | undefined): Origin {
  const context = hostedContext();
  if (context) return { correlationId: correlationId ?? context.correlationId, causationId: context.causationId };
  return correlationId === undefined ? noOrigin : { correlationId };
}

const noOrigin: Origin = {};

/** What an effect sends is caused by what began the effect. */
export function originOf({ cause }: PendingEffect): Origin {
  return { correlationId: cause.correlationId, causationId: cause.eventId };
}

/** A value in a message, shortened. */
export function show(value: unknown): string {
  const text = inspect(value, { breakLength: Infinity, depth: 4 });
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
