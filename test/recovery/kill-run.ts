/**
 * One run: a process that hosts machines on a log is killed again and again, then finishes its work and closes.
 * Owns the moments of the kills, which follow a seed; what was left behind is judged by kill-verdicts.ts.
 *
 * KR1  One kill in four comes while the process recovers, one in four 1 to 60 ms after it is ready, and two in four 1 to
 *      60 ms after its first acknowledgement: on a busy machine the first of these may be 100 ms late.
 * KR2  The next process is loaded already when one is killed, and takes its place at once.
 */
import { join } from 'node:path';
import { realClock, seededRandom, type Random } from '../../src/clock.ts';
import { KillClient } from '../support/kill-client.ts';
import { Life } from '../support/kill-lives.ts';
import type { LifeOptions, Workplace } from '../support/kill-process.ts';
import { KillWorkload } from '../support/kill-workload.ts';

export interface KillPlan {
  /** Compiled kill-process.ts. */
  readonly script: string;
  /** Where the witness' file is made. */
  readonly folder: string;
  /** Path or URL of the log. */
  readonly log: string;
  readonly seed: number;
  readonly kills: number;
}

/** What a run leaves behind, with the log and the witness' file. */
export interface KillRun {
  readonly workplace: Workplace;
  readonly client: KillClient;
  readonly workload: KillWorkload;
  readonly kills: number;
  /** Kills that came before the process had recovered. */
  readonly killsInRecovery: number;
  /** How the last process, which was closed, ended. */
  readonly end: { readonly code: number | null; readonly errors: string };
}

export async function killAgainAndAgain(plan: KillPlan): Promise<KillRun> {
  const run = new Killing(plan);
  try {
    while (run.kills < plan.kills) await run.killOne();
    return await run.finish();
  } finally {
    await run.clear();
  }
}

class Killing {
  kills = 0;
  readonly #plan: KillPlan;
  readonly #workplace: Workplace;
  readonly #random: Random;
  readonly #workload: KillWorkload;
  readonly #client: KillClient;
  #next: Life;
  #current: Life | undefined;
  #killsInRecovery = 0;
  /** How long the last recovery that was left alone took. */
  #recoveryMs = 30;

  constructor(plan: KillPlan) {
    this.#plan = plan;
    this.#workplace = { log: plan.log, witness: join(plan.folder, 'witness.jsonl') };
    this.#random = seededRandom(plan.seed);
    this.#workload = new KillWorkload(seededRandom(plan.seed + 1));
    this.#client = new KillClient(this.#workload, 12);
    this.#next = this.#load();
  }

  async killOne(): Promise<void> {
    const moment = this.#random();
    const fraction = this.#random();
    const life = await this.#begin();
    if (moment < 0.25) {
      await realTime(fraction * this.#recoveryMs);
    } else {
      const begunAt = realClock.now();
      await life.until('ready');
      this.#recoveryMs = realClock.now() - begunAt;
      if (moment < 0.75) await life.until('acknowledged');
      await realTime(1 + fraction * 59);
    }
    if (!life.has('ready')) this.#killsInRecovery++;
    if (!(await life.kill())) throw new Error(`A process ended before it was killed: ${(await life.end()).errors}`);
    this.kills++;
  }

  /** Leaves the last life alone until everything is done, and closes it. */
  async finish(): Promise<KillRun> {
    const life = await this.#begin();
    await life.until('ready');
    this.#workload.wrapUp();
    await this.#client.rest();
    await this.#client.ask({ id: 'actors', do: 'await', streams: [...this.#workload.finishing] });
    await this.#client.ask(this.#workload.closeJournal());
    await this.#client.ask({ id: 'close', do: 'close' });
    return {
      workplace: this.#workplace,
      client: this.#client,
      workload: this.#workload,
      kills: this.kills,
      killsInRecovery: this.#killsInRecovery,
      end: await life.end(),
    };
  }

  async clear(): Promise<void> {
    await Promise.all([this.#next.kill(), this.#current?.kill()]);
  }

  async #begin(): Promise<Life> {
    const life = this.#next;
    await life.until('loaded');
    this.#current = life;
    this.#next = this.#load();
    this.#workload.refill();
    this.#client.attach(life);
    life.begin(this.#options());
    return life;
  }

  #options(): LifeOptions {
    const random = this.#random;
    return {
      durability: random() < 0.3 ? 'power' : 'process',
      snapshotEvery: random() < 0.5 ? 1 + Math.floor(random() * 3) : undefined,
      passivateMs: random() < 0.3 ? 15 : undefined,
    };
  }

  #load(): Life {
    return new Life(this.#plan.script, this.#workplace);
  }
}

function realTime(ms: number): Promise<void> {
  return new Promise((resolve) => void realClock.setTimer(realClock.now() + ms, resolve));
}
