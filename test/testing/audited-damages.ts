/**
 * Ways to damage a good log, and the invariant that each breaks. Owns the table; that an audit finds just that is
 * audit.test.ts's.
 */
import { setup, type AnyStateMachine } from 'xstate';
import { defineUpcasters } from 'rewake';
import type { AuditOptions } from 'rewake/audit';
import type { House } from '../support/house.ts';
import { exhausted, machines, order, ordered, probed, type Page } from './audited-runs.ts';

/** Events of one run, with the means to damage them. */
export class Book {
  readonly pages: Page[];
  #ids = 0;

  constructor(pages: Page[]) {
    this.pages = pages;
  }

  /** An event by its place. */
  at(place: string): Page {
    return this.pages.find(({ stream, revision }) => `${stream}@${revision}` === place)!;
  }

  remove(place: string): void {
    this.pages.splice(this.pages.indexOf(this.at(place)), 1);
  }

  /** Nothing is written any more behind this event. */
  cutBehind(place: string): void {
    this.pages.length = this.pages.indexOf(this.at(place)) + 1;
  }

  /** Puts a copy of an event behind another one, under an id of its own; a stimulus is then its own cause. */
  copy(from: string, behind: string, data: Page['data'] = {}): Page {
    const { meta, data: old, ...page } = this.at(from);
    const id = `copy-${this.#ids++}`;
    const isFact = meta.actor !== undefined;
    const copied = {
      ...page,
      id,
      meta: { ...meta, ...(!isFact && meta.$causationId === page.id && { $causationId: id }) },
      data: { ...old, ...data },
    };
    this.pages.splice(this.pages.indexOf(this.at(behind)) + 1, 0, copied);
    return copied;
  }

  /** The first entry of a list in an event. */
  first(place: string, list: string): { [field: string]: unknown } {
    return (this.at(place).data[list] as { [field: string]: unknown }[])[0]!;
  }
}

interface Damage {
  readonly invariant: number;
  readonly what: string;
  readonly of: () => Promise<House>;
  readonly done: (book: Book) => void;
  /** Where it shows, once the streams are numbered anew. */
  readonly shows: string;
  readonly options?: AuditOptions;
  /** Revisions stay as they are: only events that are given one by one can be so. */
  readonly keepsRevisions?: true;
}

const none = { transitions: undefined, intents: undefined, armed: undefined, cancelled: undefined };

const inOrder: readonly Omit<Damage, 'of'>[] = [
  {
    invariant: 1,
    what: 'a record is missing',
    done: (book) => book.remove('order-1@3'),
    shows: 'order-1@4',
    keepsRevisions: true,
  },
  {
    invariant: 1,
    what: 'a revision is there twice',
    done: (book) => book.copy('order-1@1', 'order-1@3'),
    shows: 'order-1@1',
    keepsRevisions: true,
  },
  {
    invariant: 1,
    what: 'the beginning is missing',
    done: (book) => book.remove('ledger-1@0'),
    shows: 'ledger-1@0',
  },
  {
    invariant: 1,
    what: 'a transition is not what the machine does',
    done: (book) => (book.first('order-1@3', 'transitions').to = 'waiting'),
    shows: 'order-1@3',
    options: { machines },
  },
  {
    invariant: 2,
    what: 'a stimulus has no time',
    done: (book) => (book.at('order-1@12').data.at = undefined),
    shows: 'order-1@12',
    options: { machines },
  },
  {
    invariant: 8,
    what: 'an event is there twice',
    done: (book) => {
      const { id, meta } = book.at('order-1@1');
      Object.assign(book.copy('order-1@1', 'order-1@2'), { id, meta });
    },
    shows: 'order-1@3',
  },
  {
    invariant: 8,
    what: 'an event is in two streams',
    done: (book) => {
      const copy = book.copy('ledger-1@3', 'ledger-1@3');
      copy.id = copy.meta.$causationId = book.at('order-1@10').id;
    },
    shows: 'ledger-1@4',
  },
  {
    invariant: 9,
    what: 'a message is received twice',
    done: (book) => book.copy('order-1@1', 'order-1@2'),
    shows: 'order-1@3',
  },
  {
    invariant: 10,
    what: 'an intent is missing',
    done: (book) => {
      book.at('order-1@3').data.intents = undefined;
      book.remove('order-1@4');
    },
    shows: 'order-1@4',
  },
  {
    invariant: 10,
    what: 'an effect is resumed that never began',
    done: (book) => {
      const copy = book.copy('ledger-1@3', 'order-1@3', { effects: [{ actor: '/charge:7', decision: 'rerun' }] });
      Object.assign(copy, { stream: 'order-1', type: 'ActorResumed' });
    },
    shows: 'order-1@4',
  },
  {
    invariant: 11,
    what: 'an effect was not run again',
    done: (book) => book.cutBehind('order-1@8'),
    shows: 'order-1@7',
    options: { machines, ended: true },
  },
  {
    invariant: 12,
    what: 'an effect is intended twice',
    done: (book) => (book.at('order-1@3').data.intents as unknown[]).push(book.first('order-1@3', 'intents')),
    shows: 'order-1@3',
  },
  {
    invariant: 13,
    what: 'an effect has two outcomes',
    done: (book) => book.copy('order-1@5', 'order-1@6', none),
    shows: 'order-1@7',
  },
  {
    invariant: 14,
    what: 'an effect speaks after its outcome',
    done: (book) => book.copy('order-1@4', 'order-1@6'),
    shows: 'order-1@7',
  },
  {
    invariant: 14,
    what: 'an address is used again',
    done: (book) => {
      book.first('order-1@7', 'intents').actor = '/charge:1';
      for (const place of ['order-1@8', 'order-1@9']) book.at(place).data.actor = '/charge:1';
    },
    shows: 'order-1@7',
  },
  {
    invariant: 14,
    what: 'a timer fires for another actor',
    done: (book) => (book.at('order-1@7').data.actor = '/shipping:3'),
    shows: 'order-1@7',
  },
  {
    invariant: 14,
    what: 'the outcome comes of an effect that a transition has ended',
    done: (book) => {
      // GIVE_UP is as if the effect had failed; then it fails.
      const { data, meta, id } = book.at('order-1@5');
      const failed = book.copy('order-1@5', 'order-1@6', none);
      failed.meta = { ...meta };
      data.transitions = [{ actor: '/', event: 'GIVE_UP', to: 'waiting' }];
      Object.assign(data, { to: '/', event: { type: 'GIVE_UP' }, actor: undefined, error: undefined });
      Object.assign(book.at('order-1@5'), { type: 'EventReceived', meta: { ...meta, $causationId: id } });
      book.remove('order-1@6');
    },
    shows: 'order-1@6',
    options: { machines },
  },
  {
    invariant: 19,
    what: 'a timer fires early',
    done: (book) => (book.at('order-1@7').data.at = (book.at('order-1@7').data.at as number) - 1),
    shows: 'order-1@7',
  },
  {
    invariant: 19,
    what: 'the due time of a timer is changed',
    done: (book) => (book.at('order-1@11').data.dueAt = (book.at('order-1@11').data.dueAt as number) - 1),
    shows: 'order-1@11',
  },
  {
    invariant: 19,
    what: 'a timer is armed for the past',
    done: (book) => {
      for (const fields of [book.first('order-1@5', 'armed'), book.at('order-1@7').data]) fields.dueAt = 5;
    },
    shows: 'order-1@5',
  },
  {
    invariant: 20,
    what: 'a timer fires twice',
    done: (book) => book.copy('order-1@11', 'order-1@11'),
    shows: 'order-1@12',
  },
  {
    invariant: 20,
    what: 'a timer fires that was never armed',
    done: (book) => (book.at('order-1@5').data.armed = undefined),
    shows: 'order-1@7',
  },
  {
    invariant: 20,
    what: 'a timer fires before one whose turn it was',
    done: (book) => {
      const [first, second] = book.at('order-1@10').data.armed as { dueAt: number }[];
      second!.dueAt = first!.dueAt - 1;
      book.at('order-1@12').data.dueAt = second!.dueAt;
    },
    shows: 'order-1@11',
  },
  {
    invariant: 20,
    what: 'a number is given to two timers',
    done: (book) => {
      for (const fields of [book.first('order-1@5', 'armed'), book.at('order-1@7').data]) fields.timer = 0;
    },
    shows: 'order-1@5',
  },
  {
    invariant: 20,
    what: 'a timer is cancelled that is not armed',
    done: (book) => (book.at('order-1@10').data.cancelled = [1]),
    shows: 'order-1@10',
  },
  {
    invariant: 20,
    what: 'a timer never fires',
    done: (book) => {
      for (const revision of [11, 12, 13]) book.remove(`order-1@${revision}`);
      (book.at('order-1@10').data.armed as unknown[]).length = 1;
    },
    shows: 'order-1@10',
    options: { ended: true },
  },
  {
    invariant: 21,
    what: 'a cancelled timer fires',
    done: (book) => {
      const { timer, id, dueAt } = book.first('order-1@0', 'armed');
      book.copy('order-1@11', 'order-1@10', { timer, id, dueAt });
    },
    shows: 'order-1@11',
  },
  {
    invariant: 21,
    what: 'the effect of a stopped child has an outcome',
    done: (book) => book.copy('order-1@9', 'order-1@10', { ...none, actor: '/shipping:3/label:4' }),
    shows: 'order-1@11',
  },
  {
    invariant: 21,
    what: 'a child moves after its end',
    done: (book) => (book.at('order-1@11').data.transitions = [{ actor: '/shipping:3', event: 'A', to: 'labelling' }]),
    shows: 'order-1@11',
  },
  {
    invariant: 24,
    what: 'a fact names another cause than its stimulus',
    done: (book) => (book.at('order-1@2').meta.$causationId = book.at('order-1@0').id),
    shows: 'order-1@2',
  },
  {
    invariant: 24,
    what: 'an outcome names another cause than its intent',
    done: (book) => (book.at('order-1@9').meta.$causationId = book.at('order-1@3').id),
    shows: 'order-1@9',
  },
  {
    invariant: 24,
    what: 'a timer loses its correlation',
    done: (book) => (book.at('order-1@12').meta.$correlationId = 'another'),
    shows: 'order-1@12',
  },
  {
    invariant: 24,
    what: 'a message loses its correlation on the way to another actor',
    done: (book) => (book.at('ledger-1@1').meta.$correlationId = 'another'),
    shows: 'ledger-1@1',
  },
  {
    invariant: 24,
    what: 'two events are caused by each other',
    done: (book) => {
      book.at('order-1@1').meta.$causationId = book.at('order-1@10').id;
      book.at('order-1@10').meta.$causationId = book.at('order-1@1').id;
    },
    shows: 'order-1@1',
  },
  {
    invariant: 24,
    what: 'an event names no cause',
    done: (book) => delete book.at('order-1@10').meta.$causationId,
    shows: 'order-1@10',
  },
  {
    invariant: 27,
    what: 'a value does not decode',
    done: (book) => (book.at('order-1@9').data.output = { $devalue: 'no' }),
    shows: 'order-1@9',
  },
  {
    invariant: 28,
    what: 'a fact is of a version that nothing leads from',
    done: (book) => (book.at('order-1@2').schemaVersion = 3),
    shows: 'order-1@2',
    options: { upcasters: defineUpcasters({ Noted: { 1: (data: unknown) => data } }) },
  },
  {
    invariant: 29,
    what: 'the machine is another one, and does not agree',
    done: (book) => (book.at('order-1@0').data.definition = 'another'),
    shows: 'order-1@3',
    options: {
      machines: {
        order: setup({ actors: order.implementations.actors as never }).createMachine({
          ...(order.config as object),
          states: { ...order.config.states, open: { after: { 90_000: 'done' }, on: { PAY: 'held' } } },
        } as never) as unknown as AnyStateMachine,
      },
    },
  },
  {
    invariant: 33,
    what: 'an event is received after the end',
    done: (book) => (book.copy('order-1@1', 'order-1@13').data.messageId = undefined),
    shows: 'order-1@14',
  },
];

const ofSteps: readonly Omit<Damage, 'of'>[] = [
  {
    invariant: 15,
    what: 'attempts are counted anew',
    done: (book) => (book.at('outer-1@29').data.attempt = 1),
    shows: 'outer-1@29',
  },
  {
    invariant: 15,
    what: 'more attempts are made than the facts allow',
    done: (book) => (book.at('outer-1@1').data.maxAttempts = 2),
    shows: 'outer-1@29',
  },
  {
    invariant: 15,
    what: 'a step goes on that is exhausted',
    done: (book) => (book.copy('outer-1@20', 'outer-1@30', { attempt: 3 }).meta = book.at('outer-1@30').meta),
    shows: 'outer-1@31',
  },
  {
    invariant: 16,
    what: 'a call is made before the backoff is over',
    done: (book) => (book.at('outer-1@14').data.dueAt = (book.at('outer-1@14').data.dueAt as number) + 1),
    shows: 'outer-1@15',
  },
  {
    invariant: 16,
    what: 'a machine that is called begins before the backoff is over',
    done: (book) => (book.at('outer-1@20').data.dueAt = (book.at('outer-1@20').data.dueAt as number) + 1),
    shows: 'outer-1@21',
  },
];

const ofBreakers: readonly Omit<Damage, 'of'>[] = [
  {
    invariant: 17,
    what: 'a breaker half-opens early',
    done: (book) => (book.at('breaker-api@3').data.openUntil = (book.at('breaker-api@3').data.openUntil as number) + 1),
    shows: 'breaker-api@5',
  },
  {
    invariant: 17,
    what: 'an open breaker admits a call',
    done: (book) => book.remove('breaker-api@5'),
    shows: 'breaker-api@5',
  },
  {
    invariant: 17,
    what: 'a half-open breaker admits more calls than it has permits',
    done: (book) => book.copy('breaker-api@6', 'breaker-api@6', { id: 'other', leaseUntil: 0 }),
    shows: 'breaker-api@7',
  },
  {
    invariant: 18,
    what: 'a half-open breaker waits for a probe for ever',
    done: (book) => {
      for (const revision of [8, 9, 10, 11]) book.remove(`breaker-api@${revision}`);
    },
    shows: 'breaker-api@7',
    options: { ended: true },
  },
  {
    invariant: 18,
    what: 'a half-open breaker is left with a probe that is overdue',
    done: (book) => {
      for (const revision of [7, 8, 9, 10, 11]) book.remove(`breaker-api@${revision}`);
    },
    shows: 'breaker-api@6',
    options: { ended: true },
  },
];

export const damages: readonly Damage[] = [
  ...inOrder.map((damage) => ({ ...damage, of: ordered })),
  ...ofSteps.map((damage) => ({ ...damage, of: exhausted })),
  ...ofBreakers.map((damage) => ({ ...damage, of: probed })),
];
