/** The list of mutants fits the source; `npm run mutants` tries them out. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { projectRoot } from '../house/source-tree.ts';
import { changed, mutants } from './mutants.ts';

it('there are at least 25 of them, each with a name of its own', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  expect(mutants.length).toBeGreaterThanOrEqual(25);
});

it.each(mutants.map((mutant) => [mutant.name, mutant] as const))('%s can still be made', (_, { edits, kills }) => {
  expect(kills.length).toBeGreaterThan(0);
  for (const edit of edits) {
    const text = readFileSync(`${projectRoot}${edit.file}`, 'utf8');
    expect(changed(text, edit)).not.toBe(text);
  }
});
