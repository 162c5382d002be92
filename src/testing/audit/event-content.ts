/**
 * 27, 28 and 30 of one event: it is what was sealed, its values decode, and a fact reaches the version that the program knows.
 * Owns the reading of an event for those who judge it.
 */
import { DamagedRecordError, DecodeError, UpcastError } from '../../errors.ts';
import { verifyEvent } from '../../log/envelope.ts';
import type { RecordedEvent } from '../../log/event-log.ts';
import { readEvent } from '../../log/read-event.ts';
import { isFact } from '../../log/runtime-events.ts';
import { upcast, type Upcasters } from '../../log/upcast.ts';
import { auditedEvent, type AuditedEvent } from './stream-judge.ts';
import { violation, type Violation } from './violation.ts';

/** An event to be judged; or what is wrong with it, so that it cannot be. */
export type Content =
  { readonly event: AuditedEvent; readonly found: readonly Violation[] } | { readonly broken: Violation };

/** @param upcasters undefined where facts are read as they are */
export function contentOf(recorded: RecordedEvent, upcasters: Upcasters | undefined): Content {
  try {
    verifyEvent(recorded);
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
    return { broken: violation(30, recorded, error.detail) };
  }
  const fields = fieldsOf(recorded);
  if (typeof fields === 'string') return { broken: violation(27, recorded, fields) };
  return { event: auditedEvent(recorded, fields), found: upcasters ? upcastFaults(recorded, upcasters) : [] };
}

/** The decoded data, or why there is none. */
function fieldsOf(recorded: RecordedEvent): Readonly<Record<string, unknown>> | string {
  try {
    const fields: unknown = readEvent(recorded);
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields))
      return fields as Record<string, unknown>;
    return 'its data is no object';
  } catch (error) {
    if (error instanceof DecodeError)
      return `its value${error.path === '' ? '' : ` at ${error.path}`} does not decode: ${error.detail}`;
    return 'its data is not JSON, or no object';
  }
}

/** 28. */
function upcastFaults(recorded: RecordedEvent, upcasters: Upcasters): Violation[] {
  if (!isFact(recorded)) return [];
  try {
    upcast(recorded, upcasters);
    return [];
  } catch (error) {
    if (!(error instanceof UpcastError)) throw error;
    return [violation(28, recorded, error.message)];
  }
}
