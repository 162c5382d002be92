/** An effect that waits for the end of another root actor: however that ends, wherever it runs, whoever dies meanwhile. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { assign } from 'xstate';
import {
  ActorBlockedError,
  ActorStoppedError,
  EffectOverError,
  EffectStoppedError,
  InvalidArgumentError,
  LogUnavailableError,
  NotFoundError,
  RuntimeClosedError,
} from '../../src/errors.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import { effect, type EffectContext } from '../../src/runtime/effect.ts';
import { createRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { FaultyLog as DyingLog } from '../../src/testing/faulty-log.ts';
import type { Crash } from '../support/two-lives.ts';
import type { FaultyLog } from '../support/faulty-log.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

const minute = 60_000;
const exclusive = { lease: { ttl: '10s' } } as const;

/** Ends as it is told, or by itself after ten minutes. */
const receipt = createMachine({
  context: { by: 'time' },
  initial: 'open',
  states: {
    open: {
      on: {
        PRINT: { target: 'printed', actions: assign({ by: 'PRINT' }) },
        TEAR: {
          actions: assign(() => {
            throw new RangeError('torn');
          }),
        },
      },
      after: { [10 * minute]: 'printed' },
    },
    printed: { type: 'final' },
  },
  output: ({ context }) => `printed by ${context.by as string}`,
});

/** Waits as `run` does, and keeps what came of it. */
function asking(run: (context: EffectContext) => Promise<unknown>) {
  const outcomes: unknown[] = [];
  const ask = effect(async ({ context }) => {
    try {
      const output = await run(context);
      outcomes.push(output);
      return output;
    } catch (error) {
      outcomes.push(error);
      throw error;
    }
  });
  const asker = createMachine({
    initial: 'asking',
    context: { answer: undefined },
    states: {
      asking: {
        invoke: {
          id: 'ask',
          src: ask,
          onDone: { target: 'told', actions: assign({ answer: ({ event }) => event.output as unknown }) },
          onError: 'failed',
        },
        on: { LEAVE: 'left' },
      },
      told: { type: 'final' },
      failed: { type: 'final' },
      left: {},
    },
    output: ({ context }) => context.answer,
  });
  return { outcomes, asker, machines: { asker, receipt } };
}

const startAndWait = async (context: EffectContext) => {
  await context.start('receipt', { id: '1' });
  return context.output('receipt-1');
};
const waitOnly = (context: EffectContext) => context.output('receipt-1');

describe.each([
  ['with a lease', exclusive],
  ['without a lease', { lease: false } as const],
])('an effect that waits for another actor, %s', (_, lease) => {
  it('is given its output', async () => {
    const house = new House();
    const { machines } = asking(startAndWait);
    const runtime = await house.open(machines, lease);
    const ref = await runtime.start('asker', { id: '1', correlationId: 'c' });
    await rest();
    expect(ref.getSnapshot().value).toBe('asking');
    await runtime.send('receipt-1', { type: 'PRINT' });
    expect(await ref.output()).toBe('printed by PRINT');
    expect((await house.events('receipt-1'))[0]!.meta.$correlationId).toBe('c');
  });

  it.each([
    ['its error', { type: 'TEAR' }, RangeError],
    ['ActorStoppedError when it is stopped', 'stop', ActorStoppedError],
  ])('is given %s', async (__, end, expected) => {
    const house = new House();
    const { machines, outcomes } = asking(startAndWait);
    const runtime = await house.open(machines, lease);
    const ref = await runtime.start('asker', { id: '1' });
    await rest();
    const other = await runtime.get('receipt-1');
    await (end === 'stop' ? other.stop() : other.send(end as { type: string }));
    await rest();
    expect(outcomes[0]).toBeInstanceOf(expected);
    expect(ref.getSnapshot().value).toBe('failed');
  });

  it('is given the output of one that has ended before', async () => {
    const house = new House();
    const { machines } = asking(waitOnly);
    const before = await house.open(machines, lease);
    await (await before.start('receipt', { id: '1' })).send({ type: 'PRINT' });
    await before.close();
    const runtime = await house.open(machines, lease);
    expect(await (await runtime.start('asker', { id: '1' })).output()).toBe('printed by PRINT');
  });

  it('is told at once that there is no such actor', async () => {
    const house = new House();
    const { machines, outcomes } = asking(waitOnly);
    await (await house.open(machines, lease)).start('asker', { id: '1' });
    await rest();
    expect(outcomes[0]).toBeInstanceOf(NotFoundError);
  });

  it('waits for one that is on its way to the log', async () => {
    const house = new House();
    const log = house.faulty();
    let begin = () => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const { machines, outcomes } = asking(async (context) => {
      await begun;
      return waitOnly(context);
    });
    const runtime = await house.open(machines, { ...lease, log });
    await runtime.start('asker', { id: '1' });
    const release = log.hold();
    const started = runtime.start('receipt', { id: '1' });
    begin();
    await rest();
    expect(outcomes).toEqual([]);
    release();
    await (await started).send({ type: 'PRINT' });
    await rest();
    expect(outcomes).toEqual(['printed by PRINT']);
  });

  it('waits for one that is out of memory, and goes on when its timer ends it', async () => {
    const house = new House();
    const { machines, outcomes } = asking(waitOnly);
    const runtime = await house.open(machines, { ...lease, passivate: { idle: '1m' } });
    await runtime.start('receipt', { id: '1' });
    await house.advance(5 * minute);
    await runtime.start('asker', { id: '1' });
    await house.advance(5 * minute - 1);
    expect(outcomes).toEqual([]);
    await house.advance(1);
    expect(outcomes).toEqual(['printed by time']);
  });

  it('is told when that one is blocked, or becomes blocked', async () => {
    const house = new House();
    const log = house.faulty();
    const { machines, outcomes } = asking(waitOnly);
    const runtime = await house.open(machines, { ...lease, log });
    await runtime.start('receipt', { id: '1' });
    await runtime.start('asker', { id: '1' });
    await rest();
    log.damage = (event) => (event.stream === 'receipt-1' ? { ...event, data: '{"spoiled"' } : event);
    log.faults.push('full');
    await failureOf(runtime.send('receipt-1', { type: 'PRINT' }));
    await house.advance(1_000);
    expect(outcomes).toEqual([expect.any(ActorBlockedError)]);
    await runtime.start('asker', { id: '2' });
    await rest();
    expect(outcomes[1]).toBeInstanceOf(ActorBlockedError);
  });

  it('goes on waiting in the next runtime when its own closes', async () => {
    const house = new House();
    const { machines, outcomes } = asking(startAndWait);
    const runtime = await house.open(machines, lease);
    await runtime.start('asker', { id: '1' });
    await rest();
    await runtime.close();
    expect(outcomes[0]).toBeInstanceOf(RuntimeClosedError);
    const next = await house.open(machines, lease);
    const ref = await next.get('asker-1');
    await next.send('receipt-1', { type: 'PRINT' });
    expect(await ref.output()).toBe('printed by PRINT');
  });

  it('lets go of it when its machine goes on, and leaves nothing behind (OW2)', async () => {
    const house = new House();
    const log = house.faulty();
    const { machines, outcomes } = asking(startAndWait);
    const runtime = await house.open(machines, { ...lease, log, passivate: { idle: '1m' } });
    const ref = await runtime.start('asker', { id: '1' });
    await rest();
    await ref.send({ type: 'LEAVE' });
    await rest();
    expect(outcomes).toEqual([expect.any(EffectStoppedError)]);
    await expectLetGo(house, log, runtime);
  });

  it('lets go of it when it ends without it, and refuses to wait afterwards (OW2)', async () => {
    const house = new House();
    const log = house.faulty();
    let waited: Promise<unknown> | undefined;
    const late: EffectContext[] = [];
    const { machines } = asking(async (context) => {
      await context.start('receipt', { id: '1' });
      waited = context.output('receipt-1');
      late.push(context);
    });
    const { asker: idle } = asking(async (context) => void late.push(context));
    // Vitest fails where a rejection is handled by nobody.
    const { asker: careless } = asking(async (context) => void context.output('receipt-1'));
    const runtime = await house.open({ ...machines, idle, careless }, { ...lease, log, passivate: { idle: '1m' } });
    for (const name of ['asker', 'idle', 'careless'] as const) await (await runtime.start(name, { id: '1' })).output();
    expect(await failureOf(waited!)).toBeInstanceOf(EffectOverError);
    for (const context of late) expect(await failureOf(context.output('receipt-1'))).toBeInstanceOf(EffectOverError);
    await expectLetGo(house, log, runtime);
  });

  it('may be one of many', async () => {
    const house = new House();
    const { machines, outcomes } = asking(startAndWait);
    const runtime = await house.open(machines, lease);
    const refs = await Promise.all(Array.from({ length: 300 }, (__, i) => runtime.start('asker', { id: String(i) })));
    await rest();
    await runtime.send('receipt-1', { type: 'PRINT' });
    expect(new Set(await Promise.all(refs.map((ref) => ref.output())))).toEqual(new Set(['printed by PRINT']));
    expect(outcomes.length).toBe(300);
  });

  it('may wait for many at once, and nobody takes that for a leak (OW2)', async () => {
    const house = new House();
    const warnings: Error[] = [];
    const warn = (warning: Error) => void warnings.push(warning);
    process.on('warning', warn);
    onTestFinished(() => void process.off('warning', warn));
    const { machines, outcomes } = asking(async (context) => {
      await context.start('receipt', { id: '1' });
      return Promise.all(Array.from({ length: 20 }, () => context.output('receipt-1')));
    });
    const runtime = await house.open(machines, lease);
    await runtime.start('asker', { id: '1' });
    await rest();
    await runtime.send('receipt-1', { type: 'PRINT' });
    await rest();
    expect(outcomes).toEqual([Array.from({ length: 20 }, () => 'printed by PRINT')]);
    expect(warnings).toEqual([]);
  });

  it('is given an output of its own, with which it may do as it likes', async () => {
    const house = new House();
    const list = createMachine({
      initial: 'open',
      states: { open: { on: { PRINT: 'printed' } }, printed: { type: 'final' } },
      output: () => ({ lines: ['total'] }),
    });
    const { machines, outcomes } = asking(async (context) => {
      const output = (await waitOnly(context)) as { lines: string[] };
      output.lines.push(context.stream);
      return output;
    });
    const runtime = await house.open({ ...machines, receipt: list }, lease);
    const ref = await runtime.start('receipt', { id: '1' });
    for (const id of ['1', '2']) await runtime.start('asker', { id });
    await rest();
    await ref.send({ type: 'PRINT' });
    await rest();
    expect(outcomes).toEqual([{ lines: ['total', 'asker-1'] }, { lines: ['total', 'asker-2'] }]);
    expect(ref.getSnapshot().output).toEqual({ lines: ['total'] });
  });

  it('cannot be the own actor, or something that is no stream', async () => {
    const house = new House();
    const { machines, outcomes } = asking((context) => context.output(context.stream));
    const { asker: lost } = asking(async (context) => {
      outcomes.push(await failureOf(context.output('nothing')));
    });
    const runtime = await house.open({ ...machines, lost }, lease);
    await runtime.start('asker', { id: '1' });
    await runtime.start('lost', { id: '1' });
    await rest();
    expect(outcomes.every((outcome) => outcome instanceof InvalidArgumentError)).toBe(true);
    expect(String(outcomes[0])).toContain("context.output('asker-1'): expected another actor");
  });
});

describe('a wait for an actor that another process runs', () => {
  it('ends within a second of its end, and does not take it over', async () => {
    const house = new House();
    const { machines, outcomes } = asking(waitOnly);
    const busy = createMachine({
      initial: 'open',
      states: {
        open: { invoke: { src: effect(() => new Promise(() => {})) }, on: { PRINT: 'printed' } },
        printed: { type: 'final' },
      },
      output: 'printed elsewhere',
    });
    const there = await house.open({ receipt: busy });
    await there.start('receipt', { id: '1' });
    const here = await house.open({ ...machines, receipt: busy }, { resume: false });
    const ref = await here.start('asker', { id: '1' });
    await house.advance(5 * minute);
    await there.send('receipt-1', { type: 'PRINT' });
    expect(outcomes).toEqual([]);
    await house.advance(1_000);
    expect(await ref.output()).toBe('printed elsewhere');
    expect(await house.types('receipt-1')).toEqual(['ActorStarted', 'EventReceived']);
    expect(house.clock.nextDue()).toBeUndefined();
  });

  it('ends also where a copy in memory here is older', async () => {
    const house = new House();
    const { machines, outcomes } = asking(startAndWait);
    const here = await house.open(machines);
    await here.start('asker', { id: '1' });
    await rest();
    const there = await house.open({ receipt }, { resume: false });
    await there.send('receipt-1', { type: 'PRINT' });
    await house.advance(1_000);
    expect(outcomes).toEqual(['printed by PRINT']);
  });

  it('goes on while the index cannot be read for a while, and ends when it never can', async () => {
    const house = new House();
    const { machines, outcomes } = asking(waitOnly);
    const there = await house.open({ receipt });
    await there.start('receipt', { id: '1' });
    const log = house.faulty();
    const here = await house.open(machines, { log, resume: false });
    log.rowErrors.push(new LogUnavailableError('The index is away for a while.', true));
    await here.start('asker', { id: '1' });
    await there.send('receipt-1', { type: 'PRINT' });
    await house.advance(1_000);
    log.rowErrors.push(new LogUnavailableError('The index is gone.', false));
    await here.start('asker', { id: '2' });
    await rest();
    expect(outcomes).toEqual(['printed by PRINT', expect.any(LogUnavailableError)]);
  });

  it('leaves nothing behind when it is let go while the index is read (OW2)', async () => {
    const house = new House();
    const { machines, outcomes } = asking(waitOnly);
    const there = await house.open({ receipt });
    await there.start('receipt', { id: '1' });
    const log = house.faulty();
    const here = await house.open(machines, { log, resume: false });
    const ref = await here.start('asker', { id: '1' });
    await rest();
    const release = log.holdIndex();
    await house.advance(1_000);
    await ref.send({ type: 'LEAVE' });
    await rest();
    release();
    await house.advance(5_000);
    expect(outcomes).toEqual([expect.any(EffectStoppedError)]);
    await there.send('receipt-1', { type: 'PRINT' });
    await rest();
    expect(house.clock.nextDue()).toBeUndefined();
  });

  it('says so when its history does not fold here', async () => {
    const house = new House();
    const { machines, outcomes } = asking(waitOnly);
    const there = await house.open({ receipt });
    await (await there.start('receipt', { id: '1' })).send({ type: 'PRINT' });
    const here = await house.open({ asker: machines.asker });
    await here.start('asker', { id: '1' });
    await rest();
    expect(outcomes).toEqual([expect.any(ActorBlockedError)]);
  });
});

it('a wait survives a crash before and after every append', async () => {
  const short = createMachine({
    initial: 'open',
    states: {
      open: { invoke: { src: effect(async () => 'ink'), onDone: 'drying' } },
      drying: { after: { 1_000: 'printed' } },
      printed: { type: 'final' },
    },
    output: 'printed',
  });
  /** Runs to the end, with a crash; how many appends there were without it. */
  const live = async (crash: Crash | undefined) => {
    const house = new House();
    const { asker } = asking(startAndWait);
    const machines = { asker, receipt: short };
    const first = new DyingLog(house.log, crash ? [crash] : []);
    const options = { machines, clock: house.clock, logger: house.logger, lease: false, keepLogOpen: true } as const;
    const runtime = await createRuntime({ ...options, log: first });
    const start = (host: typeof runtime) => host.start('asker', { id: '1' });
    void start(runtime).catch(() => {});
    await house.advance(2_000);
    expect(first.death?.fault).toEqual(crash);
    const ref = await start(await house.open(machines));
    await house.advance(2_000);
    expect(await ref.output()).toBe('printed');
    expect((await house.types('receipt-1')).filter((type) => type === 'ActorStarted').length).toBe(1);
    return first.appends;
  };
  const appends = await live(undefined);
  expect(appends).toBe(5);
  for (let append = 0; append < appends; append++) {
    for (const phase of ['beforeAppend', 'afterAppend'] as const) await live({ fault: 'crash', append, phase });
  }
});

it('two actors may wait for a third, whichever is asked first', async () => {
  const log = memoryLog();
  const { machines } = asking(startAndWait);
  await using runtime = await createRuntime({ log, machines });
  const refs = await Promise.all(['a', 'b'].map((id) => runtime.start('asker', { id })));
  const outputs = Promise.all(refs.map((ref) => ref.output()));
  await rest();
  await runtime.send('receipt-1', { type: 'PRINT' });
  expect(await outputs).toEqual(['printed by PRINT', 'printed by PRINT']);
});

/** Nobody holds the receipt in memory: after a while it is folded again for what is sent to it. */
async function expectLetGo(house: House, log: FaultyLog, runtime: Pick<Runtime, 'send'>): Promise<void> {
  await house.advance(3 * minute);
  let folded = 0;
  log.damage = (event) => (event.stream === 'receipt-1' && folded++, event);
  await runtime.send('receipt-1', { type: 'PRINT' });
  expect(folded).toBe(1);
}
