/** Every command of `rewake`, in the order of the help. */
import type { CommandSpec } from '../command.ts';
import { exportCommand } from './export.ts';
import { fork } from './fork.ts';
import { importCommand } from './import.ts';
import { inspect } from './inspect.ts';
import { ls } from './ls.ts';
import { repair } from './repair.ts';
import { resume } from './resume.ts';
import { rewind } from './rewind.ts';
import { run } from './run.ts';
import { send } from './send.ts';
import { stop } from './stop.ts';

export const commands: readonly CommandSpec[] = [
  ls,
  inspect,
  exportCommand,
  importCommand,
  send,
  resume,
  rewind,
  fork,
  stop,
  repair,
  run,
];
