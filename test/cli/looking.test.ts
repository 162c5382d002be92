/** Commands that look into a log: what they say of one, and what they end with. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, emptyFolder, records, type Said } from './command-line.ts';
import { shop, strangeStream } from './shop-log.ts';

const { folder } = shop();

function look(...argv: readonly string[]): Promise<Said> {
  return call(folder, argv);
}

/** Lines without the part that says how long ago something was. */
function lines({ out }: Said): string[] {
  return out.split('\n').map((line) => line.replace(/\s+\d+ (?:d|h|min|s|ms).* ago.*$/, ''));
}

describe('rewake ls', () => {
  it('lists the actors, what each waits for and what it belongs to', async () => {
    const said = await look('ls', 'app.db');
    expect(said).toMatchObject({ code: 0, err: '' });
    // How long ago something was is as long as that.
    const columns = said.out.split('\n').map((line) => line.replace(/timer due .*? ago/, 'timer').split(/ {2,}/));
    expect(columns).toEqual([
      ['STREAM', 'STATUS', 'REV', 'WAITS', 'CORRELATION'],
      ['breaker-api', '● active', '3', 'call-of-may'],
      ['call-1', '✗ error', '23', 'call-of-may'],
      ['order-1', '✓ done', '6', 'cart-1'],
      ['order-2', '● active', '2', 'timer', 'cart-2'],
      ['order-3', '✗ error', '4', 'cart-3'],
      [strangeStream, '● active', '0', 'timer', 'cart-4'],
      [''],
    ]);
    const starts = said.out
      .split('\n')
      .slice(0, 7)
      .map((line) => line.search(/CORRELATION|call-of-may|cart-\d/));
    expect(new Set(starts).size).toBe(1);
  });

  it.each<readonly [readonly string[], readonly string[]]>([
    [['--failed'], ['call-1', 'order-3']],
    [['--failed', '--not-machine', 'call'], ['order-3']],
    [
      ['-m', 'order', 'breaker', '-s', 'active'],
      ['breaker-api', 'order-2', strangeStream],
    ],
    [
      ['--not-status', 'active', 'done'],
      ['call-1', 'order-3'],
    ],
    [['--waiting'], ['order-2', strangeStream]],
    [['-c', 'cart-3'], ['order-3']],
    [
      ['--match', '^order-[0-9]', '--not-match', '2$'],
      ['order-1', 'order-3'],
    ],
    [
      ['-m', 'order', '-n', '2'],
      ['order-1', 'order-2'],
    ],
  ])('filters by %j', async (filters, streams) => {
    const said = await look('ls', 'app.db', '--json', ...filters);
    expect(records(said.out).map(({ stream }) => stream)).toEqual(streams);
  });

  it('says that there are more, and that there is none', async () => {
    expect((await look('ls', 'app.db', '-n', '1')).err).toBe('There are more than 1.\n');
    expect(await look('ls', 'app.db', '-m', 'nobody')).toEqual({ code: 0, out: '', err: 'No actor is like that.\n' });
  });
});

describe('rewake show', () => {
  it('shows state, tree, context and last events, without any code', async () => {
    const said = await look('show', 'app.db', 'order-1');
    expect(said).toMatchObject({ code: 0, err: '' });
    expect(lines(said)).toEqual([
      'order-1  paid ✓ done',
      '  machine      order  without its code',
      '  revision     6',
      '  last moved   2026-05-04 10:00:02.500',
      '  correlation  cart-1',
      '',
      'Actors',
      '  /  paid  ✓ done',
      '  └─ charge:1  effect charge  ✓ done',
      '',
      'Context',
      '  { "total": 5, "receipt": "receipt for 5" }',
      '',
      'Last events',
      '    0  2026-05-04 10:00:00.000  started                 open                sets after patience',
      '    1  +0 ms                    ADD                                         ItemAdded',
      '    3  +1 s                     ADD                                         ItemAdded',
      '    5  +1 s                     PAY                     paying              begins charge',
      '    6  +0 ms                    charge done             paid ✓ done',
      '',
    ]);
  });

  it('shows any revision: what happened there, and how it stood', async () => {
    const said = await look('show', 'app.db', 'order-1', '--at', '4');
    expect(lines(said)).toEqual([
      'order-1  revision 3-4 of 6  ADD',
      '  time      2026-05-04 10:00:01.000',
      '  with      { "type": "ADD", "price": 3 }',
      '  moved     / → open',
      '  told      ItemAdded by / {"type":"ItemAdded","price":3}',
      '  changed   ~ /total  2 → 5',
      '',
      'Actors',
      '  /  open',
      '',
      'Context',
      '  { "total": 5, "receipt": null }',
      '',
      'Timers',
      '  after patience  2026-05-04 11:00:00.000',
      '',
    ]);
  });

  it('shows contexts of others when they are asked for', async () => {
    const one = await look('show', 'app.db', 'call-1', '--at', '2', '--actor', '/call:1');
    expect(one.out).toContain('Context of /call:1\n');
    expect(one.out).not.toContain('\nContext\n');
    const all = await look('show', 'app.db', 'call-1', '--at', '2', '--contexts');
    expect(all.out).toContain('\nContext\n');
    expect(all.out).toContain('Context of /call:1\n');
    const none = await look('show', 'app.db', 'call-1', '--at', '2', '--actor', '/nobody:7');
    expect(none).toMatchObject({ code: 2 });
    expect(none.err).toBe(
      "rewake: --actor: there is no '/nobody:7' in the tree. There is /, /call:1, /call:1/0.api.attempting:3.\n",
    );
  });

  it('gives the event as it is on record', async () => {
    const { out } = await look('show', 'app.db', 'order-1', '--raw', '1', '--json');
    expect(records(out)).toEqual([
      expect.objectContaining({
        ...{ v: 1, type: 'event', eventType: 'EventReceived', stream: 'order-1', revision: 1 },
        data: expect.objectContaining({ event: { type: 'ADD', price: 2 }, to: '/' }) as unknown,
      }),
    ]);
  });

  it('gives the chart as Mermaid text, the active states marked', async () => {
    const { out } = await look('show', 'app.db', 'order-2', '--chart');
    expect(out.split('\n')).toEqual([
      'stateDiagram-v2',
      '  %% order',
      '  [*] --> s_order_open',
      '  state "open" as s_order_open',
      '  s_order_open --> s_order_open: ADD / addUp, tellItem',
      '  s_order_open --> s_order_paying: PAY',
      '  s_order_open --> s_order_abandoned: after patience',
      '  state "paying (charge)" as s_order_paying',
      '  s_order_paying --> s_order_paid: charge done / keepReceipt',
      '  state "paid" as s_order_paid',
      '  s_order_paid --> [*]',
      '  state "abandoned" as s_order_abandoned',
      '  s_order_abandoned --> [*]',
      '  classDef active fill:#2563eb,color:#ffffff',
      '  class s_order_open active',
      '',
    ]);
  });

  it('takes a name with odd characters', async () => {
    const said = await look('show', 'app.db', strangeStream);
    expect(said.code).toBe(0);
    expect(said.out.split('\n')[0]).toBe(`${strangeStream}  open`);
  });
});

describe('rewake replay', () => {
  it('walks frame by frame, with what changed', async () => {
    const said = await look('replay', 'app.db', 'order-1', '--diff');
    expect(said).toMatchObject({ code: 0, err: '' });
    expect(said.out.split('\n')).toEqual([
      '  REV  TIME (UTC)               EVENT                   STATE',
      '    0  2026-05-04 10:00:00.000  started                 open                sets after patience',
      '       + context  {"total":0,"receipt":null}',
      '    1  +0 ms                    ADD                                         ItemAdded',
      '       ~ /total  0 → 2',
      '    3  +1 s                     ADD                                         ItemAdded',
      '       ~ /total  2 → 5',
      '    5  +1 s                     PAY                     paying              begins charge',
      '    6  +0 ms                    charge done             paid ✓ done',
      '       ~ /receipt  null → "receipt for 5"',
      '',
    ]);
  });

  it('walks a stretch, and up to where something holds', async () => {
    const revisions = async (...argv: readonly string[]) => {
      const said = await look('replay', 'app.db', 'order-1', '--json', ...argv);
      return [said.code, records(said.out).map(({ revision }) => revision)];
    };
    expect(await revisions('--from', '3', '--to', '5')).toEqual([0, [3, 5]]);
    expect(await revisions('--until', 'context.total > 4')).toEqual([0, [0, 1, 3]]);
    expect(await revisions('--until', "facts.includes('Nothing')")).toEqual([3, [0, 1, 3, 5, 6]]);
  });
});

describe('rewake diff', () => {
  it('compares two revisions', async () => {
    const { out } = await look('diff', 'app.db', 'order-1', '1', '6');
    expect(out.split('\n')).toEqual([
      'order-1 at 1 → 6',
      '  /  open → paid  active → done',
      '    ~ /total  2 → 5',
      '    ~ /receipt  null → "receipt for 5"',
      '  + /charge:1',
      '',
    ]);
  });

  it('compares two actors, and says that there is no difference', async () => {
    const { out } = await look('diff', 'app.db', 'order-2', '2', '--with', 'order-1', '--json');
    expect(records(out)).toEqual([
      expect.objectContaining({ type: 'diff', stream: 'order-2', from: 1, with: 'order-1', to: 6 }),
    ]);
    const same = await look('diff', 'app.db', 'order-2', '1', '2');
    expect(same).toEqual({ code: 0, err: '', out: 'order-2 at 1 → 1\n  No difference.\n' });
  });

  it('shows what the last event changed', async () => {
    const { out } = await look('diff', 'app.db', 'order-1');
    expect(out).toContain('order-1 at 5 → 6\n');
    expect(out).toContain('~ /receipt  null → "receipt for 5"');
  });
});

describe('rewake blame', () => {
  it('names the event that set a value, what led to it, and who set it before', async () => {
    const said = await look('blame', 'app.db', 'order-1', '/context/receipt');
    expect(lines(said)).toEqual([
      '/context/receipt at revision 6 is "receipt for 5"',
      '',
      'set by     order-1 6  charge done  2026-05-04 10:00:02.500,',
      '           null → "receipt for 5"',
      'caused by  order-1 5  PAY  2026-05-04 10:00:02.500,',
      '',
      'before     order-1 0  started  2026-05-04 10:00:00.000,',
      '',
    ]);
  });

  it('says what there is where nothing is', async () => {
    const said = await look('blame', 'app.db', 'order-1', '/context/totl');
    expect(said).toEqual({
      ...{ code: 3, out: '' },
      err: "Nothing has set '/context/totl' of order-1 up to revision 6. Did you mean 'total'?\n",
    });
    const other = await look('blame', 'app.db', 'order-1', '/context/total', '--actor', '/pay:9');
    expect(other.err).toContain('It has no such actor; there are /, /charge:1.');
  });
});

describe('rewake explain', () => {
  it('says why an actor stands where it stands, and which commands would help', async () => {
    const said = await look('explain', 'app.db', 'order-3');
    expect(said.code).toBe(0);
    expect(said.out).toContain('Error: nothing to charge.');
    expect(said.out).toContain("Next: once the cause is gone, try 'rewake resume order-3': it goes on");
    expect(said.out).not.toContain('runtime.');
    expect(said.err).toBe('$ rewake resume app.db order-3\n$ rewake rewind app.db order-3 3\n');
    const [record] = records((await look('explain', 'app.db', 'order-3', '--json')).out);
    expect(record).toMatchObject({ v: 1, type: 'explanation', stream: 'order-3', status: 'error' });
  });
});

describe('rewake capture', () => {
  it('says what the test lacks: machines, and an effect that is called as --live says', async () => {
    const said = await look('capture', 'app.db', 'order-3', '--live', 'chrage');
    expect(said.code).toBe(0);
    expect(said.out).toContain("import config from './rewake.config.ts';");
    expect(said.err.split('\n')).toEqual([
      "--live: no effect of the story is called 'chrage' or is in an actor with that id: it ran 'charge'.",
      'There is no rewake.config.ts here or above, and the test imports the machines from one: write it, or name with --machines the module that exports them.',
      '',
    ]);
    // By the name of its logic, and by the id of an actor above it.
    for (const [stream, name] of [
      ['order-3', 'charge'],
      ['call-1', 'askBreaker'],
      ['call-1', 'call'],
    ] as const) {
      const named = await look('capture', 'app.db', stream, '--live', name, '--machines', 'm.ts');
      expect(named).toMatchObject({ code: 0, err: '' });
    }
  });

  it('tells the story up to a revision, by machines and to an end that are named', async () => {
    const { out } = await call(folder, ['capture', 'app.db', 'order-1']);
    const line = ['capture', 'app.db', 'order-1', '--at', '1', '--expect', 'success'];
    const named = await call(folder, [...line, '--machines', 'shop/machines.ts', '--name', 'shop']);
    expect(named.code).toBe(0);
    expect(out).toContain("from './rewake.config.ts'");
    expect(named.out).toMatch(/import \{ shop\b.*\} from '\.\/shop\/machines\.ts'/);
    expect([out.includes('PAY'), named.out.includes('PAY')]).toEqual([true, false]);
    expect([out.includes('does not fail'), named.out.includes("'success'")]).toEqual([false, true]);
  });

  it('writes over no file unless it is told to', async () => {
    const copy = emptyFolder();
    writeFileSync(join(copy, 'a.test.ts'), 'mine');
    const argv = ['capture', join(folder, 'app.db'), 'order-1', '-o', 'a.test.ts'];
    expect(await call(copy, argv)).toEqual({
      ...{ code: 2, out: '' },
      err: "rewake: There is a file 'a.test.ts' already. Nothing was written. Give --force to write over it.\n",
    });
    expect(readFileSync(join(copy, 'a.test.ts'), 'utf8')).toBe('mine');
    expect((await call(copy, [...argv, '--force'])).code).toBe(0);
    expect(readFileSync(join(copy, 'a.test.ts'), 'utf8')).toContain('vitest');
  });
});

describe('rewake explain, of what waits for a host or a person', () => {
  it('names the command that hosts where nobody does, and no function of the library', async () => {
    const overdue = await look('explain', 'app.db', 'order-2');
    expect(overdue.out).toContain("Next: start a host on this log, 'rewake run': it takes up effects");
    expect(overdue.err).toBe('$ rewake run app.db\n');
    const { out } = await look('explain', 'app.db', 'breaker-api');
    expect(out).toContain('; which ones, this command says where rewake.config.ts has its machine.');
  });
});

describe('rewake trace', () => {
  it('draws what one cause set off across streams', async () => {
    const said = await look('trace', 'app.db', 'call-of-may', '--no-facts');
    expect(said.out.split('\n').slice(0, 12)).toEqual([
      'call-of-may  28 events in 2 streams, from 2026-05-04 10:00:03.500',
      '',
      'call-1                  0  +0 ms         started',
      '├─ breaker-api          0  +0 ms         started',
      '└─ call-1               1  +0 ms         askBreaker done',
      '   ├─ breaker-api       1  +0 ms         outcome.reported',
      '   └─ call-1            2  +0 ms         call failed',
      '      call-1            5  +1 min        after backoff',
      '      call-1            6  +1 min        askBreaker done',
      '      ├─ breaker-api    2  +1 min        outcome.reported',
      '      └─ call-1         7  +1 min        call failed',
      '         call-1        11  +1 min        call done',
    ]);
    expect((await look('trace', 'app.db', 'call-of-may')).out).toContain('· CircuitOpened');
  });

  it('helps whoever gives a stream instead of a correlation', async () => {
    const said = await look('trace', 'app.db', 'order-1');
    expect(said).toMatchObject({ code: 3, out: '' });
    expect(said.err).toBe(
      "Nothing on the log has the correlation 'order-1'. It is a stream; its correlation is 'cart-1'.\n",
    );
  });
});

describe('what projections say', () => {
  it('lists handlers, metrics and breakers', async () => {
    const handlers = await look('handlers', 'app.db', 'call-1');
    expect(handlers.out.split('\n').slice(0, 3)).toEqual([
      'REV  TIME (UTC)               OF            ERROR                    HANDLER    OUTCOME',
      ' 10  2026-05-04 10:01:03.500  step handled  RecoveryExhaustedError   mend       ✓ completed: retry',
      ' 15  2026-05-04 10:01:03.500  step handled  CircuitBreakerOpenError  mend (2.)  ✓ completed: retry',
    ]);
    expect((await look('metrics', 'app.db')).out).toBe(
      'STEP  RUNS  OK  FAILED  RATE  RETRIED  FALLBACK  RECOVERED\n' +
        'api      3   0       3    0%        1         0          0\n',
    );
    const breakers = await look('breakers', 'app.db', '--open', '--json');
    expect(records(breakers.out)).toEqual([
      expect.objectContaining({ type: 'breaker', key: 'api', state: 'open', opened: 1, rejected: 2 }),
    ]);
  });
});

describe('rewake verify', () => {
  it('finds nothing wrong with a sound log, or with one stream of it', async () => {
    expect(await look('verify', 'app.db')).toEqual({
      code: 0,
      err: '',
      out: '✓ 6 streams, 44 events: nothing is wrong.\n',
    });
    expect((await look('verify', 'app.db', 'order-1')).out).toBe('✓ 1 stream, 7 events: nothing is wrong.\n');
  });
});

describe('an exported file', () => {
  it('is looked into like the log it is from, also on stdin', async () => {
    const { out: exported } = await call(folder, ['export', 'app.db']);
    const [fromLog, fromFile] = [
      await call(folder, ['show', 'app.db', 'order-1', '--json']),
      await call(folder, ['show', '-', 'order-1', '--json'], exported),
    ];
    expect(fromFile).toEqual(fromLog);
    expect((await call(folder, ['verify', '-'], exported)).code).toBe(0);
  });
});
