/**
 * kill -9: a process that hosts machines on a log is killed at random instants, in work and in recovery, and what it leaves
 * behind is compared with what its client and the world saw. Owns the verdicts, which are the same for every store. Numbers in
 * titles are those of docs/explanation/invariants.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audit } from 'rewake/audit';
import { realRandom } from '../../src/clock.ts';
import type { ActorRow, EventLog } from '../../src/log/event-log.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { compileProcess } from '../stores/sqlite/child-processes.ts';
import { journalStream, killMachines, type Ring } from '../support/kill-machines.ts';
import { readSightings, type Sighting } from '../support/kill-witness.ts';
import { compareWithClient, compareWithWorld, Findings, LogEvidence } from './kill-evidence.ts';
import { killAgainAndAgain, type KillRun } from './kill-run.ts';

/** A store that processes are killed on. */
export interface KilledStore {
  /** Whose log it is, for titles: 'a SQLite file'. */
  readonly name: string;
  /** How often a process is killed where REWAKE_KILLS says nothing. */
  readonly kills: number;
  /** What kill-process.ts is told to open. @param folder is removed in the end */
  place(folder: string): Promise<string>;
  open(place: string): Promise<EventLog> | EventLog;
  /** After the last test. */
  remove?(): Promise<void>;
}

/** One seed again: REWAKE_SEED=7 npx vitest run test/recovery/kill. */
const seed = Number(process.env.REWAKE_SEED ?? Math.floor(realRandom() * 2 ** 31));

const machines = killMachines(() => {
  throw new Error('A fold ran an effect.');
});

type Stream = `${keyof typeof machines}-${string}`;

/** Declares the tests. */
export function killVerdicts(store: KilledStore): void {
  const kills = Number(process.env.REWAKE_KILLS ?? store.kills);
  const folder = mkdtempSync(join(tmpdir(), 'rewake-kill-'));
  const findings = new Findings();
  const evidence = new LogEvidence(findings);
  let run: KillRun;
  let sightings: Sighting[];
  let rows: ActorRow[];
  /** Outputs of the actors that are done, folded from the log. */
  const outputs = new Map<string, unknown>();
  let snapshotsLoaded = 0;

  beforeAll(
    async () => {
      const compiled = compileProcess('test/support/kill-process.ts');
      try {
        run = await killAgainAndAgain({ script: compiled.script, folder, log: await store.place(folder), seed, kills });
      } finally {
        compiled.remove();
      }
      sightings = readSightings(run.workplace.witness);
      const log = await store.open(run.workplace.log);
      for await (const event of log.readAll()) evidence.push(event);
      findings.addAll(await audit(log, { machines, ended: true }));
      compareWithClient(evidence, run.client.acknowledged.values());
      compareWithWorld(evidence, sightings);
      rows = [];
      for await (const row of log.actors()) rows.push(row);
      await log.close();
      await foldAll();
      // A run takes some 25 s on two busy cores; the rest is for machines that are slower still.
    },
    240_000 + kills * 2_000,
  );

  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await store.remove?.();
  });

  /** 2, 26: lets a runtime fold every stream from its start and from its snapshot, and compares the two. */
  async function foldAll(): Promise<void> {
    const whole = await foldEach(false);
    const fromSnapshots = await foldEach({ every: 1_000_000 });
    for (const { stream } of rows) {
      const folded = whole.get(stream);
      if (!folded) continue;
      if (folded.status === 'done') outputs.set(stream, folded.output);
      if (!isDeepStrictEqual(folded, fromSnapshots.get(stream)))
        findings.add(26, `${stream}: its snapshot tells otherwise`);
    }
  }

  async function foldEach(snapshots: { every: number } | false) {
    const log = await store.open(run.workplace.log);
    await using runtime = await createRuntime({ log, machines, resume: false, snapshots });
    const folded = new Map<string, { status: string; value: unknown; context: unknown; output: unknown }>();
    for (const { stream } of rows) {
      try {
        const { status, value, context, output } = (await runtime.get(stream as Stream)).getSnapshot();
        folded.set(stream, { status, value, context, output });
      } catch (error) {
        findings.add(2, `${stream} cannot be folded: ${String(error)}`);
      }
      if (snapshots && (await log.snapshots.load(stream))) snapshotsLoaded++;
    }
    return folded;
  }

  const outputOf = <T>(stream: string) => outputs.get(stream) as T;

  describe(`a process on ${store.name}, killed ${kills} times (REWAKE_SEED=${seed})`, () => {
    it('closes in peace in the end, having refused nothing and complained of nothing', () => {
      expect(run.client.complaints).toEqual([]);
      expect(run.end).toEqual({ code: 0, errors: '' });
      expect(run.kills).toBe(kills);
    });

    it('7, 8, 9: has every acknowledged command in the log exactly once, and no other twice', () => {
      expect(findings.of(7, 8, 9)).toEqual([]);
    });

    it('10, 12, 15: ran every effect after its intent was durable, each under one key of its own', () => {
      expect(findings.of(10, 12, 15)).toEqual([]);
    });

    it('11, 13, 14: gave every intent one end, and no outcome to anything that had ended', () => {
      expect(findings.of(11, 13, 14)).toEqual([]);
    });

    it('19, 20, 21: fired no timer early, out of turn or twice, forgot none, and told nothing of what had ended', () => {
      expect(findings.of(19, 20, 21)).toEqual([]);
    });

    it('1, 2, 26, 27, 29, 30, 33: left whole streams that fold to what the index says, and nothing after an end', () => {
      expect(findings.of(1, 2, 26, 27, 29, 30, 33)).toEqual([]);
      expect(rows.map(({ stream }) => stream).sort()).toEqual(evidence.streams.sort());
    });

    it('24: gave everything a cause before it in the log, and one correlation along every chain', () => {
      expect(findings.of(24)).toEqual([]);
    });

    it('ended every actor as its client asked for', () => {
      const { finishing, stopped } = run.workload;
      const ends = Object.fromEntries(rows.map(({ stream, status }) => [stream, status]));
      const asked = [...finishing.map((stream) => [stream, 'done']), ...stopped.map((stream) => [stream, 'stopped'])];
      expect(ends).toEqual(Object.fromEntries(asked));
    });

    it('gave every ledger the entries its client sent, each once, and all that had to be posted', () => {
      const sent = new Map<string, { entries: string[]; posted: string[] }>();
      for (const command of run.client.acknowledged.values()) {
        if (command.do !== 'send' || command.event.type !== 'add') continue;
        const ledger = sent.get(command.stream) ?? { entries: [], posted: [] };
        sent.set(command.stream, ledger);
        ledger.entries.push(command.id);
        if (command.event.post === true) ledger.posted.push(command.id);
      }
      for (const [stream, { entries, posted }] of sent) {
        const output = outputOf<{ entries: string[]; posted: string[] } | undefined>(stream) ?? {
          entries: [],
          posted: [],
        };
        expect([...output.entries].sort(), stream).toEqual(entries.sort());
        expect([...output.posted].sort(), stream).toEqual(posted.sort());
      }
    });

    it('gave every payment a receipt for each call, of an effect that the world saw end', () => {
      const ended = new Set(sightings.filter(({ phase }) => phase === 'ended').map(({ key }) => key));
      for (const command of run.client.acknowledged.values()) {
        if (command.do !== 'start' || command.machine !== 'payment') continue;
        const receipts = outputOf<string[] | undefined>(`payment-${command.actor}`);
        if (!receipts) continue;
        expect(receipts.length).toBe((command.input as { calls: number }).calls);
        expect(receipts.filter((key) => !ended.has(key))).toEqual([]);
      }
    });

    it('told the journal of every charge exactly once, although effects ran more than once', () => {
      const ended = sightings.filter(({ phase, stream }) => phase === 'ended' && stream.startsWith('payment-'));
      const keys = outputOf<string[] | undefined>(journalStream) ?? [];
      expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
      expect(ended.filter(({ key }) => !keys.includes(key))).toEqual([]);
    });

    it('19: rang every alarm no earlier than it was due, by the alarm itself', () => {
      const rung = [...outputs].flatMap(([stream, output]) => (stream.startsWith('alarm-') ? (output as Ring[]) : []));
      expect(rung.filter(({ dueAt, firedAt }) => firedAt < dueAt)).toEqual([]);
    });

    it('was killed in the middle of all that', () => {
      const { client, killsInRecovery } = run;
      const { outcomes, abandoned, resumed, lost, timersFired, timersCancelled } = evidence.tally;
      const effectsRunAgain = sightings.filter(({ phase, attempt }) => phase === 'began' && attempt > 1).length;
      const counts = {
        killsInRecovery,
        acknowledged: client.acknowledged.size,
        resent: client.resent,
        repeats: client.repeats,
        resumed,
        effectsRunAgain,
        ...{ outcomes, lost, abandoned, timersFired, timersCancelled, snapshotsLoaded },
      };
      // A tenth to a third of what a slow machine comes to with 50 kills: below that the test would prove little.
      const enough: typeof counts = {
        killsInRecovery: 2,
        acknowledged: 100,
        resent: 50,
        repeats: 2,
        resumed: 50,
        effectsRunAgain: 25,
        ...{ outcomes: 50, lost: 10, abandoned: 5, timersFired: 80, timersCancelled: 40, snapshotsLoaded: 5 },
      };
      const tooFew = Object.entries(counts).filter(
        ([name, count]) => count < Math.floor((enough[name as keyof typeof counts] * kills) / 50),
      );
      expect(tooFew, JSON.stringify(counts)).toEqual([]);
    });
  });
}
