/**
 * The options of a command, its own and those that all have. Owns the latter.
 */
import { Option } from 'commander';
import type { CommandSpec } from './command.ts';

/** Every option of a command, those that all have included. */
export function optionsOf(spec: CommandSpec): Option[] {
  return [...ownOptionsOf(spec), ...sharedOptions(spec)];
}

/** Those that it has for itself. */
export function ownOptionsOf(spec: CommandSpec): Option[] {
  return spec.options.map(({ flags, about, default: value, choices }) => {
    const option = new Option(flags, about);
    if (value !== undefined) option.default(value);
    if (choices) option.choices(choices);
    return option;
  });
}

/** Those that it shares with others. */
export function sharedOptions({ writes, withoutLog }: Pick<CommandSpec, 'writes' | 'withoutLog'>): Option[] {
  const writing = [
    new Option('--dry-run', 'say what would be done, and do nothing'),
    new Option('-y, --yes', 'do not ask'),
  ];
  return [
    ...(writes ? writing : []),
    ...(withoutLog ? [] : [new Option('--log <log>', 'the log, where it is not the first argument')]),
    new Option('--config <file>', 'instead of the nearest rewake.config.ts'),
    new Option('--json', 'one JSON object a line, for programs'),
    new Option('--no-color', 'no colours'),
    new Option('--no-input', 'ask nothing'),
  ];
}
