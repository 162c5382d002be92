/**
 * What is told of a failure, and what is left behind. Owns the error that a sweep or a fuzz ends with, and the test file that
 * plays the failure again.
 *
 * RF1  Everything that it takes to see the failure again is printed: plan and events as literals, seed and path where there
 *      are any.
 * RF2  A file is written only where the scenario says where it can be imported from; one that is there is written over, since
 *      its name is drawn from what it plays.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RewakeError } from '../errors.ts';
import type { Breach } from './judge.ts';
import { literal } from './literal.ts';
import type { Run } from './run.ts';
import type { Scenario } from './scenario.ts';
import { timelineOf } from './timeline.ts';
import type { FailedTrial, Trial } from './trials.ts';

/** Where chance was, so that it can be there again. */
export interface Chance {
  readonly seed: number;
  readonly path: string;
  readonly runs: number;
  readonly shrinks: number;
}

/** A scenario does not recover. */
export class RecoveryFailureError extends RewakeError {
  readonly code = 'REWAKE_RECOVERY_FAILURE';
  readonly breaches: readonly Breach[];
  readonly trial: Trial;
  readonly run: Run;
  readonly timeline: string;
  readonly chance: Chance | undefined;
  /** The test that was written; undefined where none was. */
  readonly file: string | undefined;

  constructor(scenario: Scenario, { trial, run, breaches }: FailedTrial, chance?: Chance) {
    const timeline = timelineOf(run);
    const written = writeTest(scenario, trial, breaches);
    const name = scenario.name ? `'${scenario.name}'` : 'The scenario';
    super(
      [
        `${name} does not recover.`,
        ...breaches.map(describeBreach),
        '',
        ...(chance
          ? [`  seed ${chance.seed}, path '${chance.path}', run ${chance.runs}, shrunk ${chance.shrinks} times`]
          : []),
        `  faults: ${literal(trial.plan)}`,
        `  events: ${literal(run.said)}`,
        ...(trial.snapshots ? ['  snapshots after every event'] : []),
        '',
        timeline,
        '',
        'file' in written ? `A test that plays it again: ${written.file}` : `No test was written: ${written.reason}`,
      ].join('\n'),
      breaches[0]?.cause === undefined ? {} : { cause: breaches[0].cause },
    );
    this.breaches = breaches;
    this.trial = trial;
    this.run = run;
    this.timeline = timeline;
    this.chance = chance;
    this.file = 'file' in written ? written.file : undefined;
  }
}

function describeBreach({ invariant, name, message }: Breach): string {
  const what = message.trim().replaceAll(/\n+/g, '\n    ');
  return invariant === undefined ? `  ${name}: ${what}` : `  invariant ${invariant}, ${name}: ${what}`;
}

type Written = { readonly file: string } | { readonly reason: string };

/** RF2. */
function writeTest(scenario: Scenario, trial: Trial, breaches: readonly Breach[]): Written {
  const { source } = scenario;
  if (!source) {
    return {
      reason:
        "give the scenario source: { url: import.meta.url, name: '…' }, the name under which its file exports it.",
    };
  }
  try {
    const path = fileURLToPath(source.url);
    const text = testText(basename(path), source.name, trial, breaches);
    const id = createHash('sha256')
      .update(literal([trial.plan, trial.events ?? null]))
      .digest('hex')
      .slice(0, 8);
    const stem = basename(path).replace(/\.[cm]?[jt]s$/, '');
    const file = join(dirname(path), `${stem}.${id}.test.ts`);
    writeFileSync(file, text);
    return { file };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

function testText(file: string, name: string, trial: Trial, breaches: readonly Breach[]): string {
  const { plan, events, snapshots } = trial;
  const options = [
    `    faults: ${literal(plan)},`,
    ...(events ? [`    events: ${literal(events)},`] : []),
    ...(snapshots ? ['    snapshots: true,'] : []),
  ];
  return [
    '// A failure that rewake/testing found and shrank. It passes when the failure is mended.',
    ...breaches.map((each) => `// ${describeBreach(each).trim().replaceAll(/\s+/g, ' ')}`),
    "import { test } from 'vitest';",
    "import { replay } from 'rewake/testing';",
    `import { ${name} } from './${file.replace(/\.ts$/, '.ts')}';`,
    '',
    `test('${name} recovers from this', () =>`,
    `  replay(${name}, {`,
    ...options,
    '  }));',
    '',
  ].join('\n');
}
