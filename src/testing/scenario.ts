/**
 * What is tried out: machines in a world whose answers are known. Owns the words a scenario is written in and the checks of
 * them; running one is play.ts.
 *
 * SC1  Everything that comes from outside is said here: input, events, what effects answer and when. So two runs differ by
 *      their faults alone.
 */
import type { AnyEventObject } from 'xstate';
import { toMs, type Clock, type Duration, type VirtualClock } from '../clock.ts';
import { InvalidArgumentError } from '../errors.ts';
import type { EventLog } from '../log/event-log.ts';
import { MachineRegistry, type Machines } from '../runtime/machines.ts';
import { checkNames, type RuntimeOptions } from '../runtime/runtime-options.ts';
import { requireScript, type EffectScript } from './effect-script.ts';
import type { Outcome } from './outcome.ts';

const runtimeOptions = [
  ...(['upcasters', 'features', 'environment', 'onEnvironmentChange', 'snapshots', 'compaction'] as const),
];

/** An event that the actor is sent; in a pair, so many ms after the one before it. */
export type ScenarioEvent = AnyEventObject | readonly [afterMs: number, event: AnyEventObject];

/** Machines, and all that reaches them from outside. */
export interface Scenario<World = unknown> {
  /** For messages. */
  readonly name?: string;
  /**
   * What is outside of the machines and outlives a crash, such as a bank that counts what it is charged: made anew for every
   * run, and handed to `machines`, to scripts that are functions and to `check`.
   */
  readonly world?: () => World;
  /**
   * As {@link createRuntime} takes them; or how they are made for each life of the process, whose clock it gets: timers that
   * are set on it die with the process, as those of `setTimeout` do. The first machine is started.
   */
  readonly machines: Machines | ((world: World, clock: Clock) => Machines);
  /** Durable name of the machine that is started, where it is not the first. */
  readonly machine?: string;
  readonly input?: unknown;
  /**
   * What effects answer, by name: the `src` or the `id` under which a machine invokes or spawns it, the name of a step, or the
   * name of an actor around it; the nearest one counts. All effects have to be named, but those that are `internal`.
   */
  readonly effects?: Readonly<Record<string, EffectScript<World>>>;
  readonly events?: readonly ScenarioEvent[];
  /** How long it is watched, in virtual time; 1,000 days when omitted. It ends before, when nothing goes on. */
  readonly until?: Duration;
  /** An empty log on the given clock; the memory log when omitted. */
  readonly log?: (clock: VirtualClock) => EventLog | Promise<EventLog>;
  /** Options of the runtimes. */
  readonly runtime?: Partial<Pick<RuntimeOptions, (typeof runtimeOptions)[number]>>;
  /** What must hold after every run, besides what holds for every machine. Throws where it does not. */
  readonly check?: (outcome: Outcome<World>) => void | Promise<void>;
  /** Where it can be imported from, so that a failure can leave a test behind: `import.meta.url`, and the name of the export. */
  readonly source?: { readonly url: string; readonly name: string };
}

const options = [
  'name',
  'world',
  'machines',
  'machine',
  'input',
  'effects',
  'events',
  'until',
  'log',
  'runtime',
  'check',
];

/**
 * A scenario, checked; its types come from its world.
 * @throws InvalidArgumentError for a scenario that cannot be played
 *
 * @example
 * export const orders = defineScenario({
 *   machines: { order },
 *   effects: { charge: [{ error: new Error('busy') }, { output: 'paid' }] },
 *   events: [{ type: 'PAY' }],
 * });
 */
export function defineScenario<World = undefined>(scenario: Scenario<World>): Scenario<World> {
  requireScenario(scenario);
  return scenario;
}

/** @throws InvalidArgumentError */
export function requireScenario(scenario: unknown): asserts scenario is Scenario {
  checkNames('scenario', scenario, [...options, 'source']);
  const {
    machines,
    machine,
    effects = {},
    events = [],
    until,
    world,
    check,
    log,
    runtime,
    source,
  } = scenario as Scenario;
  if (typeof machines !== 'function') {
    if (machines === undefined)
      throw InvalidArgumentError.of('scenario.machines', 'machines by durable name', machines);
    new MachineRegistry(machines);
    requireMachine(machines, machine ?? Object.keys(machines)[0]);
  }
  for (const [name, value] of Object.entries({ world, check, log })) {
    if (value !== undefined && typeof value !== 'function')
      throw InvalidArgumentError.of(`scenario.${name}`, 'a function', value);
  }
  if (!isRecord(effects))
    throw InvalidArgumentError.of('scenario.effects', 'answers by the name of an effect', effects);
  for (const [name, script] of Object.entries(effects)) requireScript(script, `scenario.effects.${name}`);
  requireEvents(events, 'scenario.events');
  if (until !== undefined) requireDuration(until);
  if (runtime !== undefined) checkNames('scenario.runtime', runtime, runtimeOptions);
  if (source !== undefined && !(typeof source.url === 'string' && typeof source.name === 'string'))
    throw InvalidArgumentError.of('scenario.source', '{ url: import.meta.url, name } of what its file exports', source);
}

/** @throws InvalidArgumentError where there is no machine of this name */
export function requireMachine(machines: Machines, name: string | undefined): void {
  const names = Object.keys(machines);
  if (names.length === 0) throw InvalidArgumentError.of('scenario.machines', 'at least one machine', 'none');
  if (!names.includes(name!)) throw InvalidArgumentError.of('scenario.machine', `one of ${names.join(', ')}`, name);
}

function requireDuration(until: Duration): void {
  try {
    toMs(until);
  } catch (error) {
    const expected = "ms that are not negative, or a duration such as '30s' or '10d'";
    throw InvalidArgumentError.of('scenario.until', expected, until, error);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws InvalidArgumentError */
export function requireEvents(events: unknown, where: string): asserts events is readonly ScenarioEvent[] {
  if (!Array.isArray(events)) throw InvalidArgumentError.of(where, 'a list of events', events);
  for (const [index, each] of (events as readonly ScenarioEvent[]).entries()) {
    const [afterMs, event] = timed(each);
    if (typeof (event as { type?: unknown } | undefined)?.type !== 'string')
      throw InvalidArgumentError.of(
        `${where}[${index}]`,
        "an event such as { type: 'PAY' }, or a pair [afterMs, event]",
        event,
      );
    if (!(Number.isFinite(afterMs) && afterMs >= 0))
      throw InvalidArgumentError.of(`${where}[${index}][0]`, 'ms, at least 0', afterMs);
  }
}

/** An event with the ms since the one before it. */
export function timed(event: ScenarioEvent): readonly [afterMs: number, event: AnyEventObject] {
  return isPair(event) ? event : [0, event];
}

function isPair(event: ScenarioEvent): event is readonly [number, AnyEventObject] {
  return Array.isArray(event);
}
