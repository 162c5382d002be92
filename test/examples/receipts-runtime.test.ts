import { describe, expect, it } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { createRuntime, memoryLog, VirtualClock, type EventLog } from 'rewake';
import { recoveryMachines } from 'rewake/machines';
import { Ledger, type Booking } from '../../examples/receipts/ledger.ts';
import { batchSize, receiptBatch, receiptMachine } from '../../examples/receipts/receipt-machine.ts';
import type { Request } from '../../examples/receipts/service-client.ts';
import { FaultyLog } from '../../src/testing/faulty-log.ts';
import type { Crash } from '../support/two-lives.ts';
import { House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { files, reset, ScriptedService, status } from './receipts-stage.ts';

const batches = Array.from({ length: files.length / batchSize }, (_, nth) =>
  files.slice(nth * batchSize, (nth + 1) * batchSize),
);

type Result = Awaited<ReturnType<typeof runPlain>>;

const runPlain = (input: readonly string[]) =>
  toPromise(createActor(receiptBatch(new ScriptedService()), { input }).start());

/** What a batch came to, in words that do not depend on who ran it. */
const inWords = ({ successes, failures, successRate }: Result) => ({
  posted: successes.map(({ item }) => item),
  failed: failures.map(({ item, error }) => `${item}: ${(error as { code: string }).code}`),
  successRate,
});

describe('the batches hosted by rewake', () => {
  it('end as they do under plain createActor, those that are damaged included', async () => {
    const house = new House();
    const runtime = await house.open({ batch: receiptBatch(new ScriptedService()), ...recoveryMachines });
    const refs = await Promise.all(batches.map((input, nth) => runtime.start('batch', { id: String(nth), input })));
    const hosted = await Promise.all(refs.map((ref) => ref.output()));
    expect(hosted.map(inWords)).toEqual((await Promise.all(batches.map(runPlain))).map(inWords));
    expect(hosted.flatMap(({ successes }) => successes)).toHaveLength(189);
    expect(Math.min(...hosted.map(({ successRate }) => successRate))).toBeCloseTo(0.85);
  });

  it('stop where most receipts are refused, because then it is not the receipts that are wrong', async () => {
    const house = new House();
    const service = new ScriptedService();
    const nowhere = {
      ...service,
      readFile: () => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOENT' })),
    };
    const runtime = await house.open({ batch: receiptBatch(nowhere), ...recoveryMachines });
    const ref = await runtime.start('batch', { id: '1', input: batches[0]! });
    await expect(ref.output()).rejects.toMatchObject({ code: 'REWAKE_BATCH_FAILED' });
    expect(service.calls).toEqual([]);
  });
});

describe('a host that is killed', () => {
  it('F2 posts again under the same key, as another attempt', async () => {
    const house = new House();
    const service = new ScriptedService({ '/ledger': ['silence'] });
    const machines = { receipt: receiptMachine(service), ...recoveryMachines };
    const first = await house.openToCrash(machines);
    await first.runtime.start('receipt', { id: '1', input: files[1]! });
    await rest();
    first.crash();

    const second = await house.open(machines);
    const ref = await second.get('receipt-1');
    await house.advance(2_000);
    expect(await ref.output()).toEqual({ entry: 5 });
    const keys = service.callsTo('/ledger').map(({ key }) => key);
    expect(keys).toEqual([`receipt:${files[1]}`, `receipt:${files[1]}`]);
    expect(service.callsTo('/vision')).toHaveLength(1);
    expect(await house.facts('receipt-1')).toMatchObject([
      { type: 'ReceiptRead' },
      { type: 'AttemptFailed', step: 'ledger', error: { class: 'lost' } },
      { type: 'RetryScheduled' },
      { type: 'ReceiptPosted' },
    ]);
  });

  it('waits out a Retry-After that began in another process, from where it was', async () => {
    const house = new House();
    const began = house.clock.now();
    const service = new ScriptedService({ '/ledger': [status(429, '5')] });
    const machines = { receipt: receiptMachine(service), ...recoveryMachines };
    const first = await house.openToCrash(machines);
    await first.runtime.start('receipt', { id: '1', input: files[1]! });
    await rest();
    first.crash();
    house.clock.jump(3_000);

    const second = await house.open(machines);
    const ref = await second.get('receipt-1');
    expect(house.clock.nextDue()).toBeGreaterThanOrEqual(began + 5_000);
    expect(house.clock.nextDue()).toBeLessThanOrEqual(began + 5_500);
    await house.advance(2_500);
    expect(await ref.output()).toEqual({ entry: 5 });
  });

  /** A batch of a damaged and a hopeless receipt, a model that fails once, and a ledger that loses its first answer. */
  async function liveThrough(crash: Crash | undefined) {
    const clock = new VirtualClock();
    const below = memoryLog({ clock });
    const dying = new FaultyLog(below, crash ? [crash] : []);
    const ledger = new Ledger();
    const models = new ScriptedService({ '/vision': [reset()] });
    let posts = 0;
    const call = async (request: Request, signal: AbortSignal) => {
      if (request.path !== '/ledger') return models.call(request, signal);
      const posted = ledger.post(request.key, request.body as Booking);
      if (posts++ === 0) throw reset();
      return { entry: posted.result === 'refused' ? 0 : posted.entry.entry, eurCents: 1 };
    };
    const batch = receiptBatch({ readFile: models.readFile, call });
    const open = (log: EventLog) =>
      createRuntime({
        ...{ log, clock, logger: silentLogger, random: () => 0.5, lease: false, keepLogOpen: true },
        machines: { batch, ...recoveryMachines },
      });
    const input = ['128-fr-pharmacie.txt', '047-en-grocer.txt'];
    const first = await open(dying);
    void first.start('batch', { id: '1', input }).catch(() => {});
    const live = async () => {
      await clock.advance(30_000, rest);
      // What the last timer began takes many turns.
      for (let turn = 0; turn < 50; turn++) await rest();
    };
    await live();
    const { appends } = dying;
    const last = dying.death ? await open(below) : first;
    const ref = await last.start('batch', { id: '1', input });
    if (dying.death) await live();
    const result = inWords((await ref.output()) as Result);
    return { result, ledger, appends };
  }

  it('T1, F2 ends the batch the same, with one entry a posted receipt, wherever it is killed', async () => {
    const { result, ledger, appends } = await liveThrough(undefined);
    expect(result).toEqual({
      posted: ['128-fr-pharmacie.txt'],
      failed: ['047-en-grocer.txt: empty'],
      successRate: 0.5,
    });
    expect(ledger.entries).toHaveLength(1);
    expect(appends).toBeGreaterThan(20);
    for (let append = 0; append < appends; append++) {
      const died = await liveThrough({
        ...{ fault: 'crash', append },
        phase: append % 2 === 0 ? 'afterAppend' : 'beforeAppend',
      });
      expect(died.result, `append ${append}`).toEqual(result);
      expect(died.ledger.entries, `append ${append}`).toEqual(ledger.entries);
    }
  });
});
