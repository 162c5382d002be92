/**
 * Requirements of "Resume with Error Recovery" beside its acceptance criteria: what is logged of a recovery, what becomes of a
 * flow whose handlers are other ones in the next program, and the strategies that a handler of any kind can follow.
 */
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { ActorBlockedError, ReplayDivergedError, type Runtime } from 'rewake';
import { flow } from '../../machines/flow.ts';
import { handler, type Handler } from '../../machines/handler.ts';
import { retry, skip } from '../../machines/recovery-actions.ts';
import { FileHouse } from '../support/file-house.ts';
import { failureOf } from '../support/house.ts';
import { failing, hanging, live, World, type Answer } from './file-lives.ts';

const broken = failing(Infinity, () => new Error('broken'));

interface Handlers {
  readonly first?: readonly Handler[];
  readonly second?: readonly Handler[];
  readonly flow?: readonly Handler[];
}

/** A flow whose host dies in its first step, and which comes with other handlers then. */
async function withOtherHandlers(before: (world: World) => Handlers, after: (world: World) => Handlers) {
  const house = new FileHouse();
  const world = new World();
  const answers = { first: hanging as Answer };
  const make = ({ first = [], second = [], flow: whole = [] }: Handlers) =>
    flow('changed', {
      steps: {
        first: { run: world.work('first', (...call) => answers.first(...call)), onFailure: first },
        second: { run: world.work('second', broken), needs: ['first'], onFailure: second },
      },
      onFailure: whole,
    } as never) as unknown as AnyStateMachine;
  const { runtime, crash } = await house.openToCrash({ flow: make(before(world)) });
  await runtime.start('flow', { id: '1' });
  await house.rest();
  crash();
  answers.first = () => 'first';
  const next = (await house.open({ flow: make(after(world)) })) as unknown as Runtime;
  return { house, world, next };
}

const instead = (id: string) => [handler({ id, then: skip(id) })];

describe('Automatic migration of legacy error handlers: a flow that was started with others', () => {
  it.each<[string, Handlers, Handlers, string, boolean]>([
    ['none of the flow', {}, { flow: instead('added') }, 'added', true],
    ['another one of the flow', { flow: instead('old') }, { flow: instead('new') }, 'new', false],
    ['none of a step that has not begun', {}, { second: instead('added') }, 'added', true],
    ['another one of a step that has not begun', { second: instead('old') }, { second: instead('new') }, 'new', false],
    [
      'one more, which is asked first',
      { flow: instead('old') },
      { flow: [...instead('new'), ...instead('old')] },
      'new',
      false,
    ],
  ])('%s: goes on with those of the program that runs it', async (_, before, after, expected, isNoted) => {
    const { house, next } = await withOtherHandlers(
      () => before,
      () => after,
    );
    expect(await (await next.get('flow-1')).output()).toMatchObject({ second: expected });
    // A definition is the chart: what another handler does is not in it.
    const resumed = (await house.events('flow-1')).find(({ type }) => type === 'ActorResumed')!;
    expect('changed' in resumed.data).toBe(isNoted);
  });

  it('one of a step that runs, where there was none: is blocked and told so, and goes on with the old program', async () => {
    const { house, next } = await withOtherHandlers(
      () => ({}),
      () => ({ first: instead('added') }),
    );
    const error = await failureOf(next.get('flow-1'));
    expect(error).toBeInstanceOf(ActorBlockedError);
    expect(error.cause).toBeInstanceOf(ReplayDivergedError);
    expect(await house.types('flow-1')).not.toContain('ActorResumed');
  });
});

describe('Backward compatible with existing checkpoints (error recovery state optional)', () => {
  /** A flow whose handler has decided when its host dies. */
  async function crashed(facts: boolean) {
    const house = new FileHouse();
    const world = new World();
    const answers = { last: hanging as Answer };
    const make = (tells: boolean) =>
      flow('quiet', {
        facts: tells,
        steps: {
          go: { run: world.work('go', broken), onFailure: instead('nothing') },
          last: { run: world.work('last', (...call) => answers.last(...call)), needs: ['go'] },
        },
      }) as unknown as AnyStateMachine;
    const { runtime, crash } = await house.openToCrash({ flow: make(facts) });
    await runtime.start('flow', { id: '1' });
    await house.rest();
    expect(world.begun).toEqual(['go', 'last']);
    crash();
    answers.last = () => 'last';
    return { house, world, open: (tells: boolean) => house.open({ flow: make(tells) }) };
  }

  it('a log without the facts of handlers folds to the same, and no handler runs again', async () => {
    const { house, world, open } = await crashed(false);
    expect(await (await (await open(false)).get('flow-1')).output()).toEqual({ go: 'nothing', last: 'last' });
    expect(world.calls).toEqual({ go: 1, last: 1 });
    expect((await house.types('flow-1')).filter((type) => type.startsWith('Handler'))).toEqual([]);
  });

  it.each([true, false])(
    'facts: %s cannot be changed under a flow whose handlers have decided: it is blocked',
    async (facts) => {
      const { open } = await crashed(facts);
      const error = await failureOf((await open(!facts)).get('flow-1'));
      expect(error.cause).toBeInstanceOf(ReplayDivergedError);
    },
  );
});

describe('Clear logging of resume and error recovery operations', () => {
  it('a logger is told of lost effects, of resumes, rewinds and copies, each with its stream', async () => {
    const { house, next } = await withOtherHandlers(
      () => ({}),
      () => ({}),
    );
    await failureOf((await next.get('flow-1')).output());
    await failureOf((await next.resume('flow-1')).output());
    await next.rewind('flow-1', { to: 0 });
    await next.fork('flow-1', { at: 0, id: '2' });
    const told = house.lines.filter(({ level }) => level === 'info').map(({ message, fields }) => [message, fields]);
    expect(told.slice(0, 4)).toEqual([
      [
        'lost effects are taken up',
        { stream: 'flow-1', effects: [{ actor: expect.stringMatching(/^\/first/) as string, decision: 'rerun' }] },
      ],
      ['the actor goes on from another state', { stream: 'flow-1', reason: 'resumed' }],
      [
        'lost effects are taken up',
        { stream: 'flow-1', effects: [{ actor: expect.stringMatching(/^\/first/) as string, decision: 'rerun' }] },
      ],
      ['the actor goes on from another state', { stream: 'flow-1', reason: 'rewound', to: 0 }],
    ]);
    expect(told.slice(4)).toContainEqual(['the actor was copied', { stream: 'flow-1', copy: 'flow-2', at: 0 }]);
  });
});

describe('Automatic retry with exponential backoff', () => {
  it('by a handler: what it ends with may be computed from how often it has decided', async () => {
    const make = (world: World) =>
      flow('patient', {
        steps: {
          go: {
            run: world.work('go', broken),
            onFailure: [
              handler({ id: 'later', then: ({ calls }) => retry({ delay: 1_000 * 2 ** (calls - 1), maxAttempts: 4 }) }),
            ],
          },
        },
      });
    const { world, events } = await live(make);
    expect(world.calls.go).toBe(4);
    const armed = events.flatMap(({ data }) => {
      const timers = (data.armed ?? []) as { dueAt: number }[];
      return timers.map(({ dueAt }) => dueAt - (data.at as number));
    });
    expect(armed).toEqual([1_000, 2_000, 4_000]);
  });
});
