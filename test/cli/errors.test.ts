/** What a person reads who asks for something that cannot be, and what the process ends with. */
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/program.ts';
import { withRawConnection } from '../stores/sqlite/log-files.ts';
import { call, emptyFolder, records } from './command-line.ts';
import { shop } from './shop-log.ts';

const { folder } = shop();

/** A folder with a copy of the log, changed. */
function changed(sql: string): string {
  const copy = emptyFolder();
  copyFileSync(join(folder, 'app.db'), join(copy, 'app.db'));
  withRawConnection(join(copy, 'app.db'), (db) => db.exec(sql));
  return copy;
}

/** The append with the second ADD of order-1. */
const damage = `UPDATE appends SET data = replace(data, '"ADD","price":3', '"ADD","price":4') WHERE data LIKE '%"ADD","price":3%'`;

it.each<readonly [what: string, argv: string, code: number, err: string]>([
  [
    'no such log',
    'ls nope.db',
    1,
    "SQLite log 'nope.db' cannot be opened to be read: there is no file at 'FOLDER/nope.db'. Check the path.",
  ],
  [
    'a folder',
    'ls --log .',
    1,
    "SQLite log 'NAME' cannot be opened to be read: 'FOLDER' is a directory. Give the path of a file in it.",
  ],
  [
    'another store',
    'ls kurrentdb://host/db',
    2,
    "There is no log store for 'kurrentdb:' in this version. Give the path of a SQLite log or of an exported file, or a URL that begins with 'postgres:'.",
  ],
  [
    'no log at all',
    'ls',
    2,
    "Which log? Give it as the first argument, as in 'rewake ls app.db', with --log, or as 'log' in rewake.config.ts.",
  ],
  [
    'no such config',
    'check app.db --config x.ts',
    2,
    "There is no config file at 'FOLDER/x.ts'. Check what --config says.",
  ],
  [
    'a stream that is called otherwise',
    'show app.db order-11',
    3,
    "Nothing found under stream 'order-11'. Did you mean 'order-1'? 'rewake ls' lists what is in SQLite log 'app.db'.",
  ],
  [
    'a stream like no other',
    'replay app.db something-else',
    3,
    "Nothing found under stream 'something-else'. 'rewake ls' lists what is in SQLite log 'app.db'.",
  ],
  [
    'a revision behind the end',
    'show app.db order-1 --at 7',
    2,
    "replay of 'order-1': expected a revision of the stream, from 0 to 6, found 7.",
  ],
  [
    'a raw event behind the end',
    'show app.db order-1 --raw 7',
    2,
    "event of 'order-1': expected a revision that is in the stream, found 7.",
  ],
  [
    'a revision that is none',
    'diff app.db order-1 one',
    2,
    "diff: <from>: expected a whole number from 0 on, found 'one'.",
  ],
  [
    'an option that is no number',
    'show app.db order-1 --at -3',
    2,
    "--at: expected a whole number from 0 on, found '-3'.",
  ],
  [
    'no regular expression',
    'ls app.db --match (',
    2,
    "--match: '(' is no regular expression: Invalid regular expression: /(/u: Unterminated group.",
  ],
  [
    'no status',
    'ls app.db -s idle',
    2,
    "option '-s, --status <status...>' argument 'idle' is invalid. Allowed choices are active, done, error, stopped.",
  ],
  [
    'nothing to fold with',
    'verify app.db --fold',
    2,
    'verify: --fold needs the machines, and there is no rewake.config.ts here or above. Write one that exports them, or name one with --config.',
  ],
  [
    'a fold that is left out',
    'verify app.db --fold --no-audit',
    2,
    'verify: --fold is a part of the audit that --no-audit leaves out.',
  ],
  ['no path', 'blame app.db order-1 total', 2, "blame: <path> begins with '/'. Did you mean '/context/total'?"],
  [
    'a path with points',
    'blame app.db order-1 context.items.0',
    2,
    "blame: <path> begins with '/'. Did you mean '/context/items/0'?",
  ],
  [
    'no place',
    'blame app.db order-1 /total',
    2,
    'blame(path): expected a JSON Pointer that begins with one of /context, /state, /status, /output, /error, found "/total".',
  ],
  [
    'machines that nobody names',
    'check app.db',
    2,
    'check: there is no rewake.config.ts here or above. Write one that exports the machines, or name one with --config.',
  ],
  ['no such command', 'shwo app.db', 2, "unknown command 'shwo'\n(Did you mean show?)"],
  ['no such option', 'ls app.db --al', 2, "unknown option '--al'"],
  ['help for no command', 'help shwo', 2, "unknown command 'shwo'\n(Did you mean show?)"],
  [
    'a URL of another machine',
    'ls file://elsewhere/app.db',
    2,
    "'file://elsewhere/app.db' names no file of this machine. Give a path, or a URL such as 'file:///var/app.db'.",
  ],
  [
    'an end before the beginning',
    'replay app.db order-1 --from 3 --to 1',
    2,
    '--to: expected a revision from 3 on, where --from begins, found 1.',
  ],
  [
    'an actor that is not in the tree',
    'show app.db order-1 -a /pay',
    2,
    "--actor: there is no '/pay' in the tree. There is /, /charge:1.",
  ],
  ['no port', 'inspect app.db --port 70000', 2, '--port: expected a port from 0 to 65535, found 70000.'],
  [
    'a file where no folder is',
    'capture app.db order-1 -o nowhere/a.test.ts',
    1,
    "ENOENT: no such file or directory, open 'FOLDER/nowhere/a.test.ts'. Check the path, whether you may use it, and whether there is room.",
  ],
  ['a word too few', 'show app.db', 2, 'show: <stream> is missing. Usage: rewake show [log] <stream> [options]'],
  [
    'a word too many',
    'show app.db order-1 7',
    2,
    "show: '7' is one word too many. Usage: rewake show [log] <stream> [options]",
  ],
])('%s: %s', async (_, line, code, err) => {
  const said = await call(folder, line.split(' '));
  const expected = err.replace('FOLDER', folder).replace('NAME', folder.split('/').at(-1)!);
  expect(said).toEqual({ code, out: said.code === 0 ? said.out : '', err: `rewake: ${expected}\n` });
});

it.each([
  'repair app.db order-11 --dry-run',
  'capture app.db order-11',
  'export app.db order-11',
  'inspect app.db --stream order-11',
  'verify app.db order-11',
  'send app.db order-11 PAY',
  'resume app.db order-11',
  'tail app.db order-11',
])('names streams that are called alike: %s', async (line) => {
  expect(await call(folder, line.split(' '))).toEqual({
    ...{ code: 3, out: '' },
    err: "rewake: Nothing found under stream 'order-11'. Did you mean 'order-1'? 'rewake ls' lists what is in SQLite log 'app.db'.\n",
  });
});

it('shows control characters of a name as escapes, wherever it is said', async () => {
  const name = 'order-\u001B[31m\u0007 "😀" %2F ../x';
  for (const command of ['show', 'trace', 'explain', 'capture']) {
    const said = await call(folder, [command, 'app.db', name]);
    expect(said.code).toBe(3);
    expect(said.err).toContain(`'order-\\u001b[31m\\u0007 "😀" %2F ../x'`);
  }
});

describe('a file that is no log that can be read', () => {
  it('is named, and not changed', async () => {
    const copy = emptyFolder();
    writeFileSync(join(copy, 'notes.txt'), 'to whom it may concern: this is no database at all');
    const said = await call(copy, ['ls', 'notes.txt']);
    expect(said.code).toBe(1);
    expect(said.err).toMatch(/^rewake: 'notes.txt' is neither a SQLite log nor an exported file\. Check the path\./);
    writeFileSync(join(copy, 'app.jsonl.gz'), Buffer.from([0x1f, 0x8b, 8, 0]));
    expect((await call(copy, ['ls', 'app.jsonl.gz'])).err).toContain("'gunzip -c app.jsonl.gz | rewake ls -'");
    writeFileSync(join(copy, 'empty.db'), '');
    expect((await call(copy, ['ls', 'empty.db'])).err).toContain('is an empty file');
    withRawConnection(join(copy, 'users.db'), (db) => db.exec('CREATE TABLE users (name TEXT)'));
    expect((await call(copy, ['ls', 'users.db'])).err).toContain('is a SQLite database of another application');
    const newer = changed('PRAGMA user_version = 99');
    const refused = await call(newer, ['ls', 'app.db']);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^rewake: .*Use the rewake version that wrote it, or a newer one\.\n$/s);
  });
});

describe('an expression that is none', () => {
  const names = 'revision, type, label, at, payload, facts, state, status, context, actors, effects, frame';

  it('is told before anything is read, or where it fails', async () => {
    const said = await call(folder, ['replay', 'app.db', 'order-1', '--until', 'context.(']);
    expect(said).toMatchObject({ code: 2, out: '' });
    expect(said.err).toBe(
      `rewake: 'context.(': expected an expression over ${names}, found "SyntaxError: Unexpected token '('".\n`,
    );
    const strange = await call(folder, ['replay', 'app.db', 'order-1', '--until', 'contxt.total']);
    expect(strange.err).toBe(
      `rewake: 'contxt.total', at revision 0: expected an expression over ${names}, found "ReferenceError: contxt is not defined".\n`,
    );
  });
});

describe('a damaged record', () => {
  it('is shown in its place, what is before it is readable, and the exit code says it', async () => {
    const copy = changed(damage);
    const shown = await call(copy, ['show', 'app.db', 'order-1']);
    expect(shown.code).toBe(4);
    expect(shown.out).toContain('{ "total": 2, "receipt": null }');
    expect(shown.out).toMatch(/^ {4}3 {2}✗ damaged: .+$/m);
    const replayed = await call(copy, ['replay', 'app.db', 'order-1', '--json']);
    expect(replayed.code).toBe(4);
    expect(records(replayed.out).map(({ type, revision }) => [type, revision])).toEqual([
      ['frame', 0],
      ['frame', 1],
      ['damaged', 3],
    ]);
    const behind = await call(copy, ['show', 'app.db', 'order-1', '--at', '6']);
    expect(behind.code).toBe(4);
    expect(behind.err).toMatch(/^rewake: Stream 'order-1' is damaged at revision 3: /);
    expect((await call(copy, ['show', 'app.db', 'order-2'])).code).toBe(0);
  });

  it('is found by verify, once, with what to do about it', async () => {
    const said = await call(changed(damage), ['verify', 'app.db']);
    expect(said.code).toBe(4);
    expect(said.out.split('\n')).toEqual([
      expect.stringMatching(/^damage {4}Stream 'order-1' at revision 3: /),
      expect.stringMatching(/^ {10}Restore the record from a backup/),
      expect.stringMatching(/^✗ 6 streams, \d+ events: 1 thing is wrong\.$/),
      '',
    ]);
  });

  it('is told once where a record is missing: what follows from it is no violation of its own', async () => {
    const copy = changed(`DELETE FROM appends WHERE data LIKE '%"ADD","price":3%'`);
    const said = await call(copy, ['verify', 'app.db', '--json']);
    expect(said.code).toBe(4);
    expect(records(said.out)).toEqual([
      expect.objectContaining({ type: 'finding', code: 'gap', stream: 'order-1', revision: 3 }),
      expect.objectContaining({ type: 'verified', findings: 1, violations: 0 }),
    ]);
  });

  it('leaves its stream out of what projections say, and that is told', async () => {
    const said = await call(changed(damage), ['handlers', 'app.db']);
    expect(said.code).toBe(4);
    expect(said.err).toMatch(/^Stream 'order-1' is damaged at revision 3: /);
    expect(said.out).toContain('mend');
  });

  it('does not keep a value before it from being blamed, and is told beside it', async () => {
    const copy = changed(damage);
    const said = await call(copy, ['blame', 'app.db', 'order-1', '/context/total']);
    expect(said.code).toBe(4);
    expect(said.out).toMatch(/^\/context\/total at revision 2 is 2$[^]*^ {4}3 {2}✗ damaged: /m);
    expect((await call(copy, ['blame', 'app.db', 'order-1', '/context/total', '--at', '1'])).code).toBe(0);
    const differs = await call(copy, ['diff', 'app.db', 'order-1', '0']);
    expect(differs.code).toBe(4);
    expect(differs.out).toMatch(/~ \/total {2}0 → 2[^]*^ {4}3 {2}✗ damaged: /m);
    expect((await call(copy, ['diff', 'app.db', 'order-1', '0', '1'])).code).toBe(0);
    expect((await call(copy, ['diff', 'app.db', 'order-2', '0', '--with', 'order-1'])).code).toBe(4);
  });

  it('is followed by what is intact, in the whole log and in its stream', async () => {
    const copy = changed(damage);
    for (const stream of [[], ['order-1']]) {
      const out: string[] = [];
      const ended = new AbortController();
      const write = (text: string) => {
        if (out.push(text) && /"stream":"order-1","revision":6/.test(out.join(''))) ended.abort(new Error('enough'));
      };
      const io = { stdin: Readable.from([]), stdout: { write }, stderr: { write }, env: {}, cwd: copy };
      const argv = ['tail', 'app.db', ...stream, '-n', '100', '-t', 'EffectSucceeded', '--json'];
      expect(await main(argv, { ...io, signal: ended.signal })).toBe(130);
      const rows = records(out.join('')).filter((row) => row['stream'] === 'order-1');
      expect(rows.map(({ revision, label }) => [revision, label])).toEqual([
        [3, 'damaged'],
        [6, 'charge done'],
      ]);
    }
  });

  it('is not exported as if nothing were missing', async () => {
    const copy = changed(`DELETE FROM appends WHERE data LIKE '%"ADD","price":3%'`);
    for (const stream of [[], ['order-1']]) {
      const said = await call(copy, ['export', 'app.db', ...stream]);
      expect(said.code).toBe(4);
      expect(said.err).toMatch(/^rewake: Stream 'order-1' is damaged at revision 3: the record is missing\./);
      // What the library would call is a command here.
      expect(said.err).toContain("'rewake verify' lists all damage");
    }
    expect((await call(copy, ['export', 'app.db', '-o', 'app.jsonl'])).code).toBe(4);
    for (const file of ['app.jsonl', 'app.jsonl.part']) expect(existsSync(join(copy, file))).toBe(false);
    expect((await call(copy, ['export', 'app.db', 'order-2'])).code).toBe(0);
  });
});

describe('with --json', () => {
  it('an error is a line on stderr, with its code', async () => {
    const said = await call(folder, ['show', 'app.db', 'order-9x', '--json']);
    expect(said).toMatchObject({ code: 3, out: '' });
    expect(JSON.parse(said.err)).toMatchObject({ v: 1, type: 'error', code: 'REWAKE_NOT_FOUND' });
    const strange = await call(folder, ['ls', '--json', '--strange']);
    expect(JSON.parse(strange.err)).toMatchObject({ v: 1, type: 'error', code: 'REWAKE_USAGE' });
  });
});
