/**
 * What a command has to hand: the log, the machines, the terminal. Owns that each is opened once, when it is asked for, and closed
 * after the command.
 *
 * CX1  Nothing is opened that a command does not ask for.
 * CX2  A log that is read is not changed; see open-log.ts.
 */
import type { EventLog } from '../log/event-log.ts';
import type { RewakeConfig } from './config.ts';
import { loadConfig, type LoadedConfig } from './config-file.ts';
import { openLog, type Access } from './open-log.ts';
import type { Io, Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

export class CommandContext {
  readonly terminal: Terminal;
  readonly io: Io;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly #logGiven: string | undefined;
  readonly #configGiven: string | undefined;
  #config: Promise<LoadedConfig> | undefined;
  readonly #logs = new Map<Access, Promise<EventLog>>();

  constructor(
    io: Io,
    terminal: Terminal,
    given: { readonly log: string | undefined; readonly config: string | undefined },
  ) {
    this.io = io;
    this.terminal = terminal;
    this.signal = io.signal;
    this.#logGiven = given.log;
    this.#configGiven = given.config;
  }

  /** What the config file says; an empty one where there is none. @throws ConfigError */
  async config(): Promise<RewakeConfig> {
    return (await this.#loadedConfig()).config;
  }

  /** Path of the config file; undefined where there is none. */
  async configFile(): Promise<string | undefined> {
    return (await this.#loadedConfig()).file;
  }

  /** The log as the command line names it; undefined where the config does. */
  get logGiven(): string | undefined {
    return this.#logGiven;
  }

  /** Where the log is, as it is given to openLog. @throws UsageError where nobody says so */
  async logPlace(): Promise<string> {
    if (this.#logGiven !== undefined) return this.#logGiven;
    const { log } = (await this.#loadedConfig()).config;
    if (log !== undefined) return log;
    throw new UsageError(
      "Which log? Give it as the first argument, as in 'rewake ls app.db', with --log, or as 'log' in rewake.config.ts.",
    );
  }

  /** The log that the command line names, or that of the config where it names none. */
  log(access: Access): Promise<EventLog> {
    const known = this.#logs.get(access);
    if (known) return known;
    const opened = this.logPlace().then((place) => openLog(place, access, this.io));
    this.#logs.set(access, opened);
    return opened;
  }

  async close(): Promise<void> {
    for (const log of this.#logs.values()) await (await log.catch(() => undefined))?.close();
  }

  #loadedConfig(): Promise<LoadedConfig> {
    return (this.#config ??= loadConfig(this.io.cwd, this.#configGiven));
  }
}
