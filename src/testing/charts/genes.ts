/**
 * What charts are grown from: numbers and arrays that fast-check generates and shrinks. Owns how many there are of what;
 * what they mean is decided in decode-chart.ts.
 *
 * A1  Every gene decodes to a valid chart, so every shrunk chart is valid.
 * A2  Zero and the empty array decode to the simplest choice, so shrinking simplifies.
 */
import fc from 'fast-check';

export interface ActionGene {
  readonly kind: number;
  readonly pick: number;
  readonly extra: number;
  readonly nested: readonly ActionGene[];
}

export interface TransitionGene {
  readonly event: number;
  readonly target: number;
  readonly mode: number;
  readonly guard: number;
  readonly actions: readonly ActionGene[];
}

export interface SiteGene {
  readonly kind: number;
  readonly flags: number;
  readonly how: number;
  readonly onDone: TransitionGene;
  readonly onError: TransitionGene;
  readonly onSnapshot: TransitionGene;
  readonly machine: MachineGene | undefined;
}

export interface NodeGene {
  readonly shape: number;
  readonly children: readonly NodeGene[];
  readonly initial: number;
  readonly history: number;
  readonly final: number;
  readonly on: readonly TransitionGene[];
  readonly always: readonly TransitionGene[];
  readonly after: readonly TransitionGene[];
  readonly onDone: readonly TransitionGene[];
  readonly entry: readonly ActionGene[];
  readonly exit: readonly ActionGene[];
  readonly invoke: readonly SiteGene[];
}

export interface MachineGene {
  readonly root: NodeGene;
  readonly spawns: readonly SiteGene[];
  readonly output: number;
}

const number = fc.nat(9_999);
/** Arrays of 0 to n elements with equal probability, whatever fast-check's size is. */
const upTo = <T>(n: number, of: fc.Arbitrary<T>) => fc.array(of, { maxLength: n, size: 'max' });
/** Arrays of 1 to n elements with probability 1 / `odds`, else empty. */
const seldom = <T>(odds: number, n: number, of: fc.Arbitrary<T>) =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: odds - 1, arbitrary: fc.constant<T[]>([]) },
    { weight: 1, arbitrary: fc.array(of, { minLength: 1, maxLength: n, size: 'max' }) },
  );

function action(depth: number): fc.Arbitrary<ActionGene> {
  return fc.record({
    kind: number,
    pick: number,
    extra: number,
    nested: depth > 0 ? seldom(4, 3, action(depth - 1)) : fc.constant([]),
  });
}

const actions = (n: number) => upTo(n, action(1));

const transition: fc.Arbitrary<TransitionGene> = fc.record({
  event: number,
  target: number,
  mode: number,
  guard: number,
  actions: actions(2),
});

const noMachine = fc.constant<MachineGene | undefined>(undefined);

function site(machineDepth: number): fc.Arbitrary<SiteGene> {
  return fc.record({
    kind: number,
    flags: number,
    how: number,
    onDone: transition,
    onError: transition,
    onSnapshot: transition,
    machine:
      machineDepth > 0
        ? fc.oneof(
            { withCrossShrink: true },
            { weight: 2, arbitrary: noMachine },
            { weight: 1, arbitrary: machine(machineDepth - 1) },
          )
        : noMachine,
  });
}

function node(depth: number, machineDepth: number, breadth: number): fc.Arbitrary<NodeGene> {
  return fc.record({
    shape: number,
    children: depth > 0 ? upTo(breadth, node(depth - 1, machineDepth, breadth)) : fc.constant([]),
    initial: number,
    history: number,
    final: number,
    on: upTo(3, transition),
    always: seldom(4, 1, transition),
    after: seldom(3, 2, transition),
    onDone: upTo(1, transition),
    entry: actions(2),
    exit: seldom(3, 1, action(1)),
    invoke: seldom(machineDepth === 2 ? 3 : 4, 1, site(machineDepth)),
  });
}

function machine(machineDepth: number): fc.Arbitrary<MachineGene> {
  const depth = machineDepth === 2 ? 2 : 1;
  return fc
    .tuple(
      node(0, machineDepth, 0),
      fc.array(transition, { minLength: 1, maxLength: 5, size: 'max' }),
      fc.array(node(depth, machineDepth, 2), { minLength: 1, maxLength: 3, size: 'max' }),
      machineDepth === 2 ? upTo(2, site(machineDepth)) : seldom(3, 1, site(machineDepth)),
      number,
    )
    .map(([root, on, children, spawns, output]) => ({ root: { ...root, on, children }, spawns, output }));
}

/** Genes of a root machine, of the machines below it, and of those below them. */
export const genes: fc.Arbitrary<MachineGene> = fc.noBias(machine(2));
