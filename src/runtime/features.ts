/**
 * What newer versions write into the log that older ones cannot read, each under a name that is switched. Owns the table of
 * features, the mark `$needs` of an event, and its check; what a feature does is where `features.isOn` is asked.
 * docs/decisions/0007-features.md says when something becomes a feature.
 *
 * FT1  An event that must not be read without a feature says so in its metadata, with the version that the feature is since.
 * FT2  A host refuses a stream with an event that needs a feature which it does not know; it writes nothing to it.
 * FT3  A switch decides what is written, never what is read.
 */
import { InvalidArgumentError, UnknownFeatureError } from '../errors.ts';
import type { RecordedEvent } from '../log/event-log.ts';

/** One row of the table. */
export interface Feature {
  /** The version of rewake that knows it first. */
  readonly since: string;
  /** Whether it is written where nothing is said. Off at first where an older version would refuse what it writes. */
  readonly on: boolean;
  /** What it changes in the log. */
  readonly writes: string;
}

/** The features of one version, by name. */
export type FeatureTable = Readonly<Record<string, Feature>>;

/** The features that this version knows. A name is never used again for something else. */
export const features = {
  environmentGuard: {
    since: '0.1.0',
    on: false,
    writes:
      "with onEnvironmentChange 'block' or a function, what records an environment is marked: a version that does not compare environments refuses the actor",
  },
} as const satisfies FeatureTable;

/** Name of a feature. */
export type FeatureName = keyof typeof features;

/** Which features a runtime writes; for the others their default counts. */
export type FeatureSwitches = { readonly [Name in FeatureName]?: boolean };

/** Name of the metadata that says what an event needs. */
const needsKey = '$needs';

/** The features that a host knows, and which of them it writes. */
export class FeatureSet {
  readonly #known: FeatureTable;
  readonly #switches: Readonly<Record<string, boolean>>;

  /** @throws InvalidArgumentError for a switch that is none, or that turns on what this version does not know */
  constructor(switches: Readonly<Record<string, boolean>> = {}, known: FeatureTable = features) {
    for (const [name, isOn] of Object.entries(switches)) {
      const where = `createRuntime({ features.${name} })`;
      if (typeof isOn !== 'boolean') throw InvalidArgumentError.of(where, 'true or false', isOn);
      // A fleet may keep its configuration when it goes back to a version that does not know the feature yet.
      if (isOn && !Object.hasOwn(known, name)) {
        const names = Object.keys(known).join(', ') || 'none';
        throw InvalidArgumentError.of(where, `false, or a feature that this version knows (${names})`, isOn);
      }
    }
    this.#known = known;
    this.#switches = switches;
  }

  /** Names of the features that this host can read. */
  get names(): string[] {
    return Object.keys(this.#known);
  }

  knows(name: string): boolean {
    return Object.hasOwn(this.#known, name);
  }

  isOn(name: FeatureName): boolean {
    return this.knows(name) && (this.#switches[name] ?? this.#known[name]!.on);
  }

  /** FT1. What the metadata of an event says that cannot be read without a feature; undefined where that is off. */
  needs(name: FeatureName): string | undefined {
    return this.isOn(name) ? `${name}@${this.#known[name]!.since}` : undefined;
  }

  /** FT2. @throws UnknownFeatureError */
  check({ stream, revision, type, meta }: Pick<RecordedEvent, 'stream' | 'revision' | 'type' | 'meta'>): void {
    const needs = meta[needsKey];
    if (needs === undefined) return;
    for (const need of needs.split(',')) {
      const [name = '', since] = need.trim().split('@');
      if (!this.knows(name)) throw new UnknownFeatureError(stream, revision, type, name, since);
    }
  }
}
