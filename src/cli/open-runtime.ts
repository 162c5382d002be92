/**
 * A runtime as the config says. Owns which options come from there; on which log it is, and what it does, is the command's.
 */
import { checkOptions, type RuntimeOptions } from '../runtime/runtime-options.ts';
import { Runtime, type Backstage } from '../runtime/runtime.ts';
import type { CommandContext } from './context.ts';

/** Where a runtime works, and what the command has to say about that. */
export type Place = Required<Pick<RuntimeOptions, 'log'>> & Pick<RuntimeOptions, 'lease' | 'logger' | 'resume'>;

/**
 * Opens a runtime with the machines and options of the config. It leaves its log open.
 * @throws InvalidArgumentError | LogOwnedError
 */
export async function openRuntime(context: CommandContext, place: Place, backstage: Backstage): Promise<Runtime> {
  const { log: _, onStart: __, machines = {}, ...config } = await context.config();
  const options: RuntimeOptions = { ...config, ...place, machines, keepLogOpen: true };
  const runtime = new Runtime(checkOptions(options), backstage);
  try {
    await runtime.open();
    return runtime;
  } catch (error) {
    // As createRuntime does: the lease would keep the next one off the log.
    await runtime.abandon().catch(() => {});
    throw error;
  }
}
