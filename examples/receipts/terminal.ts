/**
 * What a person sees of a run: one line that is redrawn on a terminal, plain lines elsewhere, a table at the end. Owns
 * the look; the numbers come from outside.
 *
 * Z1  Without a terminal, or under CI, there is no escape sequence and no carriage return.
 * Z2  NO_COLOR takes the colours away and leaves the redrawing.
 * Z3  A line is never longer than the terminal is wide: redrawing a wrapped line would leave rubbish.
 */

/** Where and how to print. */
export interface TerminalOptions {
  readonly write: (text: string) => void;
  readonly isInteractive: boolean;
  readonly hasColor: boolean;
  readonly columns: number;
}

/** The options for this process's standard output. */
export function standardTerminal(): TerminalOptions {
  const { env, stdout } = process;
  const isInteractive = stdout.isTTY === true && env.TERM !== 'dumb' && (env.CI ?? '') === '';
  return {
    write: (text) => void stdout.write(text),
    isInteractive,
    hasColor: isInteractive && (env.NO_COLOR ?? '') === '',
    columns: stdout.columns ?? 80,
  };
}

/** Where a run stands. */
export interface Standing {
  readonly total: number;
  readonly posted: number;
  readonly rejected: number;
  readonly fallbacks: number;
  readonly healed: number;
  readonly kills: number;
  readonly elapsedMs: number;
}

const [barWidthMin, barWidthMax] = [10, 30];
const colors = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };
export type Color = keyof typeof colors;

export type Row = readonly [label: string, value: string | number, note?: string];

export class Terminal {
  readonly #options: TerminalOptions;
  #drawn = false;

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  get isInteractive(): boolean {
    return this.#options.isInteractive;
  }

  paint(color: Color, text: string): string {
    return this.#options.hasColor ? `\u001b[${colors[color]}m${text}\u001b[0m` : text;
  }

  /** Prints a line that stays. */
  line(text = ''): void {
    this.#erase();
    this.#options.write(`${text}\n`);
  }

  /** Redraws the progress line; without a terminal nothing happens. */
  progress(standing: Standing): void {
    if (!this.#options.isInteractive) return;
    this.#erase();
    const text = progressText(standing, this.#options.columns - 1);
    const bar = /[█░]+/.exec(text)?.[0] ?? '';
    this.#options.write(bar === '' ? text : text.replace(bar, this.paint('cyan', bar)));
    this.#drawn = true;
  }

  /** Prints rows of label, number and note in columns. */
  table(rows: readonly Row[]): void {
    const labelWidth = Math.max(...rows.map(([label]) => label.length));
    const valueWidth = Math.max(...rows.map(([, value]) => String(value).length));
    for (const [label, value, note = ''] of rows) {
      const number = this.paint('bold', String(value).padStart(valueWidth));
      this.line(`  ${label.padEnd(labelWidth)}  ${number}  ${this.paint('dim', note)}`.trimEnd());
    }
  }

  /** Leaves the progress line as it is and goes on below it. */
  leaveProgress(): void {
    if (this.#drawn) this.#options.write('\n');
    this.#drawn = false;
  }

  #erase(): void {
    if (this.#drawn) this.#options.write('\r\u001b[2K');
    this.#drawn = false;
  }
}

/** The progress line: a bar where there is room, then the numbers, as many as fit into `columns`. */
export function progressText(standing: Standing, columns: number): string {
  const { total, posted, rejected, fallbacks, healed, kills, elapsedMs } = standing;
  const settled = posted + rejected;
  // Numbers keep their width, so that nothing but the digits moves.
  const wide = (value: number) => String(value).padStart(String(total).length);
  const head = `${wide(settled)}/${total} receipts · posted ${wide(posted)} · rejected ${wide(rejected)}`;
  const tail = `kills ${kills} · ${seconds(elapsedMs).padStart(6)}`;
  const long = `${head} · fallbacks ${wide(fallbacks)} · healed ${wide(healed)} · ${tail}`;
  const numbers = columns - long.length >= barWidthMin + 2 ? long : `${head} · ${tail}`;
  const room = Math.min(barWidthMax, columns - numbers.length - 2);
  if (room < barWidthMin) return numbers.slice(0, columns);
  const full = Math.round((room * settled) / total);
  return `${'█'.repeat(full)}${'░'.repeat(room - full)}  ${numbers}`;
}

/** `24.1 s`. */
export function seconds(ms: number, decimals = 1): string {
  return `${(ms / 1000).toFixed(decimals)} s`;
}
