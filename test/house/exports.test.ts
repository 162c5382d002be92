/** What the package gives is what its reference says that it gives. */
import { expect, it } from 'vitest';
import * as rewake from 'rewake';
import * as audit from 'rewake/audit';
import * as machines from 'rewake/machines';
import * as postgres from 'rewake/postgres';
import * as projections from 'rewake/projections';
import * as replay from 'rewake/replay';
import * as rx from 'rewake/rx';
import * as sqlite from 'rewake/sqlite';
import * as testing from 'rewake/testing';
import * as testingInVitest from 'rewake/testing/vitest';
import { projectFiles } from './source-tree.ts';

const reference = projectFiles('docs/reference')
  .map(({ text }) => text)
  .join('\n');

it.each(
  Object.entries({ rewake, audit, machines, postgres, projections, replay, rx, sqlite, testing, testingInVitest }),
)('everything that %s exports is in the reference', (_, exported) => {
  const isNamed = (name: string) => new RegExp(`\\b${name}\\b`).test(reference);
  expect(Object.keys(exported).filter((name) => !isNamed(name))).toEqual([]);
});
