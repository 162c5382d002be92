/** Error handlers around a logic: which one it is, what it runs, what it decides, and what goes on outward. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import { createActor, fromPromise, toPromise, type AnyActorLogic, type AnyStateMachine, type OutputFrom } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import { withHandlers, type HandlersOptions } from '../../machines/handled.ts';
import { handler, type Handler } from '../../machines/handler.ts';
import type { HandlerInput, HandlerMatch, HandlerOptions } from '../../machines/handler-options.ts';
import { handling, logicsOf, type Decision, type HandlingInput } from '../../machines/handling.ts';
import {
  abort,
  escalate,
  fallback,
  intervene,
  resumeFrom,
  retry,
  skip,
  type RecoveryAction,
} from '../../machines/recovery-actions.ts';
import { RecoveryDirective } from '../../machines/recovery-directive.ts';
import { HandlerFailedError, RecoveryExhaustedError, TimeoutError } from '../../machines/recovery-errors.ts';
import { withRetry } from '../../machines/step.ts';
import { House, outcomeOf } from '../support/house.ts';
import { playBoth, rest } from '../support/hosted-and-plain.ts';

const busy = (message = 'busy') => Object.assign(new Error(message), { status: 503 });
const good = (output: string, calls: string[] = []) => fromPromise(async () => (calls.push(output), output));
const bad = (error: unknown, calls: string[] = [], call = 'failed') =>
  fromPromise<string>(async () => {
    calls.push(call);
    throw error;
  });
/** Fails so many times, then gives `done`. */
const failing = (times: number, error: () => unknown = busy) => {
  let calls = 0;
  return fromPromise(async () => {
    if (++calls <= times) throw error();
    return `done in ${calls}`;
  });
};

async function run(logic: unknown, input: unknown = 'input', ms = 60_000) {
  const house = new House();
  const runtime = await house.open({ work: logic as AnyStateMachine });
  const ref = await runtime.start('work', { id: '1', input } as never);
  await rest();
  await house.advance(ms);
  const ended = await outcomeOf(ref.output());
  return { ...ended, facts: await house.facts('work-1'), house };
}

const handled = (handlers: Handler[], logic: AnyActorLogic, options: HandlersOptions = {}) =>
  run(withHandlers(handlers, options)(logic));

const typesOf = (facts: readonly { readonly type?: unknown }[]) => facts.map(({ type }) => type);

/** The decision about one error. */
async function decide(handlers: Handler[], error: unknown, more: Partial<HandlingInput> = {}): Promise<Decision> {
  const input: HandlingInput = { error, subject: 'charge', input: 'card', results: { reserve: 7 }, calls: {}, ...more };
  return toPromise(createActor(handling('step', handlers), { input }).start());
}

describe('which handler', () => {
  class PaymentError extends Error {}
  class DeclinedError extends PaymentError {}

  it.each<[string, HandlerMatch, unknown, boolean]>([
    ['an error class', PaymentError, new PaymentError('no'), true],
    ['a class, of its subclasses too', PaymentError, new DeclinedError('no'), true],
    ['a class, of no other', DeclinedError, new PaymentError('no'), false],
    ['a class of the taxonomy', 'throttled', Object.assign(new Error('slow'), { status: 429 }), true],
    ['a class of the taxonomy, of no other', 'throttled', busy(), false],
    ['a code', 'ECONNRESET', Object.assign(new Error('gone'), { code: 'ECONNRESET' }), true],
    ['an exact name', 'DeclinedError', new DeclinedError('no'), true],
    ['no part of a name', 'Declined', new DeclinedError('no'), false],
    ['a predicate', (error) => (error as Error).message === 'no', new Error('no'), true],
    ['a predicate that says no', () => false, new Error('no'), false],
    [
      'a predicate over the place',
      (_, { subject, input, results }) => [subject, input, results.reserve].join(' ') === 'charge card 7',
      0,
      true,
    ],
  ])('is said by %s', async (_, when, error, isMeant) => {
    const { handler: found } = await decide([handler({ id: 'meant', when, then: skip() })], error);
    expect(found).toBe(isMeant ? 'meant' : null);
    const any = await decide([handler({ id: 'meant', when: ['Nothing', when], then: skip() })], error);
    expect(any.handler).toBe(isMeant ? 'meant' : null);
  });

  it('is the first one in order that is for the error', async () => {
    const asked: string[] = [];
    const when = (id: string, answer: boolean) => () => (asked.push(id), answer);
    const handlers = ['a', 'b', 'c'].map((id) => handler({ id, when: when(id, id !== 'a'), then: skip(id) }));
    expect(await decide(handlers, busy())).toMatchObject({ handler: 'b', action: { type: 'skip', value: 'b' } });
    expect(asked).toEqual(['a', 'b']);
  });

  it('is also one for what the error stands for (HN2)', async () => {
    const original = new DeclinedError('no');
    const handlers = [handler({ id: 'declined', when: PaymentError, then: skip() })];
    for (const error of [
      new HandlerFailedError('other', 'step', 'charge', original, new Error('own')),
      new RecoveryExhaustedError('charge', 'attempts', 3, [busy(), original]),
      new HandlerFailedError('other', 'step', 'x', new RecoveryExhaustedError('x', 'attempts', 3, [original]), busy()),
    ]) {
      expect(await decide(handlers, error)).toMatchObject({ handler: 'declined', error });
    }
    expect((await decide(handlers, new Error('other', { cause: original }))).handler).toBe(null);
  });

  it('fails with what its predicate throws, and no other one is asked (HS3)', async () => {
    const wrong = () => {
      throw new RangeError('cannot say');
    };
    const calls: string[] = [];
    const run = good('ran', calls);
    const handlers = [
      handler({ id: 'wrong', when: wrong, run, then: skip() }),
      handler({ id: 'other', run, then: skip() }),
    ];
    const { error, facts } = await handled(handlers, bad(busy()));
    expect(calls).toEqual([]);
    expect(error).toBeInstanceOf(HandlerFailedError);
    expect(error).toMatchObject({
      handler: 'wrong',
      cause: { message: 'cannot say' },
      originalError: { message: 'busy' },
    });
    expect(typesOf(facts)).toEqual(['HandlerFailed', 'ErrorEscalated']);
  });

  it('is nobody where none is for it: the error leaves as it is', async () => {
    const { error, facts } = await handled([handler({ id: 'h', when: 'auth', then: skip() })], bad(busy()));
    expect(error).toMatchObject({ message: 'busy', status: 503 });
    expect(facts).toEqual([
      {
        type: 'ErrorEscalated',
        scope: 'step',
        subject: 'handled',
        reason: 'noHandler',
        error: expect.anything() as unknown,
      },
    ]);
  });

  it('is asked of no success', async () => {
    const { output, facts } = await handled([handler({ id: 'h', then: skip('other') })], good('fine'));
    expect([output, facts]).toEqual(['fine', []]);
  });
});

describe('what a handler runs', () => {
  it('is done in order, and given the error, the place and what ran before', async () => {
    const seen: HandlerInput[] = [];
    const logic = (output: string) =>
      fromPromise(async ({ input }: { input: HandlerInput }) => (seen.push(input), output));
    const handlers = [handler({ id: 'h', run: [logic('a'), logic('b')], then: ({ outputs }) => skip(outputs) })];
    const { output } = await handled(handlers, bad(busy()), { name: 'charge' });
    expect(output).toEqual(['a', 'b']);
    const place = { scope: 'step', subject: 'charge', input: 'input', results: {}, error: { message: 'busy' } };
    expect(seen).toMatchObject([
      { ...place, outputs: [] },
      { ...place, outputs: ['a'] },
    ]);
  });

  it('sends the error on where nothing says how it ends', async () => {
    const calls: string[] = [];
    const { error, facts } = await handled([handler({ id: 'note', run: good('noted', calls) })], bad(busy()));
    expect([calls, error]).toMatchObject([['noted'], { message: 'busy' }]);
    expect(facts).toMatchObject([
      { type: 'HandlerStarted', handler: 'note', scope: 'step', subject: 'handled', error: { class: 'server' } },
      { type: 'HandlerCompleted', handler: 'note', action: 'escalate', attempts: 1 },
      { type: 'ErrorEscalated', subject: 'handled', reason: 'handlerEscalated', error: { message: 'busy' } },
    ]);
  });

  it('keeps both errors when it fails itself', async () => {
    const handlers = [handler({ id: 'h', run: [bad(new TypeError('own')), good('never')], then: skip() })];
    const { error, facts } = await handled(handlers, bad(busy()));
    expect(error).toBeInstanceOf(HandlerFailedError);
    expect(error).toMatchObject({
      ...{ code: 'REWAKE_HANDLER_FAILED', handler: 'h', scope: 'step', subject: 'handled' },
      ...{ originalError: { status: 503 }, cause: { name: 'TypeError', message: 'own' } },
    });
    expect(facts).toMatchObject([
      { type: 'HandlerStarted' },
      { type: 'HandlerFailed', error: { name: 'TypeError' }, original: { status: 503 }, attempts: 1 },
      { type: 'ErrorEscalated', reason: 'handlerFailed', error: { name: 'HandlerFailedError' } },
    ]);
  });

  it('goes to the next scope out when it fails itself, with both errors', async () => {
    const inner = withHandlers([handler({ id: 'in', run: bad(new TypeError('own')) })], {
      name: 'charge',
      scope: 'command',
    });
    const outer = handler({ id: 'out', when: 'server', then: ({ error }) => skip(error) });
    const { output, facts } = await run(withHandlers([outer], { name: 'charge' })(inner(bad(busy()))));
    expect(output).toMatchObject({ handler: 'in', cause: { message: 'own' }, originalError: { message: 'busy' } });
    expect(facts.map(({ type, scope }) => [scope, type].join(' '))).toEqual([
      ...['command HandlerStarted', 'command HandlerFailed', 'command ErrorEscalated'],
      ...['step HandlerStarted', 'step HandlerCompleted'],
    ]);
  });

  it('is tried again as its retries say, and told with its attempts', async () => {
    const retryOptions = { maxRetries: 3, backoff: { initialDelay: 100, jitter: 'none' } } as const;
    const handlers = [handler({ id: 'h', run: [good('a'), failing(2)], retry: retryOptions, then: skip('ok') })];
    const { output, facts } = await handled(handlers, bad(busy()));
    expect(output).toBe('ok');
    expect(facts.filter(({ type }) => type === 'RetryScheduled')).toMatchObject([{ step: 'h 2' }, { step: 'h 2' }]);
    expect(facts.at(-1)).toMatchObject({ type: 'HandlerCompleted', action: 'skip', attempts: 4 });
  });

  it('fails when it takes longer than its timeout, all in all (HG3)', async () => {
    const slow = fromPromise(() => new Promise(() => {}));
    const { error, facts } = await handled(
      [handler({ id: 'h', run: [good('a'), slow], timeout: '5s', then: skip() })],
      bad(busy()),
    );
    expect(error).toMatchObject({ handler: 'h', cause: { kind: 'handler', step: 'h', timeout: 5_000 } });
    expect((error as Error).cause).toBeInstanceOf(TimeoutError);
    expect(facts.at(-2)).toMatchObject({ type: 'HandlerFailed', attempts: 2 });
  });
});

describe('what a handler ends with', () => {
  it('retry: the subject is called again, as often as this handler may in all', async () => {
    const { output, facts } = await handled([handler({ id: 'h', then: retry({ maxAttempts: 3 }) })], failing(2));
    expect(output).toBe('done in 3');
    expect(typesOf(facts)).toEqual(['HandlerStarted', 'HandlerCompleted', 'HandlerStarted', 'HandlerCompleted']);
  });

  it('retry: when none is left the error goes on (HS2)', async () => {
    const { error, facts } = await handled([handler({ id: 'h', then: retry({ maxAttempts: 2 }) })], failing(2));
    expect(error).toMatchObject({ message: 'busy' });
    expect(facts.slice(-2)).toMatchObject([
      { type: 'HandlerCompleted', action: 'escalate' },
      { type: 'ErrorEscalated', reason: 'retriesExhausted' },
    ]);
  });

  it('retry: each handler counts for itself (HD1)', async () => {
    const errors = ['a', 'b', 'a', 'b'];
    const logic = failing(4, () => new Error(errors.shift()));
    const is = (text: string) => (error: unknown) => (error as Error).message === text;
    const handlers = ['a', 'b'].map((id) => handler({ id, when: is(id), then: retry({ maxAttempts: 3 }) }));
    expect((await handled(handlers, logic)).output).toBe('done in 5');
  });

  it('retry: without a delay there is no wait', async () => {
    const { house, output } = await handled([handler({ id: 'h', then: retry() })], failing(1));
    expect(output).toBe('done in 2');
    expect(JSON.stringify(await house.events('work-1'))).not.toContain('retryDelay');
  });

  it('retry: waits durably', async () => {
    const work = withHandlers([handler({ id: 'h', then: retry({ delay: '1h' }) })])(
      failing(1),
    ) as unknown as AnyStateMachine;
    const house = new House();
    const { runtime, crash } = await house.openToCrash({ work });
    await runtime.start('work', { id: '1' });
    await house.advance(1_000);
    crash();
    const ref = await (await house.open({ work })).get('work-1');
    await house.advance(3_598_999);
    expect(ref.getSnapshot()).toMatchObject({ value: 'waiting', context: { calls: { h: 2 } } });
    await house.advance(1);
    expect(await ref.output()).toBe('done in 2');
  });

  it('fallback: another logic with the same input gives the result', async () => {
    const other = fromPromise(async ({ input }: { input: string }) => `other of ${input}`);
    const { output, facts } = await handled([handler({ id: 'h', then: fallback(other) })], bad(busy()));
    expect(output).toBe('other of input');
    expect(facts).toMatchObject([
      { type: 'HandlerStarted' },
      { type: 'HandlerCompleted', action: 'fallback', attempts: 0 },
    ]);
  });

  it('fallback: one that fails is a failure of its handler (HD3)', async () => {
    const { error, facts } = await handled([handler({ id: 'h', then: fallback(bad(new Error('own'))) })], bad(busy()));
    expect(error).toMatchObject({ handler: 'h', cause: { message: 'own' }, originalError: { message: 'busy' } });
    expect(typesOf(facts)).toEqual(['HandlerStarted', 'HandlerCompleted', 'HandlerFailed', 'ErrorEscalated']);
  });

  it('fallback: a path is a logic by name, and a directive where nobody knows it here', async () => {
    const handlers = [handler({ id: 'h', then: () => fallback('cached') })];
    expect((await handled(handlers, bad(busy()), { paths: { cached: good('cached') } })).output).toBe('cached');
    const { error } = await handled(handlers, bad(busy()));
    expect(error).toMatchObject({ action: 'fallback', decision: { type: 'fallback', to: 'cached' } });
  });

  it('skip: the value stands for the result', async () => {
    expect((await handled([handler({ id: 'h', then: skip({ total: 0 }) })], bad(busy()))).output).toEqual({ total: 0 });
    expect((await handled([handler({ id: 'h', then: skip() })], bad(busy()))).output).toBe(undefined);
  });

  it.each<[string, RecoveryAction, object]>([
    [
      'abort',
      abort({ cleanup: [good('a'), good('b')] }),
      { cleanup: [{ logic: 'h: cleanup 1' }, { logic: 'h: cleanup 2' }] },
    ],
    ['resumeFrom', resumeFrom('reserve'), { step: 'reserve' }],
    [
      'intervene',
      intervene('What now?', {
        again: retry({ delay: '1s' }),
        other: fallback(good('x')),
        stop: abort({ cleanup: good('y') }),
      }),
      {
        message: 'What now?',
        choices: {
          again: { type: 'retry', delayMs: 1_000, maxAttempts: 3 },
          other: { type: 'fallback', to: { logic: 'h: other: fallback' } },
          stop: { type: 'abort', cleanup: [{ logic: 'h: stop: cleanup 1' }] },
        },
      },
    ],
  ])(
    '%s: leaves as a directive that nothing inside or around repeats or handles (HD2, RD1)',
    async (type, action, data) => {
      const calls: string[] = [];
      const handlers = [handler({ id: 'h', then: action })];
      const inner = withHandlers(handlers, { name: 'charge', scope: 'command' })(bad(busy(), calls));
      const outer = withHandlers([handler({ id: 'all', then: skip() })])(withRetry(3)(inner));
      const { error, facts } = await run(outer);
      expect(error).toBeInstanceOf(RecoveryDirective);
      expect(error).toMatchObject({
        ...{ code: 'REWAKE_RECOVERY_DIRECTIVE', handler: 'h', scope: 'command', subject: 'charge', action: type },
        ...{ decision: { type, ...data }, originalError: { message: 'busy' }, cause: { message: 'busy' } },
      });
      expect(calls).toEqual(['failed']);
      expect(facts).toMatchObject([
        ...[{ type: 'HandlerStarted' }, { type: 'HandlerCompleted', action: type }],
        { type: 'AttemptFailed', error: { class: 'permanent' } },
      ]);
      const names = JSON.stringify(data).match(/"logic":"[^"]+"/g) ?? [];
      expect(Object.keys(logicsOf(handlers)).map((name) => `"logic":"${name}"`)).toEqual(names);
    },
  );

  it('is said by a function of what it knows', async () => {
    const seen: unknown[] = [];
    const then = (outcome: object) => (seen.push(outcome), retry({ maxAttempts: 9 }));
    await handled([handler({ id: 'h', run: good('ok'), then })], failing(2), { name: 'charge' });
    const known = { error: { message: 'busy' }, scope: 'step', subject: 'charge', outputs: ['ok'], attempts: 1 };
    expect(seen.at(0)).toMatchObject({ ...known, calls: 1 });
    expect(seen.at(-1)).toMatchObject({ ...known, calls: 2 });
  });

  it.each<[string, () => unknown, object]>([
    [
      'a logic in what the function gives',
      () => fallback(good('x')),
      { message: expect.stringContaining('Name a path') },
    ],
    [
      'a logic in a choice',
      () => intervene('?', { a: abort({ cleanup: good('x') }) }),
      { name: 'InvalidArgumentError' },
    ],
    ['no action', () => 'retry', { message: expect.stringContaining('a recovery action: retry()') }],
    ['what it throws', () => JSON.parse('{'), { name: 'SyntaxError' }],
  ])('%s is a failure of the handler (HS3)', async (_, then, cause) => {
    const { error } = await handled([handler({ id: 'h', then: then as () => RecoveryAction })], bad(busy()));
    expect(error).toBeInstanceOf(HandlerFailedError);
    expect(error).toMatchObject({ cause, originalError: { message: 'busy' } });
  });
});

describe('nested handlers', () => {
  const nested = (inner: Handler[], more: Partial<HandlerOptions> = {}, runs: AnyActorLogic = failing(1)) => [
    handler({ id: 'outer', run: runs, handlers: inner, then: ({ outputs }) => skip(outputs), ...more }),
  ];

  it('stand around what their handler runs, with that as subject and the same scope', async () => {
    const { output, facts } = await handled(nested([handler({ id: 'inner', then: retry() })]), bad(new Error('first')));
    expect(output).toEqual(['done in 2']);
    expect(facts).toMatchObject([
      { type: 'HandlerStarted', handler: 'outer', subject: 'handled', error: { message: 'first' } },
      { type: 'HandlerStarted', handler: 'inner', scope: 'step', subject: 'outer', error: { message: 'busy' } },
      { type: 'HandlerCompleted', handler: 'inner', action: 'retry' },
      { type: 'HandlerCompleted', handler: 'outer', action: 'skip', attempts: 2 },
    ]);
  });

  it('leave every call in the attempts of a handler that takes too long, the running one included (HG3)', async () => {
    let calls = 0;
    const slow = fromPromise(() => (++calls < 3 ? Promise.reject(busy()) : new Promise<string>(() => {})));
    const inner = handler({ id: 'inner', then: retry() });
    const retries = { maxRetries: 1, backoff: { initialDelay: 100, jitter: 'none' } } as const;
    const { facts } = await handled(nested([inner], { retry: retries, timeout: '5s' }, slow), bad(new Error('first')));
    expect(calls).toBe(3);
    expect(facts.at(-2)).toMatchObject({ type: 'HandlerFailed', handler: 'outer', attempts: 3 });
  });

  it('see the place as the run does, and as input what the run was given', async () => {
    const seen: unknown[] = [];
    const look = fromPromise(async ({ input }: { input: HandlerInput }) => seen.push(input));
    await decide(nested([handler({ id: 'inner', run: look, then: skip() })]), new Error('first'));
    const outer = {
      error: { message: 'first' },
      subject: 'charge',
      input: 'card',
      results: { reserve: 7 },
      outputs: [],
    };
    expect(seen).toMatchObject([
      {
        error: { message: 'busy' },
        scope: 'step',
        subject: 'outer',
        input: outer,
        results: { reserve: 7 },
        outputs: [],
      },
    ]);
  });

  it('give what the run does not', async () => {
    expect((await handled(nested([handler({ id: 'i', then: skip('given') })]), bad(busy()))).output).toEqual(['given']);
    const paths = { other: good('other') };
    const byPath = nested([handler({ id: 'i', then: fallback('other') })]);
    expect((await handled(byPath, bad(busy()), { paths })).output).toEqual(['other']);
  });

  it('stand outside the retries of the run (HI1)', async () => {
    const backoff = { initialDelay: 10, jitter: 'none' } as const;
    const handlers = nested(
      [handler({ id: 'inner', then: retry() })],
      { retry: { maxRetries: 1, backoff } },
      failing(2),
    );
    const { output, facts } = await handled(handlers, bad(busy()));
    expect(output).toEqual(['done in 3']);
    expect(facts.at(-1)).toMatchObject({ handler: 'outer', attempts: 3 });
  });

  it('send on what they fail with: the outer handler has failed with both errors', async () => {
    const handlers = nested([handler({ id: 'inner', run: bad(new Error('inner')) })], {}, bad(new Error('own')));
    const { error } = await handled(handlers, bad(busy()));
    expect(error).toMatchObject({
      ...{ handler: 'outer', originalError: { message: 'busy' } },
      cause: { handler: 'inner', subject: 'outer', originalError: { message: 'own' }, cause: { message: 'inner' } },
    });
  });

  it('decide for the outer one what concerns the flow', async () => {
    const handlers = nested([handler({ id: 'inner', then: abort({ cleanup: good('x') }) })]);
    const decision = await decide(handlers, busy());
    expect(decision).toMatchObject({
      handler: 'outer',
      action: { type: 'abort', cleanup: [{ logic: 'outer/inner: cleanup 1' }] },
    });
    expect(Object.keys(logicsOf(handlers))).toEqual(['outer/inner: cleanup 1']);
    expect(decision.error).toMatchObject({ message: 'busy' });
    const unknown = await decide(nested([handler({ id: 'inner', then: fallback('nowhere') })]), busy());
    expect(unknown).toMatchObject({
      action: { type: 'escalate' },
      error: { handler: 'outer', cause: { handler: 'inner' } },
    });
  });
});

describe('scopes', () => {
  it('the one inside the retries of a step handles each attempt, the one outside what is left', async () => {
    const backoff = { initialDelay: 10, jitter: 'none' } as const;
    const inside = withHandlers([handler({ id: 'in', run: good('noted') })], { scope: 'command', name: 'charge' });
    const outside = withHandlers([handler({ id: 'out', then: skip('unpaid') })], { name: 'charge' });
    const { output, facts } = await run(outside(withRetry({ maxRetries: 1, backoff })(inside(failing(9)))));
    expect(output).toBe('unpaid');
    expect(
      facts.flatMap(({ type, scope, handler: id }) => (type === 'HandlerStarted' ? [[scope, id].join(' ')] : [])),
    ).toEqual([...['command in', 'command in', 'step out']]);
  });
});

describe('facts', () => {
  it('are left out where nobody wants them', async () => {
    const handlers = [handler({ id: 'h', run: good('a'), then: fallback(bad(busy('own'))) })];
    const { error, facts } = await handled(handlers, bad(busy()), { facts: false });
    expect([error, facts]).toMatchObject([{ name: 'HandlerFailedError' }, []]);
  });
});

describe('under plain XState', () => {
  it('handlers do what they do in a runtime, and a fold agrees', async () => {
    const { rows } = await playBoth({
      machine: (world) => {
        const asked = (name: string) => fromPromise(() => world.promise(name));
        const nested = handler({ id: 'nested', then: retry({ delay: 50 }) });
        return withHandlers([
          handler({ id: 'again', when: 'server', run: asked('mend'), handlers: [nested], then: retry({ delay: 100 }) }),
          handler({ id: 'other', run: asked('look'), timeout: 500, then: fallback(asked('other')) }),
          handler({ id: 'late', when: 'never' }),
        ])(asked('call')) as unknown as AnyStateMachine;
      },
      script: async (player) => {
        await player.reject('call', busy());
        await player.reject('mend', new Error('not yet'));
        await player.advance(50);
        await player.resolve('mend', 'mended');
        await player.advance(100);
        await player.reject('call', new Error('no'));
        await player.resolve('look', 'seen');
        await player.resolve('other', 'well');
      },
    });
    expect(rows.flatMap(({ notes }) => notes)).toEqual([
      ...['call starts', 'mend starts', 'mend starts', 'call starts', 'look starts', 'other starts'],
    ]);
    expect(rows.at(-1)!.tree).toMatchObject({ status: 'done', output: 'well' });
  });
});

describe('what is defined', () => {
  it('has types: the result is that of the logic or of a recovery', () => {
    const logic = fromPromise(async ({ input }: { input: number }) => input > 0);
    const work = withHandlers([
      handler({ id: 'a', then: retry() }),
      handler({ id: 'b', then: skip('none') }),
      handler({ id: 'c', then: fallback(fromPromise(async () => 7)) }),
      handler({ id: 'd', then: ({ calls }) => (calls > 1 ? skip(null) : escalate()) }),
    ])(logic);
    expectTypeOf<OutputFrom<typeof work>>().toEqualTypeOf<boolean | 'none' | number | null>();
    expectTypeOf(handler({ id: 'e' })).toExtend<Handler>();
  });

  it.each<[string, () => unknown]>([
    ["'handler.id'", () => handler({ id: '' })],
    ['handler.id', () => handler({ id: 'a.b' })],
    ["handler('h').when", () => handler({ id: 'h', when: [] })],
    ["handler('h').when[1]", () => handler({ id: 'h', when: ['x', 3 as never] })],
    ["handler('h').run", () => handler({ id: 'h', run: (() => 1) as never })],
    ["handler('h').run[1]", () => handler({ id: 'h', run: [good('a'), {} as never] })],
    ["handler('h').run", () => handler({ id: 'h', run: [] })],
    ["handler('h').run", () => handler({ id: 'h', retry: 3 })],
    ["handler('h').run", () => handler({ id: 'h', timeout: '1s' })],
    ["handler('h').retry.maxRetries", () => handler({ id: 'h', run: good('a'), retry: -1 })],
    ["handler('h').timeout", () => handler({ id: 'h', run: good('a'), timeout: 0 })],
    ["handler('h').then", () => handler({ id: 'h', then: 'retry' as never })],
    ["handler('h').handlers[0]", () => handler({ id: 'h', run: good('a'), handlers: [{ id: 'x' } as never] })],
    ['handler.than', () => handler({ id: 'h', than: skip() } as never)],
    ['retry.maxAttempts', () => retry({ maxAttempts: 0 })],
    ['retry.delay', () => retry({ delay: -1 })],
    ['fallback(path)', () => fallback('')],
    ['fallback(logic)', () => fallback((() => 1) as never)],
    ['resumeFrom(step)', () => resumeFrom('')],
    ['intervene(message, choices)', () => intervene('?', {})],
    ['intervene(message, choices).a', () => intervene('?', { a: intervene('?', { b: skip() }) })],
    ['abort.cleanup[0]', () => abort({ cleanup: (() => 1) as never })],
    ['withHandlers(handlers)[1].id', () => withHandlers([handler({ id: 'h' }), handler({ id: 'h' })])],
    ['withHandlers.scope', () => withHandlers([], { scope: 'flow' as never })],
    ['withHandlers.paths.p', () => withHandlers([], { paths: { p: 1 as never } })],
    ['withHandlers(…)(logic)', () => withHandlers([])((() => 1) as never)],
  ])('is refused with its path: %s', (path, define) => {
    expect(define).toThrow(InvalidArgumentError);
    expect(define).toThrow(path.replaceAll(/^'|'$/g, ''));
  });

  it('tells a step around it that its retries multiply', () => {
    const inner = withHandlers([handler({ id: 'h', then: retry({ maxAttempts: 4 }) })], { name: 'inner' })(good('a'));
    const told: unknown[] = [];
    const actor = createActor(withRetry(2)(inner) as unknown as AnyStateMachine);
    actor.on('NestedRetryDetected', (fact) => told.push(fact));
    actor.start().stop();
    expect(told).toMatchObject([{ inner: [{ step: 'inner', maxAttempts: 4 }] }]);
  });
});
