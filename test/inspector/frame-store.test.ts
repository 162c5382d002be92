/** Which frame is shown, and what is asked for (FS1-FS4). */
import { describe, expect, it } from 'vitest';
import type { FrameView } from '../../src/inspect/api.ts';
import { ApiFailure } from '../../inspector/src/shell/api.ts';
import { createFrameStore } from '../../inspector/src/stream/frame-store.ts';
import { fakeApi } from './fake-api.ts';
import { fakeClock } from './fake-clock.ts';

const path = (revision: number) => `/streams/order-1/frames/${revision}`;

/** Frames of two revisions each: a stimulus and a fact. */
function frame(revision: number, last = 100): FrameView {
  return {
    frame: { stream: 'order-1', revision, lastRevision: revision + 1 } as FrameView['frame'],
    previous: revision >= 2 ? revision - 2 : null,
    next: revision + 2 <= last ? revision + 2 : null,
    lit: {},
  };
}

function store() {
  const api = fakeApi();
  const clock = fakeClock();
  const frames = createFrameStore(api, 'order-1', clock);
  return { api, clock, frames, shown: () => frames.view.value?.frame.revision };
}

describe('the frame that is shown', () => {
  it('is the one that was wanted, and then its neighbours are fetched', async () => {
    const { api, frames, shown } = store();
    frames.show(10);
    await api.at(path(10)).answer(frame(10));
    expect(shown()).toBe(10);
    await api.at(path(12)).answer(frame(12));
    await api.at(path(8)).answer(frame(8));
    frames.show(12);
    expect(shown()).toBe(12);
  });

  it('is the one that a fact belongs to', async () => {
    const { api, frames, shown } = store();
    frames.show(11);
    await api.at(path(11)).answer(frame(10));
    frames.show(10);
    expect(shown()).toBe(10);
    expect(api.paths.filter((one) => one === path(10))).toEqual([]);
  });

  it('is never replaced by one that was wanted earlier and comes later (FS1)', async () => {
    const { api, frames, clock, shown } = store();
    frames.show(10);
    clock.advance(500);
    frames.show(40);
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    expect(api.open.map((one) => one.path)).toEqual([path(40)]);
    await api.at(path(40)).answer(frame(40));
    expect(shown()).toBe(40);
  });

  it('goes by while a key is held down, and ends at the last one (FS3)', async () => {
    const { api, frames, shown } = store();
    frames.show(10);
    frames.show(12);
    frames.show(14);
    await api.at(path(10)).answer(frame(10));
    expect(shown()).toBe(10);
    await api.at(path(14)).answer(frame(14));
    expect(shown()).toBe(14);
    expect(api.paths.slice(0, 2)).toEqual([path(10), path(14)]);
  });

  it('stays until the next one is there, and says when that is late (FS2)', async () => {
    const { api, frames, clock, shown } = store();
    frames.show(10);
    await api.at(path(10)).answer(frame(10));
    frames.show(50);
    expect([shown(), frames.isLate.value]).toEqual([10, false]);
    clock.advance(250);
    expect([shown(), frames.isLate.value]).toEqual([10, true]);
    await api.at(path(50)).answer(frame(50));
    expect([shown(), frames.isLate.value]).toEqual([50, false]);
  });

  it('comes back after one went there and back while the first was still on its way', async () => {
    const { api, frames, clock, shown } = store();
    frames.show(20);
    await api.at(path(20)).answer(frame(20));
    frames.show(50);
    clock.advance(300);
    frames.show(20);
    frames.show(50);
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    await api.at(path(50)).answer(frame(50));
    expect(shown()).toBe(50);
  });

  it('is a failure where it failed, and is asked for again', async () => {
    const { api, frames, shown } = store();
    frames.show(10);
    await api.at(path(10)).fail(new ApiFailure('DAMAGED_RECORD', 409, 'Revision 11 cannot be read.'));
    expect(frames.failure.value?.code).toBe('DAMAGED_RECORD');
    frames.again();
    await api.at(path(10)).answer(frame(10));
    expect([shown(), frames.failure.value]).toEqual([10, undefined]);
  });

  it('knows what follows it once the stream has grown', async () => {
    const { api, frames } = store();
    frames.show(10);
    await api.at(path(10)).answer(frame(10, 10));
    expect(frames.view.value?.next).toBeNull();
    frames.grown();
    await api.at(path(10)).answer(frame(10, 12));
    expect(frames.view.value?.next).toBe(12);
  });

  it('is not asked for after the stream was left', async () => {
    const { api, frames } = store();
    frames.show(10);
    frames.close();
    await Promise.resolve();
    expect(api.open).toEqual([]);
  });
});

it('keeps a bounded number of frames (FS4)', async () => {
  const { api, frames } = store();
  for (let revision = 0; revision < 400; revision += 2) {
    frames.show(revision);
    if (api.open.some((one) => one.path === path(revision))) await api.at(path(revision)).answer(frame(revision, 0));
  }
  const kept = Array.from({ length: 200 }, (_, at) => frames.peek(at * 2)).filter(Boolean);
  expect(kept.length).toBeLessThanOrEqual(80);
  expect(frames.peek(398)).toBeDefined();
});
