/** Tools whose host dies: on the memory log at every append, from snapshots, and on a SQLite file (TL1, TL2). */
import { expect, it } from 'vitest';
import { createRuntime, VirtualClock, type EventLog } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import { toolRegistry, type ToolCalled, type ToolResult } from '../../machines/index.ts';
import { atEveryAppend, TwoLives, type Crash } from '../support/two-lives.ts';
import { rest, settled } from '../support/hosted-and-plain.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { logPath } from '../stores/sqlite/log-files.ts';

const unavailable = () => Object.assign(new Error('unavailable'), { status: 503 });

/** Three models, of which two are down; each call is noted. */
function models(calls: string[]) {
  const model = (name: string, isUp: boolean) => () => {
    calls.push(name);
    if (!isUp) throw unavailable();
    return `read by ${name}`;
  };
  return toolRegistry({
    tools: {
      gpt4: {
        run: model('gpt4', false),
        cost: 8,
        policy: { strategy: 'fallback', maxRetries: 2, retryBackoff: 2, fallbackTools: ['claude', 'local'] },
        options: { timeout: '10s' },
      },
      claude: { run: model('claude', false), cost: 4, policy: { strategy: 'skip', maxRetries: 1 } },
      local: { run: model('local', true), cost: 1, policy: { strategy: 'retry' } },
    },
  }).executor;
}

const input = { tool: 'gpt4', params: 'receipt' } as const;

async function calledIn(log: EventLog): Promise<ToolCalled[]> {
  const called: ToolCalled[] = [];
  for await (const { type, data } of log.readStream('tools-1')) {
    if (type === 'ToolCalled') called.push(JSON.parse(data) as ToolCalled);
  }
  return called;
}

it.each([
  ['from its events', {}],
  ['from a snapshot', { snapshots: { every: 1 } }],
])('a crash at any append: no tool is called again whose outcome is on the log, %s', async (_, options) => {
  const live = (crash: Crash) => liveThrough(crash, options);
  const crashes = await atEveryAppend(live, ({ result, called, before, callsBefore, callsAfter }, where) => {
    expect(result.output, where).toBe('read by local');
    expect(called.map(({ tool, outcome }) => [tool, outcome])).toEqual([
      ['gpt4', 'failed'],
      ['claude', 'failed'],
      ['local', 'succeeded'],
    ]);
    expect(result.cost).toBe(called.reduce((sum, { cost }) => sum + cost, 0));
    expect(result.attempts).toBe(called.reduce((sum, { attempts }) => sum + attempts, 0));
    for (const tool of before) expect(callsAfter).not.toContain(tool);
    // TL2: of the tools called by then, all but the last one were told.
    expect([...new Set(callsBefore)].slice(0, -1).filter((tool) => !before.includes(tool))).toEqual([]);
    const [gpt4, claude, local] = called;
    expect([gpt4!.attempts, claude!.attempts]).toEqual([3, 2]);
    expect(local!.attempts).toBeLessThanOrEqual(2);
  });
  expect(crashes).toBeGreaterThan(15);
});

/** One call of three tools, with a crash in its first life. */
async function liveThrough(crash: Crash, options: object) {
  const callsBefore: string[] = [];
  const callsAfter: string[] = [];
  const lives = new TwoLives(crash, (life) => ({ tools: models(life === 1 ? callsBefore : callsAfter) }), options);
  void (await lives.first()).start('tools', { id: '1', input }).catch(() => {});
  await lives.clock.advance(60_000, rest);
  const before = (await calledIn(lives.log)).map(({ tool }) => tool);
  const ref = await (await lives.second()).start('tools', { id: '1', input });
  await lives.clock.advance(600_000, rest);
  const result: ToolResult = await ref.output();
  return { crashed: lives.crashed, result, called: await calledIn(lives.log), before, callsBefore, callsAfter };
}

it('a call goes on in another process where it was, on a SQLite file', async () => {
  const path = logPath();
  const clock = new VirtualClock();
  const life = (calls: string[]) =>
    createRuntime({
      log: sqliteLog(path, { clock }),
      clock,
      logger: silentLogger,
      machines: { tools: models(calls) },
      snapshots: { every: 2 },
    });
  const calls: string[] = [];
  const first = await life(calls);
  await first.start('tools', { id: '1', input });
  await clock.advance(6_500, settled);
  expect(calls).toEqual(['gpt4', 'gpt4', 'gpt4', 'claude']);
  await first.close();
  clock.jump(100_000);
  const later: string[] = [];
  const second = await life(later);
  const output = (await second.get('tools-1')).output();
  await clock.advance(10_000, settled);
  expect(await output).toMatchObject({ tool: 'local', output: 'read by local', cost: 24 + 8 + 1, attempts: 6 });
  expect(later).toEqual(['claude', 'local']);
  await second.close();
  const folded: string[] = [];
  await using third = await life(folded);
  expect(await (await third.get('tools-1')).output()).toMatchObject({ cost: 33 });
  expect(folded).toEqual([]);
});
