/**
 * A good log is damaged in one way after the other, and the audit finds the invariant that each breaks, where it does, and no
 * other. Numbers are those of docs/explanation/invariants.md.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError, memoryLog, type EventLog, type RecordedEvent } from 'rewake';
import { audit, auditedInvariants, describeViolation, violationsIn, type AuditOptions } from 'rewake/audit';
import { CauseChain } from '../../src/testing/audit/cause-chain.ts';
import { sealText } from '../../src/log/envelope.ts';
import type { SnapshotData } from '../../src/runtime/snapshot-reader.ts';
import { Book, damages } from './audited-damages.ts';
import { bound, machines, ordered, pagesOf } from './audited-runs.ts';

/** Found by these events: the invariants, and where. */
async function foundIn(source: Iterable<RecordedEvent> | EventLog, options?: AuditOptions): Promise<string[]> {
  const found = await audit(source, options);
  return found.map(({ invariant, stream, revision }) => `${invariant} ${stream}@${revision}`);
}

/** A log in which these events are. */
async function logOf(events: readonly RecordedEvent[]): Promise<EventLog> {
  const log = memoryLog();
  const head = { version: '1', status: 'active', correlationId: '', wakeAt: null, effects: 0 } as const;
  for (const event of events) {
    const { stream, revision } = event;
    const actor = { ...head, machine: stream.split('-')[0]! };
    await log.append(stream, revision === 0 ? 'no-stream' : revision - 1, [event], { actor });
  }
  return log;
}

describe('damage is found as what it is, where it is:', () => {
  it.for(damages.map((damage) => [damage.invariant, damage.what, damage] as const))(
    '%i: %s',
    async ([invariant, , { of, done, shows, options, keepsRevisions }]) => {
      const book = new Book(await pagesOf((await of()).log));
      expect(await foundIn(bound(book.pages)), 'before').toEqual([]);
      done(book);
      const events = bound(book.pages, { isNumbered: !keepsRevisions });
      const [first, ...more] = await foundIn(events, options);
      expect(first).toBe(`${invariant} ${shows}`);
      expect(more).toEqual([]);
      if (keepsRevisions || invariant === 1) return;
      // What the index of such a log says of its actors is not so.
      const inLog = options?.machines ? { ...options, invariants: [invariant] } : options;
      expect(await foundIn(await logOf(events), inLog), 'in a log').toEqual([first]);
    },
  );

  it('24: an event of which the cause is nowhere', async () => {
    const book = new Book(await pagesOf((await ordered()).log));
    book.at('ledger-1@2').meta.$causationId = 'nobody';
    const log = await logOf(bound(book.pages));
    expect(await foundIn(log)).toEqual(['24 ledger-1@2']);
    // A part of a log says nothing of what is not in it.
    expect(await foundIn(log, { stream: 'ledger-1' })).toEqual([]);
    expect(await foundIn(bound(book.pages))).toEqual([]);
  });

  it('24: a cause that is too long ago to be remembered is looked for once more', async () => {
    const events = bound(await pagesOf((await ordered()).log));
    const [message] = events.filter(({ stream, revision }) => stream === 'ledger-1' && revision === 1);
    const [cause] = events.filter(({ id }) => id === message!.meta.$causationId);
    for (const [found, numbers] of [
      [cause!, []],
      [{ ...cause!, meta: { ...cause!.meta, $correlationId: 'another' } }, [24]],
    ] as const) {
      const chain = new CauseChain();
      chain.push(message!);
      expect(chain.isWaiting).toBe(true);
      expect(chain.find(found).map(({ invariant }) => invariant)).toEqual(numbers);
      expect(chain.isWaiting).toBe(false);
    }
  });

  it('24: a cause that a compaction may have removed is not missed', async () => {
    const book = new Book(await pagesOf((await ordered()).log));
    book.at('ledger-1@2').meta.$causationId = 'nobody';
    const log = await logOf(bound(book.pages));
    const rebased = book.copy('order-1@0', 'order-1@13', { reason: 'compacted', state: '' });
    rebased.type = 'ActorRebased';
    const [last] = bound(book.pages).slice(-2);
    await log.append('order-1', 13, [last!]);
    await log.truncate('order-1', 14);
    expect((await log.head('order-1')).state).toBe('truncated');
    expect(await foundIn(log, { invariants: [24] })).toEqual([]);
  });

  it('30: an event that was changed', async () => {
    const events = bound(await pagesOf((await ordered()).log));
    const changed = events.map((event) =>
      event.revision === 9 ? { ...event, data: event.data.replace('paid', 'lost') } : event,
    );
    expect(await foundIn(changed)).toEqual(['30 order-1@9']);
  });

  it('30: a tail that is cut', async () => {
    const log = (await ordered()).faulty();
    log.damage = (event) => (event.stream === 'order-1' && event.revision > 11 ? undefined : event);
    expect(await foundIn(log)).toEqual(['30 order-1@12']);
  });

  it('1: an actor index that says otherwise than the fold', async () => {
    const log = await logOf(bound(await pagesOf((await ordered()).log)));
    const found = await audit(log, { machines, invariants: [1] });
    expect(found.map(describeViolation)).toEqual([
      '1 replay equality, order-1: it folds to status done, the actor index says active.',
    ]);
  });

  it('26: a snapshot that is not the state of its revision', async () => {
    const { log } = await ordered();
    const stored = (await log.snapshots.load('order-1'))!;
    const content = JSON.parse(stored.data) as SnapshotData;
    const data = JSON.stringify({ ...content, tree: content.tree.replace('paid', 'lost') });
    expect(data).not.toBe(stored.data);
    await log.snapshots.save('order-1', { ...stored, data, checksum: sealText(data) });
    expect(await foundIn(log, { machines })).toEqual([`26 order-1@${stored.revision}`]);
    // The runtime would not use it.
    const other = JSON.stringify({ ...content, tree: content.tree.replace('paid', 'lost'), lastEventId: 'another' });
    await log.snapshots.save('order-1', { ...stored, data: other, checksum: sealText(other) });
    expect(await foundIn(log, { machines })).toEqual([]);
  });

  it('every invariant that is said to be audited is among them', () => {
    const proved = new Set([...damages.map(({ invariant }) => invariant), 26, 30]);
    expect(auditedInvariants.map(({ number }) => number)).toEqual([...proved].sort((a, b) => a - b));
  });

  it('every invariant that is audited is in the reference as it is in the list', () => {
    const page = readFileSync(new URL('../../docs/reference/testing.md', import.meta.url), 'utf8').replaceAll(
      / +/g,
      ' ',
    );
    for (const { number, name, needs, sees } of auditedInvariants)
      expect(page).toContain(`| ${number} | ${name} | ${needs.join(', ')} | ${sees} |`);
  });
});

it('goes on behind what it finds, and knows that it does not know what was there', async () => {
  const book = new Book(await pagesOf((await ordered()).log));
  book.at('order-1@3').data.messageId = { $devalue: 'no' };
  book.at('order-1@11').data.dueAt = 5;
  expect(await foundIn(bound(book.pages))).toEqual(['27 order-1@3', '19 order-1@11']);
});

it('looks only for the invariants and in the stream that it is asked for', async () => {
  const book = new Book(await pagesOf((await ordered()).log));
  book.copy('order-1@1', 'order-1@2');
  book.copy('ledger-1@1', 'ledger-1@2');
  const events = bound(book.pages);
  expect(await foundIn(events)).toEqual(['9 order-1@3', '9 ledger-1@3']);
  expect(await foundIn(events, { stream: 'ledger-1' })).toEqual(['9 ledger-1@3']);
  expect(await foundIn(await logOf(events), { stream: 'ledger-1' })).toEqual(['9 ledger-1@3']);
  expect(await foundIn(events, { invariants: [13] })).toEqual([]);
});

it('says what it found in one line, with every event it was concluded from', async () => {
  const book = new Book(await pagesOf((await ordered()).log));
  book.copy('order-1@1', 'order-1@2');
  for await (const violation of violationsIn(bound(book.pages))) {
    expect(describeViolation(violation)).toBe(
      "9 message ids, order-1@3: message 'note' was received already. Events: order-1@3 EventReceived, order-1@1 EventReceived.",
    );
  }
});

it('leaves streams alone that are no actors', async () => {
  const { log } = await ordered();
  const [event] = bound(await pagesOf(log));
  const { stream: _, revision: __, position: ___, recordedAt: ____, ...foreign } = event!;
  await log.append('audit-trail', 'any', [{ ...foreign, id: 'entry-1', type: 'Written', data: '[1]', meta: {} }]);
  expect(await foundIn(log)).toEqual([]);
});

it('refuses what is no source, and options that there are not', async () => {
  await expect(audit('order-1' as never)).rejects.toThrow(InvalidArgumentError);
  await expect(audit(undefined as never)).rejects.toThrow('an EventLog, or an iterable of its events');
  await expect(audit([], { invariants: [7] })).rejects.toThrow('some of 1, 2, 8');
  await expect(audit([], { machine: {} } as never)).rejects.toThrow('machines');
});
