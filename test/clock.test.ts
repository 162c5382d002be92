/** Clocks, durations, seeded chance and ids. The real clock is driven by fake timers of the test runner. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hashSeed, realClock, realRandom, seededRandom, toMs, uuidv7Source, VirtualClock } from '../src/clock.ts';
import { InvalidArgumentError } from '../src/errors.ts';

describe('toMs', () => {
  it('takes milliseconds and strings with a unit', () => {
    const durations = [0, 1.5, '0ms', '250ms', '1.5s', ' 2m ', '1 h', '1d'];
    expect(durations.map(toMs)).toEqual([0, 1.5, 0, 250, 1_500, 120_000, 3_600_000, 86_400_000]);
  });

  it('refuses anything else and shows what it was given', () => {
    for (const duration of [-1, NaN, '', '5', '5 min', '-5s', '1e3ms', 's', null, {}, 5n]) {
      expect(() => toMs(duration as never), typeof duration).toThrow(InvalidArgumentError);
    }
    expect(() => toMs('5 sec')).toThrow('duration: expected milliseconds');
    expect(() => toMs('5 sec')).toThrow('found "5 sec".');
    expect(() => toMs(5n as never)).toThrow('found a bigint.');
  });
});

describe('VirtualClock', () => {
  it('fires timers in the order of (due, set), each at its due time, and stops at the target (C1, C2)', async () => {
    const clock = new VirtualClock(1_000);
    const fired: [string, number][] = [];
    const set = (name: string, at: number) => clock.setTimer(at, () => void fired.push([name, clock.now()]));
    set('c', 1_020);
    set('a', 1_010);
    set('b', 1_010);
    set('late', 1_031);
    await clock.advance(30);
    expect(fired).toEqual([
      ['a', 1_010],
      ['b', 1_010],
      ['c', 1_020],
    ]);
    expect([clock.now(), clock.nextDue()]).toEqual([1_030, 1_031]);
  });

  it('settles before the first timer and after each, so that what one caused can set others', async () => {
    const clock = new VirtualClock(0);
    const order: string[] = [];
    clock.setTimer(10, () => {
      order.push('first');
      clock.setTimer(15, () => void order.push('set by the first'));
    });
    await clock.advance(20, async () => void order.push('settled'));
    expect(order).toEqual(['settled', 'first', 'settled', 'set by the first', 'settled']);
  });

  it('does not fire what was cancelled, also by another timer, and takes a second cancel', async () => {
    const clock = new VirtualClock(0);
    const fired: string[] = [];
    const cancel = clock.setTimer(10, () => void fired.push('cancelled'));
    clock.setTimer(5, cancel);
    clock.setTimer(20, () => void fired.push('other'));
    await clock.advance(30);
    cancel();
    expect(fired).toEqual(['other']);
  });

  it('jumps without firing, forwards and backwards, and never fires early', async () => {
    const clock = new VirtualClock(1_000);
    const fired: number[] = [];
    clock.setTimer(1_100, () => void fired.push(clock.now()));
    clock.jump(-500);
    await clock.advance(500);
    expect(fired).toEqual([]);
    clock.jump(1_000);
    expect(fired).toEqual([]);
    await clock.advance(0);
    expect(fired).toEqual([2_000]);
  });
});

describe('realClock', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 1_000_000 }));
  afterEach(() => void vi.useRealTimers());

  it('fires a timer at its time, not before', () => {
    const fn = vi.fn<() => void>();
    realClock.setTimer(realClock.now() + 50, fn);
    vi.advanceTimersByTime(49);
    expect(fn).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  it('fires at once what is due already, but not inside the call', () => {
    const fn = vi.fn<() => void>();
    realClock.setTimer(realClock.now() - 5, fn);
    expect(fn).not.toHaveBeenCalled();
    vi.advanceTimersByTime(0);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  it('waits out delays above 2^31-1 ms, which Node would fire at once (C3)', () => {
    const fn = vi.fn<() => void>();
    const delayMs = 3 * 2 ** 31;
    realClock.setTimer(realClock.now() + delayMs, fn);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(delayMs - 1);
    expect(fn).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fn).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits longer when the clock was set back (C1)', () => {
    const fn = vi.fn<() => void>();
    realClock.setTimer(realClock.now() + 100, fn);
    vi.advanceTimersByTime(90);
    vi.setSystemTime(1_000_000);
    vi.advanceTimersByTime(10);
    expect(fn).not.toHaveBeenCalled();
    vi.advanceTimersByTime(90);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  it('rounds a fraction of a millisecond up', () => {
    const fn = vi.fn<() => void>();
    realClock.setTimer(realClock.now() + 10.2, fn);
    vi.advanceTimersByTime(10);
    expect(fn).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  it('does not fire what was cancelled, also between two chunks', () => {
    const fn = vi.fn<() => void>();
    const cancel = realClock.setTimer(realClock.now() + 2 ** 32, fn);
    vi.advanceTimersByTime(2 ** 31 + 5);
    cancel();
    vi.advanceTimersByTime(2 ** 32);
    expect(fn).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('fires timers with one due time in the order in which they were set (C2)', () => {
    const fired: number[] = [];
    const due = realClock.now() + 100;
    for (let i = 0; i < 5; i++) {
      realClock.setTimer(due, () => void fired.push(i));
      vi.advanceTimersByTime(7);
    }
    vi.advanceTimersByTime(100);
    expect(fired).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('chance', () => {
  it('from one seed is the same, from another seed another', () => {
    const draw = (seed: number) => Array.from({ length: 20 }, seededRandom(seed));
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
    expect(draw(hashSeed('a'))).not.toEqual(draw(hashSeed('b')));
  });

  it('lies in [0, 1) and is spread over it', () => {
    for (const random of [seededRandom(1), realRandom]) {
      const draws = Array.from({ length: 4_000 }, random);
      expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true);
      const buckets = new Set(draws.map((draw) => Math.floor(draw * 20)));
      expect(buckets.size).toBe(20);
    }
  });
});

describe('ids', () => {
  it('are UUIDs of version 7 that carry the time', () => {
    const id = uuidv7Source(() => 0x0123456789ab, seededRandom(1))();
    expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('of one source increase strictly: within a millisecond, over its end, and when the clock goes back', () => {
    let nowMs = 1_000_000;
    const next = uuidv7Source(() => nowMs, seededRandom(1));
    const ids: string[] = [];
    for (let i = 0; i < 20_000; i++) {
      if (i === 10_000) nowMs -= 5_000;
      if (i === 15_000) nowMs += 60_000;
      ids.push(next());
    }
    expect(ids.every((id, i) => i === 0 || id > ids[i - 1]!)).toBe(true);
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
      true,
    );
  });
});
