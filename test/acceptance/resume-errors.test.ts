/**
 * Acceptance of "Resume with Error Recovery": what happens when resuming itself fails. The log is a SQLite file that is
 * damaged, or opened by a program that lacks something or runs in another environment. Another flow on it runs on.
 */
import { describe, expect, it } from 'vitest';
import { setup, type AnyStateMachine } from 'xstate';
import {
  ActorBlockedError,
  DamagedRecordError,
  EnvironmentMismatchError,
  MissingImplementationError,
  NotFoundError,
  NotResumableError,
  repairLog,
  ReplayDivergedError,
  UnknownMachineError,
  verifyLog,
  type Finding,
  type Runtime,
} from 'rewake';
import { flow } from '../../machines/flow.ts';
import { handler } from '../../machines/handler.ts';
import { abort, retry } from '../../machines/recovery-actions.ts';
import type { Machines } from '../../src/runtime/machines.ts';
import type { RuntimeOptions } from '../../src/runtime/runtime-options.ts';
import { withRawConnection } from '../stores/sqlite/log-files.ts';
import { FileHouse } from '../support/file-house.ts';
import { failureOf } from '../support/house.ts';
import { brokenOnce, failing, hanging, World, type Answer } from './file-lives.ts';

type Options = Partial<Omit<RuntimeOptions, 'machines' | 'log'>>;

/** What a program is made of. */
interface Parts {
  readonly world: World;
  readonly mend: Answer;
}

/** A step that fails and the handler that mends it, after one that is a machine of its own. */
function mended({ world, mend }: Parts, carriers: object = { carry: world.work('carry') }): AnyStateMachine {
  const crate = setup({ actors: carriers as { carry: ReturnType<World['work']> } }).createMachine({
    id: 'crate',
    initial: 'carried',
    states: { carried: { invoke: { id: 'carry', src: 'carry', onDone: 'there' } }, there: { type: 'final' } },
  });
  return flow('mended', {
    steps: {
      pack: { run: crate },
      go: {
        run: world.work('go', brokenOnce),
        needs: ['pack'],
        onFailure: [handler({ id: 'mend', run: world.work('mend', mend), then: retry() })],
      },
    },
    output: ({ results }) => results.go,
  }) as unknown as AnyStateMachine;
}

const otherFlow = (parts: Parts) =>
  flow('mended', { steps: { unpack: { run: parts.world.work('unpack') } } }) as unknown as AnyStateMachine;

/** What is wrong when the next program comes. */
interface Trouble {
  /** Done to the file. */
  readonly sql?: string;
  /** The machine of the flow; none when undefined. */
  readonly machine?: (parts: Parts) => AnyStateMachine | undefined;
  readonly before?: Options;
  readonly after?: Options;
}

const ofFlow = `stream_id = (SELECT id FROM streams WHERE name = 'flow-1')`;
const changedEvent = `UPDATE appends SET data = replace(data, 'broken', 'br0ken') WHERE ${ofFlow}`;
const environment = { version: '7', config: { bank: 'sandbox' } };

/** Two flows whose host dies while their handlers run. Then there is trouble with one of them, and the next program comes. */
async function afterwards({ sql, machine = mended, before = {}, after = {} }: Trouble) {
  const house = new FileHouse();
  const [world, others] = [new World(), new World()];
  const first = { flow: mended({ world, mend: hanging }), other: mended({ world: others, mend: hanging }) };
  const { runtime, crash } = await house.openToCrash(first, before);
  await runtime.start('flow', { id: '1' } as never);
  await runtime.start('other', { id: '1' } as never);
  await house.rest();
  for (const each of [world, others]) expect(each.begun).toEqual(['carry', 'go', 'mend']);
  crash();
  await house.log.close();
  if (sql !== undefined) withRawConnection(house.path, (db) => db.exec(sql));
  house.restart();
  const mend = () => 'mended';
  const other = mended({ world: others, mend });
  const given = machine({ world, mend });
  const open = async (machines: Machines, options: Options = {}) =>
    (await house.open(machines, options)) as unknown as Runtime;
  const next = await open(given ? { flow: given, other } : { other }, after);
  return {
    ...{ house, world, next },
    /** A program that is as it was meant. */
    healthy: async () => {
      await next.close();
      house.restart();
      return open({ flow: mended({ world, mend }), other }, before);
    },
  };
}

/** How many events the file has of the flow, damaged or not. */
function countOf({ path }: FileHouse): unknown {
  return withRawConnection(path, (db) => db.prepare(`SELECT sum(count) FROM appends WHERE ${ofFlow}`).get()![0]);
}

interface Case {
  readonly what: string;
  readonly cause: abstract new (...args: never[]) => Error;
  readonly trouble: Trouble;
  /** What its message says: where it is, what was found, what to do. */
  readonly says: readonly string[];
  /** What it is explained to do next. */
  readonly next: string;
  /** Whether it goes away with the program. */
  readonly passes: boolean;
}

const damagedNext =
  "from a backup, then call runtime.resume(); or close this runtime, move the damaged end aside with repairLog(log, { quarantine: true, stream: 'flow-1' }), and open it again.";
const cases: readonly Case[] = [
  {
    what: 'an event was changed',
    cause: DamagedRecordError,
    trouble: { sql: changedEvent },
    says: ["Stream 'flow-1' is damaged at revision ", 'verifyLog(log)', 'repairLog(log, { quarantine: true })'],
    next: damagedNext,
    passes: false,
  },
  {
    what: 'an event is missing',
    cause: DamagedRecordError,
    trouble: { sql: `DELETE FROM appends WHERE ${ofFlow} AND revision = 3` },
    says: ["Stream 'flow-1' is damaged at revision 3", 'restore the record from a backup', 'repairLog(log, '],
    next: damagedNext,
    passes: false,
  },
  {
    what: 'the end of its log is missing',
    cause: DamagedRecordError,
    trouble: { sql: `DELETE FROM appends WHERE ${ofFlow} AND revision > 3` },
    says: ["Stream 'flow-1' is damaged at revision ", 'verifyLog(log)', 'repairLog(log, { quarantine: true })'],
    next: damagedNext,
    passes: false,
  },
  {
    what: 'its machine is not registered',
    cause: UnknownMachineError,
    trouble: { machine: () => undefined },
    says: [
      "No machine 'flow' is registered (needed by stream 'flow-1')",
      'Registered: other.',
      'createRuntime({ machines })',
    ],
    next: 'register the machine flow, in createRuntime({ machines }) or by runtime.register({ flow }), then call runtime.resume().',
    passes: true,
  },
  {
    what: 'something that it names is not given',
    cause: MissingImplementationError,
    trouble: { machine: (parts) => mended(parts, {}) },
    says: [
      "Stream 'flow-1' cannot be folded beyond revision ",
      "actor 'carry' of machine 'crate'",
      'setup() or provide()',
    ],
    next: 'give flow what the message names, by setup() or provide(), then call runtime.resume().',
    passes: true,
  },
  {
    what: 'its machine does something else than is recorded',
    cause: ReplayDivergedError,
    trouble: { machine: otherFlow },
    says: ["Replay of stream 'flow-1' diverged at revision 0 in actor /", 'Likely cause: ', 'migrate the actor'],
    next: 'register the version of flow that the history was written with, beside the present one',
    passes: true,
  },
  {
    what: 'its environment is another one',
    cause: EnvironmentMismatchError,
    trouble: {
      before: { environment },
      after: {
        environment: { version: '8', config: { bank: 'live' } },
        onEnvironmentChange: ({ stream }) => (stream === 'flow-1' ? 'block' : 'accept'),
      },
    },
    says: [
      ...["Actor 'flow-1' was last run under another environment", "the program's version was '7' and is '8'"],
      ...["its configuration's fingerprint was ", "runtime.resume('flow-1')", "onEnvironmentChange: 'accept'"],
    ],
    next: "run it under the environment that was recorded, or accept this one: runtime.resume('flow-1').",
    passes: true,
  },
];

describe.each(cases)('when $what,', ({ cause, trouble, says, next: advice }) => {
  it('Resume process handles its own errors gracefully: that flow is blocked, the other one ends as it would', async () => {
    const { house, world, next } = await afterwards(trouble);
    const count = countOf(house);
    const error = await failureOf(next.get('flow-1'));
    expect(error).toBeInstanceOf(ActorBlockedError);
    expect(error.cause).toBeInstanceOf(cause);
    const blocked: unknown[] = [];
    for await (const { stream, reason } of next.list({ status: 'blocked' })) blocked.push([stream, reason]);
    expect(blocked).toEqual([['flow-1', error.cause]]);
    // Nothing of it is written or run.
    expect([countOf(house), world.begun]).toEqual([count, ['carry', 'go', 'mend']]);
    expect(await (await next.get('other-1')).output()).toBe('at last');
  });

  it('Resume provides helpful error messages for recovery: where, what was found, and what to do', async () => {
    const { next } = await afterwards(trouble);
    const error = await failureOf(next.get('flow-1'));
    expect(error.message).toContain("Actor 'flow-1' is blocked and nothing is appended to it: ");
    for (const text of says) expect(error.message).toContain(text);
    const { text } = await next.explain('flow-1');
    expect(text).toContain((error.cause as Error).name);
    expect(text.slice(text.indexOf('Next: '))).toContain(advice);
  });
});

describe.each(cases.filter(({ passes }) => passes))('when $what no more,', ({ trouble }) => {
  it('Resume process handles its own errors gracefully: the flow goes on where it was with a program that is as it was meant', async () => {
    const { world, healthy } = await afterwards(trouble);
    const last = await healthy();
    expect(await (await last.get('flow-1')).output()).toBe('at last');
    expect(world.begun).toEqual(['carry', 'go', 'mend', 'mend', 'go']);
  });
});

describe.each(cases.filter(({ passes }) => !passes))('when $what,', ({ trouble }) => {
  it('Resume process handles its own errors gracefully: the damage is found, moved aside, and the flow goes on from what is left', async () => {
    const { house, world, next, healthy } = await afterwards(trouble);
    await next.close();
    const found: Finding[] = [];
    for await (const finding of verifyLog(house.log)) found.push(finding);
    expect(new Set(found.map(({ severity, stream }) => `${severity} ${stream}`))).toEqual(new Set(['damage flow-1']));
    const { streams, failed, left } = await repairLog(house.log, { quarantine: true, clock: house.clock });
    expect([streams.map(({ stream }) => stream), failed, left]).toEqual([['flow-1'], [], []]);
    const [{ lastGood, lostTo }] = streams as [(typeof streams)[0]];
    expect(lostTo).toBeGreaterThan(lastGood);
    const last = await healthy();
    expect(await (await last.get('flow-1')).output()).toBe('at last');
    // What was begun before the damage has the key it had; what came after it is as if it never was.
    expect(world.calls.carry).toBe(1);
    expect(world.begun.at(-1)).toBe('go');
    for await (const finding of verifyLog(house.log)) throw new Error(finding.message);
  });
});

describe('Resume process handles its own errors gracefully', () => {
  it('what cannot be resumed is refused, and nothing is written', async () => {
    const house = new FileHouse();
    const world = new World();
    const machine = flow('trip', {
      steps: {
        go: {
          run: world.work('go', brokenOnce),
        },
      },
    });
    const runtime = await house.open({ flow: machine as unknown as AnyStateMachine });
    await failureOf((await runtime.start('flow', { id: '1' })).output());
    const events = await house.events('flow-1');
    expect(await failureOf(runtime.resume('flow-1', { from: 'fly' }))).toBeInstanceOf(NotResumableError);
    expect(await failureOf(runtime.resume('flow-2'))).toBeInstanceOf(NotFoundError);
    expect(await house.events('flow-1')).toEqual(events);
    await (await runtime.resume('flow-1')).output();
  });

  it('a log that refuses for a while, or whose answer is lost, delays the resume and doubles nothing', async () => {
    const house = new FileHouse();
    const world = new World();
    const machine = flow('trip', {
      steps: {
        go: {
          run: world.work('go', brokenOnce),
        },
      },
      onFailure: [handler({ id: 'stop', when: 'never', then: abort() })],
    });
    const log = house.faulty();
    const runtime = await house.open({ flow: machine as unknown as AnyStateMachine }, { log });
    await failureOf((await runtime.start('flow', { id: '1' })).output());
    log.faults.push('unavailable', 'answerLost', 'bothLost');
    const resumed = runtime.resume('flow-1').then((ref) => ref.output());
    await house.rest();
    await house.advance(60_000);
    await house.advance(60_000);
    expect(await resumed).toEqual({ go: 'at last' });
    const types = await house.types('flow-1');
    expect(types.filter((type) => type === 'FlowResumed')).toHaveLength(1);
    expect(world.calls).toEqual({ go: 2 });
  });
});

describe('Resume provides helpful error messages for recovery', () => {
  it('a flow that cannot be resumed from there says why, and what can be done instead', async () => {
    const house = new FileHouse();
    const machine = flow('trip', {
      steps: {
        go: {
          run: new World().work(
            'go',
            failing(1, () => new Error('broken')),
          ),
        },
      },
    });
    const runtime = await house.open({ flow: machine as unknown as AnyStateMachine });
    await failureOf((await runtime.start('flow', { id: '1' })).output());
    const { message } = await failureOf(runtime.resume('flow-1', { from: 'fly' }));
    for (const text of [
      "Actor 'flow-1' has ended with status 'error' and cannot be resumed: ",
      "'rewake.resume' with from 'fly'",
      'Nothing was written.',
      "runtime.rewind('flow-1', { to })",
      'runtime.fork(',
    ])
      expect(message).toContain(text);
    expect((await failureOf(runtime.resume('flow-2'))).message).toContain(
      "Nothing found under stream 'flow-2'. Check the name",
    );
  });

  it('a flow that failed names its step and the error behind it, and what it says can be done next works', async () => {
    const house = new FileHouse();
    let isBroken = true;
    const go: Answer = () => {
      if (isBroken) throw new Error('broken');
      return 'at last';
    };
    const machine = flow('trip', { steps: { go: { run: new World().work('go', go) } } });
    const runtime = await house.open({ flow: machine as unknown as AnyStateMachine });
    const error = await failureOf((await runtime.start('flow', { id: '1' })).output());
    expect(error.message).toBe(
      "Flow 'trip' failed in step 'go': broken. Nothing recovered it. Mend the cause, and resume the flow: what is finished is not done again.",
    );
    const { text } = await runtime.explain('flow-1');
    expect(text).toContain(
      "Next: once the cause is gone, call runtime.resume('flow-1'): its machine goes on where it failed.",
    );
    expect(text).toContain("Next: or go back: runtime.rewind('flow-1', { to: 2 }) gives the state before it failed;");
    await failureOf((await runtime.resume('flow-1')).output());
    isBroken = false;
    expect(await (await runtime.rewind('flow-1', { to: 2 })).output()).toEqual({ go: 'at last' });
  });
});
