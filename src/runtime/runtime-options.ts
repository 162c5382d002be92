/**
 * What a service passes to a runtime and gets listed by it. Owns the types of the public surface, and the check of what
 * comes from JavaScript or a configuration file, where no compiler has looked.
 */
import type { AnyStateMachine, InputFrom } from 'xstate';
import type { Clock, Duration, Random } from '../clock.ts';
import { InvalidArgumentError } from '../errors.ts';
import type { ActorQuery, ActorRow, ActorStatus, EventLog } from '../log/event-log.ts';
import type { Upcasters } from '../log/upcast.ts';
import type { EnvironmentOptions, OnEnvironmentChange } from './environment.ts';
import type { FeatureSwitches } from './features.ts';
import type { Logger } from './logger.ts';
import type { MachineEntry, Machines } from './machines.ts';

/** How a runtime is set up: only `machines` has to be given. */
export interface RuntimeOptions<M extends Machines = Machines> {
  /** Where events are kept; an in-memory log when omitted. The runtime closes it, unless `keepLogOpen`. */
  readonly log?: EventLog;
  /** Machines by durable name. An array holds versions of one machine, the current one first. */
  readonly machines: M;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly upcasters?: Upcasters;
  /**
   * What newer versions of rewake write into the log, by name, on or off; the default of each when omitted. A switch decides
   * what is written, never what is read: a fleet goes forward, and back, one host at a time.
   */
  readonly features?: FeatureSwitches;
  /** Version and configuration of your program, recorded with each actor and compared when it is taken up; none when omitted. */
  readonly environment?: EnvironmentOptions;
  /**
   * What becomes of an actor that was last run under another environment: `'accept'`, which is the default, warns and goes on;
   * `'block'` blocks it; a function says which of the two.
   */
  readonly onEnvironmentChange?: OnEnvironmentChange;
  /**
   * Keep a cached fold of every actor, renewed after `every` events, so that a long life loads fast; every 1,000 when
   * omitted, none kept or used with `false`.
   */
  readonly snapshots?: { readonly every: number } | false;
  /**
   * Replace the history of an actor by its state, as {@link Runtime.compact} does, each time its stream has grown by so many
   * events. Never when omitted: what is removed cannot be replayed.
   */
  readonly compaction?: { readonly every: number };
  /**
   * Record with each event what it changed in contexts, so that a log can be read, replayed and searched without the code of
   * its machines; `true` when omitted. A fold does not need it: `false` makes a smaller log.
   */
  readonly recordContexts?: boolean;
  /** How many messages of one actor may wait to become durable; 1,000 when omitted. */
  readonly mailboxSize?: number;
  /** Drop actors from memory that were idle this long; one minute when omitted, never with `false`. */
  readonly passivate?: { readonly idle: Duration } | false;
  /**
   * The lease that keeps a second host off the log: its time to live (10 s), and how long to wait for it. Without `wait`
   * a host that runs on this machine is an error at once, and one that may be dead is waited for until its lease ran out.
   */
  readonly lease?: { readonly ttl?: Duration; readonly wait?: Duration } | false;
  /** Wake every unfinished actor at once; `true` when omitted. */
  readonly resume?: boolean;
  /** Name of this host in events; host name and process id when omitted. */
  readonly host?: string;
  /** Do not close the log with the runtime. */
  readonly keepLogOpen?: boolean;
}

/** The machine type that a handle on an actor has: the current version. */
export type MachineOf<Entry extends MachineEntry> = Entry extends AnyStateMachine
  ? Entry
  : Entry extends readonly [infer Current extends AnyStateMachine, ...unknown[]]
    ? Current
    : Entry extends { readonly versions: readonly [infer Current extends AnyStateMachine, ...unknown[]] }
      ? Current
      : AnyStateMachine;

/** `input` may be left out where the machine takes none. */
export type StartOptions<Machine extends AnyStateMachine> = {
  readonly id: string;
  readonly correlationId?: string;
} & (undefined extends InputFrom<Machine>
  ? { readonly input?: InputFrom<Machine> }
  : { readonly input: InputFrom<Machine> });

/** An entry of Runtime.list(); a query for one machine tells of its actors only. */
export interface ListedActor<Name extends string = string> extends Omit<ActorRow, 'status'> {
  readonly machine: Name;
  /** What `get` takes. */
  readonly stream: `${Name}-${string}`;
  readonly status: ActorStatus | 'blocked';
  /** Why the actor is blocked. */
  readonly reason?: unknown;
}

/** Which actors to list; all when empty. */
export type ListQuery<Name extends string = string> = Omit<ActorQuery, 'machine' | 'status' | 'wakes'> & {
  readonly machine?: Name;
  readonly status?: ActorStatus | 'blocked';
};

const optionNames = new Set<string>([
  'log',
  'machines',
  'clock',
  'random',
  'logger',
  'upcasters',
  'features',
  'environment',
  'onEnvironmentChange',
  'snapshots',
  'compaction',
  'recordContexts',
  'mailboxSize',
  'passivate',
  'lease',
  'resume',
  'host',
  'keepLogOpen',
] satisfies (keyof RuntimeOptions)[]);

/** @throws InvalidArgumentError when something else than options was passed, or an option that there is not */
export function checkOptions<Options>(options: Options): Options {
  if (!isObject(options))
    throw InvalidArgumentError.of('createRuntime()', 'an object such as { machines: { order } }', options);
  for (const name of Object.keys(options)) {
    if (!optionNames.has(name))
      throw InvalidArgumentError.of(`createRuntime({ ${name} })`, `one of ${[...optionNames].join(', ')}`, name);
  }
  const { log, machines, compaction, features, recordContexts, mailboxSize, lease, passivate, snapshots } =
    options as Record<string, unknown>;
  if (!isObject(machines))
    throw InvalidArgumentError.of('createRuntime({ machines })', 'an object of machines by name', machines);
  if (log !== undefined && !(isObject(log) && typeof log.append === 'function')) {
    throw InvalidArgumentError.of('createRuntime({ log })', "an event log, such as sqliteLog('orders.db')", log);
  }
  if (mailboxSize !== undefined && !(Number.isInteger(mailboxSize) && (mailboxSize as number) > 0)) {
    throw InvalidArgumentError.of('createRuntime({ mailboxSize })', 'a whole number above 0', mailboxSize);
  }
  if (recordContexts !== undefined && typeof recordContexts !== 'boolean') {
    throw InvalidArgumentError.of('createRuntime({ recordContexts })', 'true or false', recordContexts);
  }
  if (compaction !== undefined) {
    const { every } = isObject(compaction) ? compaction : {};
    if (!(Number.isInteger(every) && (every as number) > 0)) {
      throw InvalidArgumentError.of(
        'createRuntime({ compaction: { every } })',
        'a whole number of events above 0',
        every,
      );
    }
    if (isObject(log) && !(log as unknown as EventLog).capabilities.truncate) {
      throw InvalidArgumentError.of(
        'createRuntime({ compaction })',
        'nothing on a log that cannot remove events',
        compaction,
      );
    }
  }
  if (features !== undefined && !isObject(features))
    throw InvalidArgumentError.of('createRuntime({ features })', 'an object of true and false by name', features);
  for (const [name, value] of Object.entries({ lease, passivate, snapshots })) {
    if (value === undefined || value === false || isObject(value)) continue;
    throw InvalidArgumentError.of(`createRuntime({ ${name} })`, 'an object or false', value);
  }
  return options;
}

/** @throws InvalidArgumentError when the options of a start are no object, or hold an option that there is not */
export function checkStart(machine: string, options: unknown): { id: string; correlationId?: string; input?: unknown } {
  if (!isObject(options))
    throw InvalidArgumentError.of(`start('${machine}')`, "options such as { id: '42', input }", options);
  for (const name of Object.keys(options)) {
    if (!['id', 'correlationId', 'input'].includes(name)) {
      throw InvalidArgumentError.of(`start('${machine}', { ${name} })`, 'one of id, input, correlationId', name);
    }
  }
  return options as { id: string };
}

/** @throws InvalidArgumentError when the options of a call are no object, or hold one that there is not */
export function checkNames(call: string, options: unknown, names: readonly string[]): void {
  if (!isObject(options)) throw InvalidArgumentError.of(call, `an object of the options ${names.join(', ')}`, options);
  const wrong = Object.keys(options).find((name) => !names.includes(name));
  if (wrong !== undefined) throw InvalidArgumentError.of(`${call}.${wrong}`, `one of ${names.join(', ')}`, wrong);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
