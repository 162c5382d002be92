/**
 * States that an actor goes on from although its history leads elsewhere: rewound, resumed after its end, compacted. Owns
 * what that state is and the event that says so; writing it, and running the actor, is rebasing.ts's.
 *
 * RB1  Nothing is deleted: what an actor goes on from is one more event of its stream.
 * RB2  An address and a timer's number name one thing in a stream for ever, also after a rewind.
 * RB3  Time does not go back: a timer that was due in the abandoned part is due at once.
 */
import type { AnyEventObject } from 'xstate';
import { InvalidArgumentError, NotFoundError, NotResumableError, StreamDeletedError } from '../errors.ts';
import type { ActorTree } from '../kernel/actor-tree.ts';
import { actorRebased, eventReceived, type Prepared, type RebaseInfo, type StartInfo } from '../kernel/records.ts';
import { moveTree } from '../kernel/migrate.ts';
import { standingOf } from '../kernel/standing.ts';
import type { StepRecord } from '../kernel/stimulus.ts';
import { describeTree } from '../kernel/tree-state.ts';
import { canTake, reviveRoot } from '../kernel/xstate-internals.ts';
import type { RecordedEvent, Revision } from '../log/event-log.ts';
import { sizeError } from '../log/event-size.ts';
import type { Json } from '../log/json.ts';
import { isFact } from '../log/runtime-events.ts';
import type { Environment } from './environment.ts';
import { foldUpTo, type Folded } from './fold-history.ts';
import { loadActor, type LoadServices, type ReadableLog } from './load.ts';
import type { Migrate } from './machines.ts';
import { isOfHistory } from './readable-event.ts';

/** What the root of an actor is sent that is resumed after its end. A machine that takes it says so in its chart. */
export interface ResumeRequested {
  readonly type: 'rewake.resume';
  /** Where to go on, in the words of the machine: for a flow the name of a step. */
  readonly from?: string;
  /** To be used from now on instead of what the actor was started with. */
  readonly input?: unknown;
}

/** How an actor that has ended is resumed. */
export interface ResumeOptions extends Omit<ResumeRequested, 'type'> {
  /**
   * Gives the state under the current version of its machine, for an actor that ended under an older one; it stays under
   * that when omitted. For a flow: `flowMigration`.
   */
  readonly migrate?: Migrate;
}

/** An actor as it goes on. */
export interface Rebased {
  /** With the tree it goes on from, at the stream's last revision. */
  readonly folded: Folded;
  readonly reason: RebaseInfo['reason'];
  readonly to?: Revision;
  /** What it hears first. */
  readonly then?: Prepared;
}

/** The event that records where an actor goes on from. */
export function rebaseEvent(
  tree: ActorTree,
  info: StartInfo,
  rebase: Pick<RebaseInfo, 'reason' | 'to' | 'input'>,
  environment: Environment,
): Prepared {
  const prepared = actorRebased(info, { ...rebase, state: describeTree(tree), standing: standingOf(tree) });
  return environment.recording(prepared);
}

/**
 * An actor as it was at a revision.
 * @throws NotFoundError | StreamDeletedError | InvalidArgumentError, and what folding that far throws
 */
export async function rewound(stream: string, to: Revision, services: LoadServices): Promise<Rebased> {
  const present = () => requireRevision(`rewind('${stream}', { to })`, stream, to, services.log);
  const last = await present();
  let folded: Folded;
  try {
    folded = await foldUpTo(stream, to, services);
  } finally {
    // A compaction may have removed it meanwhile: then nothing that was read of it is to be trusted, errors included.
    await present();
  }
  const { tree } = folded;
  if (tree.status !== 'active') {
    throw new InvalidArgumentError(
      `rewind('${stream}', { to: ${to} }): at that revision the actor had ended with status '${tree.status}'. Nothing was written. ` +
        'Give an earlier one, at which it ran.',
    );
  }
  await keepNumbers(tree, stream, to, services.log);
  return { folded: { ...folded, revision: last }, reason: 'rewound', to };
}

/**
 * An actor that has ended as it goes on; undefined where there is nothing to resume.
 * @throws NotResumableError, and what loading it throws
 */
export async function resumed(
  stream: string,
  options: ResumeOptions,
  services: LoadServices,
): Promise<Rebased | undefined> {
  const { migrate, ...request } = options;
  const ended = await loadActor(stream, services);
  const { status } = ended.tree;
  if (status === 'active' || (status === 'done' && options.from === undefined)) return undefined;
  const event: ResumeRequested = { type: 'rewake.resume', ...request };
  const then = eventReceived('/', event);
  const tooLarge = sizeError(stream, 'EventReceived', then.fields, services.log.capabilities.maxEventBytes);
  if (tooLarge) throw tooLarge;
  if (status === 'stopped') throw new NotResumableError(stream, status, 'it was stopped on purpose');
  if (!reviveRoot(ended.tree.rootActor)) throw new NotResumableError(stream, status, 'it never had a state');
  const folded = migrate ? migrated(ended, migrate, services) : ended;
  const { tree } = folded;
  if (!canTake(tree.rootActor.getSnapshot(), event as AnyEventObject)) {
    const { value } = tree.rootActor.getSnapshot() as { value?: unknown };
    const asked = options.from === undefined ? '' : ` with from '${options.from}'`;
    const detail = `its machine has no transition for the event 'rewake.resume'${asked} in the state ${JSON.stringify(value)} that it ended in`;
    const mend =
      options.from === undefined
        ? 'Deploy a machine that has one there'
        : 'Check the name, for a flow that of a step, or resume without it';
    throw new NotResumableError(stream, status, detail, mend);
  }
  return { folded, reason: 'resumed', then };
}

/** An actor under the current version of its machine. */
function migrated(folded: Folded, migrate: Migrate, { machines }: LoadServices): Folded {
  const { machine: from, tree } = folded;
  const to = machines.current(from.machine);
  if (to === from) return folded;
  const versions = { from: from.version, to: to.version };
  return { ...folded, tree: moveTree(tree, to.logic, (state) => migrate(state, versions)), machine: to, info: to };
}

/**
 * What an actor was started with, as it is logged; undefined where the stream does not say it any more.
 * @throws NotFoundError
 */
export async function loggedStart(stream: string, log: ReadableLog): Promise<{ readonly input?: Json } | undefined> {
  for await (const { type, data } of log.readStream(stream, { limit: 1 })) {
    const first = JSON.parse(data) as { readonly input?: Json; readonly reason?: string };
    // The beginning of a compacted stream remembers what it was started with.
    return type === 'ActorStarted' || first.reason === 'compacted' ? first : undefined;
  }
  throw new NotFoundError(stream);
}

/** @returns the stream's last revision */
export async function requireRevision(
  where: string,
  stream: string,
  at: Revision,
  log: ReadableLog,
): Promise<Revision> {
  const head = await log.head(stream);
  if (head.state === 'absent') throw new NotFoundError(stream);
  if (head.state === 'deleted') throw new StreamDeletedError(stream);
  const first = head.state === 'truncated' ? head.before : 0;
  if (!(Number.isInteger(at) && at >= first && at <= head.revision)) {
    throw InvalidArgumentError.of(where, `a revision of the stream, from ${first} to ${head.revision}`, at);
  }
  return head.revision;
}

/** RB2. What was numbered after a revision is not numbered so again. */
async function keepNumbers(tree: ActorTree, stream: string, after: Revision, log: ReadableLog): Promise<void> {
  try {
    for await (const event of log.readStream(stream, { from: after + 1 }))
      if (!isFact(event)) keepNumbersOf(tree, event);
  } catch (error) {
    // A damaged end of the stream: what cannot be read names nothing that anybody looks up.
    if (!isOfHistory(error)) throw error;
  }
}

function keepNumbersOf(tree: ActorTree, { data }: RecordedEvent): void {
  try {
    const { transitions = [], intents = [], armed = [] } = JSON.parse(data) as StepRecord;
    for (const { actor } of [...transitions, ...intents]) {
      for (const [, session] of actor.matchAll(/:(\d+)(?=\/|$)/g)) {
        tree._sessions = Math.max(tree._sessions, Number(session) + 1);
      }
    }
    for (const { timer } of armed) tree.timerCount = Math.max(tree.timerCount, timer + 1);
  } catch {
    // Damaged, though its checksum is right.
  }
}
