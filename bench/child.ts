/**
 * Processes of the benchmarks. Owns starting this program again in a part of its own, talking to it and killing it; what
 * the parts do is in parts/.
 *
 * CH1  A child sends one message, its report; what is wanted of it after that is its death or its end.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** What a child process does: given data, it reports something. */
export type Part = (data: never, report: (report: unknown) => void) => Promise<void>;

export interface Child<Report> {
  readonly report: Report;
  /** From just before the process was started to its report, in ms. */
  readonly untilReportMs: number;
  /** Kills it with SIGKILL, or waits for its own end; resolves when it is gone. */
  kill(): Promise<void>;
  ended(): Promise<void>;
}

const flag = '--part';

/** Starts a process in a part and waits for its report. @throws Error when it ends without one */
export async function startChild<Report>(part: string, data: object): Promise<Child<Report>> {
  const startMs = performance.now();
  const child = fork(process.argv[1]!, [flag, part, JSON.stringify(data)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const gone = once(child, 'exit');
  const report = await firstMessage<Report>(child, part);
  const untilReportMs = performance.now() - startMs;
  return {
    report,
    untilReportMs,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
    async ended() {
      await gone;
    },
  };
}

function firstMessage<Report>(child: ChildProcess, part: string): Promise<Report> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Report));
    child.once('exit', (code, signal) =>
      reject(new Error(`The process '${part}' ended with ${signal ?? code} before its report.`)),
    );
    child.once('error', reject);
  });
}

/** Plays the part that the command line names, if it names one. */
export async function playPart(parts: Readonly<Record<string, Part>>): Promise<boolean> {
  const at = process.argv.indexOf(flag);
  if (at < 0) return false;
  const [name, data] = process.argv.slice(at + 1);
  await parts[name!]!(JSON.parse(data!) as never, (report) => void process.send!(report));
  return true;
}
