/**
 * The effects of a caller with a cache: looking, storing, and waiting for the same call of another. Owns what they ask and
 * tell; the rules are cache.ts's and flights.ts's.
 *
 * CE1  Looking appends nothing to the cache, and storing nothing where it changes nothing.
 * CE2  A cache that cannot be reached is the caller's to go without.
 * CE3  A call inside of the same call, as where a cache is wrapped around itself, leads a flight of its own: it would wait
 *      for itself.
 */
import { fromCallback, type AnyActorRef, type PromiseActorLogic } from 'xstate';
import { effect, type EffectArguments, withEffectDefaults } from 'rewake';
import { cache, changesNothing, freshEntry, type CacheSnapshot, type ValueStored } from './cache.ts';
import { board, type FlightNews, type FlightReport } from './flights.ts';
import { KeyedGate } from './keyed-gate.ts';
import { isResumed } from './policy-machine.ts';

/** What was found: a result, or the name of the calls that are the same. */
export type Found = { readonly hit: { readonly value: unknown; readonly ageMs: number } } | { readonly flight: string };

/** The cache of this name, wherever its callers run. */
export function cacheGate(name: string): KeyedGate<CacheSnapshot> {
  return new KeyedGate({ machine: 'cache', logic: cache, id: name, input: { name } });
}

/** Looks for the result of a key. */
export function lookUp(gate: KeyedGate<CacheSnapshot>): PromiseActorLogic<Found, string> {
  const run = async ({ input: key, context }: EffectArguments<string>): Promise<Found> => {
    const snapshot = await gate.look(context);
    const entry = freshEntry(snapshot, key, context.now());
    if (!entry) return { flight: `${snapshot.context.id} ${key}` };
    return { hit: { value: entry.value, ageMs: Math.max(0, context.now() - entry.answeredAt) } };
  };
  return effect(run, { internal: true });
}

/** Stores a result; whether it is in the cache then. Never rejects: the call has its result. */
export function store(gate: KeyedGate<CacheSnapshot>): PromiseActorLogic<boolean, ValueStored> {
  const run = async ({ input: stored, context }: EffectArguments<ValueStored>): Promise<boolean> => {
    try {
      const before = await gate.look(context);
      const isNews = !changesNothing(before, stored, context.now());
      const after = isNews ? await gate.tell(stored, context) : before;
      return freshEntry(after, stored.key, context.now())?.answeredAt === stored.answeredAt;
    } catch {
      return false;
    }
  };
  return effect(run, { internal: true });
}

/** A seat among the calls that are the same: its input is their name. */
export function seat() {
  const logic = fromCallback<FlightReport, string>(({ input, sendBack, receive, self }) => {
    const leads = isResumed(self, { sharing: 'calling' }, { sharing: 'storing' });
    const name = isInside(self._parent, input) ? `${input} in ${self.sessionId}` : input;
    const taken = board(name, (news: FlightNews) => sendBack(news), leads);
    receive((report) => taken.report(report));
    return () => taken.leave();
  });
  return withEffectDefaults(logic, { internal: true });
}

/** Whether one of those that a caller runs in makes the call of this flight (CE3). */
function isInside(caller: AnyActorRef | undefined, flight: string): boolean {
  for (let outer = caller?._parent; outer; outer = outer._parent) {
    const { context } = outer.getSnapshot() as { readonly context?: { readonly flight?: unknown } };
    if (context?.flight === flight) return true;
  }
  return false;
}
