/**
 * `npm run bench`: runs every row, or those named on the command line by the beginning of their name, and writes
 * RESULTS.md when all were run.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { playPart } from './child.ts';
import { canCollectGarbage } from './measure.ts';
import { resultsPage, table, type Section, type Surroundings } from './report.ts';
import { linesOf, type Row } from './row.ts';
import { allParts, allRows } from './rows.ts';

const projectRoot = new URL('../../', import.meta.url);

async function main(names: readonly string[]): Promise<void> {
  if (!canCollectGarbage()) throw new Error('The benchmarks need `node --expose-gc`: use `npm run bench`.');
  const rows = chosen(names);
  const load = loadavg()[0] ?? 0;
  const sections: Section[] = [];
  for (const [index, row] of rows.entries()) {
    process.stderr.write(`[${index + 1}/${rows.length}] ${row.name}: ${row.what} …\n`);
    const startMs = performance.now();
    const section = await measure(row);
    sections.push(section);
    process.stderr.write(`${table([section])}\n${((performance.now() - startMs) / 1_000).toFixed(1)} s\n\n`);
  }
  if (names.length > 0) return;
  writeFileSync(fileURLToPath(new URL('bench/RESULTS.md', projectRoot)), resultsPage(surroundings(load), sections));
  process.stderr.write('Written to bench/RESULTS.md\n');
}

function chosen(names: readonly string[]): Row[] {
  if (names.length === 0) return [...allRows];
  for (const name of names) {
    if (allRows.some((row) => row.name.startsWith(name))) continue;
    throw new Error(`There is no row '${name}'. Rows: ${allRows.map((row) => row.name).join(', ')}.`);
  }
  return allRows.filter((row) => names.some((name) => row.name.startsWith(name)));
}

async function measure(row: Row): Promise<Section> {
  const result = await row.run();
  return { name: row.name, lines: linesOf(row, result), note: result.note, faults: result.faults };
}

function surroundings(load: number): Surroundings {
  const installed = (name: string) => readVersion(new URL(`node_modules/${name}/package.json`, projectRoot));
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    load,
    node: process.versions.node,
    versions: {
      rewake: readVersion(new URL('package.json', projectRoot)),
      xstate: installed('xstate'),
      libsql: installed('libsql'),
    },
  };
}

function readVersion(path: URL): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

if (!(await playPart(allParts))) await main(process.argv.slice(2));
