/**
 * The names by which a script can know effects. Owns the search for them in machines, and the error for one that nothing has.
 */
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { InvalidArgumentError } from '../errors.ts';
import { declarationsOf, isMachine } from '../kernel/xstate-internals.ts';
import { MachineRegistry, type Machines } from '../runtime/machines.ts';
import type { EffectScript } from './effect-script.ts';
import { isGiven } from './failures.ts';

/**
 * A name in a script that no effect was asked for under and that nothing in the machines has is a slip of the pen.
 * @param named names by which effects were known that began, such as ids that are made while a machine runs
 * @throws InvalidArgumentError
 */
export function requireKnownNames(
  effects: Readonly<Record<string, EffectScript<never>>>,
  machines: Machines,
  named: readonly string[],
): void {
  const known = new Set(named);
  const registry = new MachineRegistry(machines);
  for (const name of registry.names) {
    known.add(name);
    collect(registry.current(name).logic, known, new Set());
  }
  const unknown = Object.keys(effects).find((name) => !known.has(name));
  if (unknown === undefined) return;
  const expected = `a name that something in the machines has: one of ${[...known].filter(isGiven).toSorted().join(', ')}`;
  throw InvalidArgumentError.of(`scenario.effects.${unknown}`, expected, unknown);
}

function collect(machine: AnyStateMachine, known: Set<string>, seen: Set<AnyActorLogic>): void {
  if (seen.has(machine)) return;
  seen.add(machine);
  known.add(machine.id);
  const { invokes } = declarationsOf(machine);
  const actors = machine.implementations.actors as Readonly<Record<string, AnyActorLogic>>;
  for (const name of [...Object.keys(actors), ...invokes.flatMap(({ id, src }) => [id, src])]) {
    known.add(name);
  }
  for (const logic of Object.values(actors)) if (isMachine(logic)) collect(logic, known, seen);
}
