/** Sagas: done together or undone in reverse order, also across a crash. */
import { describe, expect, it } from 'vitest';
import { fromPromise, type AnyStateMachine } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import { saga, SagaFailedError, type SagaInput } from '../../machines/saga.ts';
import { House, outcomeOf } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

type Work = (input: SagaInput) => unknown;

function trip(done: string[], works: Readonly<Record<string, Work>> = {}) {
  const logic = (name: string) =>
    fromPromise(async ({ input }: { input: SagaInput }) => {
      done.push(name);
      return works[name] ? works[name](input) : `${name} done`;
    });
  return saga('trip', [
    { name: 'flight', run: logic('flight'), undo: logic('undo flight') },
    { name: 'insurance', run: logic('insurance') },
    { name: 'hotel', run: logic('hotel'), undo: logic('undo hotel') },
    { name: 'car', run: logic('car'), undo: logic('undo car') },
  ]) as unknown as AnyStateMachine;
}

const fail = (message: string) => () => Promise.reject(new Error(message));

async function run(works: Readonly<Record<string, Work>> = {}) {
  const house = new House();
  const done: string[] = [];
  const runtime = await house.open({ work: trip(done, works) });
  const ref = await runtime.start('work', { id: '1', input: 'Rome' } as never);
  await rest();
  const ended = await outcomeOf(ref.output());
  const facts = await house.facts('work-1');
  return { ...ended, done, facts };
}

describe('a saga', () => {
  it('does its steps in order, each with what the ones before it gave', async () => {
    let seen: SagaInput | undefined;
    const { output, done } = await run({ hotel: (input) => ((seen = input), 'room 7') });
    expect(output).toEqual({ flight: 'flight done', insurance: 'insurance done', hotel: 'room 7', car: 'car done' });
    expect(done).toEqual(['flight', 'insurance', 'hotel', 'car']);
    expect(seen).toEqual({ input: 'Rome', outputs: { flight: 'flight done', insurance: 'insurance done' } });
  });

  it('undoes in reverse order what was done and can be undone', async () => {
    const { error, done, facts } = await run({ car: fail('no car') });
    expect(done).toEqual(['flight', 'insurance', 'hotel', 'car', 'undo hotel', 'undo flight']);
    expect(error).toBeInstanceOf(SagaFailedError);
    expect(error).toMatchObject({ saga: 'trip', step: 'car', originalError: { message: 'no car' }, notUndone: [] });
    expect(facts).toMatchObject([
      { type: 'SagaStepFailed', step: 'car' },
      { type: 'StepUndone', step: 'hotel' },
      { type: 'StepUndone', step: 'flight' },
    ]);
  });

  it('fails at once where nothing was done', async () => {
    const { done, error } = await run({ flight: fail('full') });
    expect([done, (error as SagaFailedError).step]).toEqual([['flight'], 'flight']);
  });

  it('goes on undoing when an undo fails, and says what is left', async () => {
    const { error, done, facts } = await run({ car: fail('no car'), 'undo hotel': fail('closed') });
    expect(done.slice(-2)).toEqual(['undo hotel', 'undo flight']);
    expect(error).toMatchObject({ notUndone: [{ step: 'hotel', error: { message: 'closed' } }] });
    expect((error as Error).message).toContain('Not undone: hotel');
    expect(facts.map(({ type }) => type)).toEqual(['SagaStepFailed', 'UndoFailed', 'StepUndone']);
  });

  it('goes on undoing after a crash (SA1)', async () => {
    const house = new House();
    const first: string[] = [];
    const hang = () => new Promise(() => {});
    const { runtime, crash } = await house.openToCrash({
      work: trip(first, { car: fail('no car'), 'undo hotel': hang }),
    });
    await runtime.start('work', { id: '1' });
    await rest();
    crash();
    const second: string[] = [];
    const ref = await (await house.open({ work: trip(second) })).get('work-1');
    await rest();
    expect(await ref.output().catch((error: unknown) => error)).toBeInstanceOf(SagaFailedError);
    expect(second).toEqual(['undo hotel', 'undo flight']);
  });
});

it('is refused without steps, with two of one name, and with a step that runs nothing', () => {
  const run = fromPromise(async () => {});
  for (const steps of [
    [],
    undefined,
    [
      { name: 'a', run },
      { name: 'a', run },
    ],
    [{ name: '', run }],
    [{ name: 'a' }],
  ]) {
    expect(() => saga('s', steps as never)).toThrow(InvalidArgumentError);
  }
});
