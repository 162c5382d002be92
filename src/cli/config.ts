/**
 * `rewake.config.ts`: which machines there are, and on which log. Owns the shape and `defineConfig`; how the file is found and
 * loaded is in config-file.ts.
 */
import type { Machines } from '../runtime/machines.ts';
import type { RuntimeOptions } from '../runtime/runtime-options.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** What `rewake.config.ts` exports by default. */
export interface RewakeConfig<M extends Machines = Machines> extends Pick<
  Partial<RuntimeOptions<M>>,
  'upcasters' | 'snapshots' | 'environment' | 'features' | 'logger'
> {
  /** A path, a URL, or what is opened; relative to the config file. */
  readonly log?: string;
  readonly machines?: M;
  /** Called by `rewake run` once the runtime is up, for example to start schedules. */
  onStart?(runtime: Runtime<M>): void | Promise<void>;
}

/** Gives back what it is given, with its type. */
export function defineConfig<M extends Machines>(config: RewakeConfig<M>): RewakeConfig<M> {
  return config;
}
