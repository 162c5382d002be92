/**
 * The page's way to its server: requests with the token in them, and failures as one class. Owns the requests; what is asked
 * is in src/inspect/api.ts.
 *
 * PA1  Whatever goes wrong is an ApiFailure with a message that a person can act on.
 * PA2  The token is in headers, in links and in the storage of the tab: never in the address bar after the first paint.
 */
import type { ApiError } from '../../../src/inspect/api.ts';
import type { Api } from '../panel-props.ts';

/** The server said no, or nothing. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly code: string;
  /** Of HTTP; 0 where no answer came. */
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** What panels are given, and requests that can be called off. */
export interface PageApi extends Api {
  get<T>(path: string, signal?: AbortSignal): Promise<T>;
}

export interface ApiPlace {
  /** What the paths of the API begin with: ends in `/api`. */
  readonly base: string;
  readonly token: string | undefined;
}

export function httpApi({ base, token }: ApiPlace, fetchIt: typeof fetch = fetch): PageApi {
  const ask = async <T>(path: string, init: RequestInit): Promise<T> => {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (init.body !== undefined) headers['content-type'] = 'application/json';
    let response: Response;
    try {
      response = await fetchIt(base + path, { ...init, headers });
    } catch (error) {
      if (wasCalledOff(error)) throw error;
      throw new ApiFailure('UNREACHABLE', 0, 'The inspector’s server does not answer. Start `rewake inspect` again.');
    }
    if (!response.ok) throw await failureOf(response);
    try {
      return (await response.json()) as T;
    } catch (error) {
      if (wasCalledOff(error)) throw error;
      throw new ApiFailure('UNREADABLE', response.status, `The answer to ${path} is no JSON, or broke off. Try again.`);
    }
  };
  return {
    get: (path, signal) => ask(path, signal ? { signal } : {}),
    post: (path, body) => ask(path, { method: 'POST', body: JSON.stringify(body) }),
    url(path) {
      if (token === undefined) return base + path;
      return `${base}${path}${path.includes('?') ? '&' : '?'}token=${encodeURIComponent(token)}`;
    },
  };
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const { status } = response;
  const said = (await response.json().catch(() => undefined)) as Partial<ApiError> | undefined;
  if (said?.error) return new ApiFailure(said.error.code, status, said.error.message);
  if (status === 401) {
    const message = 'The server wants a token. Open the address that `rewake inspect` printed: it has the token in it.';
    return new ApiFailure('UNAUTHORIZED', status, message);
  }
  return new ApiFailure('HTTP', status, `The server answered with status ${status}.`);
}

/** Whether a request ended because the page no longer wanted it. */
export function wasCalledOff(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** Whatever was thrown, as what can be shown. */
export function failureFrom(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error;
  return new ApiFailure('BUG', 0, error instanceof Error ? error.message : String(error));
}

/** Where the API is, seen from the page: beside it. */
export function apiBaseOf(pathname: string): string {
  return `${pathname.replace(/[^/]*\.html?$/, '').replace(/\/+$/, '')}/api`;
}

/** An address without its token, and the token. */
export function takeToken(search: string): { readonly token: string | undefined; readonly rest: string } {
  const params = new URLSearchParams(search);
  const token = params.get('token') ?? undefined;
  params.delete('token');
  const rest = params.toString();
  return { token, rest: rest === '' ? '' : `?${rest}` };
}
