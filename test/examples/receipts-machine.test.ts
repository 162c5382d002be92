import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock, type ActorRefFrom } from 'xstate';
import { CallError, type CallFailure } from '../../examples/receipts/call-error.ts';
import { decodeReceipt, type Parsed } from '../../examples/receipts/parse-receipt.ts';
import type {
  CallInput,
  Enrichment,
  LedgerEntry,
  PostInput,
  ReceiptFact,
} from '../../examples/receipts/receipt-facts.ts';
import { attemptsMax, attemptTimeoutMs, receiptMachine } from '../../examples/receipts/receipt-machine.ts';

/** What a scripted call does: answer, fail, or never come back. */
type Scripted<Answer> = { answer: Answer } | { failure: CallFailure } | 'silence';

const directory = new URL('../../examples/receipts/data/', import.meta.url);
const enrichment: Enrichment = { category: 'groceries', eurCents: 630 };

/** Lets promises that are settled reach the machine; no time passes. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

function next<Answer>(script: Scripted<Answer>[]): Promise<Answer> {
  const step = script.shift();
  if (step === undefined) throw new Error('The script has no further step.');
  if (step === 'silence') return new Promise<Answer>(() => {});
  return 'answer' in step ? Promise.resolve(step.answer) : Promise.reject(new CallError(step.failure));
}

interface Scene {
  readonly clock: SimulatedClock;
  readonly facts: ReceiptFact[];
  readonly posts: PostInput[];
  readonly actor: ActorRefFrom<typeof receiptMachine>;
}

/** Runs the machine under plain createActor with scripted actors and a clock that stands still. */
function play(
  file: string,
  enrich: Scripted<Enrichment>[] = [{ answer: enrichment }],
  post: Scripted<LedgerEntry>[] = [{ answer: { entry: 1 } }],
): Scene {
  const clock = new SimulatedClock();
  const facts: ReceiptFact[] = [];
  const posts: PostInput[] = [];
  const machine = receiptMachine.provide({
    actors: {
      readReceipt: fromPromise<Parsed<string>, { readonly file: string }>(async ({ input }) =>
        decodeReceipt(readFileSync(new URL(input.file, directory))),
      ),
      enrich: fromPromise<Enrichment, CallInput>(() => next(enrich)),
      post: fromPromise<LedgerEntry, PostInput>(({ input }) => {
        posts.push(input);
        return next(post);
      }),
    },
  });
  const actor = createActor(machine, { input: { file }, clock });
  actor.on('*', (fact) => facts.push(fact));
  actor.start();
  return { clock, facts, posts, actor };
}

const good = '002-de-supermarkt.txt';
const reset: CallFailure = { reason: 'reset', detail: 'ECONNRESET' };

describe('the receipt machine under plain createActor', () => {
  it('posts a good receipt', async () => {
    const { actor, facts } = play(good);
    await settle();
    expect(actor.getSnapshot().output).toEqual({ outcome: 'posted', entry: 1, attempts: 2 });
    expect(facts.map(({ type }) => type)).toEqual(['ReceiptParsed', 'ReceiptPosted']);
  });

  it.each([
    ['047-en-grocer.txt', 'empty'],
    ['082-de-supermarkt.txt', 'binary'],
    ['094-es-gasolinera.txt', 'total-missing'],
    ['161-en-grocer.txt', 'refund'],
    ['171-de-supermarkt.txt', 'sum-mismatch'],
    ['no-such-file.txt', 'unreadable'],
  ])('T1 rejects %s as %s without calling anyone', async (file, code) => {
    const { actor, facts } = play(file, [], []);
    await settle();
    expect(actor.getSnapshot().output).toMatchObject({ outcome: 'rejected', rejection: { code }, attempts: 0 });
    expect(facts.at(-1)).toMatchObject({ type: 'ReceiptRejected', code });
  });

  it('T1 rejects what the ledger refuses, without another attempt', async () => {
    const refused: CallFailure = { reason: 'refused', code: 'duplicate', detail: 'entry 7' };
    const { actor } = play(good, [{ answer: enrichment }], [{ failure: refused }]);
    await settle();
    expect(actor.getSnapshot().output).toMatchObject({
      rejection: { code: 'duplicate', detail: 'entry 7' },
      attempts: 2,
    });
  });

  it('tries again after a failure, and waits longer every time', async () => {
    const { actor, clock, facts } = play(good, [{ failure: reset }, { failure: reset }, { answer: enrichment }]);
    await settle();
    expect(actor.getSnapshot().value).toEqual({ enriching: 'waiting' });
    clock.increment(60);
    await settle();
    clock.increment(120);
    await settle();
    expect(actor.getSnapshot().value).toBe('posted');
    const [first, second] = facts.filter((fact) => fact.type === 'AttemptFailed');
    expect([first?.attempt, second?.attempt]).toEqual([1, 2]);
    expect(first?.delayMs).toBeGreaterThanOrEqual(30);
    expect(first?.delayMs).toBeLessThanOrEqual(60);
    expect(second?.delayMs).toBeGreaterThanOrEqual(60);
    expect(second?.delayMs).toBeLessThanOrEqual(120);
  });

  it('gives an attempt up that does not answer in time', async () => {
    const { actor, clock, facts } = play(good, ['silence', { answer: enrichment }]);
    await settle();
    clock.increment(attemptTimeoutMs - 1);
    expect(actor.getSnapshot().value).toEqual({ enriching: 'calling' });
    clock.increment(1);
    expect(facts.at(-1)).toMatchObject({ type: 'AttemptFailed', step: 'enrich', reason: 'timeout' });
    clock.increment(60);
    await settle();
    expect(actor.getSnapshot().value).toBe('posted');
  });

  it('T3 waits as long as Retry-After asks for', async () => {
    const throttled: CallFailure = { reason: 'throttled', detail: '429', retryAfterMs: 1000 };
    const { actor, clock } = play(good, [{ failure: throttled }, { answer: enrichment }]);
    await settle();
    clock.increment(999);
    await settle();
    expect(actor.getSnapshot().value).toEqual({ enriching: 'waiting' });
    clock.increment(1);
    await settle();
    expect(actor.getSnapshot().value).toBe('posted');
  });

  it('T2 posts every attempt under the same key', async () => {
    const { clock, posts } = play(good, undefined, [{ failure: reset }, { answer: { entry: 4 } }]);
    await settle();
    clock.increment(60);
    await settle();
    expect(posts.map(({ ledgerKey, attempt }) => [ledgerKey, attempt])).toEqual([
      [`receipt:${good}`, 1],
      [`receipt:${good}`, 2],
    ]);
  });

  it('T1 parks a receipt after its last attempt and goes on when it is told to', async () => {
    const failures = Array.from({ length: attemptsMax }, () => ({ failure: reset }));
    const { actor, clock, facts, posts } = play(good, undefined, [...failures, { answer: { entry: 9 } }]);
    await settle();
    for (let attempt = 1; attempt < attemptsMax; attempt++) {
      clock.increment(2_000);
      await settle();
    }
    expect(actor.getSnapshot().value).toBe('failed');
    expect(actor.getSnapshot().hasTag('settled')).toBe(true);
    expect(facts.at(-1)).toMatchObject({ type: 'ReceiptParked', reason: 'reset' });
    expect(posts).toHaveLength(attemptsMax);

    actor.send({ type: 'receipt.retry' });
    await settle();
    expect(actor.getSnapshot().output).toMatchObject({ outcome: 'posted', entry: 9 });
  });
});
