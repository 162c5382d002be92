/**
 * Where a command's words go: data to stdout, everything else to stderr. Owns how they are written, in colour or not, as text or
 * as JSON; what is said is the commands'.
 *
 * TM1  With --json each piece of data is one line of NDJSON, { "v": 1, "type": …, … }. Nothing else is on stdout.
 * TM2  Who reads stdout may stop at any time, as `head` does: then nothing more is written, and that is no error.
 * TM3  Nothing that comes out of a log moves the cursor or changes colours: control characters are shown as escapes.
 */
import { createInterface } from 'node:readline/promises';
import type { Readable } from 'node:stream';
import pc from 'picocolors';
import { UsageError } from './usage-error.ts';

/** A stream that is written to. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** Set once a write has failed. */
  readonly errored?: Error | null;
}

/** Nobody reads stdout any more: what the command does is for nobody. */
export class ReaderLeft extends Error {}

/** What surrounds a command: the process, or a test. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/** How a command was asked to talk. */
export interface Manner {
  readonly json: boolean;
  readonly color: boolean;
  /** Whether questions are answered with yes. */
  readonly yes: boolean;
  /** Whether there may be questions. */
  readonly input: boolean;
}

/** Colours, or none. */
export type Painter = Pick<
  typeof pc,
  'dim' | 'bold' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan' | 'magenta' | 'underline'
>;

/** Of the form of every line of JSON. */
const jsonVersion = 1;

const pendingMax = 32_768;
/** So many rows say how wide the columns of a table are. */
const rowsMeasured = 500;

export class Terminal {
  readonly isJson: boolean;
  /** Colours of stdout. */
  readonly color: Painter;
  /** Colours of stderr. */
  readonly noteColor: Painter;
  /** Columns of stdout; 80 where it is no terminal. */
  readonly columns: number;
  readonly #io: Io;
  readonly #manner: Manner;
  #progress = false;
  /** Data on its way to stdout: a write for each of many lines costs more than the lines. */
  #pending: string[] = [];
  #pendingSize = 0;

  constructor(io: Io, manner: Manner) {
    this.#io = io;
    this.#manner = manner;
    this.isJson = manner.json;
    this.color = painterFor(io, io.stdout, manner);
    this.noteColor = painterFor(io, io.stderr, manner);
    // A terminal that does not know its width says 0.
    this.columns = io.stdout.columns || Number(io.env['COLUMNS']) || 80;
  }

  /** Whether stdout is a terminal that a person looks at. */
  get isInteractive(): boolean {
    return this.#io.stdout.isTTY === true && !this.isJson;
  }

  /** A line of data, for people. With --json nothing. */
  line(text = ''): void {
    if (this.isJson) return;
    this.#out(`${text}\n`);
  }

  /** A piece of data, for programs: with --json its line; else nothing. What it calls `type` itself is `eventType` there. */
  record(type: string, content: object): void {
    if (!this.isJson) return;
    const { type: eventType, ...rest } = content as { readonly type?: unknown };
    const fields = { v: jsonVersion, type, ...(eventType !== undefined && { eventType }), ...rest };
    this.#out(`${JSON.stringify(fields)}\n`);
  }

  /** Text as it is, on stdout, whatever the manner: what a command writes that is a format of its own. */
  raw(text: string): void {
    this.#out(text);
  }

  /** Rows under headings, columns as wide as their content. The last one is cut at the edge of a terminal. */
  table(headings: readonly string[], rows: Iterable<readonly string[]>): void {
    const table = new Table(this, headings);
    for (const row of rows) table.add(row);
    table.end();
  }

  /** The same of rows that are written as they come: columns are as wide as the first ones need. */
  async tableFrom(headings: readonly string[], rows: AsyncIterable<readonly string[]>): Promise<void> {
    const table = new Table(this, headings);
    for await (const row of rows) table.add(row);
    table.end();
  }

  /** One row: cells as wide as they are meant to be, or wider. */
  row(cells: readonly string[], widths: readonly number[]): void {
    if (this.isJson) return;
    const text = cells.map((cell, at) => (at === cells.length - 1 ? cell : padded(cell, widths[at]!))).join('  ');
    this.line(this.isInteractive ? cut(text.trimEnd(), this.columns) : text.trimEnd());
  }

  /** Something to know that is no data: stderr. */
  note(text: string, paint = (plain: string) => plain): void {
    this.flush();
    this.#clearProgress();
    this.#io.stderr.write(`${paint(shownLines(text))}\n`);
  }

  /** How far long work has come: one line on stderr that is written over; nothing where stderr is no terminal. */
  progress(text: string): void {
    if (!this.#io.stderr.isTTY) return;
    this.flush();
    this.#progress = true;
    this.#io.stderr.write(`\r\u001B[2K${cut(this.noteColor.dim(text), (this.#io.stderr.columns || 80) - 1)}`);
  }

  /** Writes what is on its way, and takes the line of progress away. */
  done(): void {
    this.#clearProgress();
    try {
      this.flush();
    } catch (error) {
      // The command has ended already, and how is not to be hidden.
      if (!(error instanceof ReaderLeft)) throw error;
    }
  }

  /**
   * True with --yes; asks on a terminal.
   * @throws UsageError where nobody can be asked
   */
  async confirm(question: string): Promise<boolean> {
    if (this.#manner.yes) return true;
    const { stdin, stderr, signal } = this.#io;
    if (!this.#manner.input || !stdin.isTTY || !stderr.isTTY) {
      throw new UsageError(
        `${question} Nobody can be asked here: say --yes, or look with --dry-run what would be done.`,
      );
    }
    this.flush();
    this.#clearProgress();
    const asking = createInterface({ input: stdin, output: stderr as NodeJS.WritableStream });
    try {
      const answer = await asking.question(`${shownLines(question)} [y/N] `, { signal });
      return /^y(?:es)?$/i.test(answer.trim());
    } finally {
      asking.close();
    }
  }

  /**
   * Writes what is on its way: for who waits after it.
   * @throws ReaderLeft (TM2)
   */
  flush(): void {
    if (this.#pending.length === 0) return;
    const isLeft = hasCode(this.#io.stdout.errored, 'EPIPE');
    const text = this.#pending.join('');
    this.#pending = [];
    this.#pendingSize = 0;
    if (isLeft) throw new ReaderLeft();
    this.#io.stdout.write(text);
  }

  #out(text: string): void {
    this.#clearProgress();
    this.#pending.push(text);
    this.#pendingSize += text.length;
    if (this.#pendingSize > pendingMax) this.flush();
  }

  #clearProgress(): void {
    if (!this.#progress) return;
    this.#progress = false;
    this.#io.stderr.write('\r\u001B[2K');
  }
}

function hasCode(error: Error | null | undefined, code: string): boolean {
  return (error as NodeJS.ErrnoException | null | undefined)?.code === code;
}

/** Rows on their way to a terminal. What is wider than the first ones moves the rest of its row. */
class Table {
  readonly #terminal: Terminal;
  readonly #headings: readonly string[];
  readonly #first: (readonly string[])[] = [];
  #widths: readonly number[] | undefined;

  constructor(terminal: Terminal, headings: readonly string[]) {
    this.#terminal = terminal;
    this.#headings = headings;
  }

  add(row: readonly string[]): void {
    if (this.#widths) this.#terminal.row(row, this.#widths);
    else if (this.#first.push(row) === rowsMeasured) this.end();
  }

  /** Writes what is held back. */
  end(): void {
    if (this.#widths || this.#first.length === 0) return;
    const widths = this.#headings.map((heading, at) =>
      this.#first.reduce((widest, row) => Math.max(widest, widthOf(row[at] ?? '')), widthOf(heading)),
    );
    this.#widths = widths;
    this.#terminal.row(this.#headings.map(this.#terminal.color.dim), widths);
    for (const row of this.#first) this.#terminal.row(row, widths);
  }
}

/** https://no-color.org and https://force-color.org. */
function painterFor({ env }: Io, output: Output, { color, json }: Manner): Painter {
  const wanted = env['FORCE_COLOR'] === undefined || env['FORCE_COLOR'] === '0' ? output.isTTY === true : true;
  const isOff = !color || json || Boolean(env['NO_COLOR']) || env['TERM'] === 'dumb';
  return pc.createColors(wanted && !isOff);
}

// eslint-disable-next-line no-control-regex
const escapes = /\u001B\[[0-9;]*m/g;
// eslint-disable-next-line no-control-regex
const special = /[\u001B\uD800-\uDFFF]/;
// eslint-disable-next-line no-control-regex
const parts = /\u001B\[[0-9;]*m|[\s\S]/gu;

/** `1 event`, `2 events`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** Columns of a text on a terminal, colours not counted. */
export function widthOf(text: string): number {
  // Most texts have a unit for each column, and counting is what a long table costs.
  if (!special.test(text)) return text.length;
  return [...text.replaceAll(escapes, '')].length;
}

/** A text with spaces up to a width. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** Lines of at most so many columns, cut between words. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A text in at most so many columns, colours ended. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let left = columns - 1;
  let out = '';
  for (const [part] of text.matchAll(parts)) {
    const isColor = part.startsWith('\u001B[');
    if (!isColor && left-- <= 0) continue;
    out += part;
  }
  return `${out}…`;
}

/** TM3. Text that may have lines of its own. */
export function shownLines(text: string): string {
  return text.split('\n').map(shown).join('\n');
}

/** TM3. Text that came out of a log, on one line. */
export function shown(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, (char) => {
    const known = { '\n': '\\n', '\t': '\\t', '\r': '\\r' }[char];
    return known ?? `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`;
  });
}
