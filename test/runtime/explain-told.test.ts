/** What the facts of the recovery machines say, and what of it still holds (XT1, XT2). */
import { describe, expect, it } from 'vitest';
import { setup } from 'xstate';
import { approval } from '../../machines/index.ts';
import { sealEvent } from '../../src/log/envelope.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import { VirtualClock } from '../../src/clock.ts';
import { explainStream } from '../../src/runtime/explain/explain.ts';
import { Told } from '../../src/runtime/explain/told.ts';
import { House } from '../support/house.ts';

/** Hears facts, one a second, each after a stimulus of its own. */
class Ear {
  readonly told = new Told();
  #revision = 0;

  fact(actor: string, type: string, fields: object = {}): this {
    const at = this.#next();
    this.told.fact({ type, actor, fields: { type, ...fields } }, at, at.revision - 1);
    return this;
  }

  succeeded(actor: string): this {
    this.#next();
    this.told.succeeded(actor);
    return this;
  }

  failed(actor: string, error: unknown): this {
    this.told.failed(actor, error, this.#next());
    return this;
  }

  #next() {
    this.#revision += 2;
    const at = this.#revision * 1_000;
    this.told.newest = { at, stimulus: this.#revision - 1 };
    return { at, revision: this.#revision };
  }
}

const failure = (message: string) => ({ step: 's', attempt: 1, error: { name: 'Error', message, class: 'server' } });
const open = {
  name: 'CircuitBreakerOpenError',
  code: 'REWAKE_BREAKER_OPEN',
  key: 'bank',
  state: 'open',
  message: 'no',
};

describe('XT1: a failure', () => {
  it('is over when the same call succeeds in another life, and not when another one does', () => {
    const ear = new Ear().fact('/charge:1', 'AttemptFailed', failure('busy'));
    expect(ear.succeeded('/ship:2').told.error?.message).toBe('busy');
    expect(ear.succeeded('/charged:2').told.error?.message).toBe('busy');
    expect(ear.succeeded('/charge:3').told.error).toBe(null);
  });

  it('inside a machine is over when that one has succeeded, and the root makes all good', () => {
    const failed = () => new Ear().failed('/flow:1/charge:2/call:3', new Error('busy'));
    expect(failed().succeeded('/flow:1/ship:4').told.error).not.toBe(null);
    expect(failed().succeeded('/flow:1').told.error).toBe(null);
    expect(failed().succeeded('/').told.error).toBe(null);
  });

  it('of a flow is over when that is resumed', () => {
    const ear = new Ear()
      .fact('/flow:1', 'FlowFailed', failure('late'))
      .fact('/other:2', 'AttemptFailed', failure('x'));
    expect(ear.fact('/flow:1', 'FlowResumed').told.error?.message).toBe('x');
    expect(ear.fact('/', 'FlowResumed').told.error).toBe(null);
  });

  it('that is newest is the one that is told, whatever was thrown', () => {
    const ear = new Ear();
    expect(ear.failed('/a:1', 'plain words').told.error).toMatchObject({ name: 'string', message: 'plain words' });
    expect(ear.failed('/b:2', { odd: true }).told.error).toMatchObject({ name: 'Error', message: '' });
    expect(ear.failed('/c:3', undefined).told.error).toMatchObject({ name: 'undefined', message: 'undefined' });
    expect(ear.fact('/a:1', 'HandlerFailed', failure('worse')).told.error).toMatchObject({ told: 'HandlerFailed' });
  });
});

describe('a refusal of a breaker', () => {
  const refused = () =>
    new Ear().failed('/charge:1/ask:2', open).fact('/charge:1', 'AttemptRejected', { step: 'charge', error: open });

  it('is told with its step, and is no failure', () => {
    const { refusals, error } = refused().told;
    expect([...refusals]).toMatchObject([['/charge:1', { key: 'bank', step: 'charge', told: 'open' }]]);
    expect(error).toBe(null);
  });

  it('is over with a permit, with a call that failed without one, and with the end of the machine', () => {
    expect(refused().succeeded('/charge:1/ask:3').told.refusals.size).toBe(0);
    expect(refused().fact('/charge:1', 'AttemptFailed', failure('x')).told.refusals.size).toBe(0);
    expect(refused().succeeded('/charge:1').told.refusals.size).toBe(0);
    expect(refused().succeeded('/ship:3').told.refusals.size).toBe(1);
  });
});

describe('XT2: an approval', () => {
  const request = { approval: 'a', request: { title: 'Well?' }, approvers: ['ann'], quorum: 2, timeoutAt: null };

  it('waits until its end is told, by whom it was escalated to as well', () => {
    const ear = new Ear().fact('/a:1', 'ApprovalRequested', request);
    ear.fact('/a:1', 'ApprovalVoted', { missing: 1 }).fact('/a:1', 'ApprovalEscalated', { to: 'bob' });
    expect(ear.told.people).toMatchObject([{ title: 'Well?', approvers: ['ann', 'bob'], missing: 1 }]);
    for (const end of ['ApprovalGranted', 'ApprovalRejected', 'ApprovalTimedOut']) {
      expect(new Ear().fact('/a:1', 'ApprovalRequested', request).fact('/a:1', end).told.people).toEqual([]);
    }
  });

  it('with fields that are none is told as far as it goes', () => {
    const ear = new Ear().fact('/', 'ApprovalRequested', { request: null, approvers: 7 });
    expect(ear.told.people).toMatchObject([{ title: '', choices: [], approvers: null, missing: 1, timeoutAt: null }]);
  });
});

describe('in a tree', () => {
  it('an approval that carries an intervention is told once', async () => {
    const house = new House();
    const ask = approval('ask', {});
    const intervention = {
      flow: 'f',
      subject: 's',
      handler: 'h',
      message: 'Retry?',
      choices: ['yes', 'no'],
      error: {},
    };
    const elsewhere = setup({ actors: { ask } }).createMachine({
      invoke: { id: 'ask', src: 'ask', input: { title: 'Retry?' } },
    });
    const flow = setup({ actors: { ask, elsewhere } }).createMachine({
      id: 'flow',
      invoke: [
        { id: 'ask', src: 'ask', input: { title: 'Retry?', choices: ['yes', 'no'] } },
        { id: 'elsewhere', src: 'elsewhere' },
      ],
    });
    const runtime = await house.open({ flow });
    await runtime.start('flow', { id: '1' });
    expect((await runtime.explain('flow-1')).people).toMatchObject([{ kind: 'approval' }, { kind: 'approval' }]);
    await append(house.log, 'flow-1', 'InterventionRequested', intervention);
    expect((await explainStream(house.log, 'flow-1')).people).toMatchObject([
      { kind: 'approval', actor: '/elsewhere:2/ask:3' },
      { kind: 'intervention', message: 'Retry?' },
    ]);
  });

  it('a retry waits with the timer that was armed with it, and with no other', async () => {
    const log = memoryLog();
    const armed = (timer: number) => ({ armed: [{ timer, actor: '/', id: `t${timer}`, dueAt: 9_000 - timer }] });
    const started = {
      machine: 'm',
      version: null,
      definition: 'd',
      transitions: [{ actor: '/', event: 'E', to: 'a' }],
    };
    await append(log, 'm-1', 'ActorStarted', { at: 0, ...started, ...armed(0) });
    await append(log, 'm-1', 'EventReceived', { at: 1, to: '/', ...armed(1) });
    await append(log, 'm-1', 'RetryScheduled', { step: 's', attempt: 1, dueAt: 8_999 });
    const clock = new VirtualClock(0);
    const waiting = await explainStream(log, 'm-1', { clock });
    expect(waiting.retries).toMatchObject([{ step: 's', inMs: 8_999 }]);
    expect(waiting.timers.map(({ id }) => id)).toEqual(['t1', 't0']);
    await append(log, 'm-1', 'EventReceived', { at: 2, to: '/', cancelled: [1] });
    expect(await explainStream(log, 'm-1', { clock })).toMatchObject({ retries: [], timers: [{ id: 't0' }] });
  });

  it('a refusal of a machine that is gone holds nobody; a breaker that was deleted is not on the log', async () => {
    const log = memoryLog();
    const at = (actor: string, status?: string) => ({ actor, event: 'E', to: 'a', ...(status && { status }) });
    await append(log, 'm-1', 'ActorStarted', { at: 0, machine: 'm', transitions: [at('/'), at('/charge:1')] });
    await append(log, 'm-1', 'EffectFailed', { at: 1, actor: '/charge:1/ask:2', error: open });
    await append(log, 'breaker-bank', 'ActorStarted', { at: 0, machine: 'breaker', transitions: [at('/')] });
    expect((await explainStream(log, 'm-1')).breakers).toMatchObject([{ key: 'bank', now: { value: 'a' } }]);
    await log.delete('breaker-bank', 'any');
    const { breakers, text } = await explainStream(log, 'm-1');
    expect(breakers).toMatchObject([{ key: 'bank', now: null }]);
    expect(text).toContain('let no call of /charge:1 through');
    expect(text).toContain('Its own stream is not on this log.');
    await append(log, 'm-1', 'EventReceived', { at: 2, transitions: [at('/charge:1', 'stopped')] });
    expect((await explainStream(log, 'm-1')).breakers).toEqual([]);
  });

  it('the version is the one that took it up last', async () => {
    const log = memoryLog();
    await append(log, 'm-1', 'ActorStarted', { at: 0, machine: 'm', version: '1' });
    await append(log, 'm-1', 'ActorResumed', {
      at: 1,
      host: 'h',
      effects: [],
      changed: { from: 'a', to: 'b', version: '2' },
    });
    expect((await explainStream(log, 'm-1')).version).toBe('2');
  });
});

let ids = 0;

/** Appends one event: a fact of the root, if its data has no time. */
async function append(log: ReturnType<typeof memoryLog>, stream: string, type: string, data: object): Promise<void> {
  const id = `00000000-0000-7000-8000-${String(ids++).padStart(12, '0')}`;
  const meta = { $correlationId: 'c', $causationId: id, ...(!('at' in data) && { actor: '/' }) };
  await log.append(stream, 'any', [sealEvent({ id, type, schemaVersion: 1, data: JSON.stringify(data), meta })]);
}
