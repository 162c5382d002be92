/** How the command says things: what is on stdout and stderr, in which colours, in how many columns. */
import { Readable } from 'node:stream';
import fc from 'fast-check';
import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import { chartOf } from '../../src/kernel/chart.ts';
import type { Json } from '../../src/log/json.ts';
import { commandLine } from '../../src/cli/command-line.ts';
import { jsonLines } from '../../src/cli/json-text.ts';
import { chartText } from '../../src/cli/mermaid.ts';
import { nearestTo } from '../../src/cli/nearest.ts';
import { patchLines } from '../../src/cli/patch-text.ts';
import { cut, ReaderLeft, shown, Terminal, widthOf, wrapped, type Io } from '../../src/cli/terminal.ts';
import { treeLines, type TreeNode } from '../../src/cli/tree-lines.ts';
import { order } from './shop-log.ts';

const plain = pc.createColors(false);
const colored = pc.createColors(true);

function terminalOf(given: Partial<Io> = {}, manner: Partial<ConstructorParameters<typeof Terminal>[1]> = {}) {
  const written = { out: '', err: '' };
  const io: Io = {
    stdin: Readable.from([]),
    stdout: { write: (text) => (written.out += text) },
    stderr: { write: (text) => (written.err += text) },
    env: {},
    cwd: '.',
    signal: new AbortController().signal,
    ...given,
  };
  const terminal = new Terminal(io, { json: false, color: true, yes: false, input: true, ...manner });
  return { terminal, written };
}

describe('a terminal', () => {
  const tty = { write: () => true, isTTY: true };

  it.each<readonly [what: string, env: Io['env'], output: Io['stdout'], color: boolean, isColored: boolean]>([
    ['no terminal', {}, { write: () => true }, true, false],
    ['a terminal', {}, tty, true, true],
    ['NO_COLOR', { NO_COLOR: '1' }, tty, true, false],
    ['an empty NO_COLOR', { NO_COLOR: '' }, tty, true, true],
    ['a dumb terminal', { TERM: 'dumb' }, tty, true, false],
    ['FORCE_COLOR', { FORCE_COLOR: '1' }, { write: () => true }, true, true],
    ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, { write: () => true }, true, false],
    ['both', { FORCE_COLOR: '1', NO_COLOR: '1' }, tty, true, false],
    ['--no-color', { FORCE_COLOR: '1' }, tty, false, false],
  ])('is coloured or not with %s', (_, env, stdout, color, isColored) => {
    const { terminal } = terminalOf({ env, stdout }, { color });
    expect(terminal.color.red('x') !== 'x').toBe(isColored);
  });

  it('says data as NDJSON with --json, and nothing else on stdout', () => {
    const { terminal, written } = terminalOf({ env: { FORCE_COLOR: '1' } }, { json: true });
    terminal.line('for people');
    terminal.table(['A'], [['1']]);
    terminal.record('row', { type: 'EventReceived', at: 1 });
    terminal.note('by the way');
    terminal.done();
    expect(written).toEqual({
      out: '{"v":1,"type":"row","eventType":"EventReceived","at":1}\n',
      err: 'by the way\n',
    });
  });

  it('shows progress on a terminal alone, and takes it away before anything else', () => {
    const err: string[] = [];
    const { terminal } = terminalOf({ stderr: { write: (text) => err.push(text), isTTY: true, columns: 20 } });
    terminal.progress('a very long line of progress');
    terminal.note('done');
    expect(err.map((text) => text.replaceAll('\u001B', '^'))).toEqual([
      expect.stringMatching(/^\r\^\[2K.*a very long line o/),
      '\r^[2K',
      'done\n',
    ]);
    const { terminal: piped, written } = terminalOf();
    piped.progress('unseen');
    expect(written.err).toBe('');
  });

  it('writes the rows of a long table as they come', async () => {
    const { terminal, written } = terminalOf();
    async function* rows() {
      for (let at = 0; at < 500; at++) yield ['a', String(at)];
      terminal.flush();
      expect(written.out.split('\n')).toHaveLength(502);
      yield ['wider than all before', 'end'];
    }
    await terminal.tableFrom(['NAME', 'AT'], rows());
    terminal.done();
    expect(written.out.split('\n').slice(0, 2)).toEqual(['NAME  AT', 'a     0']);
    expect(written.out.split('\n').at(-2)).toBe('wider than all before  end');
  });

  it('cuts rows at the edge of a terminal, and nowhere else', () => {
    const lines: string[] = [];
    const { terminal } = terminalOf({ stdout: { write: (text) => lines.push(text), isTTY: true, columns: 12 } });
    terminal.row(['abcdef', 'ghijklmn'], [6, 0]);
    terminal.flush();
    expect(lines.join('')).toBe('abcdef  ghi…\n');
  });

  it('takes a terminal that does not know its width for one of 80 columns, or of COLUMNS', () => {
    const stdout = { write: () => true, isTTY: true, columns: 0 };
    expect(terminalOf({ stdout }).terminal.columns).toBe(80);
    expect(terminalOf({ stdout, env: { COLUMNS: '40' } }).terminal.columns).toBe(40);
  });

  it('ends the command when nobody reads any more (TM2)', async () => {
    const written: string[] = [];
    const stdout = {
      errored: null as Error | null,
      write(text: string) {
        written.push(text);
        stdout.errored = Object.assign(new Error('nobody reads'), { code: 'EPIPE' });
      },
    };
    const { terminal } = terminalOf({ stdout });
    const line = 'x'.repeat(20_000);
    expect(() => Array.from({ length: 9 }, () => terminal.line(line))).toThrow(ReaderLeft);
    expect(written).toHaveLength(1);
    terminal.done();
  });

  it('asks nobody where nobody is', async () => {
    await expect(terminalOf().terminal.confirm('Write?')).rejects.toThrow(
      'Write? Nobody can be asked here: say --yes, or look with --dry-run what would be done.',
    );
    expect(await terminalOf({}, { yes: true }).terminal.confirm('Write?')).toBe(true);
  });
});

describe('text', () => {
  it('is as wide as it looks', () => {
    expect(widthOf(colored.red('abc'))).toBe(3);
    expect(cut(colored.red('abcdef'), 4)).toBe(`${colored.red('abc')}…`.replace('…', '') + '…');
    expect(widthOf(cut(colored.red('abcdef'), 4))).toBe(4);
  });

  it('from a log moves no cursor', () => {
    expect(shown('a\u001B[2Jb\nc\u202Ed')).toBe('a\\u001b[2Jb\\nc\\u202ed');
  });

  it('is wrapped between words, and loses none', () => {
    expect(wrapped('one two three four', 9)).toEqual(['one two', 'three', 'four']);
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }),
        fc.integer({ min: 12, max: 40 }),
        (words, columns) => {
          const lines = wrapped(words.join(' '), columns);
          expect(lines.join(' ')).toBe(words.join(' '));
          expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });
});

describe('JSON for people', () => {
  const manner = { color: plain, columns: 30 };

  it('is on one line where it fits', () => {
    expect(jsonLines({ a: 1, b: [true, null] }, manner)).toEqual(['{ "a": 1, "b": [true, null] }']);
    expect(jsonLines({ name: 'a longer one', list: [1, 2, 3] }, manner)).toEqual([
      '{',
      '  "name": "a longer one",',
      '  "list": [1, 2, 3]',
      '}',
    ]);
    expect(
      jsonLines(
        [1, 2, 3].map((n) => 'x'.repeat(10 * n)),
        { ...manner, most: 3 },
      ),
    ).toEqual(['[', '  "xxxxxxxxxx",', '… 3 lines more; --json has all of it']);
  });

  it('is the JSON itself (JT1), in lines that fit as far as they can', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 10, max: 80 }), (value, columns) => {
        const lines = jsonLines(value as Json, { color: plain, columns });
        expect(JSON.parse(lines.join('\n'))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('a patch', () => {
  it('says what was there before', () => {
    const lines = patchLines(
      [
        { op: 'replace', path: '/total', value: 5 },
        { op: 'add', path: '/coupon', value: 'X' },
        { op: 'remove', path: '/lines/0' },
      ],
      { total: 3, lines: ['a', 'b'] },
      plain,
    );
    expect(lines).toEqual(['~ /total  3 → 5', '+ /coupon  "X"', '- /lines/0  "a"']);
  });
});

describe('a tree', () => {
  const node = (value: string, ...below: TreeNode<string>[]): TreeNode<string> => ({ value, below });
  const drawn = (isChain: boolean) =>
    [...treeLines([node('a', node('b', node('c', node('d'), node('e', node('f'))), node('g')))], { isChain })].map(
      ({ lead, value }) => `${lead}${value}`,
    );

  it('is indented at every level, or at those that branch (TL1)', () => {
    expect(drawn(false)).toEqual(['a', '└─ b', '   ├─ c', '   │  ├─ d', '   │  └─ e', '   │     └─ f', '   └─ g']);
    expect(drawn(true)).toEqual(['a', 'b', '├─ c', '│  ├─ d', '│  └─ e', '│     f', '└─ g']);
  });

  it('may be deeper than a stack', () => {
    let deep = node('end');
    for (let depth = 0; depth < 50_000; depth++) deep = { value: 'x', below: [deep] };
    expect([...treeLines([deep], { isChain: true })].at(-1)).toEqual({ value: 'end', lead: '', further: '' });
  });
});

describe('a chart as Mermaid text', () => {
  it('marks what is active in it, and lets no name end a line (MM1)', () => {
    const chart = chartOf(order);
    expect(chartText(chart, 'paying')).toContain('  class s_order_paying active\n');
    expect(chartText(chart, null)).not.toContain('class');
    const { root } = chart;
    const evil = { ...chart, root: { ...root, states: root.states.map((state) => ({ ...state, key: 'a"\n}:' })) } };
    expect(chartText(evil, null).split('\n')).toHaveLength(chartText(chart, null).split('\n').length);
  });
});

it('names that are near are found, also with letters swapped', () => {
  expect(nearestTo('oredr-42', ['order-42', 'oredr-99', 'receipt-1'])).toEqual(['order-42']);
  expect(nearestTo('order-4', ['order-1', 'order-2', 'receipt-1'])).toEqual(['order-1', 'order-2']);
  expect(nearestTo('something', ['order-1'])).toEqual([]);
});

it('a command line is quoted for a shell', () => {
  expect(commandLine(['resume', `order-it's`], 'my app.db')).toBe(`rewake resume 'my app.db' 'order-it'\\''s'`);
  expect(commandLine(['rewind', 'order-1', '3'], undefined)).toBe('rewake rewind order-1 3');
});
