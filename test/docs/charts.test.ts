/**
 * The charts in docs/reference/charts.md are drawn from the machines themselves. When one has changed, this test is red;
 * `npx vitest run test/docs -u` draws them anew.
 */
import { format } from 'prettier';
import { expect, it } from 'vitest';
import { fromPromise, type AnyStateMachine } from 'xstate';
import { withRetry } from '../../machines/index.ts';
import { drawnMachines } from '../support/drawn-machines.ts';
import { mermaidOf } from '../support/mermaid.ts';

it('every machine is drawn as it is', async () => {
  const page = [
    '# Charts of the machines',
    'Drawn from the machines themselves by a test; do not edit. A state shows in brackets what it runs; an arrow shows the event, the guard in brackets, and the actions after the stroke.',
    ...drawnMachines.flatMap(([title, machine]) => [
      `## ${title}`,
      ['```mermaid', mermaidOf(machine as AnyStateMachine), '```'].join('\n'),
    ]),
  ].join('\n\n');
  const text = await format(page, { parser: 'markdown', printWidth: 120, singleQuote: true });
  await expect(text).toMatchFileSnapshot('../../docs/reference/charts.md');
});

it('a drawing says each state, arrow, guard and action once', () => {
  const text = mermaidOf(withRetry()(fromPromise(async () => 'done')) as AnyStateMachine);
  expect(text.split('\n')).toEqual(
    expect.arrayContaining([
      '  [*] --> withRetry_attempting',
      '  withRetry_waiting --> withRetry_attempting: after backoff',
    ]),
  );
  expect(text).toContain('withRetry_deciding --> withRetry_waiting: / tellRetry');
});
