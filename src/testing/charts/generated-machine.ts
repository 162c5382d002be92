/**
 * Machines that nobody wrote: an arbitrary of statecharts. Owns what a test gets of one; the chart is grown in genes.ts and
 * decode-chart.ts, and compiled in build-machine.ts.
 *
 * GM1  A machine is its chart, which is plain data: it prints as source that can be pasted into a test, and two machines of
 *      one chart are alike.
 * GM2  Each build is a machine of its own, so that two hosts share nothing.
 */
import fc from 'fast-check';
import type { AnyStateMachine } from 'xstate';
import { InvalidArgumentError } from '../../errors.ts';
import { now } from '../../kernel/determinism.ts';
import { checkNames } from '../../runtime/runtime-options.ts';
import { buildMachine } from './build-machine.ts';
import type { MachineWorld } from './build-actions.ts';
import { featuresOf } from './chart-features.ts';
import { chartFeatures, racingFeatures, type Chart, type ChartFeature } from './chart.ts';
import { decodeChart } from './decode-chart.ts';
import { EffectDesk } from './effect-desk.ts';
import { genes } from './genes.ts';

/** A statechart as data, and the XState machine that it means. */
export class GeneratedMachine {
  readonly chart: Chart;

  /** @param chart as a failed property has printed it */
  constructor(chart: Chart) {
    this.chart = chart;
  }

  /** What its chart makes use of. */
  get features(): ReadonlySet<ChartFeature> {
    return featuresOf(this.chart);
  }

  /**
   * A new machine in a world of its own. It takes no input.
   * @param world time is rewake's {@link now}, and effects wait on a desk of their own, unless told
   */
  build(world: Partial<MachineWorld> = {}): AnyStateMachine {
    return buildMachine(this.chart, { now, effects: new EffectDesk(), ...world });
  }

  /** How fast-check prints it (GM1). */
  [fc.toStringMethod](): string {
    return `new GeneratedMachine(${JSON.stringify(this.chart)})`;
  }
}

/** Which machines are generated. */
export interface MachinesOptions {
  /** What they must not make use of; for example what your host cannot do. */
  readonly without?: readonly ChartFeature[];
  /**
   * Whether there may be callbacks that answer what they hear by themselves; false when omitted. In plain XState they race
   * timers of the same deadline, so that there a host may rightly show another order.
   */
  readonly racing?: boolean;
}

/**
 * An arbitrary of machines: nested, parallel and final states, history, invokes and spawns of every kind of logic up to two
 * machines deep, delays and ties between them, re-entry, messages up and down, errors thrown and handled. Every one comes to
 * rest after each event, and shrinks to a simpler one.
 * @throws InvalidArgumentError for a feature that there is not
 *
 * @example
 * fc.assert(
 *   fc.asyncProperty(machines(), scripts(), async (machine, script) => {
 *     expect(await playHosted(machine, script)).toEqual(await playPlain(machine, script));
 *   }),
 * );
 */
export function machines(options: MachinesOptions = {}): fc.Arbitrary<GeneratedMachine> {
  checkNames('machines()', options, ['without', 'racing']);
  const { without = [], racing = false } = options;
  for (const feature of without) {
    if (!chartFeatures.includes(feature))
      throw InvalidArgumentError.of('machines().without', `some of ${chartFeatures.join(', ')}`, feature);
  }
  const excluded = new Set([...without, ...(racing ? [] : racingFeatures)]);
  return genes.map((gene) => new GeneratedMachine(decodeChart(gene, excluded)));
}
