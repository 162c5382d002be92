/**
 * Hosted ≡ plain: generated statecharts under rewake show after every step what they show under plain XState on a
 * simulated clock, timestamps included; and they show it still when the process dies at any append, or dies again while
 * it recovers. Numbers in titles are those of docs/explanation/invariants.md.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { verifyLog, type EventLog } from 'rewake';
import { durableTrace, GeneratedMachine, machines, playHosted, playPlain, scripts } from 'rewake/testing';
import type { AppendPhase, Chart, HiddenFault, HostedOptions } from 'rewake/testing';
import type { Action, Node } from '../../src/testing/charts/chart.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { count } from '../support/recovery-tally.ts';

// XState's development build warns of every event that reaches a stopped actor; generated charts send many.
beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterAll(() => void vi.restoreAllMocks());

/** A child sends what its parent fails of, and arms a timer in the same step: where the root ends, nothing goes on. */
const failedByItsChild: Chart = {
  id: 'm0',
  spawns: [],
  root: compound('', [
    compound('asking', [
      {
        key: 's0',
        type: 'atomic',
        on: [{ event: 'a.y', transitions: [{ to: ['m0.failing'] }] }],
        invoke: [{ id: 'c0', logic: { kind: 'machine', machine: askingForever() }, onDone: {}, onError: {} }],
      },
    ]),
    compound('failing', [{ key: 's0', type: 'atomic', entry: [{ do: 'send', to: { unsure: 'c0' }, event: 'a.x' }] }]),
  ]),
};

function askingForever(): Chart {
  const ask: Action = { do: 'send', to: { parent: true }, event: 'a.y' };
  const again = { delay: 10, transitions: [{ to: ['m1.s0'], actions: [ask] }] };
  return {
    id: 'm1',
    spawns: [],
    root: compound('', [compound('s0', [{ key: 's0', type: 'atomic', after: [again] }])]),
  };
}

function compound(key: string, states: readonly Node[]): Node {
  return { key, type: 'compound', states, initial: states[0]!.key };
}

test('1, 2, 20, 21, 22, 23: a hosted chart shows what plain XState shows', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(machines(), scripts(), async (machine, script) => {
      const plain = await playPlain(machine, script);
      expect(await playHosted(machine, script, { check: ({ log }) => expectSound(log) })).toEqual(plain);
      count('generated machines');
    }),
    {
      ...propertyRuns(120),
      examples: [[new GeneratedMachine(failedByItsChild), [{ type: 'advance', ms: 10 }]]],
    },
  );
});

/** What looks for damage finds none in what the runtime wrote. */
async function expectSound(log: EventLog): Promise<void> {
  for await (const { message } of verifyLog(log)) expect.fail(`the log is sound, but: ${message}`);
}

const phases: readonly AppendPhase[] = ['beforeAppend', 'afterAppend'];
const crash = (append: number, phase: AppendPhase): HiddenFault => ({ fault: 'crash', append, phase });

/** Every append of the crash-free run, in both phases; alone, and followed by a crash at the first append of recovery. */
function crashPlans(appends: number): (readonly HiddenFault[])[] {
  return Array.from({ length: appends }, (_, append) => append).flatMap((append) =>
    phases.flatMap((phase) => {
      const first = crash(append, phase);
      return [[first], [first, crash(append + 1, phases[append % 2]!)]];
    }),
  );
}

async function sweep(options: HostedOptions, numRuns: number, pinned: { seed?: number } = {}): Promise<number> {
  let crashes = 0;
  await fc.assert(
    fc.asyncProperty(machines(), scripts(8), async (machine, script) => {
      let appends = 0;
      const whole = await playHosted(machine, script, { ...options, check: (run) => void ({ appends } = run) });
      for (const faults of crashPlans(appends)) {
        const check: HostedOptions['check'] = async ({ log, strikes }) => {
          await expectSound(log);
          crashes += strikes.length;
          count('crashes', strikes.length);
        };
        const trace = await playHosted(machine, script, { ...options, faults, check });
        expect(durableTrace(trace), `faults ${JSON.stringify(faults)}`).toEqual(durableTrace(whole));
        count('fault plans');
      }
      count('generated machines');
    }),
    { ...propertyRuns(numRuns), ...pinned },
  );
  return crashes;
}

test(
  '4, 6, 8, 9, 19: a crash at any append, and another one in recovery, changes nothing that is seen',
  { timeout: 600_000 },
  async () => {
    expect(await sweep({}, 12)).toBeGreaterThan(10);
  },
);

test('26: neither does it with a snapshot after every event', { timeout: 600_000 }, async () => {
  expect(await sweep({ snapshots: { every: 1 } }, 6)).toBeGreaterThan(10);
});

test('26: an actor that was stopped before it started stays stopped in a snapshot', { timeout: 600_000 }, async () => {
  expect(await sweep({ snapshots: { every: 1 } }, 2, { seed: 8 })).toBeGreaterThan(10);
});
