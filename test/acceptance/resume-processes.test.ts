/**
 * Acceptance of "Resume with Error Recovery": flows with error handlers in real processes on a SQLite file. One is killed with
 * SIGKILL, or ends because its flow has failed; the next one brings the flow to its end, and exits with code 0.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqliteLog } from 'rewake/sqlite';
import { compileProcess } from '../stores/sqlite/child-processes.ts';
import { all, testFolder } from '../stores/sqlite/log-files.ts';
import type { FlowTask } from './flow-process.ts';

let compiled: ReturnType<typeof compileProcess>;
beforeAll(() => {
  compiled = compileProcess('test/acceptance/flow-process.ts');
});
afterAll(() => compiled.remove());

/** A place for processes, one after the other. */
function place() {
  const folder = testFolder();
  const [path, notes] = [join(folder, 'flows.db'), join(folder, 'notes')];
  const keysOf = () => new Set(readFileSync(notes, 'utf8').trimEnd().split('\n'));
  return {
    /** Runs one to its end. */
    async life(task: Omit<FlowTask, 'path' | 'notes'>) {
      const child = fork(compiled.script, [JSON.stringify({ path, notes, ...task })], { silent: true, execArgv: [] });
      let [said, errors] = ['', ''];
      child.stdout!.on('data', (text) => (said += String(text)));
      child.stderr!.on('data', (text) => (errors += String(text)));
      const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
      return { code, signal, said: said.trim(), errors };
    },
    /** How often each work was called by all of them, by its keys. */
    calls(): Record<string, number> {
      const calls: Record<string, number> = {};
      for (const line of keysOf()) calls[line.split(' ')[0]!] = (calls[line.split(' ')[0]!] ?? 0) + 1;
      return calls;
    },
    /** What handlers told, in order. */
    async story(): Promise<string[]> {
      const log = sqliteLog(path);
      const events = await all(log.readStream('trip-1'));
      await log.close();
      return events.flatMap(({ type, data, meta }) => {
        if (meta.actor === undefined || !/^(Handler|ErrorEscalated|FlowResumed)/.test(type)) return [];
        const { handler = '', action, reason } = JSON.parse(data) as Record<string, string>;
        return [[type, handler, action ?? reason].filter(Boolean).join(' ')];
      });
    },
  };
}

const output = { pack: 'pack', book: 'book', sleep: 'in the car', going: 'train' };
const calls = { pack: 1, book: 2, logIn: 1, fly: 2, rebook: 3, reconnect: 1, train: 1, sleep: 1, tell: 1 };
const story = [
  ...['HandlerStarted logIn', 'HandlerCompleted logIn retry', 'HandlerStarted rebook', 'HandlerStarted reconnect'],
  ...['HandlerCompleted reconnect retry', 'HandlerCompleted rebook retry', 'HandlerStarted rebook'],
  ...['HandlerCompleted rebook escalate', 'ErrorEscalated retriesExhausted', 'HandlerStarted byTrain'],
  ...['HandlerCompleted byTrain fallback', 'HandlerStarted inTheCar', 'HandlerCompleted inTheCar skip'],
];

describe('Workflows with `on_failure` handlers resume successfully (exit code 0)', { timeout: 60_000 }, () => {
  it('a process that nothing happens to ends so, too', async () => {
    const { life, calls: made, story: told } = place();
    expect(await life({})).toEqual({ code: 0, signal: null, said: JSON.stringify(output), errors: '' });
    expect(made()).toEqual(calls);
    expect(await told()).toEqual(story);
  });

  it.each<Pick<FlowTask, 'dieIn' | 'dieAfter'>>([
    { dieIn: 'logIn 1' },
    { dieIn: 'fly 1' },
    { dieIn: 'rebook 1' },
    { dieIn: 'reconnect 1' },
    { dieIn: 'train 1' },
    { dieIn: 'tell 1' },
    { dieAfter: 'FlowStepFailed 1' },
    { dieAfter: 'HandlerStarted 3' },
    { dieAfter: 'HandlerCompleted 3' },
  ])(
    'after a SIGKILL at %o: the next process does what is left, and no handler is left out or run twice',
    async (moment) => {
      const { life, calls: made, story: told } = place();
      expect(await life(moment)).toMatchObject({ code: null, signal: 'SIGKILL' });
      const resumed = await life({});
      expect(resumed).toEqual({ code: 0, signal: null, said: JSON.stringify(output), errors: '' });
      expect(made()).toEqual(calls);
      expect(await told()).toEqual(story);
    },
  );

  it('after a SIGKILL in each of the calls, one process after the other', async () => {
    const { life, calls: made, story: told } = place();
    for (const dieIn of ['pack 1', 'book 2', 'fly 1', 'rebook 2', 'fly 2', 'rebook 3', 'train 1', 'sleep 1'])
      expect(await life({ dieIn }), dieIn).toMatchObject({ signal: 'SIGKILL' });
    expect(await life({})).toMatchObject({ code: 0, said: JSON.stringify(output) });
    expect(made()).toEqual(calls);
    expect(await told()).toEqual(story);
  });

  it('after a flow failed for good, and its process ended with code 1, by `runtime.resume`', async () => {
    const { life, story: told } = place();
    const failed = await life({ isHopeless: true });
    expect(failed).toMatchObject({ code: 1, signal: null, said: '' });
    expect(failed.errors).toContain('FlowFailedError');
    // Starting it again finds it as it is.
    expect(await life({})).toMatchObject({ code: 1 });
    expect(await life({ resumes: true })).toEqual({
      code: 0,
      signal: null,
      said: JSON.stringify(output),
      errors: '',
    });
    expect((await told()).filter((each) => each === 'FlowResumed')).toHaveLength(1);
  });

  it('after a SIGKILL of the process that resumed it', async () => {
    const { life } = place();
    await life({ isHopeless: true });
    expect(await life({ resumes: true, dieIn: 'pack 2' })).toMatchObject({ signal: 'SIGKILL' });
    expect(await life({})).toMatchObject({ code: 0, said: JSON.stringify(output) });
  });
});
