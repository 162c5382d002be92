/** Which error ends a command with which code: the table that scripts rely on. */
import { expect, it } from 'vitest';
import * as errors from '../../src/errors.ts';
import { exitCodeOf } from '../../src/cli/exit-code.ts';
import { ConfigError, UsageError } from '../../src/cli/usage-error.ts';
import { DamagedExportError } from '../../src/replay/damaged-export.ts';

const known = { ...errors, ConfigError, UsageError, DamagedExportError };

it.each<[code: number, names: readonly (keyof typeof known)[]]>([
  [1, ['LogUnavailableError', 'UnknownMachineError', 'LogReadOnlyError', 'InvariantError']],
  [2, ['UsageError', 'ConfigError', 'InvalidArgumentError', 'InvalidEventError']],
  [3, ['NotFoundError', 'StreamDeletedError']],
  [4, ['ReplayDivergedError', 'DamagedRecordError', 'DamagedExportError', 'ActorBlockedError']],
  [
    5,
    [
      ...(['ConflictError', 'LogOwnedError', 'ActorExistsError'] as const),
      ...(['ActorFinishedError', 'ActorStoppedError', 'NotResumableError'] as const),
    ],
  ],
])('%i: %j', (code, names) => {
  for (const name of names) {
    const { prototype } = known[name] as { readonly prototype: object };
    expect([name, exitCodeOf(Object.create(prototype))]).toEqual([name, code]);
  }
});
