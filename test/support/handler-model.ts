/**
 * What must come of a plan of handler-plans.ts, as plain recursion without machine, log or time: the outcome, the calls, and
 * the facts in their order. Written from the reference (docs/reference/machines.md#withhandlershandlers-options), and knows
 * nothing of the code.
 */
import { idOf, isThere, scopes, type ActionPlan, type Answer, type HandlerPlan, type Plan } from './handler-plans.ts';

/** An error as it is seen from outside. */
export interface Failure {
  readonly name: string;
  readonly [field: string]: unknown;
  /** What it stands for. */
  readonly original?: Failure;
  readonly cause?: Failure;
  readonly errors?: readonly Failure[];
}

type Result = { readonly output: unknown } | { readonly failure: Failure } | { readonly hangs: true };

/** What was told, shortened to what the model knows. */
export type Told = Readonly<Record<string, unknown>>;

const leaves: Readonly<Partial<Record<Answer, Failure>>> = {
  busy: { name: 'Error', message: 'busy' },
  denied: { name: 'Error', message: 'denied' },
  odd: { name: 'OddError', message: 'odd' },
};

const codes: Readonly<Record<string, string>> = {
  ...{ OddError: 'E_ODD', InvalidArgumentError: 'REWAKE_INVALID_ARGUMENT', TimeoutError: 'REWAKE_TIMEOUT' },
  ...{ HandlerFailedError: 'REWAKE_HANDLER_FAILED', RecoveryExhaustedError: 'REWAKE_RECOVERY_EXHAUSTED' },
  ...{ RecoveryDirective: 'REWAKE_RECOVERY_DIRECTIVE' },
};

const classes: Readonly<Record<string, string>> = {
  ...{ busy: 'server', denied: 'auth', TimeoutError: 'timeout', RecoveryDirective: 'permanent' },
  ...{ InvalidArgumentError: 'bug', SyntaxError: 'validation' },
};

/** The class of an error: its own, or that of the nearest error behind it that has one. */
function classOf(failure: Failure): string {
  const own = classes[failure.name] ?? classes[String(failure.message)];
  if (own) return own;
  const behind = [...(failure.cause ? [failure.cause] : []), ...(failure.errors ?? [])];
  return behind.map(classOf).find((each) => each !== 'unknown') ?? 'unknown';
}

/** What it takes to play a handler inside its surroundings. */
interface Around {
  readonly scope: string;
  readonly subject: string;
}

/** Plays a plan. */
export class HandlerModel {
  readonly facts: Told[] = [];
  readonly calls: string[] = [];
  readonly #plan: Plan;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  play(): Result {
    const { layers, answers } = this.#plan;
    const whole = layers.reduce(
      (inner, { handlers, attempts }, index) => {
        const scope = scopes[index]!;
        const called = attempts === undefined ? inner : () => this.#step('withRetry', attempts, inner).result;
        return () =>
          this.#handled({ scope, subject: scope }, handlers, scope, () => ({ result: called(), attempts: 1 })).result;
      },
      () => this.#call('call', answers),
    );
    return whole();
  }

  #tell(fact: Told): void {
    this.facts.push(fact);
  }

  #call(name: string, answers: readonly Answer[]): Result {
    this.calls.push(name);
    const answer = answers[Math.min(this.calls.filter((each) => each === name).length, answers.length) - 1]!;
    if (answer === 'hangs') return { hangs: true };
    return answer === 'ok' ? { output: `${name} ok` } : { failure: leaves[answer]! };
  }

  #step(step: string, maxAttempts: number, call: () => Result): { result: Result; attempts: number } {
    const errors: Failure[] = [];
    for (let attempts = 1; ; attempts++) {
      const result = call();
      if (!('failure' in result)) return { result, attempts };
      const { failure } = result;
      errors.push(failure);
      const errorClass = classOf(failure);
      this.#tell({ type: 'AttemptFailed', step, attempt: attempts, error: `${failure.name} ${errorClass}` });
      if (['auth', 'permanent', 'bug', 'validation'].includes(errorClass)) return { result, attempts };
      if (attempts === maxAttempts) {
        this.#tell({ type: 'RetryExhausted', step, attempts });
        const exhausted = { name: 'RecoveryExhaustedError', step, attempts, original: failure, cause: failure, errors };
        return { result: { failure: exhausted }, attempts };
      }
      this.#tell({ type: 'RetryScheduled', step, attempt: attempts, errorClass });
    }
  }

  /** A subject with handlers around it. */
  #handled(
    around: Around,
    handlers: readonly HandlerPlan[],
    prefix: string,
    call: () => { readonly result: Result; readonly attempts: number },
  ): { result: Result; attempts: number } {
    const { scope, subject } = around;
    const calls: Record<string, number> = {};
    let attempts = 0;
    for (;;) {
      const called = call();
      attempts += called.attempts;
      const { result } = called;
      if (!('failure' in result) || result.failure.name === 'RecoveryDirective') return { result, attempts };
      const error = result.failure;
      const decision = this.#handle(around, handlers, prefix, error, calls);
      if ('hangs' in decision) return { result: decision, attempts };
      if ('goesOn' in decision) return { result: { failure: decision.goesOn }, attempts };
      const { id, action } = decision;
      if (action.type === 'retry') {
        calls[id] = (calls[id] ?? 1) + 1;
      } else if (action.type === 'skip') {
        return { result: { output: 'value' in action ? action.value : `skipped by ${id}` }, attempts };
      } else if (action.type === 'fallback' || (action.type === 'path' && action.known)) {
        const isPath = action.type === 'path';
        const other = isPath ? this.#call('path', this.#plan.path) : this.#call(`${id} fallback`, action.answers);
        if (!('failure' in other)) return { result: other, attempts };
        const goesOn = this.#failed(around, id, error, other.failure, decision.attempts);
        return { result: { failure: goesOn }, attempts };
      } else {
        const type = action.type === 'path' ? 'fallback' : action.type;
        const directive = { name: 'RecoveryDirective', handler: id, scope, subject, action: type };
        return { result: { failure: { ...directive, original: error, cause: error } }, attempts };
      }
    }
  }

  /** Facts and error of a handler that failed itself. */
  #failed({ scope, subject }: Around, handler: string, original: Failure, cause: Failure, attempts: number): Failure {
    const told = { error: brief(cause), original: brief(original), attempts };
    this.#tell({ type: 'HandlerFailed', scope, subject, handler, ...told });
    const failure = { name: 'HandlerFailedError', handler, scope, subject, original, cause };
    this.#tell({ type: 'ErrorEscalated', scope, subject, error: brief(failure), reason: 'handlerFailed' });
    return failure;
  }

  /** What is decided about an error. */
  #handle(
    around: Around,
    handlers: readonly HandlerPlan[],
    prefix: string,
    error: Failure,
    calls: Readonly<Record<string, number>>,
  ):
    | { readonly id: string; readonly action: Decided; readonly attempts: number }
    | { readonly goesOn: Failure }
    | { readonly hangs: true } {
    const { scope, subject } = around;
    const escalated = (reason: string) => {
      this.#tell({ type: 'ErrorEscalated', scope, subject, error: brief(error), reason });
      return { goesOn: error };
    };
    const index = handlers.findIndex(({ when }) => when === 'throws' || isFor(when, error, subject));
    if (index === -1) return escalated('noHandler');
    const plan = handlers[index]!;
    const id = idOf(prefix, index);
    if (plan.when === 'throws') {
      return { goesOn: this.#failed(around, id, error, { name: 'Error', message: 'cannot say' }, 0) };
    }
    this.#tell({ type: 'HandlerStarted', scope, subject, handler: id, error: brief(error) });
    const ran = this.#run(around, plan, id);
    const { attempts } = ran;
    if ('hangs' in ran) {
      if (!plan.hasTimeout) return { hangs: true };
      return { goesOn: this.#failed(around, id, error, { name: 'TimeoutError', step: id, kind: 'handler' }, attempts) };
    }
    if ('problem' in ran) return { goesOn: this.#failed(around, id, error, ran.problem, attempts) };
    const made = calls[id] ?? 1;
    const action = 'taken' in ran ? ran.taken : endOf(plan, id, made, attempts, ran.outputs);
    if ('problem' in action) return { goesOn: this.#failed(around, id, error, action.problem, attempts) };
    const isSpent = action.type === 'retry' && made >= action.maxAttempts;
    const told = isSpent ? 'escalate' : action.type === 'path' ? 'fallback' : action.type;
    this.#tell({ type: 'HandlerCompleted', scope, subject, handler: id, action: told, attempts });
    if (isSpent) return escalated('retriesExhausted');
    return action.type === 'escalate' ? escalated('handlerEscalated') : { id, action, attempts };
  }

  /** All that a handler runs. */
  #run({ scope }: Around, { runs, maxRetries, handlers }: HandlerPlan, id: string): Ran {
    const outputs: unknown[] = [];
    let attempts = 0;
    for (const [index, answers] of runs.entries()) {
      const one = () => this.#call(`${id} run ${index + 1}`, answers);
      const step = runs.length === 1 ? id : `${id} ${index + 1}`;
      const call = () =>
        maxRetries === undefined ? { result: one(), attempts: 1 } : this.#step(step, maxRetries + 1, one);
      const ran = handlers.length === 0 ? call() : this.#handled({ scope, subject: id }, handlers, id, call);
      attempts += ran.attempts;
      const { result } = ran;
      if ('hangs' in result) return { hangs: true, attempts };
      if ('output' in result) {
        outputs.push(result.output);
        continue;
      }
      const { failure } = result;
      // A nested handler decided on what only a flow can do: that is the decision of this one.
      if (failure.name === 'RecoveryDirective' && failure.action !== 'fallback') {
        return { taken: { type: failure.action } as Decided, attempts };
      }
      return { problem: failure, attempts };
    }
    return { outputs, attempts };
  }
}

type Decided = ActionPlan | { readonly type: 'skip'; readonly value: unknown };
type Ran = { readonly attempts: number } & (
  | { readonly outputs: readonly unknown[] }
  | { readonly problem: Failure }
  | { readonly taken: Decided }
  | { readonly hangs: true }
);

function endOf(
  { then }: HandlerPlan,
  id: string,
  calls: number,
  attempts: number,
  outputs: readonly unknown[],
): Decided | { readonly problem: Failure } {
  switch (then.by) {
    case 'nothing':
      return { type: 'escalate' };
    case 'throwing':
      return { problem: { name: 'SyntaxError' } };
    case 'nonsense':
      return { problem: { name: 'InvalidArgumentError' } };
    case 'counting':
      if (calls < 2) return { type: 'retry', delayMs: 0, maxAttempts: 9 };
      return { type: 'skip', value: [id, attempts, ...outputs] };
    case 'function':
      // A machine cannot find a logic that a function gives.
      return then.action.type === 'fallback' ? { problem: { name: 'InvalidArgumentError' } } : then.action;
    case 'action':
      return then.action;
  }
}

/** Whether a handler is for an error, or for what that stands for. */
function isFor(when: HandlerPlan['when'], error: Failure, subject: string): boolean {
  const chain: Failure[] = [error];
  while (chain.at(-1)!.original) chain.push(chain.at(-1)!.original!);
  return chain.some((each) => {
    if (when === 'any') return true;
    if (when === 'place') return isThere(subject);
    if (when === 'class') return each.name === 'OddError';
    if (when === 'predicate') return each.message === 'busy';
    return [classOf(each), codes[each.name], each.name].includes(when);
  });
}

function brief(failure: Failure): string {
  return `${failure.name} ${classOf(failure)}`;
}
