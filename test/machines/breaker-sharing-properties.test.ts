/**
 * What holds of a breaker that steps of two hosts share, on one memory log and on one SQLite file, read from the log
 * afterwards. Numbers are those of docs/explanation/invariants.md.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { createRuntime, memoryLog, VirtualClock, type EffectArguments, type EventLog } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import { breaker } from '../../machines/breaker.ts';
import type { Permit } from '../../machines/breaker-permit.ts';
import { step } from '../../machines/step.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { logPath } from '../stores/sqlite/log-files.ts';
import { FaultyLog } from '../support/faulty-log.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { propertyRuns } from '../support/property-runs.ts';

const leaseMs = 5_000;
const openMaxMs = 2_000;

type Act =
  | { readonly do: 'start'; readonly host: 0 | 1; readonly steps: number }
  /** The oldest or the newest running call ends. */
  | { readonly do: 'end'; readonly newest: boolean; readonly well: boolean }
  | { readonly do: 'wait'; readonly ms: number }
  /** The host dies, and what it was doing is never heard of again; another one takes its place. */
  | { readonly do: 'crash'; readonly host: 0 | 1 };

interface Plan {
  readonly permits: number;
  readonly successes: number;
  readonly acts: readonly Act[];
}

const host = fc.constantFrom<(0 | 1)[]>(0, 1);
const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('start' as const), host, steps: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      ...{ do: fc.constant('end' as const), newest: fc.boolean() },
      well: fc.oneof({ weight: 2, arbitrary: fc.constant(false) }, fc.boolean()),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(100, 1_000, 2_000, leaseMs) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), host }) },
);
const plans: fc.Arbitrary<Plan> = fc
  .record({
    permits: fc.integer({ min: 1, max: 3 }),
    spare: fc.nat(2),
    acts: fc.array(acts, { minLength: 12, maxLength: 40, size: 'max' }),
  })
  .map(({ permits, spare, acts: all }) => ({ permits, successes: Math.max(1, permits - spare), acts: all }));

interface Running {
  /** The event that let the call through. */
  readonly causationId: string;
  readonly host: object;
  end(well: boolean): void;
}

/** What runs in the world, whenever that changes or the time does. */
interface Moment {
  readonly at: number;
  readonly running: readonly string[];
}

/** Two hosts of guarded steps. Each has a view of its own on the log, and nothing but the log in common with the other. */
class Street {
  readonly clock = new VirtualClock();
  readonly moments: Moment[] = [];
  readonly #viewOf: () => EventLog;
  readonly #plan: Plan;
  readonly #onFile: boolean;
  #running: Running[] = [];
  #hosts: { readonly runtime: Runtime; readonly log: FaultyLog; readonly identity: object }[] = [];
  #steps = 0;

  constructor(plan: Plan, onFile: boolean) {
    this.#plan = plan;
    this.#onFile = onFile;
    const memory = memoryLog({ clock: this.clock });
    const path = onFile ? logPath() : '';
    this.#viewOf = () => (onFile ? sqliteLog(path, { clock: this.clock }) : memory);
  }

  async play(): Promise<EventLog> {
    this.#hosts = [await this.#open(), await this.#open()];
    for (const act of this.#plan.acts) {
      await this.#act(act);
      await this.#settle();
    }
    return this.#viewOf();
  }

  /** Both hosts die, and when every opening and every lease is over another one makes a call: whether it is let through. */
  async lets(): Promise<boolean> {
    for (const host of [0, 1] as const) await this.#act({ do: 'crash', host });
    await this.#act({ do: 'wait', ms: leaseMs + openMaxMs });
    await this.#act({ do: 'start', host: 0, steps: 1 });
    await this.#settle();
    for (const { log } of this.#hosts) await this.#silence(log);
    return this.#running.length === 1;
  }

  async #act(act: Act): Promise<void> {
    switch (act.do) {
      case 'start':
        for (let n = 0; n < act.steps; n++)
          void this.#hosts[act.host]!.runtime.start('work', { id: `${++this.#steps}` });
        return;
      case 'end':
        return this.#running.at(act.newest ? -1 : 0)?.end(act.well);
      case 'wait':
        return this.clock.advance(act.ms, () => this.#settle());
      case 'crash': {
        const { log, identity } = this.#hosts[act.host]!;
        await this.#silence(log);
        this.#running = this.#running.filter((call) => call.host !== identity);
        this.#hosts[act.host] = await this.#open();
      }
    }
  }

  async #silence(log: FaultyLog): Promise<void> {
    log.silence();
    if (this.#onFile) await log.close();
  }

  async #open() {
    const log = new FaultyLog(this.#viewOf());
    const identity = {};
    const { permits, successes } = this.#plan;
    const halfOpen = { permits, successes, lease: leaseMs };
    const work = step('work', (args: EffectArguments<unknown>) => this.#call(identity, args), {
      retry: { maxRetries: 1, backoff: { initialDelay: 100, jitter: 'none' } },
      breaker: { key: 'api', consecutive: 2, openFor: 1_000, openMax: openMaxMs, halfOpen },
    }) as AnyStateMachine;
    const runtime = await createRuntime({
      ...{ log, clock: this.clock, machines: { work, breaker }, logger: silentLogger },
      ...{ lease: false, passivate: false, keepLogOpen: true, resume: false },
    });
    return { runtime: runtime as unknown as Runtime, log, identity };
  }

  #call(identity: object, { context: { causationId } }: EffectArguments<unknown>): Promise<string> {
    return new Promise((resolve, reject) => {
      const call: Running = {
        causationId,
        host: identity,
        end: (well) => {
          this.#running = this.#running.filter((other) => other !== call);
          this.#look();
          if (well) resolve('well');
          else reject(Object.assign(new Error('busy'), { status: 503 }));
        },
      };
      this.#running.push(call);
      this.#look();
    });
  }

  #look(): void {
    this.moments.push({ at: this.clock.now(), running: this.#running.map(({ causationId }) => causationId) });
  }

  async #settle(): Promise<void> {
    for (let turn = 0; turn < (this.#onFile ? 5 : 1); turn++) await rest();
    this.#look();
  }
}

interface Ask {
  readonly askedAt: bigint;
  answeredAt?: bigint;
  readonly permit?: Permit;
}

/** A state of the breaker from one position of the log to the next change. */
interface Period {
  readonly state: 'closed' | 'open' | 'halfOpen';
  readonly gen: number;
  readonly from: bigint;
}

interface Probe {
  readonly admittedAt: number;
  readonly period: number;
}

const states = { CircuitOpened: 'open', CircuitHalfOpened: 'halfOpen', CircuitClosed: 'closed' } as const;

/** What the log says of who asked, who was let through, and in which state the breaker was then. */
async function readBack(log: EventLog) {
  const asks = new Map<string, Ask>();
  const periods: Period[] = [{ state: 'closed', gen: 0, from: -1n }];
  const probes = new Map<string, Probe>();
  const permits = new Map<string, Permit>();
  let at = 0;
  for await (const { id, stream, type, position, data: text } of log.readAll()) {
    const place = BigInt(position);
    const data = JSON.parse(text) as { [key: string]: unknown };
    if (typeof data.at === 'number') at = data.at;
    if (type in states) {
      periods.push({ state: states[type as keyof typeof states], gen: data.gen as number, from: place });
    } else if (type === 'ProbeAdmitted') {
      probes.set(`${data.id as string}`, { admittedAt: at, period: periods.length - 1 });
    }
    for (const { actor, src } of (data.intents ?? []) as { actor: string; src: string }[]) {
      if (src === 'askBreaker') asks.set(`${stream}${actor}`, { askedAt: place });
    }
    const asked = asks.get(`${stream}${data.actor as string}`);
    if (!asked || !type.startsWith('Effect')) continue;
    asked.answeredAt = place;
    if (type !== 'EffectSucceeded') continue;
    const permit = data.output as Permit;
    permits.set(id, permit);
    asks.set(`${stream}${data.actor as string}`, { ...asked, permit });
  }
  return { asks: [...asks.values()], periods, probes, permits };
}

const periodAt = (periods: readonly Period[], place: bigint) => periods.findLast(({ from }) => from < place)!;

describe.each([
  ['on one memory log', false, 60],
  ['on one SQLite file', true, 25],
] as const)('two hosts of steps with one breaker %s', (_, onFile, runs) => {
  it('17, 18: begin no call while it is open, no more probes at a time than it has permits, and are never stuck', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const street = new Street(plan, onFile);
        const log = await street.play();
        expect(await street.lets(), 'stuck').toBe(true);
        const { asks, periods, probes, permits } = await readBack(log);
        if (onFile) await log.close();
        for (const { askedAt, answeredAt, permit } of asks) {
          if (answeredAt === undefined) continue;
          const asked = periodAt(periods, askedAt);
          const answered = periodAt(periods, answeredAt);
          if (asked === answered && asked.state === 'open') seen.add('refused');
          if (!permit) continue;
          // Who asks while it is open and is answered while it is open is refused.
          expect(asked === answered && asked.state === 'open', 'let through an open breaker').toBe(false);
          // Who begins a call while it is open was let through before: the permit is of an earlier generation.
          if (answered.state === 'open') {
            expect(permit.gen).toBeLessThan(answered.gen);
            seen.add('let through before it opened');
          }
          if (permit.probe) expect(probes.has(permit.id)).toBe(true);
        }
        for (const { at, running } of street.moments) {
          const inFlight = new Map<number, number>();
          for (const causationId of running) {
            const permit = permits.get(causationId);
            const probe = permit?.probe ? probes.get(permit.id) : undefined;
            if (!probe || at >= probe.admittedAt + leaseMs) continue;
            inFlight.set(probe.period, (inFlight.get(probe.period) ?? 0) + 1);
          }
          for (const count of inFlight.values()) {
            expect(count, 'probes in flight').toBeLessThanOrEqual(plan.permits);
            if (count === plan.permits) seen.add('every permit is used');
          }
        }
        for (const { state } of periods) seen.add(state);
      }),
      propertyRuns(runs),
    );
    const paths = ['closed', 'every permit is used', 'halfOpen', 'open', 'refused'];
    expect([...seen].filter((each) => paths.includes(each)).sort()).toEqual(paths);
  }, 60_000);
});
