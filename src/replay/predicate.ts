/**
 * What a person asks of frames, as an expression: `context.total > 100`, `facts.includes('CircuitOpened')`. Owns its language and
 * the names in it.
 *
 * PE1  The language is that of JavaScript expressions, and who writes one is trusted as with any other command: nothing of a log
 *      is run.
 * PE2  It sees a frame and nothing else: no globals of the process, no modules.
 */
import { compileFunction, createContext } from 'node:vm';
import { matchesState, type StateValue } from 'xstate';
import { InvalidArgumentError } from '../errors.ts';
import type { Json } from '../log/json.ts';
import type { Frame, FrameActor } from './frame.ts';
import { stateText } from './state-text.ts';

/** Names in an expression, and what each stands for. */
export const predicateNames = {
  revision: 'of the stimulus',
  type: "of the event: 'EventReceived', 'EffectFailed', …",
  label: "what a person calls it: 'PAY', 'charge done'",
  at: 'its time, in ms',
  payload: 'what came from outside',
  facts: 'types of the facts that it led to',
  state: "of the root: state.matches('paying.card'), state.value",
  status: "of the root: 'active', 'done', 'error', 'stopped'",
  context: 'of the root',
  actors: 'every actor after it, by address',
  effects: 'names of the effects without an outcome',
  frame: 'all of it',
} as const;

type Scope = { readonly [Name in keyof typeof predicateNames]: unknown };

/**
 * A predicate for `Replay.find`.
 * @throws InvalidArgumentError for what is no expression; when it is asked, for what it throws
 *
 * @example
 * const frame = await replay.find(framePredicate("state.matches('paying') && context.total > 100"));
 */
export function framePredicate(expression: string): (frame: Frame) => boolean {
  const names = Object.keys(predicateNames);
  const ask = compiled(expression, names);
  return (frame) => {
    const scope = scopeOf(frame) as { readonly [name: string]: unknown };
    try {
      return Boolean(ask(...names.map((name) => scope[name])));
    } catch (error) {
      // Of what is not there yet nothing holds.
      if ((error as Error | undefined)?.name === 'TypeError') return false;
      throw InvalidArgumentError.of(
        `'${expression}', at revision ${frame.revision}`,
        expectedIn(names),
        said(error),
        error,
      );
    }
  };
}

function expectedIn(names: readonly string[]): string {
  return `an expression over ${names.join(', ')}`;
}

type Ask = (...values: readonly unknown[]) => unknown;

function compiled(expression: string, names: readonly string[]): Ask {
  try {
    // In other brackets, too: it is to be one expression, and not the end of one and the beginning of another.
    compileFunction(`[${expression}\n]`, [...names]);
    const parsingContext = createContext(Object.create(null) as object, {
      codeGeneration: { strings: false, wasm: false },
    });
    return compileFunction(`'use strict'; return (${expression}\n);`, [...names], { parsingContext }) as Ask;
  } catch (error) {
    throw InvalidArgumentError.of(`'${expression}'`, expectedIn(names), said(error), error);
  }
}

function said(error: unknown): string {
  const { name, message } = error as Error;
  return `${name}: ${message}`;
}

function scopeOf(frame: Frame): Scope {
  const { revision, type, label, at, payload, facts, actors, effects } = frame;
  const [root] = actors;
  return {
    ...{ revision, type, label, at, payload, frame },
    facts: facts.map((fact) => fact.type),
    state: stateOf(root),
    status: root?.status,
    context: root?.context as Json | undefined,
    actors: Object.fromEntries(actors.map((actor) => [actor.address, actor])),
    effects: effects.map(({ src }) => src),
  };
}

/** As a snapshot of XState answers; as text it is its paths. */
function stateOf(root: FrameActor | undefined): object {
  const value = (root?.value ?? '') as StateValue;
  return {
    value,
    matches: (wanted: StateValue) => matchesState(wanted, value),
    toString: () => stateText(value) ?? '',
  };
}
