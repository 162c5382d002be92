/**
 * `withHandlers`: error handlers around any logic. Owns the options; the chart is handled-chart.ts.
 */
import type { AnyActorLogic, InputFrom, OutputFrom } from 'xstate';
import { requireRules } from './error-rules.ts';
import { InvalidArgumentError } from 'rewake';
import { handled, type HandlingOptions } from './handling.ts';
import type { HandledMachine } from './handled-chart.ts';
import type { HandlerScope } from './handler-facts.ts';
import { requireHandlers, type Handler } from './handler.ts';
import { oneOf, requireBoolean, requireKnown, requireLogic, requireName } from './options.ts';
import type { RecoveredBy } from './recovery-actions.ts';

/** How handlers stand around a logic. */
export interface HandlersOptions extends HandlingOptions {
  /** Names what they stand around, in facts and errors; `handled` when omitted. */
  readonly name?: string;
  /** What that is; `step` when omitted. Inside the retries of a step it is a `command`. */
  readonly scope?: HandlerScope;
}

const scopes: readonly HandlerScope[] = ['command', 'step', 'phase', 'workflow'];

/**
 * Puts error handlers around a logic: what it fails with goes to the first handler that is for it. What handlers decide on
 * that only a flow can do leaves as a RecoveryDirective.
 *
 * @example
 * const priced = withHandlers([
 *   handler({ id: 'token', when: 'auth', run: refreshToken, then: retry() }),
 *   handler({ id: 'cached', when: ['server', 'timeout'], then: fallback(lastKnownPrice) }),
 * ])(askPrice);
 * @throws InvalidArgumentError for what is no handler, two of one id, or options that cannot work
 */
export function withHandlers<const Each extends Handler>(handlers: readonly Each[], options: HandlersOptions = {}) {
  requireKnown(options, ['name', 'scope', 'facts', 'classify', 'paths'], 'withHandlers');
  const { name = 'handled', scope = 'step', facts = true, classify = [], paths = {} } = options;
  requireHandlers(handlers, 'withHandlers(handlers)');
  requireName(name, 'withHandlers.name');
  oneOf(scope, scopes, 'withHandlers.scope');
  requireBoolean(facts, 'withHandlers.facts');
  requireRules(classify, 'withHandlers.classify');
  requirePaths(paths, 'withHandlers.paths');
  return <Logic extends AnyActorLogic>(
    logic: Logic,
  ): HandledMachine<InputFrom<Logic>, OutputFrom<Logic> | RecoveredByOne<Each>> => {
    requireLogic(logic, 'withHandlers(…)(logic)');
    return handled(logic, handlers, { name, scope, facts, classify, paths }) as unknown as HandledMachine<
      InputFrom<Logic>,
      OutputFrom<Logic> | RecoveredByOne<Each>
    >;
  };
}

/** What a subject gives that this handler has recovered. */
export type RecoveredByOne<Each> = Each extends Handler<infer Action> ? RecoveredBy<Action> : never;

function requirePaths(paths: Readonly<Record<string, AnyActorLogic>>, path: string): void {
  if (typeof paths !== 'object' || paths === null) throw InvalidArgumentError.of(path, 'logics by name', paths);
  for (const [name, logic] of Object.entries(paths)) {
    // A dot would make XState look for a state inside another one.
    if (name === '' || name.includes('.')) throw InvalidArgumentError.of(path, 'names without a dot', name);
    requireLogic(logic, `${path}.${name}`);
  }
}
