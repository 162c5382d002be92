/**
 * The description of a tree, read without the machine's code: who is in it, in which states, with which contexts. Owns the
 * reading only; the text's form is tree-state.ts's.
 *
 * DT1  Nothing of the machine is needed, and nothing is run.
 * DT2  Values are in the form of plain-value.ts; an actor that one refers to has its address there.
 */
import { DecodeError } from '../errors.ts';
import type { StateValue } from 'xstate';
import type { TimeMs } from '../clock.ts';
import type { Json } from '../log/json.ts';
import { readRichText } from '../log/rich-values.ts';
import { addressOf, type Addressed } from './actor-tree.ts';
import { plainValue } from './plain-value.ts';
import type { TimerRecord } from './stimulus.ts';
import type { TreeState } from './tree-state.ts';
import { endedStage } from './xstate-internals.ts';

/** A machine in a description. */
export interface DescribedMachine {
  readonly address: string;
  /** Name of its logic in its parent; null for the root. */
  readonly src: string | null;
  readonly value: StateValue;
  readonly context: Json;
  readonly status: string;
  /** Undefined where there is none. */
  readonly output: Json | undefined;
  readonly error: Json | undefined;
  readonly hasEnded: boolean;
}

/** An effect without an outcome. */
export interface DescribedEffect {
  readonly address: string;
  readonly src: string;
  readonly restarts: number;
  readonly interrupted: boolean;
}

export interface DescribedTree {
  readonly at: TimeMs;
  readonly machines: readonly DescribedMachine[];
  readonly effects: readonly DescribedEffect[];
  readonly timers: readonly TimerRecord[];
}

/** Stands for an actor while a description is read; plainValue takes it for one. */
class NamedActor implements Addressed {
  readonly id: string;
  readonly sessionId: string;
  _parent: Addressed | undefined = undefined;

  constructor(sessionId: string, id: string) {
    this.id = id;
    this.sessionId = sessionId;
  }

  get ref(): this {
    return this;
  }

  send(): void {}
}

/** @throws DecodeError when it is no description */
export function describedTree(text: string): DescribedTree {
  const actors = new Map<string, NamedActor>();
  const state = readRichText(text, {
    Actor: ([sessionId, id]: [string, string]) => {
      let actor = actors.get(sessionId);
      if (!actor) actors.set(sessionId, (actor = new NamedActor(sessionId, id)));
      return actor;
    },
  }) as TreeState;
  if (state?.form !== 1) throw new DecodeError('the state of an actor tree has an unknown form');
  for (const { actor, parent } of state.actors) (actor as unknown as NamedActor)._parent = parent;
  const plain = (value: unknown) => plainValue(value, (ref) => addressOf(ref as unknown as Addressed));
  const given = (value: unknown) => (value === undefined ? undefined : plain(value));
  return {
    at: state.at,
    machines: state.actors.flatMap(({ actor, src, stage, position }) => {
      if (!position) return [];
      const { value, context, status, output, error } = position;
      const said = { value, context: plain(context), status, output: given(output), error: given(error) };
      return [{ address: addressOf(actor), src, ...said, hasEnded: stage === endedStage }];
    }),
    effects: state.effects.map(({ actor, restarts, interrupted }) => {
      const described = state.actors.find((each) => each.actor === actor);
      return { address: addressOf(actor), src: described?.src ?? '(inline)', restarts, interrupted };
    }),
    timers: state.timers.map(({ seq, source, id, dueAt }) => ({ timer: seq, actor: addressOf(source), id, dueAt })),
  };
}
