/**
 * What events carry that a model is sent. Owns the forms in which payloads are given, their types, and which events come
 * into question in a state.
 *
 * MP1  A type without a payload is sent as `{ type }`. A pattern such as `approval.*` stands for the types that payloads
 *      name; without any, nothing is sent for it.
 */
import fc, { Arbitrary } from 'fast-check';
import type { AnyEventObject, AnyStateMachine, EventFromLogic } from 'xstate';
import { InvalidArgumentError } from '../errors.ts';

type FieldsOf<Event> = Event extends { readonly type: string } ? Omit<Event, 'type'> : never;

type EventOf<Machine extends AnyStateMachine, Type extends string> = Extract<
  EventFromLogic<Machine>,
  { readonly type: Type }
>;

/** By type of event what it carries besides its type: fields, or a list of which one is taken. */
export type EventValues<Machine extends AnyStateMachine = AnyStateMachine> = {
  readonly [Type in EventFromLogic<Machine>['type']]?:
    FieldsOf<EventOf<Machine, Type>> | readonly FieldsOf<EventOf<Machine, Type>>[];
};

/** By type of event what it carries besides its type: fields, a list of which one is taken, or an arbitrary. */
export type EventPayloads<Machine extends AnyStateMachine = AnyStateMachine> = {
  readonly [Type in EventFromLogic<Machine>['type']]?:
    | FieldsOf<EventOf<Machine, Type>>
    | readonly FieldsOf<EventOf<Machine, Type>>[]
    | Arbitrary<FieldsOf<EventOf<Machine, Type>>>;
};

/** Payloads of any machine. */
export type AnyPayloads = Readonly<Record<string, unknown>>;

/** Events of one type. */
export type EventSource = fc.Arbitrary<AnyEventObject>;

/**
 * Events by their type, as arbitraries.
 * @throws InvalidArgumentError for a type that the machine never takes, and for what is no payload
 */
export function eventSources(machine: AnyStateMachine, payloads: AnyPayloads, where: string): Map<string, EventSource> {
  return eventTable(machine, payloads, where, (type, payload) =>
    (payload instanceof Arbitrary ? (payload as Arbitrary<unknown>) : fc.constantFrom(...valuesOf(payload))).map(
      (fields) => eventOf(type, fields, where),
    ),
  );
}

/**
 * Events by their type, listed.
 * @throws InvalidArgumentError for a type that the machine never takes, and for what is no payload or an arbitrary
 */
export function eventLists(
  machine: AnyStateMachine,
  payloads: AnyPayloads,
  where: string,
): Map<string, readonly AnyEventObject[]> {
  return eventTable(machine, payloads, where, (type, payload) => {
    if (payload instanceof Arbitrary)
      throw InvalidArgumentError.of(
        `${where}, '${type}'`,
        'fields or a list of them; a graph needs finitely many',
        payload,
      );
    return valuesOf(payload).map((fields) => eventOf(type, fields, where));
  });
}

/** MP1. The types in question where a machine takes these types and patterns. */
export function typesFor<T>(descriptors: readonly string[], table: ReadonlyMap<string, T>): string[] {
  const types = descriptors.flatMap((descriptor) =>
    isPattern(descriptor) ? [...table.keys()].filter((type) => matches(type, descriptor)) : [descriptor],
  );
  return [...new Set(types)];
}

function eventTable<T>(
  machine: AnyStateMachine,
  payloads: AnyPayloads,
  where: string,
  make: (type: string, payload: unknown) => T,
): Map<string, T> {
  const descriptors = (machine.events as readonly string[]).filter((type) => !type.startsWith('xstate.'));
  const unknown = Object.keys(payloads).find((type) => !descriptors.some((descriptor) => matches(type, descriptor)));
  if (unknown !== undefined) {
    const known = descriptors.map((type) => `'${type}'`).join(', ') || 'none at all';
    throw InvalidArgumentError.of(where, `types of events that machine '${machine.id}' takes (${known})`, unknown);
  }
  const bare = descriptors.filter((type) => !isPattern(type) && !Object.hasOwn(payloads, type));
  return new Map([
    ...Object.entries(payloads).map(([type, payload]) => [type, make(type, payload)] as const),
    ...bare.map((type) => [type, make(type, {})] as const),
  ]);
}

function valuesOf(payload: unknown): readonly unknown[] {
  return Array.isArray(payload) ? payload : [payload];
}

function eventOf(type: string, fields: unknown, where: string): AnyEventObject {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw InvalidArgumentError.of(`${where}, '${type}'`, 'the fields of an event besides its type', fields);
  return { ...fields, type };
}

function isPattern(descriptor: string): boolean {
  return descriptor.endsWith('*');
}

/** XState's rule: `a.*` matches `a` and all that begins with `a.`, `*` everything. */
function matches(type: string, descriptor: string): boolean {
  if (!isPattern(descriptor)) return type === descriptor;
  const prefix = descriptor.slice(0, -1);
  return type.startsWith(prefix) || `${type}.` === prefix;
}
