/**
 * The check of what users say about errors: rules and matches. Owns no meaning; that is classify.ts's.
 */
import { InvalidArgumentError } from 'rewake';
import type { ErrorRule } from './classify.ts';
import { classRules } from './error-classes.ts';
import { requireKnown } from './options.ts';

const retryables: readonly unknown[] = [undefined, true, false, 'idempotent', 'once'];
const breakers: readonly unknown[] = [undefined, 'failure', 'ignored'];

/** @throws InvalidArgumentError unless it is a list of at least one error class, name or predicate */
export function requireMatches(matches: unknown, path: string): void {
  if (!Array.isArray(matches) || matches.length === 0) {
    throw InvalidArgumentError.of(path, 'a list of error classes, names or predicates', matches);
  }
  matches.forEach((match: unknown, index) => requireMatch(match, `${path}[${index}]`));
}

/** @throws InvalidArgumentError unless it is a list of rules that can work */
export function requireRules(rules: unknown, path: string): void {
  if (!Array.isArray(rules)) throw InvalidArgumentError.of(path, 'a list of rules', rules);
  for (const [index, rule] of (rules as ErrorRule[]).entries()) {
    const at = `${path}[${index}]`;
    requireKnown(rule, ['match', 'class', 'retryable', 'breaker'], at);
    requireMatch(rule.match, `${at}.match`);
    if (rule.class !== undefined && !Object.hasOwn(classRules, rule.class)) {
      throw InvalidArgumentError.of(`${at}.class`, `one of ${Object.keys(classRules).join(', ')}`, rule.class);
    }
    if (!retryables.includes(rule.retryable)) {
      throw InvalidArgumentError.of(`${at}.retryable`, "true, false, 'idempotent' or 'once'", rule.retryable);
    }
    if (!breakers.includes(rule.breaker))
      throw InvalidArgumentError.of(`${at}.breaker`, "'failure' or 'ignored'", rule.breaker);
  }
}

function requireMatch(match: unknown, path: string): void {
  if (typeof match === 'function' || (typeof match === 'string' && match !== '')) return;
  throw InvalidArgumentError.of(path, 'an error class, the name of one, or a predicate', match);
}
