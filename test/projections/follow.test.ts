/**
 * Projections that are followed: the first result at the seam, then one for each event that says something; and the same as
 * an observable.
 */
import { memoryLog, type EventLog } from 'rewake';
import { executions, follow, pendingTimers, project, type Projection } from 'rewake/projections';
import { observe } from 'rewake/rx';
import { firstValueFrom, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { rest } from '../support/hosted-and-plain.ts';
import { isPending } from '../support/house.ts';
import { fact, logOf, stimulus } from './hand-written.ts';
import { someAppends, write } from './kept-stage.ts';

const types: Projection<readonly string[]> = {
  ...{ name: 'types', version: 1, initial: [] },
  apply: (state, { type }) => (type === 'Nothing' ? state : [...state, type]),
};
const begun = stimulus('ActorStarted', {});

/** A log whose subscriptions show whether they are wanted. */
function shown(log: EventLog): { log: EventLog; signals: AbortSignal[] } {
  const signals: AbortSignal[] = [];
  const subscribe: EventLog['subscribe'] = (options) => {
    if (options?.signal) signals.push(options.signal);
    return log.subscribe(options);
  };
  const get = (target: EventLog, key: string | symbol): unknown => {
    if (key === 'subscribe') return subscribe;
    const member: unknown = Reflect.get(target, key);
    return typeof member === 'function' ? (member.bind(target) as unknown) : member;
  };
  return { log: new Proxy(log, { get }), signals };
}

describe('follow', () => {
  it('FO1: gives the state at the seam, and then one for each event that changes it', async () => {
    const log = await logOf([begun, fact('One', {})]);
    const results = follow(types, log);
    expect((await results.next()).value).toEqual(['ActorStarted', 'One']);
    const next = results.next();
    await logOf([fact('Nothing', {})], log);
    expect(await isPending(next)).toBe(true);
    await logOf(
      [fact('Two', {}), fact('Three', {})].map((each) => ({ ...each, stream: 'other-1' })),
      log,
    );
    expect((await next).value).toEqual(['ActorStarted', 'One', 'Two']);
    expect((await results.next()).value).toEqual(['ActorStarted', 'One', 'Two', 'Three']);
  });

  it('gives the state of an empty log at once', async () => {
    expect((await follow(types, memoryLog()).next()).value).toEqual([]);
  });

  it('FO1: what it gives is what the projection gives up to there', async () => {
    const appends = await someAppends(6);
    for (const projection of [executions as never, pendingTimers as never] as Projection<never, unknown>[]) {
      const log = memoryLog();
      const results = follow(projection, log);
      await results.next();
      const given: unknown[] = [];
      void (async () => {
        for await (const result of results) given.push(result);
      })();
      for (const append of appends) {
        await write(log, [append]);
        await rest();
        if (given.length > 0) expect(given.at(-1)).toEqual(await project(projection, log));
      }
      expect(given.length).toBeGreaterThan(20);
      await log.close();
    }
  });

  it('of one stream does not look at those whose names begin alike', async () => {
    const log = await logOf([begun, stimulus('ActorStarted', {}, { stream: 'order-10' })]);
    expect((await follow(types, log, { stream: 'order-1' }).next()).value).toEqual(['ActorStarted']);
  });

  it('ends with its signal and with its log', async () => {
    const ending = new AbortController();
    const log = await logOf([begun]);
    const results = follow(types, log, { signal: ending.signal });
    await results.next();
    const next = results.next();
    ending.abort();
    expect((await next).done).toBe(true);
    const others = follow(types, log);
    await others.next();
    const last = others.next();
    await log.close();
    expect((await last).done).toBe(true);
  });

  it('stops at a record that cannot be read, or leaves its stream out', async () => {
    const log = await logOf([begun]);
    const results = follow(types, log);
    const skipped: unknown[] = [];
    const others = follow(types, log, { onDamage: 'skip', onSkip: (each) => skipped.push(each) });
    await results.next();
    await others.next();
    await logOf([{ ...fact('Odd', {}), data: { $devalue: [['Nothing', 1]] } }, fact('Late', {})], log);
    await logOf([stimulus('Fine', {}, { stream: 'b-1' })], log);
    await expect(results.next()).rejects.toMatchObject({ code: 'REWAKE_DAMAGED_RECORD', stream: 'order-1' });
    expect((await others.next()).value).toEqual(['ActorStarted', 'Fine']);
    expect(skipped).toMatchObject([{ stream: 'order-1', revision: 1 }]);
  });
});

describe('observe', () => {
  it('gives what follow gives, to each subscriber from the seam on', async () => {
    const log = await logOf([begun]);
    const values = firstValueFrom(observe(types, log).pipe(take(2), toArray()));
    await rest();
    await logOf([fact('One', {})], log);
    expect(await values).toEqual([['ActorStarted'], ['ActorStarted', 'One']]);
    expect(await firstValueFrom(observe(types, log))).toEqual(['ActorStarted', 'One']);
  });

  it('RX1: ends its subscription to the log when nobody listens any more', async () => {
    const { log, signals } = shown(await logOf([begun]));
    const seen: unknown[] = [];
    const subscription = observe(types, log).subscribe((value) => seen.push(value));
    await rest();
    expect([seen.length, signals.map(({ aborted }) => aborted)]).toEqual([1, [false]]);
    subscription.unsubscribe();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    await logOf([fact('One', {})], log);
    await rest();
    expect(seen).toHaveLength(1);
  });

  it('completes with the log, and fails with what cannot be read', async () => {
    const log = await logOf([begun]);
    const ends: unknown[] = [];
    const watch = () =>
      observe(types, log).subscribe({ complete: () => ends.push('complete'), error: (error) => ends.push(error) });
    watch();
    await rest();
    await log.close();
    await rest();
    expect(ends).toEqual(['complete']);
    const damaged = await logOf([{ ...fact('Odd', {}), data: { $devalue: [['Nothing', 1]] } }]);
    observe(types, damaged).subscribe({ error: (error) => ends.push(error) });
    await rest();
    expect(ends[1]).toMatchObject({ code: 'REWAKE_DAMAGED_RECORD' });
  });
});
