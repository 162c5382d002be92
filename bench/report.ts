/**
 * The result file. Owns the Markdown: what came of the goals, what it says of the machine, the table, the notes; measures
 * nothing.
 *
 * RE1  A table is written as prettier would write it, so that a new result passes the format check.
 */
import type { Summary } from './measure.ts';
import type { Goal, Line, Unit } from './row.ts';

/** Where and with what was measured. */
export interface Surroundings {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  /** Load average over one minute before the first row. */
  readonly load: number;
  readonly node: string;
  /** Versions by package name. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What one row had to say. */
export interface Section {
  readonly name: string;
  readonly lines: readonly Line[];
  readonly note?: string | undefined;
  readonly faults?: readonly string[] | undefined;
}

const columns = ['what', 'reference', 'reference value', 'measured', 'ratio', 'goal', 'met'] as const;

/** The whole file. */
export function resultsPage(surroundings: Surroundings, sections: readonly Section[]): string {
  const { date, cpu, cores, load, node, versions } = surroundings;
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    '# Benchmark results',
    ...summary(sections),
    'Written by `npm run bench`; do not edit. Every value is the median of several runs with the least and the greatest in brackets. ' +
      'A ratio is measured divided by reference, taken round by round in the same process, the two taking turns. ' +
      'Goals are for the median; a line without a goal is told for comparison.',
    [
      `- Date: ${date}`,
      `- Machine: ${cpu}, ${cores} cores; load average before the run ${load.toFixed(1)}`,
      `- Node ${node}`,
      `- ${packages.join(', ')}`,
    ].join('\n'),
    table(sections),
    ...notes(sections),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

/** How many goals were met, and in words which were not. */
function summary(sections: readonly Section[]): string[] {
  const asked = sections.flatMap(({ lines }) => lines.filter(({ met }) => met !== undefined));
  const missed = sections.flatMap(({ lines, faults = [] }) =>
    lines
      .filter(({ met }) => met === false)
      .map((line) => {
        const about = line === lines[0] ? line.what : `${lines[0]!.what}. ${line.what}`;
        return `- ${about}: ${missedBy(line)}${line === lines[0] && faults.length > 0 ? '; it failed, see the notes' : ''}.`;
      }),
  );
  const counted = `**Goals met: ${asked.length - missed.length} of ${asked.length}.**`;
  return missed.length === 0 ? [counted] : [`${counted} Not met:`, missed.join('\n')];
}

function missedBy({ unit, against, measured, ratio, goal }: Line): string {
  const found = ratio ? `${digits(ratio.median)}x of the reference (${against})` : `${digits(measured.median)} ${unit}`;
  return goal ? `${found}, wanted ${goalText(goal, ratio ? 'x' : ` ${unit}`)}` : found;
}

/** The table alone. */
export function table(sections: readonly Section[]): string {
  const rows = sections.flatMap(({ lines }) => lines.map(cells));
  return markdownTable(columns, rows);
}

function notes(sections: readonly Section[]): string[] {
  const noted = sections.flatMap(({ name, note, faults = [] }) => [
    ...(note === undefined ? [] : [`- \`${name}\`: ${note}`]),
    ...faults.map((fault) => `- \`${name}\` failed: ${fault}`),
  ]);
  return noted.length === 0 ? [] : ['## Notes', noted.join('\n')];
}

function cells({ what, against, unit, measured, reference, ratio, goal, met }: Line): string[] {
  return [
    what,
    against,
    reference ? quantity(reference, unit) : '-',
    quantity(measured, unit),
    ratio ? `${spread(ratio)}x` : '-',
    goal ? goalText(goal, ratio ? 'x' : ` ${unit}`) : '-',
    met === undefined ? '-' : met ? 'yes' : '**no**',
  ];
}

function goalText({ atMost, atLeast }: Goal, suffix: string): string {
  const parts = [];
  if (atMost !== undefined) parts.push(`at most ${atMost}${suffix}`);
  if (atLeast !== undefined) parts.push(`at least ${atLeast}${suffix}`);
  return parts.join(', ');
}

function quantity(summary: Summary, unit: Unit): string {
  return `${spread(summary)} ${unit}`;
}

/** Median with least and greatest. */
function spread({ median, min, max }: Summary): string {
  return `${digits(median)} (${digits(min)}–${digits(max)})`;
}

/** Three significant digits, no exponent, thousands apart. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
