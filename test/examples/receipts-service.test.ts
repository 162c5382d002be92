import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createActor, SimulatedClock, waitFor } from 'xstate';
import { seededFaults, type DrawFault, type FaultKind } from '../../examples/receipts/faults.ts';
import type { Entry } from '../../examples/receipts/ledger.ts';
import { receiptEffects } from '../../examples/receipts/receipt-effects.ts';
import { receiptMachine } from '../../examples/receipts/receipt-machine.ts';
import { createService, type ServiceStats } from '../../examples/receipts/service.ts';
import { VirtualClock } from 'rewake';

const dataDirectory = fileURLToPath(new URL('../../examples/receipts/data/', import.meta.url));
let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Listens with the faults of a script: the nth request to a path meets the nth fault, then none. */
async function listen(script: Readonly<Record<string, readonly FaultKind[]>> = {}): Promise<string> {
  const drawFault: DrawFault = (path, _key, nth) => ({ kind: script[path]?.[nth - 1] ?? 'none', delayMs: 0 });
  server = createService({ drawFault, clock: new VirtualClock() });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const booking = { merchant: 'Kiosk', number: '7', issuedOn: '2026-01-02', category: 'meals', eurCents: 450 };

const post = (url: string, key: string, body: object = booking, headers: Record<string, string> = {}) =>
  fetch(`${url}/ledger`, {
    method: 'POST',
    headers: { 'idempotency-key': key, ...headers },
    body: JSON.stringify(body),
  });

const get = async <Answer>(url: string) => (await (await fetch(url)).json()) as Answer;

describe('the service', () => {
  it('G1 books one key once', async () => {
    const url = await listen();
    const first = await post(url, 'a');
    const second = await post(url, 'a');
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(await second.json()).toEqual({ entry: 1 });
    expect(await get<ServiceStats>(`${url}/stats`)).toMatchObject({ requests: 2, entries: 1, replays: 1 });
  });

  it('G2 refuses a receipt number that is booked under another key', async () => {
    const url = await listen();
    await post(url, 'a');
    const second = await post(url, 'b');
    expect(second.status).toBe(409);
    expect(await second.text()).toContain('entry 1');
  });

  it('refuses a post without a key', async () => {
    const url = await listen();
    expect((await post(url, '')).status).toBe(400);
  });

  it('H1 books before it resets the connection, so that the next post is a replay', async () => {
    const url = await listen({ '/ledger': ['done-then-reset'] });
    await expect(post(url, 'a')).rejects.toThrow('fetch failed');
    expect(await get<Entry[]>(`${url}/ledger`)).toHaveLength(1);
    expect((await post(url, 'a')).status).toBe(200);
  });

  it('H1 books nothing when it resets, throttles or breaks', async () => {
    const url = await listen({ '/ledger': ['reset', 'throttled', 'broken', 'overloaded'] });
    await expect(post(url, 'a')).rejects.toThrow('fetch failed');
    const throttled = await post(url, 'a');
    expect([throttled.status, throttled.headers.get('retry-after')]).toEqual([429, '1']);
    expect([(await post(url, 'a')).status, (await post(url, 'a')).status]).toEqual([500, 503]);
    expect(await get<Entry[]>(`${url}/ledger`)).toEqual([]);
  });

  it('H2 counts requests of effects that were run again', async () => {
    const url = await listen();
    await post(url, 'a', booking, { 'effect-restarts': '0' });
    await post(url, 'a', booking, { 'effect-restarts': '2' });
    expect((await get<ServiceStats>(`${url}/stats`)).reruns).toBe(1);
  });

  it('leaves a request hanging until the client gives up', async () => {
    const url = await listen({ '/ledger': ['hang'] });
    const controller = new AbortController();
    const hanging = fetch(`${url}/ledger`, { method: 'POST', body: '{}', signal: controller.signal });
    await once(server!, 'request');
    controller.abort();
    await expect(hanging).rejects.toThrow('aborted');
  });
});

describe('the machine against the real service', () => {
  it('T2 books once although the connection is reset after the first booking', async () => {
    const serviceUrl = await listen({ '/categorize': ['broken'], '/ledger': ['done-then-reset', 'reset'] });
    const machine = receiptMachine.provide({ actors: receiptEffects({ dataDirectory, serviceUrl }) });
    const clock = new SimulatedClock();
    const actor = createActor(machine, { input: { file: '012-pl-sklep.txt' }, clock }).start();
    const isWaiting = (snapshot: ReturnType<typeof actor.getSnapshot>) =>
      snapshot.matches({ enriching: 'waiting' }) || snapshot.matches({ posting: 'waiting' });
    for (let failures = 0; failures < 3; failures++) {
      await waitFor(actor, isWaiting);
      clock.increment(2_000);
    }
    const { output } = await waitFor(actor, (snapshot) => snapshot.status === 'done');
    expect(output).toEqual({ outcome: 'posted', entry: 1, attempts: 5 });
    expect(await get<ServiceStats>(`${serviceUrl}/stats`)).toMatchObject({ entries: 1, replays: 1 });
  });
});

describe('seededFaults', () => {
  const draw = seededFaults(7);
  const drawn = Array.from({ length: 4_000 }, (_, index) => draw('/ledger', `receipt:${index}`, 1).kind);

  it('U1 draws the same fault for the same request', () => {
    expect(draw('/ledger', 'receipt:3', 2)).toEqual(seededFaults(7)('/ledger', 'receipt:3', 2));
  });

  it('draws every kind, and fails about a third of all requests', () => {
    expect(new Set(drawn).size).toBe(8);
    const failed = drawn.filter((kind) => kind !== 'none' && kind !== 'slow').length / drawn.length;
    expect(failed).toBeGreaterThan(0.28);
    expect(failed).toBeLessThan(0.36);
  });

  it('U2 draws none once a receipt has met enough', () => {
    for (let index = 0; index < 500; index++) expect(draw('/ledger', `receipt:${index}`, 6).kind).toBe('none');
  });
});
