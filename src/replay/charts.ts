/**
 * Charts of the definitions that a stream was run under. Owns where they come from: the log keeps them by their hash, and what it
 * does not keep the code at hand may have.
 *
 * CS1  A chart is an aid: one that cannot be had is not there, and nothing fails for it.
 */
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { chartOf, type MachineChart } from '../kernel/chart.ts';
import { isMachine, resolveSource } from '../kernel/xstate-internals.ts';
import type { Definitions } from '../log/event-log.ts';
import type { MachineRegistry, RegisteredMachine } from '../runtime/machines.ts';
import { parentOf } from './addresses.ts';
import { keptChart } from './kept-chart.ts';

/** What is known of one machine. */
interface Drawn {
  readonly chart: MachineChart | undefined;
  readonly logic: AnyStateMachine | undefined;
}

export class Charts {
  readonly #definitions: Definitions | undefined;
  readonly #machines: MachineRegistry | undefined;
  readonly #byHash = new Map<string, Drawn>();
  readonly #byLogic = new WeakMap<AnyStateMachine, MachineChart>();

  constructor(definitions: Definitions | undefined, machines: MachineRegistry | undefined) {
    this.#definitions = definitions;
    this.#machines = machines;
  }

  /** Whether a definition was looked up already. */
  knows(definition: string): boolean {
    return this.#byHash.has(definition);
  }

  /** Looks up what an actor runs under. */
  async look(definition: string, machine: string, version: string | null): Promise<void> {
    if (this.knows(definition)) return;
    const kept = await this.#kept(definition);
    const atHand = this.#atHand(definition, machine, version);
    this.#byHash.set(definition, { chart: kept ?? (atHand && this.#drawn(atHand.logic)), logic: atHand?.logic });
  }

  /** The chart of an actor under a definition. @param sourceOf the name of an actor's logic in its parent */
  of(definition: string, address: string, sourceOf: (address: string) => string | null): MachineChart | undefined {
    return this.#drawnAt(definition, address, sourceOf)?.chart;
  }

  #drawnAt(definition: string, address: string, sourceOf: (address: string) => string | null): Drawn | undefined {
    const parent = parentOf(address);
    if (parent === null) return this.#byHash.get(definition);
    const src = sourceOf(address);
    const around = src === null ? undefined : this.#drawnAt(definition, parent, sourceOf);
    if (src === null || !around) return undefined;
    const logic = around.logic && machineOf(resolveSource(around.logic, src));
    return { chart: around.chart?.actors[src] ?? (logic && this.#drawn(logic)), logic };
  }

  async #kept(definition: string): Promise<MachineChart | undefined> {
    try {
      const text = await this.#definitions?.load(definition);
      return text === undefined ? undefined : keptChart(text);
    } catch {
      // CS1.
      return undefined;
    }
  }

  #atHand(definition: string, machine: string, version: string | null): RegisteredMachine | undefined {
    if (!this.#machines?.names.includes(machine)) return undefined;
    return this.#machines.find({ machine, version, definition }) ?? this.#machines.forActor(machine, version, machine);
  }

  #drawn(logic: AnyStateMachine): MachineChart | undefined {
    let chart = this.#byLogic.get(logic);
    if (chart) return chart;
    try {
      chart = chartOf(logic);
    } catch {
      // CS1.
      return undefined;
    }
    this.#byLogic.set(logic, chart);
    return chart;
  }
}

function machineOf(logic: AnyActorLogic | undefined): AnyStateMachine | undefined {
  return logic && isMachine(logic) ? logic : undefined;
}
