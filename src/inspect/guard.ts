/**
 * Who may ask the server. Owns the checks that come before anything is read.
 *
 * GU1  Only who has the token is answered, but for the page itself, which holds no data.
 * GU2  The name that the server was called by is one of its own: a foreign page that points its name at 127.0.0.1 is refused.
 * GU3  What changes something comes from the page itself, as JSON.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.ts';

export interface Guarded {
  readonly token: string;
  readonly port: number;
}

/** GU2. @throws Refusal */
export function requireOwnHost({ headers }: IncomingMessage, { port }: Guarded): void {
  const names = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (names.includes(headers.host ?? '')) return;
  throw new Refusal(
    403,
    'REWAKE_FOREIGN_HOST',
    `This server is called ${names[0]}, not '${headers.host ?? ''}'. Open the URL that was printed.`,
  );
}

/** GU1. @throws Refusal */
export function requireToken(request: IncomingMessage, url: URL, { token }: Guarded): void {
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const given = Buffer.from(bearer ?? url.searchParams.get('token') ?? '');
  const expected = Buffer.from(token);
  if (given.length === expected.length && timingSafeEqual(given, expected)) return;
  throw new Refusal(
    401,
    'REWAKE_WRONG_TOKEN',
    'The token is not the one of this server. Open the URL that was printed when it started.',
  );
}

/** GU3. @throws Refusal */
export function requireOwnPage({ headers }: IncomingMessage, { port }: Guarded): void {
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://127.0.0.1:${port}` && origin !== `http://localhost:${port}`) {
    throw new Refusal(403, 'REWAKE_FOREIGN_ORIGIN', `A page of '${origin}' may not ask for this.`);
  }
  if (!/^application\/json\b/.test(headers['content-type'] ?? '')) {
    throw new Refusal(
      400,
      'REWAKE_NO_JSON',
      `Expected a body of type application/json, found '${headers['content-type'] ?? 'none'}'.`,
    );
  }
}
