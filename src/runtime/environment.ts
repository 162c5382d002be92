/**
 * Under what an actor runs besides its machine: the versions of rewake and of the program, and its configuration. Owns how
 * that is recorded, compared and judged; when, is the runtime's.
 *
 * EN1  A configuration is recorded as a fingerprint, never by its values: they may be secret.
 * EN2  Nothing is recorded, compared or refused by a runtime that was given no environment.
 * EN3  Only what both sides know is compared: a part that is new is recorded and differs from nothing.
 * EN4  Equal configurations have one fingerprint, in whatever order their keys are.
 */
import { createHash } from 'node:crypto';
import { EnvironmentMismatchError, InvalidArgumentError, type EnvironmentDifference } from '../errors.ts';
import type { Prepared, RecordedEnvironment } from '../kernel/records.ts';
import type { FeatureSet } from './features.ts';

/** The version of this package. */
export const rewakeVersion = '0.1.0';

/** What a runtime says of its environment. */
export interface EnvironmentOptions {
  /** Version of your program. */
  readonly version?: string;
  /** What it is configured with: JSON values. Its fingerprint is recorded, nothing else. */
  readonly config?: unknown;
}

/** An actor that was last run under another environment. */
export interface EnvironmentChange {
  readonly stream: string;
  readonly differences: readonly EnvironmentDifference[];
}

/** What becomes of an actor that was last run under another environment: it goes on with a warning, or is blocked. */
export type OnEnvironmentChange = 'accept' | 'block' | ((change: EnvironmentChange) => 'accept' | 'block');

const parts = ['rewake', 'app', 'config'] as const;

/** The environment of one runtime. */
export class Environment {
  /** What is recorded of it; undefined where none was given. */
  readonly present: RecordedEnvironment | undefined;
  readonly #features: FeatureSet;
  readonly #onChange: OnEnvironmentChange;

  /** @throws InvalidArgumentError for options that cannot work */
  constructor(options: EnvironmentOptions | undefined, features: FeatureSet, onChange: OnEnvironmentChange = 'accept') {
    if (!['accept', 'block'].includes(onChange as string) && typeof onChange !== 'function') {
      throw InvalidArgumentError.of(
        'createRuntime({ onEnvironmentChange })',
        "'accept', 'block' or a function",
        onChange,
      );
    }
    this.#features = features;
    this.#onChange = onChange;
    this.present = options && recordOf(options);
    if (onChange !== 'accept' && !this.present) {
      throw InvalidArgumentError.of(
        'createRuntime({ environment })',
        'one, since onEnvironmentChange is given',
        options,
      );
    }
  }

  /** What is another one for an actor. */
  differences(recorded: RecordedEnvironment | undefined): readonly EnvironmentDifference[] {
    const { present } = this;
    if (!recorded || !present) return [];
    return parts.flatMap((part) => {
      const [before, now] = [recorded[part], present[part]];
      return before === undefined || now === undefined || before === now
        ? []
        : [{ part, recorded: before, present: now }];
    });
  }

  /** @throws EnvironmentMismatchError where the actor is not to go on */
  judge(stream: string, differences: readonly EnvironmentDifference[]): void {
    const verdict = typeof this.#onChange === 'function' ? this.#onChange({ stream, differences }) : this.#onChange;
    if (verdict !== 'accept') throw new EnvironmentMismatchError(stream, differences);
  }

  /** What records this environment, marked where another host shall not take the actor up without comparing it. */
  recording(prepared: Prepared): Prepared {
    const needs = this.#onChange === 'accept' ? undefined : this.#features.needs('environmentGuard');
    return needs === undefined ? prepared : { ...prepared, needs };
  }

  /** What is to be noted of an actor that is taken up; undefined where it is recorded already. */
  news(recorded: RecordedEnvironment | undefined): RecordedEnvironment | undefined {
    const { present } = this;
    return present && parts.some((part) => present[part] !== undefined && present[part] !== recorded?.[part])
      ? present
      : undefined;
  }

  /** What is known of an actor once {@link news} are noted. */
  after(recorded: RecordedEnvironment | undefined): RecordedEnvironment | undefined {
    return this.present ? { ...recorded, ...this.present } : recorded;
  }
}

function recordOf(options: EnvironmentOptions): RecordedEnvironment {
  const where = 'createRuntime({ environment })';
  if (typeof options !== 'object' || (options as unknown) === null)
    throw InvalidArgumentError.of(where, 'an object such as { version, config }', options);
  const unknown = Object.keys(options).find((name) => name !== 'version' && name !== 'config');
  if (unknown !== undefined) throw InvalidArgumentError.of(where, 'version and config', unknown);
  const { version, config } = options;
  if (version !== undefined && typeof version !== 'string')
    throw InvalidArgumentError.of('createRuntime({ environment.version })', 'a string', version);
  return {
    rewake: rewakeVersion,
    ...(version !== undefined && { app: version }),
    ...(config !== undefined && { config: fingerprintOf(config) }),
  };
}

/** EN1. 16 hex digits of SHA-256. @throws InvalidArgumentError for what is no JSON */
function fingerprintOf(config: unknown): string {
  return createHash('sha256')
    .update(canonical(config, 'config', []))
    .digest('hex')
    .slice(0, 16);
}

/** EN4. JSON text with the keys in order of their code units; what is undefined is left out, as in JSON. */
function canonical(value: unknown, path: string, above: readonly unknown[]): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value !== 'object' || above.includes(value)) throw noJson(value, path);
  const below = [...above, value];
  if (Array.isArray(value)) {
    return `[${value.map((item, index) => canonical(item ?? null, `${path}[${index}]`, below)).join(',')}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw noJson(value, path);
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item, `${path}.${key}`, below)}`).join(',')}}`;
}

function noJson(found: unknown, path: string): InvalidArgumentError {
  return InvalidArgumentError.of(`createRuntime({ environment.${path} })`, 'JSON values without a cycle', found);
}
