/**
 * One stream under other machines: whether its actor could go on with them, and if not, why. Owns the verdicts and how an
 * error of a fold becomes one; the fold is the runtime's own.
 *
 * SR1  The verdict is what a runtime with these machines would come to: it would take the actor up, or block it.
 * SR2  A migration is tried, and nothing of it is written.
 */
import type { AnyActorLogic, AnyStateMachine, StateValue } from 'xstate';
import {
  DamagedRecordError,
  LogClosedError,
  LogUnavailableError,
  MissingImplementationError,
  ReplayDivergedError,
  RewakeError,
  StreamDeletedError,
  UnknownMachineError,
  UnknownStateError,
} from '../../errors.ts';
import { migrateTree } from '../../kernel/migrate.ts';
import type { TransitionRecord } from '../../kernel/stimulus.ts';
import { describeTree } from '../../kernel/tree-state.ts';
import { declarationsOf, isMachine, resolveSource } from '../../kernel/xstate-internals.ts';
import type { ActorRow, ActorStatus, Revision } from '../../log/event-log.ts';
import { revisionOf } from '../../runtime/explain/folded-far.ts';
import type { Folded } from '../../runtime/fold-history.ts';
import { loadActor, type LoadServices } from '../../runtime/load.ts';

/** What is known of a stream whatever becomes of it. */
interface ReplayedStream {
  readonly stream: string;
  /** Durable name of its machine. */
  readonly machine: string;
  /** The version of the machine that is on record. */
  readonly version: string | null;
  readonly status: ActorStatus;
  /** Up to where it was folded; where it stops, if it does; undefined where not even its beginning could be folded. */
  readonly revision: Revision | undefined;
}

/**
 * What becomes of one actor under other machines. With `agrees` and `migrates` it goes on; with all others it is blocked, and
 * `error` is what blocks it.
 *
 * - `agrees`: the machines do what the log says.
 * - `migrates`: they do, and the migration gives a state of the current version.
 * - `diverges`: they do otherwise; `error.expected` and `error.got` say what.
 * - `unknownState`: they do not have a state that the log says the actor was in.
 * - `unknownMachine`: there is no machine of the name.
 * - `missingImplementation`: a machine names an actor, guard or delay that it was not given.
 * - `cannotMigrate`: the migration throws, or gives a state that the current version does not have.
 * - `unreadable`: an upcaster is missing or fails, or a newer version of rewake wrote it.
 * - `damaged`: a record is damaged or missing. The machines are not to blame.
 */
export type StreamReplay = ReplayedStream &
  (
    | { readonly verdict: 'agrees' | 'migrates'; readonly error?: undefined }
    | { readonly verdict: 'diverges'; readonly error: ReplayDivergedError }
    | { readonly verdict: 'unknownState'; readonly error: ReplayDivergedError | UnknownStateError }
    | { readonly verdict: 'unknownMachine'; readonly error: UnknownMachineError }
    | { readonly verdict: 'missingImplementation'; readonly error: MissingImplementationError }
    | { readonly verdict: 'cannotMigrate'; readonly error: unknown }
    | { readonly verdict: 'unreadable'; readonly error: RewakeError }
    | { readonly verdict: 'damaged'; readonly error: DamagedRecordError }
  );

/** What becomes of an actor; see {@link StreamReplay}. */
export type ReplayVerdict = StreamReplay['verdict'];

/**
 * Folds a stream.
 * @throws LogUnavailableError | LogClosedError | StreamDeletedError, and what is no error of rewake
 */
export async function replayStream(row: ActorRow, services: LoadServices): Promise<StreamReplay> {
  const { stream, machine, version, status } = row;
  const known = { stream, machine, version, status };
  try {
    const folded = await loadActor(stream, services, row.revision);
    return { ...known, revision: folded.revision, ...migrated(folded, services) };
  } catch (error) {
    return { ...known, revision: revisionOf(error), ...judged(error, row, services) };
  }
}

type Judgement = StreamReplay extends infer Each
  ? Each extends StreamReplay
    ? Omit<Each, keyof ReplayedStream>
    : never
  : never;

/** SR2. */
function migrated(folded: Folded, { machines }: LoadServices): Judgement {
  const { tree, machine, correlationId, lastEventId: eventId } = folded;
  const migration = tree.status === 'active' ? machines.migration(machine) : undefined;
  if (!migration) return { verdict: 'agrees' };
  const { to, migrate } = migration;
  const versions = { from: machine.version, to: to.version };
  try {
    const cause = { eventId, correlationId };
    const moved = migrateTree(tree, to.logic, (state) => migrate(state, versions), tree.at, cause);
    describeTree(moved.tree);
    return { verdict: 'migrates' };
  } catch (error) {
    return { verdict: 'cannotMigrate', error };
  }
}

/** What is wrong with the log or with the call, and not with what the stream holds. */
const ofLog = [LogUnavailableError, LogClosedError, StreamDeletedError];

function judged(error: unknown, row: ActorRow, services: LoadServices): Judgement {
  if (error instanceof ReplayDivergedError) {
    const verdict = lostState(error, row, services) === undefined ? 'diverges' : 'unknownState';
    return { verdict, error };
  }
  if (error instanceof UnknownStateError) return { verdict: 'unknownState', error };
  if (error instanceof UnknownMachineError) return { verdict: 'unknownMachine', error };
  if (error instanceof MissingImplementationError) return { verdict: 'missingImplementation', error };
  if (error instanceof DamagedRecordError) return { verdict: 'damaged', error };
  const isOfHistory = error instanceof RewakeError && !ofLog.some((errorClass) => error instanceof errorClass);
  if (isOfHistory) return { verdict: 'unreadable', error };
  throw error;
}

/** The state that a machine is in by the log, and that none of the machines at hand has. */
function lostState(error: ReplayDivergedError, row: ActorRow, { machines }: LoadServices): StateValue | undefined {
  const { transitions } = error.expected as { readonly transitions?: TransitionRecord };
  if (!transitions) return undefined;
  const { logic } = machines.forActor(row.machine, row.version, row.stream);
  // Which machine an actor inside runs is not in its address.
  const candidates = transitions.actor === '/' ? [logic] : machinesIn(logic);
  return [...candidates].some((machine) => hasState(machine, transitions.to)) ? undefined : transitions.to;
}

function machinesIn(machine: AnyStateMachine, seen = new Set<AnyStateMachine>()): Set<AnyStateMachine> {
  if (seen.has(machine)) return seen;
  seen.add(machine);
  const named = Object.values(machine.implementations.actors) as AnyActorLogic[];
  const invoked = declarationsOf(machine).invokes.map(({ src }) => resolveSource(machine, src));
  for (const logic of [...named, ...invoked]) if (logic && isMachine(logic)) machinesIn(logic, seen);
  return seen;
}

function hasState(machine: AnyStateMachine, value: StateValue): boolean {
  try {
    machine.resolveState({ value, context: {} } as Parameters<AnyStateMachine['resolveState']>[0]);
    return true;
  } catch {
    return false;
  }
}
