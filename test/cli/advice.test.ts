/** What the library advises, as commands (AD1). */
import { describe, expect, it } from 'vitest';
import { commandIn, inCommands } from '../../src/cli/advice.ts';
import { LogOwnedError, UnknownMachineError } from '../../src/errors.ts';

describe('an advice', () => {
  it.each([
    ["once the cause is gone, call runtime.resume('a-1'): …", "once the cause is gone, call 'rewake resume a-1': …"],
    ["go back: runtime.rewind('a-1', { to: 3 }) gives", "go back: 'rewake rewind a-1 3' gives"],
    ["back with runtime.rewind('a-1', { to }), or", "back with 'rewake rewind a-1 <revision>', or"],
    ["as in runtime.send('a-1', { type: 'PAY' }).", "as in 'rewake send a-1 PAY'."],
    [
      "runtime.send('a-1', { type: 'approval.chosen', by: 'their name', choice: 'pay' }).",
      '`rewake send a-1 approval.chosen --data \'{"by":"their name","choice":"pay"}\'`.',
    ],
    ['start a host on this log, createRuntime({ log, machines }): it', "start a host on this log, 'rewake run': it"],
    ['then call runtime.resume().', "then 'rewake run'."],
    ['call runtime.resume(): what blocked it is gone', "'rewake run': what blocked it is gone"],
    [
      'register the machine m, in createRuntime({ machines }) or by runtime.register({ m }), then call runtime.resume().',
      "register the machine m, in 'machines' of rewake.config.ts, then 'rewake run'.",
    ],
    ["with repairLog(log, { quarantine: true, stream: 'a-1' });", "with 'rewake repair a-1';"],
    ["runtime.resume('a b')", "`rewake resume 'a b'`"],
    ['find out whether it did its work.', 'find out whether it did its work.'],
  ])('%s: %s', (advice, said) => {
    expect(inCommands(advice)).toBe(said);
  });

  it('of an error, too', () => {
    expect(inCommands(new LogOwnedError('app.db', 'host 7', 0).message)).toMatch(
      /is being renewed\. Stop that host first or use another log\.$/,
    );
    expect(inCommands(new UnknownMachineError('m', []).message)).toContain("'machines' of rewake.config.ts");
  });

  it('has the command that comes first in it, if it can be run as it is', () => {
    expect(commandIn("try runtime.resume('a-1'), or createRuntime({ log, machines })")).toEqual(['resume', 'a-1']);
    expect(commandIn("runtime.rewind('a-1', { to })")).toBeUndefined();
    expect(commandIn('nothing has to be done.')).toBeUndefined();
  });
});
