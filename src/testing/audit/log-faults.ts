/**
 * 30 as far as only a log can tell: records that cannot be read, a tail that is cut. Owns which findings of `verifyLog` are
 * violations; the others are seen in the events, break no invariant, or may be due to
 * what is written meanwhile.
 */
import type { EventLog } from '../../log/event-log.ts';
import type { FindingCode } from '../../log/findings.ts';
import { verifyLog } from '../../log/verify.ts';
import { violationAt, type Violation } from './violation.ts';

const codes: ReadonlySet<FindingCode> = new Set<FindingCode>([
  ...(['unreadable', 'cutTail', 'order', 'lostStream', 'store'] as const),
]);

/** What is wrong with a log besides its events. */
export async function* logFaults(log: EventLog, stream: string | undefined): AsyncGenerator<Violation> {
  for await (const finding of verifyLog(log, stream === undefined ? {} : { stream })) {
    if (codes.has(finding.code)) yield violationAt(30, finding, finding.message.replace(/\.$/, ''));
  }
}
