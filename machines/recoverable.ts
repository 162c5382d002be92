/**
 * `recoverable`: a function that is called as before and is retried, fenced off and, with a log, goes on after a restart.
 * Owns the forms in which it is written (around a function, as a decorator of both kinds) and the names of functions.
 *
 * RV1  There is one engine: what is made is a step. Nothing here waits, counts or decides.
 * RV2  Two functions that were given no name never share a breaker, though they are called alike.
 */
import { InvalidArgumentError, type Duration } from 'rewake';
import { hostOf } from './log-runtimes.ts';
import { LoggedCalls, PlainCalls, type AnyFunction, type Calls } from './recoverable-calls.ts';
import { settleRecoverable, type RecoverableOptions, type RecoverableSettings } from './recoverable-options.ts';

/** A function that was made recoverable: the same parameters, and a promise of the same result. */
export interface RecoverableFunction<This, Args extends unknown[], Result> extends AsyncDisposable {
  (this: This, ...args: Args): Promise<Result>;
  /**
   * With `persistence`: goes on with every call of this function that a former process left unfinished, and resolves with
   * how many there are. What comes of them, whoever calls with their keys is told.
   * @param instance of a method: what `this` is in these calls
   * @throws InvalidArgumentError for a method without an instance
   */
  resume(instance?: This): Promise<number>;
  /**
   * With `persistence`: gives the log back; closes it when the last function that used it does. What was not finished goes
   * on with the next process. A runtime that was given stays open.
   */
  close(options?: { drain?: Duration }): Promise<void>;
}

/** The arguments of a function; those that its key looks at, where it takes fewer. */
type KeyedArgs<Args, KeyArgs extends unknown[]> = Args extends [...KeyArgs, ...unknown[]] ? Args : KeyArgs;

/** A function that can be called with what `key` looks at. No context for its parameters, so that their defaults type them. */
type Keyed<Fn, KeyArgs extends unknown[]> = Fn extends (this: never, ...args: [...KeyArgs, ...never[]]) => unknown
  ? Fn
  : (...args: [...KeyArgs, ...unknown[]]) => unknown;

type Recovering<Fn, KeyArgs extends unknown[]> = Fn extends (this: infer This, ...args: infer Args) => infer Result
  ? RecoverableFunction<This, KeyedArgs<Args, KeyArgs>, Awaited<Result>>
  : never;

/** What `recoverable(options)` gives: for a function, and as a decorator of methods, of the standard's and of TypeScript's older kind. */
export interface Recoverable<KeyArgs extends unknown[]> {
  <Fn>(fn: Keyed<Fn, KeyArgs>): Recovering<Fn, KeyArgs>;
  <This, Args extends [...KeyArgs, ...unknown[]], Result>(
    method: (this: This, ...args: Args) => Promise<Result>,
    context: ClassMethodDecoratorContext<This, (this: This, ...args: Args) => Promise<Result>>,
  ): RecoverableFunction<This, Args, Result>;
  <Args extends [...KeyArgs, ...unknown[]], Result>(
    target: object,
    propertyKey: string | symbol,
    descriptor: TypedPropertyDescriptor<(...args: Args) => Promise<Result>>,
  ): TypedPropertyDescriptor<(...args: Args) => Promise<Result>>;
}

/**
 * Makes a function recoverable: called again when it fails, not called while what it needs is down and, with `persistence`,
 * gone on with after a restart. Wrap it once, where it is defined.
 *
 * @example
 * const fetchData = recoverable({ maxRetries: 3, timeout: '30s' })(async (url: string) => (await fetch(url)).json());
 * await fetchData('https://example.org/data.json');
 * @throws InvalidArgumentError for options that cannot work, naming their path
 * @throws RecoveryExhaustedError from the function: every attempt failed
 * @throws CircuitBreakerOpenError from the function: it was not called
 */
export function recoverable<KeyArgs extends unknown[] = []>(
  options: RecoverableOptions<KeyArgs> = {},
): Recoverable<KeyArgs> {
  const settings = settleRecoverable(options);
  return ((subject: unknown, context?: unknown, descriptor?: unknown) => {
    if (context === undefined) return wrapped(settings, subject, false);
    if (isMethodContext(context)) return wrapped(settings, subject, true);
    if (isMethodDescriptor(descriptor)) return { ...descriptor, value: wrapped(settings, descriptor.value, true) };
    throw new InvalidArgumentError('@recoverable(options): expected a method, found another part of a class.');
  }) as Recoverable<KeyArgs>;
}

function wrapped(settings: RecoverableSettings, fn: unknown, isMethod: boolean) {
  if (typeof fn !== 'function') throw InvalidArgumentError.of('recoverable(options)(fn)', 'a function', fn);
  const calls = callsOf(settings, fn as AnyFunction, isMethod);
  const recovering = async function (this: unknown, ...args: unknown[]) {
    return calls.call(this, args, settings.signalOf(args));
  };
  Object.defineProperty(recovering, 'name', { value: fn.name, configurable: true });
  const close = (options: { drain?: Duration } = {}) => calls.close(options.drain ?? 0);
  return Object.assign(recovering, {
    resume: (...instance: unknown[]) => calls.resume(instance),
    close,
    [Symbol.asyncDispose]: () => close(),
  });
}

function callsOf(settings: RecoverableSettings, fn: AnyFunction, isMethod: boolean): Calls {
  const { name = fn.name, persistence, key, policy, at } = settings;
  if (!persistence) {
    const own = settings.name ?? ownName(fn);
    return new PlainCalls(own, fn, policy(own));
  }
  // What a stream can begin with: without this the log would say so, of a machine that nobody has heard of.
  if (!/^[A-Za-z][A-Za-z0-9_.]*$/.test(name)) {
    const expected = "a letter, then letters, digits, '_' or '.', because persistence is given";
    throw InvalidArgumentError.of(at('name'), expected, name);
  }
  return new LoggedCalls(name, fn, policy(name), hostOf(persistence), { key: key!, isMethod });
}

/** How often each name was given (RV2). */
const given = new Map<string, number>();
const ownNames = new WeakMap<AnyFunction, string>();

/** The name of a function, with a number where others bear it: the same each time it is wrapped. */
function ownName(fn: AnyFunction): string {
  let own = ownNames.get(fn);
  if (own === undefined) {
    const name = fn.name === '' ? 'anonymous' : fn.name;
    const count = (given.get(name) ?? 0) + 1;
    given.set(name, count);
    ownNames.set(fn, (own = count === 1 ? name : `${name}.${count}`));
  }
  return own;
}

function isMethodContext(context: unknown): boolean {
  return typeof context === 'object' && context !== null && 'kind' in context && context.kind === 'method';
}

function isMethodDescriptor(descriptor: unknown): descriptor is PropertyDescriptor {
  return typeof descriptor === 'object' && descriptor !== null && 'value' in descriptor;
}
