/**
 * Permalinks: which page is shown, as the hash of the address. Owns the notation.
 *
 *   #/?filter=…                                                    the actors of the log
 *   #/streams/<stream>@<revision>?panel=…&actor=…&filter=…         a frame of a stream; without @ its newest
 *   #/traces/<correlation id>                                      what one correlation id caused
 *
 * RT1  parseRoute(formatRoute(route)) is route.
 * RT2  Every hash is a route: what is none leads to a page that says so.
 */
export interface ActorsRoute {
  readonly page: 'actors';
  readonly filter: string;
}

export interface StreamRoute {
  readonly page: 'stream';
  readonly stream: string;
  /** Undefined for the newest frame. */
  readonly revision: number | undefined;
  /** Id of a panel; undefined for the first. */
  readonly panel: string | undefined;
  /** Address of the actor that is looked at; undefined for the root. */
  readonly actor: string | undefined;
  readonly filter: string;
}

export interface TraceRoute {
  readonly page: 'trace';
  readonly correlationId: string;
}

export interface UnknownRoute {
  readonly page: 'unknown';
  readonly hash: string;
}

export type Route = ActorsRoute | StreamRoute | TraceRoute | UnknownRoute;

export const actorsRoute: ActorsRoute = { page: 'actors', filter: '' };

/** The permalink of a stream. */
export function streamRoute(stream: string, more: Partial<Omit<StreamRoute, 'page' | 'stream'>> = {}): StreamRoute {
  return { page: 'stream', stream, revision: undefined, panel: undefined, actor: undefined, filter: '', ...more };
}

export function formatRoute(route: Route): string {
  switch (route.page) {
    case 'actors':
      return `#/${query({ filter: route.filter })}`;
    case 'stream': {
      const at = route.revision === undefined ? '' : `@${route.revision}`;
      const { panel, actor, filter } = route;
      return `#/streams/${encodeURIComponent(route.stream)}${at}${query({ panel, actor, filter })}`;
    }
    case 'trace':
      return `#/traces/${encodeURIComponent(route.correlationId)}`;
    case 'unknown':
      return route.hash;
  }
}

export function parseRoute(hash: string): Route {
  const unknown: UnknownRoute = { page: 'unknown', hash };
  const [path, search = ''] = split(hash.replace(/^#?\/?/, ''), '?');
  const params = new URLSearchParams(search);
  const filter = params.get('filter') ?? '';
  if (path === '') return { page: 'actors', filter };
  const [room, name = ''] = split(path, '/');
  if (room === 'traces') {
    const correlationId = decoded(name);
    return correlationId ? { page: 'trace', correlationId } : unknown;
  }
  if (room !== 'streams') return unknown;
  const [, encoded = name, digits] = /^(.*)@(\d+)$/.exec(name) ?? [];
  const stream = decoded(encoded);
  if (!stream || encoded.includes('@')) return unknown;
  return streamRoute(stream, {
    revision: digits === undefined ? undefined : Number(digits),
    panel: params.get('panel') ?? undefined,
    actor: params.get('actor') ?? undefined,
    filter,
  });
}

function split(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function query(values: { readonly [name: string]: string | undefined }): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== '') params.set(name, value);
  // A hash may hold these as they are, and reads better so.
  const text = params.toString().replaceAll('%3A', ':').replaceAll('%2F', '/');
  return text === '' ? '' : `?${text}`;
}
