/**
 * Finds and loads `rewake.config.ts`. Owns where it is looked for, how it is loaded, and what is refused in it.
 *
 * CF1  A file that is named must be there; without a name the nearest one upwards is taken, and none is no error.
 * CF2  What the file imports as `rewake` is this package, where the project has none of its own: a machine and the runtime that
 *      hosts it must be of one copy.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Upcasters } from '../log/upcast.ts';
import type { RewakeConfig } from './config.ts';
import { ConfigError } from './usage-error.ts';

export interface LoadedConfig {
  readonly config: RewakeConfig;
  /** Absolute; undefined where there is none. */
  readonly file: string | undefined;
}

const names = ['ts', 'mts', 'js', 'mjs'].map((extension) => `rewake.config.${extension}`);

/** @param given a path that was named */
export async function loadConfig(cwd: string, given: string | undefined): Promise<LoadedConfig> {
  const file = given === undefined ? findUpwards(cwd) : resolve(cwd, given);
  if (file === undefined) return { config: {}, file };
  if (!existsSync(file) || !statSync(file).isFile()) {
    throw new ConfigError(`There is no config file at '${file}'. Check what --config says.`);
  }
  return { config: checked(await load(file), file), file };
}

function findUpwards(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = names.map((name) => join(folder, name)).find((path) => existsSync(path));
    if (found !== undefined || folder === dirname(folder)) return found;
  }
}

/** CF2. */
async function load(file: string): Promise<unknown> {
  try {
    const { createJiti } = await import('jiti');
    const jiti = createJiti(import.meta.url, { interopDefault: true, alias: aliasesFor(file) });
    return await jiti.import(file, { default: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`'${file}' cannot be loaded: ${reason}`, { cause: error });
  }
}

/** The subpaths of this package, for a project that does not have it. */
function aliasesFor(file: string): Record<string, string> {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'node_modules', 'rewake', 'package.json'))) return {};
    if (folder === dirname(folder)) break;
  }
  const isBuilt = import.meta.url.endsWith('.js');
  const at = (path: string) => fileURLToPath(new URL(`../../${path}.${isBuilt ? 'js' : 'ts'}`, import.meta.url));
  return {
    'rewake/machines': at('machines/index'),
    'rewake/projections': at('projections/index'),
    'rewake/sqlite': at('src/stores/sqlite/index'),
    'rewake/config': at('src/cli/config'),
    'rewake/replay': at('src/replay/index'),
    'rewake/audit': at('src/testing/audit'),
    rewake: at('src/index'),
  };
}

const known = ['log', 'machines', 'upcasters', 'snapshots', 'environment', 'features', 'logger', 'onStart'] as const;

function checked(found: unknown, file: string): RewakeConfig {
  const where = `'${file}'`;
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    throw new ConfigError(`${where} exports no config: expected 'export default defineConfig({ machines: { … } })'.`);
  }
  const strange = Object.keys(found).find((key) => !(known as readonly string[]).includes(key));
  if (strange !== undefined) {
    throw new ConfigError(
      `${where} has '${strange}', which is no part of a config: expected some of ${known.join(', ')}.`,
    );
  }
  const config = found as RewakeConfig;
  const { log, machines, onStart, upcasters } = config;
  if (log !== undefined && typeof log !== 'string') {
    throw new ConfigError(`${where}: 'log' is to be a path or a URL, found ${typeof log}.`);
  }
  if (machines !== undefined && !isObject(machines)) {
    throw new ConfigError(`${where}: 'machines' is to be an object of machines by name, found ${kindOf(machines)}.`);
  }
  if (upcasters !== undefined && !((upcasters as Partial<Upcasters>).chains instanceof Map)) {
    throw new ConfigError(`${where}: 'upcasters' is to be what defineUpcasters() gives, found ${kindOf(upcasters)}.`);
  }
  if (onStart !== undefined && typeof onStart !== 'function') {
    throw new ConfigError(`${where}: 'onStart' is to be a function of the runtime, found ${kindOf(onStart)}.`);
  }
  const isPlainPath = log !== undefined && !/^[a-z][a-z+]+:/i.test(log) && !isAbsolute(log);
  return isPlainPath ? { ...config, log: join(dirname(file), log) } : config;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
}
