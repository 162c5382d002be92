/**
 * Generated machines in a runtime: on any log, through any fault, they show what plain XState shows; and a log that does not
 * keep what it was given is found out. Numbers in titles are those of docs/explanation/invariants.md.
 */
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  InvalidArgumentError,
  memoryLog,
  RewakeError,
  type EventLog,
  type RecordedEvent,
  type VirtualClock,
} from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import {
  durableTrace,
  GeneratedMachine,
  LiveStateDiffersError,
  machines,
  playHosted,
  playPlain,
  scripts,
} from 'rewake/testing';
import type { HiddenFault, HostedOptions, HostedRun, ScriptStep } from 'rewake/testing';
import { propertyRuns } from '../support/property-runs.ts';
import { count } from '../support/recovery-tally.ts';

const folder = mkdtempSync(join(tmpdir(), 'rewake-charts-'));
let files = 0;

// XState's development build warns of every event that reaches a stopped actor; generated machines send many.
beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test('31: a machine on a SQLite file shows what plain XState shows', { timeout: 60_000 }, async () => {
  const log = (clock: VirtualClock) => sqliteLog(join(folder, `${files++}.db`), { clock });
  await fc.assert(
    fc.asyncProperty(machines(), scripts(), async (machine, script) => {
      expect(await playHosted(machine, script, { log })).toEqual(await playPlain(machine, script));
    }),
    propertyRuns(8),
  );
});

/** A memory log some of whose methods are others. */
function changed(clock: VirtualClock, change: (inner: EventLog) => Partial<EventLog>): EventLog {
  const inner = memoryLog({ clock });
  const others = change(inner);
  return new Proxy(inner, {
    get(target, key) {
      if (Object.hasOwn(others, key)) return Reflect.get(others, key) as unknown;
      const member: unknown = Reflect.get(target, key);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

/** Takes its time for everything, and for an append so long that whoever died in it is buried before it is written. */
function slowLog(clock: VirtualClock): EventLog {
  const late = async <T>(turns: number, ask: () => Promise<T>): Promise<T> => {
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    return ask();
  };
  return changed(clock, (inner) => ({
    append: (...args) => late(20, () => inner.append(...args)),
    head: (stream) => late(1, () => inner.head(stream)),
    actor: (stream) => late(2, () => inner.actor(stream)),
  }));
}

test('1, 4: on a log that takes its time neither', { timeout: 60_000 }, async () => {
  let deaths = 0;
  await fc.assert(
    fc.asyncProperty(machines(), scripts(8), fc.nat(20), async (machine, script, at) => {
      const plain = await playPlain(machine, script);
      let appends = 0;
      const whole = await playHosted(machine, script, { log: slowLog, check: (run) => void ({ appends } = run) });
      expect(whole).toEqual(plain);
      const faults = [{ fault: 'crash', append: at % appends, phase: 'afterAppend' }] as const;
      const trace = await playHosted(machine, script, {
        ...{ log: slowLog, faults },
        check: (run) => void (deaths += run.strikes.length),
      });
      expect(durableTrace(trace)).toEqual(durableTrace(plain));
    }),
    propertyRuns(10),
  );
  expect(deaths).toBeGreaterThan(5);
});

const at = fc.nat(40);
/** A fault by numbers that are taken modulo what the run without faults counts. */
const someFault: fc.Arbitrary<(run: HostedRun) => HiddenFault> = fc.oneof(
  fc.tuple(at, fc.constantFrom('beforeAppend' as const, 'afterAppend' as const)).map(([k, phase]) => {
    return ({ appends }: HostedRun): HiddenFault => ({ fault: 'crash', append: k % appends, phase });
  }),
  fc.tuple(at, fc.constantFrom('beforeSnapshot' as const, 'afterSnapshot' as const)).map(([k, phase]) => {
    return ({ snapshots }: HostedRun): HiddenFault => ({ fault: 'crash', snapshot: k % Math.max(1, snapshots), phase });
  }),
  at.map((k) => ({ operations }: HostedRun): HiddenFault => ({ fault: 'crash', operation: k % operations })),
  at.map((k) => ({ appends }: HostedRun): HiddenFault => ({ fault: 'ackLost', append: k % appends })),
  fc.tuple(at, fc.nat(3)).map(([k, times]) => {
    return ({ appends }: HostedRun): HiddenFault => ({ fault: 'storeError', append: k % appends, times });
  }),
);

const plans = fc.array(someFault, { minLength: 1, maxLength: 4, size: 'max' });

test('4, 6, 8, 26: no fault of a log is seen, alone or with others', { timeout: 300_000 }, async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(machines(), scripts(10), plans, async (machine, script, plan) => {
      const snapshots = { every: 2 };
      let whole: HostedRun | undefined;
      const plain = await playHosted(machine, script, { snapshots, check: (run) => void (whole = run) });
      const faults = plan.map((fault) => fault(whole!));
      const check: HostedOptions['check'] = ({ strikes }) => {
        for (const { fault } of strikes) seen.add('phase' in fault ? fault.phase : fault.fault);
        count('crashes', strikes.filter(({ fault }) => fault.fault === 'crash').length);
      };
      const trace = await playHosted(machine, script, { snapshots, faults, check });
      expect(durableTrace(trace), JSON.stringify(faults)).toEqual(durableTrace(plain));
      count('fault plans');
      count('generated machines');
    }),
    propertyRuns(100),
  );
  const kinds = ['ackLost', 'afterAppend', 'afterSnapshot', 'beforeAppend', 'beforeSnapshot', 'crash', 'storeError'];
  expect([...seen].toSorted()).toEqual(kinds);
});

const counting = new GeneratedMachine({
  id: 'm0',
  spawns: [],
  root: {
    ...{ key: '', type: 'compound', initial: 's0', states: [{ key: 's0', type: 'atomic' }] },
    on: [{ event: 'A', transitions: [{ actions: [{ do: 'bump', by: 1 }] }] }],
  },
});
const twoEvents: readonly ScriptStep[] = [1, 2].map((n) => ({ type: 'send', event: { type: 'A', n } }));

describe('a log is found out', () => {
  test('1, 7: that acknowledges what it does not write', async () => {
    const log = (clock: VirtualClock) =>
      changed(clock, (inner) => ({
        append: async (stream, expected, events, options) => {
          if ((await inner.head(stream)).state === 'absent') return inner.append(stream, expected, events, options);
          return { revision: 1, position: 1, deduplicated: false } as never;
        },
      }));
    const played = playHosted(counting, twoEvents, { log });
    await expect(played).rejects.toThrow(LiveStateDiffersError);
    await expect(played).rejects.toThrow(/at revision 0 \(invariant 1\): expected .*"n":0.*, found .*"n":1/);
  });

  test('2: that gives events back in another order', async () => {
    const log = (clock: VirtualClock) =>
      changed(clock, (inner) => ({
        async *readStream(...args) {
          const events: RecordedEvent[] = [];
          for await (const event of inner.readStream(...args)) events.push(event);
          yield* events.toReversed();
        },
      }));
    const faults = [{ fault: 'crash', append: 2, phase: 'afterAppend' }] as const;
    await expect(playHosted(counting, twoEvents, { log, faults })).rejects.toThrow(RewakeError);
  });

  test('8: that writes an append again whose answer was lost', async () => {
    const log = (clock: VirtualClock) => {
      const known = new Set<string>();
      return changed(clock, (inner) => ({
        append: (stream, expected, events, options) => {
          const isNew = !known.has(events[0]!.id);
          for (const { id } of events) known.add(id);
          if (isNew) return inner.append(stream, expected, events, options);
          const others = events.map((event, index) => ({
            ...event,
            id: `00000000-0000-7000-8000-00000000000${index}`,
          }));
          return inner.append(stream, 'any', others, options);
        },
      }));
    };
    const faults = [{ fault: 'ackLost', append: 1 }] as const;
    await expect(playHosted(counting, twoEvents, { log, faults })).rejects.toThrow(RewakeError);
  });
});

describe('playHosted refuses', () => {
  test('faults that a host has to tell of', async () => {
    const faults = [
      { fault: 'crash', operation: 3 },
      { fault: 'lostTail', append: 0, appends: 1 },
    ] as const;
    const played = playHosted(counting, [], { faults: faults as never });
    await expect(played).rejects.toThrow(InvalidArgumentError);
    await expect(played).rejects.toThrow(
      /faults\[1\]\.fault: expected one of crash, ackLost, storeError, found "lostTail"/,
    );
  });

  test('options that there are not', async () => {
    await expect(playHosted(counting, [], { crashes: [] } as never)).rejects.toThrow(/playHosted\(\)\.crashes/);
  });
});
