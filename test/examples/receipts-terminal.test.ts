import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../examples/receipts/ledger.ts';
import { count, emptyReport } from '../../examples/receipts/run-report.ts';
import { check, showNext, showTable } from '../../examples/receipts/run-table.ts';
import { findStory, showStory } from '../../examples/receipts/story.ts';
import { progressText, Terminal, type TerminalOptions } from '../../examples/receipts/terminal.ts';

const standing = { total: 200, posted: 90, rejected: 7, fallbacks: 21, healed: 4, kills: 2, elapsedMs: 12_340 };

function capture(options: Partial<TerminalOptions>): { terminal: Terminal; text: () => string } {
  let text = '';
  const write = (part: string) => void (text += part);
  const terminal = new Terminal({ write, isInteractive: true, hasColor: true, columns: 80, ...options });
  return { terminal, text: () => text };
}

describe('the terminal', () => {
  it('Z1 prints no escape sequence and no progress line without a terminal', () => {
    const { terminal, text } = capture({ isInteractive: false, hasColor: false });
    terminal.progress(standing);
    terminal.line('done');
    terminal.table([['receipts', 200, 'a note']]);
    expect(text()).toBe('done\n  receipts  200  a note\n');
  });

  it('Z2 redraws without colours under NO_COLOR', () => {
    const { terminal, text } = capture({ hasColor: false });
    terminal.progress(standing);
    terminal.line('done');
    expect(text()).toContain('\r\u001b[2Kdone\n');
    expect(text()).not.toContain('\u001b[36m');
  });

  it.each([20, 40, 80, 200])('Z3 keeps the progress line within %i columns', (columns) => {
    expect(progressText(standing, columns).length).toBeLessThanOrEqual(columns);
  });

  it('draws a bar before the numbers, and leaves some out where there is no room', () => {
    expect(progressText(standing, 140)).toBe(
      '███████████████░░░░░░░░░░░░░░░   97/200 receipts · posted  90 · rejected   7 · fallbacks  21 · healed   4 · kills 2 · 12.3 s',
    );
    expect(progressText(standing, 79)).toBe(
      '███████░░░░░░░   97/200 receipts · posted  90 · rejected   7 · kills 2 · 12.3 s',
    );
  });
});

/** The events of two batches and their breakers, as far as they are counted. */
function counted() {
  const report = emptyReport();
  const item = '/item.1:7/0.receipt.reading:8';
  const problem = { class: 'permanent', name: 'ReceiptProblemError', code: 'empty', message: 'nothing' };
  const exhausted = { class: 'server', name: 'RecoveryExhaustedError', message: 'busy' };
  const events: [stream: string, type: string, data: object, actor?: string][] = [
    ['batch-01', 'ActorStarted', { machine: 'batch', input: ['a.txt', 'b.txt', 'c.txt', 'd.txt'] }],
    ['breaker-vision', 'ActorStarted', { machine: 'breaker', input: { key: 'vision' } }],
    ['batch-01', 'AttemptFailed', { step: 'vision', attempt: 1, error: { class: 'server', message: 'busy' } }, item],
    ['batch-01', 'RetryScheduled', { step: 'vision', attempt: 1, delayMs: 90, r: 0.5, dueAt: 7 }, item],
    ['breaker-vision', 'CircuitOpened', { key: 'vision' }, '/'],
    ['batch-01', 'ActorResumed', { effects: [{ decision: 'rerun' }, { decision: 'fail' }] }],
    ['batch-01', 'ReceiptRead', { reader: 'local', mends: ['joinLines', 'restoreCommas'] }, item],
    ['batch-01', 'ReceiptPosted', { entry: 1, eurCents: 5 }, item],
    ['batch-01', 'ReceiptRead', { reader: 'mini', mends: [] }, '/item.0:1'],
    ['batch-01', 'ItemFailed', { batch: 'receipts', index: 2, error: problem }, '/'],
    ['batch-01', 'ItemFailed', { batch: 'receipts', index: 3, error: exhausted }, '/'],
  ];
  for (const [nth, [stream, type, data, actor]] of events.entries()) {
    const meta = actor === undefined ? {} : { actor };
    count(report, { type, stream, data: JSON.stringify(data), meta, recordedAt: 1_000 + 250 * nth });
  }
  return report;
}

describe('the run report', () => {
  it('N1 counts everything from events alone', () => {
    const { stories, ...report } = counted();
    expect(report).toEqual({
      receipts: 4,
      posted: 1,
      rejected: [{ receipt: 'c', batch: 'batch-01', code: 'empty', detail: 'nothing' }],
      givenUp: [{ receipt: 'd', batch: 'batch-01', code: 'server', detail: 'busy' }],
      attempts: 3,
      retries: 1,
      failures: new Map([['server', 1]]),
      readBy: new Map([
        ['local', 1],
        ['mini', 1],
      ]),
      healed: 1,
      mends: new Map([
        ['joinLines', 1],
        ['restoreCommas', 1],
      ]),
      openings: new Map([['vision', 1]]),
      lost: new Map([
        ['rerun', 1],
        ['fail', 1],
      ]),
      events: 11,
      batches: new Map([['batch-01', ['a', 'b', 'c', 'd']]]),
    });
    expect([...stories].map(([receipt, told]) => [receipt, told.length])).toEqual([
      ['b', 4],
      ['a', 1],
      ['c', 1],
      ['d', 1],
    ]);
  });

  it('tells the story of a receipt, the most varied one of those that were posted', () => {
    const report = counted();
    const { terminal, text } = capture({ isInteractive: false, hasColor: false });
    expect(findStory(report)).toBe('b');
    showStory(terminal, report, 'b');
    expect(text().split('\n')).toEqual([
      '',
      '  What the log tells of b',
      '   0.00 s  AttemptFailed   vision, attempt 1, server (busy)',
      '   0.25 s  RetryScheduled  vision, attempt 1, delayMs 90',
      '   1.00 s  ReceiptRead     reader local, mends joinLines + restoreCommas',
      '   1.25 s  ReceiptPosted   entry 1, eurCents 5',
      '',
    ]);
  });
});

describe('the table at the end', () => {
  it('says what each number counts', () => {
    const { terminal, text } = capture({ isInteractive: false, hasColor: false });
    const stats = { requests: 1, entries: 1, replays: 2 };
    showTable(terminal, { report: counted(), stats, ledger: [], kills: 1, receipts: 4, elapsedMs: 1_000 });
    expect(text().split('\n')).toEqual(
      expect.arrayContaining([
        '  receipts              4  1 posted, 1 rejected, 1 given up; 25 % posted, in the worst batch 50 %',
        '  work cut off          2  effects that ran when the worker was killed: 1 run again, 1 counted as failed attempts',
        '  Rejected',
        '  c  empty  nothing',
      ]),
    );
  });

  it('says where the log is and what to look at next', () => {
    const after = (rejected: ReturnType<typeof counted>['rejected'], log?: string) => {
      const { terminal, text } = capture({ isInteractive: false, hasColor: false });
      showNext(terminal, { rejected }, log);
      return text();
    };
    expect(after(counted().rejected)).toContain(
      '  the log     was a temporary file; npm start -- --log receipts.db keeps it',
    );
    expect(after(counted().rejected, 'kept.db')).toContain(
      '  the log     kept.db\n  a failure   npm start -- --story c\n',
    );
    expect(after([])).not.toContain('a failure');
  });

  it('names only files that are there', () => {
    const { terminal, text } = capture({ isInteractive: false, hasColor: false });
    showNext(terminal, counted(), undefined);
    const named = text().match(/\b(?:docs|examples)\/[\w./-]*\w/g) ?? [];
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });
});

describe('the check at the end', () => {
  const entry = { entry: 1, key: 'a', merchant: 'Kiosk', number: '7', issuedOn: '', category: '', eurCents: 5 };
  const stats = { requests: 1, entries: 1, replays: 0 };
  const holds = (ledger: readonly Entry[], posted: number, rejected: number) => {
    const report = emptyReport();
    Object.assign(report, { receipts: posted + rejected, posted });
    const failed = { receipt: 'r', batch: 'batch-01', code: 'empty', detail: '' };
    report.rejected.push(...Array.from({ length: rejected }, () => failed));
    const { terminal, text } = capture({ isInteractive: false, hasColor: false });
    return [check(terminal, { report, stats, ledger, kills: 0, receipts: 2, elapsedMs: 1 }, 0), text()] as const;
  };

  it('X1 holds where each posted receipt has exactly one entry', () => {
    expect(holds([entry], 1, 1)[0]).toBe(true);
  });

  it.each([
    ['an entry is missing', [], 1, 1],
    ['a receipt is booked twice', [entry, { ...entry, entry: 2, key: 'b' }], 2, 0],
    ['a receipt that is booked counts as rejected', [entry], 0, 2],
    ['a receipt is neither posted nor rejected', [entry], 1, 0],
  ])('X1 does not hold where %s', (_title, ledger, posted, rejected) => {
    const [isTrue, text] = holds(ledger, posted, rejected);
    expect(isTrue).toBe(false);
    expect(text).toContain('✗ not true:');
  });
});
