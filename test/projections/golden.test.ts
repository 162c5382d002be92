/** Projections read every format of the log that was ever released: they say of its actors what their folds say. */
import { executions, pendingTimers } from 'rewake/projections';
import { describe, expect, it } from 'vitest';
import { goldenNames, goldenVersions, readGolden } from '../golden/kept.ts';
import { foldOfRecorded } from './hand-written.ts';

interface End {
  readonly tree: { readonly status: string; readonly value?: unknown };
  readonly timers: readonly { readonly actor: string; readonly id: string; readonly timer: number }[];
  readonly effects: readonly { readonly actor: string }[];
}

const logs = goldenVersions().flatMap((version) => goldenNames(version).map((name) => [version, name] as const));

describe.each(logs)('%s: %s', (version, name) => {
  it('ends for executions and pendingTimers as it ends for its machines', () => {
    const { events, ends } = readGolden(version, name);
    const timers = foldOfRecorded(pendingTimers, events);
    const found = foldOfRecorded(executions, events).map(({ stream, status, state, waits }) => [
      stream,
      {
        status,
        state,
        timers: timers.filter((timer) => timer.stream === stream).map(({ timer }) => timer),
        effects: waits.flatMap((wait) =>
          wait.for === 'effect' || (wait.for === 'person' && wait.message === null) ? [wait.actor] : [],
        ),
      },
    ]);
    const expected = Object.entries(ends as unknown as Readonly<Record<string, End>>).map(([stream, end]) => [
      stream,
      {
        status: end.tree.status,
        state: end.tree.value ?? null,
        timers: end.timers.map(({ timer }) => timer),
        effects: end.effects.map(({ actor }) => actor),
      },
    ]);
    const sorted = (rows: unknown[][]) =>
      Object.fromEntries(
        rows.map(([stream, row]) => {
          const { effects, timers: armed, ...rest } = row as { effects: string[]; timers: number[] };
          return [stream, { ...rest, effects: [...effects].sort(), timers: [...armed].sort((a, b) => a - b) }];
        }),
      );
    expect(sorted(found)).toEqual(sorted(expected));
  });
});
