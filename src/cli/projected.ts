/**
 * Projections run for a command. Owns what is said while a long log is read, and of streams that are left out.
 *
 * PJ1  Damage ends what is seen of its stream, and of no other; it is told, and the exit code says it.
 */
import type { Projection } from '../../projections/projection.ts';
import { project } from '../../projections/project.ts';
import type { EventLog } from '../log/event-log.ts';
import { inCommands } from './advice.ts';
import type { CommandContext } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { readingOptions } from './looking.ts';
import { withCalls } from './noted-log.ts';

const eventsPerTurn = 5_000;

export interface Projected<Result> {
  readonly result: Result;
  /** 0, or what says that something was left out. */
  readonly code: number;
}

/** @param stream only this one; the whole log when omitted */
export async function projected<State, Result>(
  context: CommandContext,
  projection: Projection<State, Result>,
  stream?: string,
): Promise<Projected<Result>> {
  const { terminal, signal } = context;
  const log = await context.log('read');
  const { upcasters } = await readingOptions(context);
  let code: number = exitCodes.ok;
  const result = await project(projection, withTurns(log, context), {
    ...{ signal, onDamage: 'skip' },
    ...(upcasters && { upcasters }),
    ...(stream !== undefined && { stream }),
    onSkip: ({ message }) => {
      code = exitCodes.found;
      terminal.note(inCommands(message));
    },
  });
  return { result, code };
}

/** The log, telling how much of it was read, and hearing signals meanwhile. */
export function withTurns(log: EventLog, { terminal, signal }: CommandContext): EventLog {
  let count = 0;
  return withCalls(log, {
    async *readAll(options) {
      for await (const event of log.readAll(options)) {
        yield event;
        if (++count % eventsPerTurn !== 0) continue;
        terminal.progress(`${count} events read`);
        // Signals are heard between turns.
        await new Promise<void>((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
      }
    },
  });
}
