/**
 * What a live actor shows while it runs, to hold frames against. Owns the capture: the newest snapshot at the stream's newest
 * revision, with every machine below it.
 */
import { addressOf } from '../../src/kernel/actor-tree.ts';
import { plainValue } from '../../src/kernel/plain-value.ts';
import { isMachineSnapshot, type AnySnapshot, type HostedActor } from '../../src/kernel/xstate-internals.ts';
import type { EventLog, Revision } from '../../src/log/event-log.ts';
import type { Frame } from '../../src/replay/index.ts';
import type { ActorRef } from '../../src/runtime/actor-ref.ts';

/** What is seen of a machine. */
type Shown = Readonly<Record<string, unknown>>;

const address = (ref: unknown) => addressOf(ref as HostedActor);

export class LiveWitness {
  readonly #log: EventLog;
  /** Machines by their address, by revision. */
  readonly seen = new Map<Revision, Readonly<Record<string, Shown>>>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** At rest. */
  async see(ref: ActorRef): Promise<void> {
    const head = await this.#log.head(ref.stream);
    const machines: Record<string, Shown> = {};
    show('/', ref.getSnapshot() as unknown as AnySnapshot, machines);
    this.seen.set((head as { readonly revision: Revision }).revision, machines);
  }
}

function show(at: string, snapshot: AnySnapshot, into: Record<string, Shown>): void {
  if (!isMachineSnapshot(snapshot)) return;
  const { value, status, context, output } = snapshot;
  into[at] = { value, status, context: plainValue(context, address), output };
  for (const child of Object.values(snapshot.children) as unknown as HostedActor[]) {
    if (child.getSnapshot().status === 'active') show(address(child), child.getSnapshot(), into);
  }
}

/** The machines of a frame as the witness has seen them. */
export function machinesIn(frame: Frame, like: Readonly<Record<string, Shown>>): Readonly<Record<string, Shown>> {
  const shown = frame.actors.filter(({ address: at }) => Object.hasOwn(like, at));
  return Object.fromEntries(
    shown.map(({ address: at, value, status, context, output }) => [at, { value, status, context, output }]),
  );
}
