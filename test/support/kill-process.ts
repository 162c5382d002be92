/**
 * The process that is killed: hosts the machines of kill-machines.ts on a log and does what it is told over IPC.
 * Owns one life, and what is said in it. Node 20 runs no TypeScript: compiled by its test.
 *
 * KP1  The process says 'loaded' before it touches the log and 'ready' once createRuntime has recovered everything.
 * KP2  A command is acknowledged only after the runtime's own promise has resolved.
 */
import type { AnyEventObject } from 'xstate';
import type { EventLog } from '../../src/log/event-log.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { postgresLog } from '../../src/stores/postgres/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { killMachines } from './kill-machines.ts';
import { fileWitness } from './kill-witness.ts';

/** Where the process works. */
export interface Workplace {
  /** Path of a SQLite file, or URL of a PostgreSQL log. */
  readonly log: string;
  readonly witness: string;
}

/** How one life runs; the first message to the process. */
export interface LifeOptions {
  readonly durability: 'power' | 'process';
  /** Renew snapshots after this many events; none when undefined. */
  readonly snapshotEvery?: number | undefined;
  /** Drop idle actors from memory after this many ms; never when undefined. */
  readonly passivateMs?: number | undefined;
}

/** What a client wants. A repeat has the id of the first one. */
export type Command = { readonly id: string } & (
  | { readonly do: 'start'; readonly machine: string; readonly actor: string; readonly input: unknown }
  | {
      readonly do: 'send';
      readonly stream: string;
      readonly event: AnyEventObject;
      readonly correlationId?: string | undefined;
    }
  | { readonly do: 'stop'; readonly stream: string }
  /** Acknowledged when these actors have ended by themselves. */
  | { readonly do: 'await'; readonly streams: readonly string[] }
  | { readonly do: 'close' }
);

export type Report =
  | { readonly at: 'loaded' }
  | { readonly at: 'ready' }
  | { readonly at: 'acknowledged'; readonly id: string }
  | { readonly at: 'refused'; readonly id: string; readonly why: string }
  /** The runtime logged an error. */
  | { readonly at: 'complained'; readonly why: string };

type Machines = ReturnType<typeof killMachines>;
type Stream = `${keyof Machines}-${string}`;

const report = (message: Report) => void process.send!(message);

/** Refused appends are part of a client's repeats; only errors are worth a complaint. */
const logger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error: (fields, why) =>
    report({ at: 'complained', why: `${why} ${JSON.stringify({ ...fields, err: errorOf(fields) })}` }),
};

function errorOf(fields: object): string {
  return 'err' in fields && fields.err instanceof Error ? fields.err.stack! : '';
}

async function open(workplace: Workplace, life: LifeOptions) {
  const { log } = workplace;
  return createRuntime({
    log: log.startsWith('postgres:') ? await postgresLog(log) : sqliteLog(log, { durability: life.durability }),
    machines: killMachines(fileWitness(workplace.witness)),
    logger,
    passivate: life.passivateMs === undefined ? false : { idle: life.passivateMs },
    snapshots: life.snapshotEvery === undefined ? false : { every: life.snapshotEvery },
  });
}

async function perform(command: Command, runtime: Awaited<ReturnType<typeof open>>): Promise<void> {
  switch (command.do) {
    case 'start':
      await runtime.start(command.machine as 'ledger', { id: command.actor, input: command.input as never });
      return;
    case 'send': {
      const { stream, event, id: messageId, correlationId } = command;
      const ref = await runtime.get(stream as Stream);
      await ref.send(event as never, correlationId === undefined ? { messageId } : { messageId, correlationId });
      return;
    }
    case 'stop':
      return (await runtime.get(command.stream as Stream)).stop();
    case 'await':
      return untilEnded(command.streams, runtime.log);
    case 'close':
      return runtime.close();
  }
}

/** Looks at the log only: an actor has to go on by itself, not because somebody asks for it and so loads it. */
async function untilEnded(streams: readonly string[], log: EventLog): Promise<void> {
  const active = new Set(streams);
  let caughtUp = false;
  for await (const item of log.subscribe({ signal: AbortSignal.timeout(30_000) })) {
    caughtUp ||= item.type === 'caughtUp';
    if (!caughtUp) continue;
    active.clear();
    for await (const { stream } of log.actors({ status: 'active' })) if (streams.includes(stream)) active.add(stream);
    if (active.size === 0) return;
  }
  throw new Error(`These actors have not ended: ${[...active].join(', ')}.`);
}

async function live(workplace: Workplace, life: LifeOptions): Promise<void> {
  const runtime = await open(workplace, life);
  process.on('message', (command: Command) => {
    perform(command, runtime).then(
      () => {
        report({ at: 'acknowledged', id: command.id });
        if (command.do === 'close') process.disconnect();
      },
      (error: unknown) => report({ at: 'refused', id: command.id, why: String(error) }),
    );
  });
  report({ at: 'ready' });
}

process.once('message', (life: LifeOptions) => {
  // A life that cannot begin ends the process with its reason on standard error.
  void live(JSON.parse(process.argv[2]!) as Workplace, life);
});
report({ at: 'loaded' });
