/** Commands that change an actor: rehearsed, agreed to, done, and nothing of it run here (CH1 to CH3). */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sqliteLog } from 'rewake/sqlite';
import { call, installation, records, type Project } from './command-line.ts';

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

  it('is what an explanation advises, while no host runs', async () => {
    const project = await withOrder();
    const advised = await project.run(['explain', 'app.db', 'order-1']);
    expect(advised.err).toBe('$ rewake send app.db order-1 PAY\n');
    const host = project.start(['run']);
    await host.until(/Ready/);
    expect((await project.run(['explain', 'app.db', 'order-1'])).err).toBe('');
    expect((await host.signal('SIGTERM')).code).toBe(0);
  });

  it('takes data as JSON, also from stdin, and a message once', async () => {
    const project = await withOrder();
    const piped = ['send', 'app.db', 'order-1', 'NOTE', '--data', '-', '--message-id', 'm1', '--yes', '--json'];
    const first = await project.run(piped, '{"text":"hello"}');
    expect(records(first.out)).toMatchObject([
      {
        type: 'appended',
        stream: 'order-1',
        revision: 1,
        data: { event: { type: 'NOTE', text: 'hello' }, messageId: 'm1' },
      },
    ]);
    expect(await project.run(piped, '{"text":"hello"}')).toEqual({
      ...{ code: 0, out: '' },
      err: "order-1 has seen the message 'm1' already. Nothing was written.\n",
    });
    expect(await typesOf(project)).toEqual(['ActorStarted', 'EventReceived']);
  });

  it('refuses what is wrong, says why, and writes nothing', async () => {
    const project = await withOrder();
    const large = JSON.stringify({ text: 'x'.repeat(9 * 2 ** 20) });
    const refused: readonly (readonly [argv: readonly string[], code: number, err: unknown, stdin?: string])[] = [
      [
        ['send', 'app.db', 'order-1', 'PAY', '--data', '{amount:3}', '--yes'],
        2,
        expect.stringMatching(/^rewake: --data: expected JSON, found "{amount:3}": Expected property name .*\.\n$/),
      ],
      [
        ['send', 'app.db', 'order-1', 'PAY', '--data', '3', '--yes'],
        2,
        `rewake: --data: expected a JSON object such as '{"amount":3}', found 3.\n`,
      ],
      [
        ['send', 'app.db', 'order-1', 'PAY', '--data', '{"type":"PAYED"}', '--yes'],
        2,
        `rewake: --data: its type is "PAYED", and the event is to be 'PAY'. Leave it out of the data.\n`,
      ],
      [
        ['send', 'app.db', 'order-2', 'PAY', '--yes'],
        3,
        "rewake: Nothing found under stream 'order-2'. Did you mean 'order-1'? 'rewake ls' lists what is in SQLite log 'app.db'.\n",
      ],
      [
        ['send', 'app.db', 'order-1', 'PAY'],
        2,
        'Would append:\n  order-1 1  EventReceived PAY; / is in paying; begins charge (/charge:1)\n' +
          '  order-1 2  EffectProgressed of /charge:1: left to the next host\n' +
          'rewake: Send PAY to order-1? Nobody can be asked here: say --yes, or look with --dry-run what would be done.\n',
      ],
      [
        ['send', 'app.db', 'order-1', 'NOTE', '--data', '-', '--yes'],
        1,
        "rewake: Event 'EventReceived' for stream 'order-1' is 9437226 bytes; this log takes at most 8388608. Nothing was written. " +
          'Store the payload elsewhere and log a reference to it.\n',
        large,
      ],
      [
        ['rewind', 'app.db', 'order-1', '7', '--yes'],
        2,
        "rewake: rewind('order-1', { to }): expected a revision of the stream, from 0 to 0, found 7.\n",
      ],
      [
        ['fork', 'app.db', 'order-1', '--yes'],
        2,
        "rewake: fork: --id is missing. The copy is an actor of its own: give it an id, as in '--id 42-again'.\n",
      ],
    ];
    for (const [argv, code, err, stdin] of refused) {
      expect(await call(project.folder, argv, stdin)).toEqual({ code, out: '', err });
    }
    expect(await typesOf(project)).toEqual(['ActorStarted']);
  }, 60_000);

  it('names the config where it does not know the machine', async () => {
    const project = await withOrder();
    project.write('other.config.ts', 'export default { machines: {} };');
    const without = await project.run(['send', 'app.db', 'order-1', 'PAY', '--yes', '--config', 'other.config.ts']);
    expect(without).toEqual({
      ...{ code: 1, out: '' },
      err:
        "rewake: No machine 'order' is registered (needed by stream 'order-1'). Registered: none. " +
        `Add it to 'machines' in '${project.path('other.config.ts')}'.\n`,
    });
  });

  it('takes nothing away from a host that runs', async () => {
    const project = await withOrder();
    const host = project.start(['run', '--json']);
    await host.until(/"ready"/);
    const { host: name } = records(host.out)[0] as { host: string };
    for (const argv of [
      ['send', 'app.db', 'order-1', 'PAY'],
      ['stop', 'app.db', 'order-1'],
      ['repair', 'app.db'],
    ]) {
      const said = await project.run([...argv, '--yes']);
      expect(said.code).toBe(5);
      expect(said.err).toContain(`SQLite log 'app.db' is owned by another running host (${name}/`);
      expect(said.err).toContain(
        'Nothing was written. Ask that host, which is the one to run its actors, or stop it and try again.',
      );
    }
    expect((await host.signal('SIGTERM')).code).toBe(0);
    expect(await typesOf(project)).toEqual(['ActorStarted']);
  }, 60_000);
});

describe('what ends and goes on', () => {
  it('stops, refuses what comes after, and goes back', async () => {
    const project = await withOrder();
    const run = async (...argv: string[]) => project.run([...argv, '--yes']);
    expect(await run('stop', 'app.db', 'order-1', '--reason', 'a test')).toMatchObject({
      out: '  order-1 1  ActorStopped: a test; / is stopped in open\n',
    });
    expect((await run('stop', 'app.db', 'order-1')).err).toBe('order-1 has ended already. Nothing was written.\n');
    const late = await run('send', 'app.db', 'order-1', 'PAY');
    expect(late.code).toBe(5);
    expect(late.err).toContain(
      "Event 'PAY' of actor 'order-1' came to nothing: the actor has ended with status 'stopped'.",
    );
    expect((await run('rewind', 'app.db', 'order-1', '0')).out).toBe(
      '  order-1 2  ActorRebased: rewound to revision 0\n',
    );
    expect((await run('resume', 'app.db', 'order-1')).err).toBe(
      'order-1 has not ended with an error: there is nothing to resume. Nothing was written.\n',
    );
    expect((await run('send', 'app.db', 'order-1', 'PAY')).code).toBe(0);
  }, 60_000);

  it('forks, with another past where a file says so', async () => {
    const project = await withOrder();
    await project.run(['send', 'app.db', 'order-1', 'PAY', '--yes']);
    const plain = await project.run(['fork', 'app.db', 'order-1', '--at', '0', '--id', 'plain', '--yes']);
    expect(plain.out).toBe('  order-plain 0  ActorStarted; / is in open\n');
    project.write('edits.json', '[{ "edit": "replace", "revision": 1, "with": { "event": { "type": "NOTE" } } }]');
    const edited = await project.run(['fork', 'app.db', 'order-1', '--id', 'noted', '--edit', 'edits.json', '--yes']);
    expect(edited.out).toBe(
      '  order-noted 0  ActorStarted; / is in open\n  order-noted 1  EventReceived NOTE; it changes nothing: no state takes it now\n',
    );
    project.write('wrong.json', '[{ "edit": "swap" }]');
    expect(await project.run(['fork', 'app.db', 'order-1', '--id', 'x', '--edit', 'wrong.json', '--yes'])).toEqual({
      ...{ code: 2, out: '' },
      err: `rewake: 'wrong.json', edit 1: expected "edit" to be one of drop, replace, insert, move, found {"edit":"swap"}.\n`,
    });
    const again = await project.run(['fork', 'app.db', 'order-1', '--id', '1', '--yes']);
    expect([again.code, again.err]).toEqual([5, expect.stringContaining("Actor 'order-1' exists already")]);
  }, 60_000);

  it('shows two pasts beside each other, and writes nothing', async () => {
    const project = await withOrder();
    await project.run(['send', 'app.db', 'order-1', 'PAY', '--yes']);
    const before = await typesOf(project);
    project.write('edits.json', '[{ "edit": "insert", "after": 0, "event": { "type": "BREAK" } }]');
    const argv = ['fork', 'app.db', 'order-1', '--what-if', '--edit', 'edits.json'];
    const said = await call(project.folder, argv);
    expect(said).toMatchObject({ code: 0, err: '' });
    expect(said.out).toContain('AS IT WAS');
    expect(said.out).toMatch(/≠ +│ +1 +BREAK +broken\n/);
    expect(said.out).toContain('Reaches nobody any more: revision 2.');
    const paid = await call(project.folder, [
      'fork',
      'app.db',
      'order-1',
      '--what-if',
      '--quiet',
      '--stub',
      'charge="r7"',
      '--json',
    ]);
    expect(records(paid.out).at(-1)).toMatchObject({ type: 'whatIf', stream: 'order-1', unanswered: [] });
    expect(records(paid.out).at(-2)).toMatchObject({ type: 'pair', original: null, differs: true });
    expect(await typesOf(project)).toEqual(before);
    const written = ['fork', 'app.db', 'order-1', '--id', 'x', '--edit', 'edits.json', '--dry-run'];
    expect(await call(project.folder, written)).toEqual({
      ...{ code: 2, out: '' },
      err: "rewake: fork('order-1'): edits[0]: an event can be put in or moved only in memory. Ask what if, as 'rewake fork --what-if' does, or leave out the edit 'insert'.\n",
    });
    project.write('edits.json', '[{ "edit": "drop", "revision": 1 }]');
    // It would be a copy without the edit.
    expect((await call(project.folder, [...written, '--at', '0'])).err).toBe(
      "rewake: fork('order-1'): edits[0].revision: expected the revision of a stimulus from 0 to 0, found 1.\n",
    );
    expect((await call(project.folder, [...argv, '--id', 'x'])).err).toBe(
      'rewake: --what-if writes no copy: leave --id, --at and --dry-run out, or --what-if.\n',
    );
  }, 60_000);
});
