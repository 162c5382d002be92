/**
 * The command line as a program: from words to a command, and from what it throws to a message and an exit code. Owns parsing, help
 * and errors; what a command does is its own.
 *
 * PG1  Help begins with examples, and an error ends with what to do next.
 * PG2  Whatever a command throws becomes one message on stderr and a code: a stack is shown for bugs alone.
 */
import { Command, CommanderError, type Help } from 'commander';
import { InvariantError, RewakeError } from '../errors.ts';
import { rewakeVersion } from '../runtime/environment.ts';
import { inCommands } from './advice.ts';
import { optionsOf } from './all-options.ts';
import type { Arguments, CommandSpec, Options } from './command.ts';
import { commandsFor, isCommand } from './commands/index.ts';
import { CommandContext } from './context.ts';
import { exitCodeOf, exitCodes } from './exit-code.ts';
import { looksLikeLog } from './open-log.ts';
import { ReaderLeft, shownLines, Terminal, wrapped, type Io } from './terminal.ts';
import { UsageError } from './usage-error.ts';

export const groups: { readonly [Group in CommandSpec['group']]: string } = {
  look: 'Look:',
  explain: 'Find out why:',
  check: 'Check:',
  change: 'Change:',
  serve: 'Run:',
};

/**
 * Runs one command line.
 * @param argv without `node` and the script
 * @returns the exit code
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const state: { code: number; globals: GlobalOptions } = { code: exitCodes.ok, globals: globalsIn(argv) };
  try {
    const program = programFor(await commandsFor(argv[0]), io, (spec) => async (words, options) => {
      state.globals = options as GlobalOptions;
      state.code = await runCommand(spec, words, options, io);
    });
    await program.parseAsync(asked(argv), { from: 'user' });
    return state.code;
  } catch (error) {
    return fail(error, io, state.globals);
  }
}

type GlobalOptions = {
  readonly json?: boolean;
  readonly color?: boolean;
  readonly yes?: boolean;
  readonly input?: boolean;
};
/** How to say what is wrong with a line that cannot be parsed. */
function globalsIn(argv: readonly string[]): GlobalOptions {
  return { json: argv.includes('--json'), color: !argv.includes('--no-color') };
}

/** Help for what is no command is the same mistake as calling it. */
function asked(argv: readonly string[]): string[] {
  const [first, second] = argv;
  const isStrange = first === 'help' && second !== undefined && !isCommand(second);
  return isStrange ? [second] : [...argv];
}

type Runner = (spec: CommandSpec) => (words: readonly string[], options: Options) => Promise<void>;

/** The tree of commands, as commander has it. */
function programFor(commands: readonly CommandSpec[], io: Pick<Io, 'stdout' | 'stderr'>, runner: Runner): Command {
  const program = new Command('rewake')
    .description('Look into a log of durable machines: what happened, why, and what else could have.')
    .version(rewakeVersion, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: () => {},
    })
    .addHelpText('before', exampleText(firstExamples))
    .addHelpText(
      'after',
      "\nThe log may be left out where rewake.config.ts names one. 'rewake help <command>' says more of each.",
    );
  for (const spec of commands) program.addCommand(commandFor(spec, runner(spec), program));
  return program;
}

const firstExamples = [
  ['ls app.db --failed', 'which actors failed'],
  ['explain app.db order-42', 'why one stands where it stands'],
  ['inspect app.db', 'look at it in the browser'],
] as const;

function exampleText(examples: CommandSpec['examples']): string {
  const width = Math.max(...examples.map(([line]) => line.length));
  return `${examples.map(([line, about]) => `  $ rewake ${line.padEnd(width)}   # ${about}`).join('\n')}\n`;
}

function commandFor(spec: CommandSpec, run: ReturnType<Runner>, parent: Command): Command {
  const command = new Command(spec.name)
    .description(spec.about)
    .helpGroup(groups[spec.group])
    .copyInheritedSettings(parent)
    .usage(usageOf(spec))
    .argument('[words...]')
    .addHelpText('before', exampleText(spec.examples))
    .configureHelp({
      formatHelp(inner, helper) {
        return formatted(spec, inner, helper);
      },
    });
  for (const option of optionsOf(spec)) command.addOption(option);
  command.action((words: string[], options: Options) => run(words, options));
  return command;
}

/** Words and options after the name. */
export function usageOf(spec: CommandSpec): string {
  const words = spec.arguments.map(({ name, optional, many }) => {
    const shown = many ? `${name}...` : name;
    return optional ? `[${shown}]` : `<${shown}>`;
  });
  return [...(spec.withoutLog ? [] : ['[log]']), ...words, '[options]'].join(' ');
}

const helpColumns = 80;

function formatted(spec: CommandSpec, command: Command, helper: Help): string {
  const words = spec.arguments.map(({ name, about }) => [name, about] as const);
  const log = spec.withoutLog ? [] : [['log', "a SQLite file, an exported file, or '-' for one on stdin"] as const];
  const rows = [...log, ...words];
  const options = helper
    .visibleOptions(command)
    .map((option) => [helper.optionTerm(option), helper.optionDescription(option)] as const);
  const width = Math.max(...[...rows, ...options].map(([term]) => term.length));
  const list = (items: readonly (readonly [string, string])[]) =>
    items.flatMap(([term, about]) =>
      wrapped(about, helpColumns - width - 4).map((line, at) => `  ${(at === 0 ? term : '').padEnd(width)}  ${line}`),
    );
  return [
    `Usage: rewake ${spec.name} ${usageOf(spec)}`,
    '',
    `${spec.about}.`,
    ...(spec.detail ? ['', ...wrapped(spec.detail, helpColumns)] : []),
    ...(rows.length > 0 ? ['', 'Arguments:', ...list(rows)] : []),
    '',
    'Options:',
    ...list(options),
    '',
  ].join('\n');
}

async function runCommand(spec: CommandSpec, words: readonly string[], options: Options, io: Io): Promise<number> {
  const { json = false, color = true, yes = false, input = true } = options as GlobalOptions;
  const terminal = new Terminal(io, { json, color, yes, input });
  const { log, rest } = withoutLog(spec, words, options, io.cwd);
  const args = argumentsOf(spec, rest);
  const context = new CommandContext(io, terminal, { log, config: options.config as string | undefined });
  try {
    return (await spec.run(context, args, options)) ?? exitCodes.ok;
  } finally {
    terminal.done();
    await context.close();
  }
}

/** The log is the first word where that looks like one, or where there is a word too many. */
function withoutLog(spec: CommandSpec, words: readonly string[], options: Options, cwd: string) {
  const given = options.log as string | undefined;
  if (spec.withoutLog || given !== undefined || words.length === 0) return { log: given, rest: words };
  const most = spec.arguments.some(({ many }) => many) ? Infinity : spec.arguments.length;
  const [first, ...rest] = words;
  return words.length > most || looksLikeLog(first!, cwd) ? { log: first, rest } : { log: given, rest: words };
}

function argumentsOf(spec: CommandSpec, words: readonly string[]): Arguments {
  const found: Record<string, string | readonly string[] | undefined> = {};
  const usage = `Usage: rewake ${spec.name} ${usageOf(spec)}`;
  const left = [...words];
  for (const { name, optional, many } of spec.arguments) {
    const value = many ? left.splice(0) : left.shift();
    if ((value === undefined || value.length === 0) && !optional) {
      throw new UsageError(`${spec.name}: <${name}> is missing. ${usage}`);
    }
    found[name] = value;
  }
  if (left.length > 0) throw new UsageError(`${spec.name}: '${left[0]}' is one word too many. ${usage}`);
  return found;
}

/** PG2. */
function fail(error: unknown, io: Io, globals: GlobalOptions): number {
  if (error instanceof ReaderLeft) return exitCodes.ok;
  if (io.signal.aborted && error === io.signal.reason) return exitCodes.interrupted;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.ok;
    if (error.code !== 'commander.help') say(error.message.replace(/^error: /, ''), io, globals, 'REWAKE_USAGE');
    return exitCodes.usage;
  }
  const isKnown = error instanceof RewakeError && !(error instanceof InvariantError);
  if (isKnown) say(inCommands(error.message), io, globals, error.code);
  else if (isOfSystem(error)) {
    say(
      `${error.message}. Check the path, whether you may use it, and whether there is room.`,
      io,
      globals,
      error.code,
    );
  } else say(error instanceof Error ? (error.stack ?? error.message) : String(error), io, globals);
  return exitCodeOf(error);
}

/** What the file system or the network refused. */
function isOfSystem(error: unknown): error is Error & { readonly code: string } {
  const { code, syscall } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  return code !== undefined && syscall !== undefined;
}

function say(message: string, io: Io, { json = false, color = true }: GlobalOptions, code?: string): void {
  if (json) {
    io.stderr.write(`${JSON.stringify({ v: 1, type: 'error', ...(code && { code }), message })}\n`);
    return;
  }
  const { noteColor } = new Terminal(io, { json, color, yes: false, input: false });
  io.stderr.write(`${noteColor.red('rewake:')} ${shownLines(message)}\n`);
}
