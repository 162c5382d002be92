/** rewake run: a host that dies, ends in order, or does not come up (RN1, RN2). */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sqliteLog } from 'rewake/sqlite';
import { installation, records, type Project, type Running } from './command-line.ts';

const installed = installation();

/** A job that works until a file says that it may end. */
const config = `
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { effect } from 'rewake';
import { defineConfig } from 'rewake/config';
import { setup } from 'xstate';

const work = effect(async ({ context }) => {
  appendFileSync('works.txt', 'restarts ' + context.restarts + '\\n');
  while (!existsSync('may-end')) await setTimeout(20, undefined, { signal: context.signal });
  return 'worked';
});

const job = setup({ actors: { work } }).createMachine({
  id: 'job',
  initial: 'working',
  states: { working: { invoke: { id: 'work', src: 'work', onDone: 'done' } }, done: { type: 'final' } },
});

export default defineConfig({
  log: 'app.db',
  machines: { job },
  onStart: async (runtime) => void (await runtime.start('job', { id: '1' })),
});
`;

async function works(project: Project, host: Running, line: string): Promise<void> {
  await host.until(/Ready|"ready"/);
  await expect.poll(() => project.read('works.txt')).toContain(line);
}

async function typesOf(project: Project): Promise<string[]> {
  await using log = sqliteLog(project.path('app.db'), { readOnly: true });
  const types: string[] = [];
  for await (const { type } of log.readStream('job-1')) types.push(type);
  return types;
}

describe('rewake run', () => {
  it('goes on with the same actor after it was killed, and drains at the first signal', async () => {
    const project = installed.project(config);
    const first = project.start(['run']);
    await works(project, first, 'restarts 0');
    await first.signal('SIGKILL');
    const second = project.start(['run', '--json']);
    await works(project, second, 'restarts 1');
    expect(records(second.out).find(({ type }) => type === 'actor')).toMatchObject({
      stream: 'job-1',
      status: 'active',
      effects: 1,
    });
    second.child.kill('SIGTERM');
    await second.until(/"closing"/);
    project.write('may-end', '');
    const { code, out } = await second.ended;
    expect([code, records(out).map(({ type, state }) => state ?? type)]).toEqual([
      0,
      ['up', 'actor', 'ready', 'closing', 'closed'],
    ]);
    expect(await typesOf(project)).toEqual(['ActorStarted', 'ActorResumed', 'EffectSucceeded']);
  }, 60_000);

  it('cuts off what does not end in time, and ends at once at the second signal', async () => {
    const project = installed.project(config);
    const first = project.start(['run', '--drain', '50ms']);
    await works(project, first, 'restarts 0');
    expect(await first.signal('SIGINT')).toMatchObject({ code: 0, out: expect.stringContaining('Closed.') });
    expect(await typesOf(project)).toEqual(['ActorStarted', 'EffectProgressed']);
    const second = project.start(['run', '--drain', '1h']);
    await works(project, second, 'restarts 0\nrestarts 0');
    second.child.kill('SIGTERM');
    await second.until(/Closing/);
    expect((await second.signal('SIGTERM')).code).toBe(143);
    const third = project.start(['run']);
    await works(project, third, 'restarts 1');
  }, 60_000);

  it('answers on a port whether it lives and is ready, and says when the port is taken', async () => {
    const project = installed.project(config);
    const host = project.start(['run', '--health', '0', '--json', '--drain', '1h']);
    await host.until(/"ready"/);
    const { health } = records(host.out)[0] as { health: number };
    const ask = async (path: string) => (await fetch(`http://127.0.0.1:${health}${path}`)).status;
    expect([await ask('/livez'), await ask('/readyz'), await ask('/')]).toEqual([200, 200, 404]);
    host.child.kill('SIGTERM');
    await host.until(/"closing"/);
    expect([await ask('/livez'), await ask('/readyz')]).toEqual([200, 503]);
    project.write('may-end', '');
    await host.ended;
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    expect(await project.run(['run', '--health', `${port}`])).toEqual({
      ...{ code: 2, out: '' },
      err: `rewake: --health: port ${port} cannot be used: another process listens there. Give another one, or 0 for any that is free.\n`,
    });
  }, 60_000);

  it('does not come up beside another host, without machines, or with a start that fails', async () => {
    const project = installed.project(config);
    const host = project.start(['run']);
    await host.until(/Ready/);
    const beside = await project.run(['run']);
    expect([beside.code, beside.err]).toEqual([
      5,
      expect.stringContaining("SQLite log 'app.db' is owned by another running host"),
    ]);
    project.write('empty.config.mjs', 'export default {};');
    expect(await project.run(['run', 'other.db', '--config', 'empty.config.mjs'])).toEqual({
      ...{ code: 2, out: '' },
      err: `rewake: run: there is no machine to host: '${project.path('empty.config.mjs')}' names none. Export 'defineConfig({ machines: { … } })' from it.\n`,
    });
    project.write('failing.config.ts', config.replace("runtime.start('job', { id: '1' })", "runtime.get('job-9')"));
    const failing = await project.run(['run', 'other.db', '--config', 'failing.config.ts']);
    expect([failing.code, failing.err]).toEqual([3, expect.stringContaining("Nothing found under stream 'job-9'.")]);
  }, 60_000);
});
