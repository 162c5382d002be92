/** Commands that change an actor: rehearsed, agreed to, done, and nothing of it run here (CH1 to CH3). */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sqliteLog } from 'rewake/sqlite';
import { installation, records, type Project } from './command-line.ts';

const installed = installation();

/** An order whose charge and whose telling leave lines in files. */
const config = `
import { appendFileSync } from 'node:fs';
import { effect } from 'rewake';
import { defineConfig } from 'rewake/config';
import { setup } from 'xstate';

const charge = effect(async ({ context }) => {
  appendFileSync('charged.txt', 'restarts ' + context.restarts + '\\n');
  return 'receipt';
}, { onLost: 'fail' });

const order = setup({
  actors: { charge },
  actions: { tell: () => appendFileSync('told.txt', 'told\\n') },
}).createMachine({
  id: 'order',
  initial: 'open',
  states: {
    open: { on: { PAY: { target: 'paying', actions: 'tell' }, BREAK: 'broken' } },
    paying: { invoke: { id: 'charge', src: 'charge', onDone: 'paid' } },
    paid: { type: 'final' },
    broken: { entry: () => { throw new Error('broken'); } },
  },
});

export default defineConfig({
  log: 'app.db',
  machines: { order },
  onStart: async (runtime) => void (await runtime.start('order', { id: '1' })),
});
`;

/** A project in which order-1 is open, and no host runs. */
async function withOrder(): Promise<Project> {
  const project = installed.project(config);
  const host = project.start(['run']);
  await host.until(/order-1/);
  expect((await host.signal('SIGTERM')).code).toBe(0);
  return project;
}

async function typesOf(project: Project, stream = 'order-1'): Promise<string[]> {
  await using log = sqliteLog(project.path('app.db'), { readOnly: true });
  const types: string[] = [];
  for await (const { type } of log.readStream(stream)) types.push(type);
  return types;
}

describe('rewake send', () => {
  it('records the event and runs nothing of what it begins: the next host does, once and for the first time', async () => {
    const project = await withOrder();
    const said = await project.run(['send', 'app.db', 'order-1', 'PAY', '--yes']);
    expect(said).toMatchObject({ code: 0, err: '' });
    expect(said.out).toBe(
      '  order-1 1  EventReceived PAY; / is in paying; begins charge (/charge:1)\n' +
        '  order-1 2  EffectProgressed of /charge:1: left to the next host\n',
    );
    expect([existsSync(project.path('charged.txt')), project.read('told.txt')]).toEqual([false, 'told\n']);
    const host = project.start(['run']);
    await host.until(/Ready/);
    await expect.poll(() => existsSync(project.path('charged.txt'))).toBe(true);
    await host.signal('SIGTERM');
    expect([project.read('charged.txt'), project.read('told.txt')]).toEqual(['restarts 0\n', 'told\n']);
  });

  it('says with --dry-run what it would append, and appends nothing', async () => {
    const project = await withOrder();
    const said = await project.run(['send', 'app.db', 'order-1', 'PAY', '--dry-run']);
    expect(said).toEqual({
      code: 0,
      err: '',
      out:
        'Would append:\n' +
        '  order-1 1  EventReceived PAY; / is in paying; begins charge (/charge:1)\n' +
        '  order-1 2  EffectProgressed of /charge:1: left to the next host\n' +
        'Would run here: custom action tell of / in order-1\n',
    });
    expect(await typesOf(project)).toEqual(['ActorStarted']);
    expect([existsSync(project.path('charged.txt')), existsSync(project.path('told.txt'))]).toEqual([false, false]);
    const json = await project.run(['send', 'app.db', 'order-1', 'PAY', '--dry-run', '--json']);
    expect(records(json.out).map(({ v, type, eventType, action }) => [v, type, eventType ?? action])).toEqual([
      [1, 'planned', 'EventReceived'],
      [1, 'planned', 'EffectProgressed'],
      [1, 'action', 'tell'],
    ]);
  });
});
