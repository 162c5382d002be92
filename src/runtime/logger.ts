/** What rewake asks of a logger; pino and most others satisfy it. Owns the shape and the default. */

/** Structured logging: fields first, then the message. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Says warnings and errors on stderr, nothing else. */
export const consoleLogger: Logger = {
  debug() {},
  info() {},
  warn(fields, message) {
    console.warn(`rewake: ${message}`, fields);
  },
  error(fields, message) {
    console.error(`rewake: ${message}`, fields);
  },
};
