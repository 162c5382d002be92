/**
 * What a command of `rewake` is: its words, and what it does. Owns the shape; how it is parsed and printed is in program.ts and
 * terminal.ts.
 */
import type { CommandContext } from './context.ts';

/** An argument on the command line, `<stream>` or `[file]`. */
export interface ArgumentSpec {
  readonly name: string;
  readonly about: string;
  readonly optional?: boolean;
  readonly many?: boolean;
}

/** An option. `flags` as commander reads them: `-m, --machine <name...>`, `--no-color`. */
export interface OptionSpec {
  readonly flags: string;
  readonly about: string;
  readonly default?: string | number | boolean;
  readonly choices?: readonly string[];
}

/** One command. */
export interface CommandSpec {
  readonly name: string;
  readonly group: 'look' | 'explain' | 'change' | 'check' | 'serve';
  /** One line, an imperative. */
  readonly about: string;
  /** More, in the help. */
  readonly detail?: string;
  /** Every command but `doctor` and `completion` takes the log first: it is not repeated here. */
  readonly withoutLog?: boolean;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /** Command lines without the `rewake`, and what they do. At least two. */
  readonly examples: readonly (readonly [line: string, about: string])[];
  /** Gets --dry-run and --yes, and asks before it writes. */
  readonly writes?: boolean;
  /**
   * @returns the exit code; 0 when nothing is returned
   * @throws RewakeError and whatever else: program.ts turns it into a message and a code
   */
  run(context: CommandContext, args: Arguments, options: Options): Promise<number | void>;
}

/** Values of the arguments, by name. */
export type Arguments = { readonly [name: string]: string | readonly string[] | undefined };
/** Values of the options, by their camel-case name. */
export type Options = { readonly [name: string]: string | number | boolean | readonly string[] | undefined };
