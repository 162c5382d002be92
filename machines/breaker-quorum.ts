/**
 * Which nodes have a dependency's breaker open, for breakers that block all nodes only when several agree. Owns that list
 * and its facts; each node's breaker is a breaker of its own. How many must agree is said by whoever asks.
 *
 * BQ1  A node is listed until the time its opening was said to end: one that died, or that nobody asks any more, drops out.
 * BQ2  What is listed already, and what was never listed, changes nothing and is no fact.
 */
import { assertEvent, assign, emit, setup } from 'xstate';
import { now } from 'rewake';
import { breakerState, type BreakerSnapshot } from './breaker-permit.ts';

/** What the list is started with. */
export interface BreakerQuorumInput {
  /** Names the dependency; facts carry it. */
  readonly key: string;
}

interface NodeOpened {
  readonly type: 'node.opened';
  readonly node: string;
  readonly openUntil: number;
}

/** What the list understands. */
export type BreakerQuorumEvent = NodeOpened | { readonly type: 'node.closed'; readonly node: string };

interface NodeFact<Type extends string> {
  readonly type: Type;
  readonly key: string;
  readonly node: string;
  /** How many nodes are open now. */
  readonly openNodes: number;
}

/** What the list says of itself; times in ms since the Unix epoch. */
export type BreakerQuorumFact =
  (NodeFact<'NodeBreakerOpened'> & { readonly openUntil: number }) | NodeFact<'NodeBreakerClosed'>;

/** What the list remembers; plain JSON. */
export interface BreakerQuorumContext {
  readonly key: string;
  readonly open: readonly { readonly node: string; readonly openUntil: number }[];
}

/** Of a snapshot of the list, what the questions below need. */
export interface BreakerQuorumSnapshot {
  readonly context: BreakerQuorumContext;
}

/** Until when calls of all nodes are blocked where so many must agree; undefined while they are not. */
export function blockedUntil({ context }: BreakerQuorumSnapshot, quorum: number, nowMs: number): number | undefined {
  const ends = openAt(context, nowMs).map(({ openUntil }) => openUntil);
  // At this end one fewer than the quorum is left.
  return ends.toSorted((a, b) => b - a)[quorum - 1];
}

/** What a node has to tell the list of its own breaker; undefined when that is known. */
export function newsOf(
  { context }: BreakerQuorumSnapshot,
  node: string,
  own: BreakerSnapshot,
  nowMs: number,
): BreakerQuorumEvent | undefined {
  const state = breakerState(own);
  const listed = openAt(context, nowMs).find((other) => other.node === node);
  if (state === 'open') {
    const openUntil = own.context.opening!.until;
    const isNews = openUntil > nowMs && listed?.openUntil !== openUntil;
    return isNews ? { type: 'node.opened', node, openUntil } : undefined;
  }
  // Half-open its time is over; isolated it says nothing about the dependency.
  const isWell = state !== 'halfOpen' && state !== 'isolated';
  return listed && isWell ? { type: 'node.closed', node } : undefined;
}

function openAt({ open }: BreakerQuorumContext, nowMs: number) {
  return open.filter(({ openUntil }) => openUntil > nowMs);
}

/** The nodes that are open after an event. */
function openAfter(context: BreakerQuorumContext, event: BreakerQuorumEvent) {
  const others = openAt(context, now()).filter(({ node }) => node !== event.node);
  return event.type === 'node.closed' ? others : [...others, { node: event.node, openUntil: event.openUntil }];
}

function opened(event: BreakerQuorumEvent): NodeOpened {
  assertEvent(event, 'node.opened');
  return event;
}

const chart = setup({
  types: {
    input: {} as BreakerQuorumInput,
    context: {} as BreakerQuorumContext,
    events: {} as BreakerQuorumEvent,
    emitted: {} as BreakerQuorumFact,
  },
  guards: {
    isListed: ({ context, event }) => openAt(context, now()).some(({ node }) => node === event.node),
    isNews: ({ context, event }) =>
      !context.open.some(({ node, openUntil }) => node === event.node && openUntil === opened(event).openUntil),
  },
  actions: {
    list: assign({ open: ({ context, event }) => openAfter(context, event) }),
    announceOpened: emit(({ context: { key, open }, event }) => {
      const { node, openUntil } = opened(event);
      return { type: 'NodeBreakerOpened', key, node, openNodes: open.length, openUntil } as const;
    }),
    announceClosed: emit(({ context: { key, open }, event: { node } }) => {
      return { type: 'NodeBreakerClosed', key, node, openNodes: open.length } as const;
    }),
  },
}).createMachine({
  id: 'breakerQuorum',
  context: ({ input: { key } }) => ({ key, open: [] }),
  on: {
    'node.opened': { guard: 'isNews', actions: ['list', 'announceOpened'] },
    'node.closed': { guard: 'isListed', actions: ['list', 'announceClosed'] },
  },
});

type Chart = typeof chart;

/** The type of {@link breakerQuorum}: a name for it in hovers and declarations. */
export interface BreakerQuorumMachine extends Chart {}

/** The machine of the list. Started by the steps that need it, under the key of the dependency as id. */
export const breakerQuorum: BreakerQuorumMachine = chart;
