import { check } from 'prettier';
import { describe, expect, it } from 'vitest';
import { resultsPage, table, type Surroundings } from '../../bench/report.ts';
import { linesOf, type Row, type RowResult } from '../../bench/row.ts';

const row = (result: RowResult, changes: Partial<Row> = {}): Row => ({
  name: 'speed',
  what: 'A fast thing',
  reference: 'a slow thing',
  goal: { atMost: 2 },
  run: async () => result,
  ...changes,
});

function met(result: RowResult, changes: Partial<Row> = {}) {
  return linesOf(row(result, changes), result).map((line) => line.met);
}

describe('a goal', () => {
  it('is for the median ratio where there is a reference', () => {
    expect(met({ unit: 'ms', measured: [10, 20, 90], reference: [10, 10, 10] })).toEqual([true]);
    expect(met({ unit: 'ms', measured: [10, 21, 90], reference: [10, 10, 10] })).toEqual([false]);
  });

  it('is for the median itself where there is none', () => {
    expect(met({ unit: 's', measured: [1, 2, 3] })).toEqual([true]);
    expect(met({ unit: 's', measured: [1, 2.5, 3] })).toEqual([false]);
  });

  it('can ask for at least something', () => {
    const result: RowResult = { unit: 'executions/s', measured: [60], reference: [100] };
    expect(met(result, { goal: { atLeast: 0.6 } })).toEqual([true]);
    expect(met(result, { goal: { atLeast: 0.7 } })).toEqual([false]);
  });

  it('is missed with any fault, however fast', () => {
    expect(met({ unit: 's', measured: [1], faults: ['one was lost'] })).toEqual([false]);
  });

  it('is not asked of a row that has none of its own', () => {
    expect(met({ unit: 's', measured: [1] }, { goal: {} })).toEqual([undefined]);
    expect(met({ unit: 's', measured: [1], faults: ['one was lost'] }, { goal: {} })).toEqual([false]);
  });

  it('is not asked of a line that is told for comparison', () => {
    const aside = { what: 'Another', against: '-', unit: 's', measured: [9] } as const;
    expect(met({ unit: 's', measured: [1], also: [aside] })).toEqual([true, undefined]);
  });
});

describe('the result file', () => {
  const result: RowResult = {
    unit: 'µs',
    measured: [9.876, 1234.5, 0.12345],
    reference: [5, 5, 5],
    note: 'measured twice.',
    faults: ['one was lost'],
  };
  const surroundings: Surroundings = {
    date: '2026-01-02',
    cpu: 'A CPU',
    cores: 2,
    load: 0.25,
    node: '20.20.2',
    versions: { rewake: '0.1.0', xstate: '5.33.3' },
  };
  const section = {
    name: 'speed',
    lines: linesOf(row(result), result),
    note: result.note,
    faults: result.faults,
  };

  it('gives values with three digits and their spread', () => {
    expect(table([section])).toContain('| 9.88 (0.123–1,235) µs |');
  });

  it('names the machine, the versions, the notes and the faults', () => {
    const page = resultsPage(surroundings, [section]);
    expect(page).toContain('- Machine: A CPU, 2 cores; load average before the run 0.3');
    expect(page).toContain('- rewake 0.1.0, xstate 5.33.3');
    expect(page).toContain('- `speed`: measured twice.\n- `speed` failed: one was lost');
  });

  it('begins with how many goals were met, and which were not', () => {
    const missed = { what: 'The same, twice', against: '-', unit: 'µs', measured: [9], goal: { atMost: 4 } } as const;
    const aside = { what: 'Another', against: '-', unit: 's', measured: [9] } as const;
    const fine = { unit: 'µs', measured: [20], reference: [10] } as const;
    const slow = { unit: 'µs', measured: [30], reference: [10], also: [missed, aside] } as const;
    const sections = [fine, slow].map((each) => ({ name: 'speed', lines: linesOf(row(each), each) }));
    expect(resultsPage(surroundings, sections)).toContain(
      '# Benchmark results\n\n**Goals met: 1 of 3.** Not met:\n\n' +
        '- A fast thing: 3.00x of the reference (a slow thing), wanted at most 2x.\n' +
        '- A fast thing. The same, twice: 9.00 µs, wanted at most 4 µs.\n\nWritten by',
    );
    expect(resultsPage(surroundings, sections.slice(0, 1))).toContain('**Goals met: 1 of 1.**\n\nWritten by');
    expect(resultsPage(surroundings, [section])).toContain('wanted at most 2x; it failed, see the notes.');
  });

  it('is written as prettier writes it (RE1)', async () => {
    const options = { parser: 'markdown', singleQuote: true, printWidth: 120 };
    expect(await check(resultsPage(surroundings, [section]), options)).toBe(true);
  });
});
