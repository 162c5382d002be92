/**
 * What to do next about an actor. Owns the advice; it is given from the data alone, so that a program can give it too.
 *
 * XN1  What is to be called is written as code, with the very stream, address, revision or choice.
 * XN2  Where nothing has to be done, that is said.
 */
import { isTold } from './acceptance.ts';
import { list, quoted } from './words.ts';
import type { AwaitedPerson, Blockage, ExplanationData } from './explained.ts';

/** The next steps, the most pressing first. */
export function advise(data: ExplanationData): string[] {
  const { blocked, machines, effects } = data;
  if (blocked) return unblocking(data, blocked);
  const status = machines[0]?.status ?? 'active';
  if (status === 'error') return afterFailure(data);
  if (status !== 'active') return ['nothing: it has ended. To do it again, start another one under a new id.'];
  const steps = [
    ...data.people.map((person) => answering(data, person)),
    ...effects.filter(({ standing }) => standing === 'asked').map(({ actor }) => settling(data, actor)),
    ...breakers(data),
    ...hostingAdvice(data),
  ];
  if (steps.length > 0) return steps;
  if (data.retries.length + effects.length + data.timers.length > 0) return [waiting(data)];
  return [sending(data)];
}

function unblocking(
  { stream, machine, isHosted }: ExplanationData,
  { code, revision, foldsTo, isFoldable }: Blockage,
): string[] {
  if (code === 'REWAKE_ENVIRONMENT_MISMATCH')
    return [`run it under the environment that was recorded, or accept this one: runtime.resume(${quoted(stream)}).`];
  if (isFoldable)
    return ['call runtime.resume(): what blocked it is gone, or has to be corrected first as the reason says.'];
  const retry = 'then call runtime.resume()';
  const repair = `repairLog(log, { quarantine: true, stream: ${quoted(stream)} })`;
  const rewind =
    foldsTo === null
      ? []
      : [
          `or go on from before that: runtime.rewind(${quoted(stream)}, { to: ${foldsTo} }); what came later stays on record.`,
        ];
  switch (code) {
    case 'REWAKE_UNKNOWN_MACHINE':
      return [
        `register the machine ${machine}, in createRuntime({ machines }) or by runtime.register({ ${machine} }), ${retry}.`,
      ];
    case 'REWAKE_MISSING_IMPLEMENTATION':
      return [`give ${machine} what the message names, by setup() or provide(), ${retry}.`, ...rewind];
    case 'REWAKE_UNKNOWN_STATE':
      return [
        `register the version of ${machine} that has the state which the message names, beside the present one, or migrate the actor; ${retry}.`,
        ...rewind,
      ];
    case 'REWAKE_REPLAY_DIVERGED':
      return [
        `register the version of ${machine} that the history was written with, beside the present one, or make the machine agree with the history again; ${retry}.`,
        ...rewind,
      ];
    case 'REWAKE_DAMAGED_RECORD':
      return [
        isHosted
          ? `restore the record at revision ${revision} from a backup, ${retry}; or close this runtime, move the damaged end aside with ${repair}, and open it again.`
          : `restore the record at revision ${revision} from a backup, or move the damaged end aside with ${repair}; ${retry}.`,
      ];
    case 'REWAKE_NEWER_VERSION':
    case 'REWAKE_UNKNOWN_FEATURE':
      return [
        'run the version of rewake that wrote it, or a newer one, on this log: the message says what this one does not know.',
      ];
    case 'REWAKE_UPCAST':
      return [`add or correct the upcaster that the message names, ${retry}.`];
    default:
      return [`correct what the message says, ${retry}.`, ...rewind];
  }
}

function afterFailure({ stream, machines, isResumable }: ExplanationData): string[] {
  const since = machines[0]?.since;
  const resume = `runtime.resume(${quoted(stream)})`;
  const steps: string[] = [];
  if (isResumable) steps.push(`once the cause is gone, call ${resume}: its machine goes on where it failed.`);
  if (isResumable === null) {
    steps.push(
      `once the cause is gone, try ${resume}: it goes on where it failed, if its machine takes 'rewake.resume' there.`,
    );
  }
  if (since && since.revision > 0) {
    const rewind = `runtime.rewind(${quoted(stream)}, { to: ${since.revision - 1} }) gives the state before it failed; effects that ran then count as lost, as after a crash`;
    steps.push(
      isResumable === false
        ? `its machine does not take 'rewake.resume', so go back: ${rewind}.`
        : `or go back: ${rewind}.`,
    );
  }
  return steps.length > 0
    ? steps
    : ['nothing brings it back: start another one under a new id, once the cause is gone.'];
}

function answering({ stream, machines, people }: ExplanationData, person: AwaitedPerson): string {
  const isFlow = person.kind === 'intervention' && machines[0]?.accepts?.some(({ event }) => event === 'approval.*');
  const passed = person.actor === '/' || isFlow ? '' : `; its machine has to pass it on to ${person.actor}`;
  if (person.choices.length > 0) {
    const choice = person.choices[0]!;
    const isOneOfSeveral = person.kind === 'intervention' && people.length > 1;
    const subject = isOneOfSeveral ? `, subject: ${quoted(wayTo(person.actor, person.subject))}` : '';
    return `let somebody choose: runtime.send(${quoted(stream)}, { type: 'approval.chosen', by: 'their name', choice: ${quoted(choice)}${subject} })${passed}.`;
  }
  return `let somebody answer: runtime.send(${quoted(stream)}, { type: 'approval.granted', by: 'their name' }), or 'approval.rejected'${passed}.`;
}

/** By which name the answer to a question of a flow finds it: the steps around it, without the machines of their policies. */
function wayTo(actor: string, subject: string): string {
  const ids = actor.split('/').map((segment) => segment.replace(/:\d+$/, ''));
  return [...ids.filter((id) => id !== '' && !/^(?:call$|\d+\.)/.test(id)), subject].join('/');
}

function settling({ stream }: ExplanationData, effect: string): string {
  return `find out whether ${effect} did its work, and say so: (await runtime.get(${quoted(stream)})).settle(${quoted(effect)}, { output }), { error } or 'rerun'.`;
}

function breakers({ breakers: refusing }: ExplanationData): string[] {
  return refusing.flatMap(({ key, now }) => {
    const state = now && (typeof now.value === 'string' ? now.value : Object.keys(now.value)[0]);
    if (!now || state === 'closed') return [];
    if (state === 'isolated') {
      return now.holds.map(
        (hold) =>
          `release the breaker: runtime.send(${quoted(now.stream)}, { type: 'breaker.released', hold: ${quoted(hold)} }).`,
      );
    }
    return [
      `repair what is behind the breaker ${key}; it lets a call try by itself when its time is over. By hand: send 'breaker.disabled' and 'breaker.enabled' to ${quoted(now.stream)}.`,
    ];
  });
}

/** What only a host can do. */
function hostingAdvice({ isHosted, owner, effects, timers, at }: ExplanationData): string[] {
  const isLeft = effects.some(({ standing }) => standing === 'lost' || standing === 'interrupted');
  const isOverdue = timers.some(({ dueAt }) => dueAt <= at);
  if (!isLeft && !isOverdue) return [];
  if (isHosted && (!owner || owner.life === 'this'))
    return ['call runtime.resume(): it takes up effects that were left behind and timers that are overdue.'];
  if (owner && owner.life !== 'dead') return [`look at the host ${owner.owner}: it should have fired its timers.`];
  return [
    'start a host on this log, createRuntime({ log, machines }): it takes up effects that were left behind and timers that are overdue.',
  ];
}

function waiting({ stream, machines, effects, retries, timers, isHosted, owner }: ExplanationData): string {
  const waits: string[] = [];
  if (retries.length > 0) waits.push('the retry');
  if (effects.length > 0) waits.push('the effect (one that hangs wants a timeout in its machine)');
  if (waits.length === 0 && timers.length > 0) waits.push('the timer');
  const types = sendable(machines);
  const event = types.length > 0 ? `, or move it on by ${example(stream, types)}` : '';
  const first =
    isHosted || owner
      ? 'nothing has to be done: it goes on by itself.'
      : 'start a host on this log, createRuntime({ log, machines }); then it goes on by itself.';
  return `${first} Wait for ${list(waits)}${event}.`;
}

function sending({ stream, machines }: ExplanationData): string {
  const types = sendable(machines);
  if (types.length > 0) return `it waits for an event: send it ${example(stream, types)}.`;
  return machines[0]?.accepts
    ? 'nothing that is sent to it now moves it, and it waits for nothing: see which guard does not hold, stop it, or give its machine a way on.'
    : `send an event that its state takes; which ones, explainStream(log, ${quoted(stream)}, { machines }) says.`;
}

/** Types that the root takes, those that are sure to be taken first. */
function sendable([root]: ExplanationData['machines']): string[] {
  const open = (root?.accepts ?? []).filter((one) => isTold(one) && one.event !== '' && one.guard?.gives !== false);
  const sure = open.filter(({ guard }) => (guard?.gives ?? true) === true);
  return [...new Set([...sure, ...open].map(({ event }) => event))];
}

function example(stream: string, types: readonly string[]): string {
  return `${list(types, 'or')}, as in runtime.send(${quoted(stream)}, { type: ${quoted(types[0]!)} })`;
}
