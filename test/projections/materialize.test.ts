/**
 * Projections that are kept: what a crash at any save leaves, how a new version replaces an old one, who may write, and what
 * becomes of a state or a record that is damaged.
 */
import { fc, test } from '@fast-check/vitest';
import {
  defineUpcasters,
  LeaseLostError,
  LogUnavailableError,
  ProjectionFailedError,
  ProjectionOwnedError,
  type ProjectionStore,
} from 'rewake';
import {
  breakerStatus,
  correlationTrace,
  errorContext,
  executions,
  follow,
  handlerHistory,
  materialize,
  pendingTimers,
  project,
  readProjection,
  recoveryMetrics,
  type MaterializeOptions,
  type Projection,
} from 'rewake/projections';
import { describe, expect, it } from 'vitest';
import { failureOf, isPending } from '../support/house.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { withRawConnection } from '../stores/sqlite/log-files.ts';
import { fact, logOf, stimulus } from './hand-written.ts';
import { calm, DyingProcess, FilePlace, places, someAppends, wait, write, type Place } from './kept-stage.ts';

const all: readonly (readonly [name: string, projection: Projection<never, unknown>])[] = [
  executions,
  pendingTimers,
  breakerStatus,
  recoveryMetrics,
  errorContext,
  handlerHistory,
].map((projection) => [projection.name, projection as never]);

const leaseMs = 10_000;
const saveEvery = 13;

/** Counts the events of each type. */
const counts = (version: number): Projection<Readonly<Record<string, number>>> => ({
  name: 'counts',
  version,
  initial: {},
  apply: (state, { type }) => ({ ...state, [type]: (state[type] ?? 0) + version }),
});

function keeping(place: Place, process: DyingProcess, more: Partial<MaterializeOptions> = {}): MaterializeOptions {
  return { log: process.log, store: process.store, clock: place.clock, leaseTtl: leaseMs, saveEvery, ...more };
}

/** Keeps a projection in a new process as long as it lives, or until it has caught up. */
async function live(
  place: Place,
  projection: Projection<never, unknown>,
  process: DyingProcess,
  more: Partial<MaterializeOptions> = {},
) {
  const opening = materialize(projection, keeping(place, process, more));
  const settle = { is: false };
  void opening.then((kept) => kept.caughtUp).then(() => (settle.is = true));
  for (let turn = 0; turn < 1_000 && !settle.is && !process.dead; turn++) await calm();
  return process.dead ? undefined : await opening;
}

describe.each(places)('kept %s', (_, build) => {
  describe.each(all)('MA1: %s', (__, projection) => {
    it('is the fold of the log, wherever its process died at a save', { timeout: 120_000 }, async () => {
      const appends = await someAppends(12);
      const half = Math.floor(appends.length / 2);
      for (const phase of ['before', 'after'] as const) {
        let crashes = 0;
        for (let save = 0; ; save++) {
          const place = build();
          await write(place.log, appends.slice(0, half));
          const first = new DyingProcess(place, { save, phase });
          const ended = await live(place, projection, first);
          // The log goes on while nobody keeps the projection.
          await write(place.log, appends.slice(half));
          // It may die at the save of its close.
          await Promise.race([ended?.close(), untilDead(first)]);
          await wait(place, leaseMs);
          await place.next();
          const second = await live(place, projection, new DyingProcess(place));
          const whole = await project(projection, place.log);
          expect(second!.result(), `${phase} save ${save}`).toEqual(whole);
          expect((await second!.read())?.result, `${phase} save ${save}`).toEqual(whole);
          await second!.close();
          if (!first.dead) break;
          crashes++;
        }
        expect(crashes).toBeGreaterThan(2);
      }
    });

    it('is what a live one is at every event', async () => {
      const place = build();
      const appends = await someAppends(6);
      const kept = await live(place, projection, new DyingProcess(place));
      for (const [index, append] of appends.entries()) {
        await write(place.log, [append]);
        if (index % 10 > 0 && index < appends.length - 1) continue;
        await calm();
        expect(kept!.result()).toEqual(await project(projection, place.log));
      }
      await wait(place, 1_000);
      expect((await kept!.read())?.result).toEqual(await project(projection, place.log));
      await kept!.close();
    });
  });

  test.prop(
    [fc.array(fc.record({ save: fc.nat(6), phase: fc.constantFrom('before', 'after') }), { maxLength: 6 }), fc.nat(40)],
    propertyRuns(20),
  )(
    'MA1: also when one process after the other dies',
    async (crashes, chunk) => {
      const place = build();
      const appends = await someAppends(8);
      const parts = crashes.length + 1;
      for (const [index, crash] of crashes.entries()) {
        const size = Math.ceil(appends.length / parts);
        await write(place.log, appends.slice(index * size, (index + 1) * size));
        const process = new DyingProcess(place, crash as { save: number; phase: 'before' });
        await live(place, counts(1) as never, process, { saveEvery: chunk + 1 });
        process.die();
        await wait(place, leaseMs);
        await place.next();
      }
      const last = await live(place, counts(1) as never, new DyingProcess(place));
      expect(last!.result()).toEqual(await project(counts(1), place.log));
      await last!.close();
    },
    60_000,
  );

  describe('MA2', () => {
    it('is served once it has caught up, also with nothing, and with nothing left to save', async () => {
      const place = build();
      const empty = await live(place, counts(1) as never, new DyingProcess(place));
      expect(await empty!.read()).toMatchObject({ version: 1, result: {}, position: undefined });
      await empty!.close();
      await write(place.log, await someAppends(2));
      const total = (await someAppends(2)).flat().length;
      const full = await live(place, counts(2) as never, new DyingProcess(place), { saveEvery: total });
      expect((await full!.read())?.version).toBe(2);
      await full!.close();
    });

    it('the old version is served until the new one has caught up, and then the new one', async () => {
      const place = build();
      await write(place.log, await someAppends(4));
      const old = await live(place, counts(1) as never, new DyingProcess(place));
      const oldResult = await project(counts(1), place.log);
      await old!.close();
      const served: unknown[] = [];
      const store = watched(place.store, async () => {
        served.push((await readProjection(counts(2), place.store))?.version);
      });
      const process = new DyingProcess({ ...surroundings(place), store });
      const fresh = await live(place, counts(2) as never, process);
      expect(served.length).toBeGreaterThan(2);
      expect(new Set(served)).toEqual(new Set([1]));
      expect(await readProjection(counts(2), place.store)).toMatchObject({
        version: 2,
        result: await project(counts(2), place.log),
      });
      await fresh!.close();
      // Back to the old one.
      await place.store.remove('counts', 2);
      expect(await readProjection(counts(2), place.store)).toMatchObject({ version: 1, result: oldResult });
    });

    it('a new version that dies while it is built has replaced nothing, and goes on', async () => {
      const place = build();
      await write(place.log, await someAppends(4));
      await (await live(place, counts(1) as never, new DyingProcess(place)))!.close();
      await live(place, counts(2) as never, new DyingProcess(place, { save: 3, phase: 'after' }));
      expect((await readProjection(counts(2), place.store))?.version).toBe(1);
      await wait(place, leaseMs);
      await place.next();
      const next = new DyingProcess(place);
      const fresh = await live(place, counts(2) as never, next);
      expect(next.saves).toBeLessThan(3 + (await someAppends(4)).flat().length / saveEvery - 3);
      expect((await fresh!.read())?.version).toBe(2);
      await fresh!.close();
    });

    it('a rebuild goes on beside what is served, also after it has died', async () => {
      const place = build();
      await write(place.log, await someAppends(4));
      await (await live(place, counts(1) as never, new DyingProcess(place)))!.close();
      const before = await readProjection(counts(1), place.store);
      await live(place, counts(1) as never, new DyingProcess(place, { save: 2, phase: 'after' }), { rebuild: true });
      expect(await readProjection(counts(1), place.store)).toEqual(before);
      expect(await place.store.load('counts', 1, 'building')).toBeDefined();
      await wait(place, leaseMs);
      await place.next();
      const again = await live(place, counts(1) as never, new DyingProcess(place));
      expect(await again!.read()).toEqual(before);
      expect(await place.store.load('counts', 1, 'building')).toBeUndefined();
      await again!.close();
    });
  });

  describe('MA3', () => {
    it('a second process is refused as long as the first one lives, and takes over when it is gone', async () => {
      const place = build();
      const first = await live(place, counts(1) as never, new DyingProcess(place));
      const refused = failureOf(materialize(counts(1), keeping(place, new DyingProcess(place))));
      await wait(place, leaseMs);
      expect(await refused).toBeInstanceOf(ProjectionOwnedError);
      await first!.close();
      const second = await live(place, counts(1) as never, new DyingProcess(place));
      await second!.close();
    });

    it('who waits for a process that is gone keeps its own alive meanwhile', async () => {
      const place = build();
      const id = `rewake.projection counts 1`;
      await place.log.lease(id, { owner: 'gone', ttlMs: leaseMs });
      const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
      const before = timers();
      const opening = materialize(counts(1), keeping(place, new DyingProcess(place)));
      await calm();
      expect(timers()).toBe(before + 1);
      await wait(place, leaseMs);
      await (await opening).close();
      expect(timers()).toBe(before);
    });

    it('a process that slept through its lease saves nothing any more', async () => {
      const place = build();
      const sleeper = new DyingProcess(place);
      const first = await live(place, counts(1) as never, sleeper);
      const stored = await place.store.load('counts', 1, 'kept');
      await place.store.save('counts', 1, 'kept', { ...stored!, epoch: stored!.epoch + 1 });
      await write(place.log, await someAppends(2));
      const failing = failureOf(first!.ended);
      await wait(place, 1_000);
      expect(await failing).toBeInstanceOf(LeaseLostError);
      expect((await place.store.load('counts', 1, 'kept'))?.position).toBe(stored!.position);
    });

    it('a log that is away for a while is waited for', async () => {
      const place = build();
      await write(place.log, await someAppends(2));
      let away = 3;
      const store = watched(place.store, async () => {
        if (away-- > 0) throw new LogUnavailableError('The log is away for a while.', true);
      });
      const kept = await materialize(counts(1), keeping(place, new DyingProcess({ ...surroundings(place), store })));
      expect(await isPending(kept.caughtUp)).toBe(true);
      await wait(place, 4_000);
      expect(await kept.caughtUp).toBe(true);
      expect((await kept.read())?.result).toEqual(await project(counts(1), place.log));
      await kept.close();
    });
  });

  it('MA4: a stored state that is no state is made again', async () => {
    const place = build();
    await write(place.log, await someAppends(2));
    await (await live(place, counts(1) as never, new DyingProcess(place)))!.close();
    for (const data of ['{"state":', '{"$devalue":[["Nothing",1]]}', '[1]', '{}']) {
      await place.store.save('counts', 1, 'kept', { ...(await place.store.load('counts', 1, 'kept'))!, data });
      expect(await readProjection(counts(1), place.store)).toBeUndefined();
      const again = await live(place, counts(1) as never, new DyingProcess(place));
      expect((await again!.read())?.result).toEqual(await project(counts(1), place.log));
      await again!.close();
    }
  });

  it('what is no projection, no log or no store is refused by name', async () => {
    const { log, store } = build();
    const refused = async (run: () => unknown) => (await failureOf(Promise.resolve().then(run))).message;
    const uncalled = correlationTrace as never;
    expect(await refused(() => project(uncalled, log))).toMatch(
      /^project: projection: .*correlationTrace\('some id'\)/,
    );
    expect(await refused(() => follow(uncalled, log).next())).toMatch(/^follow: projection: /);
    expect(await refused(() => readProjection(uncalled, store))).toMatch(/^readProjection: projection: /);
    expect(await refused(() => project(executions, {} as never))).toMatch(/^project: log: expected an event log/);
    expect(await refused(() => materialize(executions, { log, store: undefined as never }))).toMatch(
      /^materialize: store: .*memoryProjections\(\).* found undefined/,
    );
    expect(await refused(() => materialize(executions, undefined as never))).toMatch(/^materialize: log: /);
  });

  it('a fold that throws stops it with an error that names the event', async () => {
    const place = build();
    await logOf([stimulus('ActorStarted', {}), fact('Bad', {})], place.log);
    const throwing: Projection<number> = {
      ...{ name: 'throwing', version: 3, initial: 0 },
      apply: (state, { type }) => (type === 'Bad' ? (undefined as never as number[]).length : state + 1),
    };
    const kept = await materialize(throwing, keeping(place, new DyingProcess(place)));
    const error = (await failureOf(kept.ended)) as ProjectionFailedError;
    expect(error).toBeInstanceOf(ProjectionFailedError);
    expect([error.projection, error.version, error.stream, error.revision]).toEqual(['throwing', 3, 'order-1', 1]);
    expect(await failureOf(kept.caughtUp)).toBe(error);
  });

  it('a stream that cannot be read is left out where that is chosen, and listed', async () => {
    const place = build();
    const bad = { ...fact('Odd', {}), data: { $devalue: [['Nothing', 1]] } };
    await logOf(
      [stimulus('ActorStarted', {}), bad, stimulus('EventReceived', {}), stimulus('Other', {}, { stream: 'b-1' })],
      place.log,
    );
    const stopped = await materialize(counts(1), keeping(place, new DyingProcess(place)));
    expect(await failureOf(stopped.ended)).toMatchObject({
      code: 'REWAKE_DAMAGED_RECORD',
      stream: 'order-1',
      revision: 1,
    });
    const told: unknown[] = [];
    const more = { onDamage: 'skip', onSkip: (skipped: unknown) => told.push(skipped) } as const;
    const kept = await live(place, counts(2) as never, new DyingProcess(place), more);
    expect(kept!.result()).toEqual({ ActorStarted: 2, Other: 2 });
    expect(kept!.skipped).toMatchObject([{ stream: 'order-1', revision: 1 }]);
    expect(told).toEqual(kept!.skipped);
    await kept!.close();
    await place.next();
    // It is remembered.
    expect(await readProjection(counts(2), place.store)).toMatchObject({ skipped: [{ stream: 'order-1' }] });
  });

  it('upcasters are asked where they are given', async () => {
    const place = build();
    const log = await logOf([stimulus('ActorStarted', {}), fact('Paid', { sum: 3 })], place.log);
    const upcasters = defineUpcasters({
      Paid: { 1: (data: { sum: number }) => ({ type: 'Paid', amount: data.sum * 2 }) },
    });
    const paid: Projection<number> = {
      ...{ name: 'paid', version: 1, initial: 0 },
      apply: (state, { type, data }) => (type === 'Paid' ? state + Number(data.amount ?? data.sum) : state),
    };
    expect(await project(paid, log)).toBe(3);
    expect(await project(paid, log, { upcasters })).toBe(6);
    const kept = await live(place, paid as never, new DyingProcess(place), { upcasters });
    expect(kept!.result()).toBe(6);
    await kept!.close();
  });
});

describe('a SQLite file that is damaged', () => {
  const damagedPlace = async () => {
    const place = new FilePlace();
    await write(place.log, await someAppends(4));
    const victims = withRawConnection(place.path, (db) =>
      db
        .prepare(
          "SELECT a.position, s.name FROM appends a JOIN streams s ON s.id = a.stream_id WHERE s.name LIKE 'work-1.%'",
        )
        .all(),
    );
    const [position, stream] = victims[Math.floor(victims.length / 2)]! as [number, string];
    withRawConnection(place.path, (db) =>
      db.exec(`UPDATE appends SET data = replace(data, '"at":1', '"at":2') WHERE position = ${position}`),
    );
    return { place, stream };
  };

  it('stops a projection with the place of the damage', async () => {
    const { place, stream } = await damagedPlace();
    expect(await failureOf(project(executions, place.log))).toMatchObject({ code: 'REWAKE_DAMAGED_RECORD', stream });
    const kept = await materialize(executions, keeping(place, new DyingProcess(place)));
    expect(await failureOf(kept.ended)).toMatchObject({ code: 'REWAKE_DAMAGED_RECORD', stream });
  });

  it('leaves out one stream where that is chosen, in all ways of running', async () => {
    const { place, stream } = await damagedPlace();
    const others: unknown[] = [];
    for await (const { stream: each } of place.log.readAll({ limit: 0 })) others.push(each);
    const skipped: unknown[] = [];
    const once = await project(executions, place.log, { onDamage: 'skip', onSkip: (each) => skipped.push(each) });
    expect(skipped).toMatchObject([{ stream }]);
    const whole = new FilePlace();
    await write(whole.log, await someAppends(4));
    const sound = await project(executions, whole.log);
    expect(once.filter((each) => each.stream !== stream)).toEqual(sound.filter((each) => each.stream !== stream));
    const kept = await live(place, executions as never, new DyingProcess(place), { onDamage: 'skip' });
    expect(kept!.result()).toEqual(once);
    expect(kept!.skipped).toEqual(skipped);
    await kept!.close();
    const alone: unknown[] = [];
    await project(executions, place.log, { stream, onDamage: 'skip', onSkip: (each) => alone.push(each) });
    expect(alone).toMatchObject([{ stream }]);
  });

  it('MA4: has its states made again', async () => {
    const place = new FilePlace();
    await write(place.log, await someAppends(2));
    await (await live(place, counts(1) as never, new DyingProcess(place)))!.close();
    for (const change of ["data = replace(data, '1', '2')", 'position = position - 1', 'checksum = checksum + 1']) {
      withRawConnection(place.path, (db) => db.exec(`UPDATE projections SET ${change}`));
      expect(await readProjection(counts(1), place.store)).toBeUndefined();
      const again = await live(place, counts(1) as never, new DyingProcess(place));
      expect((await again!.read())?.result).toEqual(await project(counts(1), place.log));
      await again!.close();
    }
  });
});

async function untilDead(process: DyingProcess): Promise<void> {
  for (let turn = 0; turn < 100 && !process.dead; turn++) await calm();
}

/** A place without what its class has besides. */
function surroundings({ clock, log, store }: Place): Place {
  return { clock, log, store, next: async () => {} };
}

/** A store that is looked at before each save. */
function watched(store: ProjectionStore, before: () => Promise<void>): ProjectionStore {
  return {
    load: (...args) => store.load(...args),
    save: async (...args) => {
      await before();
      await store.save(...args);
    },
    served: (...args) => store.served(...args),
    remove: (...args) => store.remove(...args),
  };
}
