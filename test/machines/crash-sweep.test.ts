/**
 * A crash after every append, before every append, with the answer to it lost, and a second one in recovery: for every
 * machine of crash-scenarios.ts.
 *
 * What may differ from the run without a crash is this alone: an attempt that was lost is one that failed with an
 * EffectLostError. So a run with crashes must look, to the fact and to the ms, like a run without any in which just these
 * attempts fail in that way; where none was lost, like the run in which nothing happens. Where an answer of the log is lost,
 * nobody dies: only times differ, because the runtime waits before it asks again.
 */
import { describe, expect, it } from 'vitest';
import {
  play,
  timeless,
  type CrashScenario,
  type Disturbance,
  type Losses,
  type Run,
  type Seen,
} from '../support/crash-run.ts';
import { crashScenarios } from './crash-scenarios.ts';

/** Runs without a crash, by what is lost in them. */
class References {
  readonly #scenario: CrashScenario;
  readonly #runs = new Map<string, Promise<Run>>();

  constructor(scenario: CrashScenario) {
    this.#scenario = scenario;
  }

  with(losses: Losses): Promise<Run> {
    const key = JSON.stringify(losses);
    const run = this.#runs.get(key) ?? play(this.#scenario, {}, losses);
    this.#runs.set(key, run);
    return run;
  }
}

/** What must hold of any run, and how it must look. */
async function judge(
  run: Run,
  scenario: CrashScenario,
  references: References,
  disturbance: Disturbance,
): Promise<void> {
  const why = JSON.stringify(disturbance);
  const { seen } = await references.with(run.losses);
  const view = disturbance.answerLost === undefined ? (each: Seen) => each : timeless;
  expect(view(run.seen), why).toEqual(view(seen));
  expect([run.complaints, run.twice, run.world.excess], why).toEqual([[], [], []]);
  for (const [name, most] of Object.entries(scenario.atMost ?? {})) {
    expect(run.world.keysOf(name), `calls of ${name}, ${why}`).toBeLessThanOrEqual(most);
  }
}

const countOf = (losses: Losses) => Object.values(losses).flatMap((each) => Object.keys(each)).length;

describe.each(crashScenarios.map((scenario) => [scenario.name, scenario] as const))('%s', (_, scenario) => {
  const references = new References(scenario);

  it('tells what it does', async () => {
    const run = await references.with({});
    const types = Object.values(run.seen.facts).flatMap((facts) =>
      facts.map((fact) => (fact as { type: string }).type),
    );
    expect(types).toEqual(scenario.tells);
    await judge(run, scenario, references, {});
  });

  it('4, 6, 7, 8, 13, 15: looks alike wherever its host dies, once or twice, or an answer of its log is lost', async () => {
    const { appends } = await references.with({});
    let deaths = 0;
    for (let append = 0; append < appends; append++) {
      const [before, after] = (['before', 'after'] as const).map((phase) => ({ append, phase }));
      const again = { append: append % 3, phase: (['before', 'after'] as const)[append % 2]! };
      const disturbances: Disturbance[] = [
        ...[{ crashes: [before!] }, { crashes: [after!] }, { crashes: [append % 4 < 2 ? before! : after!, again] }],
        { answerLost: append },
      ];
      for (const disturbance of disturbances) {
        const run = await play(scenario, disturbance);
        deaths += run.deaths;
        expect(run.deaths).toBeGreaterThanOrEqual(Math.min(1, disturbance.crashes?.length ?? 0));
        expect(countOf(run.losses)).toBeLessThanOrEqual(run.deaths);
        await judge(run, scenario, references, disturbance);
      }
    }
    expect(deaths).toBeGreaterThanOrEqual(3 * appends);
  }, 60_000);
});
