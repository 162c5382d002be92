/** `rewake completion`: what a shell needs to complete. */
import type { CommandSpec } from '../command.ts';
import { completionScript, shells, type Shell } from '../completion-scripts.ts';
import { UsageError } from '../usage-error.ts';

/** @param others the commands besides this one */
export function completionOf(others: readonly CommandSpec[]): CommandSpec {
  const completion: CommandSpec = {
    name: 'completion',
    group: 'serve',
    about: 'Print a script that completes commands, options and streams in a shell',
    withoutLog: true,
    arguments: [{ name: 'shell', about: shells.join(', ') }],
    options: [],
    examples: [
      ['completion bash >> ~/.bashrc', 'for bash'],
      ['completion zsh > "${fpath[1]}/_rewake"', 'for zsh'],
      ['completion fish > ~/.config/fish/completions/rewake.fish', 'for fish'],
    ],
    async run({ terminal }, args) {
      const shell = args['shell'] as string;
      if (!(shells as readonly string[]).includes(shell)) {
        throw new UsageError(`completion: expected one of ${shells.join(', ')}, found '${shell}'.`);
      }
      terminal.raw(completionScript(shell as Shell, [...others, completion]));
    },
  };
  return completion;
}
