/**
 * What becomes of the effects that a dead host left behind. Owns the decision, by the effect's own options; the decision
 * itself is an event, so that a fold finds restarts and failures where they happened.
 */
import { EffectLostError } from '../errors.ts';
import type { PendingEffect } from '../kernel/actor-tree.ts';
import { actorResumed, effectFailed, type Prepared } from '../kernel/records.ts';
import type { LostEffect } from '../kernel/stimulus.ts';
import type { ActorHost, Submission } from './actor-host.ts';
import { effectOptions } from './effect.ts';
import type { Environment } from './environment.ts';
import type { Folded } from './fold-history.ts';

const maxRestartsDefault = 10;

/**
 * The stimuli that take up a folded actor: nothing where nothing was lost, and the definition and the environment are the
 * recorded ones.
 * @param takesEffects false where they are left to another host
 */
export function resumption(
  host: ActorHost,
  folded: Folded | undefined,
  hostName: string,
  environment: Environment,
  takesEffects = true,
): Submission[] {
  const lost: LostEffect[] = [];
  const failures: Submission[] = [];
  for (const [actor, effect] of takesEffects ? host.takeUnresumed() : []) {
    if (effect.asked) continue;
    const { decision, reason } = decide(effect);
    lost.push({ actor, decision });
    if (decision !== 'fail') continue;
    const error = new EffectLostError(host.stream, actor, effect.restarts, reason, effect.interrupted);
    const { correlationId, eventId: causationId } = effect.cause;
    const outright = effect.actor.kind === 'custom';
    failures.push({
      prepared: effectFailed(actor, error, outright),
      origin: { correlationId, causationId },
      isResumption: true,
    });
  }
  const news = folded && environment.news(folded.recorded.environment);
  const changed = folded && (news || folded.recorded.definition !== folded.machine.definition) ? folded : undefined;
  if (lost.length === 0 && !changed) return [];
  const prepared = actorResumed({
    host: hostName,
    effects: lost,
    ...(changed && {
      changed: {
        from: changed.recorded.definition,
        to: changed.machine.definition,
        version: changed.machine.version,
        ...(news && { environment: news }),
      },
    }),
  });
  const recorded = news ? environment.recording(prepared) : prepared;
  return [{ prepared: recorded, origin: {}, isResumption: true }, ...failures];
}

/** A person's word that a lost effect shall run again. */
export function rerun(effect: string, hostName: string): Prepared {
  return actorResumed({ host: hostName, effects: [{ actor: effect, decision: 'rerun' }] });
}

function decide(effect: PendingEffect): { decision: LostEffect['decision']; reason: string } {
  const { onLost = 'rerun', maxRestarts = maxRestartsDefault } = effectOptions(effect.actor.logic);
  // Callbacks and observables have no outcome to lose: they start fresh with every host, however often.
  if (effect.actor.kind !== 'promise' && effect.actor.kind !== 'custom') return { decision: 'rerun', reason: '' };
  if (effect.untouched) return { decision: 'rerun', reason: '' };
  if (onLost === 'rerun' && effect.restarts >= maxRestarts && !effect.interrupted) {
    return {
      decision: 'fail',
      reason: `its host died ${effect.restarts + 1} times while it ran (maxRestarts ${maxRestarts})`,
    };
  }
  return {
    decision: onLost,
    reason: "its host stopped before the outcome was recorded, and its options say onLost: 'fail'",
  };
}
