/** Where `sqliteLog()` without a path keeps its file: the platforms' rules, and a process with a home of its own. */
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { InvalidArgumentError, LogUnavailableError } from '../../../src/errors.ts';
import { defaultFile, type Surroundings } from '../../../src/stores/sqlite/data-folder.ts';
import { sqliteLog, type AppLogOptions } from '../../../src/stores/sqlite/index.ts';
import { all, event, testFolder } from './log-files.ts';

const at = (platform: NodeJS.Platform, env: Surroundings['env'] = {}, home = '/h') =>
  defaultFile('app', { platform, env, home: () => home });

describe('the file of an application', () => {
  it.each([
    ['linux', {}, '/h', '/h/.local/share/app/app.db'],
    ['linux', { XDG_DATA_HOME: '/data' }, '/h', '/data/app/app.db'],
    ['linux', { XDG_DATA_HOME: 'data' }, '/h', '/h/.local/share/app/app.db'],
    ['linux', { XDG_DATA_HOME: '' }, '/h', '/h/.local/share/app/app.db'],
    ['freebsd', {}, '/h', '/h/.local/share/app/app.db'],
    ['darwin', { XDG_DATA_HOME: '/data' }, '/Users/h', '/Users/h/Library/Application Support/app/app.db'],
    ['win32', { LOCALAPPDATA: 'C:\\L' }, 'C:\\h', 'C:\\L\\app\\app.db'],
    ['win32', {}, 'C:\\h', 'C:\\h\\AppData\\Local\\app\\app.db'],
  ] as const)('on %s with %o and home %s is %s', (platform, env, home, file) => {
    expect(at(platform, env, home)).toBe(file);
  });

  it.each(['', 'relative'])('DF2: is refused where the home folder is %o', (home) => {
    expect(() => at('linux', {}, home)).toThrow(LogUnavailableError);
    expect(() => at('linux', {}, home)).toThrow("no place for 'app': this user has no home folder");
    expect(at('linux', { XDG_DATA_HOME: '/data' }, home)).toBe('/data/app/app.db');
  });

  it('DF2: is refused where asking for the home folder throws', () => {
    const home = () => {
      throw new Error('ENOENT: no such user');
    };
    expect(() => defaultFile('app', { platform: 'linux', env: {}, home })).toThrow(LogUnavailableError);
  });

  it.each(['', '.', '..', 'a/b', 'a\\b', '-a', 'a b', 'x'.repeat(101), 7, null])(
    'is refused for the name %o',
    (app) => {
      expect(() => defaultFile(app as string)).toThrow(InvalidArgumentError);
      expect(() => defaultFile(app as string)).toThrow('sqliteLog({ app }): expected a name of letters');
    },
  );
});

describe.skipIf(process.platform === 'win32' || process.platform === 'darwin')('sqliteLog() without a path', () => {
  beforeEach(() => () => void vi.unstubAllEnvs());
  const dataHome = () => {
    const folder = join(testFolder(), 'data');
    vi.stubEnv('XDG_DATA_HOME', folder);
    return folder;
  };

  it('DF1: makes its folder for the user alone, and finds the file again', async () => {
    const data = dataHome();
    const log = sqliteLog();
    await log.append('order-1', 'no-stream', [event()]);
    await log.close();
    expect(log.name).toBe("SQLite log 'rewake.db'");
    expect([statSync(data).mode & 0o777, statSync(join(data, 'rewake')).mode & 0o777]).toEqual([0o700, 0o700]);
    await using again = sqliteLog({ durability: 'process' });
    expect((await all(again.readStream('order-1'))).length).toBe(1);
    await using other = sqliteLog({ app: 'my-app' });
    expect(await all(other.readStream('order-1'))).toEqual([]);
    expect(existsSync(join(data, 'my-app', 'my-app.db'))).toBe(true);
  });

  it('DF1: leaves a folder as it is that is there', async () => {
    const folder = join(dataHome(), 'rewake');
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    await sqliteLog().close();
    expect(statSync(folder).mode & 0o777).toBe(0o755);
  });

  it('refuses what it does not know before it makes a folder', () => {
    const data = dataHome();
    const refused = [{ path: 'log.db' }, { app: 'a/b' }, { durability: 'yes' }, []] as readonly unknown[];
    for (const options of refused) expect(() => sqliteLog(options as AppLogOptions)).toThrow(InvalidArgumentError);
    expect(() => sqliteLog({ path: 'log.db' } as AppLogOptions)).toThrow('sqliteLog({ path }): expected one of durab');
    expect(() => sqliteLog(undefined)).toThrow('sqliteLog(path): expected the path of a file');
    expect(existsSync(data)).toBe(false);
  });

  it('says so where the folder cannot be made', () => {
    const file = join(testFolder(), 'file');
    writeFileSync(file, '');
    vi.stubEnv('XDG_DATA_HOME', file);
    expect(() => sqliteLog()).toThrow(LogUnavailableError);
    expect(() => sqliteLog()).toThrow('cannot be made');
  });
});
