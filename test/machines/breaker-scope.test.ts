/** Breakers of nodes: whose calls they see and block, on one log with several runtimes (scenario B35, resilience.md §2). */
import { describe, expect, it } from 'vitest';
import { createActor, toPromise, type AnyStateMachine } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import type { BreakerUse } from '../../machines/breaker-gate.ts';
import {
  blockedUntil,
  breakerQuorum,
  type BreakerQuorumFact,
  type BreakerQuorumSnapshot,
} from '../../machines/breaker-quorum.ts';
import { forgetLocalActors } from '../../machines/keyed-actor.ts';
import { recoveryMachines } from '../../machines/index.ts';
import { CircuitBreakerOpenError } from '../../machines/recovery-errors.ts';
import { step } from '../../machines/step.ts';
import { FaultyLog } from '../../src/testing/faulty-log.ts';
import { atEveryAppend, type Crash } from '../support/two-lives.ts';
import { House, outcomeOf } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

type Scope = Pick<BreakerUse, 'scope' | 'autoHalfOpen'>;

const openNode = (house: House, work: AnyStateMachine, host: string, log = house.log) =>
  house.open({ work, ...recoveryMachines }, { host, log, resume: false });

/** Nodes of one log, of each of which the way to the dependency can be cut. */
class Cluster {
  readonly house = new House();
  readonly cut = new Set<string>();
  readonly calls: string[] = [];
  readonly #options: Scope;
  readonly #runtimes = new Map<string, Awaited<ReturnType<typeof openNode>>>();
  #runs = 0;

  constructor(options: Scope) {
    this.#options = options;
  }

  machine(): AnyStateMachine {
    return step(
      'work',
      ({ context: { host } }) => {
        this.calls.push(host);
        if (this.cut.has(host)) throw Object.assign(new Error('unreachable'), { code: 'ECONNRESET' });
        return `by ${host}`;
      },
      { breaker: { key: 'api', consecutive: 2, ...this.#options } },
    ) as AnyStateMachine;
  }

  async runtime(host: string) {
    let runtime = this.#runtimes.get(host);
    if (!runtime) {
      runtime = await openNode(this.house, this.machine(), host);
      this.#runtimes.set(host, runtime);
    }
    return runtime;
  }

  /** What came of one call by a node: its output, the state that refused it, or the error's message. */
  async call(host: string): Promise<unknown> {
    const ended = outcomeOf((await (await this.runtime(host)).start('work', { id: String(++this.#runs) })).output());
    await rest();
    const { output, error } = await ended;
    return error instanceof CircuitBreakerOpenError ? error.state : (output ?? (error as Error).message);
  }

  async trip(host: string): Promise<void> {
    this.cut.add(host);
    await this.callAll(host, host);
  }

  async callAll(...hosts: string[]): Promise<unknown[]> {
    const answers: unknown[] = [];
    for (const host of hosts) answers.push(await this.call(host));
    return answers;
  }
}

describe('a breaker per node', () => {
  it('blocks its own node and no other', async () => {
    const cluster = new Cluster({ scope: 'local' });
    await cluster.trip('a');
    expect(await cluster.callAll('a', 'b')).toEqual(['open', 'by b']);
    expect((await cluster.house.facts('breaker-api@a')).map(({ type, key }) => [type, key])).toEqual([
      ['CircuitOpened', 'api@a'],
    ]);
    expect(await cluster.house.types('breaker-api@b')).toEqual(['ActorStarted']);
  });

  it('survives the restart of a node that keeps its name', async () => {
    const cluster = new Cluster({ scope: 'local' });
    await cluster.trip('a');
    const again = await openNode(cluster.house, cluster.machine(), 'a');
    const ref = await again.start('work', { id: 'again' });
    const ended = outcomeOf(ref.output());
    await rest();
    expect((await ended).error).toMatchObject({ code: 'REWAKE_BREAKER_OPEN', key: 'api', state: 'open' });
  });

  it('is one of all nodes unless it is told otherwise', async () => {
    for (const scope of [undefined, 'shared'] as const) {
      const cluster = new Cluster(scope ? { scope } : {});
      await cluster.trip('a');
      expect(await cluster.callAll('a', 'b')).toEqual(['open', 'open']);
    }
  });

  it('is one of the process under plain XState', async () => {
    for (const scope of ['local', { quorum: 1 }] as const) {
      forgetLocalActors();
      const failing = step('work', () => Promise.reject(new Error('no')), {
        breaker: { key: 'x', consecutive: 1, scope },
      });
      const names: string[] = [];
      for (let call = 0; call < 2; call++) {
        names.push(((await outcomeOf(toPromise(createActor(failing).start()))).error as Error).name);
      }
      expect(names).toEqual(['Error', 'CircuitBreakerOpenError']);
    }
    forgetLocalActors();
  });
});

describe('a quorum of nodes', () => {
  it('B35: of three nodes one that trips blocks only itself, two block all', async () => {
    const cluster = new Cluster({ scope: { quorum: 2 } });
    expect(await cluster.callAll('a', 'b', 'c')).toEqual(['by a', 'by b', 'by c']);
    await cluster.trip('a');
    expect(await cluster.callAll('a', 'b', 'c')).toEqual(['open', 'by b', 'by c']);
    await cluster.trip('b');
    cluster.calls.length = 0;
    expect(await cluster.callAll('a', 'b', 'c')).toEqual(['quorum', 'quorum', 'quorum']);
    expect(cluster.calls).toEqual([]);
    expect(await cluster.house.facts('breakerQuorum-api')).toMatchObject([
      { type: 'NodeBreakerOpened', key: 'api', node: 'a', openNodes: 1 },
      { type: 'NodeBreakerOpened', key: 'api', node: 'b', openNodes: 2 },
    ]);
  });

  it('B35: all go on when so many are open no more, and those that are due probe', async () => {
    const cluster = new Cluster({ scope: { quorum: 2 } });
    await cluster.trip('a');
    await cluster.house.advance(20_000);
    await cluster.trip('b');
    await cluster.house.advance(39_999);
    expect(await cluster.call('c')).toBe('quorum');
    cluster.cut.clear();
    await cluster.house.advance(1);
    // What opened first is due first; b has 20 s left.
    expect(await cluster.callAll('c', 'a', 'b')).toEqual(['by c', 'by a', 'open']);
    await cluster.house.advance(20_000);
    expect(await cluster.call('b')).toBe('by b');
  });

  it('tells a refused call how long all are blocked', async () => {
    const cluster = new Cluster({ scope: { quorum: 2 } });
    await cluster.trip('a');
    await cluster.house.advance(20_000);
    await cluster.trip('b');
    const ref = await (await cluster.runtime('c')).start('work', { id: 'c' });
    await rest();
    await expect(ref.output()).rejects.toMatchObject({
      key: 'api',
      state: 'quorum',
      timeoutRemaining: 40_000,
      message: expect.stringContaining('open on a quorum of nodes') as string,
    });
  });

  it('costs its list no event while nothing opens or closes', async () => {
    const cluster = new Cluster({ scope: { quorum: 2 } });
    for (let round = 0; round < 3; round++) await cluster.callAll('a', 'b');
    await cluster.trip('a');
    for (let round = 0; round < 3; round++) await cluster.callAll('a', 'b');
    // Due, and then closed by its probe: its time on the list is over.
    cluster.cut.clear();
    await cluster.house.advance(60_000);
    expect(await cluster.callAll('a', 'a')).toEqual(['by a', 'by a']);
    expect(await cluster.house.types('breakerQuorum-api')).toEqual([
      'ActorStarted',
      'EventReceived',
      'NodeBreakerOpened',
    ]);
  });

  it('a node that died before it was listed is listed with its next call (BG4)', async () => {
    const cluster = new Cluster({ scope: { quorum: 1 } });
    const runtime = await cluster.runtime('a');
    await cluster.call('a');
    const { gen } = ((await runtime.get('breaker-api@a')).getSnapshot() as { context: { gen: number } }).context;
    for (const id of ['1', '2']) {
      const permit = { gen, id, probe: false };
      await runtime.send('breaker-api@a', { type: 'outcome.reported', permit, outcome: 'failure' });
    }
    expect(await cluster.callAll('b', 'a', 'b')).toEqual(['by b', 'quorum', 'quorum']);
  });

  it('a crash of a node at any append: the others hear of its opening, once (BG4, BQ2)', async () => {
    const liveThrough = async (crash: Crash) => {
      const cluster = new Cluster({ scope: { quorum: 1 } });
      cluster.cut.add('a');
      const dying = new FaultyLog(cluster.house.log, [crash]);
      const first = await openNode(cluster.house, cluster.machine(), 'a', dying);
      for (const id of ['x', 'y', 'z']) {
        void first.start('work', { id }).catch(() => {});
        await rest();
      }
      const crashed = dying.death !== undefined;
      if (crashed) await cluster.callAll('a', 'a', 'a');
      const answers = await cluster.callAll('a', 'b', 'c');
      return { crashed, answers, facts: await cluster.house.facts('breakerQuorum-api') };
    };
    const crashes = await atEveryAppend(liveThrough, ({ answers, facts }, where) => {
      expect(answers, where).toEqual(['quorum', 'quorum', 'quorum']);
      expect(facts.map(({ type, node }) => [type, node])).toEqual([['NodeBreakerOpened', 'a']]);
    });
    expect(crashes).toBeGreaterThan(15);
  });

  it('a node whose breaker a person switches off is taken from the list', async () => {
    const cluster = new Cluster({ scope: { quorum: 2 } });
    await cluster.trip('a');
    cluster.cut.clear();
    await (await cluster.runtime('a')).send('breaker-api@a', { type: 'breaker.disabled' });
    expect(await cluster.call('a')).toBe('by a');
    expect((await cluster.house.facts('breakerQuorum-api')).at(-1)).toEqual({
      type: 'NodeBreakerClosed',
      key: 'api',
      node: 'a',
      openNodes: 0,
    });
  });
});

describe('the list of a quorum', () => {
  function played() {
    const actor = createActor(breakerQuorum, { input: { key: 'api' } });
    const facts: BreakerQuorumFact[] = [];
    actor.on('*', (fact) => facts.push(fact));
    actor.start();
    return { actor, facts, state: () => actor.getSnapshot() as BreakerQuorumSnapshot };
  }

  it('knows when fewer than the quorum are left', () => {
    const far = Date.UTC(2100, 0, 1);
    const { actor, state } = played();
    for (const [node, ms] of [
      ['a', 30],
      ['b', 10],
      ['c', 20],
    ] as const)
      actor.send({ type: 'node.opened', node, openUntil: far + ms });
    expect([1, 2, 3, 4].map((quorum) => blockedUntil(state(), quorum, far))).toEqual([
      far + 30,
      far + 20,
      far + 10,
      undefined,
    ]);
    expect([1, 2, 3].map((quorum) => blockedUntil(state(), quorum, far + 10))).toEqual([far + 30, far + 20, undefined]);
  });

  it('BQ1, BQ2: drops whose time is over, and takes nothing twice', () => {
    const { actor, facts, state } = played();
    const openUntil = Date.UTC(2100, 0, 1);
    actor.send({ type: 'node.opened', node: 'old', openUntil: 1 });
    for (const node of ['a', 'a', 'b']) actor.send({ type: 'node.opened', node, openUntil });
    for (const node of ['b', 'b', 'c']) actor.send({ type: 'node.closed', node });
    expect(state().context.open).toEqual([{ node: 'a', openUntil }]);
    expect(facts.map(({ type, node, openNodes }) => [type, node, openNodes])).toEqual([
      ['NodeBreakerOpened', 'old', 1],
      ['NodeBreakerOpened', 'a', 1],
      ['NodeBreakerOpened', 'b', 2],
      ['NodeBreakerClosed', 'b', 1],
    ]);
  });
});

it.each<[unknown, string]>([
  ['global', 'breaker.scope'],
  [null, 'breaker.scope'],
  [{ quorum: 0 }, 'breaker.scope.quorum'],
  [{ quorum: 1.5 }, 'breaker.scope.quorum'],
  [{ nodes: 2 }, 'breaker.scope.nodes'],
])('refuses the scope %j, naming %s', (scope, path) => {
  const define = () => step('work', () => 1, { breaker: { key: 'api', scope: scope as 'local' } });
  expect(define).toThrow(InvalidArgumentError);
  expect(define).toThrow(`${path}:`);
});
