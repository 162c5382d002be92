/**
 * Lives of the process of kill-process.ts, from its birth to its death. Owns starting and killing it; what it is told is
 * the client's.
 *
 * KL1  A process is dead, and reaped, when kill() resolves: the next one may take its place at once.
 */
import { fork, type ChildProcess } from 'node:child_process';
import type { Command, LifeOptions, Report, Workplace } from './kill-process.ts';

export class Life {
  readonly exited: Promise<void>;
  onReport: (report: Report) => void = () => {};
  readonly #child: ChildProcess;
  readonly #reported: Report['at'][] = [];
  #errors = '';

  /** Starts a process that loads its code and waits. */
  constructor(script: string, workplace: Workplace) {
    this.#child = fork(script, [JSON.stringify(workplace)], {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.exited = new Promise((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.#child.on('message', (report: Report) => {
      this.#reported.push(report.at);
      this.onReport(report);
    });
    // A message to a process that has just been killed is lost, as on any network.
    this.#child.on('error', () => {});
  }

  /** Lets the process open the log and recover. */
  begin(options: LifeOptions): void {
    this.#child.send(options);
  }

  send(command: Command): void {
    if (this.#child.connected) this.#child.send(command, () => {});
  }

  has(at: Report['at']): boolean {
    return this.#reported.includes(at);
  }

  /** Resolves when the process has reported `at`. @throws when it ends without */
  async until(at: Report['at']): Promise<void> {
    while (!this.has(at)) {
      const heard = new Promise((resolve) => this.#child.once('message', resolve));
      await Promise.race([heard, this.exited]);
      if (this.#child.exitCode !== null && !this.has(at)) {
        throw new Error(`The process ended before it was ${at}: ${this.#errors}`);
      }
    }
  }

  /** SIGKILL. False when the process had ended by itself. */
  async kill(): Promise<boolean> {
    this.#child.kill('SIGKILL');
    await this.exited;
    return this.#child.signalCode === 'SIGKILL';
  }

  /** How the process ended, and what it wrote to standard error. */
  async end(): Promise<{ readonly code: number | null; readonly errors: string }> {
    await this.exited;
    return { code: this.#child.exitCode, errors: this.#errors };
  }
}
