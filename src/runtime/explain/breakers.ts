/**
 * The breakers that let a call not through, and how they stand now. Owns where a breaker's stream is looked for; nothing of
 * the breaker's machine is known here.
 *
 * XB1  The breaker's stream is read, never its actor: asking changes nothing in it.
 */
import { InvalidArgumentError, StreamDeletedError } from '../../errors.ts';
import type { EventLog } from '../../log/event-log.ts';
import { readHistory, type History } from './history.ts';
import type { FeatureSet } from '../features.ts';
import type { BreakerStanding, RefusingBreaker } from './explained.ts';

/** The refusals that hold, each with its breaker. */
export async function explainBreakers(
  log: EventLog,
  { told, machines }: History,
  features: FeatureSet,
): Promise<RefusingBreaker[]> {
  const refusing: RefusingBreaker[] = [];
  for (const [actor, refusal] of told.refusals) {
    // One whose machine has gone on holds nobody; that of a root that ended is its reason.
    const root = machines.get('/');
    if (!machines.has(actor) && root?.status !== 'error') continue;
    refusing.push({ actor, ...refusal, now: await standingOf(log, refusal.key, features) });
  }
  return refusing;
}

async function standingOf(log: EventLog, key: string, features: FeatureSet): Promise<BreakerStanding | null> {
  const stream = `breaker-${key}`;
  try {
    const { root, told } = await readHistory(log, stream, features);
    return root ? { stream, value: root.value, since: root.since, ...told.circuit } : null;
  } catch (error) {
    // It was deleted, or the key is none of the machine that would be there.
    if (error instanceof StreamDeletedError || error instanceof InvalidArgumentError) return null;
    throw error;
  }
}
