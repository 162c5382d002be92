/**
 * Who answers whom in another past, and when: RL1 to RL4 of src/replay/relive.ts.
 */
import { describe, expect, it } from 'vitest';
import { assign, createMachine, emit, fromPromise, setup } from 'xstate';
import { createRuntime, memoryLog, VirtualClock, type EventLog, type Machines } from '../../src/index.ts';
import { whatIf, type PastEdit, type WhatIf, type WhatIfOptions } from '../../src/replay/index.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { silentLogger } from '../support/silent-logger.ts';

/** Answers of effects that run, by what they were asked. */
const answers = new Map<string, (output: string) => void>();

/** A region that works once it is told to: its effect has the name of the region, and the source of all others. */
const worker = (name: 'a' | 'b' | 'c') =>
  ({
    initial: 'idle',
    states: {
      idle: { on: { [name]: 'busy' } },
      busy: {
        invoke: {
          id: name,
          src: 'work',
          input: name,
          onDone: { target: 'done', actions: ['keep', 'tell'] },
          onError: { target: 'failed', actions: 'keep' },
        },
      },
      done: { after: { 1_000: 'idle' } },
      failed: {},
    },
  }) as const;

const desk = setup({
  types: {
    context: {} as { results: Record<string, unknown>; rung: number },
    events: {} as { type: 'a' | 'b' | 'c' | 'NOTE' | 'RESET' },
    emitted: {} as { type: 'Worked' },
  },
  actors: {
    work: fromPromise(({ input }: { input: string }) => new Promise<string>((resolve) => answers.set(input, resolve))),
  },
  actions: {
    keep: assign({
      results: ({ context, event }) => {
        const { actorId, output, error } = event as unknown as { actorId: string; output?: unknown; error?: unknown };
        return { ...context.results, [actorId]: output ?? error };
      },
    }),
    tell: emit({ type: 'Worked' }),
  },
}).createMachine({
  context: { results: {}, rung: 0 },
  type: 'parallel',
  states: {
    a: worker('a'),
    b: worker('b'),
    c: worker('c'),
    bell: {
      initial: 'waiting',
      states: {
        waiting: {
          on: { RESET: { target: 'waiting', reenter: true } },
          after: { 60_000: { target: 'rung', actions: assign({ rung: ({ context }) => context.rung + 1 }) } },
        },
        rung: {},
      },
    },
  },
});

type Step = 'a' | 'b' | 'c' | 'NOTE' | number | readonly [effect: string, output: string];

/** What a desk went through: events, ms that pass, and answers of its effects. */
async function deskWith(steps: readonly Step[]): Promise<EventLog> {
  const clock = new VirtualClock();
  const log = memoryLog({ clock });
  const runtime = await createRuntime({ log, machines: { desk }, clock, keepLogOpen: true });
  const ref = await runtime.start('desk', { id: '1' });
  for (const step of steps) {
    if (typeof step === 'number') await clock.advance(step);
    else if (typeof step === 'string') await ref.send({ type: step });
    else answers.get(step[0])!(step[1]);
    await rest();
  }
  await runtime.close();
  answers.clear();
  return log;
}

function past(log: EventLog, edits: readonly PastEdit[], more: Partial<WhatIfOptions> = {}): Promise<WhatIf> {
  return whatIf(log, 'desk-1', { machines: { desk }, edits, ...more });
}

function contextOf({ fork }: WhatIf): unknown {
  return fork.at(-1)!.actors[0]!.context;
}

describe('an answer', () => {
  it('RL2: goes to the effect at the same place, whatever its number is', async () => {
    const log = await deskWith(['a', 'b', ['a', 'of a'], ['b', 'of b']]);
    // Now b is begun first, and has the number that a had.
    const answer = await past(log, [{ edit: 'move', revision: 1, after: 2 }]);
    expect(contextOf(answer)).toEqual({ results: { a: 'of a', b: 'of b' }, rung: 0 });
    expect(answer.leftOut).toEqual([]);
  });

  it('RL2: whose place is gone goes to the oldest that waits, but not to one that has its own', async () => {
    const log = await deskWith(['b', 'a', ['a', 'of a'], ['b', 'of b']]);
    const answer = await past(log, [{ edit: 'replace', revision: 2, with: { event: { type: 'c' } } }]);
    expect(contextOf(answer)).toEqual({ results: { c: 'of a', b: 'of b' }, rung: 0 });
    expect(answer.leftOut).toEqual([]);
  });

  it('RL2, RL4: that finds nobody waits for the next effect, and time does not run backwards for it', async () => {
    const log = await deskWith(['a', ['a', 'of a'], 500, 'NOTE']);
    const answer = await past(log, [{ edit: 'move', revision: 1, after: 4 }]);
    expect(contextOf(answer)).toEqual({ results: { a: 'of a' }, rung: 0 });
    expect(answer.leftOut).toEqual([]);
    const times = answer.fork.map(({ at }) => at - answer.fork[0]!.at);
    expect(times).toEqual([0, 500, 500, 500]);
  });

  it('that nobody wants is left out, and so is what came of it, in order', async () => {
    const log = await deskWith(['a', ['a', 'of a'], 1_000]);
    const answer = await past(log, [{ edit: 'drop', revision: 1 }]);
    // 2 is the answer, 3 a fact of it, 4 the timer that it set.
    expect(answer.leftOut).toEqual([2, 4]);
  });

  it('is that of the log where it has one, and else that of the stub, which may be a failure', async () => {
    const log = await deskWith(['a', ['a', 'of a'], 'NOTE']);
    const edits: readonly PastEdit[] = [{ edit: 'insert', after: 4, event: { type: 'b' } }];
    const told = await past(log, edits, { stubs: { work: { output: 'of the stub' } } });
    expect(contextOf(told)).toEqual({ results: { a: 'of a', b: 'of the stub' }, rung: 0 });
    // Nor where it is still to come: both are begun before the answer of the one.
    const early: readonly PastEdit[] = [{ edit: 'insert', after: 1, event: { type: 'b' } }];
    const both = await past(log, early, { stubs: { work: { output: 'of the stub' } } });
    expect(contextOf(both)).toEqual({ results: { a: 'of a', b: 'of the stub' }, rung: 0 });
    const failed = await past(log, edits, { stubs: { work: { error: 'no' } } });
    expect(contextOf(failed)).toEqual({ results: { a: 'of a', b: 'no' }, rung: 0 });
    expect(failed.fork.at(-1)!.actors[0]!.value).toMatchObject({ b: 'failed' });
  });

  it('may become a failure, and a failure an answer', async () => {
    const log = await deskWith(['a', ['a', 'of a']]);
    const edits = [{ edit: 'replace', revision: 2, with: { error: 'no' } }] as const;
    const failed = await past(log, edits);
    expect(contextOf(failed)).toEqual({ results: { a: 'no' }, rung: 0 });
    expect(failed.fork.at(-1)!.actors[0]!.value).toMatchObject({ a: 'failed' });
  });

  it('is not missed where the original has none either, nor by who has ended', async () => {
    const log = await deskWith(['a', 'NOTE']);
    expect((await past(log, [{ edit: 'drop', revision: 2 }])).unanswered).toEqual([]);
    const other = await past(log, [{ edit: 'replace', revision: 2, with: { event: { type: 'b' } } }]);
    expect(other.unanswered.map(({ actor }) => actor)).toEqual(['/b:2']);
    const ending = setup({
      actors: { work: fromPromise(async () => 'done') },
      actions: { tell: assign(refuse) },
    }).createMachine({
      initial: 'idle',
      states: { idle: { on: { GO: 'busy' } }, busy: { invoke: { src: 'work' }, on: { TELL: { actions: 'tell' } } } },
    });
    const inserted = ['GO', 'TELL'].map((type) => ({ edit: 'insert', after: 0, event: { type } }) as const);
    const ended = await whatIf(await hosted({ ending }, 'ending'), 'ending-1', {
      ...{ machines: { ending }, edits: inserted.slice(0, 1) },
    });
    expect(ended.unanswered).toMatchObject([{ src: 'work' }]);
    const broken = await whatIf(await hosted({ ending }, 'ending'), 'ending-1', {
      ...{ machines: { ending }, edits: inserted },
    });
    expect([broken.fork.at(-1)!.actors[0]!.status, broken.unanswered]).toEqual(['error', []]);
  });

  it('of a stub is asked a thousand times at most', async () => {
    const poller = setup({ actors: { poll: fromPromise(async () => 'nothing') } }).createMachine({
      initial: 'idle',
      states: {
        idle: { on: { GO: 'polling' } },
        polling: { invoke: { src: 'poll', onDone: { target: 'polling', reenter: true } } },
      },
    });
    const log = await hosted({ poller }, 'poller');
    const edits = [{ edit: 'insert', after: 0, event: { type: 'GO' } }] as const;
    const answer = await whatIf(log, 'poller-1', {
      ...{ machines: { poller }, edits },
      stubs: { poll: { output: 'nothing' } },
    });
    expect(answer.fork).toHaveLength(1_002);
    expect(answer.unanswered).toMatchObject([{ src: 'poll' }]);
  });
});

describe('a timer', () => {
  it('RL3, RL4: that is not due when it fired in the original does not fire then, but when it is', async () => {
    const log = await deskWith([30_000, 'NOTE', 30_000]);
    const edits = [{ edit: 'insert', after: 1, event: { type: 'RESET' } }] as const;
    const answer = await past(log, edits);
    expect(contextOf(answer)).toEqual({ results: {}, rung: 0 });
    expect(answer.leftOut).toEqual([2]);
    const quiet = await past(log, edits, { until: 'quiet' });
    expect(contextOf(quiet)).toEqual({ results: {}, rung: 1 });
    // From NOTE on, with which the paths begin: a minute after it was set again.
    expect(quiet.fork.at(-1)!.at - quiet.fork[0]!.at).toBe(60_000);
  });
});

it('an event that is put in goes to whom it is for', async () => {
  const child = createMachine({ context: { heard: 0 }, on: { HEAR: { actions: assign({ heard: 1 }) } } });
  const parent = setup({ actors: { child } }).createMachine({ invoke: { id: 'c', src: 'child' } });
  const log = await hosted({ parent }, 'parent', ['NOTE']);
  const heardBy = async (to: string) => {
    const edits = [{ edit: 'insert', after: 1, event: { type: 'HEAR' }, to }] as const;
    const { fork } = await whatIf(log, 'parent-1', { machines: { parent }, edits });
    return fork.at(-1)!.actors.find(({ id }) => id === 'c')!.context;
  };
  expect([await heardBy('/'), await heardBy('/c:1')]).toEqual([{ heard: 0 }, { heard: 1 }]);
});

describe('an actor that has ended', () => {
  const failing = createMachine({
    initial: 'open',
    states: { open: { on: { NOTE: {}, TELL: { actions: 'tell' } } } },
  }).provide({ actions: { tell: refuse } });

  it('by a custom action that threw ends so in the fork, too, and takes no event', async () => {
    const log = await hosted({ failing }, 'failing', ['NOTE', 'TELL']);
    const edits: readonly PastEdit[] = [
      { edit: 'drop', revision: 1 },
      { edit: 'insert', after: 3, event: { type: 'NOTE' } },
    ];
    const answer = await whatIf(log, 'failing-1', { machines: { failing }, edits });
    expect(answer.leftOut).toEqual([]);
    expect(answer.fork.map(({ label }) => label)).toEqual(['started', 'TELL', 'action failed']);
    expect(answer.fork.at(-1)!.actors[0]).toMatchObject({
      ...{ status: 'error', error: { $error: { message: 'nobody listens' } } },
    });
  });
});

function refuse(): never {
  throw new Error('nobody listens');
}

async function hosted(machines: Machines, name: string, events: readonly string[] = []): Promise<EventLog> {
  const clock = new VirtualClock();
  const log = memoryLog({ clock });
  await using runtime = await createRuntime({ log, machines, clock, logger: silentLogger, keepLogOpen: true });
  const ref = await runtime.start(name, { id: '1' });
  for (const type of events) await ref.send({ type });
  await rest();
  return log;
}
