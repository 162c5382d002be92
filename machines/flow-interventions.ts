/**
 * Questions of a flow to people: how an answer finds the one it is for. Owns the names under which open questions are known
 * in the whole tree, sub-flows included; waiting for the answer is approval.ts.
 *
 * IV1  An answer without a subject is for the only question that is open; with one, for that of this name: of the step, the
 *      phase or the flow, or in a sub-flow also by the steps on the way there, `pay/charge`.
 * IV2  What is for none, or could be for several, changes nothing and is told.
 */
import type { AnyActorRef, AnyEventObject } from 'xstate';
import type { InterventionAnswerRefused } from './flow-facts.ts';

interface Addressed {
  readonly id: string;
  readonly _parent?: Addressed | undefined;
}

interface Tree {
  getAll(): Readonly<Record<string, AnyActorRef | undefined>>;
}

const prefix = 'intervention of ';

/** Names a question in the tree: the flows and steps around it, without the machines of their policies, and its subject. */
export function interventionId(flow: Addressed, subject: string): string {
  return prefix + [...wayTo(flow), subject].join('/');
}

/** What a policy calls, and what XState has found a name for. */
const unnamed = /^(?:call$|\d+\.)/;

function wayTo(flow: Addressed): string[] {
  const way: string[] = [];
  for (let each: Addressed = flow; each._parent; each = each._parent) if (!unnamed.test(each.id)) way.unshift(each.id);
  return way;
}

/** What an answer is for. */
export type Addressee = { readonly to: AnyActorRef } | Pick<InterventionAnswerRefused, 'subject' | 'problem' | 'open'>;

/** Which question of this flow, or of one inside it, an answer is for. */
export function addresseeOf(flow: Addressed, tree: Tree, event: AnyEventObject): Addressee {
  const around = interventionId(flow, '');
  const open = Object.entries(tree.getAll()).flatMap(([id, ref]) => {
    const isOpen =
      id.startsWith(around) && (ref?.getSnapshot() as { status?: string } | undefined)?.status === 'active';
    return isOpen ? [{ way: id.slice(around.length), ref: ref! }] : [];
  });
  const subject = typeof event.subject === 'string' ? event.subject : null;
  const meant = open.filter(({ way }) => subject === null || way === subject || way.endsWith(`/${subject}`));
  const exact = meant.find(({ way }) => way === subject);
  if (exact ?? (meant.length === 1 ? meant[0] : undefined)) return { to: (exact ?? meant[0]!).ref };
  const problem = open.length === 0 ? 'nothingOpen' : meant.length === 0 ? 'unknownSubject' : 'ambiguous';
  return { subject, problem, open: open.map(({ way }) => way).sort() };
}
