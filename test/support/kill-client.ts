/**
 * The client of the process that is killed: keeps commands under way, remembers what was acknowledged, and repeats what
 * was not in the next life. Owns the client's half of exactly-once; the other half is the runtime's.
 *
 * KC1  A command keeps its id for ever; one that is not acknowledged when a life ends is sent again in the next one.
 * KC2  Some commands are sent again although they were acknowledged, as by a client whose own note of it was lost.
 */
import type { Command, Report } from './kill-process.ts';
import type { Life } from './kill-lives.ts';

/** Where commands come from. */
export interface CommandSource {
  /** The next command, or undefined when there is nothing to ask for now. */
  next(): Command | undefined;
  acknowledged(command: Command): void;
}

export class KillClient {
  /** Acknowledged commands by id, in the order of their first acknowledgement. */
  readonly acknowledged = new Map<string, Command>();
  /** Acknowledgements of commands that were acknowledged before. */
  repeats = 0;
  /** Commands sent again because the life they were sent in ended. */
  resent = 0;
  /** What the process refused or complained of: nothing, if all is well. */
  readonly complaints: string[] = [];
  readonly #source: CommandSource;
  readonly #window: number;
  readonly #outstanding = new Map<string, Command>();
  #life: Life | undefined;
  #atRest: (() => void)[] = [];

  /** @param window how many commands are under way at once */
  constructor(source: CommandSource, window: number) {
    this.#source = source;
    this.#window = window;
  }

  /** Talks to a life from the moment it is ready. */
  attach(life: Life): void {
    this.#life = life;
    life.onReport = (report) => {
      if (report.at === 'ready') this.#resend();
      if (report.at === 'acknowledged') this.#onAcknowledged(report.id);
      if (report.at === 'refused') this.#onRefused(report);
      if (report.at === 'complained') this.complaints.push(report.why);
      this.#topUp();
    };
  }

  /** Resolves when the source has nothing more to ask for and everything is acknowledged, or refused. */
  async rest(): Promise<void> {
    this.#topUp();
    if (this.#outstanding.size > 0) await new Promise<void>((resolve) => this.#atRest.push(resolve));
  }

  /** Sends one command of the caller's and resolves when it is acknowledged. */
  async ask(command: Command): Promise<void> {
    this.#issue(command);
    await this.rest();
  }

  #resend(): void {
    this.resent += this.#outstanding.size;
    for (const command of this.#outstanding.values()) this.#life!.send(command);
  }

  #topUp(): void {
    if (!this.#life?.has('ready')) return;
    while (this.#outstanding.size < this.#window) {
      const command = this.#source.next();
      if (!command) break;
      if (!this.#outstanding.has(command.id)) this.#issue(command);
    }
    if (this.#outstanding.size === 0) for (const resolve of this.#atRest.splice(0)) resolve();
  }

  #issue(command: Command): void {
    this.#outstanding.set(command.id, command);
    this.#life!.send(command);
  }

  #onAcknowledged(id: string): void {
    const command = this.#outstanding.get(id);
    if (!command) return;
    this.#outstanding.delete(id);
    if (this.acknowledged.has(id)) {
      this.repeats++;
    } else {
      this.acknowledged.set(id, command);
      this.#source.acknowledged(command);
    }
  }

  #onRefused({ id, why }: Extract<Report, { at: 'refused' }>): void {
    const again = this.acknowledged.has(id) ? ', which was acknowledged before,' : '';
    this.complaints.push(`${JSON.stringify(this.#outstanding.get(id))}${again} was refused: ${why}`);
    this.#outstanding.delete(id);
  }
}
