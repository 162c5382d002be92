/**
 * How an effect talks to a root actor that many steps have in common by its key, such as the circuit breaker of a
 * dependency. Owns where that actor lives; what is said to it is not known here.
 *
 * KA1  Inside rewake it is a root actor of the same log, with a stream of its own, started by whoever needs it first.
 * KA2  Outside rewake it is a plain actor of this process, so that a machine which uses it runs under plain XState too.
 * KA3  What was answered is the outcome of the asking effect, so a fold of the asker never reads the other stream.
 */
import { createActor, type AnyActor, type AnyEventObject, type AnyMachineSnapshot, type AnyStateMachine } from 'xstate';
import { ActorExistsError, InvalidArgumentError, NotFoundError, UnknownMachineError, type EffectContext } from 'rewake';

/** A root actor that is shared by its name. */
export interface KeyedActor {
  /** Name under which the runtime knows the machine. */
  readonly machine: string;
  readonly logic: AnyStateMachine;
  readonly id: string;
  /** What it is started with where it is not there yet. */
  readonly input: unknown;
}

/** The plain actors of this process, by what would be their stream. */
const local = new Map<string, AnyActor>();

/** Its newest state; started if it is not there yet. */
export function findOrStart(shared: KeyedActor, context: EffectContext): Promise<AnyMachineSnapshot> {
  if (!isHosted(context)) return Promise.resolve(localActor(shared).getSnapshot() as AnyMachineSnapshot);
  return context.look(streamOf(shared)).catch((error: unknown) => startInstead(shared, context, error));
}

async function startInstead(shared: KeyedActor, context: EffectContext, missing: unknown): Promise<AnyMachineSnapshot> {
  const { machine, id, input } = shared;
  try {
    if (!(missing instanceof NotFoundError)) throw missing;
    return await context.start(machine, { id, input });
  } catch (error) {
    // Where another was faster, with other options, there is one now.
    if (error instanceof ActorExistsError) return context.look(streamOf(shared));
    throw error instanceof UnknownMachineError && error.machine === machine ? unregistered(shared, error) : error;
  }
}

function unregistered({ machine, id }: KeyedActor, cause: UnknownMachineError): InvalidArgumentError {
  return new InvalidArgumentError(
    `What is shared under the key '${id}' needs the machine '${machine}', which the runtime does not know. Spread recoveryMachines ` +
      `of 'rewake/machines' into the machines of createRuntime: { …, ...recoveryMachines }.`,
    { cause },
  );
}

/** Sends it an event that changes it; gives the state right after that. It must have been looked at before. */
export async function tell(
  shared: KeyedActor,
  event: AnyEventObject,
  context: EffectContext,
): Promise<AnyMachineSnapshot> {
  if (isHosted(context)) return context.send(streamOf(shared), event);
  const actor = localActor(shared);
  actor.send(event);
  return actor.getSnapshot() as AnyMachineSnapshot;
}

/** Forgets the plain actors of this process: for tests, which must not see each other's. */
export function forgetLocalActors(): void {
  for (const actor of local.values()) actor.stop();
  local.clear();
}

function isHosted(context: EffectContext): boolean {
  return context.stream !== '';
}

function streamOf({ machine, id }: KeyedActor): `${string}-${string}` {
  return `${machine}-${id}`;
}

function localActor(shared: KeyedActor): AnyActor {
  const stream = streamOf(shared);
  let actor = local.get(stream);
  if (!actor) local.set(stream, (actor = createActor(shared.logic, { input: shared.input }).start()));
  return actor;
}
