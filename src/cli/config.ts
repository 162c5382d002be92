/**
 * `rewake.config.ts`: which machines there are, and on which log. Owns the shape and `defineConfig`; how the file is found and
 * loaded is in config-file.ts.
 */
import type { Machines } from '../runtime/machines.ts';
import type { RuntimeOptions } from '../runtime/runtime-options.ts';
import type { AnyRuntime } from '../runtime/runtime.ts';

/** What `rewake.config.ts` exports by default. */
export interface RewakeConfig extends Pick<
  Partial<RuntimeOptions<Machines>>,
  'upcasters' | 'snapshots' | 'environment' | 'features' | 'logger'
> {
  /** A path, a URL, or what is opened; relative to the config file. */
  readonly log?: string;
  readonly machines?: Machines;
  /** Called by `rewake run` once the runtime is up, for example to start schedules. */
  readonly onStart?: (runtime: AnyRuntime) => void | Promise<void>;
}

/** Gives back what it is given, with its type. */
export function defineConfig(config: RewakeConfig): RewakeConfig {
  return config;
}
