/**
 * The machines a runtime knows, by durable name and version. Owns which definition an actor runs under.
 *
 * M1  A machine name never contains '-': it is the category of its streams.
 * M2  An actor stays on the version it started with while that version is registered; otherwise the current one folds
 *     its history, and the fold decides.
 */
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { InvalidArgumentError, UnknownMachineError } from '../errors.ts';
import { definitionHash } from '../kernel/definition-hash.ts';
import type { MigratableState } from '../kernel/migrate.ts';
import type { StartInfo } from '../kernel/records.ts';
import { isMachine } from '../kernel/xstate-internals.ts';
import { checkMachineName } from '../log/stream-name.ts';

/** Turns the state of an actor of an older version into one of the current version. */
export type Migrate = (state: MigratableState, versions: { from: string | null; to: string | null }) => MigratableState;

/** One machine, or its versions: the current one first. */
export type MachineEntry =
  | AnyStateMachine
  | readonly [AnyStateMachine, ...AnyStateMachine[]]
  | { readonly versions: readonly [AnyStateMachine, ...AnyStateMachine[]]; readonly migrate?: Migrate };

/** The machines of a runtime by durable name: letters, digits, `_` and `.`, beginning with a letter. */
export type Machines = Readonly<Record<string, MachineEntry>>;

/** A machine with what ActorStarted records of it. */
export interface RegisteredMachine extends StartInfo {
  readonly logic: AnyStateMachine;
}

interface Registration {
  readonly versions: readonly [RegisteredMachine, ...RegisteredMachine[]];
  readonly migrate: Migrate | undefined;
}

export class MachineRegistry {
  #registrations = new Map<string, Registration>();

  /** @throws InvalidArgumentError for a bad name, something that is no machine, or a version that occurs twice */
  constructor(machines: Machines) {
    this.add(machines);
  }

  /**
   * All of them or none; a machine that is known under its name already is left as it is.
   * @throws InvalidArgumentError as the constructor does, and for a name under which there is another machine
   */
  add(machines: Machines): void {
    const added = Object.entries(machines).map(([name, entry]) => [name, registrationOf(name, entry)] as const);
    for (const [name, registration] of added) {
      const known = this.#registrations.get(name);
      if (!known || isSame(known, registration)) continue;
      throw new InvalidArgumentError(
        `machines.${name}: there is another machine of this name in the runtime. Give one of them another name.`,
      );
    }
    for (const [name, registration] of added) {
      if (!this.#registrations.has(name)) this.#registrations.set(name, registration);
    }
  }

  get names(): string[] {
    return [...this.#registrations.keys()];
  }

  /** The version new actors start with. @throws UnknownMachineError */
  current(name: string): RegisteredMachine {
    return this.#find(name).versions[0];
  }

  /** The definition for an actor that started with `version`. @throws UnknownMachineError */
  forActor(name: string, version: string | null, stream: string): RegisteredMachine {
    const { versions } = this.#find(name, stream);
    return versions.find((machine) => machine.version === version) ?? versions[0];
  }

  /** The very definition that was recorded, if it is registered. */
  find({ machine, version, definition }: StartInfo): RegisteredMachine | undefined {
    const versions = this.#registrations.get(machine)?.versions;
    return versions?.find((known) => known.version === version && known.definition === definition);
  }

  /** How an actor that runs under `machine` comes to the current version; undefined where it stays. */
  migration(machine: RegisteredMachine): { readonly to: RegisteredMachine; readonly migrate: Migrate } | undefined {
    const registration = this.#registrations.get(machine.machine);
    const to = registration?.versions[0];
    return registration?.migrate && to && to !== machine ? { to, migrate: registration.migrate } : undefined;
  }

  #find(name: string, stream?: string): Registration {
    const registration = this.#registrations.get(name);
    if (!registration) throw new UnknownMachineError(name, this.names, stream);
    return registration;
  }
}

function isSame(known: Registration, other: Registration): boolean {
  const { versions, migrate } = known;
  if (versions.length !== other.versions.length || migrate !== other.migrate) return false;
  return other.versions.every(({ logic }, index) => logic === versions[index]?.logic);
}

function registrationOf(name: string, entry: MachineEntry): Registration {
  checkMachineName(name);
  if (typeof entry !== 'object' || (entry as unknown) === null) throw notMachine(name, entry);
  const list = (isList(entry) ? entry : 'versions' in entry ? entry.versions : [entry]) as readonly AnyActorLogic[];
  const versions = list.map((logic) => describe(name, logic));
  const [current, ...older] = versions;
  if (!current) throw new InvalidArgumentError(`Machine '${name}' has no versions: give at least one machine.`);
  const seen = new Set<string | null>();
  for (const { version } of versions) {
    if (seen.has(version)) {
      throw new InvalidArgumentError(
        `Machine '${name}' is registered twice with version ${JSON.stringify(version)}. Give each definition its own 'version' in createMachine({ version }).`,
      );
    }
    seen.add(version);
  }
  const migrate = !isList(entry) && 'versions' in entry ? (entry.migrate as Migrate | undefined) : undefined;
  return { versions: [current, ...older], migrate };
}

function isList(entry: MachineEntry): entry is readonly [AnyStateMachine, ...AnyStateMachine[]] {
  return Array.isArray(entry);
}

function describe(name: string, logic: AnyActorLogic): RegisteredMachine {
  if (typeof logic !== 'object' || logic === null || !isMachine(logic)) throw notMachine(name, logic);
  return { machine: name, version: logic.version ?? null, definition: definitionHash(logic), logic };
}

function notMachine(name: string, found: unknown): InvalidArgumentError {
  const expected = 'a machine, a list of its versions, or { versions, migrate }';
  const { message } = InvalidArgumentError.of(`machines.${name}`, expected, found);
  return new InvalidArgumentError(`${message} ${hintFor(name, found)}`);
}

/** What was probably meant. */
function hintFor(name: string, found: unknown): string {
  if (typeof found === 'function') return `Wrap it, as in step('${name}', fn) of 'rewake/machines'.`;
  if (typeof found !== 'object' || found === null) return 'Is it exported, and not imported in a circle?';
  if ('transition' in found) {
    return `It is actor logic of another kind: give step('${name}', fn) of 'rewake/machines', or a machine that invokes it.`;
  }
  const parts = Object.entries(found);
  const machines = parts.filter(
    ([, part]) => typeof part === 'object' && part !== null && isMachine(part as AnyActorLogic),
  );
  if (machines.length === 0) return 'Pass what createMachine() or setup().createMachine() returns.';
  if (machines.length === parts.length) return `It holds machines by their names: spread it, as in { ...${name} }.`;
  return `There is a machine in it: pass that, its '${machines[0]![0]}'.`;
}
