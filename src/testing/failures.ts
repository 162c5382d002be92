/**
 * What the kit throws besides wrong arguments. Owns the errors; what is found is judge.ts's, how it is told timeline.ts's.
 */
import { RewakeError } from '../errors.ts';

/** An effect began for which the scenario has no answer. */
export class EffectNotScriptedError extends RewakeError {
  readonly code = 'REWAKE_EFFECT_NOT_SCRIPTED';
  readonly effect: string;

  constructor(stream: string, address: string, found: string, advice: string) {
    super(`Effect ${address} of '${stream}' began, and the scenario ${found}. ${advice}`);
    this.effect = address;
  }

  /**
   * @param names by which the effect can be named in a script, the nearest first
   * @param form of an answer to it
   */
  static nameless(stream: string, address: string, names: readonly string[], form: string): EffectNotScriptedError {
    const given = names.filter(isGiven);
    const shown = given.length > 0 ? given : names;
    const advice =
      `Expected one under ${shown.map((each) => `'${each}'`).join(' or ')}. Add effects: { ${property(shown[0] ?? 'effect')}: ${form} }; ` +
      "or a list of answers, one for each call; a function of the call; or 'live', to run the effect itself.";
    return new EffectNotScriptedError(stream, address, 'has no answer for it', advice);
  }

  /** A list of answers is at its end. */
  static exhausted(stream: string, address: string, name: string, answers: number, call: number) {
    const found = `has ${answers === 1 ? 'one answer' : `${answers} answers`} for '${name}', and this is call ${call}`;
    const advice =
      'Add an answer to the list; or give one answer for all calls, without a list; or a function of the call.';
    return new EffectNotScriptedError(stream, address, found, advice);
  }

  /** An answer that an effect of this kind cannot give. */
  static unfit(stream: string, address: string, name: string, found: string, form: string): EffectNotScriptedError {
    const advice = `Expected effects: { ${property(name)}: ${form} }; or 'live', to run the effect itself.`;
    return new EffectNotScriptedError(stream, address, `has ${found}`, advice);
  }
}

/** Whether a person gave this name: XState makes ids such as `0.order.charging` itself. */
export function isGiven(name: string): boolean {
  return !/^(?:\d+\.|xstate\.)/.test(name);
}

/** A machine reads the clock, chance or the like by itself, so that folding its stream may come to something else. */
export class NotDeterministicError extends RewakeError {
  readonly code = 'REWAKE_NOT_DETERMINISTIC';
  readonly stream: string;
  readonly revision: number;
  /** What was read, and where: `Date.now() read in isLate (order.ts:12)`. */
  readonly reads: readonly string[];

  constructor(stream: string, revision: number, event: string, reads: readonly string[]) {
    super(
      `The machine of '${stream}' is not deterministic: ${reads.join(', and ')}, with ${event} at revision ${revision}. ` +
        'Expected guards, assigns, delays and inputs that take what they need from the event, the context, or now(), random() and ' +
        "uuid() of 'rewake', which a replay gives the same values.",
    );
    this.stream = stream;
    this.revision = revision;
    this.reads = reads;
  }
}

/** A scenario does not come to an end. */
export class EndlessScenarioError extends RewakeError {
  readonly code = 'REWAKE_ENDLESS_SCENARIO';

  constructor(name: string, found: string) {
    super(
      `Scenario '${name}' does not come to an end: ${found}. Give its machine a final state, or say with { until: '1h' } for how ` +
        'long it is watched.',
    );
  }
}

/** A walk through a machine as a model comes to no end: there are too many states, or one step leads on for ever. */
export class UnboundedModelError extends RewakeError {
  readonly code = 'REWAKE_UNBOUNDED_MODEL';

  /** @param growing what made the states differ, in words */
  static ofStates(where: string, limit: number, growing: string): UnboundedModelError {
    return new UnboundedModelError(
      `${where}: more than ${limit} steps were tried and there are still new states. ${growing} ` +
        'Bound it: end the search where nothing new is to be learned (`stopWhen`), leave out of a state what does not ' +
        'matter (`serializeState`), give fewer payloads or outcomes, or raise `limit`.',
    );
  }

  static ofPaths(where: string, limit: number, states: number): UnboundedModelError {
    return new UnboundedModelError(
      `${where}: there are ${states} transitions, and more than ${limit} steps along the paths over them, which are too many ` +
        "to list. Ask for the paths to some states alone (`toState`), for `kind: 'shortest'`, or raise `limit`.",
    );
  }

  /** @param place where the walk stood, as text */
  static ofOneStep(stimuli: number, place: string): UnboundedModelError {
    return new UnboundedModelError(
      `A step of the model led to ${stimuli} more by itself, without any time between them, and last stood at ${place}. ` +
        'An effect that answers at once, or a delay of 0 ms, begins anew each time: give its answers an `afterMs`, or ' +
        'another answer after some calls.',
    );
  }
}

/** A durable actor is not in the state that its model says it is in after the same steps. */
export class ModelMismatchError extends RewakeError {
  readonly code = 'REWAKE_MODEL_MISMATCH';
  readonly expected: string;
  readonly found: string;

  /** @param after the steps so far, in words */
  constructor(after: string, expected: string, found: string) {
    super(
      `After ${after} the durable actor is at ${found}; the model says ${expected}. ` +
        'Look for what the machine reads besides its context and event: a clock, chance, or a variable that a restart loses.',
    );
    this.expected = expected;
    this.found = found;
  }
}

/** A name as it is written in an object. */
export function property(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
