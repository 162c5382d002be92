/** Where a hosted machine differs from plain XState on purpose: custom actions run after the append, and values are plain. */
import { describe, expect, it } from 'vitest';
import { emit, sendParent, sendTo, spawnChild } from 'xstate';
import { playApart } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

const boom = () => {
  throw new Error('boom');
};

describe('a custom action', () => {
  it('that throws leaves its machine in the state it had gone to, and the facts of the step are told', async () => {
    const { plain, hosted } = await playApart({
      machine: () =>
        createMachine({
          initial: 'a',
          states: { a: { on: { GO: { target: 'b', actions: [emit({ type: 'Gone' }), boom] } } }, b: {} },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
    expect(plain).toMatchObject({ tree: { status: 'error', value: 'a' }, facts: [] });
    expect(hosted).toMatchObject({ tree: { status: 'error', value: 'b' }, facts: [{ type: 'Gone' }] });
  });

  it('sends after everything that the step itself has sent', async () => {
    const child = createMachine({ on: { PING: { actions: sendParent({ type: 'PONG' }) } } });
    const { plain, hosted } = await playApart({
      machine: (world) =>
        createMachine({
          entry: spawnChild(child, { id: 'child' }),
          on: {
            GO: { actions: [sendTo('child', { type: 'PING' }), ({ self }) => self.send({ type: 'OWN' })] },
            '*': { actions: ({ event }) => world.note(event.type) },
          },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
    expect([plain.notes, hosted.notes]).toEqual([
      ['OWN', 'PONG'],
      ['PONG', 'OWN'],
    ]);
  });

  it('cannot send what cannot be logged, such as an actor: it throws where it sends', async () => {
    const { plain, hosted } = await playApart({
      machine: () =>
        createMachine({ on: { GO: { actions: ({ self }) => self.send({ type: 'WITH', ref: self }) }, WITH: {} } }),
      script: (player) => player.send({ type: 'GO' }),
    });
    expect(plain.tree.status).toBe('active');
    expect(hosted.tree).toMatchObject({ status: 'error', error: { name: 'NotSerializableError' } });
  });
});
