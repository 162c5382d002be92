/**
 * The inspector's server: the page and its API on 127.0.0.1. Owns the socket, the order of the checks, and how an answer leaves.
 *
 * IS1  It listens on the loopback alone, and answers nobody who does not have its token; see guard.ts.
 * IS2  It writes only where it was allowed to, and then only forks.
 * IS3  One request that goes wrong is answered, and disturbs no other.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { realClock } from '../clock.ts';
import { InvalidArgumentError, LogUnavailableError } from '../errors.ts';
import { requireOwnHost, requireOwnPage, requireToken } from './guard.ts';
import type { InspectorOptions } from './inspector-options.ts';
import type { PayloadMode } from '../replay/mask.ts';
import { loadPage, type Page } from './page.ts';
import { answerTo, Refusal } from './refusal.ts';
import { Routes } from './routes.ts';
import { sendJsonText } from './send-json.ts';

/** A server that runs. */
export interface Inspector {
  /** With the token in it. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const bodyMax = 2 ** 20;

/**
 * Starts the inspector of a log.
 * @throws LogUnavailableError the port is in use, or the page was not built
 */
export async function startInspector(options: InspectorOptions): Promise<Inspector> {
  const { port = 0, token = randomBytes(16).toString('base64url'), clock = realClock, payloads = 'full' } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw InvalidArgumentError.of('startInspector({ port })', 'a port number, or 0', port);
  }
  const page = loadPage();
  const closing = new AbortController();
  const routes = new Routes({ ...options, clock });
  const server = createServer();
  await listen(server, port);
  const guarded = { token, port: (server.address() as AddressInfo).port };
  server.on('request', (request, response) => {
    void answer(request, response, { page, routes, guarded, payloads, signal: closing.signal });
  });
  return {
    url: `http://127.0.0.1:${guarded.port}/?token=${token}`,
    port: guarded.port,
    async close() {
      closing.abort();
      await routes.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** IS1. */
function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE';
      const what = isTaken ? 'another program has it. Give another one with --port, or 0 for any' : error.message;
      reject(
        new LogUnavailableError(`The inspector cannot listen on port ${port} of 127.0.0.1: ${what}.`, false, {
          cause: error,
        }),
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

interface Serving {
  readonly page: Page;
  readonly routes: Routes;
  readonly guarded: { readonly token: string; readonly port: number };
  readonly payloads: PayloadMode;
  readonly signal: AbortSignal;
}

async function answer(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const leaving = new AbortController();
  response.on('close', () => leaving.abort());
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cache-control', 'no-store');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
  try {
    requireOwnHost(request, serving.guarded);
    const url = urlOf(request);
    if (url.pathname.startsWith('/api/')) {
      const signal = AbortSignal.any([serving.signal, leaving.signal]);
      await answerApi(request, response, url, { ...serving, signal });
    } else {
      answerPage(request, response, url, serving);
    }
  } catch (error) {
    if (leaving.signal.aborted || serving.signal.aborted) return;
    if (response.headersSent) return void response.destroy();
    const { status, body } = answerTo(error, serving.payloads);
    // What is left of a body that was too large must not be taken for the next request.
    if (!request.complete) response.setHeader('connection', 'close');
    sendJsonText(response, JSON.stringify(body), status);
  }
}

/** @throws Refusal */
function urlOf({ url = '/' }: IncomingMessage): URL {
  // A path that begins with two strokes would be read as the name of a host.
  const base = 'http://127.0.0.1';
  if (!url.startsWith('//') && URL.canParse(url, base)) return new URL(url, base);
  throw new Refusal(404, 'REWAKE_NOT_FOUND', `There is no '${url}' here.`);
}

function answerPage({ method }: IncomingMessage, response: ServerResponse, url: URL, { page }: Serving): void {
  if (method !== 'GET' && method !== 'HEAD') throw new Refusal(405, 'REWAKE_METHOD', `Expected GET, found ${method}.`);
  if (url.pathname !== '/') throw new Refusal(404, 'REWAKE_NOT_FOUND', `There is no '${url.pathname}' here.`);
  response.setHeader('content-security-policy', page.policy);
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.writeHead(200);
  response.end(method === 'HEAD' ? undefined : page.html);
}

async function answerApi(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { routes, guarded, signal }: Serving,
): Promise<void> {
  requireToken(request, url, guarded);
  const { method } = request;
  if (method !== 'GET' && method !== 'POST')
    throw new Refusal(405, 'REWAKE_METHOD', `Expected GET or POST, found ${method}.`);
  if (method === 'POST') requireOwnPage(request, guarded);
  const body = method === 'POST' ? await jsonBody(request) : undefined;
  const answered = await routes.answer({ method, url, body, response, signal });
  if (answered !== undefined) sendJsonText(response, JSON.stringify(answered));
}

async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyMax) throw new Refusal(413, 'REWAKE_TOO_LARGE', `Expected a body of at most ${bodyMax} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch (error) {
    throw new Refusal(400, 'REWAKE_INVALID_ARGUMENT', `The body is no JSON: ${(error as Error).message}.`);
  }
}
