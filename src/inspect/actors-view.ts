/**
 * The list of actors. Owns the filters, and how much of the index one answer walks through.
 *
 * AV1  An answer is quick on any log: it looks at so many entries of the index, and says where the next one goes on.
 */
import type { ActorQuery, ActorRow, ActorStatus, EventLog } from '../log/event-log.ts';
import type { ActorsView } from './api.ts';
import { Refusal } from './refusal.ts';

const looksMax = 20_000;
const limitMax = 1_000;

/** @param wanted how many at most */
export async function actorsView(log: EventLog, query: URLSearchParams, wanted = 200): Promise<ActorsView> {
  const limit = Math.min(Math.max(1, wanted), limitMax);
  const passes = filterOf(query);
  const actors: ActorRow[] = [];
  let looks = 0;
  let last: string | undefined;
  for await (const row of log.actors({ ...indexQuery(query), limit: looksMax + 1 })) {
    if (actors.length === limit || looks === looksMax) return { actors, next: last! };
    looks++;
    last = row.stream;
    if (passes(row)) actors.push(row);
  }
  return { actors, next: null };
}

/** What the index can find by itself. */
function indexQuery(query: URLSearchParams): ActorQuery {
  const [machines, statuses] = [query.getAll('machine'), query.getAll('status')];
  const status = query.get('failed') ? 'error' : statuses.length === 1 ? statuses[0] : undefined;
  const [correlationId, afterStream] = [query.get('correlation'), query.get('after')];
  return {
    ...(machines.length === 1 && { machine: machines[0]! }),
    ...(status !== undefined && { status: status as ActorStatus }),
    ...(correlationId && { correlationId }),
    ...(afterStream && { afterStream }),
  };
}

function filterOf(query: URLSearchParams): (row: ActorRow) => boolean {
  const lists = (name: string) => query.getAll(name);
  const [machines, statuses] = [lists('machine'), lists('status')];
  const [notMachines, notStatuses] = [lists('not.machine'), lists('not.status')];
  const [matches, notMatches] = [matcherOf(query.get('q')), matcherOf(query.get('not.q'))];
  const [correlation, notCorrelation] = [query.get('correlation'), query.get('not.correlation')];
  return ({ machine, status, stream, correlationId }) =>
    (machines.length === 0 || machines.includes(machine)) &&
    !notMachines.includes(machine) &&
    (statuses.length === 0 || statuses.includes(status)) &&
    !notStatuses.includes(status) &&
    (!query.get('failed') || status === 'error') &&
    (!correlation || correlationId === correlation) &&
    (!notCorrelation || correlationId !== notCorrelation) &&
    (!matches || matches(stream)) &&
    !notMatches?.(stream);
}

/** A part of a name, or `/a regular expression/`. @throws Refusal */
function matcherOf(text: string | null): ((stream: string) => boolean) | undefined {
  if (!text) return undefined;
  const pattern = /^\/(.+)\/$/.exec(text)?.[1];
  if (pattern === undefined) {
    const wanted = text.toLowerCase();
    return (stream) => stream.toLowerCase().includes(wanted);
  }
  try {
    const regex = new RegExp(pattern, 'u');
    return (stream) => regex.test(stream);
  } catch (error) {
    throw new Refusal(
      400,
      'REWAKE_INVALID_ARGUMENT',
      `'${text}' is no regular expression: ${(error as Error).message}.`,
    );
  }
}
