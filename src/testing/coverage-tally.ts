/**
 * Counting what machines reached. Owns the numbers, how they add up, and what a machine inside another one is called; how they
 * are come by is coverage.ts's.
 *
 * CT1  Machines are told apart by name and definition; two objects of one definition count as one machine.
 * CT2  A machine that is somewhere inside itself is counted as the outer one.
 */
import type { AnyStateMachine } from 'xstate';
import { definitionHash } from '../kernel/definition-hash.ts';
import { isForError, namesOf } from './chart-names.ts';
import type { Covered, MachineCoverage } from './coverage-report.ts';
import { childMachinesOf } from './xstate-watch.ts';

type Counts = Map<string, number>;

/** Which machine is counted. */
export interface MachineIdentity {
  readonly machine: string;
  readonly version: string | null;
  readonly definition: string;
}

const kinds = ['states', 'transitions', 'guards', 'handlers', 'outcomes'] as const;
type Kind = (typeof kinds)[number];

/** The numbers of one machine. What has the number 0 is declared, and was not reached. */
export class MachineTally {
  readonly identity: MachineIdentity;
  readonly logic: AnyStateMachine | undefined;
  actors = 0;
  readonly #counts = Object.fromEntries(kinds.map((kind) => [kind, new Map()])) as unknown as Record<Kind, Counts>;
  readonly #errors = new Set<string>();
  readonly #matrix = new Map<string, Counts>();

  constructor(identity: MachineIdentity, logic: AnyStateMachine | undefined) {
    this.identity = identity;
    this.logic = logic;
  }

  /** Puts down all that the machine declares. */
  declare(logic: AnyStateMachine): void {
    const { states, transitions, guards } = namesOf(logic);
    for (const name of states) this.count('states', name, 0);
    for (const [transition, name] of transitions) {
      this.count('transitions', name, 0);
      if (isForError(transition)) this.#errors.add(name);
    }
    for (const guard of guards.values()) for (const name of [guard.true, guard.false]) this.count('guards', name, 0);
  }

  count(kind: Kind, name: string, times = 1): void {
    increase(this.#counts[kind], name, times);
  }

  /** A crash struck in an append with this transition. */
  crash(phase: string, transition: string, times = 1): void {
    let counts = this.#matrix.get(phase);
    if (!counts) this.#matrix.set(phase, (counts = new Map()));
    increase(counts, transition, times);
  }

  add(other: MachineTally): void {
    this.actors += other.actors;
    for (const kind of kinds) for (const [name, times] of other.#counts[kind]) this.count(kind, name, times);
    for (const name of other.#errors) this.#errors.add(name);
    for (const [phase, counts] of other.#matrix) for (const [name, times] of counts) this.crash(phase, name, times);
  }

  addReport(report: MachineCoverage): void {
    this.actors += report.actors;
    for (const kind of ['states', 'transitions', 'guards', 'handlers'] as const)
      for (const [name, times] of entriesOf(report[kind])) this.count(kind, name, times);
    for (const [name, times] of Object.entries(report.handlers.outcomes)) this.count('outcomes', name, times);
    for (const [name] of entriesOf(report.errorTransitions)) this.#errors.add(name);
    for (const [phase, covered] of Object.entries(report.matrix))
      for (const [name, times] of entriesOf(covered)) this.crash(phase, name, times);
  }

  /** @param phases rows of the matrix that are there in any case */
  report(phases: readonly string[]): MachineCoverage {
    const { states, transitions, guards, handlers, outcomes } = this.#counts;
    const onError = [...transitions].filter(([name]) => this.#errors.has(name));
    const all = [...new Set([...phases, ...this.#matrix.keys()])];
    const struck = (phase: string) =>
      [...transitions.keys()].map((name) => [name, this.#matrix.get(phase)?.get(name) ?? 0] as const);
    return {
      ...this.identity,
      actors: this.actors,
      states: covered(states),
      transitions: covered(transitions),
      guards: covered(guards),
      errorTransitions: covered(onError),
      handlers: { ...covered(handlers), outcomes: Object.fromEntries(outcomes) },
      matrix: Object.fromEntries(all.map((phase) => [phase, covered(struck(phase))])),
    };
  }
}

/** The machines that are counted. */
export class Tallies {
  readonly #tallies = new Map<string, MachineTally>();
  readonly #declares: boolean;

  /** @param declares whether all that a machine declares is put down with it, its child machines included */
  constructor(declares: boolean) {
    this.#declares = declares;
  }

  of(identity: MachineIdentity, logic: AnyStateMachine | undefined): MachineTally {
    const key = JSON.stringify([identity.machine, identity.definition]);
    let tally = this.#tallies.get(key);
    if (!tally) {
      this.#tallies.set(key, (tally = new MachineTally(identity, logic)));
      if (this.#declares && logic) tally.declare(logic);
    }
    return tally;
  }

  /** A machine and those that it can invoke, with the handlers of all of them. */
  declareTree(identity: MachineIdentity, logic: AnyStateMachine): void {
    const root = this.of(identity, logic);
    const visit = (parent: MachineIdentity, machine: AnyStateMachine, above: readonly AnyStateMachine[]) => {
      for (const handler of namesOf(machine).handlers) root.count('handlers', handler, 0);
      for (const [src, child] of childMachinesOf(machine)) {
        if (above.includes(child)) continue;
        const inner = childIdentity(parent.machine, child, src);
        this.of(inner, child);
        visit(inner, child, [...above, child]);
      }
    };
    visit(identity, logic, [logic]);
  }

  add(other: Tallies): void {
    for (const tally of other.#tallies.values()) this.of(tally.identity, tally.logic).add(tally);
  }

  report(phases: readonly string[]): MachineCoverage[] {
    return [...this.#tallies.values()].map((tally) => tally.report(phases));
  }
}

/** What a machine inside another one is called: by its id, and without one by what the other calls it. */
export function childIdentity(parent: string, child: AnyStateMachine, src: unknown): MachineIdentity {
  const isUnnamed = child.id === '(machine)' && typeof src === 'string';
  return {
    machine: `${parent}/${isUnnamed ? src : child.id}`,
    version: child.version ?? null,
    definition: definitionHash(child),
  };
}

function increase(counts: Counts, name: string, times: number): void {
  counts.set(name, (counts.get(name) ?? 0) + times);
}

function covered(counts: Iterable<readonly [string, number]>): Covered {
  const all = [...counts];
  return {
    total: all.length,
    reached: Object.fromEntries(all.filter(([, times]) => times > 0)),
    neverReached: all.filter(([, times]) => times === 0).map(([name]) => name),
  };
}

function entriesOf({ reached, neverReached }: Covered): [string, number][] {
  return [...Object.entries(reached), ...neverReached.map((name): [string, number] => [name, 0])];
}
