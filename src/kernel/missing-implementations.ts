/**
 * What a machine names and nobody gave it: actor sources, guards and delays. Owns the search; XState itself finds out
 * only when it comes to the place, and then the machine fails or goes on otherwise than it did. Actions are not looked
 * for: XState lets one pass that is not there.
 *
 * MI1  A machine that can run is never told that something is missing: only names without an implementation count.
 */
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { declarationsOf, guardNamesOf, isMachine, resolveSource } from './xstate-internals.ts';

/** What is missing of a machine and of those that it runs by name, each as in `actor 'charge'`. */
export function missingImplementations(machine: AnyStateMachine, seen = new Set<AnyStateMachine>()): string[] {
  if (seen.has(machine)) return [];
  seen.add(machine);
  const { guards, delays, actors } = machine.implementations;
  const declared = declarationsOf(machine);
  const sources = declared.invokes.map(({ src }) => src).filter((src) => !resolveSource(machine, src));
  const asked = guardNamesOf(machine).filter((name) => !Object.hasOwn(guards, name));
  const delayed = declared.delays.flatMap(({ delay }) =>
    typeof delay === 'string' && !Object.hasOwn(delays, delay) ? [delay] : [],
  );
  const own = [
    ...named('actor', sources),
    ...named('guard', asked),
    ...named('delay', delayed),
    // In another machine than the root, its name helps to find the place.
  ].map((what) => (seen.size > 1 ? `${what} of machine '${machine.id}'` : what));
  const nested = (Object.values(actors) as AnyActorLogic[]).filter(isMachine);
  return [...new Set([...own, ...nested.flatMap((child) => missingImplementations(child, seen))])];
}

function named(kind: string, names: readonly string[]): string[] {
  return names.map((name) => `${kind} '${name}'`);
}
