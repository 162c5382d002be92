/** Recoverable functions in programs of their own: as decorators of both kinds, and killed with SIGKILL on a SQLite file. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DocWorkshop, type Program } from '../house/doc-blocks.ts';
import { testFolder } from '../stores/sqlite/log-files.ts';

const program = (name: string, text: string): Program => ({ at: name, file: `x/${name}.ts`, text, run: true });

const decorated = `
import { deepStrictEqual, strictEqual } from 'node:assert';
import { memoryLog } from 'rewake';
import { recoverable } from 'rewake/machines';

const log = memoryLog();

class Downloads {
  calls = 0;
  constructor(private readonly base: string) {}

  @recoverable({ maxRetries: 2, initialDelay: 1 })
  async fetch(path: string, times = 1): Promise<string> {
    if (++this.calls < 3) throw new Error('busy');
    return (this.base + path).repeat(times);
  }

  @recoverable({ persistence: log, key: (path: string) => path, initialDelay: 1 })
  async keep(path: string): Promise<{ calls: number; path: string }> {
    if (++this.calls < 3) throw new Error('busy');
    return { calls: this.calls, path: this.base + path };
  }

  @recoverable()
  static async make(base: string): Promise<Downloads> {
    return new this(base);
  }
}

const one = await Downloads.make('one/');
const result: string = await one.fetch('a', 2);
strictEqual(result, 'one/aone/a');
const two = new Downloads('two/');
deepStrictEqual(await two.keep('a'), { calls: 3, path: 'two/a' });
deepStrictEqual(await two.keep('a'), { calls: 3, path: 'two/a' });
strictEqual(one.fetch.name, 'fetch');
console.log('decorated');
`;

/** Fetches ten parts, and lets itself be killed at the fifth of the first life and the eighth of the second. */
const download = `
import { appendFileSync } from 'node:fs';
import { effectContext } from 'rewake';
import { recoverable } from 'rewake/machines';
import { sqliteLog } from 'rewake/sqlite';

const life = Number(process.argv[2]);
const fetchParts = recoverable({ persistence: sqliteLog({ app: 'parts' }), key: (url: string) => url, initialDelay: 1 })(
  async function fetchParts(url: string): Promise<number> {
    const context = effectContext()!;
    const first = (context.checkpoint as number | undefined) ?? 0;
    for (let part = first; part < 10; part++) {
      appendFileSync('fetched', part + ' ');
      await context.progress(part + 1);
      if ((life === 1 && part === 4) || (life === 2 && part === 7)) {
        process.kill(process.pid, 'SIGKILL');
        await new Promise(() => {});
      }
    }
    return first;
  },
);
if (life === 2) await fetchParts.resume();
console.log(await fetchParts('https://example.org/model'));
await fetchParts.close();
`;

describe('a program', () => {
  const workshop = new DocWorkshop();
  const programs = [program('decorated', decorated), program('download', download)] as const;

  beforeAll(() => workshop.installPackage());
  afterAll(() => workshop.remove());

  // Classes of a decorated program have constructors with parameter properties.
  it.each([
    ["the standard's", {}],
    ["TypeScript's older", { experimentalDecorators: true }],
  ])('decorates methods in the way of %s decorators', async (_, options) => {
    const errors = await workshop.compile(programs, { erasableSyntaxOnly: false, ...options });
    expect([...errors.values()]).toEqual([]);
    expect(await workshop.run(programs[0])).toMatchObject({ code: 0, output: 'decorated\n' });
  });

  it('that is killed in the middle of a call goes on with it when it makes the call again, or resumes', async () => {
    await workshop.compile(programs, { erasableSyntaxOnly: false });
    const folder = testFolder();
    const live = async (life: number) => {
      const child = spawn(process.execPath, [workshop.scriptOf(programs[1]), String(life)], {
        cwd: folder,
        env: { ...process.env, XDG_DATA_HOME: folder, LOCALAPPDATA: folder, HOME: folder },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
      const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
      return { said, code, signal };
    };
    expect(await live(1)).toMatchObject({ signal: 'SIGKILL' });
    expect(await live(2)).toMatchObject({ signal: 'SIGKILL' });
    expect(await live(3)).toEqual({ said: '8\n', code: 0, signal: null });
    expect(readFileSync(join(folder, 'fetched'), 'utf8')).toBe('0 1 2 3 4 5 6 7 8 9 ');
    expect(await live(4)).toEqual({ said: '8\n', code: 0, signal: null });
    expect(readFileSync(join(folder, 'fetched'), 'utf8')).toBe('0 1 2 3 4 5 6 7 8 9 ');
    if (process.platform === 'linux') expect(existsSync(join(folder, 'parts', 'parts.db'))).toBe(true);
  });
});
