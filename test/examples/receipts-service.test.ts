import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { seededFaults, type DrawFault, type FaultKind, type Outage } from '../../examples/receipts/faults.ts';
import type { Entry } from '../../examples/receipts/ledger.ts';
import { parseReceipt } from '../../examples/receipts/parse-receipt.ts';
import { ReceiptProblemError } from '../../examples/receipts/receipt-facts.ts';
import { receiptMachine } from '../../examples/receipts/receipt-machine.ts';
import { call } from '../../examples/receipts/service-client.ts';
import { createService, type ServiceStats } from '../../examples/receipts/service.ts';
import { createRuntime, VirtualClock } from 'rewake';
import { classify, recoveryMachines } from 'rewake/machines';
import { bytesOf } from './receipts-stage.ts';

let server: Server | undefined;
let clock = new VirtualClock();

afterEach(() => {
  clock = new VirtualClock();
  server?.closeAllConnections();
  server?.close();
});

/** Listens with the faults of a script: the nth request to a path meets the nth fault, then none. */
async function listen(
  script: Readonly<Record<string, readonly FaultKind[]>> = {},
  outages: readonly Outage[] = [],
): Promise<string> {
  const drawFault: DrawFault = (path, _key, nth) => ({ kind: script[path]?.[nth - 1] ?? 'none', delayMs: 0 });
  server = createService({ drawFault, outages, clock });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const booking = { merchant: 'Kiosk', number: '7', issuedOn: '2026-01-02', currency: 'PLN', total: 2_000 };

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
    expect(await second.json()).toEqual({ entry: 1, eurCents: 470 });
    expect(await get<ServiceStats>(`${url}/stats`)).toMatchObject({ requests: 2, entries: 1, replays: 1 });
  });

  it('G2 refuses a receipt number that is booked under another key', async () => {
    const url = await listen();
    await post(url, 'a');
    const second = await post(url, 'b');
    expect(second.status).toBe(422);
    expect(await second.json()).toMatchObject({
      code: 'duplicate',
      detail: expect.stringContaining('entry 1') as string,
    });
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

  it('reads a receipt, overlooks a line where that is its fault, and says what is no receipt', async () => {
    const url = await listen({ '/mini': ['none', 'misread'] });
    const text = bytesOf('002-de-supermarkt.txt').toString('utf8');
    const ask = (path: string, body: object) =>
      fetch(`${url}${path}`, { method: 'POST', headers: { 'idempotency-key': 'a' }, body: JSON.stringify(body) });
    const parsed = parseReceipt(text);
    expect(await (await ask('/vision', { text })).json()).toEqual(parsed.ok && parsed.value);
    expect(await (await ask('/mini', { text })).json()).toMatchObject({ lines: { length: 3 } });
    expect(await (await ask('/mini', { text })).json()).toMatchObject({ lines: { length: 2 } });
    const refused = await ask('/vision', { text: 'a cat' });
    expect([refused.status, await refused.json()]).toMatchObject([422, { code: 'unknown-layout' }]);
  });

  it('U3 is down from the nth request on, on one path, until the outage is over', async () => {
    const url = await listen({}, [{ path: '/ledger', nth: 2, forMs: 1_000 }]);
    const statuses = async () => (await post(url, 'a')).status;
    expect([await statuses(), await statuses()]).toEqual([201, 503]);
    expect((await fetch(`${url}/vision`, { method: 'POST', body: '{"text":"a cat"}' })).status).toBe(422);
    clock.jump(999);
    expect(await statuses()).toBe(503);
    clock.jump(1);
    expect(await statuses()).toBe(200);
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

describe('a call to the service', () => {
  const ask = (url: string) => call(url, { path: '/ledger', key: 'a', body: booking }, new AbortController().signal);
  const failureOf = (url: string) => ask(url).catch((error: unknown) => error);

  it('E1 fails with what a step can decide by', async () => {
    const url = await listen({ '/ledger': ['throttled', 'broken', 'reset'] });
    const throttled = await failureOf(url);
    expect(throttled).toMatchObject({ status: 429, retryAfter: '1' });
    expect(classify(throttled).class).toBe('throttled');
    expect(classify(await failureOf(url)).class).toBe('server');
    expect(classify(await failureOf(url)).class).toBe('transient');
    expect(await ask(url)).toEqual({ entry: 1, eurCents: 470 });
  });

  it('E1 says what the service has against the receipt, which is final and no fault of the service', async () => {
    const url = await listen();
    await post(url, 'another');
    const refused = await failureOf(url);
    expect(refused).toBeInstanceOf(ReceiptProblemError);
    expect(refused).toMatchObject({ code: 'duplicate' });
    expect(classify(refused)).toMatchObject({ retryable: false, breaker: 'ignored' });
  });
});

describe('the machine against the real service', () => {
  it('F2 books once although the connection is reset after the first booking', async () => {
    const serviceUrl = await listen({ '/vision': ['broken'], '/ledger': ['done-then-reset', 'reset'] });
    const receipt = receiptMachine({
      readFile: (file) => Promise.resolve(bytesOf(file)),
      call: (request, signal) => call(serviceUrl, request, signal),
    });
    await using runtime = await createRuntime({ machines: { receipt, ...recoveryMachines } });
    const ref = await runtime.start('receipt', { id: '1', input: '012-pl-sklep.txt' });
    expect(await ref.output()).toEqual({ entry: 1 });
    expect(await get<ServiceStats>(`${serviceUrl}/stats`)).toEqual({ requests: 5, entries: 1, replays: 1 });
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
