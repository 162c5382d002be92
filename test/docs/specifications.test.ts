/** What docs/explanation/specifications.md claims, as far as a test can see it: that files are there, and titles quote. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../house/source-tree.ts';

const page = readFileSync(`${projectRoot}docs/explanation/specifications.md`, 'utf8');

/** The rows of the tables below a heading, up to the next one. */
function rowsUnder(heading: string): string[][] {
  const section = page.slice(page.indexOf(`\n${heading}\n`) + heading.length + 2);
  const end = section.search(/^#/m);
  const lines = (end < 0 ? section : section.slice(0, end)).split('\n').filter((line) => line.startsWith('| '));
  const rows = lines.map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return rows.filter(([first]) => !/^-+$/.test(first!)).slice(1);
}

/** A test file. */
function textOf(path: string): string {
  return readFileSync(projectRoot + path, 'utf8');
}

const pathsIn = (text: string) =>
  [...text.matchAll(/\b(?:test|src|machines|projections|bench)\/[\w/.-]+\.ts\b/g)].map(([path]) => path);

it('every file that it names is there', () => {
  const paths = pathsIn(page);
  expect(paths.length).toBeGreaterThan(80);
  expect(paths.filter((path) => !existsSync(projectRoot + path))).toEqual([]);
});

describe('a criterion of acceptance is quoted by the tests that it names', () => {
  const criteria = rowsUnder('## Acceptance criteria');

  it('there are ten of them', () => {
    expect(criteria).toHaveLength(10);
  });

  it.each(criteria)('%s', (criterion, _, path) => {
    // At the beginning of a title, behind its quote.
    expect(textOf(path!)).toContain(`'${criterion}`);
  });
});

describe('a statement of laminar is quoted by the tests that it names', () => {
  it.each(rowsUnder('# Recovery of laminar'))('%s', (statement, _, paths) => {
    expect(textOf(pathsIn(paths!)[0]!)).toContain(`'${statement}`);
  });
});
