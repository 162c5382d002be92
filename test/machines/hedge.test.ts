/** Hedging on virtual time: how many run when, and what ends the race (scenario H01). */
import { describe, expect, it } from 'vitest';
import { createActor, fromPromise, toPromise, type AnyStateMachine } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import { withHedge, type HedgeOptions } from '../../machines/hedge.ts';
import { FallbackExhaustedError } from '../../machines/recovery-errors.ts';
import { House, outcomeOf } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const busy = () => Object.assign(new Error('busy'), { status: 503 });
const refused = () => Object.assign(new Error('no'), { status: 400 });

async function race(options: HedgeOptions) {
  const house = new House();
  const calls: { settle(outcome: string | Error): void; aborted: boolean }[] = [];
  const logic = fromPromise(
    ({ signal }) =>
      new Promise<string>((resolve, reject) => {
        const call = {
          aborted: false,
          settle: (outcome: string | Error) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)),
        };
        signal.addEventListener('abort', () => (call.aborted = true));
        calls.push(call);
      }),
  );
  const runtime = await house.open({ work: withHedge(options)(logic) as unknown as AnyStateMachine });
  const ref = await runtime.start('work', { id: '1' });
  const ended = outcomeOf(ref.output());
  await rest();
  const settle = async (index: number, outcome: string | Error) => {
    calls[index]!.settle(outcome);
    await rest();
  };
  return { house, calls, settle, ended };
}

describe('H01: a hedged call', () => {
  it('is made again each time the delay is over, up to the maximum', async () => {
    const { house, calls } = await race({ delay: 500, max: 4 });
    const inFlight: number[] = [];
    for (const ms of [1, 500, 500, 500, 500]) {
      await house.advance(ms);
      inFlight.push(calls.length);
    }
    expect(inFlight).toEqual([1, 2, 3, 4, 4]);
  });

  it('is made again at once when one fails, and the delay begins anew', async () => {
    const { house, calls, settle } = await race({ delay: 500, max: 3 });
    await house.advance(400);
    await settle(0, busy());
    expect(calls.length).toBe(2);
    await house.advance(400);
    expect(calls.length).toBe(2);
    await house.advance(100);
    expect(calls.length).toBe(3);
  });

  it('ends with the first success, and the others are aborted', async () => {
    const { house, calls, settle, ended } = await race({ delay: 500, max: 3 });
    await house.advance(1_000);
    await settle(1, 'second');
    expect(await ended).toMatchObject({ output: 'second' });
    expect(calls.map(({ aborted }) => aborted)).toEqual([true, false, true]);
  });

  it('ends with an error that may not be retried', async () => {
    const { house, calls, settle, ended } = await race({ delay: 500, max: 3 });
    await house.advance(500);
    await settle(0, refused());
    expect(await ended).toMatchObject({ error: { status: 400 } });
    expect(calls.map(({ aborted }) => aborted)).toEqual([false, true]);
  });

  it('fails with every error when all failed', async () => {
    const { settle, ended } = await race({ delay: 'sequential', max: 2 });
    await settle(0, busy());
    await settle(1, busy());
    const { error } = await ended;
    expect(error).toBeInstanceOf(FallbackExhaustedError);
    expect((error as FallbackExhaustedError).errors.length).toBe(2);
  });

  it('starts all at once with delay 0, and one after the other sequentially', async () => {
    expect((await race({ delay: 0, max: 3 })).calls.length).toBe(3);
    const { house, calls, settle, ended } = await race({ delay: 'sequential', max: 3 });
    await house.advance(60_000);
    expect(calls.length).toBe(1);
    await settle(0, busy());
    expect(calls.length).toBe(2);
    await settle(1, 'fine');
    expect(await ended).toMatchObject({ output: 'fine' });
  });
});

it('hands each attempt the input, tells of each hedge, and goes by the rules it is given', async () => {
  const house = new House();
  const inputs: unknown[] = [];
  const logic = fromPromise(async ({ input }) => {
    inputs.push(input);
    throw refused();
  });
  const rules = [{ match: Error, retryable: true }] as const;
  const machine = withHedge({ delay: 'sequential', max: 3, classify: rules })(logic) as unknown as AnyStateMachine;
  const ref = await (await house.open({ work: machine })).start('work', { id: '1', input: 'q' } as never);
  await rest();
  await expect(ref.output()).rejects.toBeInstanceOf(FallbackExhaustedError);
  expect(inputs).toEqual(['q', 'q', 'q']);
  const told = (await house.events('work-1')).filter(({ type }) => type === 'HedgeStarted').map(({ data }) => data);
  expect(told).toMatchObject([
    { step: 'hedge', attempt: 2 },
    { step: 'hedge', attempt: 3 },
  ]);
});

it('aborts what runs under plain XState, too, where a machine that fails leaves its children running (HE2)', async () => {
  const aborted: number[] = [];
  let calls = 0;
  const logic = fromPromise(({ signal }) => {
    const call = ++calls;
    if (call === 2) return Promise.reject(refused());
    return new Promise(() => signal.addEventListener('abort', () => aborted.push(call)));
  });
  const actor = createActor(withHedge({ delay: 0, max: 3 })(logic));
  const ended = outcomeOf(toPromise(actor) as Promise<unknown>);
  actor.start();
  expect((await ended).error).toMatchObject({ status: 400 });
  expect(aborted).toEqual([1, 3]);
});

it.each([[{ delay: -1 }], [{ delay: 'soon' }], [{ delay: 1, max: 1 }], [{ delay: 1, max: 2.5 }]])(
  'refuses %j',
  (options) => {
    expect(() => withHedge(options as HedgeOptions)).toThrow(InvalidArgumentError);
  },
);
