/** What a person calls an event. */
import { expect, it } from 'vitest';
import { encode } from '../../src/index.ts';
import { labelOf, lineOf } from '../../src/replay/index.ts';
import { byAddress, idOf, nameOf, parentOf } from '../../src/replay/addresses.ts';
import { stateText } from '../../src/replay/state-text.ts';

const event = (type: string, data: object, meta: object = {}) => ({
  type,
  data: JSON.stringify({ at: 0, ...data }),
  meta: meta as Record<string, string>,
});

it.each([
  ['started', 'ActorStarted', { machine: 'order' }],
  ['forked from order-1 at 7', 'ActorStarted', { origin: { stream: 'order-1', revision: 7 } }],
  ['PAY', 'EventReceived', { to: '/', event: { type: 'PAY' } }],
  ['PAY', 'EventReceived', { to: '/', event: encode({ type: 'PAY', at: new Date(0) }, 'event').json }],
  ['EventReceived', 'EventReceived', { to: '/', event: null }],
  ['charge done', 'EffectSucceeded', { actor: '/charge:1' }],
  ['a/b:c done', 'EffectSucceeded', { actor: '/x:1/a%2Fb:c:12' }],
  ['charge failed', 'EffectFailed', { actor: '/charge:1', error: null }],
  ['action failed', 'EffectFailed', { actor: '/', error: null, action: true }],
  ['charge checkpoint', 'EffectProgressed', { actor: '/charge:1', channel: 'checkpoint', value: 1 }],
  ['charge interrupted', 'EffectProgressed', { actor: '/charge:1', channel: 'interrupted', value: null }],
  [
    'charge left to the next host',
    'EffectProgressed',
    { actor: '/charge:1', channel: 'interrupted', value: 'untouched' },
  ],
  ['charge gave a value', 'EffectProgressed', { actor: '/charge:1', channel: 'next', value: 1 }],
  ['charge told Charged', 'EffectProgressed', { actor: '/charge:1', channel: 'emit', value: { type: 'Charged' } }],
  ['HALF', 'EffectProgressed', { actor: '/charge:1', channel: 'parent', value: { type: 'HALF' } }],
  ['after 30s', 'TimerFired', { actor: '/', timer: 0, id: 'xstate.after.30000.order.waiting' }],
  ['after backoff', 'TimerFired', { actor: '/', timer: 0, id: 'xstate.after.backoff.order.waiting' }],
  ['RING, delayed', 'TimerFired', { id: 'rewake.3', transitions: [{ actor: '/', event: 'RING', to: 'a' }] }],
  ['timer rewake.3', 'TimerFired', { id: 'rewake.3' }],
  ['resumed', 'ActorResumed', { host: 'h', effects: [] }],
  ['stopped', 'ActorStopped', { reason: 'enough' }],
  ['rewound to 12', 'ActorRebased', { reason: 'rewound', to: 12 }],
  ['migrated to 2', 'ActorRebased', { reason: 'migrated', version: '2' }],
  ['migrated', 'ActorRebased', { reason: 'migrated', version: null }],
  ['resumed after its end', 'ActorRebased', { reason: 'resumed' }],
  ['compacted', 'ActorRebased', { reason: 'compacted' }],
  ['SomethingNew', 'SomethingNew', {}],
])('LA1: %s', (label, type, data) => {
  expect(labelOf(event(type, data))).toBe(label);
});

it('LA1: has a label whatever is in it', () => {
  expect(labelOf({ type: 'EventReceived', data: 'no JSON', meta: {} })).toBe('EventReceived');
  expect(labelOf({ type: 'ActorStarted', data: '7', meta: {} })).toBe('started');
});

it('is by the name of the logic where XState has made up the id', () => {
  const done = event('EffectSucceeded', { actor: '/0.order.paying:4' });
  expect(labelOf(done)).toBe('order.paying done');
  expect(labelOf(done, () => 'charge')).toBe('charge done');
  expect(nameOf('/0.order.paying:4', 'xstate.invoke.0.order.paying')).toBe('order.paying');
});

it('comes with whom it is about, and where the root went', () => {
  const transitions = [
    { actor: '/pay:3', event: 'x', to: 'done' },
    { actor: '/', event: 'xstate.done.actor.pay', to: { paying: { card: 'signed' } } },
  ];
  const line = { kind: 'done', label: 'pay done', actor: '/pay:3', isFact: false, to: 'paying.card.signed' };
  expect(lineOf(event('EffectSucceeded', { actor: '/pay:3', transitions }))).toEqual(line);
  const fact = { kind: 'fact', label: 'Paid', actor: '/pay:3', isFact: true, to: null };
  expect(lineOf(event('Paid', {}, { actor: '/pay:3' }))).toEqual(fact);
  const standing = { machines: [{ actor: '/', to: { left: 'a', right: 'b' } }] };
  expect(lineOf(event('ActorRebased', { reason: 'rewound', to: 1, standing })).to).toBe('left.a, right.b');
  expect(lineOf(event('ActorStarted', {})).to).toBe(null);
});

it('a state value is written in one line', () => {
  expect([stateText('a'), stateText({}), stateText({ a: {} }), stateText({ a: { b: 'c', d: {} } })]).toEqual([
    'a',
    null,
    'a',
    'a.b.c, a.d',
  ]);
});

it('an address says who is above, and who comes first', () => {
  expect(['/', '/a:1', '/a:1/b:2'].map(parentOf)).toEqual([null, '/', '/a:1']);
  expect(['/a:1', '/x:1/a%2Fb%25:c:12'].map(idOf)).toEqual(['a', 'a/b%:c']);
  const tree = ['/b:10', '/a:2/c:11', '/', '/a:2', '/a:2/c:3'].map((address) => ({ address }));
  expect(tree.toSorted(byAddress).map(({ address }) => address)).toEqual([
    '/',
    '/a:2',
    '/a:2/c:3',
    '/a:2/c:11',
    '/b:10',
  ]);
});
