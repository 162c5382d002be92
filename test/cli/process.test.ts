/** The command as a process: with the code of a project, before pipes that end, and under signals. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createRuntime, VirtualClock } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import { sealEvent } from '../../src/log/envelope.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { emptyFolder, installation, Project, records } from './command-line.ts';
import { beganAt, order, shop } from './shop-log.ts';

const installed = installation();
const { folder } = shop();
const exec = promisify(execFile);

/** A light whose first state, and what follows it, may be called otherwise. */
function lightConfig(state: string): string {
  return `
import { defineConfig } from 'rewake/config';
import { setup } from 'xstate';

const light = setup({}).createMachine({
  id: 'light',
  context: { count: 0 },
  initial: '${state}',
  states: { ${state}: { on: { GO: 'on' } }, on: {} },
});

export default defineConfig({
  log: 'app.db',
  machines: { light },
  onStart: async (runtime) => {
    await runtime.start('light', { id: '1' });
    await runtime.send('light-1', { type: 'GO' });
  },
});
`;
}

async function withLight(): Promise<Project> {
  const project = installed.project(lightConfig('off'));
  const host = project.start(['run']);
  await host.until(/light-1/);
  await host.signal('SIGTERM');
  return project;
}

describe('with the machines of a project', () => {
  it('states are made by code, the log is that of the config, and a deploy is let through', async () => {
    const project = await withLight();
    const said = await project.run(['show', 'light-1', '--json']);
    expect(said).toMatchObject({ code: 0, err: '' });
    expect(records(said.out).map(({ type, source }) => [type, source])).toEqual([
      ['stream', 'code'],
      ['frame', 'code'],
    ]);
    expect(await project.run(['check'])).toEqual({
      ...{ code: 0, err: '' },
      out: "✓ 1 stream of SQLite log 'app.db', 2 events read: 1 would go on, 0 would be blocked.\n",
    });
    const explained = await project.run(['explain', 'light-1']);
    expect(explained.out).toContain('is active');
  }, 60_000);

  it('says where other code goes another way, and stops its deploy', async () => {
    const project = await withLight();
    project.write('next.config.ts', lightConfig('dark'));
    const checked = await project.run(['check', '--config', 'next.config.ts']);
    expect(checked.code).toBe(4);
    expect(checked.out).toMatch(/^✗ 1 stream .*0 would go on, 1 would be blocked\.$/m);
    expect(checked.out).toMatch(/the first is light-1 at revision 0/);
    const replayed = await project.run(['replay', 'light-1', '--config', 'next.config.ts']);
    expect(replayed.code).toBe(4);
    expect(replayed.out).toMatch(/≠ the code at hand does something else: .*"to":"off".*"to":"dark"/);
    const [last] = records(
      (await project.run(['replay', 'light-1', '--config', 'next.config.ts', '--json'])).out,
    ).slice(-1);
    expect(last).toMatchObject({ revision: 1, source: 'log', actors: [{ address: '/', value: 'on' }] });
    const folded = await project.run(['verify', '--fold', '--config', 'next.config.ts']);
    expect(folded.code).toBe(4);
    expect((await project.run(['verify'])).code).toBe(0);
    const byLog = await project.run(['replay', 'light-1', '--config', 'next.config.ts', '--source', 'log']);
    expect(byLog.code).toBe(0);
  }, 60_000);

  it('a stream whose machine is not among them is looked at by its log', async () => {
    const project = installed.project(lightConfig('off'));
    copyFileSync(join(folder, 'app.db'), project.path('app.db'));
    const said = await project.run(['show', 'order-1']);
    expect(said.code).toBe(0);
    expect(said.out).toContain('machine      order  without its code\n');
  }, 60_000);
});

describe('the config', () => {
  const outside = () => new Project(emptyFolder(), join(installed.root, 'node_modules/rewake/dist/src/cli/main.js'));

  it('is found upwards, and has the package of the command where there is no other (CF2)', async () => {
    const project = outside();
    project.write(
      'rewake.config.mts',
      `import { defineConfig } from 'rewake/config';\nimport { now } from 'rewake';\nexport default defineConfig({ log: typeof now === 'function' ? 'app.db' : '' });\n`,
    );
    copyFileSync(join(folder, 'app.db'), project.path('app.db'));
    mkdirSync(project.path('deep/er'), { recursive: true });
    const below = new Project(
      project.path('deep/er'),
      join(installed.root, 'node_modules/rewake/dist/src/cli/main.js'),
    );
    const said = await below.run(['ls', '-c', 'cart-1', '--json']);
    expect(said).toMatchObject({ code: 0, err: '' });
    expect(records(said.out).map(({ stream }) => stream)).toEqual(['order-1']);
  }, 60_000);

  it.each([
    [
      'export default { machine: {} };',
      /^rewake: '.*rewake\.config\.ts' has 'machine', which is no part of a config: expected some of log, machines/,
    ],
    ['export default 7;', /^rewake: '.*rewake\.config\.ts' exports no config/],
    ['export default { log: 7 };', /'log' is to be a path or a URL, found number\.$/m],
    ['export default { machines: [] };', /'machines' is to be an object of machines by name, found a list\.$/m],
    ['export default { upcasters: 7 };', /'upcasters' is to be what defineUpcasters\(\) gives, found number\.$/m],
    ['export default { onStart: 7 };', /'onStart' is to be a function of the runtime, found number\.$/m],
    ['export default {', /^rewake: '.*rewake\.config\.ts' cannot be loaded: ParseError: /],
    ["throw new Error('a\\u001b[31mb');", /^rewake: '.*rewake\.config\.ts' cannot be loaded: a\\u001b\[31mb$/m],
    [
      "import './nowhere.ts';",
      /^rewake: '.*rewake\.config\.ts' cannot be loaded: Cannot find module '\.\/nowhere\.ts'/,
    ],
    ["throw new Error('not today');", /^rewake: '.*rewake\.config\.ts' cannot be loaded: not today$/m],
  ])(
    'is refused with what is wrong in it: %s',
    async (text, message) => {
      const project = outside();
      project.write('rewake.config.ts', text);
      const said = await project.run(['ls']);
      expect(said).toMatchObject({ code: 2, out: '' });
      expect(said.err).toMatch(message);
    },
    60_000,
  );
});

describe('a log of many actors', () => {
  it('is listed to its end, and no further than somebody reads', async () => {
    const project = installed.project('export default {};');
    await using log = sqliteLog(project.path('big.db'), { durability: 'process' });
    for (let from = 0; from < 20_000; from += 1_000) {
      await log.appendMany(
        Array.from({ length: 1_000 }, (_, at) => {
          const stream = `order-${String(from + at).padStart(6, '0')}`;
          const event = sealEvent({
            id: `id-${stream}`,
            type: 'Tested',
            schemaVersion: 1,
            data: '{}',
            meta: { actor: '/' },
          });
          const actor = {
            machine: 'order',
            version: null,
            status: 'active',
            correlationId: stream,
            wakeAt: null,
            effects: 0,
          } as const;
          return { stream, expected: 'no-stream', events: [event], actor } as const;
        }),
      );
    }
    const script = join(installed.root, 'node_modules/rewake/dist/src/cli/main.js');
    const { stdout, stderr } = await exec(
      'bash',
      ['-c', `'${process.execPath}' '${script}' ls big.db --json | head -1; echo "\${PIPESTATUS[*]}"`],
      { cwd: project.folder },
    );
    expect(stderr).toBe('');
    expect(stdout.split('\n').slice(1)).toEqual(['0 0', '']);
    expect(JSON.parse(stdout.split('\n')[0]!)).toMatchObject({ type: 'actor', stream: 'order-000000' });
    const all = await project.run(['ls', 'big.db', '--json']);
    expect(records(all.out)).toHaveLength(20_000);
  }, 60_000);
});

describe('rewake tail', () => {
  it('says what is appended, as it comes, until it is interrupted', async () => {
    const project = installed.project('export default {};');
    copyFileSync(join(folder, 'app.db'), project.path('app.db'));
    const all = project.start(['tail', 'app.db', '-n', '1', '--type', 'EventReceived', 'ItemAdded', '--json']);
    const one = project.start(['tail', 'app.db', 'order-2', '-n', '1', '--json']);
    // What was there before is told once it is known where that ends.
    await Promise.all([all.until(/EventReceived/), one.until(/ItemAdded/)]);
    await using log = sqliteLog(project.path('app.db'));
    const clock = new VirtualClock(beganAt + 600_000);
    const runtime = await createRuntime({
      log,
      clock,
      machines: { order },
      logger: silentLogger,
      resume: false,
      keepLogOpen: true,
    });
    await runtime.send('order-2', { type: 'ADD', price: 1 });
    await all.until(/"order-2"[^]*ItemAdded/);
    await one.until(/"revision":4/);
    await runtime.close();
    const [ended, endedToo] = [await all.signal('SIGINT'), await one.signal('SIGTERM')];
    expect([ended.code, endedToo.code]).toEqual([130, 143]);
    expect([ended.err, endedToo.err]).toEqual(['', '']);
    expect(records(ended.out)[1]).toMatchObject({
      v: 1,
      type: 'row',
      stream: 'order-2',
      eventType: 'EventReceived',
      label: 'ADD',
    });
    expect(
      records(endedToo.out)
        .slice(0, 3)
        .map(({ revision }) => revision),
    ).toEqual([2, 3, 4]);
  }, 60_000);
});
