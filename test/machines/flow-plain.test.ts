/** A flow under plain XState and in a runtime, side by side: the same states, facts and calls. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, toPromise, type AnyStateMachine } from 'xstate';
import { flow } from '../../machines/flow.ts';
import { handler } from '../../machines/handler.ts';
import { abort, fallback, intervene, resumeFrom, retry } from '../../machines/recovery-actions.ts';
import { playBoth, type World } from '../support/hosted-and-plain.ts';

const workOf = (world: World) => (name: string) => fromPromise(() => world.promise(name));

it('recovers alike at every scope', async () => {
  const { rows } = await playBoth({
    machine: (world) => {
      const work = workOf(world);
      return flow('trip', {
        steps: {
          a: { run: work('a'), undo: work('undo a') },
          b: { run: work('b'), onFailure: [handler({ id: 'again', when: 'RangeError', then: retry({ delay: 10 }) })] },
          c: { run: work('c'), needs: ['a', 'b'] },
        },
        phases: [
          {
            id: 'going',
            steps: ['a', 'b'],
            onFailure: [handler({ id: 'wait', run: work('look'), then: retry({ delay: '1s' }) })],
          },
          { id: 'being', steps: ['c'], onFailure: [handler({ id: 'back', when: 'TypeError', then: resumeFrom('b') })] },
        ],
        onFailure: [handler({ id: 'stop', then: abort({ cleanup: work('sweep') }) })],
      }) as unknown as AnyStateMachine;
    },
    script: async (player) => {
      await player.resolve('a', 'A');
      await player.reject('b', new RangeError('too far'));
      await player.send({ type: 'approval.chosen', by: 'ann', choice: 'again', subject: 'x' });
      await player.advance(10);
      await player.reject('b', new Error('broken'));
      await player.resolve('look', 'seen');
      await player.advance(1_000);
      await player.resolve('b', 'B');
      await player.reject('c', new TypeError('odd'));
      await player.resolve('b', 'B again');
      await player.reject('c', new Error('broken'));
      await player.resolve('sweep');
      await player.reject('undo a', new Error('too late'));
    },
  });
  expect(rows.flatMap(({ notes }) => notes.map((note) => note.replace(' starts', '')))).toEqual([
    'a',
    'b',
    'b',
    'look',
    'b',
    'c',
    'b',
    'c',
    'sweep',
    'undo a',
  ]);
});

it('falls back alike, and runs sub-flows and lists alike', async () => {
  const { rows } = await playBoth({
    machine: (world) => {
      const work = workOf(world);
      const inner = flow('inner', {
        steps: { list: { run: work('list') }, each: { run: work('each'), forEach: 'list', concurrency: 1 } },
      } as never);
      return flow('outer', {
        steps: {
          x: { run: inner, onFailure: [handler({ id: 'again', when: 'RangeError', then: retry() })] },
          y: { run: work('y'), needs: ['x'] },
        },
        phases: [
          { id: 'all', steps: ['x', 'y'], onFailure: [handler({ id: 'other', then: fallback(work('other')) })] },
        ],
      } as never) as unknown as AnyStateMachine;
    },
    script: async (player) => {
      await player.resolve('list', ['p', 'q']);
      await player.resolve('each', 1);
      await player.reject('each', new RangeError('torn'));
      await player.resolve('each', 2);
      await player.reject('y', new Error('broken'));
      await player.resolve('other', 'another way');
    },
  });
  expect(rows.flatMap(({ notes }) => notes.map((note) => note.replace(' starts', '')))).toEqual([
    'list',
    'each',
    'each',
    'each',
    'y',
    'other',
  ]);
  expect(rows.at(-1)).toMatchObject({ tree: { status: 'done' } });
});

it('asks a person under plain XState', async () => {
  let calls = 0;
  const asks = handler({ id: 'ask', then: intervene('What now?', { again: retry() }) });
  const call = fromPromise(async () => {
    if (++calls === 1) throw new Error('broken');
    return 'done';
  });
  const inner = flow('inner', { steps: { a: { run: call, onFailure: [asks] } } });
  const actor = createActor(flow('outer', { steps: { x: { run: inner } } }) as unknown as AnyStateMachine).start();
  const asked = new Promise((resolve) =>
    actor.system.inspect(() => Object.keys(actor.system.getAll()).length > 0 && resolve(0)),
  );
  await asked;
  actor.send({ type: 'approval.chosen', by: 'ann', choice: 'again', subject: 'x/a' });
  expect(await toPromise(actor)).toEqual({ x: { a: 'done' } });
});
