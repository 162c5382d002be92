/**
 * The scenarios of the recovery machines, lived through on a log that is then read. Owns the run and what the runtime said
 * of its actors at each append; what a projection makes of the log is the test's.
 *
 * LV1  With a crash the host dies at an append, and another one goes on to the end.
 */
import type { ActorRef, EventLog, RecordedEvent } from 'rewake';
import type { AnyMachineSnapshot } from 'xstate';
import type { ActorHead } from '../../src/log/event-log.ts';
import { forgetFlights } from '../../machines/flights.ts';
import { forgetSlots } from '../../machines/slots.ts';
import { crashScenarios } from '../machines/crash-scenarios.ts';
import { FaultyLog } from '../../src/testing/faulty-log.ts';
import { planOf, ScriptedWorld, type Crash, type CrashScenario } from '../support/crash-run.ts';
import { House } from '../support/house.ts';

/** A log with what the runtime wrote into the actor index. */
export interface Lived {
  readonly log: EventLog;
  readonly events: readonly RecordedEvent[];
  /** By `stream@revision` of the last event of an append. */
  readonly heads: ReadonlyMap<string, ActorHead>;
  readonly appends: number;
  /** State value of each actor at the end, as the runtime has it. */
  readonly values: Readonly<Record<string, unknown>>;
}

export const scenarios = crashScenarios.map((scenario) => [scenario.name, scenario] as const);

const limitMs = 3_600_000;

/** Plays a scenario to its end, in one life or two, on this log. */
export async function lived(
  scenario: CrashScenario,
  options: { crash?: Crash; log?: EventLog; house?: House } = {},
): Promise<Lived> {
  const house = options.house ?? new House();
  if (options.log) house.log = options.log;
  const heads = new Map<string, ActorHead>();
  const world = new ScriptedWorld(house.clock, scenario.answers);
  forgetSlots();
  forgetFlights();
  const dying = new FaultyLog(noting(house.log, heads), planOf(options.crash));
  let log: EventLog = dying;
  const open = async () => {
    // A host that dies while it starts never answers. Two in one ms must not draw the same ids.
    const opening = house.open(scenario.machines(world), { log, random: () => (log === dying ? 0 : 0.5) });
    return Promise.race([opening, house.rest().then(() => house.rest())]);
  };
  const name = Object.keys(scenario.machines(world))[0]!;
  let runtime = await open();
  const begunMs = house.clock.now();
  const survive = async () => {
    await house.rest();
    if (!dying.death || log !== dying) return false;
    forgetSlots();
    forgetFlights();
    world.die();
    log = noting(house.log, heads);
    runtime = await open();
    await house.rest();
    return true;
  };
  const say = async (what: () => Promise<unknown> | undefined) => {
    what()?.catch(() => {});
    if (await survive()) what()?.catch(() => {});
    await house.rest();
  };
  await say(() => runtime?.start(name, { id: '1', input: scenario.input } as never));
  const messages = [...(scenario.messages ?? [])];
  for (let turn = 0; turn < 1_000; turn++) {
    const status = (await house.log.actor(`${name}-1`))?.status;
    const due = house.clock.nextDue();
    const said = messages[0] && begunMs + messages[0][0];
    if (said !== undefined && (due === undefined || said <= due)) {
      const [[, event]] = messages.splice(0, 1) as [readonly [number, { type: string }]];
      await house.clock.advance(Math.max(0, said - house.clock.now()), () => house.rest());
      await say(() => runtime?.send(`${name}-1`, event, { messageId: `m${messages.length}` }));
    } else if (due === undefined || due > begunMs + limitMs || (status && status !== 'active')) break;
    else {
      await house.clock.advance(due - house.clock.now(), () => house.rest());
      await survive();
    }
  }
  await house.rest();
  const events: RecordedEvent[] = [];
  for await (const event of house.log.readAll()) events.push(event);
  const values: Record<string, unknown> = {};
  for await (const { stream } of house.log.actors()) {
    const ref = (await runtime!.get(stream as never)) as unknown as ActorRef;
    values[stream] = (ref.getSnapshot() as AnyMachineSnapshot).value;
  }
  return { log: house.log, events, heads, appends: dying.appends, values };
}

/** Notes what is written into the actor index. */
export function noting(log: EventLog, heads: Map<string, ActorHead>): EventLog {
  const append: EventLog['append'] = async (stream, expected, events, options) => {
    const result = await log.append(stream, expected, events, options);
    if (options?.actor && events.length > 0) heads.set(`${stream}@${result.revision}`, options.actor);
    return result;
  };
  return new Proxy(log, {
    get(target, key) {
      if (key === 'append') return append;
      const member: unknown = Reflect.get(target, key);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

let all: Promise<Lived[]> | undefined;

/** Every scenario, each with and without a crash in its middle; lived through once. To be called inside a test. */
export function allLives(): Promise<Lived[]> {
  all ??= (async () => {
    const lives: Lived[] = [];
    for (const [, scenario] of scenarios) {
      const whole = await lived(scenario);
      const crash: Crash = { append: Math.floor(whole.appends / 2), phase: 'after' };
      lives.push(whole, await lived(scenario, { crash }));
    }
    return lives;
  })();
  return all;
}
