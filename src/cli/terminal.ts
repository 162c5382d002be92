/**
 * Where a command's words go. Owns the shape: data to stdout, everything else to stderr.
 *
 * TM1  With --json each piece of data is one line of NDJSON: { "v": 1, "type": …, … }. Nothing else is on stdout.
 */
export interface Terminal {
  readonly isJson: boolean;
  /** Whether stdout can be coloured: a TTY, NO_COLOR, FORCE_COLOR, --no-color. */
  readonly color: Painter;
  /** Columns of stdout; 80 where it is no terminal. */
  readonly columns: number;
  /** A line of data, for people. With --json nothing. */
  line(text?: string): void;
  /** A piece of data, for programs: with --json its line; else nothing. */
  record(type: string, content: object): void;
  /** Rows under headings, columns as wide as their content; the last one is cut at the terminal's edge. */
  table(headings: readonly string[], rows: readonly (readonly string[])[]): void;
  /** Something to know that is no data: stderr. */
  note(text: string): void;
  /** How far long work has come: one line on stderr that is written over; nothing where stderr is no terminal. */
  progress(text: string): void;
  /** True with --yes; asks on a TTY; elsewhere refuses with a UsageError that names --yes. */
  confirm(question: string): Promise<boolean>;
}

/** Colours, or none. */
export interface Painter {
  dim(text: string): string;
  bold(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  blue(text: string): string;
  cyan(text: string): string;
  magenta(text: string): string;
}
