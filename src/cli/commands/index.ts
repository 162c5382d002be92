/** Every command of `rewake`, in the order of the help. */
import type { CommandSpec } from '../command.ts';
import { inspect } from './inspect.ts';
import { ls } from './ls.ts';

export const commands: readonly CommandSpec[] = [ls, inspect];
