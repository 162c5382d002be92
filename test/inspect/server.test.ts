/**
 * The inspector's server, asked over a real socket on the loopback.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { assign, emit, fromPromise, setup } from 'xstate';
import type {
  ActorsView,
  Blame,
  ChartView,
  EffectsView,
  FrameView,
  LogView,
  RawEvent,
  Row,
  RowsView,
  StreamView,
} from '../../src/inspect/api.ts';
import { EffectViews } from '../../src/inspect/effects-view.ts';
import type { InspectorOptions } from '../../src/inspect/inspector-options.ts';
import { loadPage } from '../../src/inspect/page.ts';
import { startInspector, type Inspector } from '../../src/inspect/server.ts';
import { tail } from '../../src/inspect/tail.ts';
import { createRuntime, memoryLog, VirtualClock, type EventLog } from '../../src/index.ts';
import type { Replay } from '../../src/replay/replay.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { logPath, withRawConnection } from '../stores/sqlite/log-files.ts';

const secret = 'hunter2-the-secret';

const order = setup({
  types: {
    context: {} as { total: number; note: string; receipt: string | null },
    input: {} as { note: string },
    events: {} as { type: 'ADD'; amount: number; why: string } | { type: 'PAY' },
    emitted: {} as { type: 'OrderPaid'; receipt: string },
  },
  actors: {
    charge: fromPromise(async ({ input }: { input: { total: number } }) => {
      if (input.total > 100) throw new Error(`declined: ${secret}`);
      return `${secret} receipt`;
    }),
  },
}).createMachine({
  id: 'order',
  context: ({ input }) => ({ total: 0, note: input.note, receipt: null }),
  initial: 'open',
  states: {
    open: {
      on: { ADD: { actions: assign({ total: ({ context, event }) => context.total + event.amount }) }, PAY: 'paying' },
    },
    paying: {
      invoke: {
        src: 'charge',
        input: ({ context }) => ({ total: context.total }),
        onDone: {
          target: 'paid',
          actions: [
            assign({ receipt: ({ event }) => event.output }),
            emit(({ event }) => ({ type: 'OrderPaid' as const, receipt: event.output })),
          ],
        },
      },
    },
    paid: { type: 'final' },
  },
});

const machines = { order };
const odd = 'order-ä/ö ?#%2F"<script>&\\';

async function fill(log: EventLog): Promise<void> {
  const clock = new VirtualClock();
  const runtime = await createRuntime({ log, machines, clock, keepLogOpen: true, lease: false });
  const paid = await runtime.start('order', { id: '1', input: { note: secret }, correlationId: 'visit-1' });
  await paid.send({ type: 'ADD', amount: 20, why: secret });
  await paid.send({ type: 'PAY' });
  await runtime.idle();
  const failed = await runtime.start('order', { id: '2', input: { note: secret }, correlationId: 'visit-2' });
  await failed.send({ type: 'ADD', amount: 200, why: secret });
  await failed.send({ type: 'PAY' });
  await runtime.idle();
  await runtime.start('order', { id: odd.slice('order-'.length), input: { note: secret }, correlationId: 'visit-3' });
  await runtime.close();
}

const open: Inspector[] = [];
afterEach(async () => {
  for (const inspector of open.splice(0)) await inspector.close();
});

async function inspecting(options: Partial<InspectorOptions> = {}) {
  const log = options.log ?? memoryLog();
  if (!options.log) await fill(log);
  const inspector = await startInspector({ machines, ...options, log });
  open.push(inspector);
  const token = new URL(inspector.url).searchParams.get('token')!;
  const base = `http://127.0.0.1:${inspector.port}`;
  const headers = { authorization: `Bearer ${token}` };
  const get = async <T>(path: string, status = 200): Promise<T> => {
    const response = await fetch(`${base}/api${path}`, { headers });
    const text = await response.text();
    expect([response.status, path, status === 200 ? '' : text]).toEqual([status, path, status === 200 ? '' : text]);
    return JSON.parse(text) as T;
  };
  const post = (path: string, body: unknown, more: Record<string, string> = {}) =>
    fetch(`${base}/api${path}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', ...more },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { log, inspector, token, base, headers, get, post };
}

type Refused = { readonly error: { readonly code: string; readonly message: string } };

describe('the inspector says', () => {
  it('what log it is', async () => {
    const { get } = await inspecting();
    expect(await get<LogView>('/log')).toMatchObject({
      ...{ name: 'memory log', payloads: 'full', allowWrite: false, isFile: false, machines: ['order'] },
    });
  });

  it('which actors there are, filtered and in pages', async () => {
    const { get } = await inspecting();
    const names = async (query: string) =>
      (await get<ActorsView>(`/actors?${query}`)).actors.map(({ stream }) => stream);
    expect(await names('')).toEqual(['order-1', 'order-2', odd]);
    expect(await names('failed=1')).toEqual(['order-2']);
    expect(await names('not.status=error&not.status=done')).toEqual([odd]);
    expect(await names('status=done&status=error')).toEqual(['order-1', 'order-2']);
    expect(await names('q=SCRIPT')).toEqual([odd]);
    expect(await names(`q=${encodeURIComponent('/^order-\\d$/')}`)).toEqual(['order-1', 'order-2']);
    expect(await names('correlation=visit-2')).toEqual(['order-2']);
    expect(await names('machine=other')).toEqual([]);
    expect(await names('not.machine=order')).toEqual([]);
    expect(await names('not.q=order-1')).toEqual(['order-2', odd]);
    expect(await names('not.correlation=visit-2')).toEqual(['order-1', odd]);
    for (const limit of ['-5', '2.5', 'abc']) await get(`/actors?limit=${limit}`, 400);
    expect((await get<ActorsView>('/actors?limit=0')).actors).toHaveLength(1);
    const first = await get<ActorsView>('/actors?limit=2');
    expect(first.actors).toHaveLength(2);
    expect(
      (await get<ActorsView>(`/actors?after=${encodeURIComponent(first.next!)}`)).actors.map(({ stream }) => stream),
    ).toEqual([odd]);
    expect((await get<Refused>(`/actors?q=${encodeURIComponent('/[/')}`, 400)).error.message).toContain(
      'no regular expression',
    );
  });

  it('what a stream is, line by line and frame by frame', async () => {
    const { get } = await inspecting();
    expect(await get<StreamView>('/streams/order-1')).toMatchObject({
      ...{ machine: 'order', source: 'code', first: 0, last: 4, correlationId: 'visit-1', hasChart: true, damaged: [] },
    });
    const { rows, next } = await get<RowsView>('/streams/order-1/rows?limit=3');
    expect(rows.map(({ revision, label, kind }) => `${revision} ${label} ${kind}`)).toEqual([
      '0 started start',
      '1 ADD event',
      '2 PAY event',
    ]);
    expect(next).toBe(3);
    const rest = await get<RowsView>('/streams/order-1/rows?from=3');
    expect(rest.rows.map(({ label, to }) => [label, to])).toEqual([
      ['charge done', 'paid'],
      ['OrderPaid', null],
    ]);
    const { frame, previous, next: following, lit } = await get<FrameView>('/streams/order-1/frames/4');
    expect(frame).toMatchObject({
      revision: 3,
      lastRevision: 4,
      label: 'charge done',
      settled: { outcome: 'succeeded' },
    });
    expect([previous, following]).toEqual([2, null]);
    expect(lit['/']!.states).toContain('order.paid');
    expect(lit['/']!.arrows).toEqual(['order.paying#0']);
    const { frame: second, next: third } = await get<FrameView>('/streams/order-1/frames/1');
    expect([second.at, third]).toEqual([rows[1]!.at, 2]);
  });

  it('how a machine is drawn', async () => {
    const { get } = await inspecting();
    const {
      chart,
      layouts: [{ states, arrows }],
    } = await get<ChartView>('/streams/order-1/charts/%2F');
    expect(chart.id).toBe('order');
    expect(Object.keys(states)).toEqual(expect.arrayContaining(['order.open', 'order.paying', 'order.paid']));
    expect(Object.keys(arrows)).toEqual(expect.arrayContaining(['order.open#1', 'order.paying#0']));
    await get<Refused>('/streams/order-1/charts/%2Fcharge%3A1?at=2', 404);
  });

  it('who set a value, what effects ran, and why it failed', async () => {
    const { get } = await inspecting();
    expect(await get<Blame>('/streams/order-1/blame?path=/context/total')).toMatchObject({
      ...{ value: 20, changed: { from: 0, to: 20, by: { revision: 1, label: 'ADD' } } },
    });
    const { bars } = await get<EffectsView>('/streams/order-2/effects');
    expect(bars).toMatchObject([
      { src: 'charge', outcome: 'failed', startedRevision: 2, endedRevision: 3, attempt: 1 },
    ]);
    expect(bars[0]!.error).toContain('declined');
    const { sentences } = await get<{ sentences: string[] }>('/streams/order-2/explain');
    expect(sentences.join(' ')).toContain('declined');
    const trace = await get<{ events: number; roots: { type: string }[] }>('/traces/visit-1');
    expect(trace).toMatchObject({
      events: 5,
      roots: expect.arrayContaining([expect.objectContaining({ type: 'ActorStarted' })]) as unknown,
    });
    expect(await get<object>('/streams/order-1/handlers')).toHaveProperty('history.runs');
  });

  it('what stands on record, and gives a stream away as a file', async () => {
    const { get, base, headers } = await inspecting();
    const raw = await get<RawEvent>('/streams/order-1/events/1');
    expect(raw).toMatchObject({ type: 'EventReceived', revision: 1, data: { event: { type: 'ADD', amount: 20 } } });
    const exported = await fetch(`${base}/api/streams/${encodeURIComponent(odd)}/export`, { headers });
    const lines = (await exported.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(lines.map(({ type }) => type)).toEqual(['export', 'actor', 'definition', 'event', 'end']);
    expect(exported.headers.get('content-disposition')).toContain(encodeURIComponent(odd));
  });

  it('what happens, as it happens', async () => {
    const log = memoryLog();
    await fill(log);
    const { base, token, get } = await inspecting({ log });
    const response = await fetch(`${base}/api/tail?stream=order-9&token=${token}`);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toContain('event: beat');
    const runtime = await createRuntime({ log, machines, keepLogOpen: true });
    await runtime.start('order', { id: '8', input: { note: '' } });
    const nine = await runtime.start('order', { id: '9', input: { note: '' } });
    // A name that begins so is another stream.
    await runtime.start('order', { id: '91', input: { note: '' } });
    await nine.send({ type: 'PAY' });
    let text = '';
    while (!text.includes('OrderPaid')) text += (await reader.read()).value;
    const rows = [...text.matchAll(/^event: row\ndata: (.*)$/gm)].map(([, row]) => JSON.parse(row!) as Row);
    expect(rows.map(({ stream, revision, label }) => `${stream} ${revision} ${label}`)).toEqual([
      ...['order-9 0 started', 'order-9 1 PAY', 'order-9 2 charge done', 'order-9 3 OrderPaid'],
    ]);
    expect((await get<RowsView>('/streams/order-9/rows')).rows).toEqual(rows);
    await runtime.close();
    await reader.cancel();
  });

  it('TA2: that it follows, once it knows from where on; and that it is there, from time to time', async () => {
    const log = memoryLog();
    const clock = new VirtualClock();
    const said: string[] = [];
    const { subscribe } = log;
    log.subscribe = (options) => {
      said.push('looks');
      return subscribe.call(log, options);
    };
    const response = {
      writeHead: () => said.push('head'),
      write: (text: string) => said.push(text.split('\n')[0]!),
      end: () => said.push('end'),
    } as unknown as ServerResponse;
    const leaving = new AbortController();
    const done = tail(log, null, { response, clock, signal: leaving.signal, sourceOf: () => Promise.reject() });
    await rest();
    expect(said).toEqual(['looks', 'head', 'event: beat', 'looks']);
    await clock.advance(30_000);
    expect(said.slice(4)).toEqual(['event: beat', 'event: beat']);
    leaving.abort();
    await done;
    await clock.advance(30_000);
    expect(said.slice(6)).toEqual(['end']);
  });

  it('what would have been', async () => {
    const { post } = await inspecting();
    const response = await post('/streams/order-2/what-if', {
      edits: [{ edit: 'drop', revision: 1 }],
      stubs: { charge: { output: 'r' } },
    });
    expect(response.status).toBe(200);
    const { firstDivergence } = (await response.json()) as { firstDivergence: number };
    expect(firstDivergence).toBeGreaterThan(-1);
    for (const strange of [{ stubs: 7 }, { stubs: { charge: 5 } }, { stubs: { charge: {} } }, { until: 'foo' }]) {
      const refused = await post('/streams/order-2/what-if', { edits: [], ...strange });
      expect([strange, refused.status]).toEqual([strange, 400]);
      expect(((await refused.json()) as Refused).error.message).toContain(`: ${Object.keys(strange)[0]}`);
    }
    const wrong = await post('/streams/order-2/what-if', { edits: [{ edit: 'drop', revision: 99 }] });
    expect(wrong.status).toBe(400);
    expect(((await wrong.json()) as Refused).error.message).toContain('the revision of a stimulus from 0 to 3');
  });

  it('everything but what takes code, without any', async () => {
    const { get, post } = await inspecting({ machines: {} });
    expect(await get<StreamView>('/streams/order-1')).toMatchObject({ source: 'log', hasChart: true });
    const { frame } = await get<FrameView>('/streams/order-1/frames/1');
    expect(frame.actors[0]).toMatchObject({ value: 'open', context: { total: 20 } });
    expect((await get<ChartView>('/streams/order-1/charts/%2F')).chart.id).toBe('order');
    const response = await post('/streams/order-1/what-if', { edits: [] });
    expect(response.status).toBe(400);
    expect(((await response.json()) as Refused).error.code).toBe('REWAKE_UNKNOWN_MACHINE');
  });
});

describe('a stream with an odd name', () => {
  it('is found by every path', async () => {
    const { get } = await inspecting();
    const path = `/streams/${encodeURIComponent(odd)}`;
    expect((await get<StreamView>(path)).stream).toBe(odd);
    for (const part of [
      'rows',
      'frames/0',
      'charts/%2F',
      'effects',
      'handlers',
      'explain',
      'events/0',
      'blame?path=/state',
    ]) {
      await get(`${path}/${part}`);
    }
  });
});

describe('what is not there', () => {
  it('is 404 by every path of a stream', async () => {
    const { base, token } = await inspecting();
    const parts = [
      '',
      '/rows',
      '/frames/0',
      '/charts/%2F',
      '/effects',
      '/handlers',
      '/explain',
      '/events/0',
      '/export',
    ];
    for (const part of [...parts, '/blame?path=/state']) {
      const response = await fetch(`${base}/api/streams/nope-1${part}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect([part, response.status]).toEqual([part, 404]);
      expect(((await response.json()) as Refused).error.message).toContain("'nope-1'");
    }
  });

  it('is 404 for a path that is none', async () => {
    const { base } = await inspecting();
    const { port } = new URL(base);
    const status = await new Promise((resolve, reject) => {
      httpRequest({ host: '127.0.0.1', port, path: '//' }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(404);
  });
});

describe('who may ask', () => {
  it('is who has the token', async () => {
    const { base, token } = await inspecting();
    for (const authorization of ['', 'Bearer wrong', `Bearer ${token}x`, `Basic ${token}`]) {
      const response = await fetch(`${base}/api/log`, { headers: { authorization } });
      expect(response.status).toBe(401);
      expect(((await response.json()) as Refused).error.message).toContain('The token is not the one of this server.');
    }
    expect((await fetch(`${base}/api/log?token=${token}`)).status).toBe(200);
  });

  it('GU2: is who calls the server by its name, for the page, too', async () => {
    const { inspector, headers } = await inspecting();
    const { port } = inspector;
    const asked = (host: string, path: string, address = '127.0.0.1') =>
      new Promise<number | string | undefined>((resolve) => {
        httpRequest({ port, host: address, path, headers: { ...headers, host } }, (response) =>
          resolve(response.resume().statusCode),
        )
          .on('error', ({ code }: NodeJS.ErrnoException) => resolve(code))
          .end();
      });
    for (const path of ['/api/log', '/']) {
      for (const host of [
        'evil.example',
        `evil.example:${port}`,
        '127.0.0.1',
        '127.0.0.1:1',
        `127.0.0.1.evil.example:${port}`,
      ])
        expect([path, host, await asked(host, path)]).toEqual([path, host, 403]);
      for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) expect(await asked(host, path)).toBe(200);
    }
    // IS1.
    expect(await asked(`127.0.0.1:${port}`, '/', '127.0.0.2')).toBe('ECONNREFUSED');
  });

  it('GU3: is the page itself where something is asked with a body', async () => {
    const { post, base, headers } = await inspecting();
    const path = '/streams/order-1/what-if';
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1', `${base}.evil.example`])
      expect([origin, (await post(path, {}, { origin })).status]).toEqual([origin, 403]);
    for (const origin of [base, base.replace('127.0.0.1', 'localhost')])
      expect((await post(path, {}, { origin })).status).toBe(200);
    for (const type of ['text/plain', 'text/plain; application/json', 'application/jsonx'])
      expect((await post(path, '{}', { 'content-type': type })).status).toBe(400);
    expect((await post('/streams/order-1/what-if', '{oops')).status).toBe(400);
    expect((await fetch(`${base}/api${path}`, { headers })).status).toBe(404);
    for (const method of ['PUT', 'DELETE'])
      expect((await fetch(`${base}/api/log`, { method, headers })).status).toBe(405);
    expect((await post('/streams/order-1/what-if', JSON.stringify('x'.repeat(2 ** 21)))).status).toBe(413);
  });

  it('gets a page that runs nothing but itself', async () => {
    const { base } = await inspecting();
    const page = await fetch(base);
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'sha256-[^']+'/);
    expect(policy).not.toContain('unsafe');
    expect(policy).toContain("frame-ancestors 'none'");
    for (const { headers } of [page, await fetch(`${base}/api/log`)]) {
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
    expect((await fetch(`${base}/other`)).status).toBe(404);
    expect((await fetch(base, { method: 'PUT' })).status).toBe(405);
  });
});

describe('what is not there', () => {
  it.each([
    ['/streams/order-404', 404, "'order-404'"],
    ['/streams/order-1/frames/99', 400, '99'],
    ['/streams/order-1/frames/x', 400, 'a whole number from 0'],
    ['/streams/order-1/events/99', 400, '99'],
    ['/streams/order-1/nothing', 404, 'There is no'],
    ['/nothing', 404, 'There is no'],
    ['/streams/order-1/blame', 400, 'path'],
    ['/streams/order-1/constructor', 404, 'There is no'],
    ['/streams/%E0%A4%A', 400, 'not encoded'],
  ])('%s is answered with %i', async (path, status, message) => {
    const { get } = await inspecting();
    expect((await get<Refused>(path, status)).error.message).toContain(message);
  });

  it('is a port that another program has', async () => {
    const { inspector, log } = await inspecting();
    await expect(startInspector({ log, port: inspector.port })).rejects.toThrow(
      `The inspector cannot listen on port ${inspector.port} of 127.0.0.1: another program has it.`,
    );
  });
});

describe('damage', () => {
  it('is shown in its place, and the rest is readable', async () => {
    const path = logPath();
    const written = sqliteLog(path);
    await fill(written);
    await written.close();
    withRawConnection(path, (db) =>
      db.exec(
        `UPDATE appends SET data = replace(data, '"amount":20,', '"amount":21,') WHERE data LIKE '%"amount":20,%'`,
      ),
    );
    await using log = sqliteLog(path, { readOnly: true });
    const { get } = await inspecting({ log });
    const { rows } = await get<RowsView>('/streams/order-1/rows');
    expect(rows.map(({ label }) => label)).toEqual(['started', 'damaged', 'PAY', 'charge done', 'OrderPaid']);
    const first = await get<RowsView>('/streams/order-1/rows?from=1&limit=1');
    expect([first.rows.map(({ label }) => label), first.next]).toEqual([['damaged'], 2]);
    const second = await get<RowsView>('/streams/order-1/rows?from=2&limit=1');
    expect([second.rows.map(({ label }) => label), second.next]).toEqual([['PAY'], 3]);
    expect((await get<FrameView>('/streams/order-1/frames/0')).frame.label).toBe('started');
    expect((await get<Refused>('/streams/order-1/frames/2', 409)).error.code).toBe('REWAKE_DAMAGED_RECORD');
    expect((await get<StreamView>('/streams/order-1')).damaged).toMatchObject([{ revision: 1 }]);
    withRawConnection(path, (db) => db.exec(`UPDATE appends SET data = substr(data, 1, 9) WHERE revision = 1`));
    const cut = await get<RowsView>('/streams/order-1/rows');
    expect(cut.rows.map(({ label }) => label)).toEqual(['started', 'damaged', 'PAY', 'charge done', 'OrderPaid']);
    expect(cut.rows[1]!.message).not.toContain('checksum');
  });
});

describe('payloads that are hidden', () => {
  it.each(['masked', 'none'] as const)('with %s are in no answer', async (payloads) => {
    const { get, base, headers, post } = await inspecting({ payloads });
    for (const stream of ['order-1', 'order-2']) {
      const parts = [
        '',
        '/rows',
        '/charts/%2F',
        '/effects',
        '/handlers',
        '/explain',
        '/blame?path=/context/note',
        '/blame?path=/context',
        '/blame?path=/error',
      ];
      for (let revision = 0; revision < 4; revision++) parts.push(`/frames/${revision}`, `/events/${revision}`);
      for (const part of parts) expect(JSON.stringify(await get(`/streams/${stream}${part}`))).not.toContain(secret);
      const exported = await fetch(`${base}/api/streams/${stream}/export`, { headers });
      expect(await exported.text()).not.toContain(secret);
    }
    for (const path of ['/traces/visit-1', '/traces/visit-2', '/actors', '/log'])
      expect(JSON.stringify(await get(path))).not.toContain(secret);
    const { bars } = await get<EffectsView>('/streams/order-2/effects');
    expect(bars[0]!.error).toBe('Error');
    const { frame } = await get<FrameView>('/streams/order-1/frames/1');
    expect(frame.label).toBe('ADD');
    expect(frame.actors[0]!.value).toBe('open');
    const hidden = { total: 0, note: '•••', receipt: null };
    expect(frame.actors[0]!.context).toEqual(payloads === 'masked' ? hidden : null);
    expect((await post('/streams/order-1/what-if', { edits: [] })).status).toBe(403);
  });

  it('are what an error says that a handler ran for, and not who ran, and when', async () => {
    const error = { name: 'Declined', message: secret };
    const handled = { handler: 'mend', scope: 'step', subject: 'pay', error };
    const mending = setup({ types: { emitted: {} as { type: 'HandlerStarted' } } }).createMachine({
      on: { FAIL: { actions: emit({ type: 'HandlerStarted' as const, ...handled }) } },
    });
    const log = memoryLog();
    const runtime = await createRuntime({ log, machines: { mending }, keepLogOpen: true, lease: false });
    await (await runtime.start('mending', { id: '1' })).send({ type: 'FAIL' });
    await runtime.close();
    const runsWith = async (payloads: 'full' | 'masked') => {
      const { get } = await inspecting({ log, payloads, machines: { mending } });
      return (await get<{ history: { runs: object[] } }>('/streams/mending-1/handlers')).history.runs;
    };
    expect(await runsWith('full')).toMatchObject([{ ...handled, revision: 2 }]);
    expect(await runsWith('masked')).toMatchObject([
      { ...handled, revision: 2, error: { name: 'Declined', message: '•••' } },
    ]);
  });

  it('are not quoted by what goes wrong', async () => {
    const log = memoryLog();
    await fill(log);
    const { readStream } = log;
    log.readStream = (stream, options) => {
      if (stream === 'order-2') throw new Error(`cannot read ${secret}`);
      return readStream.call(log, stream, options);
    };
    const told = async (payloads: 'full' | 'masked') => {
      const { get } = await inspecting({ log, payloads });
      return (await get<Refused>('/streams/order-2/events/0', 500)).error.message;
    };
    expect(await told('full')).toBe(`cannot read ${secret}`);
    expect(await told('masked')).toBe(
      'Payloads are hidden, and what went wrong may quote them. Start the inspector with --payloads full.',
    );
  });
});

describe('the effects of a stream', () => {
  it('EF3: are walked once, and from there on when it has grown', async () => {
    const log = memoryLog();
    await fill(log);
    const { get } = await inspecting({ log });
    const read: number[] = [];
    const { readStream } = log;
    log.readStream = (stream, options) => {
      read.push(options?.from ?? 0);
      return readStream.call(log, stream, options);
    };
    const first = await get<EffectsView>('/streams/order-1/effects');
    expect([first.bars.length, first.left]).toEqual([1, 0]);
    read.length = 0;
    expect(await get('/streams/order-1/effects')).toEqual(first);
    expect(read).toEqual([]);

    await get('/streams/order-2/effects');
    const runtime = await createRuntime({ log, machines, keepLogOpen: true, lease: false });
    await runtime.rewind('order-2', { to: 1 });
    await runtime.close();
    read.length = 0;
    const { bars } = await get<EffectsView>('/streams/order-2/effects');
    expect(bars).toMatchObject([{ outcome: 'failed', startedRevision: 2 }]);
    expect(read.every((from) => from > 3)).toBe(true);
  });

  it('EF3: are the newest ones where there are very many', async () => {
    const views = new EffectViews('full');
    const frame = (revision: number) => ({
      ...{ revision, lastRevision: revision, at: revision, settled: null, payload: null, facts: [] },
      started: [{ actor: `/call:${revision}`, src: 'call', restarts: 0 }],
      effects: [{ actor: `/call:${revision}`, src: 'call', restarts: 0 }],
    });
    const replay = {
      ...{ first: 0, last: 9_999 },
      async *frames({ from }: { from: number }) {
        for (let revision = from; revision < 10_000; revision++) yield frame(revision);
      },
    } as unknown as Replay;
    const { bars, left } = await views.of(replay, new AbortController().signal);
    expect([bars.length, left, bars[0]!.startedRevision, bars.at(-1)!.outcome]).toEqual([
      2_000,
      8_000,
      8_000,
      'running',
    ]);
    expect(bars.at(-1)!.attempt).toBe(10_000);
    const gone = new AbortController();
    gone.abort();
    await expect(new EffectViews('full').of(replay, gone.signal)).rejects.toThrow('abort');
  });
});

describe('the first lines of a stream', () => {
  it('IR2: are there before it is walked', async () => {
    const log = memoryLog();
    await fill(log);
    const runtime = await createRuntime({ log, machines, keepLogOpen: true, lease: false });
    const long = await runtime.get(odd);
    for (let amount = 0; amount < 200; amount++) await long.send({ type: 'ADD', amount, why: '' });
    await runtime.close();
    let furthest = 0;
    const { readStream } = log;
    log.readStream = (stream, options) => {
      furthest = Math.max(furthest, options?.from ?? 0);
      return readStream.call(log, stream, options);
    };
    const { get } = await inspecting({ log });
    const path = `/streams/${encodeURIComponent(odd)}`;
    await get(path);
    await get(`${path}/rows?from=3&limit=1`);
    expect(furthest).toBe(3);
    await get(`${path}/frames/200`);
    expect(furthest).toBeGreaterThan(64);
  });
});

describe('the page', () => {
  it('is looked for in the package alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rewake-page-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'dist', 'inspector'), { recursive: true });
    writeFileSync(join(folder, 'dist', 'inspector', 'index.html'), '<p>another program</p>');
    mkdirSync(join(folder, 'node_modules', 'rewake'), { recursive: true });
    writeFileSync(join(folder, 'node_modules', 'rewake', 'package.json'), '{}');
    expect(() => loadPage(join(folder, 'node_modules', 'rewake', 'src', 'inspect', 'page.ts'))).toThrow(
      "Run 'npm run build'",
    );
    expect(loadPage().html).toContain('<title>');
  });
});

describe('a fork from the page', () => {
  it('is refused by an inspector that only reads', async () => {
    const { post, log } = await inspecting();
    const response = await post('/streams/order-1/fork', { at: 1, id: 'copy' });
    expect(response.status).toBe(403);
    expect((await log.head('order-copy')).state).toBe('absent');
  });

  it('is written by one that may', async () => {
    const { post, get } = await inspecting({ allowWrite: true });
    const edits = [{ edit: 'replace', revision: 1, with: { event: { type: 'ADD', amount: 7, why: '' } } }];
    const response = await post('/streams/order-1/fork', { at: 1, id: 'copy', edits });
    expect([response.status, await response.json()]).toEqual([200, { stream: 'order-copy' }]);
    const { frame } = await get<FrameView>('/streams/order-copy/frames/1');
    expect(frame.actors[0]!.context).toMatchObject({ total: 7 });
    expect((await post('/streams/order-1/fork', { at: 1, id: 'copy' })).status).toBe(409);
    const inserted = await post('/streams/order-1/fork', {
      at: 1,
      id: 'other',
      edits: [{ edit: 'insert', after: 1, event: { type: 'PAY' } }],
    });
    expect(inserted.status).toBe(400);
    const dropped = await post('/streams/order-1/fork', { at: 2, id: 'less', edits: [{ edit: 'drop', revision: 1 }] });
    expect(dropped.status).toBe(200);
    expect((await get<FrameView>('/streams/order-less/frames/1')).frame.label).toBe('PAY');
  });

  it.each<[what: string, edits: unknown, message: string]>([
    [
      'content of another kind',
      [{ edit: 'replace', revision: 1, with: { output: 'x' } }],
      'other content for revision 1 (EventReceived): expected \'event\', found "output".',
    ],
    [
      'what is not copied',
      [{ edit: 'drop', revision: 2 }],
      'edits[0].revision: expected the revision of a stimulus from 0 to 1, found 2.',
    ],
    [
      'what only a past in memory can have',
      [{ edit: 'move', revision: 1, after: 0 }],
      'edits[0]: an event can be put in or moved only in memory.',
    ],
    ['no list', 'all', 'edits: expected a list of edits, found "all".'],
  ])('with edits is not one without them: %s', async (_, edits, message) => {
    const { post, log } = await inspecting({ allowWrite: true });
    const refused = await post('/streams/order-1/fork', { at: 1, id: 'copy', edits });
    expect(refused.status).toBe(400);
    expect(((await refused.json()) as Refused).error.message).toContain(message);
    expect((await log.head('order-copy')).state).toBe('absent');
  });

  it('runs no effect that it begins: the next host does', async () => {
    const { post, get, log } = await inspecting({ allowWrite: true });
    expect((await post('/streams/order-1/fork', { at: 2, id: 'copy' })).status).toBe(200);
    const { last } = await get<StreamView>('/streams/order-copy');
    const { frame } = await get<FrameView>(`/streams/order-copy/frames/${last}`);
    expect([frame.actors[0]!.value, frame.effects.length]).toEqual(['paying', 1]);
    const types: string[] = [];
    for await (const { type } of log.readStream('order-copy')) types.push(type);
    expect(types).not.toContain('EffectSucceeded');
  });
});
