/**
 * Bugs as people make them are found, made small, and left behind as a test that fails until they are mended. Numbers are those of
 * docs/explanation/invariants.md.
 */
import { execFile } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsFor, fuzz, NotDeterministicError, RecoveryFailureError, sweep, type Scenario } from 'rewake/testing';
import { Bank } from '../../examples/recovery-bugs/bank.ts';
import { doubleCharge } from '../../examples/recovery-bugs/double-charge.ts';
import { lostReminder } from '../../examples/recovery-bugs/lost-reminder.ts';
import { orderMachine } from '../../examples/recovery-bugs/order-machine.ts';
import { soundOrder } from '../../examples/recovery-bugs/sound-order.ts';
import { wallClock } from '../../examples/recovery-bugs/wall-clock.ts';
import { cacheFolder, projectRoot } from '../house/source-tree.ts';

/** Drawn from the order as it is right: the bugs take the same events. */
const events = eventsFor(orderMachine(new Bank()), { ADD: { items: 2 } }, { effects: { charge: { output: 'paid' } } });

interface Bug {
  readonly scenario: Scenario<Bank>;
  readonly invariant: number | undefined;
  readonly file: string;
  readonly mend: (text: string) => string;
}

const bugs: Readonly<Record<string, Bug>> = {
  'a charge without a key': {
    scenario: doubleCharge,
    invariant: undefined,
    file: 'double-charge.ts',
    mend: (text) =>
      text
        .replace('({ input }: EffectArguments', '({ input, context }: EffectArguments')
        .replace('bank.charge(input.amount)', 'bank.charge(input.amount, context.idempotencyKey)'),
  },
  'a clock in a guard': {
    scenario: wallClock,
    invariant: 3,
    file: 'wall-clock.ts',
    mend: (text) => `import { now } from 'rewake';\n${text.replace('Date.now()', 'now()')}`,
  },
  'a reminder in the memory of a process': {
    scenario: lostReminder,
    invariant: 4,
    file: 'lost-reminder.ts',
    mend: (text) =>
      `import { raise } from 'xstate';\n${text.replace(
        'remindLater: remindLater(clock)',
        "remindLater: raise({ type: 'REMIND' }, { delay: remindAfterMs, id: 'reminder' })",
      )}`,
  },
};

/** A copy of the examples, in which tests may be written. */
const folder = cacheFolder('recovery-bugs-');
const found = new Map<string, RecoveryFailureError>();

beforeAll(async () => {
  cpSync(join(projectRoot, 'examples/recovery-bugs'), folder, { recursive: true });
  for (const [name, { scenario, file }] of Object.entries(bugs)) {
    const source = { ...scenario.source!, url: pathToFileURL(join(folder, file)).href };
    const failure = await fuzz({ ...scenario, source }, { events, seed: 7, numRuns: 300 }).catch(
      (error: unknown) => error,
    );
    if (failure instanceof RecoveryFailureError) found.set(name, failure);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.for(Object.entries(bugs))('%s', ([name, { invariant, file }]) => {
  it('is found, with at most five events and two faults', () => {
    const { breaches, trial, run } = found.get(name)!;
    expect(breaches[0]!.invariant).toBe(invariant);
    expect(run.said.length).toBeLessThanOrEqual(5);
    expect(trial.plan.length).toBeLessThanOrEqual(2);
  });

  it('leaves a test behind, beside the scenario', () => {
    expect(found.get(name)!.file).toMatch(join(folder, file.replace('.ts', '.')));
    expect(readFileSync(found.get(name)!.file!, 'utf8')).toContain(`from './${file}'`);
  });
});

it('3: a clock in a guard is told with the name of the guard and its file', () => {
  const { cause } = found.get('a clock in a guard')!;
  expect(cause).toBeInstanceOf(NotDeterministicError);
  expect((cause as NotDeterministicError).reads).toEqual([
    expect.stringMatching(/^Date\.now\(\) read in isExpired \(wall-clock\.ts:\d+\)$/),
  ]);
});

it('4: a crash takes the reminder with it', () => {
  const { run, message } = found.get('a reminder in the memory of a process')!;
  expect(run.deaths).toBe(1);
  expect(message).toContain('it tells other facts than without these faults');
});

interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly failureMessages: readonly string[] }[];
  }[];
}

/** Runs the tests that were left behind. Answers with what became of each, by its file. */
async function runWritten(): Promise<Map<string, string>> {
  const config = join(folder, 'vitest.config.ts');
  writeFileSync(
    config,
    "import base from '../../vitest.config.ts';\nexport default { ...base, test: { include: ['**/*.test.ts'] } };\n",
  );
  const vitest = join(projectRoot, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--root', folder, '--config', config, '--reporter', 'json'];
  const { VITEST: _, ...env } = process.env;
  const report = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: folder, env, maxBuffer: 1e8 }, (_error, stdout) => resolve(stdout));
  });
  const { testResults } = JSON.parse(report.slice(report.indexOf('{'))) as TestReport;
  return new Map(
    testResults.map(({ name, assertionResults: [result] }) => [
      basename(name),
      result!.status === 'passed' ? 'passed' : result!.failureMessages.join('\n'),
    ]),
  );
}

it(
  'the tests that were left behind fail as the fuzz did, and pass when the bugs are mended',
  { timeout: 120_000 },
  async () => {
    const failed = await runWritten();
    expect(failed.size).toBe(3);
    for (const { file, breaches } of found.values()) {
      const { message } = breaches[0]!;
      expect(failed.get(basename(file!))).toContain(message.split('\n')[0]);
      for (const { invariant } of breaches)
        expect(failed.get(basename(file!))).toContain(invariant === undefined ? 'check' : `invariant ${invariant}`);
    }
    for (const { file, mend } of Object.values(bugs)) {
      const text = readFileSync(join(folder, file), 'utf8');
      expect(mend(text)).not.toBe(text);
      writeFileSync(join(folder, file), mend(text));
    }
    expect([...(await runWritten()).values()]).toEqual(['passed', 'passed', 'passed']);
  },
);

it('an order without the bugs recovers', { timeout: 120_000 }, async () => {
  await sweep(soundOrder);
  await fuzz(soundOrder, { events, seed: 7 });
});
