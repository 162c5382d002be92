import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createActor, waitFor } from 'xstate';
import { CallError } from '../../examples/receipts/call-error.ts';
import { decodeReceipt, type Parsed } from '../../examples/receipts/parse-receipt.ts';
import type { CallInput, Enrichment, LedgerEntry, PostInput } from '../../examples/receipts/receipt-facts.ts';
import { receiptMachine } from '../../examples/receipts/receipt-machine.ts';
import { createRuntime, effect, memoryLog, VirtualClock, type EffectContext, type EventLog } from 'rewake';

const directory = new URL('../../examples/receipts/data/', import.meta.url);
const files = readdirSync(directory).filter((file) => file.endsWith('.txt'));

type Post = (input: PostInput, context: EffectContext) => Promise<LedgerEntry>;

/** The machine with effects that answer at once, except for what `post` does. */
function machineWith(post: Post) {
  return receiptMachine.provide({
    actors: {
      readReceipt: effect<Parsed<string>, { readonly file: string }>(({ input }) =>
        decodeReceipt(readFileSync(new URL(input.file, directory))),
      ),
      enrich: effect<Enrichment, CallInput>(() => ({ category: 'meals', eurCents: 100 })),
      post: effect<LedgerEntry, PostInput>(({ input, context }) => post(input, context)),
    },
  });
}

function host(log: EventLog, post: Post, clock = new VirtualClock()) {
  return createRuntime({ log, machines: { receipt: machineWith(post) }, clock, lease: false, keepLogOpen: true });
}

const entryFive: Post = () => Promise.resolve({ entry: 5 });

describe('the receipt machine hosted by rewake', () => {
  it('ends every receipt as plain createActor does', async () => {
    const runtime = await host(memoryLog(), entryFive);
    const hosted = await Promise.all(
      files.map(async (file) => (await runtime.start('receipt', { id: file, input: { file } })).output()),
    );
    const plain = await Promise.all(
      files.map(async (file) => {
        const actor = createActor(machineWith(entryFive), { input: { file } }).start();
        return (await waitFor(actor, ({ status }) => status === 'done')).output;
      }),
    );
    expect(hosted).toEqual(plain);
    expect(hosted.filter((output) => output.outcome === 'rejected')).toHaveLength(13);
    await runtime.close();
  });

  it('T2 posts again under the same keys after its host is gone', async () => {
    const log = memoryLog();
    const seen: { ledgerKey: string; effectKey: string; restarts: number }[] = [];
    const note = (input: PostInput, { idempotencyKey, restarts }: EffectContext) =>
      seen.push({ ledgerKey: input.ledgerKey, effectKey: idempotencyKey, restarts });

    // The first host is abandoned while its post is under way, as a killed process would be.
    let reached = () => {};
    const underWay = new Promise<void>((resolve) => (reached = resolve));
    const first = await host(log, (input, context) => {
      note(input, context);
      reached();
      return new Promise<LedgerEntry>(() => {});
    });
    await first.start('receipt', { id: '1', input: { file: files[1]! } });
    await underWay;

    const second = await host(log, (input, context) => {
      note(input, context);
      return entryFive(input, context);
    });
    const ref = await second.start('receipt', { id: '1', input: { file: files[1]! } });
    expect(await ref.output()).toEqual({ outcome: 'posted', entry: 5, attempts: 2 });
    expect(seen).toHaveLength(2);
    expect(seen[1]).toEqual({ ...seen[0], restarts: 1 });
    await second.close();
  });

  it('waits out a backoff that began in another process, from where it was', async () => {
    const log = memoryLog();
    const throttled: Post = () =>
      Promise.reject(new CallError({ reason: 'throttled', detail: '429', retryAfterMs: 5_000 }));
    const firstClock = new VirtualClock();
    const first = await host(log, throttled, firstClock);
    const abandoned = await first.start('receipt', { id: '1', input: { file: files[1]! } });
    await abandoned.waitFor((snapshot) => snapshot.matches({ posting: 'waiting' }));

    const laterClock = new VirtualClock(firstClock.now() + 3_000);
    const second = await host(log, entryFive, laterClock);
    const ref = await second.start('receipt', { id: '1', input: { file: files[1]! } });
    expect(laterClock.nextDue()).toBe(firstClock.now() + 5_000);
    await laterClock.advance(2_000);
    expect(await ref.output()).toMatchObject({ outcome: 'posted', attempts: 3 });
    await second.close();
  });
});
