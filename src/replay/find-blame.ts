/**
 * Finds who set a value. Owns what counts as a change of a place; who caused it is causes.ts's.
 *
 * FB1  A change is another value at the place, also where the event replaced something around it.
 * FB2  That an actor is gone changes nothing: what it had last stays its value.
 */
import { isDeepStrictEqual } from 'node:util';
import { InvalidArgumentError } from '../errors.ts';
import { keysOf, valueAt } from '../kernel/json-patch.ts';
import type { Revision } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { isBeginning } from '../log/runtime-events.ts';
import type { Blame, BlameLink } from './blame.ts';
import { causesOf } from './causes.ts';
import type { Entry } from './entries.ts';
import type { Frame, FrameActor } from './frame.ts';
import { listOf } from './logged-values.ts';
import type { ReplayedLog } from './replay.ts';

export interface BlameQuestion {
  readonly stream: string;
  readonly path: string;
  readonly at: Revision;
  readonly actor: string;
}

type Scan = (wants: (entry: Entry) => boolean) => AsyncIterable<Frame>;

type Change = Blame['earlier'][number];

const places = ['context', 'state', 'status', 'output', 'error'] as const;

/** @param scan gives the frames up to the revision in question, as far as they are wanted */
export async function blameOf(question: BlameQuestion, log: ReplayedLog, scan: Scan): Promise<Blame> {
  const { path, actor: address } = question;
  requirePlace(path);
  const changes: Change[] = [];
  let value: Json | undefined;
  let newest: Frame | undefined;
  for await (const frame of scan((entry) => touches(entry, address))) {
    const actor = frame.actors.find((each) => each.address === address);
    if (!actor) continue;
    const now = valueAt(shown(actor), path);
    // FB1.
    if (isDeepStrictEqual(now, value)) continue;
    changes.push({ by: linkOf(frame), from: value, to: now });
    value = now;
    newest = frame;
  }
  const [changed, ...earlier] = changes.reverse();
  const causes = newest ? await causesOf(newest, log) : [];
  return { ...question, value, changed, earlier, causes };
}

function requirePlace(path: string): void {
  const [place] = keysOf(path);
  if ((places as readonly (string | undefined)[]).includes(place)) return;
  const expected = `a JSON Pointer that begins with one of ${places.map((each) => `/${each}`).join(', ')}`;
  throw InvalidArgumentError.of('blame(path)', expected, path);
}

function shown({ context, value, status, output, error }: FrameActor): Json {
  const known = Object.entries({ context, output, error }).filter(([, each]) => each !== undefined);
  return { state: value, status, ...(Object.fromEntries(known) as { readonly [key: string]: Json }) };
}

/** Whether an entry may have changed anything of an actor. */
function touches({ stimulus: { recorded, data } }: Entry, address: string): boolean {
  const isOfIt = ({ actor }: { readonly actor?: unknown }) => actor === address;
  return (
    isBeginning(recorded) ||
    data.actor === address ||
    listOf<{ actor?: unknown }>(data.transitions).some(isOfIt) ||
    listOf<{ actor?: unknown }>(data.intents).some(isOfIt)
  );
}

function linkOf({ stream, revision, id, type, label, at }: Frame): BlameLink {
  return { stream, revision, id, type, label, at };
}
