/** B33 with real processes: they reach the end of an opening together, on one SQLite file. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createRuntime } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import { breaker } from '../../machines/breaker.ts';
import { compileProcess } from '../stores/sqlite/child-processes.ts';
import { logPath } from '../stores/sqlite/log-files.ts';
import { silentLogger } from '../support/silent-logger.ts';
import type { ProbeReport, ProbeTask } from './probe-process.ts';

let compiled: ReturnType<typeof compileProcess>;
beforeAll(() => {
  compiled = compileProcess('test/machines/probe-process.ts');
});
afterAll(() => compiled.remove());

/** A process that runs guarded steps whenever it is told a key. */
class Prober {
  readonly reports: ProbeReport[] = [];
  readonly #child: ChildProcess;
  #errors = '';
  #heard = () => {};

  private constructor(task: ProbeTask) {
    this.#child = fork(compiled.script, [JSON.stringify(task)], {
      ...{ execArgv: [], stdio: ['ignore', 'inherit', 'pipe', 'ipc'] },
    });
    this.#child.on('message', (report: ProbeReport) => (this.reports.push(report), this.#heard()));
    this.#child.on('exit', () => this.#heard());
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    onTestFinished(() => this.kill());
  }

  static async start(task: ProbeTask): Promise<Prober> {
    const started = new Prober(task);
    await started.until(() => started.reports.length > 0);
    return started;
  }

  /** Runs its steps on a key; gives what came of each. */
  async run(key: string, steps: number): Promise<Exclude<ProbeReport, { at: 'ready' }>[]> {
    const ofKey = () => this.reports.flatMap((each) => (each.at !== 'ready' && each.key === key ? [each] : []));
    this.#child.send(key);
    await this.until(() => ofKey().length === steps);
    return ofKey();
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => (this.#heard = resolve));
      if (this.#child.exitCode !== null && !holds()) throw new Error(`The process ended early: ${this.#errors}`);
    }
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

/** Breakers on a file whose openings are over. */
async function openBreakers(path: string, keys: readonly string[], permits: number): Promise<void> {
  await using runtime = await createRuntime({ log: sqliteLog(path), machines: { breaker }, logger: silentLogger });
  const options = { consecutive: 1, openFor: 1, openMax: 1, halfOpen: { permits, lease: '1h' } } as const;
  for (const key of keys) {
    const ref = await runtime.start('breaker', { id: key, input: { key, options } });
    const permit = { gen: 0, id: 'first', probe: false };
    await ref.send({ type: 'outcome.reported', permit, outcome: 'failure' });
  }
}

async function factsOf(path: string, key: string): Promise<string[]> {
  await using log = sqliteLog(path);
  const types: string[] = [];
  for await (const event of log.readStream(`breaker-${key}`))
    if (event.meta.actor !== undefined) types.push(event.type);
  return types;
}

describe.each([
  { permits: 1, steps: 1, rounds: 25 },
  { permits: 3, steps: 4, rounds: 10 },
])('two processes of $steps steps that reach the end of an opening together', ({ permits, steps, rounds }) => {
  it(`B33: are given ${permits} between them, and one that joins later gets none and resets nothing`, async () => {
    const path = logPath();
    const keys = Array.from({ length: rounds }, (_, round) => `api${round}`);
    await openBreakers(path, keys, permits);
    const task = { path, keys, steps };
    const racers = await Promise.all(['a', 'b'].map((host) => Prober.start({ ...task, host })));
    const called: number[] = [];
    for (const key of keys) {
      const reports = (await Promise.all(racers.map((racer) => racer.run(key, steps)))).flat();
      called.push(reports.filter(({ at }) => at === 'called').length);
      const refusals = reports.flatMap((each) => (each.at === 'refused' ? [each.why] : []));
      expect(new Set(refusals), key).toEqual(new Set(['halfOpen']));
    }
    expect(called).toEqual(keys.map(() => permits));
    const late = await Prober.start({ ...task, host: 'late' });
    for (const key of keys) {
      const reports = await late.run(key, steps);
      expect(reports).toEqual(Array.from({ length: steps }, () => ({ at: 'refused', key, why: 'halfOpen' })));
    }
    for (const racer of [...racers, late]) await racer.kill();
    const probes = Array.from({ length: permits }, () => 'ProbeAdmitted');
    for (const key of keys) expect(await factsOf(path, key)).toEqual(['CircuitOpened', 'CircuitHalfOpened', ...probes]);
  }, 60_000);
});
