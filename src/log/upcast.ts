/**
 * Upcasters: how the data of an old event becomes what the current program expects. Owns the chains by (type, schema
 * version) and their validation; when events are read and what their data means is not known here.
 *
 * U1  Upcasting happens on read; the log is never changed.
 * U2  An event that is current comes back as it is, so upcasting twice is upcasting once.
 * U3  An event either reaches the current version of its type or is an UpcastError; nothing is guessed.
 * U4  Upcasters see decoded values, and what they return can be logged.
 */
import { DamagedRecordError, InvalidArgumentError, UpcastError } from '../errors.ts';
import { decode, encode } from './codec.ts';
import type { RecordedEvent } from './event-log.ts';
import type { Json } from './json.ts';

/**
 * Turns the data of one schema version into that of the next: a pure function. It may change its argument.
 * Declared as a method so that an upcaster can name the type it expects.
 */
export type Upcaster = { upcast(data: unknown): unknown }['upcast'];

/** A step that gives an event another type; made by {@link renamedTo}. */
export interface Rename {
  readonly renamedTo: string;
  readonly schemaVersion: number;
}

/** By event type, then by the schema version that a step starts from. */
export type UpcasterDefinitions = Readonly<Record<string, Readonly<Record<number, Upcaster | Rename>>>>;

/** Validated chains; made by {@link defineUpcasters}. */
export interface Upcasters {
  readonly chains: ReadonlyMap<string, Chain>;
}

interface Chain {
  /** The oldest version there is a step for. */
  readonly first: number;
  /** The version that the last step leads to, or that it starts from where it is a rename. */
  readonly current: number;
  readonly steps: readonly (Upcaster | Rename)[];
}

/** An event as the current program knows it. */
export interface UpcastEvent {
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: Json;
}

/** Types without upcasters have this version, and so do rewake's own events. */
const firstVersion = 1;

/** The chains of a program that has none. */
export const noUpcasters: Upcasters = { chains: new Map() };

/**
 * Declares that events of this type are now called `type`. It is the last step of its chain; at `schemaVersion` the
 * chain of the new type takes over.
 */
export function renamedTo(type: string, schemaVersion: number = firstVersion): Rename {
  return Object.freeze({ renamedTo: type, schemaVersion });
}

/**
 * Declares how old events become current ones: for every type a step from each version to the next. The chain may
 * start at any version; its last step leads to the current version, the one new events are written with.
 *
 * @example
 * const upcasters = defineUpcasters({
 *   OrderPlaced: { 1: (data: { sum: number }) => ({ amount: data.sum, currency: 'EUR' }) },
 *   OrderPlacd: { 1: renamedTo('OrderPlaced') },
 * });
 * @throws InvalidArgumentError for a gap between versions, a step that is no function, or a rename that leads nowhere
 */
export function defineUpcasters(definitions: UpcasterDefinitions): Upcasters {
  const chains = new Map<string, Chain>();
  for (const [type, steps] of Object.entries(definitions)) chains.set(type, toChain(type, steps));
  for (const [type, chain] of chains) checkRename(type, chain, chains);
  return { chains };
}

/** The schema version that new events of a type are written with. */
export function currentVersion(type: string, upcasters: Upcasters): number {
  return upcasters.chains.get(type)?.current ?? firstVersion;
}

/**
 * Reads the data of an event and brings it to the current schema version.
 * @throws UpcastError when no chain leads from the event's version to the current one, or an upcaster fails
 * @throws DamagedRecordError when the data is not JSON
 */
export function upcast(event: RecordedEvent, upcasters: Upcasters): UpcastEvent {
  let { type, schemaVersion } = event;
  let data = parse(event);
  for (;;) {
    const chain = upcasters.chains.get(type);
    if (schemaVersion === (chain?.current ?? firstVersion) && !isRenamed(chain)) return { type, schemaVersion, data };
    const step = chain?.steps[schemaVersion - chain.first];
    if (step === undefined) throw noStep(event, type, schemaVersion, chain);
    if (typeof step === 'function') {
      data = apply(step, data, event, type, schemaVersion);
      schemaVersion++;
    } else {
      type = step.renamedTo;
      schemaVersion = step.schemaVersion;
    }
  }
}

function parse(event: RecordedEvent): Json {
  try {
    return JSON.parse(event.data) as Json;
  } catch (cause) {
    throw new DamagedRecordError(event.stream, event.revision, `the data of event '${event.type}' is not JSON`, {
      cause,
    });
  }
}

function apply(step: Upcaster, data: Json, event: RecordedEvent, type: string, version: number): Json {
  const name = `the upcaster of '${type}' from version ${version} to ${version + 1}`;
  let next: unknown;
  try {
    next = step(decode(data));
    if (next !== undefined) return encode(next, `the result of ${name}`).json;
  } catch (cause) {
    throw new UpcastError(event, `${name} failed (${String(cause)})`, 'Correct the upcaster.', { cause });
  }
  throw new UpcastError(event, `${name} returned undefined`, 'Correct the upcaster: return the new data.');
}

function isRenamed(chain: Chain | undefined): boolean {
  const last = chain?.steps.at(-1);
  return last !== undefined && typeof last !== 'function';
}

function noStep(event: RecordedEvent, type: string, version: number, chain: Chain | undefined): UpcastError {
  const current = chain?.current ?? firstVersion;
  const known = chain === undefined ? 'there are no upcasters for this type' : `upcasters start at ${chain.first}`;
  if (version > current || chain === undefined) {
    const detail = `the current version of '${type}' is ${current}, found ${version}, and ${known}`;
    return new UpcastError(event, detail, 'A newer program wrote it: run that one, or add its upcasters here.');
  }
  const detail = `no step leads from version ${version} of '${type}' to the current version ${current}: ${known}`;
  return new UpcastError(event, detail, `Add upcasters from version ${version} on.`);
}

function toChain(type: string, steps: Readonly<Record<number, Upcaster | Rename>>): Chain {
  const versions = Object.keys(steps).map(Number);
  const first = versions[0];
  if (first === undefined) throw invalid(type, 'has no steps', 'Add one, or leave the type out.');
  versions.forEach((version, i) => checkStep(type, version, first + i, i === versions.length - 1, steps[version]));
  const inOrder = versions.map((version) => steps[version]!);
  const last = first + versions.length - 1;
  return { first, current: typeof inOrder.at(-1) === 'function' ? last + 1 : last, steps: inOrder };
}

function checkStep(type: string, version: number, expected: number, isLast: boolean, step: unknown): void {
  if (!Number.isInteger(version) || version < 0)
    throw invalid(type, `has a step from version ${version}`, 'Versions are whole numbers from 0.');
  if (version !== expected)
    throw invalid(type, `goes on at ${version}, expected ${expected}`, 'Add the steps that are missing in between.');
  if (typeof step === 'function') return;
  if (!isRename(step))
    throw invalid(type, `has ${typeof step} as step ${version}`, 'A step is a function or renamedTo(type).');
  if (!isLast)
    throw invalid(type, `has a step after its rename at ${version}`, 'Move it to the chain of the new type.');
}

function isRename(step: unknown): step is Rename {
  return typeof step === 'object' && step !== null && 'renamedTo' in step && typeof step.renamedTo === 'string';
}

function checkRename(type: string, chain: Chain, chains: ReadonlyMap<string, Chain>): void {
  const seen = [type];
  for (let last = chain.steps.at(-1); last !== undefined && typeof last !== 'function';) {
    const target = chains.get(last.renamedTo);
    const first = target?.first ?? firstVersion;
    const current = target?.current ?? firstVersion;
    if (!Number.isInteger(last.schemaVersion) || last.schemaVersion < first || last.schemaVersion > current) {
      const range = first === current ? `${first}` : `${first} to ${current}`;
      throw invalid(type, `leads to '${last.renamedTo}' version ${last.schemaVersion}`, `There is only ${range}.`);
    }
    if (seen.includes(last.renamedTo))
      throw invalid(type, `comes back to '${last.renamedTo}'`, 'Let one of the renames go.');
    seen.push(last.renamedTo);
    last = target?.steps.at(-1);
  }
}

function invalid(type: string, found: string, next: string): InvalidArgumentError {
  return new InvalidArgumentError(`The chain of upcasters for '${type}' ${found}. ${next}`);
}
