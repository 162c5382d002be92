/**
 * Ids of events that come from what they record. Owns which ids those are: chance in a machine is drawn from them, so that a
 * run draws the same with faults and without, and a walk through its model draws it, too.
 */
import { createHash } from 'node:crypto';
import type { Stimulus } from '../kernel/stimulus.ts';

/** The id under which an event of a script is sent. @param index among those of the script */
export function messageIdOf(index: number): string {
  return `event-${index}`;
}

/** Undefined for what nothing tells from every other stimulus of its stream. */
export function stimulusId(stream: string, stimulus: Stimulus): string | undefined {
  const what = identityOf(stimulus);
  return what === undefined ? undefined : idOf(stream, what);
}

/** The id of what is told from everything else of its stream by these words. */
export function idOf(stream: string, what: string): string {
  const hex = createHash('sha256').update(`${stream}\n${what}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** What tells one stimulus of a stream from every other; undefined where nothing does. */
function identityOf(stimulus: Stimulus): string | undefined {
  switch (stimulus.type) {
    case 'ActorStarted':
      return 'start';
    case 'EventReceived':
      return stimulus.messageId === undefined ? undefined : `message ${stimulus.to} ${stimulus.messageId}`;
    case 'EffectSucceeded':
      return `outcome ${stimulus.actor}`;
    case 'EffectFailed':
      return stimulus.action ? undefined : `outcome ${stimulus.actor}`;
    case 'TimerFired':
      return `timer ${stimulus.timer}`;
    case 'EffectProgressed':
    case 'ActorResumed':
    case 'ActorStopped':
    case 'ActorRebased':
      return undefined;
  }
}
