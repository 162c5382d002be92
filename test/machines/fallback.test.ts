/** Alternatives and expected errors: order, what leads on, and what is kept (scenarios F01 to F03, laminar's Catch). */
import { describe, expect, it } from 'vitest';
import { assign, createActor, fromPromise, setup, toPromise, type AnyActorLogic, type AnyStateMachine } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import { withCatch } from '../../machines/catch.ts';
import { withFallback, type FallbackOptions } from '../../machines/fallback.ts';
import { step, withRetry } from '../../machines/step.ts';
import { FallbackExhaustedError } from '../../machines/recovery-errors.ts';
import { House, outcomeOf } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const busy = (message = 'busy') => Object.assign(new Error(message), { status: 503 });
const good = (output: string, calls: string[] = []) => fromPromise(async () => (calls.push(output), output));
const bad = (error: unknown, calls: string[] = []) =>
  fromPromise<string>(async () => {
    calls.push('failed');
    throw error;
  });

async function run(logic: unknown, input?: unknown) {
  const house = new House();
  const runtime = await house.open({ work: logic as AnyStateMachine });
  const ref = await runtime.start('work', { id: '1', input } as never);
  await rest();
  await house.advance(10_000);
  const ended = await outcomeOf(ref.output());
  const facts = await house.facts('work-1');
  return { ...ended, facts, house };
}

const fallback = (alternatives: AnyActorLogic[], primary: AnyActorLogic, options: FallbackOptions = {}) =>
  run(withFallback(alternatives, options)(primary));

describe('withFallback', () => {
  it('F01: runs the next one where the first failed, and none after it', async () => {
    const calls: string[] = [];
    const { output, facts } = await fallback([good('secondary', calls), good('tertiary', calls)], bad(busy(), calls));
    expect([output, calls]).toEqual(['secondary', ['failed', 'secondary']]);
    expect(facts).toMatchObject([{ type: 'FallbackEntered', index: 1, error: { class: 'server', status: 503 } }]);
  });

  it('goes on to the third one, also from one that was retried until nothing was left', async () => {
    const tired = (fields: object) => withRetry(0)(bad(Object.assign(new Error('busy'), fields)));
    const primary = tired({ status: 503 });
    const tooLong = withRetry({ retryAfterMax: '1s' })(
      bad(Object.assign(new Error('slow'), { status: 429, retryAfter: 60 })),
    );
    const { output, facts } = await fallback([tooLong, good('third')], primary);
    expect(output).toBe('third');
    expect(facts.filter(({ type }) => type === 'FallbackEntered')).toMatchObject([
      { index: 1, error: { name: 'RecoveryExhaustedError' } },
      { index: 2, error: { name: 'RetryAfterTooLongError' } },
    ]);
  });

  it('F02: fails with the causes of all in order', async () => {
    const { error } = await fallback([bad(busy('b')), bad(busy('c'))], bad(busy('a')));
    expect(error).toBeInstanceOf(FallbackExhaustedError);
    expect((error as FallbackExhaustedError).errors.map((each) => (each as Error).message)).toEqual(['a', 'b', 'c']);
    expect((error as FallbackExhaustedError).cause).toMatchObject({ message: 'c' });
  });

  it('F02: an alternative that fails with what leads no further surfaces, with the primary as the last of its causes', async () => {
    const bug = () => new TypeError('x is undefined', { cause: Object.assign(new Error('deeper'), { status: 400 }) });
    for (const failure of [new TypeError('x is undefined'), bug()]) {
      const calls: string[] = [];
      const { error, facts } = await fallback([bad(failure), good('third', calls)], bad(busy('the primary')));
      expect(error).toMatchObject({ name: 'TypeError', message: 'x is undefined' });
      expect(error).toBeInstanceOf(TypeError);
      const { cause } = error as Error;
      expect(failure.cause ? (cause as Error).cause : cause).toMatchObject({ message: 'the primary', status: 503 });
      expect([calls, facts.length]).toEqual([[], 1]);
    }
    const plain = createActor(withFallback([bad('a text')], { on: [Error] })(bad(busy())));
    expect(await outcomeOf(toPromise(plain.start()))).toMatchObject({ error: 'a text' });
  });

  it('F02: the error of an alternative is not written to', async () => {
    const failure = new TypeError('x is undefined');
    const plain = createActor(withFallback([bad(failure)])(bad(busy('the primary'))));
    const { error } = await outcomeOf(toPromise(plain.start()));
    expect([(error as Error).cause, failure.cause]).toMatchObject([{ message: 'the primary' }, undefined]);
  });

  it('does not hide that the machine of a breaker is not registered', async () => {
    const house = new House();
    const primary = step('primary', () => 'never', { breaker: 'api' });
    const read = withFallback([step('other', () => 'other')])(primary) as AnyStateMachine;
    const { error } = await outcomeOf((await (await house.open({ read })).start('read', { id: '1' })).output());
    expect(error).toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringContaining('Spread recoveryMachines') as string,
      cause: { code: 'REWAKE_UNKNOWN_MACHINE', machine: 'breaker' },
    });
  });

  it('R08: fails with what a predicate throws', async () => {
    const wrong = (error: unknown): boolean => {
      throw new RangeError(`asked about ${(error as Error).message}`);
    };
    const { error, facts } = await fallback([good('secondary')], bad(busy()), { on: [wrong] });
    expect([error, facts]).toMatchObject([{ name: 'RangeError', message: 'asked about busy' }, []]);
    expect((await run(withCatch(wrong)(bad(busy())))).error).toMatchObject({ message: 'asked about busy' });
  });

  it.each([
    ['a wrong request', Object.assign(new Error('no'), { status: 400 })],
    ['a bug', new TypeError('x is undefined')],
    ['an abort', new DOMException('aborted', 'AbortError')],
  ])('F03: %s leads to no fallback and leaves unchanged', async (_, failure) => {
    const calls: string[] = [];
    const { error, facts } = await fallback([good('secondary', calls)], bad(failure));
    expect(error).toMatchObject({ name: failure.name, message: failure.message });
    expect([calls, facts]).toEqual([[], []]);
  });

  it("follows 'on' where it is given", async () => {
    const no = Object.assign(new Error('no'), { status: 400 });
    expect((await fallback([good('secondary')], bad(no), { on: [Error] })).output).toBe('secondary');
    expect((await fallback([good('secondary')], bad(busy()), { on: ['NotThisError'] })).error).toMatchObject({
      status: 503,
    });
  });

  it('is refused without alternatives', () => {
    expect(() => withFallback([])).toThrow(InvalidArgumentError);
  });
});

describe('withCatch', () => {
  class ReadError extends Error {}
  class MissingError extends ReadError {}

  it('passes a success on', async () => {
    expect((await run(withCatch(ReadError)(good('fine')))).output).toBe('fine');
  });

  it('ends the step with the error, also of a name and by a predicate', async () => {
    const failure = new RangeError('too far');
    const isFar = (error: unknown) => (error as Error).message === 'too far';
    for (const match of [Error, RangeError, 'RangeError', isFar]) {
      const { output, facts } = await run(withCatch(match)(bad(failure)));
      expect(output).toMatchObject({ caught: { name: 'RangeError', message: 'too far' }, partial: undefined });
      expect(facts).toMatchObject([{ type: 'ErrorCaught', error: { name: 'RangeError' } }]);
    }
  });

  it('lets every other error through unchanged', async () => {
    for (const match of [TypeError, 'Error', 'range', [TypeError, 'SyntaxError'] as const]) {
      expect((await run(withCatch(match)(bad(new RangeError('too far'))))).error).toMatchObject({ name: 'RangeError' });
    }
  });

  it('catches subclasses, and keeps what a wrapped machine had done', async () => {
    const load = setup({
      types: {} as { context: { pages: number } },
      actors: { page: fromPromise<string>(async () => 'page'), missing: bad(new MissingError('page 2')) },
      actions: { count: assign({ pages: ({ context }) => context.pages + 1 }) },
    }).createMachine({
      context: { pages: 0 },
      initial: 'first',
      states: {
        first: { invoke: { src: 'page', onDone: { target: 'second', actions: 'count' } } },
        second: { invoke: { src: 'missing', onDone: 'first' } },
      },
    });
    const { output } = await run(withCatch('MissingError')(load));
    expect(output).toMatchObject({ caught: { name: 'MissingError' }, partial: { pages: 1 } });
  });

  it('is refused with nothing to catch', () => {
    expect(() => withCatch([])).toThrow(InvalidArgumentError);
    expect(() => withCatch(undefined as never)).toThrow(InvalidArgumentError);
  });
});
