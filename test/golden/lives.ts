/**
 * What happens in the golden logs: one life per log, each with its machines, its events and its crashes. Owns the scripts by
 * which logs of another format are written; the machines are machines.ts's.
 *
 * GL1  Everything comes from a virtual clock and seeded chance: a life that is written twice by one version is the same.
 * GL2  The machines that fold a life are those of its newest host.
 */
import type { AnyStateMachine } from 'xstate';
import type { Machines } from '../../src/runtime/machines.ts';
import { seededRandom } from '../../src/index.ts';
import type { House } from '../support/house.ts';
import * as golden from './machines.ts';
import { flowMachines, forgetCalls, recoveryMachines } from './recovery-machines.ts';

export interface Life {
  readonly name: string;
  /** What folds it. */
  readonly machines: Machines;
  readonly live: (house: House) => Promise<void>;
}

const options = (n: number) => ({ host: `host-${n}`, random: seededRandom(n) });

const rich = () => ({
  date: new Date(1_767_225_600_123),
  map: new Map<unknown, unknown>([
    ['a', 1],
    [{ b: 2 }, new Set([3, 'c'])],
  ]),
  big: 2n ** 70n,
  odd: [undefined, NaN, -0, Infinity, null],
  bytes: new Uint8Array([1, 2, 255]),
  pattern: /a+b/gi,
  url: new URL('https://example.org/?q=1'),
  error: Object.assign(new TypeError('broken', { cause: new RangeError('deeper', { cause: 'text' }) }), {
    details: { at: new Date(0) },
  }),
});

const migrate = ({ value, context }: { value: unknown; context: unknown }) => ({
  value: value === 'drafted' ? 'written' : value,
  context: { euros: (context as { cents: number }).cents / 100 },
});
const contract = {
  versions: [golden.contractAfter, golden.contractBefore] as [AnyStateMachine, AnyStateMachine],
  migrate,
};

export const lives: readonly Life[] = [
  {
    name: 'orders',
    machines: { order: golden.order },
    live: async (house) => {
      const runtime = await house.open({ order: golden.order }, options(1));
      const ref = await runtime.start('order', { id: 'shipped', input: { total: 12 }, correlationId: 'request-1' });
      await ref.send({ type: 'NOTE', text: 'ring twice' }, { messageId: 'note-1' });
      await ref.send({ type: 'NOTE', text: 'ring twice' }, { messageId: 'note-1' });
      await ref.send({ type: 'UNHEARD', of: true }, { correlationId: 'request-2' });
      await ref.send({ type: 'PAY' }, { messageId: 'pay-1' });
      await house.advance(60_000);
      await ref.send({ type: 'HOLD' });
      await ref.send({ type: 'RELEASE' });
      await house.advance(10_000);
      const stopped = await runtime.start('order', { id: 'stopped', input: { total: 13 } });
      await stopped.stop({ reason: 'archived' });
      const waiting = await runtime.start('order', { id: 'waiting', input: { total: 14 } });
      await waiting.send({ type: 'PAY' });
      const abandoned = await runtime.start('order', { id: 'abandoned', input: { total: 15 } });
      await house.rest();
      await abandoned.send({ type: 'ABANDON' });
      await runtime.close();
    },
  },
  {
    name: 'feeds',
    machines: { feed: golden.feed },
    live: async (house) => {
      const first = await house.open({ feed: golden.feed }, options(2));
      const ref = await first.start('feed', { id: '1' });
      await house.rest();
      await ref.send({ type: 'SAY', text: 'hello' });
      await house.rest();
      await first.close();
      const second = await house.open({ feed: golden.feed }, options(3));
      await house.rest();
      await second.send('feed-1', { type: 'SAY', text: 'again' });
      await house.rest();
      await second.close();
    },
  },
  {
    name: 'lost-effects',
    machines: { job: golden.job },
    live: async (house) => {
      const { runtime, crash } = await house.openToCrash({ job: golden.job }, options(4));
      await runtime.start('job', { id: 'settled' });
      await runtime.start('job', { id: 'asked' });
      await house.rest();
      crash();
      const second = await house.open({ job: golden.job }, options(5));
      await house.rest();
      await (await second.get('job-settled')).settle('/asking:3', { output: 'by hand' });
      await second.close();
    },
  },
  {
    name: 'values',
    machines: { keeper: golden.keeper },
    live: async (house) => {
      const runtime = await house.open({ keeper: golden.keeper }, options(6));
      const ref = await runtime.start('keeper', { id: 'rich', input: rich() });
      await ref.send({ type: 'KEEP', value: rich() });
      await house.rest();
      const cyclic: Record<string, unknown> = { name: 'me' };
      cyclic.self = cyclic;
      await ref.send({ type: 'KEEP', value: cyclic });
      await house.rest();
      for (const type of ['FAIL', 'THROW']) {
        const failing = await runtime.start('keeper', { id: type.toLowerCase(), input: { plain: [1, 'two'] } });
        await failing.send({ type });
        await house.rest();
      }
      await runtime.close();
    },
  },
  {
    name: 'changes',
    machines: { ticket: golden.ticketAfter, contract },
    live: async (house) => {
      const before = await house.open(
        { ticket: golden.ticketBefore, contract: golden.contractBefore },
        { ...options(7) },
      );
      await before.start('ticket', { id: '1' });
      await before.start('contract', { id: '1' });
      await before.close();
      const after = await house.open({ ticket: golden.ticketAfter, contract }, options(8));
      await after.send('ticket-1', { type: 'HOLD' });
      await after.send('contract-1', { type: 'SIGN' });
      await house.rest();
      await after.close();
    },
  },
  {
    name: 'environments',
    machines: { ticket: golden.ticketBefore },
    live: async (house) => {
      for (const [n, version] of [
        [10, '7'],
        [11, '8'],
      ] as const) {
        const runtime = await house.open(
          { ticket: golden.ticketBefore },
          {
            ...options(n),
            environment: { version, config: { retries: n } },
            onEnvironmentChange: () => 'accept',
            features: { environmentGuard: true },
          },
        );
        await runtime.start('ticket', { id: '1' });
        await house.rest();
        await runtime.close();
      }
    },
  },
  {
    name: 'rebases',
    machines: { parcel: golden.parcel },
    live: async (house) => {
      const runtime = await house.open({ parcel: golden.parcel }, options(12));
      const ref = await runtime.start('parcel', { id: '1', input: { failures: 2 } });
      for (let draw = 0; draw < 3; draw++) await ref.send({ type: 'DRAW' });
      await runtime.fork('parcel-1', { at: 2, id: 'fork', correlationId: 'fork-1' });
      await runtime.send('parcel-fork', { type: 'DRAW' });
      await ref.send({ type: 'SEND' });
      await house.rest();
      await runtime.rewind('parcel-1', { to: 1 });
      await ref.send({ type: 'SEND' });
      await house.rest();
      await runtime.resume('parcel-1');
      await house.rest();
      await runtime.close();
    },
  },
  {
    name: 'flows',
    machines: flowMachines,
    live: async (house) => {
      forgetCalls();
      const runtime = await house.open(flowMachines, options(13));
      await runtime.start('journey', { id: '1', input: { stops: ['Rome', 'Pisa'] } });
      for (let second = 0; second < 5; second++) await house.advance(1_000);
      await runtime.send('journey-1', { type: 'approval.chosen', by: 'ann', choice: 'wait' });
      for (let second = 0; second < 5; second++) await house.advance(1_000);
      await runtime.send('journey-1', { type: 'approval.chosen', by: 'ann', choice: 'home' });
      await house.rest();
      await runtime.resume('journey-1');
      for (let second = 0; second < 5; second++) await house.advance(1_000);
      await runtime.close();
    },
  },
  {
    name: 'recovery',
    machines: recoveryMachines,
    live: async (house) => {
      const runtime = await house.open(recoveryMachines, options(9));
      const startedAt = house.clock.now();
      await runtime.start('fetched', { id: '1', input: { startedAt } });
      await runtime.start('hopeless', { id: '1' });
      await runtime.start('trip', { id: '1', input: 'Rome' });
      await runtime.start('bulk', { id: '1', input: [1, 2, 3] });
      for (const id of ['granted', 'waiting']) {
        await runtime.start('granted', { id, input: { title: `Refund ${id}?`, details: { cents: 90n } } });
      }
      for (let second = 0; second < 10; second++) await house.advance(1_000);
      await house.advance(3_600_000);
      for (const by of ['ann', 'ann', 'boss']) {
        await runtime.send('granted-granted', { type: 'approval.granted', by, comment: 'once' });
      }
      await house.rest();
      await runtime.close();
    },
  },
];
