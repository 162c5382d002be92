/**
 * Acceptance of "Recovery", the page of laminar on catching, retrying and resuming. Its layers are the steps of a flow; where
 * something is to outlast its host, the log is a SQLite file that the next host opens anew.
 */
import { describe, expect, it } from 'vitest';
import { assign, setup, type AnyStateMachine } from 'xstate';
import { registerErrorClass, type Runtime } from 'rewake';
import { withCatch, type Caught } from '../../machines/catch.ts';
import { flow } from '../../machines/flow.ts';
import { laminarRetry, type LaminarRetry } from '../../machines/presets.ts';
import { FileHouse } from '../support/file-house.ts';
import { failureOf } from '../support/house.ts';
import { failing, hanging, live, World, type Answer } from './file-lives.ts';

class ParseError extends TypeError {
  override readonly name = 'ParseError';
}
class UnregisteredError extends TypeError {
  override readonly name = 'UnregisteredError';
}
registerErrorClass(ParseError);

/** A layer with a state of its own: it loads, then it parses. */
function layer(world: World, parse: Answer) {
  return setup({
    types: {} as { context: { loaded?: unknown; parsed?: unknown } },
    actors: { load: world.work('load'), parse: world.work('parse', parse) },
    actions: {
      keepLoaded: assign({ loaded: (_, { output }: { output: unknown }) => output }),
      keepParsed: assign({ parsed: (_, { output }: { output: unknown }) => output }),
    },
  }).createMachine({
    id: 'layer',
    context: {},
    initial: 'loading',
    states: {
      loading: {
        invoke: {
          src: 'load',
          onDone: {
            target: 'parsing',
            actions: { type: 'keepLoaded', params: ({ event }) => ({ output: event.output }) },
          },
        },
      },
      parsing: {
        invoke: {
          src: 'parse',
          onDone: {
            target: 'parsed',
            actions: { type: 'keepParsed', params: ({ event }) => ({ output: event.output }) },
          },
        },
      },
      parsed: { type: 'final' },
    },
    output: ({ context }) => context,
  });
}

const throwing = (error: () => Error) => failing(Infinity, error);

describe('Catch', () => {
  it.each<[string, () => Error, Parameters<typeof withCatch>[0], boolean]>([
    ['the class', () => new TypeError('no'), [TypeError, RangeError], true],
    ['another one of them', () => new RangeError('no'), [TypeError, RangeError], true],
    ['a subclass that is registered', () => new ParseError('no'), [TypeError, RangeError], true],
    // What comes from the log is an instance of a class that was registered, else an Error of that name.
    ['a subclass that is not registered', () => new UnregisteredError('no'), [TypeError, RangeError], false],
    ['that one by its name', () => new UnregisteredError('no'), 'UnregisteredError', true],
    ['an error above them', () => new Error('no'), [TypeError, RangeError], false],
    ['another error', () => new SyntaxError('no'), [TypeError, RangeError], false],
  ])(
    '`Catch` allows the user to configure layers to catch specific errors and subclasses of those errors: %s',
    async (_, error, match, isCaught) => {
      const make = (world: World) =>
        flow('catching', { steps: { a: { run: withCatch(match)(world.work('a', throwing(error))), retry: 3 } } });
      const { output, error: failure, world } = await live(make);
      if (isCaught) {
        expect(output).toMatchObject({ a: { caught: { name: error().name, message: 'no' } } });
        // It is no failure, so nothing is tried again.
        expect(world.calls).toEqual({ a: 1 });
      } else expect(failure).toMatchObject({ code: 'REWAKE_FLOW_FAILED' });
    },
  );

  it('Layers that catch errors exit immediately with their state written to the datastore', async () => {
    const house = new FileHouse();
    const world = new World();
    const answers = { b: hanging };
    const machine = flow('catching', {
      steps: {
        a: {
          run: withCatch(TypeError)(
            layer(
              world,
              throwing(() => new ParseError('not a list')),
            ),
          ),
        },
        b: {
          run: world.work('b', (...call) => answers.b(...call)),
          needs: ['a'],
          input: ({ results }) => results.a,
        },
      },
    }) as unknown as AnyStateMachine;
    const { runtime, crash } = await house.openToCrash({ flow: machine });
    await runtime.start('flow', { id: '1' });
    await house.rest();
    expect(world.begun).toEqual(['load', 'parse', 'b']);
    crash();
    answers.b = () => 'done without';
    const ref = await (await house.open({ flow: machine })).get('flow-1');
    expect(await ref.output()).toMatchObject({ b: 'done without' });
    expect(world.begun).toEqual(['load', 'parse', 'b', 'b']);
    // As the next host reads it from the file.
    const [{ caught, partial }] = world.given.b as [Caught];
    expect(caught).toBeInstanceOf(ParseError);
    expect(partial).toEqual({ loaded: 'LOAD' });
  });

  it('As a result, the layer state may be incomplete and users are responsible for handling any resulting inconsistencies.', async () => {
    const parsedOf = (result: Partial<Caught> & { parsed?: unknown }) =>
      'caught' in result ? ((result.partial as { parsed?: unknown }).parsed ?? 'nothing') : result.parsed;
    const make = (parse: Answer) => (world: World) =>
      flow('handling', {
        steps: { a: { run: withCatch(TypeError)(layer(world, parse)) } },
        output: ({ results }) => parsedOf(results.a as Partial<Caught>),
      });
    expect((await live(make(() => ['one']))).output).toEqual(['one']);
    expect((await live(make(throwing(() => new ParseError('not a list'))))).output).toBe('nothing');
  });
});

describe('Retry', () => {
  it('`Retry` allows the user to configure the retry policy per layer.', async () => {
    const make = (world: World) =>
      flow('retrying', {
        steps: {
          a: {
            run: world.work(
              'a',
              failing(2, () => new Error('flaky')),
            ),
            retry: laminarRetry({ attempts: 3 }),
          },
          b: {
            run: world.work(
              'b',
              failing(1, () => new Error('flaky')),
            ),
            retry: laminarRetry({ attempts: 2 }),
            needs: ['a'],
          },
          c: {
            run: world.work(
              'c',
              failing(1, () => new Error('flaky')),
            ),
            needs: ['b'],
          },
        },
      });
    const { error, world } = await live(make);
    expect(error).toMatchObject({ step: 'c' });
    expect(world.calls).toEqual({ a: 3, b: 2, c: 1 });
  });

  it.each<LaminarRetry>([
    { attempts: 3 },
    { attempts: 5, delay: 0.1, backoff: 2, jitter: 0.1 },
    { attempts: 4, delay: 2 },
    { attempts: 4, backoff: 3 },
    { attempts: 4, backoff: 1, delay: 0.05 },
    { attempts: 4, jitter: 0 },
    { attempts: 4, jitter: 1 },
  ])(
    '`Retry` performs a jittered exponential backoff as the number of attempts increase. Each input to the retry backoff calculation can also be modified: %o',
    async (options) => {
      const make = (world: World) =>
        flow('retrying', {
          steps: {
            a: {
              run: world.work(
                'a',
                throwing(() => new Error('flaky')),
              ),
              retry: laminarRetry(options),
            },
          },
        });
      const { facts, world } = await live(make);
      const { attempts, delay = 0.1, backoff = 2, jitter = 0.1 } = options;
      expect(world.calls).toEqual({ a: attempts });
      const waits = facts.filter(({ type }) => type === 'RetryScheduled') as unknown as {
        delayMs: number;
        r: number;
      }[];
      expect(waits).toHaveLength(attempts! - 1);
      waits.forEach(({ delayMs, r }, retry) => {
        expect(delayMs).toBe(Math.ceil(delay * 1_000 * backoff ** retry * (1 + jitter * r)));
        expect(r >= 0 && r < 1).toBe(true);
      });
      // Chance is drawn for each of them.
      if (jitter > 0) expect(new Set(waits.map(({ r }) => r)).size).toBe(waits.length);
    },
  );

  it('maybe you want your `Flow` to be tolerant of AWS EC2 Spot failures: an attempt whose host has gone is tried again', async () => {
    const house = new FileHouse();
    const world = new World();
    const answers = { a: hanging };
    const machine = flow('spot', {
      steps: { a: { run: world.work('a', (...call) => answers.a(...call)), retry: laminarRetry({ attempts: 3 }) } },
    }) as unknown as AnyStateMachine;
    let { runtime, crash } = await house.openToCrash({ flow: machine });
    await runtime.start('flow', { id: '1' });
    await house.rest();
    for (let host = 0; host < 2; host++) {
      if (host === 1) answers.a = () => 'at last';
      crash();
      ({ runtime, crash } = await house.openToCrash({ flow: machine }));
      await house.rest();
      await house.advance(1_000);
    }
    expect(await (await runtime.get('flow-1')).output()).toEqual({ a: 'at last' });
    expect(world.calls).toEqual({ a: 3 });
    const failed = (await house.facts('flow-1')).filter(({ type }) => type === 'AttemptFailed');
    expect(failed).toMatchObject([{ error: { class: 'lost' } }, { error: { class: 'lost' } }]);
  });
});

describe('Resume', () => {
  /** a, then b and c side by side, then d, which fails once, then e. Its host has ended since. */
  async function failed() {
    const house = new FileHouse();
    const world = new World();
    const machine = flow('graph', {
      steps: {
        a: { run: world.work('a') },
        b: { run: world.work('b'), needs: ['a'] },
        c: { run: world.work('c'), needs: ['a'] },
        d: {
          run: world.work(
            'd',
            failing(1, () => new Error('broken'), 'D'),
          ),
          needs: ['b', 'c'],
        },
        e: { run: world.work('e'), needs: ['d'], input: ({ results }) => Object.values(results).join('') },
      },
    }) as unknown as AnyStateMachine;
    const first = await house.open({ flow: machine });
    await failureOf((await first.start('flow', { id: '1' })).output());
    expect(world.begun).toEqual(['a', 'b', 'c', 'd']);
    await first.close();
    house.restart();
    return { house, world, runtime: (await house.open({ flow: machine })) as unknown as Runtime };
  }
  const output = { a: 'A', b: 'B', c: 'C', d: 'D', e: 'E' };

  it('if you want to recover work that has already been performed you would instead want to resume the flow from where it stopped.', async () => {
    const { world, runtime } = await failed();
    expect(await (await runtime.resume('flow-1')).output()).toEqual(output);
    expect(world.begun.slice(4)).toEqual(['d', 'e']);
    // What was performed before is there with its results.
    expect(world.given.e).toEqual(['ABCD']);
  });

  it('It will also start at the beginning of the flow execution, but preemptively skips any layer that has already finished.', async () => {
    const { house, world, runtime } = await failed();
    await (await runtime.resume('flow-1')).output();
    const facts = await house.facts('flow-1');
    expect(facts.find(({ type }) => type === 'FlowResumed')).toMatchObject({ from: null, pending: ['d', 'e'] });
    const started = facts.flatMap(({ type, step }) => (type === 'FlowStepStarted' ? [step] : []));
    expect(started).toEqual(['a', 'b', 'c', 'd', 'd', 'e']);
    expect(world.calls).toEqual({ a: 1, b: 1, c: 1, d: 2, e: 1 });
    // Resumed once more it has nothing left to do.
    await (await runtime.resume('flow-1')).output();
    expect(await house.facts('flow-1')).toEqual(facts);
  });

  it('You could choose to run the flow from the beginning, retracing through the graph.', async () => {
    const { world, runtime } = await failed();
    expect(await (await runtime.resume('flow-1', { from: 'a' })).output()).toEqual(output);
    expect(world.begun.slice(4)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await (await runtime.start('flow', { id: '2' } as never)).output()).toEqual(output);
    expect(world.begun.slice(9)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});
