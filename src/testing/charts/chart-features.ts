/**
 * Which features a chart makes use of. Owns the reading of charts; whether a run reaches them is another matter.
 */
import {
  nodesOf,
  type Action,
  type Chart,
  type ChartFeature,
  type ChildLogic,
  type Guard,
  type Invoke,
} from './chart.ts';
import type { Machine, Node, Spawn, Transition } from './chart.ts';

/** Every feature that occurs anywhere in the chart. */
export function featuresOf(chart: Chart): ReadonlySet<ChartFeature> {
  const found = new Set<ChartFeature>();
  readMachine(chart, 0, (feature) => found.add(feature));
  return found;
}

type Found = (feature: ChartFeature) => void;

function readMachine(machine: Machine, level: number, found: Found): void {
  const nodes = nodesOf(machine.root);
  nodes.forEach((node) => readNode(node, level, found));
  machine.spawns.forEach((spawn) => readSpawn(spawn, found));
  const sites = [...machine.spawns, ...nodes.flatMap((node) => node.invoke ?? [])];
  sites.forEach(({ logic, systemId }) => {
    if (systemId !== undefined) found('systemId');
    readLogic(logic, level, found);
  });
  if (depthOf(machine.root) > 1) found('nested');
  if (depthOf(machine.root) > 2) found('deeplyNested');
}

function depthOf(node: Node): number {
  return node.states ? 1 + Math.max(...node.states.map(depthOf)) : 0;
}

function readLogic(logic: ChildLogic, level: number, found: Found): void {
  if (logic.kind === 'machine') {
    found(level === 0 ? 'machineChild' : 'machineGrandchild');
    return readMachine(logic.machine, level + 1, found);
  }
  found(logic.kind);
  if (logic.kind === 'callback' && logic.answers) found('callbackAnswers');
}

function readSpawn(spawn: Spawn, found: Found): void {
  found(spawn.how === 'factory' ? 'spawnFactory' : spawn.how === 'assign' ? 'spawnAssign' : 'spawnChild');
  if (spawn.syncSnapshot) found('syncSnapshot');
  if (spawn.again) found('respawn');
  if (spawn.anonymous) found('anonymousSpawn');
}

function readNode(node: Node, level: number, found: Found): void {
  const { type } = node;
  if (type === 'parallel' || type === 'final') found(type);
  if (type === 'shallowHistory' || type === 'deepHistory') {
    found(type);
    if (node.initial !== undefined) found('historyDefault');
  }
  if (node.output) found('finalOutput');
  if (node.onDone) found('onDone');
  if (node.always) found('always');
  if (node.initialActions) found('initialActions');
  for (const { delay } of node.after ?? []) {
    found('after');
    if (delay === 0) found('afterZero');
    if (typeof delay === 'string') found('namedDelay');
  }
  for (const { event } of node.on ?? []) {
    if (event === '*') found('wildcard');
    else if (event.endsWith('.*')) found('partialWildcard');
  }
  for (const transition of transitionsOf(node)) readTransition(transition, level, found);
  for (const action of [...(node.entry ?? []), ...(node.exit ?? [])]) readAction(action, level, found);
  node.invoke?.forEach((invoke) => readInvoke(invoke, found));
}

/** All transitions that leave a node, those of its invokes included. */
function transitionsOf(node: Node): Transition[] {
  const invoked = (node.invoke ?? []).flatMap(({ onDone, onError, onSnapshot }) => [onDone, onError, onSnapshot]);
  return [
    ...(node.on ?? []).flatMap(({ transitions }) => transitions),
    ...(node.after ?? []).flatMap(({ transitions }) => transitions),
    ...(node.always ?? []),
    ...(node.onDone ?? []),
    ...invoked.filter((transition) => transition !== undefined),
  ];
}

function readInvoke(invoke: Invoke, found: Found): void {
  found('invoke');
  found(invoke.onError ? 'onError' : 'withoutOnError');
  if (invoke.onSnapshot) found('onSnapshot');
}

function readTransition(transition: Transition, level: number, found: Found): void {
  if (transition.reenter) found('reenter');
  if ((transition.to?.length ?? 0) > 1) found('multiTarget');
  if (transition.guard) readGuard(transition.guard, found);
  transition.actions?.forEach((action) => readAction(action, level, found));
}

function readGuard(guard: Guard, found: Found): void {
  switch (guard.is) {
    case 'in':
      return found('stateIn');
    case 'evenTime':
      return found('timeGuard');
    case 'not':
      found('guardNot');
      return readGuard(guard.of, found);
    case 'and':
    case 'or':
      found(guard.is === 'and' ? 'guardAnd' : 'guardOr');
      return guard.of.forEach((part) => readGuard(part, found));
    case 'over':
    case 'evenPayload':
      return;
  }
}

function readAction(action: Action, level: number, found: Found): void {
  switch (action.do) {
    case 'emit':
    case 'cancel':
    case 'custom':
      return found(action.do);
    case 'raise':
      found(action.delay === undefined ? 'raise' : 'delayedRaise');
      if (action.delay !== undefined && action.id === undefined) found('delayWithoutId');
      return;
    case 'send':
      return readSend(action, found);
    case 'forward':
      return found('parent' in action.to ? 'forwardUp' : 'forwardDown');
    case 'stop':
      return found('stopChild');
    case 'choose':
      found('enqueueActions');
      readGuard(action.guard, found);
      return [...action.then, ...action.otherwise].forEach((nested) => readAction(nested, level, found));
    case 'throw':
      found('throw');
      if (level > 0) found('nestedThrow');
      return readGuard(action.guard, found);
    case 'note':
    case 'bump':
    case 'take':
    case 'spawn':
      return;
  }
}

function readSend({ to, delay, id }: Extract<Action, { do: 'send' }>, found: Found): void {
  if (delay !== undefined) {
    found('delayedSend');
    if (id === undefined) found('delayWithoutId');
  }
  if ('parent' in to) found('sendParent');
  else if ('system' in to) found('sendSystem');
  else if ('unsure' in to) found('sendUnsure');
  else found('sendChild');
}
