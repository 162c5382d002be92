/** HI2, HD4: an attempt that is lost with its host counts as it would without the handlers around the call. */
import { describe, expect, it } from 'vitest';
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { effect, type EffectArguments } from 'rewake';
import { flow } from '../../machines/flow.ts';
import { withHandlers } from '../../machines/handled.ts';
import { handler } from '../../machines/handler.ts';
import { retry, skip } from '../../machines/recovery-actions.ts';
import { RecoveryExhaustedError } from '../../machines/recovery-errors.ts';
import { withRetry } from '../../machines/step.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { House, outcomeOf } from '../support/house.ts';
import { atEveryAppend, TwoLives, type Crash } from '../support/two-lives.ts';

const busy = () => Object.assign(new Error('busy'), { status: 503 });
const policy = { maxAttempts: 3, backoff: { initialDelay: 1_000, jitter: 'none' } } as const;
const everyError = handler({ id: 'every', then: skip('skipped') });
const drawn = ['r', 'message', 'fingerprint'];
const isBusy = (error: unknown) => (error as { status?: number }).status === 503;

type Around = (call: AnyActorLogic) => AnyActorLogic;
const handlersFor = (...handlers: Parameters<typeof withHandlers>[0]): Around =>
  withHandlers(handlers, { name: 'call', scope: 'command' });

/** A step that fails once and then succeeds, and one host after the other. */
async function live(crash: Crash, around: Around) {
  const keys: string[] = [];
  const call = effect(({ context: { idempotencyKey: key } }: EffectArguments<unknown>) => {
    if (!keys.includes(key)) keys.push(key);
    if (keys.indexOf(key) === 0) throw busy();
    return 'done';
  });
  const lives = new TwoLives(crash, () => ({ work: withRetry(policy)(around(call)) as AnyStateMachine }));
  void (await lives.first()).start('work', { id: '1' }).catch(() => {});
  await lives.clock.advance(10_000, rest);
  const { crashed } = lives;
  const next = await lives.second();
  const ended = outcomeOf((await next.start('work', { id: '1' })).output());
  await lives.clock.advance(10_000, rest);
  const facts: unknown[] = [];
  for await (const { type, data, meta } of lives.log.readStream('work-1')) {
    if (meta.actor === undefined || type === 'ErrorEscalated') continue;
    // What is drawn from an id, and what has the address of the lost effect in it.
    facts.push(JSON.parse(data, (key, value: unknown) => (drawn.includes(key) ? undefined : value)));
  }
  return { crashed, calls: keys.length, ended: await ended, facts };
}

describe('an attempt that is lost', () => {
  it('counts the same with and without handlers around the call, wherever the host dies', async () => {
    const bare: Awaited<ReturnType<typeof live>>[] = [];
    await atEveryAppend(
      (crash) => live(crash, (call) => call),
      (life) => bare.push(life),
    );
    let losses = 0;
    const around = handlersFor(handler({ id: 'other', when: 'auth', then: skip('skipped') }));
    const crashes = await atEveryAppend(
      (crash) => live(crash, (call) => around(handlersFor()(call))),
      (life, where) => {
        expect(life, where).toEqual(bare.shift());
        if (JSON.stringify(life.facts).includes('"lost"')) losses++;
      },
    );
    expect(bare).toEqual([]);
    expect(losses).toBeGreaterThan(1);
    expect(crashes).toBeGreaterThan(losses);
  });

  it('is not for a handler, also where that is for every error', async () => {
    let lost = 0;
    const crashes = await atEveryAppend(
      (crash) => live(crash, handlersFor(handler({ id: 'busy', when: isBusy, then: retry() }), everyError)),
      ({ ended, facts }, where) => {
        expect(ended, where).toEqual({ output: 'done', error: undefined });
        const told = JSON.stringify(facts);
        expect(told, where).not.toContain('"every"');
        if (told.includes('"lost"')) lost++;
        else expect(told, where).toContain('"handler":"busy"');
      },
    );
    expect([crashes > 5, lost > 1]).toEqual([true, true]);
  });

  it('ends the step when it was the last one', async () => {
    const house = new House();
    const hang = effect(() => new Promise<string>(() => {}));
    const machines = { work: withRetry(policy)(handlersFor(everyError)(hang)) as AnyStateMachine };
    for (let life = 0; life < 3; life++) {
      const { runtime, crash } = await house.openToCrash(machines);
      await runtime.start('work', { id: '1' });
      await house.advance(5_000);
      crash();
    }
    const { error } = await outcomeOf((await (await house.open(machines)).get('work-1')).output());
    expect(error).toBeInstanceOf(RecoveryExhaustedError);
    expect(error).toMatchObject({ attempts: 3, originalError: { code: 'REWAKE_EFFECT_LOST' } });
    expect(await house.types('work-1')).not.toContain('HandlerStarted');
  });

  it('does not count where its host closed in order', async () => {
    const house = new House();
    let calls = 0;
    const call = effect(() => (++calls < 5 ? new Promise<string>(() => {}) : 'done'));
    const machines = { work: withRetry(policy)(handlersFor(everyError)(call)) as AnyStateMachine };
    for (let life = 0; life < 4; life++) {
      const runtime = await house.open(machines);
      await runtime.start('work', { id: '1' });
      await house.advance(5_000);
      await runtime.close({ drain: 0 });
    }
    const ref = await (await house.open(machines)).get('work-1');
    await house.advance(5_000);
    expect([await ref.output(), calls]).toEqual(['done', 5]);
  });

  it('is run again where no step counts it: that is the default of an effect', async () => {
    const house = new House();
    let calls = 0;
    const call = effect(() => (++calls < 2 ? new Promise<string>(() => {}) : 'done'));
    const machines = { work: handlersFor(everyError)(call) as AnyStateMachine };
    const { runtime, crash } = await house.openToCrash(machines);
    await runtime.start('work', { id: '1' });
    await rest();
    crash();
    const ref = await (await house.open(machines)).get('work-1');
    await rest();
    expect([await ref.output(), calls]).toEqual(['done', 2]);
  });
});

describe('in a flow', () => {
  it('an attempt that is lost is not for the command handlers of its step', async () => {
    const house = new House();
    let calls = 0;
    const run = () => (++calls < 3 ? new Promise<string>(() => {}) : 'done');
    const machine = flow('work', { steps: { call: { run, retry: policy, onCommandFailure: [everyError] } } });
    const machines = { work: machine as unknown as AnyStateMachine };
    for (let life = 0; life < 2; life++) {
      const { runtime, crash } = await house.openToCrash(machines);
      await runtime.start('work', { id: '1' });
      await house.advance(5_000);
      crash();
    }
    const ref = await (await house.open(machines)).get('work-1');
    await house.advance(5_000);
    expect([await ref.output(), calls]).toEqual([{ call: 'done' }, 3]);
    const lost = (await house.facts('work-1')).filter(({ type }) => type === 'AttemptFailed');
    expect(lost).toMatchObject([{ error: { class: 'lost' } }, { error: { class: 'lost' } }]);
    expect(await house.types('work-1')).not.toContain('HandlerStarted');
  });

  it('a retry goes on with a sub-flow where it stopped, through the command handlers between them', async () => {
    const house = new House();
    const calls: string[] = [];
    const inner = flow('inner', {
      steps: {
        first: { run: async () => calls.push('first') },
        second: {
          run: async () => {
            if (calls.push('second') < 3) throw busy();
          },
          needs: ['first'],
        },
      },
    });
    const onCommandFailure = [handler({ id: 'other', when: 'auth', then: skip('skipped') })];
    const machine = flow('work', { steps: { sub: { run: inner as AnyActorLogic, retry: policy, onCommandFailure } } });
    const runtime = await house.open({ work: machine as unknown as AnyStateMachine });
    const ref = await runtime.start('work', { id: '1' });
    await house.advance(5_000);
    await ref.output();
    expect(calls).toEqual(['first', 'second', 'second']);
  });
});
