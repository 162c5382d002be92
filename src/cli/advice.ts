/**
 * What the library advises, as commands: its messages name functions, and whoever reads them here has the command. Owns the
 * translation.
 */

const commands: readonly (readonly [call: RegExp, command: string])[] = [
  [/verifyLog\(log\)/g, "'rewake verify'"],
  [/repairLog\(log, \{ quarantine: true, stream: '([^']*)' \}\)/g, "'rewake repair $1'"],
  [/repairLog\(log, \{ quarantine: true \}\)/g, "'rewake repair'"],
  [/runtime\.rewind\('([^']*)', \{ to \}\)/g, "'rewake rewind $1 <revision>'"],
];

/** A message of the library for who sits at a command line. */
export function inCommands(message: string): string {
  return commands.reduce((text, [call, command]) => text.replaceAll(call, command), message);
}
