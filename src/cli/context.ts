/**
 * What a command has to hand: the log, the machines, the terminal. Owns the shape.
 *
 * CX1  Nothing is opened that a command does not ask for.
 */
import type { EventLog } from '../log/event-log.ts';
import type { AnyRuntime } from '../runtime/runtime.ts';
import type { RewakeConfig } from './config.ts';
import type { Terminal } from './terminal.ts';

/** How a log is opened. */
export type Access = 'read' | 'write';

export interface CommandContext {
  readonly terminal: Terminal;
  /** The log that the command line names, or that of the config where it names none; opened once, closed after the command. */
  log(access: Access): Promise<EventLog>;
  /** What the config file says; an empty one where there is none. @throws ConfigError */
  config(): Promise<RewakeConfig>;
  /** A runtime on the log with the machines of the config that takes up nobody; for commands that write. */
  runtime(): Promise<AnyRuntime>;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}
