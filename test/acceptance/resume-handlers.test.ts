/**
 * Acceptance of "Resume with Error Recovery": what handlers of a flow do after its host has died at any append, or after it
 * has ended with an error. The log is a SQLite file that the next host opens anew.
 */
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { ActorBlockedError, registerErrorClass, ReplayDivergedError, type Runtime } from 'rewake';
import { FlowFailedError } from '../../machines/flow-errors.ts';
import { flow } from '../../machines/flow.ts';
import { handler } from '../../machines/handler.ts';
import type { HandlerMatch } from '../../machines/handler-options.ts';
import { abort, fallback, retry, skip } from '../../machines/recovery-actions.ts';
import { FileHouse } from '../support/file-house.ts';
import { failureOf, type ReadEvent } from '../support/house.ts';
import { atEveryAppend } from '../support/two-lives.ts';
import { brokenOnce, failing, hanging, handlerStory, live, World, type Lived, type LifeOptions } from './file-lives.ts';

/** Fails for want of seats. */
class OverbookedError extends Error {
  override readonly name: string = 'OverbookedError';
  readonly code = 'OVERBOOKED';
  readonly seats = { wanted: 2, left: 1 };
}
class GroupOverbookedError extends OverbookedError {
  override readonly name = 'GroupOverbookedError';
}
registerErrorClass(OverbookedError);
registerErrorClass(GroupOverbookedError);

const overbooked = () => new GroupOverbookedError('the plane is full', { cause: new Error('a group came') });
const unauthorized = () => Object.assign(new Error('who are you?'), { status: 401 });

/** A flow with handlers at every scope, in one another, conditional, and with retries; all of them are needed. */
function journey(world: World) {
  return flow('journey', {
    steps: {
      pack: { run: world.work('pack'), undo: world.work('unpack') },
      book: {
        run: world.work('book', failing(1, unauthorized, 'ticket')),
        needs: ['pack'],
        onCommandFailure: [
          handler({ id: 'never', when: 'throttled', run: world.work('never') }),
          handler({ id: 'logIn', when: 'auth', run: world.work('logIn'), then: retry() }),
        ],
      },
      fly: {
        run: world.work('fly', failing(Infinity, overbooked)),
        needs: ['book'],
        input: ({ results }: { results: Record<string, unknown> }) => ({ ticket: results.book }),
        onFailure: [
          handler({ id: 'outOfRange', when: RangeError, then: skip('never') }),
          handler({
            id: 'rebook',
            when: OverbookedError,
            run: [
              world.work('ask'),
              world.work(
                'rebook',
                failing(1, () => new Error('the line is dead')),
              ),
            ],
            handlers: [handler({ id: 'reconnect', run: world.work('reconnect'), then: retry() })],
            then: retry({ delay: '5s', maxAttempts: 2 }),
          }),
        ],
      },
      sleep: { run: world.work('sleep') },
    },
    phases: [
      {
        id: 'going',
        steps: ['pack', 'book', 'fly'],
        onFailure: [
          handler({ id: 'stay', when: (_, { results }) => !('book' in results), then: skip('at home') }),
          handler({
            id: 'train',
            when: (error) => error instanceof Error && error.message === 'the plane is full',
            run: world.work(
              'refund',
              failing(Infinity, () => new TypeError('no form for that')),
            ),
            then: fallback(world.work('never')),
          }),
        ],
      },
      { id: 'being', steps: ['sleep'] },
    ],
    onFailure: [handler({ id: 'car', when: 'OVERBOOKED', run: world.work('rent'), then: skip('by car') })],
  } as never);
}

const journeyStory = [
  'HandlerStarted logIn of command book',
  'HandlerCompleted logIn of command book retry',
  'HandlerStarted rebook of step fly',
  'HandlerStarted reconnect of step rebook',
  'HandlerCompleted reconnect of step rebook retry',
  'HandlerCompleted rebook of step fly retry',
  'HandlerStarted rebook of step fly',
  'HandlerCompleted rebook of step fly escalate',
  'ErrorEscalated of step fly retriesExhausted',
  'HandlerStarted train of phase going',
  'HandlerFailed train of phase going',
  'ErrorEscalated of phase going handlerFailed',
  'HandlerStarted car of workflow journey',
  'HandlerCompleted car of workflow journey skip',
];

/** Every step and every handler fails, one in another too: nothing recovers it. */
function disaster(world: World) {
  const of = (id: string, more = {}) =>
    handler({
      id,
      run: world.work(
        id,
        failing(Infinity, () => new Error(`${id} fails`)),
      ),
      ...more,
    });
  return flow('disaster', {
    steps: {
      go: {
        run: world.work(
          'go',
          failing(Infinity, () => new Error('broken')),
        ),
        onFailure: [of('mend', { handlers: [of('callHelp', { handlers: [of('shout')] })] })],
      },
    },
    phases: [{ id: 'all', steps: ['go'], onFailure: [of('around')] }],
    onFailure: [of('last')],
  } as never);
}

/** Two calls of a step by the decision of a handler of the flow, whose own work needs three attempts at first. */
function patient(world: World) {
  const broken = failing(3, () => new Error('broken'));
  const notYet = failing(2, () => new Error('not yet'));
  return flow('patient', {
    steps: { go: { run: world.work('go', broken) } },
    onFailure: [
      handler({
        id: 'mend',
        run: world.work('mend', notYet),
        retry: { maxAttempts: 5, backoff: { strategy: 'fixed', initialDelay: '1s', jitter: 'none' } },
        then: retry({ maxAttempts: 2 }),
      }),
    ],
  });
}

interface Sweep {
  readonly reference: Lived;
  /** With a crash before and after each append, and the place of it. */
  readonly lives: readonly (readonly [where: string, life: Lived])[];
}

/** A flow lived with a crash at every append. Kept: each test of it looks at something else. */
function swept(make: (world: World) => unknown, how: LifeOptions): () => Promise<Sweep> {
  let kept: Promise<Sweep> | undefined;
  const sweep = async (): Promise<Sweep> => {
    const lives: [string, Lived][] = [];
    const crashes = await atEveryAppend(
      (crash) => live(make, { ...how, crash }),
      (life, where) => void lives.push([where, life]),
    );
    expect(crashes).toBeGreaterThan(10);
    return { reference: await live(make, how), lives };
  };
  return () => (kept ??= sweep());
}

const journeys = swept(journey, { input: 'Rome' });
const disasters = swept(disaster, {});
const patients = swept(patient, { resumes: 1 });
const seconds = 60_000;

/** What of an error must come back. */
function contentOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { constructor, name, message, cause, originalError, ...own } = error as Error & { originalError?: unknown };
  return {
    class: constructor.name,
    name,
    message,
    ...own,
    cause: contentOf(cause),
    original: contentOf(originalError),
  };
}

const contents = (given: readonly unknown[]) =>
  given.map((each) => ({ ...(each as object), error: contentOf((each as { error: unknown }).error) }));

const ofHandlers = (facts: readonly ReadEvent['data'][]) =>
  facts.filter(({ type }) => /^(Handler|ErrorEscalated)/.test(String(type)));

describe('Error handlers execute correctly during resumed workflow execution', () => {
  it(
    'the same ones, in the same order, as often, with the same end, wherever the host dies',
    { timeout: seconds },
    async () => {
      const { reference, lives } = await journeys();
      expect(handlerStory(reference.facts)).toEqual(journeyStory);
      for (const [where, { facts, output, world }] of lives) {
        expect(handlerStory(facts), where).toEqual(journeyStory);
        expect(ofHandlers(facts), where).toEqual(ofHandlers(reference.facts));
        expect(output, where).toEqual({ pack: 'PACK', book: 'ticket', fly: 'by car', sleep: 'SLEEP' });
        expect(world.calls, where).toEqual({
          ...{ pack: 1, book: 2, logIn: 1, fly: 2, ask: 2, rebook: 3, reconnect: 1, refund: 1, rent: 1, sleep: 1 },
        });
      }
    },
  );

  it('for a failure that comes only after the resume, at each scope', async () => {
    const house = new FileHouse();
    const world = new World();
    const answers = { go: hanging };
    const of = (id: string) => [handler({ id, run: world.work(id) })];
    const machine = flow('later', {
      steps: {
        go: {
          run: world.work('go', (...call) => answers.go(...call)),
          onCommandFailure: of('command'),
          onFailure: of('step'),
        },
      },
      phases: [{ id: 'all', steps: ['go'], onFailure: of('phase') }],
      onFailure: of('workflow'),
    }) as unknown as AnyStateMachine;
    const { runtime, crash } = await house.openToCrash({ flow: machine });
    await runtime.start('flow', { id: '1' });
    await house.rest();
    expect(world.begun).toEqual(['go']);
    crash();
    answers.go = failing(Infinity, () => new Error('broken'));
    const ref = await (await house.open({ flow: machine })).get('flow-1');
    expect(await failureOf(ref.output())).toBeInstanceOf(FlowFailedError);
    expect(world.begun).toEqual(['go', 'go', 'command', 'step', 'phase', 'workflow']);
  });

  it('when a flow that has failed is resumed, at whatever append its host dies', { timeout: seconds }, async () => {
    const { lives } = await patients();
    for (const [where, { output, facts }] of lives) {
      expect(output, where).toEqual({ go: 'at last' });
      expect(handlerStory(facts), where).toEqual([
        'HandlerStarted mend of workflow patient',
        'HandlerCompleted mend of workflow patient retry',
        'HandlerStarted mend of workflow patient',
        'HandlerCompleted mend of workflow patient escalate',
        'ErrorEscalated of workflow patient retriesExhausted',
        'HandlerStarted mend of workflow patient',
        'HandlerCompleted mend of workflow patient retry',
      ]);
    }
  });
});

describe('Error context is properly restored from checkpoints', () => {
  it(
    'a handler is given the same error, input, results and outputs, wherever the host dies',
    { timeout: seconds },
    async () => {
      const { reference, lives } = await journeys();
      const handlers = ['logIn', 'ask', 'rebook', 'reconnect', 'refund', 'rent'];
      expect(reference.world.given.rebook).toMatchObject([
        ...[1, 2, 3].map(() => ({
          ...{ scope: 'step', subject: 'fly', input: { ticket: 'ticket' }, outputs: ['ASK'] },
          results: { pack: 'PACK', book: 'ticket' },
        })),
      ]);
      for (const [where, { world }] of lives) {
        for (const each of handlers)
          expect(contents(world.given[each]!), `${each}, ${where}`).toEqual(contents(reference.world.given[each]!));
        const { error } = world.given.rebook![0] as { error: GroupOverbookedError };
        expect(error, where).toBeInstanceOf(GroupOverbookedError);
        expect(contentOf(error), where).toMatchObject({
          ...{ message: 'the plane is full', code: 'OVERBOOKED', seats: { wanted: 2, left: 1 } },
          cause: { message: 'a group came' },
        });
      }
    },
  );

  it('also from a snapshot of the actor, which is taken after every event', async () => {
    const options = { snapshots: { every: 1 } };
    const { facts } = await live(journey, { input: 'Rome' });
    for (const append of [4, 8, 12, 16]) {
      const life = await live(journey, {
        input: 'Rome',
        options,
        crash: { fault: 'crash', append, phase: 'afterAppend' },
      });
      expect([life.crashed, handlerStory(life.facts)]).toEqual([true, handlerStory(facts)]);
      expect(contents(life.world.given.rent!)).toMatchObject([
        { error: { class: 'HandlerFailedError', original: { class: 'GroupOverbookedError' } }, input: 'Rome' },
      ]);
    }
  });

  it(
    'the errors of handlers that failed too: what a flow fails with is the same, wherever the host dies',
    { timeout: seconds },
    async () => {
      const { reference, lives } = await disasters();
      for (const [where, { error }] of lives) expect(contentOf(error), where).toEqual(contentOf(reference.error));
    },
  );
});

describe('Nested error handlers work correctly after resume', () => {
  it('one whose host dies while it runs is run again, and the handler around it goes on', async () => {
    const house = new FileHouse();
    const world = new World();
    const answers = { reconnect: hanging };
    const machine = flow('nested', {
      steps: {
        go: {
          run: world.work('go', brokenOnce),
          onFailure: [
            handler({
              id: 'mend',
              run: world.work(
                'mend',
                failing(1, () => new Error('the line is dead')),
              ),
              handlers: [
                handler({ id: 'other', when: RangeError, run: world.work('other') }),
                handler({
                  id: 'reconnect',
                  run: world.work('reconnect', (...call) => answers.reconnect(...call)),
                  then: retry(),
                }),
              ],
              then: retry(),
            }),
          ],
        },
      },
    }) as unknown as AnyStateMachine;
    const { runtime, crash } = await house.openToCrash({ flow: machine });
    await runtime.start('flow', { id: '1' });
    await house.rest();
    crash();
    answers.reconnect = () => 'connected';
    const ref = await (await house.open({ flow: machine })).get('flow-1');
    expect(await ref.output()).toEqual({ go: 'at last' });
    expect(world.begun).toEqual(['go', 'mend', 'reconnect', 'reconnect', 'mend', 'go']);
    expect(world.calls).toEqual({ go: 2, mend: 2, reconnect: 1 });
  });

  it(
    'what none of them recovers cascades outward with every error kept, wherever the host dies',
    { timeout: seconds },
    async () => {
      const { lives } = await disasters();
      const failed = (id: string, scope: string, subject: string, original: unknown, cause: unknown) => ({
        ...{ class: 'HandlerFailedError', handler: id, scope, subject, original, cause },
      });
      const message = (text: string) => ({ message: text });
      const mend = failed(
        ...(['mend', 'step', 'go', message('broken')] as const),
        // What the handler failed with is what its own handlers failed with.
        failed(
          ...(['callHelp', 'step', 'mend', message('mend fails')] as const),
          failed('shout', 'step', 'callHelp', message('callHelp fails'), message('shout fails')),
        ),
      );
      for (const [where, { error, world, facts }] of lives) {
        expect(error, where).toBeInstanceOf(FlowFailedError);
        expect(contentOf(error), where).toMatchObject({
          original: failed(
            ...(['last', 'workflow', 'disaster'] as const),
            failed('around', 'phase', 'all', mend, message('around fails')),
            message('last fails'),
          ),
        });
        expect(world.calls, where).toEqual({ go: 1, mend: 1, callHelp: 1, shout: 1, around: 1, last: 1 });
        expect(handlerStory(facts), where).toEqual([
          ...['mend of step go', 'callHelp of step mend', 'shout of step callHelp'].map(
            (each) => `HandlerStarted ${each}`,
          ),
          ...['HandlerFailed shout of step callHelp', 'ErrorEscalated of step callHelp handlerFailed'],
          ...['HandlerFailed callHelp of step mend', 'ErrorEscalated of step mend handlerFailed'],
          ...['HandlerFailed mend of step go', 'ErrorEscalated of step go handlerFailed'],
          ...['HandlerStarted around of phase all', 'HandlerFailed around of phase all'],
          ...['ErrorEscalated of phase all handlerFailed', 'HandlerStarted last of workflow disaster'],
          ...['HandlerFailed last of workflow disaster', 'ErrorEscalated of workflow disaster handlerFailed'],
        ]);
      }
    },
  );

  it('one that aborts ends the flow in the next host: cleanups, undos, the original error', async () => {
    const house = new FileHouse();
    const world = new World();
    const answers = { callHelp: hanging };
    const machine = flow('nested', {
      steps: {
        pack: { run: world.work('pack'), undo: world.work('unpack') },
        go: {
          run: world.work('go', brokenOnce),
          needs: ['pack'],
          onFailure: [
            handler({
              id: 'mend',
              run: world.work(
                'mend',
                failing(1, () => new Error('mend fails')),
              ),
              handlers: [
                handler({
                  id: 'callHelp',
                  run: world.work('callHelp', (...call) => answers.callHelp(...call)),
                  then: abort({ cleanup: world.work('sweep') }),
                }),
              ],
            }),
          ],
        },
      },
    }) as unknown as AnyStateMachine;
    const { runtime, crash } = await house.openToCrash({ flow: machine });
    await runtime.start('flow', { id: '1' });
    await house.rest();
    crash();
    answers.callHelp = () => 'nobody comes';
    const ref = await (await house.open({ flow: machine })).get('flow-1');
    const error = await failureOf(ref.output());
    expect(error).toMatchObject({ code: 'REWAKE_FLOW_ABORTED', originalError: { message: 'broken' } });
    expect(world.begun).toEqual(['pack', 'go', 'mend', 'callHelp', 'callHelp', 'sweep', 'unpack']);
  });
});

describe('Conditional error handlers are evaluated properly', () => {
  /** A step fails while another one runs; only when that has ended, in the next host, the handlers are asked. */
  async function chosenAfterCrash(error: () => Error, when: HandlerMatch | readonly HandlerMatch[]) {
    const house = new FileHouse();
    const world = new World();
    const answers = { slow: hanging };
    const machine = flow('conditional', {
      steps: {
        quick: { run: world.work('quick') },
        go: { run: world.work('go', failing(Infinity, error)), needs: ['quick'] },
        slow: { run: world.work('slow', (...call) => answers.slow(...call)) },
      },
      onFailure: [handler({ id: 'meant', when, then: skip('meant') }), handler({ id: 'rest', then: skip('rest') })],
    }) as unknown as AnyStateMachine;
    const { runtime, crash } = await house.openToCrash({ flow: machine });
    await runtime.start('flow', { id: '1', input: 'Rome' } as never);
    await house.rest();
    crash();
    expect((await house.types('flow-1')).filter((type) => type.startsWith('Handler'))).toEqual([]);
    answers.slow = () => 'slow';
    const ref = await (await house.open({ flow: machine })).get('flow-1');
    return ((await ref.output()) as { go: unknown }).go;
  }

  it.each<[string, () => Error, HandlerMatch | readonly HandlerMatch[], string]>([
    ['its class', overbooked, GroupOverbookedError, 'meant'],
    ['a class above it', overbooked, OverbookedError, 'meant'],
    ['another class', overbooked, RangeError, 'rest'],
    ['a built-in class', () => new TypeError('no'), TypeError, 'meant'],
    ['its code', overbooked, 'OVERBOOKED', 'meant'],
    ['its exact name', overbooked, 'GroupOverbookedError', 'meant'],
    ['a part of its name', overbooked, 'OverbookedError', 'rest'],
    ['its class in the taxonomy', unauthorized, 'auth', 'meant'],
    ['another class of the taxonomy', unauthorized, 'throttled', 'rest'],
    ['one of a list', overbooked, [RangeError, 'auth', OverbookedError], 'meant'],
    ['a predicate over the error', overbooked, (error) => (error as OverbookedError).seats.left === 1, 'meant'],
    [
      'a predicate over the error that does not hold',
      overbooked,
      (error) => (error as OverbookedError).seats.left === 0,
      'rest',
    ],
    ['a predicate over the results', overbooked, (_, { results }) => results.quick === 'QUICK', 'meant'],
    [
      'a predicate over the place',
      overbooked,
      (_, { scope, subject, input }) => `${scope} ${subject} ${String(input)}` === 'workflow conditional Rome',
      'meant',
    ],
  ])('after a resume, by %s', async (_, error, when, expected) => {
    expect(await chosenAfterCrash(error, when)).toBe(expected);
  });

  it(
    'in order, the first that is for the error, and no other, wherever the host dies',
    { timeout: seconds },
    async () => {
      for (const [where, { facts, world }] of (await journeys()).lives) {
        const chosen = facts.filter(({ type }) => type === 'HandlerStarted').map(({ handler: id }) => id);
        expect(chosen, where).toEqual(['logIn', 'rebook', 'reconnect', 'rebook', 'train', 'car']);
        expect(world.calls.never, where).toBeUndefined();
      }
    },
  );

  it('one that was chosen stays chosen: code that would choose another one now is told so, and runs nothing', async () => {
    const house = new FileHouse();
    const world = new World();
    const machine = (isMeant: boolean) =>
      flow('fickle', {
        steps: { go: { run: world.work('go', failing(Infinity, overbooked)) } },
        onFailure: [
          handler({ id: 'meant', when: () => isMeant, run: world.work('meant', hanging) }),
          handler({ id: 'rest', run: world.work('rest', hanging) }),
        ],
      }) as unknown as AnyStateMachine;
    const { runtime, crash } = await house.openToCrash({ flow: machine(true) });
    await runtime.start('flow', { id: '1' });
    await house.rest();
    crash();
    const error = await failureOf((await house.open({ flow: machine(false) })).get('flow-1'));
    expect(error).toBeInstanceOf(ActorBlockedError);
    expect(error.cause).toBeInstanceOf(ReplayDivergedError);
    expect(world.begun).toEqual(['go', 'meant']);
  });
});

describe('Error handler retries work correctly after resume', () => {
  const minute = 60_000;

  /** A handler whose work fails so often, with three calls a minute apart. */
  async function mending(failures: number) {
    const house = new FileHouse();
    const world = new World();
    const answers = { mend: failing(failures, () => new Error('not yet')) };
    const machine = flow('patient', {
      steps: {
        go: {
          run: world.work('go', brokenOnce),
          onFailure: [
            handler({
              id: 'mend',
              run: world.work('mend', (...call) => answers.mend(...call)),
              retry: { maxAttempts: 3, backoff: { strategy: 'fixed', initialDelay: '1m', jitter: 'none' } },
              then: retry(),
            }),
          ],
        },
      },
    }) as unknown as AnyStateMachine;
    let crash = () => {};
    /** The host dies; so much later there is another one. */
    const nextHost = async (after: number): Promise<Runtime> => {
      crash();
      const opened = await house.openToCrash({ flow: machine });
      crash = opened.crash;
      await house.rest();
      await house.advance(after);
      return opened.runtime as unknown as Runtime;
    };
    await (await nextHost(0)).start('flow', { id: '1' } as never);
    await house.rest();
    return { house, world, answers, nextHost };
  }

  it('they go on with their count, and with what is left of their wait, through one host after another', async () => {
    const { house, world, nextHost } = await mending(2);
    expect(world.calls.mend).toBe(1);
    await nextHost(minute - 1);
    expect(world.calls.mend).toBe(1);
    await nextHost(1);
    expect(world.calls.mend).toBe(2);
    await nextHost(minute / 2);
    const last = await nextHost(minute / 2);
    expect(await (await last.get('flow-1')).output()).toEqual({ go: 'at last' });
    expect(world.calls).toEqual({ go: 2, mend: 3 });
    const facts = await house.facts('flow-1');
    expect(facts.flatMap(({ type, attempt }) => (type === 'AttemptFailed' ? [attempt] : []))).toEqual([1, 2]);
    expect(facts).toContainEqual(expect.objectContaining({ type: 'HandlerCompleted', handler: 'mend', attempts: 3 }));
  });

  it('when the last one has failed there is no other, however many hosts it took', async () => {
    const { house, world, nextHost } = await mending(Infinity);
    for (let host = 0; host < 3; host++) await nextHost(minute);
    const last = await nextHost(10 * minute);
    expect(await failureOf((await last.get('flow-1')).output())).toMatchObject({
      originalError: { code: 'REWAKE_HANDLER_FAILED', handler: 'mend', originalError: { message: 'broken' } },
    });
    expect(world.calls).toEqual({ go: 1, mend: 3 });
    const facts = await house.facts('flow-1');
    expect(facts).toContainEqual(expect.objectContaining({ type: 'HandlerFailed', handler: 'mend', attempts: 3 }));
  });

  it('one that was under way when its host died counts', async () => {
    const { house, world, answers, nextHost } = await mending(1);
    answers.mend = hanging;
    await nextHost(minute);
    expect(world.calls.mend).toBe(2);
    answers.mend = () => 'mended';
    await nextHost(0);
    const last = await nextHost(minute);
    expect(await (await last.get('flow-1')).output()).toEqual({ go: 'at last' });
    expect(world.calls.mend).toBe(3);
    const failed = (await house.facts('flow-1')).filter(({ type }) => type === 'AttemptFailed');
    expect(failed).toMatchObject([
      { attempt: 1, error: { message: 'not yet' } },
      { attempt: 2, error: { class: 'lost' } },
    ]);
  });

  it(
    'those of the step and of what the handler runs are counted through every crash, and anew after a resume',
    { timeout: seconds },
    async () => {
      const { reference, lives } = await patients();
      const completed = ({ facts }: Lived) => facts.filter(({ type }) => type === 'HandlerCompleted');
      expect(completed(reference)).toMatchObject([
        { action: 'retry', attempts: 3 },
        { action: 'escalate', attempts: 1 },
        { action: 'retry', attempts: 1 },
      ]);
      for (const [where, life] of lives) {
        // Two calls until the flow failed, two after it was resumed.
        expect(life.world.calls.go, where).toBe(4);
        const lost = life.facts.filter(
          ({ type, error }) => type === 'AttemptFailed' && (error as { class: string }).class === 'lost',
        ).length;
        // An attempt whose host died may have been made: it counts, whether it was or not.
        const attempts = completed(life).reduce((sum, each) => sum + (each.attempts as number), 0);
        expect(lost, where).toBeLessThanOrEqual(1);
        expect(attempts, where).toBeLessThanOrEqual(5 + lost);
        expect(life.world.calls.mend, where).toBeLessThanOrEqual(attempts);
        expect(life.world.calls.mend, where).toBeGreaterThanOrEqual(attempts - lost);
      }
    },
  );
});
