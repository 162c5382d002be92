/**
 * Scripts by which shells complete what is typed after `rewake`. Owns what they say; which commands and options there are comes from
 * their specs.
 *
 * CP1  A script needs nothing but the shell, and `rewake` itself for the names of streams.
 */
import type { Option } from 'commander';
import { optionsOf } from './all-options.ts';
import type { CommandSpec } from './command.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export function completionScript(shell: Shell, commands: readonly CommandSpec[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      return zshScript(commands);
    case 'fish':
      return fishScript(commands);
  }
}

const takesStream = ({ arguments: words }: CommandSpec) => words.some(({ name }) => name === 'stream');
const takesValue = ({ required, optional }: Option) => required || optional;
const flagsOf = ({ short, long }: Option) => [short, long].filter((flag) => flag !== undefined);
const wordsOf = (commands: readonly CommandSpec[]) => [...commands.map(({ name }) => name), 'help'];

/** In the log that the line names, or in that of the config. */
const streamNames = `sed -n 's/.*"stream":"\\([^"]*\\)".*/\\1/p' | head -n 500`;

function bashScript(commands: readonly CommandSpec[]): string {
  const cases = commands.map((spec) => {
    const options = optionsOf(spec);
    const choices = options.flatMap((option) =>
      option.argChoices ? [`      ${flagsOf(option).join('|')}) values='${option.argChoices.join(' ')}' ;;`] : [],
    );
    const taking = options.filter((option) => takesValue(option) && !option.argChoices).flatMap(flagsOf);
    return [
      `  ${spec.name})`,
      `    options='${options.flatMap(flagsOf).join(' ')}'`,
      `    streams=${takesStream(spec) ? 1 : 0}`,
      '    case "$previous" in',
      ...choices,
      ...(taking.length > 0 ? [`      ${taking.join('|')}) files=1 ;;`] : []),
      '    esac',
      '    ;;',
    ].join('\n');
  });
  return `# Completion of rewake for bash. Put it into a file that ~/.bashrc sources, or: source <(rewake completion bash)
_rewake_streams() {
  local word
  for word in "\${COMP_WORDS[@]:2}"; do
    if [[ -f $word ]]; then rewake ls "$word" --json 2>/dev/null | ${streamNames}; return; fi
  done
  rewake ls --json 2>/dev/null | ${streamNames}
}
_rewake() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local options='' values='' files=0 streams=0
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W '${wordsOf(commands).join(' ')} --help --version' -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
  help) values='${commands.map(({ name }) => name).join(' ')}' ;;
${cases.join('\n')}
  esac
  if [[ -n $values ]]; then COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [[ $current == -* ]]; then COMPREPLY=($(compgen -W "$options --help" -- "$current"))
  elif (( files )); then COMPREPLY=($(compgen -f -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
    if (( streams )); then COMPREPLY+=($(compgen -W "$(_rewake_streams)" -- "$current")); fi
  fi
}
complete -o filenames -F _rewake rewake
`;
}

const zshText = (text: string) =>
  text.replaceAll("'", `'\\''`).replaceAll(/[[\]:\\]/g, (char) => (char === '\\' ? char : `\\${char}`));

function zshScript(commands: readonly CommandSpec[]): string {
  const listed = commands.map(({ name, about }) => `    '${name}:${zshText(about)}'`);
  const cases = commands.map((spec) => {
    const specs = optionsOf(spec).flatMap((option) => {
      const value = option.argChoices
        ? `:value:(${option.argChoices.join(' ')})`
        : takesValue(option)
          ? ':value:_files'
          : '';
      return flagsOf(option).map(
        (flag) => `      '${option.variadic ? '*' : ''}${flag}[${zshText(option.description)}]${value}'`,
      );
    });
    const rest = takesStream(spec) ? "'*: :_rewake_words'" : "'*: :_files'";
    return [
      `  ${spec.name})`,
      '    _arguments \\',
      ...specs.map((each) => `${each} \\`),
      `      ${rest}`,
      '    ;;',
    ].join('\n');
  });
  return `#compdef rewake
# Completion of rewake for zsh. Put it into a file _rewake in a folder of $fpath.
_rewake_words() {
  local word log
  for word in $words[3,-1]; do
    if [[ -f $word ]]; then log=$word; break; fi
  done
  local -a streams
  streams=(\${(f)"$(rewake ls $log --json 2>/dev/null | ${streamNames})"})
  compadd -a streams
  _files
}
_rewake() {
  local -a commands
  commands=(
${listed.join('\n')}
    'help:Print help for a command'
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case $words[2] in
  help) _describe command commands ;;
${cases.join('\n')}
  esac
}
_rewake "$@"
`;
}

const fishText = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function fishScript(commands: readonly CommandSpec[]): string {
  const lines = commands.flatMap((spec) => [
    `complete -c rewake -n __fish_use_subcommand -f -a ${spec.name} -d ${fishText(spec.about)}`,
    ...(takesStream(spec)
      ? [`complete -c rewake -n '__fish_seen_subcommand_from ${spec.name}' -a '(__rewake_streams)'`]
      : []),
    ...optionsOf(spec).map((option) => {
      const { long, short, description, argChoices } = option;
      const value = argChoices ? ` -x -a ${fishText(argChoices.join(' '))}` : takesValue(option) ? ' -r' : '';
      const flags = `${short ? ` -s ${short.slice(1)}` : ''}${long ? ` -l ${long.slice(2)}` : ''}`;
      return `complete -c rewake -n '__fish_seen_subcommand_from ${spec.name}'${flags}${value} -d ${fishText(description)}`;
    }),
  ]);
  return `# Completion of rewake for fish. Put it into ~/.config/fish/completions/rewake.fish
function __rewake_streams
  for word in (commandline -opc)[3..]
    if test -f $word
      rewake ls $word --json 2>/dev/null | ${streamNames}
      return
    end
  end
  rewake ls --json 2>/dev/null | ${streamNames}
end
complete -c rewake -n __fish_use_subcommand -f -a help -d 'Print help for a command'
complete -c rewake -n '__fish_seen_subcommand_from help' -f -a '${commands.map(({ name }) => name).join(' ')}'
${lines.join('\n')}
`;
}
