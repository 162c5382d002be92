/**
 * Whether something is a fault. Owns the fields that each kind has to have; what a fault does is fault-plan.ts's and faulty-log.ts's.
 */
import { InvalidArgumentError } from '../errors.ts';
import type { EventLog } from '../log/event-log.ts';

type Rule = readonly [expected: string, holds: (value: unknown) => boolean];

const count: Rule = ['a whole number of at least 0', (value) => Number.isInteger(value) && Number(value) >= 0];
const oneOf = (...values: readonly string[]): Rule => [
  values.map((each) => `'${each}'`).join(' or '),
  (value) => values.includes(value as string),
];
const counts: Rule = [
  'a list of whole numbers of at least 0',
  (value) => Array.isArray(value) && value.every((each) => count[1](each)),
];

/** For each kind of fault the forms that it has, each with all of its fields. */
const forms: Readonly<Record<string, readonly Readonly<Record<string, Rule>>[]>> = {
  crash: [
    { append: count, phase: oneOf('beforeAppend', 'afterAppend') },
    { snapshot: count, phase: oneOf('beforeSnapshot', 'afterSnapshot') },
    { operation: count },
  ],
  tornTail: [{ append: count, events: count }],
  lostTail: [{ append: count, appends: count }],
  ackLost: [{ append: count }],
  storeError: [
    { append: count, times: count },
    { read: count, times: count },
  ],
  duplicate: [{ event: count }],
  stealOwner: [{ append: count }],
  late: [
    {
      effect: ['the name of an effect', (value) => typeof value === 'string'],
      index: count,
      byMs: ['ms, at least 0', (value) => Number(value) >= 0],
    },
  ],
  reorder: [{ choices: counts }],
  clockJump: [
    {
      atMs: ['ms, at least 0', (value) => Number(value) >= 0],
      byMs: ['ms, forwards or back', (value) => Number.isFinite(value)],
    },
  ],
};

/** @throws InvalidArgumentError for what is no fault, or lacks something, or has something more */
export function requireFault(fault: unknown, where: string): void {
  if (typeof fault !== 'object' || fault === null || Array.isArray(fault))
    throw InvalidArgumentError.of(where, "a fault, such as { fault: 'crash', append: 2, phase: 'afterAppend' }", fault);
  const { fault: kind, ...fields } = fault as { readonly fault?: unknown } & Readonly<Record<string, unknown>>;
  const known = typeof kind === 'string' && Object.hasOwn(forms, kind) ? forms[kind] : undefined;
  if (!known) throw InvalidArgumentError.of(`${where}.fault`, `one of ${Object.keys(forms).join(', ')}`, kind);
  const form = known.find((each) => sameNames(Object.keys(each), Object.keys(fields)));
  if (!form) {
    const expected = known.map((each) => `{ fault, ${Object.keys(each).join(', ')} }`).join(' or ');
    throw InvalidArgumentError.of(
      `${where}, a ${String(kind)}`,
      expected,
      `{ ${['fault', ...Object.keys(fields)].join(', ')} }`,
    );
  }
  for (const [name, [expected, holds]] of Object.entries(form)) {
    if (!holds(fields[name])) throw InvalidArgumentError.of(`${where}.${name}`, expected, fields[name]);
  }
}

function sameNames(expected: readonly string[], found: readonly string[]): boolean {
  return expected.length === found.length && expected.every((name) => found.includes(name));
}

const whyQuarantine: Readonly<Record<string, string>> = {
  tornTail: 'an operator cannot move a torn record aside',
  lostTail: 'events cannot be taken back',
};

/** Whether a log has a fault of this kind. */
export function canHave({ quarantine }: Pick<EventLog, 'quarantine'>, { fault }: { readonly fault: string }): boolean {
  return quarantine !== undefined || !Object.hasOwn(whyQuarantine, fault);
}

/** @throws InvalidArgumentError for a fault that this log cannot have */
export function requirePossible(fault: { readonly fault: string }, log: EventLog, where: string): void {
  if (canHave(log, fault)) return;
  throw new InvalidArgumentError(
    `${where}: ${log.name} cannot have a ${fault.fault}: it has no quarantine, so ${whyQuarantine[fault.fault]}. ` +
      `Leave it out, as faults({ crash: true, … }) does, which tries the kinds that it names; or use another log.`,
  );
}
