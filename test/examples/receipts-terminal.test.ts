import { describe, expect, it } from 'vitest';
import { count, emptyReport } from '../../examples/receipts/run-report.ts';
import { progressText, Terminal, type TerminalOptions } from '../../examples/receipts/terminal.ts';

const standing = { total: 200, posted: 90, rejected: 7, parked: 0, attempts: 61, kills: 2, elapsedMs: 12_340 };

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

  it('draws a bar before the numbers, and leaves the attempts out where there is no room', () => {
    expect(progressText(standing, 130)).toBe(
      '███████████████░░░░░░░░░░░░░░░   97/200 receipts · posted  90 · rejected   7 · attempts  61 · kills 2 · 12.3 s',
    );
    expect(progressText(standing, 79)).toBe(
      '███████░░░░░░░   97/200 receipts · posted  90 · rejected   7 · kills 2 · 12.3 s',
    );
  });
});

describe('the run report', () => {
  it('N1 counts receipts, attempts, failures and re-run effects from events alone', () => {
    const report = emptyReport();
    const stream = 'receipt-001-fr-pharmacie';
    const events: [string, object][] = [
      ['ActorStarted', {}],
      ['EffectSucceeded', {}],
      ['AttemptFailed', { reason: 'reset' }],
      ['ActorResumed', { effects: [{ decision: 'rerun' }, { decision: 'fail' }] }],
      ['ReceiptPosted', { attempts: 3 }],
      ['ReceiptRejected', { code: 'empty', detail: 'nothing', attempts: 0 }],
      ['ReceiptParked', { attempts: 8 }],
    ];
    for (const [type, data] of events) count(report, { type, stream, data: JSON.stringify(data) });
    expect(report).toEqual({
      started: 1,
      posted: 1,
      parked: 1,
      rejected: [{ receipt: '001-fr-pharmacie', code: 'empty', detail: 'nothing' }],
      attempts: 11,
      failures: new Map([['reset', 1]]),
      effectsRerun: 1,
      events: 7,
    });
  });
});
