/**
 * What runs really reach. Owns the counters, read from XState's own inspection events; a feature that only stands in a
 * chart proves nothing.
 */
import type { AnyActorRef, AnyTransitionDefinition, InspectionEvent } from 'xstate';
import { nodesOf, type Chart, type ChartFeature, type Machine, type Site } from '../../src/testing/charts/chart.ts';
import type { Spawn } from '../../src/testing/charts/chart.ts';
import type { Trace } from '../../src/testing/charts/trace.ts';

/** What one run reached. */
export class ChartCoverage {
  readonly reached = new Set<ChartFeature>();
  /** Transitions taken by all machines of the tree. */
  transitions = 0;
  /** Actors that came to life, the root included. */
  actors = 0;
  readonly #sites: ReadonlyMap<string, { readonly site: Site; readonly level: number }>;

  constructor(chart: Chart) {
    this.#sites = new Map(sitesOf(chart, 0).map((entry) => [entry.site.id, entry]));
  }

  /** Give it to the host as its inspector. */
  readonly inspect = (event: InspectionEvent): void => {
    if (event.type === '@xstate.actor') this.#actor(event.actorRef as AnyActorRef);
    if (event.type === '@xstate.action') this.#action(event.action, event.actorRef as AnyActorRef);
    if (event.type === '@xstate.microstep') {
      this.transitions += event._transitions.length;
      event._transitions.forEach((transition) => this.#transition(transition));
      if (event.event.type.startsWith('xstate.error.actor.') && event._transitions.length === 0)
        this.reached.add('withoutOnError');
    }
  };

  /** Reads from a trace what inspection does not show. */
  read(trace: Trace): void {
    for (const { timers, customs, tree } of trace) {
      if (new Set(timers.map(({ dueAt }) => dueAt)).size < timers.length) this.reached.add('equalDelays');
      const ids = timers.flatMap(({ source, id }) => (id?.startsWith('t') ? [`${source} ${id}`] : []));
      if (new Set(ids).size < ids.length) this.reached.add('timerIdReuse');
      if (Object.keys(customs).length > 0) this.reached.add('custom');
      if (JSON.stringify(tree).includes('planned failure in m0')) this.reached.add('throw');
      if (/planned failure in m[1-9]/.test(JSON.stringify(tree))) this.reached.add('nestedThrow');
      if (JSON.stringify(tree).includes('Unable to send event')) this.reached.add('sendUnsure');
    }
  }

  #actor(actor: AnyActorRef): void {
    this.actors++;
    const found = typeof actor.src === 'string' ? this.#sites.get(actor.src) : undefined;
    if (!found) return;
    const { site, level } = found;
    const { kind } = site.logic;
    this.reached.add(kind === 'machine' ? (level === 0 ? 'machineChild' : 'machineGrandchild') : kind);
    if (site.logic.kind === 'callback' && site.logic.answers) this.reached.add('callbackAnswers');
    if (site.systemId !== undefined) this.reached.add('systemId');
    if (!('how' in site)) return void this.reached.add('invoke');
    const { how, syncSnapshot, anonymous } = site as Spawn;
    this.reached.add(how === 'assign' ? 'spawnAssign' : how === 'factory' ? 'spawnFactory' : 'spawnChild');
    if (isRespawn(actor)) this.reached.add('respawn');
    if (syncSnapshot) this.reached.add('syncSnapshot');
    if (anonymous) this.reached.add('anonymousSpawn');
  }

  #action({ type, params }: { type: string; params: unknown }, self: AnyActorRef): void {
    const { delay, to, id } = (params ?? {}) as { delay?: number; to?: unknown; id?: string };
    const delayed = typeof delay === 'number';
    if (type === 'xstate.raise' && !id?.startsWith('xstate.after'))
      this.reached.add(delayed ? 'delayedRaise' : 'raise');
    if (delayed && id === undefined) this.reached.add('delayWithoutId');
    if (type === 'xstate.cancel') this.reached.add('cancel');
    if (type === 'xstate.emit') this.reached.add('emit');
    if (type === 'xstate.stopChild' && params) this.reached.add('stopChild');
    if (type !== 'xstate.sendTo') return;
    if (delayed) this.reached.add('delayedSend');
    else if (to === self._parent) this.reached.add('sendParent');
    else if ((to as AnyActorRef | undefined)?._parent === self) this.reached.add('sendChild');
    else if (to !== self) this.reached.add('sendSystem');
  }

  #transition({ eventType, target, reenter, source }: AnyTransitionDefinition): void {
    if (eventType === '') this.reached.add('always');
    if (eventType === '*') this.reached.add('wildcard');
    else if (eventType?.endsWith('.*')) this.reached.add('partialWildcard');
    if (eventType?.startsWith('xstate.after.')) this.reached.add('after');
    if (eventType?.startsWith('xstate.after.0.')) this.reached.add('afterZero');
    if (/^xstate\.after\.(short|long)\./.test(eventType ?? '')) this.reached.add('namedDelay');
    if (eventType?.startsWith('xstate.done.state.')) this.reached.add('onDone');
    if (eventType?.startsWith('xstate.snapshot.')) this.reached.add('onSnapshot');
    if (eventType?.startsWith('xstate.error.actor.')) this.reached.add('onError');
    if (reenter && source.parent) this.reached.add('reenter');
    if ((target?.length ?? 0) > 1) this.reached.add('multiTarget');
    for (const node of target ?? []) {
      if (node.history === 'deep') this.reached.add('deepHistory');
      if (node.history === 'shallow') this.reached.add('shallowHistory');
      if (node.type === 'final') this.reached.add('final');
      if (node.type === 'parallel' || node.parent?.type === 'parallel') this.reached.add('parallel');
    }
  }
}

/** Whether the parent still has a child under this id; before its first state a machine has none. */
function isRespawn({ id, _parent }: AnyActorRef): boolean {
  try {
    const parent = _parent?.getSnapshot() as { children?: Record<string, unknown> } | undefined;
    return parent?.children?.[id] !== undefined;
  } catch {
    return false;
  }
}

function sitesOf(machine: Machine, level: number): { site: Site; level: number }[] {
  const sites: Site[] = [...machine.spawns, ...nodesOf(machine.root).flatMap((node) => node.invoke ?? [])];
  return sites.flatMap((site) => [
    { site, level },
    ...(site.logic.kind === 'machine' ? sitesOf(site.logic.machine, level + 1) : []),
  ]);
}
