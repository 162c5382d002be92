/**
 * What a cache keeps and for how long, and who makes a call that several want. Letters and numbers are those of the headers
 * of machines/cache.ts and machines/flights.ts.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { cache, changesNothing, freshEntry, type CacheEvent, type ValueStored } from '../../machines/cache.ts';
import { board, flightCount, forgetFlights, type FlightNews } from '../../machines/flights.ts';
import { withAmbient } from '../../src/kernel/determinism.ts';

/** A cache under plain XState at a time that the test sets. */
class Bench {
  nowMs = 1_000_000;
  readonly #actor = createActor(cache, { input: { name: 'prices' } }).start();

  get entries() {
    return this.#actor.getSnapshot().context.entries;
  }

  send(event: CacheEvent): void {
    withAmbient({ at: this.nowMs, seed: '' }, () => this.#actor.send(event));
  }

  store(key: string, value: unknown, more: Partial<ValueStored> = {}): boolean {
    const stored = { type: 'value.stored', key, value, answeredAt: this.nowMs, ttlMs: 1_000, max: 3, ...more } as const;
    const isIdle = changesNothing(this.#actor.getSnapshot(), stored, this.nowMs);
    const before = this.entries;
    this.send(stored);
    mustBe(this.entries === before, isIdle);
    return !isIdle;
  }

  value(key: string): unknown {
    return freshEntry(this.#actor.getSnapshot(), key, this.nowMs)?.value;
  }

  get values() {
    return this.entries.map(({ value }) => value);
  }
}

const mustBe = (found: boolean, expected: boolean): void => expect(found).toBe(expected);

describe('a cache', () => {
  it('CS1: has a value for its time, counted from the answer and not from the storing', () => {
    const bench = new Bench();
    bench.store('a', 1, { answeredAt: bench.nowMs - 400 });
    bench.nowMs += 599;
    expect(bench.value('a')).toBe(1);
    bench.nowMs += 1;
    expect(bench.value('a')).toBeUndefined();
    expect(bench.store('b', 2, { answeredAt: bench.nowMs - 1_000 })).toBe(false);
  });

  it('CS1: a clock that goes back keeps a value no longer than its time', () => {
    const bench = new Bench();
    bench.store('a', 1);
    bench.nowMs -= 999;
    expect(bench.value('a')).toBe(1);
    bench.nowMs -= 1;
    expect(bench.value('a')).toBeUndefined();
  });

  it('CS2: keeps the newest so many, one for a key, and none that is over', () => {
    const bench = new Bench();
    for (const key of ['a', 'b', 'c']) bench.store(key, key);
    bench.nowMs += 10;
    bench.value('a');
    bench.store('b', 'B');
    bench.store('d', 'd');
    expect(bench.values).toEqual(['c', 'B', 'd']);
    bench.store('e', 'e', { max: 2 });
    expect(bench.values).toEqual(['d', 'e']);
    bench.nowMs += 2_000;
    bench.store('f', 'f');
    expect(bench.values).toEqual(['f']);
  });

  it('CS3: puts no older value in the place of a newer one, and stores the same once', () => {
    const bench = new Bench();
    bench.store('a', 'new');
    const answeredAt = bench.nowMs;
    bench.nowMs += 5;
    expect(bench.store('a', 'old', { answeredAt: answeredAt - 1 })).toBe(false);
    expect(bench.store('a', 'new', { answeredAt })).toBe(false);
    expect(bench.store('a', 'newer')).toBe(true);
    expect(bench.value('a')).toBe('newer');
  });

  it('CS4: is not broken by what makes no sense', () => {
    const bench = new Bench();
    bench.store('a', 1, { ttlMs: 1e9 });
    const none = [undefined, null, NaN, Infinity, -Infinity, '5', 10n, {}, [], true];
    for (const field of ['answeredAt', 'ttlMs', 'max'] as const) {
      for (const value of none) expect(bench.store('b', 2, { [field]: value })).toBe(false);
    }
    for (const max of [0, -1, 1.5]) expect(bench.store('b', 2, { max })).toBe(false);
    for (const key of none.filter((value) => typeof value !== 'string')) {
      expect(bench.store(key as never, 2)).toBe(false);
      bench.send({ type: 'cache.cleared', key: (key ?? 0) as never });
    }
    expect(bench.values).toEqual([1]);
    expect(bench.store('b', 2)).toBe(true);
  });

  it('forgets one value or all when it is told to', () => {
    const bench = new Bench();
    for (const key of ['a', 'b', 'c']) bench.store(key, key);
    bench.send({ type: 'cache.cleared', key: 'b' });
    expect(bench.values).toEqual(['a', 'c']);
    bench.send({ type: 'cache.cleared' });
    expect(bench.values).toEqual([]);
  });

  it('keeps what is nothing, and keys that are names of Object', () => {
    const bench = new Bench();
    for (const key of ['__proto__', 'constructor', ''])
      expect([bench.value(key), bench.store(key, undefined)]).toEqual([undefined, true]);
    expect(bench.entries.map(({ key }) => key)).toEqual(['__proto__', 'constructor', '']);
  });
});

describe('a flight', () => {
  beforeEach(forgetFlights);

  /** Passengers by name, and what each was told. */
  function lounge() {
    const told: string[] = [];
    const enter = (name: string, leads = false) =>
      board(
        'f',
        (news: FlightNews) => void told.push(`${name} ${news.type}${'value' in news ? ` ${String(news.value)}` : ''}`),
        leads,
      );
    return { told, enter };
  }
  const answered = { type: 'call.answered', value: 7 } as const;
  const failed = { type: 'call.failed', error: new Error('no') } as const;
  const impatient = { type: 'patience.ended' } as const;

  it('FL1: has one leader, whose outcome all others get, and is over then', () => {
    const { told, enter } = lounge();
    const [a, , c] = ['a', 'b', 'c'].map((name) => enter(name));
    a!.report(answered);
    expect(told).toEqual(['a flight.led', 'b flight.landed 7', 'c flight.landed 7']);
    const d = enter('d');
    enter('e');
    d.report(failed);
    expect(told.slice(3)).toEqual(['d flight.led', 'e flight.failed']);
    for (const seat of [a, c, d]) seat!.leave();
    expect([told.length, flightCount()]).toEqual([5, 0]);
  });

  it('FL2: is led by the one who waits longest when the leader leaves', () => {
    const { told, enter } = lounge();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => enter(name));
    b!.leave();
    a!.leave();
    expect(told).toEqual(['a flight.led', 'c flight.led']);
    c!.leave();
    expect(flightCount()).toBe(0);
  });

  it('FL3: is taken over by the first whose patience is over; the one who lost it may still bring a result', () => {
    const { told, enter } = lounge();
    const [a, b, c] = ['a', 'b', 'c', 'd'].map((name) => enter(name));
    b!.report(impatient);
    c!.report(impatient);
    expect(told).toEqual(['a flight.led', 'b flight.led']);
    a!.report(failed);
    expect(told.length).toBe(2);
    c!.report(impatient);
    expect(told.slice(2)).toEqual(['c flight.led']);
    a!.report(answered);
    b!.leave();
    expect(told.slice(3)).toEqual(['d flight.landed 7']);
  });

  it('has a leader again after a restart, beside one that was faster', () => {
    const { told, enter } = lounge();
    enter('follower');
    const resumed = enter('leader', true);
    enter('late');
    resumed.report(answered);
    expect(told).toEqual(['follower flight.led', 'late flight.landed 7']);
  });

  it('never leaves somebody waiting without a leader, whatever happens in whatever order', () => {
    const steps = fc.array(fc.tuple(fc.nat(5), fc.constantFrom('enter', 'leave', 'answer', 'fail', 'hurry')), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (moves) => {
        forgetFlights();
        const seats = new Map<number, ReturnType<typeof board>>();
        const state = new Map<number, 'waiting' | 'leading' | 'done'>();
        for (const [who, move] of moves) {
          const seat = seats.get(who);
          if (move === 'enter' && !seat) {
            state.set(who, 'waiting');
            const tell = ({ type }: FlightNews) => {
              // FL4, and nobody is told twice how it ended.
              expect(state.get(who)).toBe('waiting');
              state.set(who, type === 'flight.led' ? 'leading' : 'done');
            };
            seats.set(who, board('f', tell));
          } else if (seat) {
            const isLeading = state.get(who) === 'leading';
            if (move === 'hurry' && state.get(who) === 'waiting') seat.report(impatient);
            if (move === 'answer' && isLeading) seat.report(answered);
            if (move === 'fail' && isLeading) seat.report(failed);
            if (move === 'leave' || (isLeading && (move === 'answer' || move === 'fail'))) {
              state.set(who, 'done');
              seat.leave();
              seats.delete(who);
            }
          }
          const all = [...state.values()];
          if (all.includes('waiting')) expect(all).toContain('leading');
        }
        for (const [who, seat] of seats) {
          state.set(who, 'done');
          seat.leave();
          const all = [...state.values()];
          if (all.includes('waiting')) expect(all).toContain('leading');
        }
        expect(flightCount()).toBe(0);
      }),
    );
  });
});
