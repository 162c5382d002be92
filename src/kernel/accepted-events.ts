/**
 * What a machine would take in its present state, and what its guards say to that. Owns how a guard is asked without an
 * event to hand; how XState evaluates one is xstate-internals.ts's. Changes nothing.
 *
 * AE1  A guard is asked with an event that has a type and nothing else. One that looks for more, or throws, depends on the
 *      event: what it gave then is no answer.
 * AE2  now() is the given time; a guard that draws random() or uuid() depends on chance.
 */
import type { AnyEventObject, AnyMachineSnapshot } from 'xstate';
import type { TimeMs } from '../clock.ts';
import { withAmbient } from './determinism.ts';
import { guardHolds, guardName, guardParams, transitionsOf } from './xstate-internals.ts';

/** What a guard says. */
export type GuardAnswer = boolean | 'depends on the event' | 'depends on chance';

/** A guard of a transition, and what it says in the present state. */
export interface AskedGuard {
  /** Its name in `setup`, that of its function, or `(inline)`. */
  readonly name: string;
  /** What it is given besides context and event; null where that is nothing, or is computed. */
  readonly params: unknown;
  readonly gives: GuardAnswer;
}

/** A transition that an active state declares. */
export interface AcceptedEvent {
  /** Path of the state that declares it; empty for the machine itself. Of one state the first whose guard holds is taken. */
  readonly state: string;
  /**
   * Type of the event, or a pattern such as `approval.*`. XState's own begin with `xstate.`; it is empty for a transition
   * that is taken by itself once its guard holds.
   */
  readonly event: string;
  /** Paths of the states it leads to; empty where the machine stays where it is. */
  readonly targets: readonly string[];
  readonly guard: AskedGuard | null;
}

/** What an active machine takes, in the order in which XState tries it. */
export function acceptedEvents(snapshot: AnyMachineSnapshot, at: TimeMs): AcceptedEvent[] {
  return transitionsOf(snapshot).map(({ guard, ...declared }) => {
    if (guard === undefined) return { ...declared, guard: null };
    const gives = ask(snapshot, guard, declared.event, at);
    return { ...declared, guard: { name: guardName(guard), params: guardParams(guard) ?? null, gives } };
  });
}

function ask(snapshot: AnyMachineSnapshot, guard: unknown, type: string, at: TimeMs): GuardAnswer {
  const seen = { event: false, chance: false };
  const random = () => {
    seen.chance = true;
    return 0.5;
  };
  try {
    const ambient = { at, seed: '', random };
    let holds = false;
    withAmbient(ambient, () => (holds = Boolean(guardHolds(snapshot, guard, bareEvent(type, seen)))));
    return seen.event ? 'depends on the event' : seen.chance ? 'depends on chance' : holds;
  } catch {
    return 'depends on the event';
  }
}

/** AE1. Of a pattern the type itself is not known either. */
function bareEvent(type: string, seen: { event: boolean }): AnyEventObject {
  const isKnown = type !== '' && !type.endsWith('*');
  const note = (key?: PropertyKey) => {
    if (key !== 'type' || !isKnown) seen.event = true;
  };
  return new Proxy<AnyEventObject>(
    { type },
    {
      get: (target, key) => (note(key), Reflect.get(target, key) as unknown),
      has: (target, key) => (note(key), Reflect.has(target, key)),
      ownKeys: (target) => (note(), Reflect.ownKeys(target)),
      getOwnPropertyDescriptor: (target, key) => (note(key), Reflect.getOwnPropertyDescriptor(target, key)),
    },
  );
}
