/** Every command of `rewake`, in the order of the help. */
import type { CommandSpec } from '../command.ts';
import { blame } from './blame.ts';
import { breakers } from './breakers.ts';
import { capture } from './capture.ts';
import { check } from './check.ts';
import { completionOf } from './completion.ts';
import { diff } from './diff.ts';
import { doctor } from './doctor.ts';
import { explain } from './explain.ts';
import { exportCommand } from './export.ts';
import { fork } from './fork.ts';
import { handlers } from './handlers.ts';
import { importCommand } from './import.ts';
import { inspect } from './inspect.ts';
import { ls } from './ls.ts';
import { metrics } from './metrics.ts';
import { repair } from './repair.ts';
import { replay } from './replay.ts';
import { resume } from './resume.ts';
import { rewind } from './rewind.ts';
import { run } from './run.ts';
import { send } from './send.ts';
import { show } from './show.ts';
import { stop } from './stop.ts';
import { tail } from './tail.ts';
import { trace } from './trace.ts';
import { verify } from './verify.ts';

const working: readonly CommandSpec[] = [
  ls,
  show,
  tail,
  replay,
  diff,
  inspect,
  explain,
  blame,
  trace,
  handlers,
  metrics,
  breakers,
  verify,
  check,
  doctor,
  capture,
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

export const commands: readonly CommandSpec[] = [...working, completionOf(working)];
