/**
 * What the effects of a machine come to while it is walked through as a model. Owns which answer of a script a call gets there,
 * and what may come where nothing is said; the words of a script are effect-script.ts's.
 *
 * MO1  A script is read as a run reads it, by the nearest name; what comes after the end of a list is its last answer again.
 * MO2  For what has no answer, and what is `'live'`, the walk chooses an outcome: so both sides of a failure are reached.
 */
import { InvalidArgumentError } from '../errors.ts';
import { requireAnswer, requireScript, type Answer, type EffectCall, type EffectScript } from './effect-script.ts';

/** What effects answer, by name. */
export type ModelEffects = Readonly<Record<string, EffectScript<never>>>;

/** What effects may come to, by name: one of these, at any time. */
export type ModelOutcomes = Readonly<Record<string, readonly Answer[]>>;

/** MO1. Undefined where nothing is said about this effect. @param names by which it is known, the nearest first */
export function answerTo(
  effects: ModelEffects,
  names: readonly string[],
  call: Omit<EffectCall, 'name'>,
): Answer | undefined {
  const name = nearest(effects, names);
  if (name === undefined) return undefined;
  const where = `effects['${name}']`;
  const script = effects[name]!;
  requireScript(script, where);
  if (script === 'live') return undefined;
  if (typeof script !== 'function') return isList(script) ? (script[call.index] ?? script.at(-1)) : script;
  const answer = script({ ...call, name } as EffectCall<never>);
  requireAnswer(answer, `${where}, call ${call.index + 1}`);
  return answer;
}

/** The name by which a script or a set of outcomes knows an effect. */
export function nearest(table: Readonly<Record<string, unknown>>, names: readonly string[]): string | undefined {
  return names.find((name) => Object.hasOwn(table, name));
}

/** MO2. What an effect may come to. */
export function outcomesOf(outcomes: ModelOutcomes, names: readonly string[], id: string): readonly Answer[] {
  const name = nearest(outcomes, names);
  if (name === undefined) return [{ output: undefined }, { error: new Error(`'${id}' failed, as the walk chose.`) }];
  const answers = outcomes[name]!;
  requireScript(answers, `outcomes['${name}']`);
  if (!isList(answers) || answers.length === 0)
    throw InvalidArgumentError.of(`outcomes['${name}']`, 'a list of at least one answer', answers);
  return answers;
}

function isList(script: EffectScript<never>): script is readonly Answer[] {
  return Array.isArray(script);
}
