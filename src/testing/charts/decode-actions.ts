/**
 * Genes to actions and guards. Owns which actor an action may address from where it stands.
 *
 * D3  A send to an invoked child stands where that child is certain to exist: in entry and exit of the invoking node and
 *     its descendants, and in transitions that stay inside it, unless another region leaves it in the same step (one
 *     run of 250: XState throws then). `unsure` sends are the exception, on purpose.
 * D4  Only internal events are raised, sent and forwarded up; only events of the alphabet are forwarded down.
 */
import type { Action, ChartFeature, Delay, Guard, Node, Site, Spawn, Target } from './chart.ts';
import { externalEvents, internalEvents } from './chart.ts';
import { pick, weighted } from './gene-choice.ts';
import type { ActionGene, NodeGene, SiteGene } from './genes.ts';

/** What one decoding shares. */
export interface Frame {
  readonly without: ReadonlySet<ChartFeature>;
  readonly systemIds: string[];
  machines: number;
  sites: number;
}

/** A node of the machine being decoded. */
export interface Place {
  readonly id: string;
  readonly key: string;
  readonly type: Node['type'];
  readonly gene: NodeGene;
  readonly parent: Place | undefined;
  readonly children: Place[];
  readonly sites: readonly { readonly gene: SiteGene; readonly site: Site }[];
}

/** The machine being decoded. */
export interface Scope {
  readonly id: string;
  /** 0 for the root machine. */
  readonly level: number;
  readonly frame: Frame;
  readonly places: Place[];
  readonly spawns: Spawn[];
}

/** Where an action stands. */
export type Where =
  | { readonly during: 'entry' | 'exit' }
  | { readonly during: 'transition'; readonly targets: readonly Place[]; readonly trigger?: string };

export function decodeActions(genes: readonly ActionGene[], place: Place, scope: Scope, where: Where): Action[] {
  const invoked = certainInvokes(place, where);
  const context = { place, scope, invoked, trigger: where.during === 'transition' ? where.trigger : undefined };
  return genes.flatMap((gene) => decodeAction(gene, context));
}

/** Ids of the children that are invoked wherever these actions run. */
function certainInvokes(place: Place, where: Where): string[] {
  const ids: string[] = [];
  for (let at: Place | undefined = place; at; at = at.parent) {
    const stays = where.during !== 'transition' || staysInside(at, place, where.targets);
    if (stays) ids.push(...at.sites.map(({ site }) => site.id));
  }
  return ids;
}

function staysInside(invoking: Place, source: Place, targets: readonly Place[]): boolean {
  if (targets.length === 0) return true;
  return invoking !== source && targets.every((target) => isInside(target, invoking));
}

/** Whether a node lies below another one. */
export function isInside(place: Place, ancestor: Place): boolean {
  for (let at = place.parent; at; at = at.parent) if (at === ancestor) return true;
  return false;
}

interface ActionContext {
  readonly place: Place;
  readonly scope: Scope;
  readonly invoked: readonly string[];
  readonly trigger: string | undefined;
}

const kinds = [
  [12, 'note'],
  [10, 'bump'],
  [8, 'take'],
  [8, 'emit'],
  [10, 'raise'],
  [9, 'delayedRaise'],
  [8, 'delayedSend'],
  [14, 'send'],
  [8, 'forward'],
  [6, 'cancel'],
  [16, 'spawn'],
  [8, 'stop'],
  [8, 'choose'],
  [4, 'throw'],
  [3, 'custom'],
] as const;

function decodeAction(gene: ActionGene, context: ActionContext): Action[] {
  const { scope, place } = context;
  const { without } = scope.frame;
  const note: Action = { do: 'note', label: `${place.id}:${gene.pick % 10}` };
  const event = pick(internalEvents, gene.extra);
  const kind = weighted(kinds, gene.kind);
  switch (kind) {
    case 'note':
      return [note];
    case 'bump':
      return [{ do: 'bump', by: 1 + (gene.pick % 3) }];
    case 'take':
      return [{ do: 'take' }];
    case 'emit':
      return without.has('emit') ? [note] : [{ do: 'emit', fact: pick(['Counted', 'Noticed'], gene.pick) }];
    case 'raise':
      return without.has('raise') ? [note] : [{ do: 'raise', event }];
    case 'delayedRaise':
    case 'delayedSend':
      return without.has(kind) ? [note] : decodeDelayed(kind, gene, event, context);
    case 'send':
      return decodeSend(gene, event, context);
    case 'forward':
      return decodeForward(gene, context) ?? decodeSend(gene, event, context);
    case 'cancel':
      return without.has('cancel') ? [note] : [{ do: 'cancel', id: pick(timerIds, gene.pick) }];
    case 'spawn':
    case 'stop':
      return decodeSpawnOrStop(kind, gene, scope) ?? [note];
    case 'choose':
      return without.has('enqueueActions') ? [note] : decodeChoose(gene, context);
    case 'throw':
      if (without.has('throw') || (scope.level > 0 && without.has('nestedThrow'))) return [note];
      return [{ do: 'throw', guard: rareGuard(gene.extra, without) }];
    case 'custom':
      return without.has('custom') ? [note] : [{ do: 'custom', label: note.label }];
  }
}

/** Rare enough that most runs outlive it, and never true of a context that has just been made. */
function rareGuard(gene: number, without: ReadonlySet<ChartFeature>): Guard {
  const over: Guard = { is: 'over', k: 1 };
  return gene % 2 === 0 || without.has('guardAnd') ? over : { is: 'and', of: [over, { is: 'evenPayload' }] };
}

const timerIds = ['t0', 't1'];

/** Unless reuse is wanted, a timer id is freed before it is armed: XState lets two run under one id. */
function decodeDelayed(kind: string, gene: ActionGene, event: string, context: ActionContext): Action[] {
  const { without } = context.scope.frame;
  const delay: Delay = pick([10, 5, 20, 10, 0, 15, 'short'] as const, gene.pick >> 2);
  const named = without.has('delayWithoutId') || gene.pick % 3 !== 2;
  const id = pick(timerIds, gene.pick);
  const targets = kind === 'delayedSend' ? sendTargets(context) : [];
  const timed = { event, delay, ...(named && { id }) };
  const action: Action =
    targets.length > 0 ? { do: 'send', to: pick(targets, gene.extra >> 2), ...timed } : { do: 'raise', ...timed };
  const reuse = gene.extra % 7 === 6 && !without.has('timerIdReuse');
  return named && !reuse ? [{ do: 'cancel', id }, action] : [action];
}

function decodeSend(gene: ActionGene, event: string, context: ActionContext): Action[] {
  const targets = sendTargets(context);
  const unsure = gene.pick % 61 === 60 && !context.scope.frame.without.has('sendUnsure');
  const sites = context.scope.places.flatMap((place) => place.sites);
  if (unsure && sites.length > 0) return [{ do: 'send', to: { unsure: pick(sites, gene.extra).site.id }, event }];
  if (targets.length === 0) return [{ do: 'bump', by: 1 }];
  return [{ do: 'send', to: pick(targets, gene.pick), event }];
}

function childTargets({ scope, invoked }: ActionContext): Target[] {
  const spawned = scope.spawns.map((spawn): Target =>
    spawn.how === 'spawnChild' ? { child: spawn.id } : { ref: spawn.id },
  );
  return scope.frame.without.has('sendChild') ? [] : [...invoked.map((id) => ({ invoked: id })), ...spawned];
}

function sendTargets(context: ActionContext): Target[] {
  const { level, frame } = context.scope;
  const targets = childTargets(context);
  if (level > 0 && !frame.without.has('sendParent')) targets.push({ parent: true }, { parent: true });
  if (!frame.without.has('sendSystem')) targets.push(...frame.systemIds.map((system) => ({ system })));
  return targets;
}

function decodeForward(gene: ActionGene, context: ActionContext): Action[] | undefined {
  const { trigger, scope } = context;
  const { without } = scope.frame;
  const alphabet: readonly string[] = [...externalEvents, ...internalEvents];
  if (trigger === undefined || !(alphabet.includes(trigger) || trigger === 'a.*' || trigger === 'b.*'))
    return undefined;
  const up = scope.level > 0 && trigger.includes('.') && !without.has('forwardUp');
  if (up && gene.extra % 2 === 1) return [{ do: 'forward', to: { parent: true } }];
  const targets = without.has('forwardDown') ? [] : childTargets(context);
  return targets.length > 0 ? [{ do: 'forward', to: pick(targets, gene.pick) }] : undefined;
}

function decodeSpawnOrStop(kind: 'spawn' | 'stop', gene: ActionGene, scope: Scope): Action[] | undefined {
  const { without } = scope.frame;
  const sites = scope.spawns.filter(({ how }) => kind === 'stop' || how !== 'factory');
  if (sites.length === 0) return undefined;
  const site = pick(sites, gene.pick);
  const excluded = kind === 'stop' ? 'stopChild' : site.how === 'assign' ? 'spawnAssign' : 'spawnChild';
  return without.has(excluded) ? undefined : [{ do: kind, site: site.id }];
}

function decodeChoose(gene: ActionGene, context: ActionContext): Action[] {
  const decoded = gene.nested.map((nested) => decodeAction(nested, context));
  const then = decoded.filter((_, i) => i % 2 === 0).flat();
  const otherwise = decoded.filter((_, i) => i % 2 === 1).flat();
  return [{ do: 'choose', guard: decodeGuard(gene.extra, context.scope, false), then, otherwise }];
}

// ── guards ───────────────────────────────────────────────────────────────────────────────────────

const guardKinds = [
  [6, 'over'],
  [3, 'evenPayload'],
  [2, 'guardNot'],
  [2, 'guardAnd'],
  [2, 'guardOr'],
  [2, 'stateIn'],
  [2, 'timeGuard'],
] as const;

/** A guard; with `maybe`, none for two genes of three. */
export function decodeGuard(gene: number, scope: Scope, maybe: true): Guard | undefined;
export function decodeGuard(gene: number, scope: Scope, maybe: false): Guard;
export function decodeGuard(gene: number, scope: Scope, maybe: boolean): Guard | undefined {
  if (maybe && gene % 3 !== 1) return undefined;
  const rest = Math.floor(gene / 3);
  const kind = weighted(guardKinds, rest);
  const { without } = scope.frame;
  const over: Guard = { is: 'over', k: rest % 3 };
  if (kind !== 'evenPayload' && kind !== 'over' && without.has(kind)) return over;
  const stateIn: Guard = without.has('stateIn') ? over : { is: 'in', node: pick(scope.places, rest).id };
  const evenTime: Guard = without.has('timeGuard') ? over : { is: 'evenTime' };
  switch (kind) {
    case 'over':
      return over;
    case 'evenPayload':
      return { is: 'evenPayload' };
    case 'guardNot':
      return { is: 'not', of: rest % 4 === 0 ? stateIn : over };
    case 'guardAnd':
      return { is: 'and', of: [{ is: 'over', k: 0 }, rest % 4 === 0 ? stateIn : { is: 'evenPayload' }] };
    case 'guardOr':
      return { is: 'or', of: [{ is: 'evenPayload' }, rest % 4 === 0 ? evenTime : over] };
    case 'stateIn':
      return stateIn;
    case 'timeGuard':
      return evenTime;
  }
}
