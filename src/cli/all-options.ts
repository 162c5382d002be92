/**
 * The options of a command, its own and those that all have. Owns the latter.
 */
import { Option } from 'commander';
import type { CommandSpec } from './command.ts';

/** Every option of a command, those that all have included. */
export function optionsOf(spec: CommandSpec): Option[] {
  const own = spec.options.map(({ flags, about, default: value, choices }) => {
    const option = new Option(flags, about);
    if (value !== undefined) option.default(value);
    if (choices) option.choices(choices);
    return option;
  });
  const writing = spec.writes
    ? [new Option('--dry-run', 'say what would be done, and do nothing'), new Option('-y, --yes', 'do not ask')]
    : [];
  return [
    ...own,
    ...writing,
    ...(spec.withoutLog ? [] : [new Option('--log <log>', 'the log, where it is not the first argument')]),
    new Option('--config <file>', 'instead of the nearest rewake.config.ts'),
    new Option('--json', 'one JSON object a line, for programs'),
    new Option('--no-color', 'no colours'),
    new Option('--no-input', 'ask nothing'),
  ];
}
