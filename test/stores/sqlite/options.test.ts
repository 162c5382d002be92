/** What `sqliteLog` takes as path and options, and that everything else is refused before a file is made. */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../../src/errors.ts';
import { sqliteLog, type SqliteLogOptions } from '../../../src/stores/sqlite/index.ts';
import { event, logPath } from './log-files.ts';

/** What a call from JavaScript throws, where no compiler has looked. */
function refusalOf(path: unknown, options?: unknown): Error {
  try {
    void sqliteLog(path as string, options as SqliteLogOptions).close();
  } catch (error) {
    return error as Error;
  }
  return expect.fail('the call succeeded');
}

describe('the options of a SQLite log', () => {
  it.each([
    ['durability', 'Power', "'power' or 'process'", '"Power"'],
    ['durability', null, "'power' or 'process'", 'null'],
    ['durability', true, "'power' or 'process'", 'true'],
    ['maxEventBytes', 0, 'a whole number of bytes above 0', '0'],
    ['maxEventBytes', 1.5, 'a whole number of bytes above 0', '1.5'],
    ['maxEventBytes', NaN, 'a whole number of bytes above 0', 'NaN'],
    ['maxEventBytes', '1MB', 'a whole number of bytes above 0', '"1MB"'],
    ['busyTimeout', -1, 'a duration', '-1'],
    ['busyTimeout', Infinity, 'a duration', 'Infinity'],
    // SQLite reads more than an int as no waiting at all.
    ['busyTimeout', 2 ** 31, 'a duration', '2147483648'],
    ['busyTimeout', 'soon', 'a duration', '"soon"'],
    ['busyTimeout', 5n, 'a duration', 'a bigint'],
    ['pollInterval', 0, 'a duration above 0', '0'],
    ['pollInterval', '0ms', 'a duration above 0', '"0ms"'],
    ['pollInterval', Infinity, 'a duration above 0', 'Infinity'],
    ['pollInterval', {}, 'a duration above 0', 'an object'],
    ['clock', {}, 'an object with now() and setTimer()', 'an object'],
    ['clock', null, 'an object with now() and setTimer()', 'null'],
    ['clock', Date, 'an object with now() and setTimer()', 'a function'],
    ['durabilty', 'process', 'one of durability, maxEventBytes, busyTimeout, pollInterval, clock', '"durabilty"'],
  ])('refuse %s: %o', (name, value, expected, found) => {
    const path = logPath();
    const error = refusalOf(path, { [name]: value });
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toContain(`sqliteLog(path, { ${name} })`);
    expect(error.message).toContain(`expected ${expected}`);
    expect(error.message).toContain(`found ${found}.`);
    expect(existsSync(path)).toBe(false);
  });

  it.each([null, 'process', 7, [], () => {}])('are refused as a whole when they are %o', (options) => {
    const error = refusalOf(logPath(), options);
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toContain('expected an object');
  });

  it('may be given as undefined, and as the least that is allowed', async () => {
    const omitted = { durability: undefined, maxEventBytes: undefined, busyTimeout: undefined, clock: undefined };
    await using log = sqliteLog(logPath(), omitted as unknown as SqliteLogOptions);
    expect(log.capabilities).toMatchObject({ durable: 'power', maxEventBytes: 8 * 2 ** 20 });
    await using least = sqliteLog(logPath(), { maxEventBytes: 1, busyTimeout: 0, pollInterval: '1ms' });
    expect(least.capabilities.maxEventBytes).toBe(1);
  });
});

describe('the path of a SQLite log', () => {
  it('may be a file: URL', async () => {
    const path = `${logPath()} ü%20`;
    await using log = sqliteLog(pathToFileURL(path));
    expect(log.name).toBe(`SQLite log 'log.db ü%20'`);
    await log.append('order-1', 'no-stream', [event()]);
    expect(existsSync(path)).toBe(true);
  });

  it.each([
    ['', '""'],
    [':memory:', '":memory:"'],
    ['file:///srv/log.db', '"file:///srv/log.db"'],
    ['log\0.db', '"log\\u0000.db"'],
    [undefined, 'undefined'],
    [null, 'null'],
    [42, '42'],
    [new URL('https://example.org/log.db'), 'https://example.org/log.db'],
    [new URL('file:///srv/log.db?mode=ro'), 'file:///srv/log.db?mode=ro'],
    [new URL('file://elsewhere/log.db'), 'file://elsewhere/log.db'],
  ])('is not %o', (path, found) => {
    const error = refusalOf(path);
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toContain('sqliteLog(path)');
    expect(error.message).toContain('expected the path of a file');
    expect(error.message).toContain(`found ${found}.`);
  });
});
