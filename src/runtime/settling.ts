/**
 * A person's word on a lost effect. Owns which decisions there are and which effects wait for one; that it is recorded is
 * the actor's way of every stimulus.
 */
import { InvalidArgumentError } from '../errors.ts';
import { effectFailed, effectSucceeded, type Prepared } from '../kernel/records.ts';
import type { ActorHost } from './actor-host.ts';
import type { Settlement } from './actor-ref.ts';
import { originOf, show, type Origin } from './messages.ts';
import { rerun } from './resumption.ts';

/** @throws InvalidArgumentError for what is no decision */
export function requireSettlement(stream: string, effect: string, decision: Settlement): void {
  if (decision === 'rerun' || (typeof decision === 'object' && ('output' in decision || 'error' in decision))) return;
  throw new InvalidArgumentError(
    `settle('${effect}') of '${stream}': expected 'rerun', { output } or { error }, found ${show(decision)}. Nothing was written.`,
  );
}

/** Whose outcome a decision is. @throws InvalidArgumentError where no effect at this address waits for one */
export function originOfSettled({ stream, tree }: ActorHost, effect: string): Origin {
  const pending = tree?.effects?.get(effect);
  if (pending?.asked) return originOf(pending);
  const waiting = [...(tree?.effects ?? [])].filter(([, { asked }]) => asked).map(([address]) => address);
  throw new InvalidArgumentError(
    `settle('${effect}') of '${stream}': no lost effect with this address waits for a decision. ` +
      `Waiting: ${waiting.length > 0 ? waiting.join(', ') : 'none'}; settle() is for effects with onLost: 'ask'.`,
  );
}

/** The decision as a stimulus. */
export function settled(effect: string, decision: Settlement, hostName: string): Prepared {
  if (decision === 'rerun') return rerun(effect, hostName);
  return 'output' in decision ? effectSucceeded(effect, decision.output) : effectFailed(effect, decision.error);
}
