/**
 * Genes to charts: machines, nodes and child sites. Owns names and targets; actions and guards are decoded in
 * decode-actions.ts.
 *
 * D1  Every gene decodes; a choice that a chart may not make becomes the nearest one it may.
 * D2  Targets name nodes of the same machine; a transition to several nodes names regions of one parallel node.
 */
import type { Chart, ChartFeature, ChildLogic, DelayedHandler, Handler, Invoke, Machine, Node } from './chart.ts';
import type { Delay, Site, Spawn, Transition } from './chart.ts';
import { externalEvents, internalEvents } from './chart.ts';
import { decodeActions, decodeGuard, isInside, type Frame, type Place, type Scope } from './decode-actions.ts';
import { optional, pick, weighted } from './gene-choice.ts';
import type { MachineGene, NodeGene, SiteGene, TransitionGene } from './genes.ts';

/** Decodes the genes of a root machine into a chart that uses none of the features in `without`. */
export function decodeChart(gene: MachineGene, without: ReadonlySet<ChartFeature>): Chart {
  const frame: Frame = { without, systemIds: [], machines: 0, sites: 0 };
  return decodeMachine(gene, frame, 0);
}

function decodeMachine(gene: MachineGene, frame: Frame, level: number): Machine {
  const scope: Scope = { id: `m${frame.machines++}`, level, frame, places: [], spawns: [] };
  scope.spawns.push(...gene.spawns.flatMap((site) => decodeSpawn(site, frame, level)));
  const root = placeNode(gene.root, scope, undefined, '', 0);
  const node = decodeNode(root, scope);
  const errors = gene.output % 4 === 3 ? [] : errorHandlers(scope);
  return {
    id: scope.id,
    root: { ...node, ...optional('on', [...(node.on ?? []), ...errors]) },
    spawns: scope.spawns,
    ...(gene.output % 2 === 1 && { output: true as const }),
  };
}

/** Without a handler, the error of a spawned child is the end of the machine. */
function errorHandlers({ spawns, frame }: Scope): Handler[] {
  const transitions: Transition[] = [{ actions: [{ do: 'take' }] }];
  if (spawns.length === 0) return [];
  if (!frame.without.has('partialWildcard')) return [{ event: 'xstate.error.actor.*', transitions }];
  return spawns.map(({ id }) => ({ event: `xstate.error.actor.${id}`, transitions }));
}

// ── child sites ──────────────────────────────────────────────────────────────────────────────────

function decodeSite(gene: SiteGene, frame: Frame, level: number): Site {
  const id = `c${frame.sites++}`;
  const named = level === 0 && gene.flags % 7 === 1 && !frame.without.has('systemId');
  if (named) frame.systemIds.push(`sys-${id}`);
  return { id, logic: decodeLogic(gene, frame, level), ...(named && { systemId: `sys-${id}` }) };
}

function decodeLogic(gene: SiteGene, frame: Frame, level: number): ChildLogic {
  if (gene.machine && !frame.without.has('machineChild') && !(level > 0 && frame.without.has('machineGrandchild')))
    return { kind: 'machine', machine: decodeMachine(gene.machine, frame, level + 1) };
  const kind = weighted(
    [
      [10, 'promise'],
      [4, 'callback'],
      [3, 'observable'],
      [2, 'eventObservable'],
      [4, 'counter'],
    ] as const,
    gene.kind,
  );
  if (frame.without.has(kind)) return { kind: 'promise' };
  if (kind !== 'callback') return { kind };
  return { kind, answers: gene.flags % 2 === 1 && !frame.without.has('callbackAnswers') };
}

function decodeSpawn(gene: SiteGene, frame: Frame, level: number): Spawn[] {
  const how = weighted(
    [
      [4, 'assign'],
      [4, 'spawnChild'],
      [2, 'factory'],
    ] as const,
    gene.how,
  );
  const feature = { assign: 'spawnAssign', factory: 'spawnFactory', spawnChild: 'spawnChild' } as const;
  if (frame.without.has(feature[how])) return [];
  const site = decodeSite(gene, frame, level);
  const anonymous = how === 'assign' && gene.flags % 12 === 7 && !frame.without.has('anonymousSpawn');
  const again = how !== 'factory' && !site.systemId && gene.flags % 8 === 3 && !frame.without.has('respawn');
  const sync = gene.flags % 3 === 1 && !frame.without.has('syncSnapshot');
  return [
    {
      ...site,
      how,
      ...(sync && { syncSnapshot: true as const }),
      ...(anonymous && { anonymous: true as const }),
      ...(again && { again: true as const }),
    },
  ];
}

function decodeInvoke(gene: SiteGene, site: Site, place: Place, scope: Scope): Invoke {
  const { without } = scope.frame;
  const onSnapshot = gene.flags % 4 === 1 && !without.has('onSnapshot');
  const onError = gene.flags % 9 !== 2 || without.has('withoutOnError');
  return {
    ...site,
    ...(gene.flags % 6 !== 5 && { onDone: decodeTransition(gene.onDone, place, scope) }),
    ...(onError && { onError: decodeTransition(gene.onError, place, scope) }),
    ...(onSnapshot && { onSnapshot: decodeTransition(gene.onSnapshot, place, scope) }),
  };
}

// ── nodes ────────────────────────────────────────────────────────────────────────────────────────

function placeNode(gene: NodeGene, scope: Scope, parent: Place | undefined, key: string, depth: number): Place {
  const { without } = scope.frame;
  const parallel = parent && gene.children.length > 1 && gene.shape % 2 === 1 && !without.has('parallel');
  const type = gene.children.length === 0 ? 'atomic' : parallel ? 'parallel' : 'compound';
  const id = parent ? `${parent.id}.${key}` : scope.id;
  const sites = gene.invoke.map((site) => ({ gene: site, site: decodeSite(site, scope.frame, scope.level) }));
  const place: Place = { id, key, type, gene, parent, children: [], sites };
  scope.places.push(place);
  gene.children.forEach((child, i) => place.children.push(placeNode(child, scope, place, `s${i}`, depth + 1)));
  if (type === 'atomic') return place;
  const finals = parent ? gene.final % 3 === 1 : scope.level === 0 ? gene.final % 4 === 1 : gene.final % 4 !== 0;
  if (type === 'compound' && finals && !without.has('final')) place.children.push(leaf('f', 'final', place, scope));
  const history = pick(['none', 'shallowHistory', 'deepHistory', 'none'] as const, gene.history);
  if (history !== 'none' && !without.has(history)) place.children.push(leaf('h', history, place, scope));
  return place;
}

function leaf(key: string, type: Node['type'], parent: Place, scope: Scope): Place {
  const place: Place = { id: `${parent.id}.${key}`, key, type, gene: parent.gene, parent, children: [], sites: [] };
  scope.places.push(place);
  return place;
}

const enterable = (place: Place) => place.type !== 'final' && !place.type.endsWith('History');

function decodeNode(place: Place, scope: Scope): Node {
  const { gene, key, type } = place;
  const { without } = scope.frame;
  if (type === 'final') {
    const output = gene.final % 2 === 1 && !without.has('finalOutput');
    return { key, type, ...(output && { output: true as const }) };
  }
  const real = place.parent?.children.filter(enterable) ?? [];
  if (type === 'shallowHistory' || type === 'deepHistory') {
    const target = gene.history % 8 > 3 && !without.has('historyDefault');
    return { key, type, ...(target && { initial: pick(real, gene.initial).key }) };
  }
  const always = without.has('always') ? [] : gene.always.map((t) => decodeAlways(t, place, scope));
  return {
    key,
    type,
    ...optional(
      'states',
      place.children.map((child) => decodeNode(child, scope)),
    ),
    ...(type === 'compound' && decodeInitial(place, scope)),
    ...optional('entry', decodeActions(gene.entry, place, scope, { during: 'entry' })),
    ...optional('exit', decodeActions(gene.exit, place, scope, { during: 'exit' })),
    ...optional('on', decodeHandlers(gene.on, place, scope)),
    ...optional('always', always),
    ...optional('after', without.has('after') ? [] : decodeDelayed(gene.after, place, scope)),
    ...optional(
      'invoke',
      place.sites.map((s) => decodeInvoke(s.gene, s.site, place, scope)),
    ),
    ...(canFinish(place) &&
      optional(
        'onDone',
        gene.onDone.map((t) => decodeTransition(t, place, scope)),
      )),
  };
}

/** Whether a done event can come from this node; the root's never does. */
function canFinish(place: Place): boolean {
  if (!place.parent) return false;
  if (place.type === 'compound') return place.children.some((child) => child.type === 'final');
  return place.type === 'parallel' && place.children.filter(enterable).every((child) => regionFinishes(child));
}

const regionFinishes = (region: Place) => region.children.some((child) => child.type === 'final');

function decodeInitial(place: Place, scope: Scope): Pick<Node, 'initial' | 'initialActions'> {
  const initial = pick(place.children.filter(enterable), place.gene.initial).key;
  const acts = place.gene.initial % 5 === 4 && !scope.frame.without.has('initialActions');
  return { initial, ...(acts && { initialActions: [{ do: 'note', label: `${place.id}:initial` }] }) };
}

// ── transitions ──────────────────────────────────────────────────────────────────────────────────

function decodeHandlers(genes: readonly TransitionGene[], place: Place, scope: Scope): Handler[] {
  const byEvent = new Map<string, Transition[]>();
  for (const gene of genes) {
    const event = decodeDescriptor(gene.event, scope);
    byEvent.set(event, [...(byEvent.get(event) ?? []), decodeTransition(gene, place, scope, event)]);
  }
  return [...byEvent].map(([event, transitions]) => ({ event, transitions }));
}

function decodeDescriptor(gene: number, scope: Scope): string {
  const { without } = scope.frame;
  const kind = weighted(
    [
      [12, 'external'],
      [12, 'internal'],
      [2, 'partialWildcard'],
      [2, 'wildcard'],
      [2, 'runtime'],
    ] as const,
    gene,
  );
  if (kind === 'internal') return pick(internalEvents, gene);
  if (kind === 'partialWildcard' && !without.has(kind)) return pick(['a.*', 'b.*'], gene);
  if (kind === 'wildcard' && !without.has(kind)) return '*';
  if (kind === 'runtime' && !without.has('partialWildcard'))
    return pick(['xstate.done.actor.*', 'xstate.snapshot.*', 'xstate.error.actor.*'], gene);
  return pick(externalEvents, gene);
}

function decodeDelayed(genes: readonly TransitionGene[], place: Place, scope: Scope): DelayedHandler[] {
  const byDelay = new Map<Delay, Transition[]>();
  for (const gene of genes) {
    const delay = decodeAfter(gene.event, scope.frame);
    byDelay.set(delay, [...(byDelay.get(delay) ?? []), decodeTransition(gene, place, scope)]);
  }
  return [...byDelay].map(([delay, transitions]) => ({ delay, transitions }));
}

function decodeAfter(gene: number, { without }: Frame): Delay {
  const delay = pick([10, 20, 10, 5, 20, 15, 30, 10, 'short', 'long', 0] as const, gene);
  if (delay === 0 && without.has('afterZero')) return 10;
  return typeof delay === 'string' && without.has('namedDelay') ? 20 : delay;
}

/** An always transition has a guard and changes what the guard reads, so that it rarely burns all the fuel. */
function decodeAlways(gene: TransitionGene, place: Place, scope: Scope): Transition {
  const { actions, ...transition } = decodeTransition(gene, place, scope);
  return {
    guard: { is: 'over', k: gene.event % 3 },
    ...transition,
    actions: [{ do: 'bump', by: 1 + (gene.mode % 3) }, ...(actions ?? [])],
  };
}

function decodeTransition(gene: TransitionGene, place: Place, scope: Scope, trigger?: string): Transition {
  const { without } = scope.frame;
  const targets = decodeTargets(gene, place, scope);
  const to = targets.map(({ id }) => id);
  const reenter = to.length > 0 && gene.mode % 10 === 8 && !without.has('reenter');
  const guard = decodeGuard(gene.guard, scope, true);
  const where = { during: 'transition', targets, ...(trigger !== undefined && { trigger }) } as const;
  return {
    ...optional('to', to),
    ...(reenter && { reenter: true as const }),
    ...(guard && { guard }),
    ...optional('actions', decodeActions(gene.actions, place, scope, where)),
  };
}

/**
 * A node never aims at a history that can lead back to itself: XState 5.33 then enters it again without leaving it, so
 * that its timers and children double with every round.
 */
function decodeTargets(gene: TransitionGene, place: Place, scope: Scope): Place[] {
  const mode = gene.mode % 10;
  if (mode < 3) return [];
  if (mode === 9 && !scope.frame.without.has('multiTarget')) {
    const parallels = scope.places.filter((p) => p.type === 'parallel' && p.children.filter(isRegion).length > 1);
    if (parallels.length > 0) {
      const regions = pick(parallels, gene.target).children.filter(isRegion).slice(0, 2);
      return regions.map((region, i) => pick(region.children.filter(enterable), gene.target >> i));
    }
  }
  const leadsBack = (p: Place) => p.type.endsWith('History') && p.parent !== place && isInside(place, p.parent!);
  const candidates = scope.places.filter((p) => p.parent && !leadsBack(p));
  const endings = candidates.filter((p) => p.type === 'final' && p.parent?.parent === undefined);
  return [pick([...candidates, ...candidates.filter((p) => !endings.includes(p))], gene.target)];
}

const isRegion = (place: Place) => place.type === 'compound';
