/**
 * Where a log lies that was given no path: in the folder that the platform has for the data of a user's applications. Owns
 * the rules of the three platforms; what is done with the file is open.ts's.
 *
 * DF1  A folder that is made is the user's alone (mode 0700, as the XDG specification asks); one that is there is left as it is.
 * DF2  Nothing is guessed where there is no home: that is an error, never a file in the current folder.
 */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, posix, win32 } from 'node:path';
import { InvalidArgumentError, LogUnavailableError } from '../../errors.ts';

/** What of the surroundings decides where data lies. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. May throw. */
  readonly home: () => string;
}

const here: Surroundings = { platform: process.platform, env: process.env, home: homedir };

const appName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * The file of an application's log, for example `~/.local/share/rewake/rewake.db`.
 * @throws InvalidArgumentError for a name that is none of a folder
 * @throws LogUnavailableError where there is no home folder
 */
export function defaultFile(app: string, { platform, env, home }: Surroundings = here): string {
  if (typeof app !== 'string' || !appName.test(app)) {
    const expected = "a name of letters, digits, '.', '_' and '-', beginning with a letter or a digit";
    throw InvalidArgumentError.of('sqliteLog({ app })', expected, app);
  }
  const { join, isAbsolute } = platform === 'win32' ? win32 : posix;
  const inHome = (...folders: string[]) => {
    const folder = homeOf(home);
    if (isAbsolute(folder)) return join(folder, ...folders);
    throw new LogUnavailableError(
      `sqliteLog() without a path has no place for '${app}': this user has no home folder. ` +
        'Give the path of a file, or set HOME (LOCALAPPDATA on Windows).',
      false,
    );
  };
  // As the XDG Base Directory Specification says, a path that is not absolute does not count.
  const set = (name: string) => (isAbsolute(env[name] ?? '') ? env[name] : undefined);
  const folder =
    platform === 'win32'
      ? (set('LOCALAPPDATA') ?? inHome('AppData', 'Local'))
      : platform === 'darwin'
        ? inHome('Library', 'Application Support')
        : (set('XDG_DATA_HOME') ?? inHome('.local', 'share'));
  return join(folder, app, `${app}.db`);
}

/**
 * The same, with its folder made where it is missing.
 * @throws LogUnavailableError where it cannot be made
 */
export function prepareDefaultFile(app: string): string {
  const file = defaultFile(app);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  } catch (cause) {
    const message = `The folder of '${file}' cannot be made. Give sqliteLog() the path of a file, or make the folder.`;
    throw new LogUnavailableError(message, false, { cause });
  }
  return file;
}

function homeOf(home: () => string): string {
  try {
    return home();
  } catch {
    return '';
  }
}
