/**
 * Whether a host lives and is ready, for those who watch processes. Owns the two addresses; on this machine alone.
 *
 *   GET /livez    200 as long as the process answers
 *   GET /readyz   200 while actors are run; 503 before and after
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { UsageError } from './usage-error.ts';

export interface Health extends AsyncDisposable {
  /** The port that answers. */
  readonly port: number;
  isReady: boolean;
}

/** @throws UsageError when the port is taken, or may not be used */
export async function openHealth(port: number): Promise<Health> {
  const server = createServer(({ method, url }, response) => {
    const known: { readonly [path: string]: boolean } = { '/livez': true, '/readyz': health.isReady };
    const path = url?.split('?')[0] ?? '';
    const answer = Object.hasOwn(known, path) ? (known[path] ? 200 : 503) : 404;
    response.writeHead(method === 'GET' || method === 'HEAD' ? answer : 405, { 'content-type': 'text/plain' });
    response.end(method === 'HEAD' ? '' : `${answer === 200 ? 'ok' : answer === 503 ? 'not ready' : 'not found'}\n`);
  });
  const health = {
    port,
    isReady: false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
  server.listen({ host: '127.0.0.1', port });
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'another process listens there' : message;
    throw new UsageError(`--health: port ${port} cannot be used: ${why}. Give another one, or 0 for any that is free.`);
  }
  const address = server.address();
  return Object.assign(health, { port: typeof address === 'object' && address ? address.port : port });
}
