/**
 * Command lines to be copied. Owns how words are quoted for a shell.
 */
import { shown } from './terminal.ts';

/** @param words name of the command first @param log as it was given; undefined where it need not be. A password is left out. */
export function commandLine([name, ...words]: readonly string[], log: string | undefined): string {
  return ['rewake', name!, ...(log === undefined ? [] : [withoutPassword(log)]), ...words].map(quoted).join(' ');
}

function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${shown(word).replaceAll("'", `'\\''`)}'`;
}

function withoutPassword(log: string): string {
  return log.replace(/^(\w+:\/\/[^:@/]*):[^@/]*@/, '$1@');
}
