/**
 * Every mutant in turn: built with its one change, tried out in a process of its own, and found by what it names. Started by
 * `npm run mutants`; with REWAKE_WRITE=1 it writes RESULTS.md anew.
 *
 * RM1  The source as it is comes first: what it does not survive says nothing of a mutant.
 * RM2  Nothing of a mutant is written into the project: its change is made while it is bundled.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Verdict } from './kill-suite.ts';
import { changed, mutants, type Edit, type Mutant } from './mutants.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = `${root}.cache/mutants/`;
/** A hang is seen by the kit, in virtual time; this is for a loop that never gives the thread back. */
const processMsMax = 60_000;
const seedsOfTheSource = 3;
const seedsOfAMutant = 4;
const node = promisify(execFile);

interface Killed {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
}

const results: Killed[] = [];
let bundles = 0;

beforeAll(() => mkdirSync(folder, { recursive: true }));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  const table = tableOf(results);
  console.log(table);
  if (process.env.REWAKE_WRITE) writeFileSync(`${root}test/mutants/RESULTS.md`, pageOf(table));
});

it('the source as it is survives', { timeout: 180_000 }, async () => {
  expect(await tried([], '*', seedsOfTheSource)).toMatchObject({ kind: 'survived' });
});

describe.concurrent('a mutant', () => {
  it.each(mutants.map((mutant) => [mutant.name, mutant.kills.join(' or '), mutant] as const))(
    '%s is killed by invariant %s',
    { timeout: 120_000 },
    async (_, __, mutant) => {
      const verdict = await tried(mutant.edits, mutant.probe, seedsOfAMutant);
      results.push({ mutant, verdict });
      expect(verdict.kind, JSON.stringify(verdict)).toBe('killed');
      const { invariants } = verdict as Extract<Verdict, { kind: 'killed' }>;
      expect(
        invariants.some((each) => mutant.kills.includes(each!)),
        JSON.stringify(verdict),
      ).toBe(true);
    },
  );
});

/** Builds the kill suite with these changes, and runs it. */
async function tried(edits: readonly Edit[], probe: string, seeds: number): Promise<Verdict> {
  const script = `${folder}${bundles++}.mjs`;
  await bundled(edits, script);
  const { stdout } = await node(process.execPath, [script, probe, String(seeds)], {
    timeout: processMsMax,
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout) as Verdict;
}

async function bundled(edits: readonly Edit[], file: string): Promise<void> {
  const bundle = await rolldown({
    input: `${root}test/mutants/kill-suite.ts`,
    platform: 'node',
    external: /^(?:node:|xstate|devalue|croner|libsql|fast-check)/,
    resolve: { alias: aliases() },
    plugins: [
      {
        name: 'mutant',
        transform(code: string, id: string) {
          const path = id.startsWith(root) ? id.slice(root.length) : id;
          const own = edits.filter((edit) => edit.file === path);
          return own.length > 0 ? own.reduce(changed, code) : undefined;
        },
      },
    ],
  });
  await bundle.write({ file, format: 'esm', codeSplitting: false });
  await bundle.close();
}

/** What the package exports, from its sources. */
function aliases(): Record<string, string> {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    exports: Record<string, string | { default: string }>;
  };
  const sources = Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return [];
    const source = target.default.replace(/^\.\/dist\//, root).replace(/\.js$/, '.ts');
    return [[`rewake${subpath.slice(1)}`, source] as const];
  });
  // The longer name first: an alias also stands for what begins with it.
  return Object.fromEntries(sources.sort(([a], [b]) => b.length - a.length));
}

function tableOf(killed: readonly Killed[]): string {
  const order = mutants.map(({ name }) => name);
  const rows = killed
    .toSorted((a, b) => order.indexOf(a.mutant.name) - order.indexOf(b.mutant.name))
    .map(({ mutant, verdict }) => {
      const { kind, runs } = verdict;
      if (kind !== 'killed') return `| ${mutant.name} | ${kind} | | ${runs} | |`;
      const { invariants, seeds, probe } = verdict;
      return `| ${mutant.name} | ${invariants.join(', ')} | ${probe} | ${runs} | ${seeds} |`;
    });
  return [
    '| mutant | killed by invariant | scenario | runs | seeds |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function pageOf(table: string): string {
  return [
    '# Mutants',
    '',
    'Written by `REWAKE_WRITE=1 npm run mutants`. What is done, and why: docs/explanation/mutants.md. Seed 1 is a sweep of the',
    'scenario, each further one 20 plans by chance; runs are counted until the first breach.',
    '',
    table,
    '',
  ].join('\n');
}
